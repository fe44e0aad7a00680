"""Commands that wait for their answer, by number. For several threads."""

import concurrent.futures
import itertools
import threading
from typing import Any

Answer = concurrent.futures.Future[dict[str, Any]]


class PendingAnswers:
    """Futures of answers that have not come."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Answer] = {}

    def expect(self) -> tuple[int, Answer]:
        """A number that no other command of this client has, and the future of its answer."""
        future: Answer = concurrent.futures.Future()
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = future
        return number, future

    def forget(self, number: int) -> None:
        """The command was not sent."""
        with self._lock:
            self._waiting.pop(number, None)

    def settle(self, number: int, answer: dict[str, Any] | Exception) -> None:
        """The answer has come. The future's callbacks are called here, by whoever calls this."""
        with self._lock:
            future = self._waiting.pop(number, None)
        if future is None or not future.set_running_or_notify_cancel():
            return  # nobody waits for it any more
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)

    def fail_all(self, error: Exception) -> None:
        """No answer will come to what was sent before this."""
        with self._lock:
            waiting = list(self._waiting)
        for number in waiting:
            self.settle(number, error)
