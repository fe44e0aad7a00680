"""What can happen to the engine: small frozen records, each with the sample at which it happens.

`time_samples` counts from the engine's start at its own sample rate. An event in the engine's past happens at once.
Events of one time are carried out in the order in which they were pushed. A record with a value that means nothing is
refused where it is made, with a TetradError, so the engine never meets one.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
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
class SostenutoPedal(ChannelEvent):
    """CC66: while down, the notes whose keys were down as it went down go on after their keys."""

    down: bool = False


class Dimension(StrEnum):
    """What one note, or one channel's notes, can have of their own; `LIMITS` has the units and the ranges."""

    X = "x"
    Y = "y"
    BEND = "bend"
    VIBRATO = "vibrato"
    BRIGHTNESS = "brightness"
    LEVEL = "level"


LIMITS: dict[Dimension, tuple[str, float, float]] = {
    Dimension.X: ("", -1.0, 1.0),
    Dimension.Y: ("", -1.0, 1.0),
    Dimension.BEND: ("semitones", -96.0, 96.0),
    Dimension.VIBRATO: ("cents", 0.0, 100.0),
    Dimension.BRIGHTNESS: ("dB/octave", -6.0, 6.0),
    Dimension.LEVEL: ("dB", -120.0, 12.0),
}


@dataclass(frozen=True)
class NoteExpression(ChannelEvent):
    """A dimension of a channel's notes, or of one key's, added to what the parameters say; glides (one-pole, 10 ms).

    key None: all of the channel's notes, those to come included, until it is set anew. key 0..127: its sounding notes.
    x and y move the notes' own point on the surface, which stays within 0..1.
    """

    key: int | None = None
    dimension: Dimension = Dimension.X
    value: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.key is not None:
            _check_whole("Key", self.key, 0, N_KEYS - 1)
        unit, low, high = LIMITS[self.dimension]
        _check_number(f"{self.dimension} of a note{f' in {unit}' if unit else ''}", self.value, low, high)


@dataclass(frozen=True)
class SetTuning(Event):
    """Pitch of every key in semitones (MIDI numbers, 69.0 is 440 Hz): 128 numbers, -12..140.

    moves_sounding: sounding notes glide to it (real-time messages of MIDI tuning), or only notes to come have it.
    """

    pitches: tuple[float, ...] = tuple(float(key) for key in range(N_KEYS))
    moves_sounding: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.pitches) != N_KEYS:
            raise TetradError(f"A tuning of {len(self.pitches)} keys was given; expected {N_KEYS}.")
        for key, pitch in enumerate(self.pitches):
            _check_number(f"Pitch of key {key} in semitones", pitch, -12.0, 140.0)


@dataclass(frozen=True)
class VoiceLimit(Event):
    """At most so many voices from now on, 1 to what the engine was made for; the least audible too many fade out."""

    voices: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_whole("Number of voices", self.voices, 1, 4096)


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


@dataclass(frozen=True)
class SetPath(Event):
    """What is known of the way between two instruments, by their names, which are in the order of the alphabet.

    path: synth.grid.pair_path.PairPath, or one already prepared for the engine; None: the straight line.
    """

    first: str = ""
    second: str = ""
    path: Any = None


@dataclass(frozen=True)
class SessionEvent(Event):
    """What is not the engine's business but that of whoever plays it (`synth.session`)."""


@dataclass(frozen=True)
class ProgramChange(SessionEvent):
    """Patch number bank * 128 + program is wanted. channel: 0..15; bank: 0..16,383 (CC0, CC32); program: 0..127."""

    channel: int = 0
    bank: int = 0
    program: int = 0


class TransportKind(StrEnum):
    """System real-time messages, and the song position."""

    CLOCK = "clock"
    START = "start"
    CONTINUE = "continue"
    STOP = "stop"
    POSITION = "position"


@dataclass(frozen=True)
class Transport(SessionEvent):
    """MIDI clock: 24 CLOCKs a quarter note. sixteenths: of a POSITION, from the beginning of the song."""

    kind: TransportKind = TransportKind.CLOCK
    sixteenths: int = 0
