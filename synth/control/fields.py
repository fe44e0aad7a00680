"""The fields of commands: what kind of value each takes, and the reading of a value that anybody may have sent.

Two rules: what means nothing (a wrong type, NaN, infinity, a name that is not there, a key 200) is refused with a
TetradError; a number outside the range of something continuous becomes the nearest end of it, and a note says so.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from synth.control.corners import Corner
from synth.control.events import LIMITS, Dimension
from synth.control.parameters import Parameter, parameter_named
from synth.errors import TetradError

MOST_TEXT = 300
MOST_PATH = 4096
MOST_TEXTS = 64
_SHOWN = 40


class Kind(StrEnum):
    """What a field's value is, in JSON, and in the `Command` that comes of it where that differs."""

    NUMBER = "number"
    WHOLE = "whole number"
    TEXT = "text"
    TEXTS = "list of texts"
    FLAG = "true or false"
    CHOICE = "one of"
    CORNER = "corner"
    PARAMETER = "parameter"
    VALUE = "number or choice"
    VALUES = "values by parameter"
    OBJECT = "object"


class Read(NamedTuple):
    """A value as the handler gets it, and what was done to bring it into its range ("" where nothing was)."""

    value: Any
    note: str = ""


@dataclass(frozen=True)
class Field:
    """One field of a command.

    low, high: range of a NUMBER (in `unit`), a WHOLE; of a TEXT `high` is its greatest length. required: it has no
    default; an optional field that is missing, or null, has the value `default`.
    """

    name: str
    kind: Kind
    description: str
    low: float = 0.0
    high: float = 0.0
    unit: str = ""
    choices: tuple[str, ...] = ()
    required: bool = True
    default: Any = None

    def read(self, value: object) -> Read:
        """The value of kind `kind` in a JSON value. Raises TetradError.

        What a VALUE may be hangs on the field beside it: `read_setting` and `read_expression` read it.
        """
        return _READERS[self.kind](self, value)


def shown(value: object) -> str:
    """A value as an error may show it: at most 40 characters, whatever was sent."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a whole number of more digits than Python prints, a deep list
        text = f"a {type(value).__name__}"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def refusal(name: str, value: object, expected: str) -> TetradError:
    return TetradError(f'"{name}" is {shown(value)}; {expected} was expected; correct it')


def finite(name: str, value: object) -> float:
    """A finite number. Raises TetradError for NaN, infinity, true, false, text and everything else."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    raise refusal(name, value, "a finite number")


def read_setting(name: str, value: object, *, field: str = "value") -> Read:
    """The value of the parameter `name`: a number in its unit, or one of its choices by name."""
    parameter = parameter_named(name)
    if isinstance(value, str) and parameter.choices:
        if value not in parameter.choices:
            raise refusal(field, value, f"one of {', '.join(parameter.choices)} for {name}")
        return Read(float(parameter.choices.index(value)))
    number = finite(field, value)
    return Read(parameter.clamp(number), _note(name, number, parameter.minimum, parameter.maximum, parameter.unit))


def read_expression(fields: Mapping[str, Any], value: object) -> Read:
    """The value of a note's own `fields["dimension"]`, a number in its unit (`synth.control.events.LIMITS`)."""
    dimension = Dimension(fields["dimension"])
    unit, low, high = LIMITS[dimension]
    number = finite("value", value)
    return Read(min(max(number, low), high), _note(dimension, number, low, high, unit))


def _note(name: str, number: float, low: float, high: float, unit: str) -> str:
    if low <= number <= high:
        return ""
    end = low if number < low else high
    return f"{name} {number:g} became {end:g}{f' {unit}' if unit else ''}, the end of its range"


def _read_number(field: Field, value: object) -> Read:
    number = finite(field.name, value)
    inside = min(max(number, field.low), field.high)
    return Read(inside, _note(field.name, number, field.low, field.high, field.unit))


def _read_whole(field: Field, value: object) -> Read:
    # 60.0 is a whole number in JSON, and OSC clients that know floats only send it.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not field.low <= value <= field.high:
        raise refusal(field.name, value, f"a whole number from {field.low:g} to {field.high:g}")
    return Read(value)


def _read_text(field: Field, value: object) -> Read:
    if not isinstance(value, str) or not value or len(value) > field.high or not _is_printable(value):
        raise refusal(field.name, value, f"a text of 1 to {field.high:g} printable characters")
    return Read(value)


def _is_printable(text: str) -> bool:
    """No control characters, and no half of a surrogate pair (JSON can write one; UTF-8 can't)."""
    # The first test is one call, says yes to nearly all texts, and no to some (U+00A0) that are right.
    return text.isprintable() or not any(ord(one) < 32 or 0xD800 <= ord(one) <= 0xDFFF for one in text)


def _read_texts(field: Field, value: object) -> Read:
    if not isinstance(value, (list, tuple)) or len(value) > MOST_TEXTS:
        raise refusal(field.name, value, f"a list of at most {MOST_TEXTS} texts")
    return Read(tuple(_read_text(field, text).value for text in value))


def _read_flag(field: Field, value: object) -> Read:
    if not isinstance(value, bool):
        raise refusal(field.name, value, "true or false")
    return Read(value)


def _read_choice(field: Field, value: object) -> Read:
    if not isinstance(value, str) or value not in field.choices:
        raise refusal(field.name, value, f"one of {', '.join(field.choices)}")
    return Read(value)


def _read_corner(field: Field, value: object) -> Read:
    if isinstance(value, Corner):
        return Read(value)
    if not isinstance(value, str) or value.upper() not in Corner.__members__:
        raise refusal(field.name, value, "nw, ne, sw or se")
    return Read(Corner[value.upper()])


def _read_parameter(field: Field, value: object) -> Read:
    if not isinstance(value, str):
        raise refusal(field.name, value, "a parameter's name")
    return Read(parameter_named(value[:MOST_TEXT]).name)


def _read_values(field: Field, value: object) -> Read:
    if not isinstance(value, Mapping):
        raise refusal(field.name, value, 'an object of values by parameter, {"x": 0.5}')
    reads = {name: read_setting(name, one, field=name) for name, one in value.items()}
    return Read({name: read.value for name, read in reads.items()}, "; ".join(r.note for r in reads.values() if r.note))


def _read_object(field: Field, value: object) -> Read:
    if not isinstance(value, Mapping):
        raise refusal(field.name, value, "an object")
    return Read(dict(value))


def _read_value(field: Field, value: object) -> Read:
    return Read(value)  # what it may be hangs on the field beside it


_READERS: dict[Kind, Callable[[Field, object], Read]] = {
    Kind.NUMBER: _read_number,
    Kind.WHOLE: _read_whole,
    Kind.TEXT: _read_text,
    Kind.TEXTS: _read_texts,
    Kind.FLAG: _read_flag,
    Kind.CHOICE: _read_choice,
    Kind.CORNER: _read_corner,
    Kind.PARAMETER: _read_parameter,
    Kind.VALUE: _read_value,
    Kind.VALUES: _read_values,
    Kind.OBJECT: _read_object,
}


def describe_parameter(parameter: Parameter) -> dict[str, Any]:
    """A parameter as JSON, for screens that build themselves from the table."""
    return {
        "name": parameter.name,
        "minimum": parameter.minimum,
        "maximum": parameter.maximum,
        "unit": parameter.unit,
        "default": parameter.default,
        "curve": parameter.curve,
        "midi_cc": parameter.midi_cc,
        "smoothed": parameter.smoothed,
        "description": parameter.description,
        "choices": list(parameter.choices),
    }
