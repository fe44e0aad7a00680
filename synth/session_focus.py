"""Who holds and who moves what: one focus for touch, board and MIDI, and notices of parameters that were moved."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from synth.control.commands import Command
from synth.control.parameters import parameter_named

if TYPE_CHECKING:
    from synth.session import Session

BRIEF_S = 1.5
"""An encoder that knows no touch holds what it moves for so long."""
MOST_HELD = 32
NOTICE_PERIOD_S = 1.0 / 30.0
"""Between two notices of one parameter."""
MIDI, PATCH = "midi", "patch"


class _Held(NamedTuple):
    target: str
    since_s: float  # since 1970
    until_s: float  # of `time.monotonic`
    instrument: str


class Focus:
    """What is held, by whom: the newest counts; once that is let go, the one before does again. One thread at once."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}  # by holder, the newest last

    def hold(self, target: str, by: str, for_s: float = float("inf"), instrument: str = "") -> None:
        """`by` holds a parameter or a corner, until it lets go or for some seconds. instrument: what is browsed."""
        before = self._held.pop(by, None)
        since_s = before.since_s if before is not None and before.target == target else time.time()
        if before is not None and before.target == target and before.until_s == float("inf"):
            for_s = float("inf")  # a knob that is touched and turned
        self._held[by] = _Held(target, since_s, time.monotonic() + for_s, instrument)
        while len(self._held) > MOST_HELD:
            del self._held[next(iter(self._held))]

    def release(self, by: str) -> None:
        """`by` holds nothing any more."""
        self._held.pop(by, None)

    def status(self) -> dict[str, Any]:
        """The status `focus`; {} when nothing is held."""
        now_s = time.monotonic()
        for by in [by for by, held in self._held.items() if held.until_s <= now_s]:
            del self._held[by]
        if not self._held:
            return {}
        by, held = next(reversed(self._held.items()))
        status = {"target": held.target, "by": by, "at": held.since_s}
        return {**status, "instrument": held.instrument} if held.instrument else status


class Moves:
    """Tells of parameters that were moved, each at most 30 times a second, its last value always. One thread at a time.

    tell: is called with parameter, value and by.
    """

    def __init__(self, tell: Callable[[str, float, str], object]) -> None:
        self._tell = tell
        self._told_s: dict[str, float] = {}
        self._waiting: dict[str, tuple[float, str]] = {}

    def moved(self, parameter: str, value: float, by: str) -> None:
        """A parameter has a value now."""
        self._waiting[parameter] = value, by
        self._tell_if_due(parameter, time.monotonic())

    def look(self) -> None:
        """Tell what has waited long enough; to be called some times a second."""
        now_s = time.monotonic()
        for parameter in list(self._waiting):
            self._tell_if_due(parameter, now_s)

    def _tell_if_due(self, parameter: str, now_s: float) -> None:
        if now_s - self._told_s.get(parameter, float("-inf")) >= NOTICE_PERIOD_S:
            self._told_s[parameter] = now_s
            self._tell(parameter, *self._waiting.pop(parameter))


def _focus(session: Session, command: Command) -> None:
    by = command["by"] or command.by
    corner = command["corner"]
    target = command["parameter"] or (None if corner is None else corner.name.lower())
    if target is None:
        session.focus.release(by)
    else:
        session.focus.hold(target, by, instrument=command["instrument"] or "")


def _nudge(session: Session, command: Command) -> dict[str, Any]:
    name = command["parameter"]
    value = parameter_named(name).nudged(session.editor.patch.value(name), command["travel"])
    session.set_values({name: value}, command.by)
    session.focus.hold(name, command.by, BRIEF_S)
    return {"parameter": name, "value": value}


FOCUS_METHODS: dict[str, Callable[[Session, Command], dict[str, Any] | None]] = {"focus": _focus, "nudge": _nudge}
