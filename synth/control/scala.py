"""Tunings of the Scala program: scales (.scl) and keyboard mappings (.kbm), read strictly.

The formats are described at https://www.huygens-fokker.org/scala/scl_format.html and in Scala's help on mappings.
Lines that begin with `!` are comments. Without a mapping key 60 plays the scale's first note at 261.6256 Hz.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from synth.control.events import N_KEYS
from synth.control.json_document import brief, read_bounded
from synth.control.tuning import MOST_NAME_LENGTH, Tuning, pitch_of_hz
from synth.errors import TetradError

MOST_FILE_BYTES = 1_000_000
MOST_NOTES = 10_000
MIDDLE_C = 60
_CENTS = re.compile(r"[+-]?(\d+\.\d*|\.\d+)")
_RATIO = re.compile(r"(\d+)(/(\d+))?")
_WHOLE = re.compile(r"-?\d+")
_UNMAPPED = "x"


class _Line(NamedTuple):
    number: int
    text: str


@dataclass(frozen=True)
class Scale:
    """Cents above the first note of all others, the last being the interval at which the scale begins again."""

    name: str
    cents: tuple[float, ...]

    def at(self, degree: int) -> float:
        """Cents of any degree, negative ones too."""
        rounds, step = divmod(degree, len(self.cents))
        return rounds * self.cents[-1] + (self.cents[step - 1] if step else 0.0)


@dataclass(frozen=True)
class KeyboardMapping:
    """Which key plays which degree of a scale, and at which frequency.

    first, last: keys that are tuned. middle: plays degrees[0]. reference: key that sounds at frequency_hz. degrees: of
    the keys from the middle on, over and over, None for keys without a note; empty: every key is the next degree.
    octave_degree: by which the degrees rise when they begin anew.
    """

    first: int = 0
    last: int = N_KEYS - 1
    middle: int = MIDDLE_C
    reference: int = MIDDLE_C
    frequency_hz: float = 440.0 * 2.0 ** (-9.0 / 12.0)
    octave_degree: int = 0
    degrees: tuple[int | None, ...] = ()

    def cents(self, scale: Scale, key: int) -> float | None:
        """Cents of a key above the scale's first note; None without a note."""
        steps = key - self.middle
        if not self.degrees:
            return scale.at(steps)
        rounds, place = divmod(steps, len(self.degrees))
        degree = self.degrees[place]
        # What a mapping repeats at is an interval of the scale, not a number of its notes.
        return None if degree is None else scale.at(degree) + rounds * scale.at(self.octave_degree)


def read_tuning(scale_path: Path | str, mapping_path: Path | str | None = None) -> Tuning:
    """The tuning of a .scl file and, if given, a .kbm file. Raises TetradError with the line that is wrong.

    Keys outside the mapping's range are tuned as usual; a key without a note plays what the next tuned key below it
    does, so that a slip of the finger stays in the scale.
    """
    scale = parse_scale(_text(scale_path), str(scale_path))
    mapping, name = KeyboardMapping(), scale.name or Path(scale_path).stem
    if mapping_path is not None:
        mapping = parse_mapping(_text(mapping_path), str(mapping_path))
        name += f", {Path(mapping_path).stem}"
    return make_tuning(name, scale, mapping, str(mapping_path or scale_path))


def make_tuning(name: str, scale: Scale, mapping: KeyboardMapping, where: str = "The mapping") -> Tuning:
    """All 128 pitches. Raises TetradError when the reference key has no note."""
    reference = mapping.cents(scale, mapping.reference)
    if reference is None:
        raise TetradError(
            f"{where} gives key {mapping.reference} the frequency {mapping.frequency_hz:g} Hz, but no note of the "
            "scale; a reference key with a note was expected; map it, or choose another."
        )
    base = pitch_of_hz(mapping.frequency_hz) - reference / 100.0
    pitches: list[float] = []
    for key in range(N_KEYS):
        if mapping.first <= key <= mapping.last:
            cents = mapping.cents(scale, key)
            below = pitches[-1] if key > mapping.first else float(key)
            pitches.append(below if cents is None else base + cents / 100.0)
        else:
            pitches.append(float(key))
    return Tuning(name[:MOST_NAME_LENGTH], tuple(pitches))


