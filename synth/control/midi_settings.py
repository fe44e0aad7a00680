"""How a player wants MIDI to be understood: part of a patch.

As JSON (every key may be missing, then the default holds):
    {"channels": "omni" or [1, 2], "assignments": {"20": "reverb", "1": "none"},
     "bend_range_semitones": 2.0, "mpe_bend_range_semitones": 48.0, "lower_members": 15, "upper_members": 0,
     "pressure": {"target": "vibrato", "depth": 0.5}, "poly_pressure": {...}, "mpe_pressure": {...},
     "mpe_slide": {...}, "mpe_bend": {"target": "pitch", "depth": 1.0},
     "ignore_percussion": false, "program_changes": true}
Channels are 1..16 there, as players count, and 0..15 in the program, as events have them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Self

from synth.control.events import LIMITS, N_CHANNELS, Dimension
from synth.control.json_document import brief, nearest
from synth.control.mpe import MEMBER_BEND_RANGE_SEMITONES, Zones
from synth.control.parameters import parameter_named
from synth.errors import TetradError

BEND_RANGE_SEMITONES = 2.0
MOST_BEND_SEMITONES = 96.0
NO_PARAMETER = "none"
"""Assigned to a controller that is to do nothing."""
_NOT_ASSIGNABLE = frozenset({0, 32, 6, 38, 64, *range(96, 102), *range(120, 128)})


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


class Target(StrEnum):
    """What a gesture on a key moves."""

    NONE = "none"
    PITCH = "pitch"
    X = "x"
    Y = "y"
    VIBRATO = "vibrato"
    BRIGHTNESS = "brightness"
    LEVEL = "level"


FULL_TRAVEL: dict[Target, float] = {
    Target.X: 1.0,
    Target.Y: 1.0,
    Target.VIBRATO: 100.0,
    Target.BRIGHTNESS: 6.0,
    Target.LEVEL: 12.0,
}
"""What a whole travel moves at depth 1: the surface's width, cents, dB/octave, dB."""


@dataclass(frozen=True)
class Route:
    """Where a gesture goes. depth: -1..1 of FULL_TRAVEL; of PITCH it is 1 (the bend range says how far)."""

    target: Target = Target.NONE
    depth: float = 1.0

    def __post_init__(self) -> None:
        if not _is_number(self.depth) or not -1.0 <= self.depth <= 1.0:
            raise TetradError(f"Depth is {brief(self.depth)}; a number from -1 to 1 was expected.")

    @property
    def dimension(self) -> Dimension | None:
        """The dimension of a note that it moves; None for nothing, or for the pitch."""
        return Dimension(self.target.value) if self.target in FULL_TRAVEL else None

    def value(self, travel: float) -> float:
        """In the dimension's unit, of a travel -1..1."""
        return travel * self.depth * FULL_TRAVEL.get(self.target, 0.0)

    def to_json(self) -> dict[str, Any]:
        return {"target": self.target.value, "depth": self.depth}

    @classmethod
    def from_json(cls, value: object, name: str) -> Self:
        """Raises TetradError."""
        content = _object(value, name, ("target", "depth"))
        target = content.get("target", Target.NONE.value)
        if not isinstance(target, str) or target not in list(Target):
            raise TetradError(f"The target of {name} is {brief(target)}; {', '.join(Target)} may stand here.")
        return cls(Target(target), content.get("depth", 1.0))


