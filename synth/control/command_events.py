"""What a command that is only playing means to the engine: commands in, events out."""

from collections.abc import Callable, Mapping
from typing import Any

from synth.control.commands import Command
from synth.control.events import (
    N_CHANNELS,
    AllSoundOff,
    Dimension,
    Event,
    NoteExpression,
    NoteOff,
    NoteOn,
    PitchBend,
    ResetControllers,
    SetParameter,
    SustainPedal,
)

_Maker = Callable[[int, Mapping[str, Any]], list[Event]]


def _panic(time: int, _: Mapping[str, Any]) -> list[Event]:
    return [kind(time, channel) for channel in range(N_CHANNELS) for kind in (AllSoundOff, ResetControllers)]


_MAKERS: dict[str, _Maker] = {
    "set": lambda time, f: [SetParameter(time, f["parameter"], f["value"])],
    "set_many": lambda time, f: [SetParameter(time, name, value) for name, value in f["values"].items()],
    "point": lambda time, f: [SetParameter(time, axis, f[axis]) for axis in ("x", "y")],
    "note_on": lambda time, f: [NoteOn(time, f["channel"], f["key"], f["velocity"])],
    "note_off": lambda time, f: [NoteOff(time, f["channel"], f["key"])],
    "note_expression": lambda time, f: [
        NoteExpression(time, f["channel"], f["key"], Dimension(f["dimension"]), f["value"])
    ],
    "pedal": lambda time, f: [SustainPedal(time, f["channel"], f["down"])],
    "bend": lambda time, f: [PitchBend(time, f["channel"], f["semitones"])],
    "panic": _panic,
}


def events_of(command: Command, time_samples: int) -> list[Event] | None:
    """The engine's events of a command at a time; None for a command that is more than playing (patches, MIDI, ...)."""
    make = _MAKERS.get(command.name)
    return None if make is None else make(time_samples, command.fields)
