"""The engine's imports: one after the other, in a worker process, with progress for everybody.

A job is *waiting*, then *running*, and at last *done*, *failed* or *cancelled*. The worker is started for the first job
and kept for a minute after the last: starting one takes a second, and players import several sounds in a row.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from synth.errors import TetradError
from synth.instruments.import_process import DuplicateImportError, ImportProcess
from synth.instruments.import_request import ImportRequest, ImportResult
from synth.worker_process import KeptWorker

MOST_WAITING, MOST_KEPT = 32, 32
IDLE_S = 60.0
_SHARES = {"find": (0.0, 0.05), "listen": (0.05, 0.35), "build": (0.35, 0.95), "write": (0.95, 1.0)}
"""Of the way, by the time that each step takes for sixteen notes."""


class State(StrEnum):
    """Of a job; the module's text describes them."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass
class Job:
    """One import. words: what came of it. wanted: what its owner wants done with it afterwards, which is its own."""

    number: int
    request: ImportRequest
    wanted: Any = None
    state: State = State.WAITING
    step: str = ""
    done: int = 0
    total: int = 0
    words: str = ""
    instrument: str = ""
    duplicate: str = ""
    result: ImportResult | None = None
    cancelled: bool = field(default=False, repr=False)

    @property
    def share(self) -> float:
        """Of the way, 0..1."""
        if self.state is State.DONE:
            return 1.0
        begin, end = _SHARES.get(self.step, (0.0, 0.0))
        return begin + (end - begin) * min(self.done / max(self.total, 1), 1.0)

    def to_json(self) -> dict[str, Any]:
        """How it stands, for notices; `imports` has the result besides."""
        return {
            "number": self.number,
            "source": self.request.sources[0].name,
            "state": str(self.state),
            "step": self.step,
            "done": self.done,
            "total": self.total,
            "share": round(self.share, 3),
            "instrument": self.instrument,
            "duplicate": self.duplicate,
            "words": self.words,
            "remarks": [] if self.result is None else list(self.result.remarks),
        }


class ImportQueue:
    """Any thread may call.

    on_change(job): called in the queue's thread at every step of a job. on_done(job): called there before the state is
    *done*; what it raises makes the job's words.
    """

    def __init__(
        self,
        on_change: Callable[[Job], object],
        on_done: Callable[[Job], object],
        *,
        start: Callable[[], ImportProcess] = ImportProcess,
        idle_s: float = IDLE_S,
    ) -> None:
        self._on_change, self._on_done = on_change, on_done
        self._idle_s = idle_s
        self._changed = threading.Condition()  # guards everything below
        self._jobs: list[Job] = []
        self._numbers = 0
        self._worker = KeptWorker(start, self._changed)
        self._closing = False
        self._thread: threading.Thread | None = None

    def add(self, request: ImportRequest, wanted: Any = None) -> Job:
        """Put an import at the end of the queue. Raises TetradError when too many wait."""
        with self._changed:
            waiting = sum(job.state is State.WAITING for job in self._jobs)
            if waiting >= MOST_WAITING or self._closing:
                raise TetradError(f"{waiting} imports are waiting; at most {MOST_WAITING} may; wait, or cancel some")
            self._numbers += 1
            job = Job(self._numbers, request, wanted)
            ended = [old for old in self._jobs if old.state not in (State.WAITING, State.RUNNING)]
            for old in ended[: max(len(ended) - MOST_KEPT + 1, 0)]:
                self._jobs.remove(old)
            self._jobs.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="imports", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return job

    def cancel(self, number: int | None = None) -> list[int]:
        """Cancel a job, or all that are not over. Gives their numbers. Raises TetradError when there is none."""
        with self._changed:
            found = [
                job
                for job in self._jobs
                if job.state in (State.WAITING, State.RUNNING) and (number is None or job.number == number)
            ]
            if not found:
                which = "no import is" if number is None else f"import {number} is not"
                raise TetradError(f"{which} under way; `imports` lists those that are; name one of them")
            for job in found:
                job.cancelled = True
                if job.state is State.RUNNING:
                    self._worker.kill()
            self._changed.notify_all()
        return [job.number for job in found]

    def jobs(self) -> list[Job]:
        """Those under way and those that ended last, oldest first."""
        with self._changed:
            return list(self._jobs)

    def status(self) -> dict[str, Any]:
        """For the engine's status: what is under way."""
        with self._changed:
            running = next((job for job in self._jobs if job.state is State.RUNNING), None)
            status: dict[str, Any] = {"waiting": sum(job.state is State.WAITING for job in self._jobs)}
        if running is not None:
            row = running.to_json()
            status |= {name: row[name] for name in ("number", "source", "step", "share")}
        return status

    def close(self) -> None:
        """End everything; what was not finished does not come about."""
        with self._changed:
            self._closing = True
            self._worker.kill()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    # In the queue's thread.

    def _work(self) -> None:
        while (job := self._next()) is not None:
            self._carry_out(job)
        self._worker.end()

    def _next(self) -> Job | None:
        """The next job, which is running from now on; None when the queue is closed. Meanwhile, an idle worker ends."""
        idle_from_s = time.monotonic()
        while True:
            with self._changed:
                if self._closing:
                    return None
                job = next((job for job in self._jobs if job.state is State.WAITING), None)
                if job is not None:
                    job.state = State.CANCELLED if job.cancelled else State.RUNNING
                    break
                self._changed.wait(1.0 if self._worker.process is not None else None)
            if time.monotonic() - idle_from_s > self._idle_s:
                self._worker.end()
        return job

    def _carry_out(self, job: Job) -> None:
        if job.state is State.CANCELLED:
            self._over(job, State.CANCELLED, "the import was cancelled; nothing was added")
            return
        self._on_change(job)

        def progress(step: str, done: int, total: int) -> None:
            job.step, job.done, job.total = step, done, total
            self._on_change(job)

        try:
            worker = self._worker.ready(lambda: self._closing)
            if job.cancelled:
                worker.kill()
            job.result = worker.run(job.request, progress)
            job.instrument = job.result.name
            self._on_done(job)
        except DuplicateImportError as error:
            job.duplicate = error.name
            self._over(job, State.FAILED, str(error))
        except TetradError as error:
            if job.cancelled:
                self._over(job, State.CANCELLED, "the import was cancelled; nothing was added")
            else:
                self._over(job, State.FAILED, str(error))
        except Exception as error:  # noqa: BLE001  (the next import is to go on, whatever this one broke)
            self._over(job, State.FAILED, f"the import broke down ({type(error).__name__}: {error}); report this")
        else:
            self._over(job, State.DONE, _summary(job.result))
        if self._worker.process is not None and not self._worker.process.alive:
            self._worker.end(job.request.to_library().own_folder)

    def _over(self, job: Job, state: State, words: str) -> None:
        with self._changed:
            job.state, job.words = state, words
        self._on_change(job)


def _summary(result: ImportResult) -> str:
    notes = "1 note" if result.notes == 1 else f"{result.notes} notes"
    kind = "sustains" if result.sustains else "decays"
    return f"{result.display_name}: {notes}, {kind}, {result.size_bytes / 1000:.0f} kB"