@dataclass(frozen=True)
class MidiSettings:
    """Everything about MIDI that a patch keeps. A value that means nothing raises TetradError.

    channels: those that are heard, 0..15, or None for all (omni); a zone is heard with its manager.
    assignments: controller -> parameter, or "none", above the parameter table's own controllers. A controller below
    32 has its fine half 32 higher, unless that is assigned itself.
    bend_range_semitones, mpe_bend_range_semitones (of a zone's members): 0..96, until RPN 0 says otherwise.
    pressure, poly_pressure: outside of zones. mpe_*: of a zone's channels; slide is controller 74, at rest at
    64, bend is that of the members.
    lower_members, upper_members: size of the MPE zones, 0..15, 0 for none.
    ignore_percussion: channel 9 (General MIDI's drums) is not heard, unless it is in a zone.
    program_changes: program change messages load patches.
    """

    channels: frozenset[int] | None = None
    assignments: Mapping[int, str] = field(default_factory=dict)
    bend_range_semitones: float = BEND_RANGE_SEMITONES
    mpe_bend_range_semitones: float = MEMBER_BEND_RANGE_SEMITONES
    pressure: Route = Route(Target.VIBRATO, 0.5)
    poly_pressure: Route = Route(Target.VIBRATO, 0.5)
    mpe_pressure: Route = Route(Target.X, 0.5)
    mpe_slide: Route = Route(Target.Y, 0.5)
    mpe_bend: Route = Route(Target.PITCH)
    lower_members: int = 0
    upper_members: int = 0
    ignore_percussion: bool = False
    program_changes: bool = True

    def __post_init__(self) -> None:
        if self.channels is not None and not all(_is_whole(c, 0, N_CHANNELS - 1) for c in self.channels):
            raise TetradError(f"Channels are {brief(sorted(self.channels))}; numbers from 0 to 15 were expected.")
        object.__setattr__(self, "assignments", dict(sorted(self.assignments.items())))
        for controller, name in self.assignments.items():
            _check_assignment(controller, name)
        for name in ("bend_range_semitones", "mpe_bend_range_semitones"):
            value = getattr(self, name)
            if not _is_number(value) or not 0.0 <= value <= MOST_BEND_SEMITONES:
                raise TetradError(f"{name} is {brief(value)}; a number from 0 to 96 was expected.")
        for name in ("pressure", "poly_pressure", "mpe_pressure", "mpe_slide"):
            if getattr(self, name).target == Target.PITCH:
                raise TetradError(f"The target of {name} is pitch; only mpe_bend can go there; choose another.")
        for name in ("ignore_percussion", "program_changes"):
            if not isinstance(getattr(self, name), bool):
                raise TetradError(f"{name} is {brief(getattr(self, name))}; true or false was expected.")
        Zones(self.lower_members, self.upper_members)

    @property
    def zones(self) -> Zones:
        """The MPE zones."""
        return Zones(self.lower_members, self.upper_members)

    def to_json(self) -> dict[str, Any]:
        """As in the heading; from_json reads it."""
        content: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name == "channels":
                value = "omni" if value is None else [channel + 1 for channel in sorted(value)]
            elif item.name == "assignments":
                value = {str(controller): name for controller, name in value.items()}
            elif isinstance(value, Route):
                value = value.to_json()
            content[item.name] = value
        return content

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Raises TetradError for unknown keys, wrong types and values out of range."""
        content = dict(_object(value, "MIDI settings", [item.name for item in fields(cls)]))
        if "channels" in content:
            content["channels"] = _channels(content["channels"])
        if "assignments" in content:
            content["assignments"] = _assignments(content["assignments"])
        for name in ("pressure", "poly_pressure", "mpe_pressure", "mpe_slide", "mpe_bend"):
            if name in content:
                content[name] = Route.from_json(content[name], name)
        return cls(**content)


def can_be_assigned(controller: int) -> bool:
    """Whether a controller 0..127 may be given to a parameter: not the damper pedal, nor what MIDI needs itself."""
    return _is_whole(controller, 0, 127) and controller not in _NOT_ASSIGNABLE


def dimension_limit(dimension: Dimension, value: float) -> float:
    """The nearest value that an event may have."""
    _, low, high = LIMITS[dimension]
    return min(max(value, low), high)


def _check_assignment(controller: object, name: object) -> None:
    if not isinstance(controller, int) or not can_be_assigned(controller):
        raise TetradError(
            f"Controller {brief(controller)} has an assignment; one from 1 to 119 was expected, not 6, 32, 38, 64 or "
            "96 to 101, which MIDI needs itself; choose another."
        )
    if not isinstance(name, str):
        raise TetradError(f"Controller {controller} is assigned to {brief(name)}; a parameter's name was expected.")
    if name != NO_PARAMETER:
        parameter_named(name)


def _object(value: object, what: str, known: tuple[str, ...] | list[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TetradError(f"{what} is {brief(value)}; an object was expected; correct it.")
    for key in value:
        if key not in known:
            raise TetradError(f"{what} has the unknown key {brief(key)}; {nearest(str(key), known)}; correct it.")
    return value


def _channels(value: object) -> frozenset[int] | None:
    if value == "omni":
        return None
    if not isinstance(value, list) or not all(_is_whole(channel, 1, N_CHANNELS) for channel in value):
        raise TetradError(f'channels is {brief(value)}; "omni" or a list of numbers from 1 to 16 was expected.')
    return frozenset(channel - 1 for channel in value)


def _assignments(value: object) -> dict[int, str]:
    if not isinstance(value, Mapping):
        raise TetradError(f"assignments is {brief(value)}; an object of controllers was expected; correct it.")
    result = {}
    for key, name in value.items():
        # isascii: str.isdigit takes digits of every script, int() most of them.
        if not isinstance(key, str) or not (key.isascii() and key.isdigit() and len(key) <= 3):
            raise TetradError(f'assignments has the controller {brief(key)}; a number such as "20" was expected.')
        result[int(key)] = name
    return result
