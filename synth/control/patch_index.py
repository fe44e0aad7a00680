"""Which number is whose: the file `tetrad-patch-index`, by which a program change finds its patch.

    {"format": "tetrad-patch-index", "version": 1, "numbers": {"Glass Morning": 0, "Cathedral": 1}}

Numbers are bank * 128 + program, 0..16,383. A name keeps its number when its file is gone or damaged, since either may
come back; a patch that the player removed does not.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from synth.control.json_document import brief, parse_json, pretty, read_bounded
from synth.errors import TetradError
from synth.files import atomic_write_bytes

FORMAT, VERSION = "tetrad-patch-index", 1
MOST_NUMBERS = 128 * 128
_MOST_BYTES = 8 * 1024 * 1024
_EXPECTED = f"a {FORMAT} file of version {VERSION}"


def key_of(name: str) -> str:
    """What makes two names one: they differ in case only, or in how an accent is coded."""
    return unicodedata.normalize("NFC", name).casefold()


class PatchIndex:
    """Numbers by name; every name has one, and no number has two. Changing it does not write it."""

    def __init__(self, numbers: Iterable[tuple[str, int]] = ()) -> None:
        self._rows = {key_of(name): (name, number) for name, number in numbers}

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(sorted(self._rows.values(), key=lambda row: row[1]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PatchIndex) and list(self) == list(other)

    def copy(self) -> "PatchIndex":
        return PatchIndex(self)

    def number(self, name: str) -> int | None:
        return self._rows.get(key_of(name), (name, None))[1]

    def number_or_next(self, name: str) -> int:
        """The name's number; a new name gets the lowest that is free. Raises TetradError when none is."""
        found = self.number(name)
        if found is None:
            taken = {number for _, number in self._rows.values()}
            found = next((number for number in range(MOST_NUMBERS) if number not in taken), None)
            if found is None:
                raise TetradError(f"all {MOST_NUMBERS:,} patch numbers are taken; a free one was expected; remove some")
            self._rows[key_of(name)] = (name, found)
        return found

    def move(self, name: str, number: int) -> None:
        """Give a number to a name; who had it gets the one that the name had, or the lowest that is free."""
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < MOST_NUMBERS:
            raise TetradError(f"patch number {brief(number)} was given; 0 to {MOST_NUMBERS - 1:,} was expected")
        holder = next((other for other, taken in self._rows.values() if taken == number), None)
        before = self.number(name)
        self._rows[key_of(name)] = (name, number)
        if holder is not None and key_of(holder) != key_of(name):
            del self._rows[key_of(holder)]
            if before is None:
                self.number_or_next(holder)
            else:
                self._rows[key_of(holder)] = (holder, before)

    def rename(self, old: str, new: str) -> None:
        number = self.number_or_next(old)
        del self._rows[key_of(old)]
        self._rows[key_of(new)] = (new, number)

    def drop(self, name: str) -> None:
        """Let a name's number go, if it has one."""
        self._rows.pop(key_of(name), None)

    def write(self, path: Path) -> None:
        """Write the file; a reader sees the old one or the new. Raises TetradError."""
        document = {"format": FORMAT, "version": VERSION, "numbers": dict(self)}
        atomic_write_bytes(path, pretty(document, ("numbers",)))


def read_index(path: Path) -> PatchIndex:
    """Read the file; empty where there is none. Raises TetradError for anything that is not as described above."""
    if not path.exists():
        return PatchIndex()
    document = parse_json(read_bounded(path, _MOST_BYTES, _EXPECTED), str(path), _EXPECTED)
    if not isinstance(document, dict) or set(document) != {"format", "version", "numbers"}:
        raise TetradError(f"{path} does not hold format, version and numbers; {_EXPECTED} was expected")
    if (document["format"], document["version"]) != (FORMAT, VERSION):
        raise TetradError(
            f"{path} is {brief(document['format'])} of version {brief(document['version'])}; {_EXPECTED} was expected"
        )
    numbers = document["numbers"]
    if not isinstance(numbers, dict):
        raise TetradError(f"{path}: numbers are {brief(numbers)}; an object was expected")
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < MOST_NUMBERS:
            raise TetradError(
                f"{path}: {brief(name)} has the number {brief(number)}; 0 to {MOST_NUMBERS - 1:,} was expected"
            )
    if len(set(numbers.values())) < len(numbers) or len({key_of(name) for name in numbers}) < len(numbers):
        raise TetradError(f"{path}: a number or a name is there twice; each once was expected")
    return PatchIndex(numbers.items())
