"""What can happen to the engine: small frozen records, each with the sample at which it happens.

`time_samples` counts from the engine's start at its own sample rate. An event in the engine's past happens at once.
Events of one time are carried out in the order in which they were pushed. A record with a value that means nothing is
refused where it is made, with a TetradError, so the engine never meets one.
"""

import math
from dataclasses import dataclass
from typing import Any

from synth.control.corners import Corner
from synth.control.parameters import parameter_named
from synth.errors import TetradError

N_CHANNELS = 16
N_KEYS = 128


def _check_whole(name: str, value: int, low: int, high: int) -> None:
    if not isinstance(value, int) or not low <= value <= high:
        raise TetradError(f"{name} is {value!r}; expected a whole number from {low} to {high}.")


def _check_number(name: str, value: float, low: float, high: float) -> None:
    if not math.isfinite(value) or not low <= value <= high:
        raise TetradError(f"{name} is {value!r}; expected a number from {low:g} to {high:g}.")


@dataclass(frozen=True)
class Event:
    """Something that happens at a sample."""

    time_samples: int

    def __post_init__(self) -> None:
        if not isinstance(self.time_samples, int) or self.time_samples < 0:
            raise TetradError(f"Event time is {self.time_samples!r}; expected a whole number of samples, 0 or more.")


@dataclass(frozen=True)
class ChannelEvent(Event):
    """An event of one MIDI channel, 0..15."""

    channel: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_whole("MIDI channel", self.channel, 0, N_CHANNELS - 1)


@dataclass(frozen=True)
class NoteOn(ChannelEvent):
    """A key 0..127 goes down with velocity 1..127. (A MIDI note-on of velocity 0 is a NoteOff; see midi_map.)"""

    key: int = 60
    velocity: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_whole("Key", self.key, 0, N_KEYS - 1)
        _check_whole("Note-on velocity", self.velocity, 1, 127)


@dataclass(frozen=True)
class NoteOff(ChannelEvent):
    """A key goes up."""

    key: int = 60

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_whole("Key", self.key, 0, N_KEYS - 1)


@dataclass(frozen=True)
class PitchBend(ChannelEvent):
    """Shift of all notes of a channel, in semitones, -96..96."""

    semitones: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_number("Pitch bend in semitones", self.semitones, -96.0, 96.0)


@dataclass(frozen=True)
class SustainPedal(ChannelEvent):
    """The damper pedal (CC64): while down, notes go on after their keys."""

    down: bool = False


@dataclass(frozen=True)
class ModWheel(ChannelEvent):
    """Vibrato of a channel (CC1), 0..1 of 50 cents, added to the parameter vibrato_depth."""

    amount: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_number("Mod wheel", self.amount, 0.0, 1.0)


@dataclass(frozen=True)
class ChannelLevel(ChannelEvent):
    """Level of a channel in dB, -120..12, by its two controllers: volume (CC7) and expression (CC11)."""

    volume_db: float | None = None
    expression_db: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value in (("Channel volume in dB", self.volume_db), ("Expression in dB", self.expression_db)):
            if value is not None:
                _check_number(name, value, -120.0, 12.0)


@dataclass(frozen=True)
class Pan(ChannelEvent):
    """Place of a channel between left (-1) and right (1), CC10."""

    place: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_number("Pan", self.place, -1.0, 1.0)


@dataclass(frozen=True)
class AllNotesOff(ChannelEvent):
    """Every key of a channel goes up (CC123); the pedal still holds its notes."""


@dataclass(frozen=True)
class AllSoundOff(ChannelEvent):
    """Every note of a channel is silent within 3 ms (CC120)."""


@dataclass(frozen=True)
class ResetControllers(ChannelEvent):
    """Bend, mod wheel, expression and pedal of a channel go back to rest (CC121; volume and pan stay, MIDI RP-015)."""


@dataclass(frozen=True)
class SetParameter(Event):
    """A parameter of the table gets a value, in its unit; outside the range it becomes the nearest end of it."""

    name: str = ""
    value: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        parameter = parameter_named(self.name)
        if not math.isfinite(self.value):
            raise TetradError(f"Parameter {self.name} was set to {self.value!r}; expected a finite number.")
        object.__setattr__(self, "value", parameter.clamp(self.value))


@dataclass(frozen=True)
class SetCorner(Event):
    """A corner gets an instrument: synth.instruments.format.Instrument, or one already prepared for the engine."""

    corner: Corner = Corner.NW
    instrument: Any = None
