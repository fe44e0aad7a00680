"""What a touch changes in the MIDI settings, and how they are told. Pure: of the JSON of `midi_settings`."""

from collections.abc import Mapping, Sequence
from typing import Any

from synth.control.midi_settings import MidiSettings, Target, can_be_assigned
from synth.control.parameters import Parameter
from synth.errors import TetradError

Settings = Mapping[str, Any]
N_CHANNELS = 16
PRESSURES = ("pressure", "poly_pressure")
MPE_ROUTES = ("mpe_pressure", "mpe_slide")
TARGETS = tuple(target.value for target in Target if target is not Target.PITCH)
"""What pressure and slide can move; the pitch is for the bend alone."""


def known(settings: object) -> dict[str, Any]:
    """The settings with every key there, those of an engine of another version too; {} where there are none yet."""
    if not isinstance(settings, Mapping) or not settings:
        return {}
    defaults = MidiSettings().to_json()
    return {**defaults, **{name: value for name, value in settings.items() if _fits(value, defaults.get(name))}}


def _fits(value: object, default: object) -> bool:
    """Whether a value is of a default's kind."""
    if default is None or (value == "omni") or (default == "omni" and isinstance(value, list)):
        return True
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    if isinstance(default, int | float):
        return isinstance(value, int | float)
    if isinstance(default, Mapping):
        return isinstance(value, Mapping)
    return isinstance(value, type(default))


def trouble(settings: Settings) -> str:
    """Why an engine would refuse them, in its words; "" where it wouldn't."""
    try:
        MidiSettings.from_json(settings)
    except TetradError as error:
        return str(error)
    return ""


def channels(settings: Settings) -> tuple[int, ...]:
    """Those that are heard, 1..16; () for all of them."""
    given = settings.get("channels")
    return tuple(one for one in given if isinstance(one, int)) if isinstance(given, list) else ()


def with_channels(chosen: Sequence[int]) -> dict[str, Any]:
    """The change that hears these channels, 1..16; none or all of them is omni."""
    some = sorted(set(chosen))
    return {"channels": "omni" if len(some) in (0, N_CHANNELS) else some}


def target(settings: Settings, route: str) -> str:
    """Where a route goes."""
    given = settings.get(route)
    return str(given.get("target", Target.NONE.value)) if isinstance(given, Mapping) else Target.NONE.value


def depth(settings: Settings, route: str) -> float:
    """How far, -1..1."""
    given = settings.get(route)
    value = given.get("depth", 1.0) if isinstance(given, Mapping) else 1.0
    return float(value) if isinstance(value, int | float) else 1.0


def with_route(settings: Settings, route: str, *, to: str | None = None, far: float | None = None) -> dict[str, Any]:
    """The change of a route's target, or of its depth."""
    new_depth = depth(settings, route) if far is None else round(min(max(far, -1.0), 1.0), 2)
    return {route: {"target": target(settings, route) if to is None else to, "depth": new_depth}}


def with_zone(settings: Settings, name: str, members: int) -> dict[str, Any]:
    """The change of an MPE zone's size, "lower_members" or "upper_members"; the other one makes room, as MPE says: both
    together have at most 14 members, or one of them 15 and the other none."""
    other = "upper_members" if name == "lower_members" else "lower_members"
    members = min(max(members, 0), 15)
    room = 15 if members == 0 else max(14 - members, 0)
    return {name: members, other: min(int(settings.get(other, 0)), room)}


def controllers(settings: Settings, table: Sequence[Parameter]) -> dict[str, list[int]]:
    """Parameter -> the controllers that move it, lowest first: by the player's assignments, and by the table where
    those leave it. Only parameters that have one."""
    given = settings.get("assignments")
    assigned = {int(key): str(name) for key, name in given.items()} if isinstance(given, Mapping) else {}
    found: dict[str, list[int]] = {}
    for parameter in table:
        if parameter.midi_cc is not None and parameter.midi_cc not in assigned:
            found.setdefault(parameter.name, []).append(parameter.midi_cc)
    for controller, name in assigned.items():
        found.setdefault(name, []).append(controller)
    return {name: sorted(numbers) for name, numbers in found.items()}


def with_assignment(settings: Settings, controller: int, parameter: str) -> dict[str, Any]:
    """The change that gives a controller to a parameter, or to "none"."""
    return {"assignments": {**_assignments(settings), str(controller): parameter}}


def without(settings: Settings, parameter: str, table: Sequence[Parameter]) -> dict[str, Any]:
    """The change after which no controller moves a parameter: what was assigned is gone, and the table's own controller
    does nothing."""
    left = {key: name for key, name in _assignments(settings).items() if name != parameter}
    for one in table:
        if one.name == parameter and one.midi_cc is not None and str(one.midi_cc) not in left:
            left[str(one.midi_cc)] = "none"
    return {"assignments": left}


def as_in_table(settings: Settings, parameter: str, table: Sequence[Parameter]) -> dict[str, Any]:
    """The change after which a parameter has the table's controller again, and no other."""
    own = {str(one.midi_cc) for one in table if one.name == parameter}
    kept = {key: name for key, name in _assignments(settings).items() if name != parameter and key not in own}
    return {"assignments": kept}


def next_assignable(controller: int, direction: int) -> int:
    """The next controller upwards (1) or downwards (-1) that may be assigned; the same where there is none."""
    one = controller + direction
    while 0 <= one <= 127:
        if can_be_assigned(one):
            return one
        one += direction
    return controller


def _assignments(settings: Settings) -> dict[str, str]:
    given = settings.get("assignments")
    return dict(given) if isinstance(given, Mapping) else {}
