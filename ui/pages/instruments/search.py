"""Finding instruments among thousands: what is known of each, read once, and the filter over it. No Kivy here.

Words are compared without case and accents, as in the engine's own search: each in the names, family or tags, or a
whole word of the author or the source ("Cowgill's piano" is no cowbell).
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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


class Index:
    """All instruments, favourites first and then by how they are shown. Made once for each list of the engine's."""

    def __init__(self, instruments: Iterable[Mapping[str, Any]] = ()) -> None:
        found = [entry for entry in map(entry_of, instruments) if entry is not None]
        self._rows = sorted(
            ((not entry.favourite, folded(entry.title), entry.name), _about(entry), _credit(entry), entry)
            for entry in found
        )
        self.entries: list[Entry] = [row[-1] for row in self._rows]
        self._by_name = {entry.name: entry for entry in self.entries}

    def get(self, name: str) -> Entry | None:
        """The instrument of that name."""
        return self._by_name.get(name)

    def find(self, wanted: Wanted) -> list[Entry]:
        """Those that fit, in this index's order."""
        words = folded(wanted.words).split()
        family, tag = folded(wanted.family), folded(wanted.tag)
        return [
            entry
            for _, about, credit, entry in self._rows
            if (not wanted.favourites or entry.favourite)
            and not (wanted.own and entry.shipped)
            and (not family or folded(entry.family) == family)
            and (not tag or any(folded(own) == tag for own in entry.tags))
            and all(word in about or word in credit for word in words)
        ]

    def families(self) -> list[str]:
        """Those that there are, by name."""
        return sorted({entry.family for entry in self.entries if entry.family})

    def tags(self) -> list[str]:
        """At most MOST_TAG_CHIPS: the most frequent first."""
        counts = Counter(tag for entry in self.entries for tag in entry.tags)
        return [tag for tag, _ in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:MOST_TAG_CHIPS]]


def _about(entry: Entry) -> str:
    return folded("\n".join((entry.name, entry.title, entry.family, *entry.tags)))


def _credit(entry: Entry) -> tuple[str, ...]:
    return tuple(re.split(r"[\W_]+", folded(f"{entry.author} {entry.source}")))


def key_range(entry: Entry) -> str:
    """ "C2 to C6", of one key its name alone, "" of none."""
    if entry.notes == 0:
        return ""
    keys: Sequence[int] = sorted({entry.lowest_key, entry.highest_key})
    return " – ".join(key_name(key) for key in keys)


def key_name(key: int) -> str:
    """Of a MIDI key; 60 is C4."""
    return f"{('C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B')[key % 12]}{key // 12 - 1}"
