"""What a maker chose for this board: `board.toml` in the user's data folder.

    port = "/dev/ttyUSB0"    # without this line: any port at which a board answers
    brightness = 0.5         # of the LEDs, 0 to 1 as the eye sees it
    audition = true          # what is browsed is heard, while nothing else sounds

    [knobs]                  # knob = "parameter"; without a line: the parameter of the knob's own name
    position = "brightness"

    [reversed]               # wired the other way round
    encoders = ["nw"]
    knobs = ["attack"]

What is missing is as by default; what is unknown is an error, in one line. The file is only read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from firmware_host.events import Knob
from synth.control.corners import Corner
from synth.control.fields import shown
from synth.control.parameters import parameter_named
from synth.control.toml_document import read_toml
from synth.errors import TetradError
from synth.paths import user_data_dir

FILE_NAME = "board.toml"
_KEYS = ("port", "brightness", "audition", "knobs", "reversed")
_REVERSED_KEYS = ("encoders", "knobs")
_Named = TypeVar("_Named", bound=IntEnum)


def _own_parameters() -> Mapping[Knob, str]:
    return MappingProxyType({knob: knob.name.lower() for knob in Knob})


@dataclass(frozen=True)
class BoardSettings:
    """A maker's choices. port: None: any. brightness: 0 to 1. knobs: the parameter of each knob, all different."""

    port: str | None = None
    brightness: float = 1.0
    audition: bool = True
    knobs: Mapping[Knob, str] = field(default_factory=_own_parameters)
    reversed_encoders: frozenset[Corner] = frozenset()
    reversed_knobs: frozenset[Knob] = frozenset()


def settings_path() -> Path:
    """Where `board.toml` lies, if there is one."""
    return user_data_dir() / FILE_NAME


def read_settings(path: Path | None = None) -> BoardSettings:
    """The settings in a file, by default the user's; those by default where there is none. Raises TetradError."""
    path = settings_path() if path is None else path
    try:
        document = read_toml(path)
    except FileNotFoundError:
        return BoardSettings()
    try:
        return parse_settings(document)
    except TetradError as error:
        raise TetradError(f"{path}: {error}; correct it, or remove it") from error


def parse_settings(document: Mapping[str, Any]) -> BoardSettings:
    """The settings that a TOML document's tables say. Raises TetradError that names key and value."""
    _check_keys("", document, _KEYS)
    backwards = _table("reversed", document.get("reversed", {}))
    _check_keys("reversed.", backwards, _REVERSED_KEYS)
    return BoardSettings(
        port=_port(document.get("port")),
        brightness=_brightness(document.get("brightness", 1.0)),
        audition=_flag("audition", document.get("audition", True)),
        knobs=_knobs(_table("knobs", document.get("knobs", {}))),
        reversed_encoders=_names("reversed.encoders", backwards.get("encoders", []), Corner),
        reversed_knobs=_names("reversed.knobs", backwards.get("knobs", []), Knob),
    )


def _check_keys(where: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            raise TetradError(f"{where}{shown(key)} is unknown; {', '.join(known)} were expected")


def _table(name: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _refused(name, value, f"a table, [{name}],")
    return value


def _port(value: object) -> str | None:
    if value is not None and (not isinstance(value, str) or not value):
        raise _refused("port", value, 'the name of a serial port, such as "/dev/ttyUSB0",')
    return value


def _brightness(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 <= value <= 1.0:
        raise _refused("brightness", value, "a number from 0 to 1")
    return float(value)


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _refused(name, value, "true or false")
    return value


def _knobs(table: Mapping[str, Any]) -> Mapping[Knob, str]:
    chosen = dict(_own_parameters())
    _check_keys("knobs.", table, tuple(chosen.values()))
    for name, parameter in table.items():
        if not isinstance(parameter, str):
            raise _refused(f"knobs.{name}", parameter, "the name of a parameter")
        try:
            chosen[Knob[name.upper()]] = parameter_named(parameter).name
        except TetradError as error:
            raise TetradError(f"knobs.{name}: {str(error).rstrip('.')}") from error
    for knob, parameter in chosen.items():
        twin = next(other for other, its in chosen.items() if its == parameter)
        if twin is not knob:
            raise TetradError(
                f"the knobs {twin.name.lower()} and {knob.name.lower()} both set {parameter}; "
                "a parameter of its own was expected for each"
            )
    return MappingProxyType(chosen)


def _names(name: str, value: object, kind: type[_Named]) -> frozenset[_Named]:
    by_name = {one.name.lower(): one for one in kind}
    if not isinstance(value, list) or not all(isinstance(one, str) and one in by_name for one in value):
        raise _refused(name, value, f"a list of {', '.join(by_name)}")
    return frozenset(by_name[one] for one in value)


def _refused(name: str, value: object, expected: str) -> TetradError:
    return TetradError(f"{name} is {shown(value)}; {expected} was expected")
