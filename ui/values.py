"""A parameter's value in words, and its place on a knob's travel: alike in faders, in the overlay and in reports."""

import math

from synth.control.parameters import Parameter
from ui.texts import ENGLISH, text


def value_words(parameter: Parameter, value: float) -> str:
    """In the parameter's unit: "12 ms", "1.20 s", "-6.0 dB", "+3 cents", "40 %", a choice's name. Never raises: outside
    the range is the nearest end, and what is no number is "?"."""
    if not math.isfinite(value):
        return "?"
    inside = parameter.clamp(value)
    if parameter.curve == "step":
        return _step_words(parameter, round(inside))
    sign = "+" if parameter.minimum < 0.0 else ""
    match parameter.unit:
        case "s":
            return _time_words(inside)
        case "dB" | "dB/octave":
            rounded = _rounded(inside, 1)
            number = f"{rounded:{sign}.1f}" if rounded else "0.0"
        case "" | "cents" | "bpm":
            number = _short(inside if parameter.unit else 100.0 * inside, sign)
        case _:
            number = f"{inside:{sign}.{2 if abs(inside) < 9.995 else 1}f}"
    return f"{number} {parameter.unit or '%'}"


def name_words(name: str) -> str:
    """A parameter's name for people: "vibrato_depth" is "Vibrato depth". A table with a text `parameter.NAME` wins."""
    known = f"parameter.{name}" in ENGLISH
    return text(f"parameter.{name}") if known else name.replace("_", " ").capitalize()


def travel_of(parameter: Parameter, value: float) -> float:
    """Where on a knob's travel, 0..1, a value lies: the other way round of `Parameter.from_travel`."""
    return parameter.to_travel(value) if math.isfinite(value) else 0.0


def _step_words(parameter: Parameter, value: int) -> str:
    if parameter.choices:
        return parameter.choices[min(value, len(parameter.choices) - 1)]
    single = value == 1 and f"value.one.{parameter.unit}" in ENGLISH
    return text(f"value.one.{parameter.unit}") if single else f"{value} {parameter.unit}".rstrip()


def _time_words(seconds: float) -> str:
    milliseconds = 1000.0 * seconds
    if milliseconds < 9.95:
        return f"{milliseconds:.1f} ms" if milliseconds >= 0.05 else "0 ms"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"


def _short(value: float, sign: str) -> str:
    """Whole where it is whole: a decimal only for what a fine adjustment made, and no sign before 0."""
    rounded = _rounded(value, 1)
    if rounded == 0.0:
        return "0"
    return f"{rounded:{sign}.0f}" if rounded == round(rounded) else f"{rounded:{sign}.1f}"


def _rounded(value: float, decimals: int) -> float:
    """Without the minus before a zero."""
    return round(value, decimals) + 0.0
