"""Recording new instruments through the engine's commands: a worker takes notes from an input, an import follows.

States, as `input.state` says: *off*; *opening* while the worker starts; then what `synth.instruments.takes.InputStatus`
says; *ending* after `record_input_stop`, until the worker has said what it has; *off* again, and the import is in the
queue. The takes are kept until their import is done; where it fails, they stay, and it is said where.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth.control.commands import Command
from synth.control.corners import Corner
from synth.errors import TetradError
from synth.instruments.import_queue import Job, State
from synth.instruments.import_request import ImportRequest
from synth.instruments.record_process import RecordProcess, list_inputs
from synth.instruments.takes import Trim, remove_if_empty, remove_takes, takes_folder

if TYPE_CHECKING:
    from synth.session import Session

Result = Mapping[str, Any] | Future[Any] | None
OFF, OPENING, ENDING = "off", "opening", "ending"
SHORTEST_S = 0.1
"""Of a take: an import wants a sound, not a click."""
_REQUESTED = ("name", "display_name", "family", "pitch", "unpitched", "correct_tuning", "replace")


class InputRecording:
    """At most one recording at a time. Commands call it with the session's lock; the worker's thread without."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.RLock()  # guards what follows; nothing is waited for under it
        self._process: RecordProcess | None = None
        self._number = 0  # of the recording: what an older worker says no longer counts
        self._folder = Path()
        self._device = ""
        self._state, self._words = OFF, ""
        self._status: Mapping[str, Any] = {}
        self._opened: Future[dict[str, Any]] = Future()
        self._stopped: Future[dict[str, Any]] | None = None
        self._request: Callable[[list[Mapping[str, Any]]], ImportRequest] | None = None
        self._corner: Corner | None = None
        self._trims: dict[int, Trim] = {}
        self._importing: dict[int, list[Path]] = {}

    def start(self, device: str | None, notes: int | None, seconds: float) -> Future[dict[str, Any]]:
        """Gives a future of what was opened. Raises TetradError when one runs already."""
        with self._lock:
            if self._state != OFF:
                raise TetradError("an input is being recorded already; one at a time is expected; stop or cancel it")
            folder = takes_folder(self._session.loader.library.own_folder)
            self._number += 1
            number = self._number
            wanted = {"folder": str(folder), "device": device, "notes": notes, "seconds": seconds}
            try:
                self._process = RecordProcess(wanted, lambda message: self._hear(number, message))
            except TetradError:
                remove_if_empty(folder)
                raise
            self._folder, self._device = folder, ""
            self._state, self._words, self._status = OPENING, "the input is being opened", {}
            self._opened, self._stopped, self._trims = Future(), None, {}
            return self._opened

    def stop(
        self, request: Callable[[list[Mapping[str, Any]]], ImportRequest], corner: Corner | None
    ) -> Future[dict[str, Any]]:
        """The takes become an instrument. request: makes an import of the takes. Gives a future of the import's number.

        Raises TetradError when nothing is being recorded.
        """
        with self._lock:
            process = self._running()
            if self._stopped is not None:
                raise TetradError("the recording is ending already; one command is enough; wait for it")
            takes = range(1, len(self._status.get("takes", ())) + 1)
            if takes and not any(self._trims.get(number, Trim()).keep for number in takes):
                raise TetradError("every take is left out; one at least was expected; keep one, or cancel")
            self._request, self._corner = request, corner
            self._stopped = Future()
            self._state = ENDING
            process.finish(self._trims)
            return self._stopped

    def trim(self, number: int, trim: Trim) -> None:
        """What stays of a take, counted from 1, when the recording is stopped. Raises TetradError."""
        with self._lock:
            self._running()
            takes = self._status.get("takes", ())
            if self._stopped is not None or not 1 <= number <= len(takes):
                raise TetradError(f"take {number} can't be trimmed; there are {len(takes)}; name one, before the stop")
            end_s = min(trim.end_s if trim.end_s is not None else math.inf, takes[number - 1]["seconds"])
            if trim.keep and end_s - trim.start_s < SHORTEST_S:
                raise TetradError(
                    f"{max(end_s - trim.start_s, 0.0):.2f} s would be left of take {number}; {SHORTEST_S} s at least "
                    "were expected; cut less"
                )
            self._trims[number] = trim

    def cancel(self) -> None:
        """Nothing is kept. Raises TetradError when nothing is being recorded."""
        with self._lock:
            process = self._running()
            self._number += 1
            opened, stopped = self._opened, self._stopped
            self._end("the recording was cancelled; nothing was kept")
        process.end()
        remove_takes(self._folder.glob("*"))
        remove_takes(self._folder.glob(".*"))
        remove_if_empty(self._folder)
        for future in (opened, stopped):
            if future is not None and not future.done():
                future.set_exception(TetradError("the recording was cancelled; nothing was kept"))
        self._tell()

    def status(self) -> dict[str, Any]:
        """For the engine's status."""
        with self._lock:
            status: dict[str, Any] = {"state": self._state, "words": self._words}
            if self._state != OFF:
                status = {**self._status, "device": self._device} | status
        if "takes" in status:
            names = ("seconds", "heard", "pitch", "clipped_samples", "peaks")
            status["takes"] = [
                {name: take[name] for name in names} | self._trims.get(number, Trim())._asdict()
                for number, take in enumerate(status["takes"], 1)
            ]
        return status

    def import_changed(self, job: Job) -> None:
        """Takes whose instrument is there are no longer needed; others stay, and it is said where."""
        if job.state in (State.WAITING, State.RUNNING):
            return
        with self._lock:
            paths = self._importing.pop(job.number, None)
        if paths is None:
            return
        if job.state is State.DONE:
            remove_takes(paths)
        else:
            words = f"{job.words}; what was recorded is in {paths[0].parent}: it can be imported from there"
            self._session.notify("warning", words=words)

    def close(self) -> None:
        """Ends a recording; its finished takes stay."""
        with self._lock:
            process = self._process
            self._number += 1
            self._end("")
        if process is not None:
            process.end()
            remove_if_empty(self._folder)

    # In the worker's thread.

    def _hear(self, number: int, message: Mapping[str, Any]) -> None:
        with self._lock:
            if number != self._number:
                return
            before = (self._state, len(self._status.get("takes", ())))
            act: Callable[[], object] = lambda: None  # noqa: E731  (what is done without the lock)
            if "ready" in message:
                self._device = message["ready"]["device"]
                act = _answer(self._opened, message["ready"])
            elif "status" in message:
                self._status = message["status"]
                if self._state != ENDING:
                    self._state = self._status["state"]
                self._words = self._status["words"]
            elif "done" in message:
                act = self._done(message["done"])
            elif "error" in message or "ended" in message:
                act = self._failed(message.get("error") or message["ended"])
            changed = before != (self._state, len(self._status.get("takes", ())))
        act()
        if changed:
            self._tell()

    def _done(self, done: Mapping[str, Any]) -> Callable[[], object]:
        takes, stopped, make, corner = done["takes"], self._stopped, self._request, self._corner
        self._end("; ".join(done["remarks"]))
        self._number += 1  # its end is no news
        assert stopped is not None
        assert make is not None
        paths = [Path(take["path"]) for take in takes]

        def begin_import() -> None:
            try:
                if not takes:
                    remove_if_empty(self._folder)
                    raise TetradError("no note was heard; one at least was expected; play louder or nearer, again")
                with self._lock:
                    job = self._session.imports.add(make(takes), corner)
                    self._importing[job.number] = paths
                self.import_changed(job)  # should it be over already
            except TetradError as error:
                where = f"; what was recorded is in {self._folder}" if takes else ""
                stopped.set_exception(TetradError(f"{error}{where}"))
            else:
                stopped.set_result({"number": job.number, "takes": takes, "remarks": done["remarks"]})

        return begin_import

    def _failed(self, words: str) -> Callable[[], object]:
        opened, stopped, folder = self._opened, self._stopped, self._folder
        takes = self._status.get("takes", ())
        if takes:
            words = f"{words}; the takes before it are in {folder}: they can be imported from there"
        self._end(words)
        self._number += 1

        def tell() -> None:
            remove_if_empty(folder)
            for future in (opened, stopped):
                if future is not None and not future.done():
                    future.set_exception(TetradError(words))
                    return
            self._session.notify("warning", words=words)

        return tell

    # Inside.

    def _running(self) -> RecordProcess:
        if self._process is None:
            raise TetradError("no input is being recorded; a recording was expected; start one: `record_input_start`")
        return self._process

    def _end(self, words: str) -> None:
        self._process, self._stopped, self._request = None, None, None
        self._state, self._words, self._status = OFF, words, {}

    def _tell(self) -> None:
        status = self.status()
        self._session.notify(
            "input_changed", state=status["state"], takes=len(status.get("takes", ())), words=status["words"]
        )


