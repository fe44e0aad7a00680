"""Numbers and keys as SFZ files write them, read as leniently as players do."""

from __future__ import annotations

import math
import re

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?")
_NOTE = re.compile(r"([a-g])([#b♯♭]?)(-?\d)$")
_STEPS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}


def note_number(text: str) -> int | None:
    """0..127 from "60" or "c4" (60), "db-1", "F#3"; None where it is neither, or outside."""
    text = text.strip().lower()
    named = _NOTE.match(text)
    if named:
        sharp = {"#": 1, "♯": 1, "b": -1, "♭": -1, "": 0}[named[2]]
        value = _STEPS[named[1]] + sharp + 12 * (int(named[3]) + 1)
    elif numbered := re.match(r"-?\d{1,4}", text):  # "72offset=320" is 72 to players, and stands in a published library
        value = int(numbered[0])
    else:
        return None
    return value if -1 <= value <= 127 else None


def number(text: str | None, default: float) -> float:
    """The number that a text begins with, as players read it ("3dB" is 3); the default where there is none."""
    match = None if text is None else _NUMBER.match(text.strip())
    if match is None:
        return default
    value = float(match[0])
    return value if math.isfinite(value) else default


def bounded(text: str | None, default: float, most: float) -> float:
    return min(max(number(text, default), -most), most)


def integer(text: str | None, default: int) -> int:
    return int(min(max(number(text, float(default)), -1e12), 1e12))