def parse_scale(text: str, where: str) -> Scale:
    """Content of a .scl file. Raises TetradError, which begins with `where` and the number of the line."""
    reader = _Reader(text, where)
    name = reader.next("a description").text.strip()
    n_notes = reader.whole("the number of notes", 1, MOST_NOTES)
    cents = tuple(_interval(reader.next(f"note {number} of {n_notes}"), reader) for number in range(1, n_notes + 1))
    reader.expect_end(f"{n_notes} notes")
    return Scale(name, cents)


def parse_mapping(text: str, where: str) -> KeyboardMapping:
    """Content of a .kbm file. Raises TetradError, which begins with `where` and the number of the line."""
    reader = _Reader(text, where, skip_empty=True)
    size = reader.whole("the size of the map", 0, N_KEYS)
    first, last, middle, reference = (
        reader.whole(what, 0, N_KEYS - 1)
        for what in ("the first key", "the last key", "the middle key", "the reference key")
    )
    if first > last:
        raise reader.error(reader.line, f"the last key is {last}, below the first, {first}; it must not be")
    line = reader.next("the reference frequency in Hz")
    frequency_hz = _number(line.text)
    if frequency_hz is None or not 1e-3 <= frequency_hz <= 1e6:
        raise reader.error(line, f"{brief(line.text.strip())} is no frequency; a number of Hz above 0 was expected")
    octave_degree = reader.whole("the degree of the octave", -MOST_NOTES, MOST_NOTES)
    degrees = [_degree(line, reader) for line in reader.rest(size)]
    reader.expect_end(f"{size} keys")
    # Scala leaves out keys without a note at the end.
    degrees += [None] * (size - len(degrees))
    return KeyboardMapping(first, last, middle, reference, frequency_hz, octave_degree, tuple(degrees))


class _Reader:
    """Lines without comments, with their numbers."""

    def __init__(self, text: str, where: str, *, skip_empty: bool = False) -> None:
        self._where = where
        numbered = (_Line(number, line) for number, line in enumerate(text.splitlines(), start=1))
        self._lines: Iterator[_Line] = (
            line for line in numbered if not line.text.startswith("!") and (line.text.strip() or not skip_empty)
        )
        self.line = _Line(0, "")

    def error(self, line: _Line, what: str) -> TetradError:
        return TetradError(f"{self._where}, line {line.number}: {what}; correct it.")

    def next(self, what: str) -> _Line:
        line = next(self._lines, None)
        if line is None:
            raise TetradError(f"{self._where} ends after line {self.line.number}; {what} was expected; is it cut off?")
        self.line = line
        return line

    def rest(self, most: int) -> Iterator[_Line]:
        for _ in range(most):
            line = next(self._lines, None)
            if line is None:
                return
            self.line = line
            yield line

    def whole(self, what: str, low: int, high: int) -> int:
        line = self.next(what)
        word = _first_word(line.text)
        if not _WHOLE.fullmatch(word) or len(word) > 9 or not low <= int(word) <= high:
            raise self.error(line, f"{brief(word)} is not {what}; a whole number from {low} to {high} was expected")
        return int(word)

    def expect_end(self, what: str) -> None:
        for line in self._lines:
            if line.text.strip():
                raise self.error(line, f"{brief(line.text.strip())} follows after all {what}; nothing was expected")


def _interval(line: _Line, reader: _Reader) -> float:
    """Cents of a line: with a point it says cents, without one a ratio or a whole number. What follows is a remark."""
    word = _first_word(line.text)
    if _CENTS.fullmatch(word):
        cents = float(word)
        if abs(cents) <= 120_000.0:
            return cents
    ratio = _RATIO.fullmatch(word)
    if ratio and len(word) <= 200:
        above, below = int(ratio[1]), int(ratio[3] or 1)
        if above > 0 and below > 0:
            return 1200.0 * (math.log2(above) - math.log2(below))
    raise reader.error(
        line, f'{brief(word)} is no interval; cents such as "701.955" or a ratio above 0 such as "3/2" were expected'
    )


def _degree(line: _Line, reader: _Reader) -> int | None:
    word = _first_word(line.text)
    if word.lower() == _UNMAPPED:
        return None
    if not _WHOLE.fullmatch(word) or len(word) > 6:
        raise reader.error(line, f'{brief(word)} is no degree; a whole number, or "x" for none, was expected')
    return int(word)


def _number(text: str) -> float | None:
    try:
        return float(_first_word(text))
    except ValueError:
        return None


def _first_word(text: str) -> str:
    return (text.split() or [""])[0]


def _text(path: Path | str) -> str:
    data = read_bounded(path, MOST_FILE_BYTES, "a Scala file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")  # what Scala's own archive is written in
