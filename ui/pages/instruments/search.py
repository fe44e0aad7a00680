"""Finding instruments among thousands: what is known of each, read once, and the filter over it. No Kivy here.

Words are compared without case and accents, as in the engine's own search: each in the names, family or tags, or a
whole word of the author or the source ("Cowgill's piano" is no cowbell).
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

MOST_TAG_CHIPS = 24
"""Of thousands of tags, these are the most frequent; the others are found by words."""


class Entry(NamedTuple):
    """An instrument as `instruments` lists it. title: how it is shown. lowest_key, highest_key: MIDI, as recorded.
    picture: a file on the engine's machine, "" for none."""

    name: str
    title: str
    family: str
    tags: tuple[str, ...]
    favourite: bool
    shipped: bool
    notes: int
    lowest_key: int
    highest_key: int
    sustains: bool
    author: str
    licence: str
    source: str
    picture: str


class Wanted(NamedTuple):
    """What is looked for; "" and False for no matter. own: not shipped."""

    words: str = ""
    family: str = ""
    tag: str = ""
    favourites: bool = False
    own: bool = False


def folded(words: str) -> str:
    """Without case and accents: "Flûte" and "FLUTE" are one."""
    if words.isascii():
        return words.lower()
    plain = "".join(one for one in unicodedata.normalize("NFKD", words) if not unicodedata.combining(one))
    return plain.casefold()


def entry_of(about: Mapping[str, Any]) -> Entry | None:
    """Of the engine's words, of which any may be missing or of another kind; None without a name."""
    name = about.get("name")
    if not isinstance(name, str) or not name:
        return None
    tags = about.get("tags")
    return Entry(
        name=name,
        title=" ".join(_text(about, "display_name").split()) or name,
        family=_text(about, "family"),
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        favourite=about.get("favourite") is True,
        shipped=about.get("shipped") is True,
        notes=_whole(about, "notes"),
        lowest_key=_whole(about, "lowest_key"),
        highest_key=_whole(about, "highest_key"),
        sustains=about.get("sustains") is True,
        author=_text(about, "author"),
        licence=_text(about, "licence"),
        source=_text(about, "source"),
        picture=_text(about, "picture"),
    )


def _text(about: Mapping[str, Any], name: str) -> str:
    value = about.get(name)
    return value if isinstance(value, str) else ""


def _whole(about: Mapping[str, Any], name: str) -> int:
    value = about.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


class _Row(NamedTuple):
    """An entry and what is looked for in it, folded. about: a text; credit: whole words."""

    entry: Entry
    about: str
    credit: frozenset[str]
    family: str
    tags: tuple[str, ...]


class Index:
    """All instruments, favourites first and then by how they are shown. Made once for each list of the engine's."""

    def __init__(self, instruments: Iterable[Mapping[str, Any]] = ()) -> None:
        rows = [_row(entry) for entry in map(entry_of, instruments) if entry is not None]
        rows.sort(key=lambda row: (not row.entry.favourite, row.about))
        self._rows = rows
        self.entries: list[Entry] = [row.entry for row in rows]
        self._by_name = {entry.name: entry for entry in self.entries}

    def get(self, name: str) -> Entry | None:
        """The instrument of that name."""
        return self._by_name.get(name)

    def find(self, wanted: Wanted) -> list[Entry]:
        """Those that fit, in this index's order. One pass for each thing that is wanted: a key is a pass or two."""
        rows = self._rows
        for word in folded(wanted.words).split():
            rows = [row for row in rows if word in row.about or word in row.credit]
        if wanted.family:
            family = folded(wanted.family)
            rows = [row for row in rows if row.family == family]
        if wanted.tag:
            tag = folded(wanted.tag)
            rows = [row for row in rows if tag in row.tags]
        if wanted.favourites:
            rows = [row for row in rows if row.entry.favourite]
        if wanted.own:
            rows = [row for row in rows if not row.entry.shipped]
        return [row.entry for row in rows]

    def families(self) -> list[str]:
        """Those that there are, by name."""
        return sorted({entry.family for entry in self.entries if entry.family})

    def tags(self) -> list[str]:
        """At most MOST_TAG_CHIPS: the most frequent first."""
        counts = Counter(tag for entry in self.entries for tag in entry.tags)
        return [tag for tag, _ in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:MOST_TAG_CHIPS]]


def _row(entry: Entry) -> _Row:
    family, tags = _folded_often(entry.family), tuple(map(_folded_often, entry.tags))
    # The title first: rows are sorted by this.
    about = "\n".join((folded(entry.title), folded(entry.name), family, *tags))
    return _Row(entry, about, _words(entry.author) | _words(entry.source), family, tags)


@lru_cache(4096)
def _folded_often(words: str) -> str:
    """Families and tags are a few words for thousands of instruments."""
    return folded(words)


@lru_cache(4096)
def _words(credit: str) -> frozenset[str]:
    return frozenset(re.split(r"[\W_]+", folded(credit)))


def key_range(entry: Entry) -> str:
    """ "C2 to C6", of one key its name alone, "" of none."""
    if entry.notes == 0:
        return ""
    keys: Sequence[int] = sorted({entry.lowest_key, entry.highest_key})
    return " – ".join(key_name(key) for key in keys)


def key_name(key: int) -> str:
    """Of a MIDI key; 60 is C4."""
    return f"{('C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B')[key % 12]}{key // 12 - 1}"
