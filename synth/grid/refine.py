"""Paths that are missing, computed while the instrument is played: one after the other, in a worker process.

A pair is *waiting*, then *computing*, and at last in the grid or *failed*. The pairs that are wanted now come first;
those of before wait behind them, because a player who went through instruments comes back to some. A worker that dies
or hangs is started once more for the same pair; what fails twice, or is answered with an error, is said once and left:
the straight line goes on sounding.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from synth.errors import TetradError
from synth.grid.surface_pairs import Pair
from synth.worker_process import KeptWorker, WorkerProcess, WorkerWords

SETTLE_S = 1.0
"""From a change of the pairs until the next one is begun: who goes through patches wants none of them yet."""
IDLE_S = 15.0
"""After which a worker without work ends: it holds 480 MB, and takes some seconds of a core to be ready."""
SILENT_S = 1800.0
"""A worker that says nothing for so long hangs. It may have to wait for a core (synth.grid.worker counts its own)."""
MOST_WAITING = 64
MOST_FAILURES = 3
"""Of pairs in a row. What is wrong then is wrong for all of them: a full disk, a network that is missing."""
_WORDS = WorkerWords(
    work="computing the path",
    silent="the straight line stays; report this with the two instruments",
    killed="the straight line stays; it may need more memory than there is: end another program",
    ended="the straight line stays; report this with the two instruments",
)


class RefusedError(TetradError):
    """The worker's own answer: asked again it would say the same."""


class GridProcess(WorkerProcess):
    """One worker process (synth.grid.worker). `run` is called by one thread at a time; `kill` by any."""

    def __init__(self, command: Sequence[str] | None = None, silent_s: float = SILENT_S) -> None:
        """Starts the worker. Raises TetradError when there is no room for another process."""
        super().__init__(command or (sys.executable, "-m", "synth.grid.worker"), _WORDS, silent_s)

    def run(self, pair: Pair, libraries: Sequence[Path], folder: Path) -> None:
        """Compute one path into the grid in `folder`. Raises RefusedError with the worker's words, and TetradError when
        it dies or hangs."""
        self.write(
            {
                "first": pair.first,
                "second": pair.second,
                "libraries": [str(library) for library in libraries],
                "folder": str(folder),
            }
        )
        while "done" not in (message := self.read()):
            if "error" in message:
                raise RefusedError(str(message["error"]))


class Refiner:
    """Any thread may call. It does nothing until something is wanted.

    libraries: folders of the instruments; folder: the grid's. on_path(pair): called in the refiner's thread when a path
    is in the grid. on_trouble(words): called there when something goes wrong.
    """

    def __init__(
        self,
        libraries: Sequence[Path],
        folder: Path,
        on_path: Callable[[Pair], object],
        on_trouble: Callable[[str], object],
        *,
        enabled: bool = True,
        start: Callable[[], GridProcess] = GridProcess,
        settle_s: float = SETTLE_S,
        idle_s: float = IDLE_S,
    ) -> None:
        self._libraries, self._folder = tuple(libraries), folder
        self._on_path, self._on_trouble = on_path, on_trouble
        self._settle_s, self._idle_s = settle_s, idle_s
        self._changed = threading.Condition()  # guards everything below
        self._waiting: list[Pair] = []
        self._computing: Pair | None = None
        self._failed: set[Pair] = set()
        self._failures = 0  # in a row
        self._enabled = enabled
        self._closing = False
        self._begin_s = 0.0  # not before
        self._worker = KeptWorker(start, self._changed)
        self._thread: threading.Thread | None = None

    def want(self, pairs: Iterable[Pair]) -> None:
        """These come next, in this order; what waited for others waits behind them."""
        with self._changed:
            pairs = [pair for pair in dict.fromkeys(pairs) if pair not in self._failed and pair != self._computing]
            if self._closing or self._failures >= MOST_FAILURES or not pairs:
                return
            self._waiting = [*pairs, *(pair for pair in self._waiting if pair not in pairs)][:MOST_WAITING]
            self._begin_s = time.monotonic() + self._settle_s
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="refiner", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def enable(self, on: bool) -> None:
        """Compute paths, or let it be from now on; what was under way is begun again when it goes on."""
        with self._changed:
            self._enabled = on
            if not on:
                self._worker.kill()
            self._changed.notify_all()

    def status(self) -> dict[str, Any]:
        """For the engine's status."""
        with self._changed:
            status: dict[str, Any] = {"refining": self._enabled, "waiting": len(self._waiting)}
            if self._computing is not None:
                status["computing"] = str(self._computing)
        return status

    def waiting(self) -> tuple[Pair, ...]:
        """Those that are not begun, in their order."""
        with self._changed:
            return tuple(self._waiting)

    def close(self) -> None:
        """End everything; a path that was not finished does not come about."""
        with self._changed:
            self._closing = True
            self._worker.kill()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    # In the refiner's thread.

    def _work(self) -> None:
        while (pair := self._next()) is not None:
            self._carry_out(pair)
        self._worker.end(self._folder)

    def _next(self) -> Pair | None:
        """The next pair, which is being computed from now on; None at the end. Meanwhile, an idle worker ends."""
        idle_from_s = time.monotonic()
        while True:
            with self._changed:
                if self._closing:
                    return None
                until_s = self._begin_s - time.monotonic()
                if self._waiting and self._enabled and until_s <= 0.0:
                    self._computing = self._waiting.pop(0)
                    return self._computing
                pause_s = until_s if self._waiting and self._enabled else self._idle_s if self._worker.process else None
                self._changed.wait(pause_s)
            if time.monotonic() - idle_from_s >= self._idle_s:
                self._worker.end(self._folder)

    def _carry_out(self, pair: Pair) -> None:
        words = self._compute(pair)
        with self._changed:
            self._computing = None
            if self._closing:
                return
            if words is None:
                self._failures = 0
            elif not self._enabled:
                self._waiting.insert(0, pair)
                return
            else:
                self._failed.add(pair)
                self._failures += 1
                words = f"no path between {pair.first} and {pair.second}: {words}"
                if self._failures >= MOST_FAILURES:
                    self._waiting.clear()
                    words += f" ({self._failures} failed in a row: no more are tried until the engine starts anew)"
        if words is not None:
            self._on_trouble(words)

    def _compute(self, pair: Pair) -> str | None:
        """None when the path is in the grid and handed on, else what became of it."""
        for trial in (1, 2):
            try:
                self._worker.ready(lambda: self._closing or not self._enabled).run(pair, self._libraries, self._folder)
            except RefusedError as error:
                return str(error)
            except TetradError as error:
                self._worker.end(self._folder)
                with self._changed:
                    left_alone = self._closing or not self._enabled
                if trial == 2 or left_alone:
                    return str(error)
            else:
                return self._hand_on(pair)
        raise AssertionError("the second trial returns")

    def _hand_on(self, pair: Pair) -> str | None:
        try:
            self._on_path(pair)
        except Exception as error:  # noqa: BLE001  (the next pair is to go on, whatever this one broke)
            return f"it could not be used ({type(error).__name__}: {error}); report this"
        return None
