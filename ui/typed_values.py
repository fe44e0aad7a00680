"""Values that people type, in any of the ways in which the screen writes them (ui/values.py). Pure; no Kivy here."""

import re

from synth.control.parameters import Parameter
from synth.errors import TetradError
from ui.texts import text
from ui.values import value_words

_NUMBER = re.compile(r"\s*([+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+))\s*(.*?)\s*", re.DOTALL)


def value_of_text(parameter: Parameter, words: str) -> float:
    """The value that somebody typed, with or without a unit, inside the range. Times may be in ms; of what goes from 0
    to 1, more than 1 is per cent. Raises TetradError with what was expected."""
    wanted = words.strip().casefold()
    for index, choice in enumerate(parameter.choices):
        if choice.casefold() == wanted:
            return float(index)
    match = _NUMBER.fullmatch(words)
    if match is None or parameter.choices:
        raise _wrong(parameter, words)
    number, unit = float(match[1].replace(",", ".")), match[2].casefold()
    if parameter.unit == "s" and unit == "ms":
        return parameter.clamp(number / 1000.0)
    if not parameter.unit and (unit == "%" or (not unit and abs(number) > 1.0 >= parameter.maximum)):
        return parameter.clamp(number / 100.0)
    # "1 voice" is as good as "1 voices".
    if unit not in ("", parameter.unit.casefold(), parameter.unit.casefold().removesuffix("s")):
        raise _wrong(parameter, words)
    return parameter.clamp(number)


def range_words(parameter: Parameter) -> str:
    """What a parameter can be: "0 ms to 10.0 s", or its choices."""
    if parameter.choices:
        return ", ".join(parameter.choices)
    low, high = value_words(parameter, parameter.minimum), value_words(parameter, parameter.maximum)
    return text("value.range", low=low, high=high)


def _wrong(parameter: Parameter, words: str) -> TetradError:
    return TetradError(text("value.wrong", found=words.strip(), expected=range_words(parameter)))
