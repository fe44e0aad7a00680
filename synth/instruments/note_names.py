"""What names of recordings say: key, velocity, round-robin.

A name alone is often ambiguous ("E-Piano 2", "Juno 60", "take_1_60"), so the names of a folder are read together: the
key is what stands in the same place of all of them, and differs. Understood are note names (`C#4`, `Db3`, `As3`,
`Bb-1`), MIDI numbers (`flute_60`, `flute-060-090`), velocities (`v90`, `vel 90`), layers (`v3`, `layer2`, `vH`),
dynamics (`pp` to `ff`, `forte`), takes (`rr2`, `take 3`). C4 is key 60, unless the names themselves say otherwise.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

LONGEST_NAME = 120
"""Characters that are looked at, the last ones: 10,000 such names take 2 s."""
MIDDLE_C_OCTAVE = 4
DYNAMICS = {"ppp": 16, "pp": 33, "p": 49, "mp": 64, "mf": 80, "f": 96, "ff": 112, "fff": 126}
"""Velocities of dynamics, an eighth of the range apart, as Logic Pro and others play them."""
_WORDS = {
    "pianississimo": "ppp",
    "pianissimo": "pp",
    "mezzopiano": "mp",
    "mezzoforte": "mf",
    "forte": "f",
    "fortissimo": "ff",
    "fortississimo": "fff",
    "soft": "p",
    "quiet": "p",
    "medium": "mf",
    "hard": "ff",
    "loud": "ff",
}
_LETTER_LAYERS = {"l": 40, "m": 80, "h": 120}
_SEMITONES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_SHARP, _FLAT = ("#", "♯", "s"), ("b", "♭")
LOWEST_KEY, HIGHEST_KEY = 21, 108
"""Of a piano. A lone number outside is the number of a take or a model, not a key."""
MOST_MARKS = 8
"""Numbers or note names that are looked at in one name, the last ones."""
MOST_LAYERS = 24
"""`v1` to `v24` are layers when several are there and none is larger; Salamander has 16."""

_NOTE = re.compile(
    r"(?<![A-Za-z0-9#♯♭])(?P<letter>[A-Ga-g])(?P<sign>[#♯b♭]|s(?=-?\d))?(?P<octave>-?\d)"
    r"(?=$|[^A-Za-z0-9#♯♭]|[vV](?:el|l)?[\dLMHlmh]|rr?\d|(?:p{1,3}|m[pf]|f{1,3})(?:$|[^A-Za-z]))"
)
_RANGE = re.compile(r"(?<![A-Za-z0-9#])([A-Ga-g][#b]?\d)(?:[-_ ](?:to[-_ ])?)?([A-Ga-g][#b]?\d)(?![A-Za-z0-9#])")
_GLUED_NOTE = re.compile(r"(?<=[a-z])(?P<letter>[A-G])(?P<sign>[#♯b♭]|s(?=-?\d))?(?P<octave>-?\d)(?=$|[^A-Za-z0-9])")
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9#.])\d{1,3}(?=$|[^A-Za-z0-9.#]|\.(?!\d)|v\d|rr?\d)(?! ?(?:bpm|hz|khz|bit)\b)", re.IGNORECASE
)
_GLUED_NUMBER = re.compile(r"(?<=[A-Za-z])\d{2,3}$")
_PAIR = re.compile(r"[-_ ](\d{3})[-_ ]v?(\d{3})$")
_VELOCITY = re.compile(r"(?:(?<![A-Za-z])|(?<=\d))(?:velocity|vel|vl|v)[-_ ]?(\d{1,3})(?![A-Za-z0-9])", re.IGNORECASE)
_LAYER = re.compile(r"(?<![A-Za-z])(?:layer|lyr|dyn|dynamic)[-_ ]?(\d{1,2})(?![A-Za-z0-9])", re.IGNORECASE)
_LETTER = re.compile(r"(?:(?<![A-Za-z])|(?<=\d))v([LMHlmh])(?![A-Za-z0-9])")
_DYNAMIC = re.compile(r"(?:(?<![A-Za-z#])|(?<=\d))(p{1,3}|m[pf]|f{1,3})(?![A-Za-z0-9#])", re.IGNORECASE)
_WORD = re.compile(rf"(?<![A-Za-z])({'|'.join(_WORDS)}|piano)(?![A-Za-z])", re.IGNORECASE)
_TAKE = re.compile(
    r"(?:(?<![A-Za-z])|(?<=\d))(?:round[-_ ]?robin|rr|take|alt)[-_ ]?(\d{1,3})(?![A-Za-z0-9])", re.IGNORECASE
)


class NameReading(NamedTuple):
    """What one name says. name: what is left of it. pitch: MIDI key 0..127. velocity: 1..127. round_robin: 0..999."""

    name: str
    pitch: int | None
    velocity: int | None
    round_robin: int | None


class _Mark(NamedTuple):
    """A piece of a name that may be a key. value: MIDI number with C4 = 60, perhaps out of range. negative: with a
    hyphen that may be a minus."""

    start: int
    end: int
    value: int
    negative: bool = False


def parse(stem: str) -> NameReading:
    """One name, alone; without the others of its folder only what is plain is believed."""
    return read_names([stem])[0][0]


def read_names(stems: Sequence[str]) -> tuple[list[NameReading], list[str]]:
    """The names of one folder (no suffixes; a folder in between as `ff/flute_60`), read in the one way that fits them.

    -> a reading of each, and remarks on what was not plain. A name that does not fit has None for what it does not say.
    """
    names = [_tidy(stem[-LONGEST_NAME:]) for stem in stems]
    remarks: list[str] = []
    takes = [_TAKE.search(name) for name in names]
    rest = [_blanked(name, take) for name, take in zip(names, takes, strict=True)]
    velocities, velocity_spans = _velocities(rest)
    rest = [_blanked_span(name, span) for name, span in zip(rest, velocity_spans, strict=True)]
    keys = _note_names(names, rest, remarks)
    numbered = [None] * len(rest) if keys is not None else [_PAIR.search(name) for name in rest]
    if keys is None and all(numbered) and all(_is_key(m[1]) and 1 <= int(m[2]) <= 127 for m in numbered if m):
        keys = [_Mark(m.start(1), m.end(2), int(m[1])) for m in numbered if m]
        velocities = [int(m[2]) for m in numbered if m]
    extra: list[_Mark | None] = [None] * len(rest)
    if keys is None:
        keys, extra = _numbers(rest, velocities)
    else:
        extra = _beside(rest, keys) if not any(numbered) else extra
    velocities, takes_beside = _beside_meaning(extra, velocities)
    readings = []
    for i, name in enumerate(names):
        key, take = keys[i], takes[i]
        number = int(take[1]) if take else takes_beside[i]
        spans = [s for s in (key, extra[i], velocity_spans[i], take.span() if take else None) if s is not None]
        readings.append(NameReading(_left(name, spans), key.value if key else None, velocities[i], number))
    return readings, remarks


def parse_range(stem: str) -> tuple[int, int] | None:
    """Lowest and highest key of a file with a row of notes, `Violin.ff.C4B4` or `flute C4-B4`; None without any."""
    match = _RANGE.search(stem[-LONGEST_NAME:])
    if match is None:
        return None
    lowest, highest = (_NOTE.fullmatch(match[i]) for i in (1, 2))
    keys = (_note(lowest).value, _note(highest).value) if lowest and highest else (0, 0)
    return keys if 0 <= keys[0] < keys[1] <= 127 else None


def _tidy(stem: str) -> str:
    """One way to write `mezzo-forte`, and no spaces around."""
    return re.sub(r"mezzo[-_ ](?=forte|piano)", "mezzo", stem, flags=re.IGNORECASE).strip()


def _is_key(text: str) -> bool:
    return 0 <= int(text) <= 127


def _blanked(name: str, match: re.Match[str] | None) -> str:
    return _blanked_span(name, match.span() if match else None)


def _blanked_span(name: str, span: tuple[int, int] | None) -> str:
    """With `|` for what has been understood, so that places stay what they are."""
    return name if span is None else name[: span[0]] + "|" * (span[1] - span[0]) + name[span[1] :]


def _left(name: str, spans: Sequence[tuple[int, ...]]) -> str:
    """What is left of a name without the pieces that were understood."""
    for start, end, *_ in spans:
        name = name[:start] + "\0" * (end - start) + name[end:]
    return re.sub(r"[-_ .,()\[\]/+~|]*\0[-_ .,()\[\]/+~|\0]*", " ", name).strip("-_ .,()[]/+~|\0")


def _velocities(names: list[str]) -> tuple[list[int | None], list[tuple[int, int] | None]]:
    """Velocities that say that they are some, and where they stand."""
    numbered = [_VELOCITY.search(n) or _LAYER.search(n) for n in names]
    meaning = _layers({int(m[1]) for m in numbered if m})
    several_words = len({m[1].lower() for n in names for m in _WORD.finditer(n)}) > 1
    several_signs = len({m[1].lower() for n in names for m in _DYNAMIC.finditer(n)}) > 1
    values: list[int | None] = [None] * len(names)
    spans: list[tuple[int, int] | None] = [None] * len(names)
    for i, (name, number) in enumerate(zip(names, numbered, strict=True)):
        letter, word, sign = _LETTER.search(name), _last(_WORD, name), _last(_DYNAMIC, name)
        if number:
            values[i], spans[i] = meaning[int(number[1])], number.span()
        elif letter:
            values[i], spans[i] = _LETTER_LAYERS[letter[1].lower()], letter.span()
        elif word and (word[1].lower() != "piano" or several_words):  # alone it is the instrument
            values[i], spans[i] = DYNAMICS[_WORDS.get(word[1].lower(), "p")], word.span()
        elif sign and (sign.start() or sign.end() > 1 or several_signs or name[1:2] == "/"):  # `p_60` is a name
            values[i], spans[i] = DYNAMICS[sign[1].lower()], sign.span()
    return values, spans


def _layers(numbers: set[int]) -> dict[int, int | None]:
    """What the numbers that stand for velocities mean: velocities, or layers counted from 0 or 1; one layer is none."""
    if not numbers or max(numbers) > MOST_LAYERS:
        return {number: number if 1 <= number <= 127 else None for number in numbers}
    if len(numbers) == 1:
        return dict.fromkeys(numbers)
    first = min(1, *numbers)
    n_layers = max(numbers) - first + 1
    return {number: max(round((number - first + 0.5) / n_layers * 127), 1) for number in numbers}


def _last(pattern: re.Pattern[str], name: str) -> re.Match[str] | None:
    return next(reversed(list(pattern.finditer(name))), None)


def _note_names(names: list[str], rest: list[str], remarks: list[str]) -> list[_Mark | None] | None:
    """The note name of each, or None where the names tell their keys in another way, or not at all."""
    for pattern in (_NOTE, _GLUED_NOTE):
        marks = [[_note(m) for m in pattern.finditer(name)][-MOST_MARKS:] for name in rest]
        if pattern is _GLUED_NOTE and (len(names) < 2 or not all(marks)):
            continue
        column = _column(marks)
        if column is None:
            continue
        hyphened = [m for m in column if m and m.negative]
        if hyphened and _hyphens_separate(column):
            column = [m._replace(value=_octaves_up(m)) if m and m.negative else m for m in column]
        shift = _octave_shift(rest, column, remarks)
        return [m._replace(value=m.value + shift) if m and 0 <= m.value + shift <= 127 else None for m in column]
    return None


def _note(match: re.Match[str]) -> _Mark:
    sign = match["sign"] or ""
    step = _SEMITONES[match["letter"].lower()] + (sign in _SHARP) - (sign in _FLAT)
    octave = match["octave"]
    return _Mark(match.start(), match.end(), 12 * (int(octave) + 1) + step, octave.startswith("-"))


def _octaves_up(mark: _Mark) -> int:
    """The key if the hyphen before the octave is a separator: octave -n becomes n."""
    octave = -(mark.value // 12 - 1)
    return mark.value % 12 + 12 * (octave + 1)


def _hyphens_separate(column: list[_Mark | None]) -> bool:
    """`Piano-C-4` is no octave below -2; and several notes, all of them below octave 0, are no instrument."""
    marks = [m for m in column if m]
    lowest = min(m.value for m in marks if m.negative)
    return lowest < -12 or (len(marks) > 1 and all(m.negative for m in marks))


def _octave_shift(rest: list[str], column: list[_Mark | None], remarks: list[str]) -> int:
    """Semitones from C4 = 60 to the octaves of these names: as a number beside them says, or the only way they fit."""
    shifts: Counter[int] = Counter()
    n_marks = 0
    for name, mark in zip(rest, column, strict=True):
        if mark is None:
            continue
        n_marks += 1
        numbers = {int(m[0]) for m in _NUMBER.finditer(_blanked_span(name, mark[:2]))}
        shifts.update({n - mark.value for n in numbers if n - mark.value in (-24, -12, 0, 12, 24)})
    if shifts:
        shift, count = max(shifts.items(), key=lambda item: (item[1], -abs(item[0])))
        if count == n_marks:
            if shift:
                remarks.append(f"the numbers beside the note names say that C{MIDDLE_C_OCTAVE - shift // 12} is key 60")
            return shift
    values = [m.value for m in column if m]
    if min(values) < 0 and max(values) + 12 <= 127:
        remarks.append("some note names lie below octave -1, so C3 was taken as key 60")
        return 12
    return 0


def _column(marks: list[list[_Mark]]) -> list[_Mark | None] | None:
    """Of several marks in each name those that stand in the same place, counted from the right or the left, of most
    names, and that differ most; the rightmost where there is nothing to choose. None without any."""
    most = max(map(len, marks), default=0)
    best: list[_Mark | None] | None = None
    best_score = (0, 0)
    for place in [*range(-1, -most - 1, -1), *range(most)]:
        column = [m[place] if -len(m) <= place < len(m) else None for m in marks]
        score = (sum(m is not None for m in column), len({m.value for m in column if m}))
        if score > best_score:
            best, best_score = column, score
    return best


def _numbers(rest: list[str], velocities: list[int | None]) -> tuple[list[_Mark | None], list[_Mark | None]]:
    """The MIDI number in each name, and the number after it."""
    nothing: list[_Mark | None] = [None] * len(rest)
    for pattern in (_NUMBER, _GLUED_NUMBER):
        marks = [[_Mark(m.start(), m.end(), int(m[0])) for m in pattern.finditer(name)][-MOST_MARKS:] for name in rest]
        layered = any(velocity is not None for velocity in velocities)
        keys = _number_column(rest, marks, glued=pattern is _GLUED_NUMBER, layered=layered)
        if keys is not None:
            after = _after(marks, keys) if pattern is _NUMBER else nothing
            return [k if k and k.value <= 127 else None for k in keys], after
    return nothing, nothing


def _number_column(
    rest: list[str], marks: list[list[_Mark]], *, glued: bool, layered: bool
) -> list[_Mark | None] | None:
    """Which of the numbers are keys, None if none are: takes are counted from 0 or 1, models (Juno 60) don't differ.

    Of two that could be, the first is the key and the second its velocity, unless the second differs much more.
    """
    most = max(map(len, marks), default=0)
    from_left, from_right = range(most), range(-1, -most - 1, -1)
    # Where some names have more numbers than others, it is velocities and takes that were added, at the right.
    places = [*from_right, *from_left] if len({len(m) for m in marks if m}) < 2 else [*from_left, *from_right]
    columns = [[m[place] if -len(m) <= place < len(m) else None for m in marks] for place in places]
    likely = [c for c in columns if _could_be_keys(c)]
    if not likely:
        return None
    best = max(likely, key=lambda c: (sum(m is not None for m in c), _n_values(c)))
    before: list[_Mark | None] = [
        of_name[of_name.index(m) - 1] if m and of_name.index(m) else None
        for of_name, m in zip(marks, best, strict=True)
    ]
    much_more = _n_values(best) > 6 and _n_values(best) >= 2 * _n_values(before)
    if _could_be_keys(before) and not much_more and (_n_values(before) > 1 or _one_key(rest, marks, before, layered)):
        return before
    if _n_values(best) > 1 or (not glued and _one_key(rest, marks, best, layered)):
        return best
    return None


def _n_values(column: list[_Mark | None]) -> int:
    return len({m.value for m in column if m})


def _could_be_keys(column: list[_Mark | None]) -> bool:
    """Most names have one, they are MIDI numbers, and not simply counted."""
    values = {m.value for m in column if m}
    if 2 * sum(m is not None for m in column) <= len(column) or not LOWEST_KEY <= max(values) <= 127:
        return False
    if len(values) == 1:
        return max(values) <= HIGHEST_KEY
    counted = min(values) <= 1 and max(values) - min(values) == len(values) - 1
    return not counted or max(values) >= 100


def _one_key(rest: list[str], marks: list[list[_Mark]], column: list[_Mark | None], layered: bool) -> bool:
    """Whether a number that all names share is a key: nothing but numbers comes after it, and the same text before."""
    texts = set()
    for name, of_name, mark in zip(rest, marks, column, strict=True):
        if mark is None:
            continue
        tail = name[mark.end :]
        if re.search(r"[A-Za-z]", tail):
            return False
        if len(of_name) - of_name.index(mark) > 2:
            return False
        texts.add(name[: mark.start] if not layered else "")
    return len(texts) == 1


def _after(marks: list[list[_Mark]], keys: list[_Mark | None]) -> list[_Mark | None]:
    """The number that follows the key."""
    return [
        next((m for m in of_name if key and m.start >= key.end), None) for of_name, key in zip(marks, keys, strict=True)
    ]


def _beside(rest: list[str], keys: list[_Mark | None]) -> list[_Mark | None]:
    """The number right after a note name, unless it is the key's own number."""
    found: list[_Mark | None] = []
    for name, key in zip(rest, keys, strict=True):
        mark = None
        if key is not None:
            after = [m for m in _NUMBER.finditer(name) if m.start() >= key.end and int(m[0]) != key.value]
            mark = _Mark(after[0].start(), after[0].end(), int(after[0][0])) if after else None
        found.append(mark)
    return found


def _beside_meaning(
    extra: list[_Mark | None], velocities: list[int | None]
) -> tuple[list[int | None], list[int | None]]:
    """Numbers after the key: velocities where they are large enough for some, else takes. -> velocities, takes."""
    values = [m.value for m in extra if m]
    takes: list[int | None] = [None] * len(extra)
    if not values:
        return velocities, takes
    if max(values) > MOST_LAYERS and max(values) <= 127 and min(values) >= 1 and not any(velocities):
        return [m.value if m else None for m in extra], takes
    return velocities, [m.value if m else None for m in extra]
