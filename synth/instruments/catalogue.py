"""What is known of every instrument of a library, read once and again when a file has changed."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from synth.errors import TetradError
from synth.instruments.format import read_header
from synth.instruments.library import Library
from synth.paths import shipped_instruments_dir


@dataclass(frozen=True)
class CatalogueEntry:
    """One instrument. keys: lowest and highest recorded; shipped: came with Tetrad."""

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

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


_SILENCE = CatalogueEntry("silence", "Silence", "", 0, 0, 127, True, "", "", "", 0, True)


class Catalogue:
    """Reads the headers of all instruments (57 shipped ones: 30 ms), and keeps them by their files' times."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._known: dict[Path, tuple[tuple[int, int], CatalogueEntry]] = {}
        self.damaged: tuple[str, ...] = ()
        """Why instruments are left out, one line each, at the last reading."""

    def entries(self) -> list[CatalogueEntry]:
        """All that can be read, by name."""
        with self._lock:
            damaged: list[str] = []
            found = []
            for name, path in self._library.paths().items():
                try:
                    found.append(self._entry(name, path))
                except (TetradError, OSError) as error:
                    damaged.append(str(error))
            self.damaged = tuple(damaged)
            return found

    def families(self, needed: Iterable[str] = ()) -> dict[str, str]:
        """Family by name. Without a look at the disk where all `needed` were there at the last reading."""
        with self._lock:
            known = {entry.name: entry.family for _, entry in self._known.values()}
        if known and known.keys() >= set(needed):
            return known
        return {entry.name: entry.family for entry in self.entries()}

    def get(self, name: str | None) -> CatalogueEntry:
        """What was known of an instrument at the last reading; without a name, or of one that is not there: silence."""
        with self._lock:
            entries: Iterable[CatalogueEntry] = (entry for _, entry in self._known.values())
            return next((entry for entry in entries if entry.name == name), _SILENCE)

    def _entry(self, name: str, path: Path) -> CatalogueEntry:
        status = path.stat()
        stamp = (status.st_mtime_ns, status.st_size)
        known = self._known.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        header = read_header(path)
        keys = [note["pitch"] for note in header["notes"]]
        entry = CatalogueEntry(
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
            size_bytes=status.st_size,
            shipped=path.parent == shipped_instruments_dir(),
        )
        self._known[path] = (stamp, entry)
        return entry
