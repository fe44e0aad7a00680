"""Lines on the engine's socket: bytes to JSON objects and back. Nothing that a client sends gets past here unread.

A line is one JSON object in UTF-8 and a newline. JSON is meant as RFC 8259 says: no NaN, no Infinity, no number beyond
the range of a double, and no name twice in an object, all of which Python's reader would take.
"""

import json
import math
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from synth.errors import TetradError

LONGEST_COMMAND = 65_536
"""Bytes of a line to the engine, without the newline."""
LONGEST_MESSAGE = 16 * 2**20
"""Bytes of a line from the engine: 16,384 patches in one reply take about 2 MiB."""

EXPECTED = "one JSON object a line was expected; correct it"


class LineTooLong:
    """Stands for a line that was longer than the limit and is skipped up to its newline."""


TOO_LONG = LineTooLong()


class LineBuffer:
    """Cuts a stream of bytes into lines; holds at most `limit` bytes and one `feed` of an unfinished line."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = bytearray()
        self._searched = 0
        self.skipping = False
        """A line beyond the limit has begun and not ended."""

    def feed(self, data: bytes) -> None:
        """Bytes arrived."""
        if self.skipping and not self._bytes:
            end = data.find(b"\n")
            self._bytes += data[end:] if end >= 0 else b""
        else:
            self._bytes += data

    def take(self) -> bytes | LineTooLong | None:
        """The next line without its newline; TOO_LONG once for each line beyond the limit; None: wait for more."""
        while True:
            end = self._bytes.find(b"\n", self._searched)
            if end < 0:
                return self._unfinished()
            line = bytes(self._bytes[:end]) if end <= self._limit else None
            del self._bytes[: end + 1]
            self._searched = 0
            if self.skipping:
                self.skipping = False  # that was the end of the line that is skipped
            else:
                return TOO_LONG if line is None else line

    def _unfinished(self) -> LineTooLong | None:
        self._searched = len(self._bytes)
        if self._searched <= self._limit and not self.skipping:
            return None
        self._bytes.clear()
        self._searched = 0
        if self.skipping:
            return None
        self.skipping = True
        return TOO_LONG


def decode_line(line: bytes) -> dict[str, Any]:
    """The JSON object of a line. Raises TetradError for everything else."""
    try:
        message = json.loads(
            line.decode("utf-8"),
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
            object_pairs_hook=_object_without_twins,
        )
    except UnicodeDecodeError as error:
        raise TetradError(f"byte {error.start} of the line is not UTF-8; {EXPECTED}") from error
    except RecursionError:
        raise TetradError(f"the line nests too deep; {EXPECTED}") from None
    except ValueError as error:  # not JSON, or a whole number of more than 4300 digits
        raise TetradError(f"the line is not JSON ({error}); {EXPECTED}") from error
    if not isinstance(message, dict):
        raise TetradError(f"the line is a JSON {type(message).__name__}; {EXPECTED}")
    return message


def encode_line(message: Mapping[str, Any]) -> bytes:
    """A line with its newline. What JSON has no word for (NaN, infinity) becomes null; NumPy's numbers are numbers."""
    try:
        text = _ENCODER.encode(message)
    except ValueError:  # a number that is not finite, which is rare: so the costly way is taken only now
        text = _ENCODER.encode(without_infinities(message))
    return text.encode("utf-8", errors="replace") + b"\n"


def without_infinities(value: Any) -> Any:
    """A copy of a JSON value with null for every number that is not finite."""
    if isinstance(value, Mapping):
        return {name: without_infinities(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_infinities(one) for one in value]
    if not isinstance(value, (str, bool, int, float)) and value is not None:
        return without_infinities(to_json(value))
    return None if isinstance(value, float) and not math.isfinite(value) else value


def to_json(value: Any) -> Any:
    """The JSON value of what Python's writer does not know: mappings, sets, paths, enumerations, NumPy's numbers."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")


_ENCODER = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"), default=to_json)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _finite_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is beyond the range of a double")
    return number


def _object_without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise ValueError(f'"{twin[:40]}" is given twice')
    return result