def _answer(future: Future[dict[str, Any]], result: dict[str, Any]) -> Callable[[], object]:
    return lambda: future.set_result(result)


def _start(session: Session, command: Command) -> Result:
    return in_thread(lambda: session.input.start(command["device"], command["notes"], command["seconds"]).result())


def _stop(session: Session, command: Command) -> Result:
    given: dict[str, Any] = {name: command[name] for name in _REQUESTED}

    def request(takes: list[Mapping[str, Any]]) -> ImportRequest:
        sources = tuple(Path(take["path"]) for take in takes) or (Path(),)
        tags, library = command["tags"] or (), session.loader.library.own_folder
        return ImportRequest(sources=sources, tags=tags, cut="single", library=library, origin="a recording", **given)

    request([])  # what can't be asked for is said before the takes are cut
    return session.input.stop(request, command["corner"])


def _trim(session: Session, command: Command) -> Result:
    session.input.trim(command["take"], Trim(command["start_s"], command["end_s"], command["keep"]))
    return None


def _cancel(session: Session, command: Command) -> Result:
    del command
    return in_thread(session.input.cancel)


def _inputs(session: Session, command: Command) -> Result:
    del session, command
    return in_thread(lambda: {"inputs": list_inputs()})


def in_thread(work: Callable[[], Any]) -> Future[Any]:
    """For what takes a second or more, while patches are to be saved all the same."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001  (whoever waits for it is told)
            future.set_exception(error)

    threading.Thread(target=run, name="input", daemon=True).start()
    return future


RECORDING_METHODS: dict[str, Callable[[Session, Command], Result]] = {
    "inputs": _inputs,
    "record_input_start": _start,
    "record_input_trim": _trim,
    "record_input_stop": _stop,
    "record_input_cancel": _cancel,
}
