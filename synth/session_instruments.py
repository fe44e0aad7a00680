"""The session's library: imports that are under way, and what commands do to instruments."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth.control.commands import Command
from synth.control.corners import Corner
from synth.control.patch_changes import Change, Part
from synth.errors import TetradError
from synth.instruments.import_queue import ImportQueue, Job
from synth.instruments.import_request import ImportRequest, is_there
from synth.instruments.library_watch import LibraryWatch
from synth.instruments.listing import describe

if TYPE_CHECKING:
    from synth.session import Session

Result = Mapping[str, Any] | Future[Any] | None
_REQUESTED = (
    "name",
    "display_name",
    "family",
    "pitch",
    "unpitched",
    "preset",
    "instrument",
    "cut",
    "correct_tuning",
    "replace",
    "again",
)
_TEXTS = ("author", "licence", "origin")
_TOLD_REMARKS = 20
"""Lines of a notice; `imports` has all of them."""


class Imports:
    """The engine's import queue, and what happens when an import is over."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.queue = ImportQueue(self._tell, self._take_over)
        self.watch = LibraryWatch(session.loader.library.own_folder)

    def add(self, request: ImportRequest, corner: Corner | None) -> Job:
        job = self.queue.add(request, corner)
        self._tell(job)
        return job

    def look(self) -> None:
        """Some times a second: what another process did to the library counts here, too."""
        if self.watch.due():
            self._session.later(self._follow)

    def _follow(self) -> None:
        names = self.watch.changes()
        if names is not None:
            _take_up(self._session, names)

    def _tell(self, job: Job) -> None:
        self._session.input.import_changed(job)
        about = job.to_json()
        self._session.notify("import_changed", **about | {"remarks": about["remarks"][:_TOLD_REMARKS]})

    def _take_over(self, job: Job) -> None:
        """In the queue's thread: the new instrument is there for everybody, and in its corner."""
        changed(self._session, job.instrument)
        if job.wanted is not None:
            with self._session.lock:
                done = self._session.put(job.wanted, job.instrument)
            done.result()
            self._session.remember()


def changed(session: Session, name: str | None = None) -> None:
    """An instrument is new, gone or another: what reads it anew does, and every screen is told. No lock is held.

    Corners that hold it get the new one, if there is one. Without a name, only what is said of instruments changed.
    """
    session.imports.watch.changes()  # these are no news to us
    _take_up(session, set() if name is None else {name})


def _take_up(session: Session, names: Collection[str]) -> None:
    for name in names:
        session.loader.forget(name)
    session.catalogue.entries()
    present = session.loader.library.paths().keys() & names
    with session.lock:
        held = session.editor.sounding.corners
        warnings, done = session.send(
            Change(Part.CORNER, corner, held[corner], held[corner]) for corner in Corner if held[corner] in present
        )
    del warnings  # they are there
    done.result()
    session.notify("instruments_changed")


def _instruments(session: Session, command: Command) -> Result:
    def work() -> dict[str, Any]:
        wanted = [command[name] or "" for name in ("search", "tag", "family")]
        rows = [
            entry.to_json()
            for entry in session.catalogue.entries()
            if entry.has(*wanted) and (entry.favourite or not command["favourites"])
        ]
        return {"instruments": rows}

    return session.later(work)


def _show(session: Session, command: Command) -> Result:
    library = session.loader.library
    return session.later(lambda: describe(library, command["name"]))


def _import(session: Session, command: Command) -> Result:
    given: dict[str, Any] = {name: command[name] for name in _REQUESTED}
    given |= {name: command[name] or "" for name in _TEXTS}
    request = ImportRequest(
        sources=tuple(Path(path).expanduser() for path in command["paths"]),
        tags=command["tags"] or (),
        library=session.loader.library.own_folder,
        **given,
    )
    for source in request.sources:
        if not is_there(source):
            raise TetradError(f"there is no {source} on the engine's machine; a file or a folder was expected")
    return {"number": session.imports.add(request, command["corner"]).number}


def _cancel(session: Session, command: Command) -> Result:
    return {"cancelled": session.imports.queue.cancel(command["number"])}


def _imports(session: Session, command: Command) -> Result:
    del command
    jobs = session.imports.queue.jobs()
    return {
        "imports": [job.to_json() | ({} if job.result is None else {"result": job.result.to_json()}) for job in jobs]
    }


def _label_change(change: Callable[[Session, Command], object]) -> Callable[[Session, Command], Result]:
    """What is said of an instrument changes, not its sound."""

    def method(session: Session, command: Command) -> Result:
        def work() -> None:
            change(session, command)
            changed(session)

        return session.later(work)

    return method


def _remove(session: Session, command: Command) -> Result:
    def work() -> None:
        session.loader.library.remove(command["name"])
        changed(session, command["name"])

    return session.later(work)


def _restore(session: Session, command: Command) -> Result:
    def work() -> dict[str, Any]:
        name = session.loader.library.restore(command["name"])
        changed(session, name)
        return {"name": name}

    return session.later(work)


def _export(session: Session, command: Command) -> Result:
    def work() -> dict[str, Any]:
        path = Path(command["path"]).expanduser()
        return {"path": str(session.loader.library.export(command["name"], path))}

    return session.later(work)


INSTRUMENT_METHODS: dict[str, Callable[[Session, Command], Result]] = {
    "instruments": _instruments,
    "instrument_show": _show,
    "instrument_import": _import,
    "import_cancel": _cancel,
    "imports": _imports,
    "instrument_rename": _label_change(lambda s, c: s.loader.library.rename(c["name"], c["display_name"])),
    "instrument_tag": _label_change(lambda s, c: s.loader.library.tag(c["name"], c["tags"])),
    "instrument_favourite": _label_change(lambda s, c: s.loader.library.favour(c["name"], c["favourite"])),
    "instrument_remove": _remove,
    "instrument_restore": _restore,
    "instrument_export": _export,
}
