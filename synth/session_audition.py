"""The commands that let an instrument be heard before it goes anywhere."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from synth.audition import Audition
from synth.control.commands import Command
from synth.errors import TetradError
from synth.session_recording import in_thread

if TYPE_CHECKING:
    from synth.session import Session


def _of(session: Session) -> Audition:
    if session.audition is None:
        raise TetradError(
            "nothing can be auditioned here; an engine with a sound output was expected; start `tetrad play`"
        )
    return session.audition


def _audition(session: Session, command: Command) -> Future[Any]:
    audition, volume_db = _of(session), session.editor.sounding.value("volume")
    name, key, velocity = command["instrument"], command["key"], command["velocity"]
    session.loader.library.path(name)  # one that is not there is refused at once

    def begin() -> dict[str, Any]:
        instrument = session.loader.load(name).result()
        return {"instrument": name, "key": audition.play(instrument, key, velocity, volume_db).result()}

    return in_thread(begin)


def _audition_stop(session: Session, command: Command) -> None:
    del command
    _of(session).stop()


AUDITION_METHODS: dict[str, Callable[[Session, Command], Future[Any] | None]] = {
    "audition": _audition,
    "audition_stop": _audition_stop,
}
