"""What is known of every instrument of a library, read once and again when a file has changed."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from synth.errors import TetradError
from synth.instruments.format import read_header
from synth.instruments.labels import Label, read_labels
from synth.instruments.library import PICTURE_SUFFIX, Library
from synth.paths import shipped_instruments_dir


@dataclass(frozen=True)
class CatalogueEntry:
    """One instrument. keys: lowest and highest recorded; shipped: came with Tetrad; picture: its file, "" for none."""

    name: str
    display_name: str
    family: str
    notes: int
    lowest_key: int
    highest_key: int
    sustains: bool
    author: str
    licence: str
    source: str
    size_bytes: int
    shipped: bool
    tags: tuple[str, ...] = ()
    favourite: bool = False
    picture: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"tags": list(self.tags)}

    def has(self, words: str = "", tag: str = "", family: str = "") -> bool:
        """words: each in its names, family or tags, or a whole word of its author or source; tag, family: exactly; ""
        for any."""
        tags = [own.casefold() for own in self.tags]
        about = " ".join((self.name, self.display_name, self.family, *tags)).casefold()
        # Within its words, a source has too many chance hits: a Cowgill's piano is no cowbell.
        credit = re.split(r"[\W_]+", f"{self.author} {self.source}".casefold())
        return (
            all(word in about or word in credit for word in words.casefold().split())
            and (not tag or tag.casefold() in tags)
            and (not family or family.casefold() == self.family.casefold())
        )


_SILENCE = CatalogueEntry("silence", "Silence", "", 0, 0, 127, True, "", "", "", 0, True)


class Catalogue:
    """Reads the headers of all instruments (57 shipped ones: 30 ms), and keeps them by their files' times."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        # The file's time and size, the instrument as it is shown, and as its file says.
        self._known: dict[Path, tuple[tuple[int, int], CatalogueEntry, CatalogueEntry]] = {}
        self._present: frozenset[Path] = frozenset()
        self.damaged: tuple[str, ...] = ()
        """Why instruments are left out, one line each, at the last reading."""

    def entries(self) -> list[CatalogueEntry]:
        """All that can be read, by name, as the player calls them."""
        with self._lock:
            damaged: list[str] = []
            labels: dict[str, Label] = {}
            try:
                labels = read_labels(self._library.own_folder)
            except TetradError as error:
                damaged.append(str(error))
            paths = self._library.paths()
            found = []
            for name, path in paths.items():
                try:
                    found.append(self._entry(name, path, labels.get(name, Label())))
                except (TetradError, OSError) as error:
                    damaged.append(str(error))
            self._present = frozenset(paths.values())
            self.damaged = tuple(damaged)
            return found

    def families(self, needed: Iterable[str] = ()) -> dict[str, str]:
        """Family by name. Without a look at the disk where all `needed` were there at the last reading."""
        with self._lock:
            known = {entry.name: entry.family for path, (_, entry, _) in self._known.items() if path in self._present}
        if known and known.keys() >= set(needed):
            return known
        return {entry.name: entry.family for entry in self.entries()}

    def get(self, name: str | None) -> CatalogueEntry:
        """What is known of an instrument, also of one that was removed and still sounds; without a name, or of one that
        was never there: silence."""
        with self._lock:
            found = [
                (path in self._present, entry) for path, (_, entry, _) in self._known.items() if entry.name == name
            ]
        return max(found, key=lambda one: one[0], default=(True, _SILENCE))[1]

    def _entry(self, name: str, path: Path, label: Label) -> CatalogueEntry:
        status = path.stat()
        stamp = (status.st_mtime_ns, status.st_size)
        known = self._known.get(path)
        entry = known[2] if known is not None and known[0] == stamp else self._read(name, path, status.st_size)
        picture = path.with_name(name + PICTURE_SUFFIX)
        shown = replace(
            entry,
            display_name=label.display_name or entry.display_name,
            tags=entry.tags if label.tags is None else label.tags,
            favourite=label.favourite,
            picture=str(picture) if picture.is_file() else "",
        )
        self._known[path] = (stamp, shown, entry)
        return shown

    def _read(self, name: str, path: Path, size_bytes: int) -> CatalogueEntry:
        header = read_header(path)
        keys = [note["pitch"] for note in header["notes"]]
        return CatalogueEntry(
            name=name,
            display_name=header["display_name"],
            family=header["family"],
            notes=len(keys),
            lowest_key=min(keys),
            highest_key=max(keys),
            sustains=header["sustains"],
            author=header["author"],
            licence=header["licence"],
            source=header["source"],
            size_bytes=size_bytes,
            shipped=path.parent == shipped_instruments_dir(),
            tags=tuple(header.get("tags", ())),
        )
