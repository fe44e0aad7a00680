"""Values as people read and type them: "12 ms", "-6.0 dB", "+3 cents", "legato". Pure; no Kivy here."""

import math
import re

from synth.control.parameters import Parameter
from synth.errors import TetradError
from ui.texts.english import ENGLISH

_NUMBER = re.compile(r"\s*([+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+))\s*(.*?)\s*", re.DOTALL)


def parameter_words(name: str) -> str:
    """What a parameter is called on the screen; one that this screen doesn't know by its own name, in words."""
    return ENGLISH.get(f"parameter.{name}", name.replace("_", " ").capitalize())


def value_text(parameter: Parameter, value: float) -> str:
    """The value in its own unit, with the digits that can be heard. An index beyond the choices is a number."""
    if parameter.choices and 0 <= round(value) < len(parameter.choices):
        return parameter.choices[round(value)]
    if parameter.curve == "step":
        whole = str(round(value))
        return f"{whole} {_unit(parameter.unit, whole)}".rstrip()
    match parameter.unit:
        case "s":
            return _time_text(value)
        case "":
            words, unit = f"{value:.2f}", ""
        case "dB":
            words, unit = f"{value:.1f}", "dB"
        case "cents" | "bpm":
            words, unit = _few(value), parameter.unit
        case _:
            words, unit = _significant(value), parameter.unit
    if float(words) == 0.0:
        words = words.removeprefix("-")
    elif value > 0.0 and parameter.minimum < 0.0 < parameter.maximum:
        words = f"+{words}"
    return f"{words} {_unit(unit, words)}".rstrip()


def value_of_text(parameter: Parameter, words: str) -> float:
    """The value that somebody typed, with or without a unit, inside the range; times may be in ms. Raises TetradError
    with what was expected."""
    wanted = words.strip().casefold()
    for index, choice in enumerate(parameter.choices):
        if choice.casefold() == wanted:
            return float(index)
    match = _NUMBER.fullmatch(words)
    if match is None or parameter.choices:
        raise TetradError(ENGLISH["value.wrong"].format(found=words.strip(), expected=range_text(parameter)))
    number, unit = float(match[1].replace(",", ".")), match[2].casefold()
    if parameter.unit == "s" and unit == "ms":
        return parameter.clamp(number / 1000.0)
    if unit not in ("", parameter.unit.casefold(), _unit(parameter.unit, "1").casefold()):
        raise TetradError(ENGLISH["value.wrong"].format(found=words.strip(), expected=range_text(parameter)))
    return parameter.clamp(number)


def range_text(parameter: Parameter) -> str:
    """What a parameter can be: "0 ms to 10.0 s", or its choices."""
    if parameter.choices:
        return ", ".join(parameter.choices)
    ends = (value_text(parameter, end) for end in (parameter.minimum, parameter.maximum))
    return ENGLISH["value.range"].format(low=next(ends), high=next(ends))


def _unit(unit: str, words: str) -> str:
    """A unit after a number: "1 voice", "2 voices"."""
    return ENGLISH.get(f"unit.one.{unit}", unit) if words == "1" else unit


def _time_text(seconds: float) -> str:
    milliseconds = seconds * 1000.0
    if milliseconds < 9.95:
        return f"{_few(milliseconds)} ms"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    return f"{_significant(seconds)} s"


def _few(value: float) -> str:
    """One digit after the point, and none where it is 0."""
    return f"{value:.1f}".removesuffix(".0")


def _significant(value: float) -> str:
    """Three digits, at most two of them after the point."""
    rounded = float(f"{value:.3g}")
    before = math.floor(math.log10(abs(rounded))) + 1 if rounded else 1
    return f"{rounded:.{min(max(3 - before, 0), 2)}f}"
