"""A log that a flood of bad input can't fill: of each kind one line a second at most, and how many were left out."""

import logging
import time
from collections.abc import Callable

PERIOD_S = 1.0


class QuietLog:
    """Warnings by kind. Not for several threads."""

    def __init__(self, log: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._last_s: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def say(self, kind: str, words: str) -> None:
        """One line of a `kind` (of which there are few: they are kept), unless one was written in the last second."""
        now_s = self._clock()
        if now_s - self._last_s.get(kind, -PERIOD_S) < PERIOD_S:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return
        self._last_s[kind] = now_s
        left_out = self._left_out.pop(kind, 0)
        more = f" (and {left_out} more of this kind since the last line)" if left_out else ""
        self._log.warning("%s%s", " ".join(words.split()), more)
