"""A worker in a process of its own, as its parent sees it: started, asked in JSON lines, listened to, ended.

What the worker itself has to do at its start stands in `synth.worker_main`.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from synth.errors import TetradError

_LONGEST_LINE = 4 * 2**20
_THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""The engine needs the other cores."""


class WorkerWords(NamedTuple):
    """How errors speak of a worker. work: what it does, as a subject; silent, killed, ended: what came of it and what
    to do when it said nothing for too long, was ended by a signal, or ended by itself."""

    work: str
    silent: str
    killed: str
    ended: str


class WorkerProcess:
    """One worker process. `write` and `read` are called by one thread at a time; `kill` by any."""

    def __init__(self, command: Sequence[str], words: WorkerWords, silent_s: float) -> None:
        """Starts the worker. silent_s: one that says nothing for so long hangs. Raises TetradError when there is no
        room for another process."""
        try:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **_THREADS},
                start_new_session=True,  # Ctrl-C in the engine's terminal is the engine's
            )
        except OSError as error:
            raise TetradError(
                f"{words.work} can't be started ({error.strerror}); room for a process was expected; "
                "end another program"
            ) from error
        self._words = words
        self._silent_s = silent_s
        self._killed = False
        self._unread = b""

    @property
    def alive(self) -> bool:
        """It can be asked: it has not ended, and nobody has killed it (which takes effect a moment later)."""
        return not self._killed and self._process.poll() is None

    @property
    def number(self) -> int:
        """The process's."""
        return self._process.pid

    def write(self, message: Mapping[str, Any]) -> None:
        """Ask. Raises TetradError when it is dead."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise self._dead() from None

    def read(self) -> Mapping[str, Any]:
        """The worker's next line. Raises TetradError, in words, whatever becomes of it."""
        assert self._process.stdout is not None
        end_s = time.monotonic() + self._silent_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if not selector.select(max(end_s - time.monotonic(), 0.0)):
                    self.kill()
                    raise TetradError(
                        f"{self._words.work} said nothing for {self._silent_s:g} s and was ended; {self._words.silent}"
                    )
                chunk = os.read(self._process.stdout.fileno(), 65_536)
                self._unread += chunk
                if not chunk or len(self._unread) > _LONGEST_LINE:
                    raise self._dead()
        line, _, self._unread = self._unread.partition(b"\n")
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            raise self._dead()
        return message

    def kill(self) -> None:
        """End it now. What it was writing does not come about."""
        self._killed = True
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def close(self, folder: Path | None = None) -> None:
        """Kill it if need be, wait for its end, and remove what it left half-written in `folder`."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was not written to a dead process yet
                    pipe.close()
        if folder is not None:
            for path in folder.glob(f".*.{self._process.pid}-*.part*"):
                path.unlink(missing_ok=True)

    def _dead(self) -> TetradError:
        self.kill()
        status = self._process.wait()
        with contextlib.suppress(ValueError):
            if status < 0:
                how = f"by the signal {signal.Signals(-status).name}"
                return TetradError(f"{self._words.work} ended {how}; {self._words.killed}")
        return TetradError(f"{self._words.work} ended with status {status}; {self._words.ended}")


Worker = TypeVar("Worker", bound=WorkerProcess)


class KeptWorker(Generic[Worker]):
    """The one worker of a thread: started when it is wanted, and ended by that thread. Any thread may kill it.

    changed: the lock of its owner's state, which may be held in any call.
    """

    def __init__(self, start: Callable[[], Worker], changed: threading.Condition) -> None:
        self._start, self._changed = start, changed
        self.process: Worker | None = None

    def ready(self, is_refused: Callable[[], bool]) -> Worker:
        """The worker, started if there is none. One that `is_refused`, asked under the lock, is killed at once: its
        owner was closed meanwhile. Raises TetradError when it can't be started."""
        if self.process is None:
            process = self._start()
            with self._changed:
                self.process = process
                if is_refused():
                    process.kill()
        return self.process

    def kill(self) -> None:
        """End it now, if there is one; its thread hears of it."""
        with self._changed:
            if self.process is not None:
                self.process.kill()

    def end(self, folder: Path | None = None) -> None:
        """Wait for its end, and remove what it left half-written in `folder`."""
        with self._changed:
            process, self.process = self.process, None
        if process is not None:
            process.close(folder)
