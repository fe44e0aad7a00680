"""Which patches are shown and how they are called: pure, of the list that the engine gave. Nothing of it is trusted."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PROGRAMS = 128
"""A bank's, as MIDI counts."""
MOST_NUMBERS = 128 * PROGRAMS
MOST_NAME, MOST_TAG, MOST_TAGS = 64, 32, 16
"""What the engine takes: letters of a patch's name and of a tag, and tags of a patch."""


@dataclass(frozen=True)
class Row:
    """A patch of the bank. number: bank times 128 plus program."""

    number: int
    name: str
    author: str = ""
    tags: tuple[str, ...] = ()
    shipped: bool = False


def row(entry: object) -> Row | None:
    """Of an entry of the engine's list; None where name or number are missing."""
    if not isinstance(entry, Mapping):
        return None
    number, name, author, tags = (entry.get(key) for key in ("number", "name", "author", "tags"))
    if isinstance(number, bool) or not isinstance(number, int) or not isinstance(name, str) or not name:
        return None
    return Row(
        number,
        name,
        author if isinstance(author, str) else "",
        tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        entry.get("shipped") is True,
    )


def rows(entries: Iterable[Any]) -> list[Row]:
    """Of the engine's list, by rising number."""
    found = (row(entry) for entry in entries)
    return sorted((one for one in found if one is not None), key=lambda one: one.number)


def matching(of: Iterable[Row], search: str = "", tag: str = "") -> list[Row]:
    """Those that have all words of the search in number, name, author or tags, and the tag; case does not count."""
    words, wanted = search.casefold().split(), tag.casefold()
    return [
        one
        for one in of
        if (not wanted or wanted in (own.casefold() for own in one.tags))
        and all(word in _searched(one) for word in words)
    ]


def _searched(one: Row) -> str:
    return " ".join((number_words(one.number), one.name, one.author, *one.tags)).casefold()


def number_words(number: int) -> str:
    """Bank and program as MIDI sends them, counted from 0: 130 is "1.2"."""
    return f"{number // PROGRAMS}.{number % PROGRAMS}"


def sounding(of: Iterable[Row], name: str, number: int) -> int:
    """Number of the patch that sounds; -1 where it is not in the bank, as a new one that nobody saved. By its name: the
    number of a patch without one reads 0."""
    found = [one.number for one in of if name and one.name.casefold() == name.casefold()]
    return number if number in found else found[0] if found else -1


def tag_counts(of: Iterable[Row]) -> list[tuple[str, int]]:
    """Every tag and how many patches have it, by name. Of spellings that differ in case the first stands."""
    spelling: dict[str, str] = {}
    counts: dict[str, int] = {}
    for one in of:
        for key in dict.fromkeys(tag.casefold() for tag in one.tags):
            spelling.setdefault(key, next(tag for tag in one.tags if tag.casefold() == key))
            counts[key] = counts.get(key, 0) + 1
    return [(spelling[key], counts[key]) for key in sorted(counts)]


def free_number(of: Iterable[Row]) -> int | None:
    """The lowest that no patch has; None where all are taken."""
    taken = {one.number for one in of}
    return next((number for number in range(MOST_NUMBERS) if number not in taken), None)


def free_name(name: str, of: Iterable[Row]) -> str:
    """`name` where no patch is called so, else "name (2)" and so on, at most 64 letters."""
    taken = {one.name.casefold() for one in of}
    base = re.sub(r" \(\d+\)$", "", name.strip()) or name
    number, free = 1, name.strip()
    while free.casefold() in taken:
        number += 1
        ending = f" ({number})"
        free = base[: MOST_NAME - len(ending)].rstrip() + ending
    return free


def tags_of(words: str) -> list[str]:
    """Of what a player wrote, with commas between: each once, at most 16 of 32 letters."""
    found = {tag.casefold(): tag for part in reversed(words.split(",")) if (tag := " ".join(part.split())[:MOST_TAG])}
    return list(reversed(found.values()))[:MOST_TAGS]


def page_of(of: Sequence[Row], number: int, a_page: int) -> int | None:
    """On which page (from 0) a patch stands; None where it is not among them."""
    place = next((index for index, one in enumerate(of) if one.number == number), None)
    return None if place is None else place // max(a_page, 1)


def n_pages(of: Sequence[Row], a_page: int) -> int:
    """At least 1."""
    return max(-(-len(of) // max(a_page, 1)), 1)
