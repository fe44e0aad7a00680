"""What an import is asked for, and what came of it: between commands, the queue and the worker, also as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth.control.commands import CUTS
from synth.control.json_document import brief
from synth.errors import TetradError
from synth.instruments.format import FAMILIES
from synth.instruments.labels import check_display_name, check_tags
from synth.instruments.library import Library, check_name
from synth.paths import shipped_instruments_dir

MOST_SOURCES = 512


@dataclass(frozen=True)
class ImportRequest:
    """One instrument to be made of `sources`: recordings, folders, SFZ files, sound fonts, note sets.

    name: in the library, by default after the source. origin: where the recordings are from, in words. pitch: MIDI key
    of every note that is found (one, usually); unpitched: the key does not move the sound. instrument: of a note set;
    preset: of a sound font. cut: whether a recording holds several notes in a row. correct_tuning: bring notes that
    are far off to their keys. release_s: when keys were let go. velocities, keys: take only these. replace: an
    instrument of the same name goes into the trash. again: though the library has it already. library: another folder
    than the player's.
    """

    sources: tuple[Path, ...]
    name: str | None = None
    display_name: str | None = None
    family: str | None = None
    author: str = ""
    licence: str = ""
    origin: str = ""
    tags: tuple[str, ...] = ()
    pitch: int | None = None
    unpitched: bool = False
    instrument: str | None = None
    preset: str | None = None
    cut: str = "auto"
    correct_tuning: bool = True
    release_s: float | None = None
    velocities: tuple[int, ...] = ()
    keys: tuple[int, ...] = ()
    replace: bool = False
    again: bool = False
    library: Path | None = None

    def __post_init__(self) -> None:
        """Raises TetradError for what can't be asked for."""
        if not 1 <= len(self.sources) <= MOST_SOURCES:
            raise TetradError(f"{len(self.sources)} sources were given; 1 to {MOST_SOURCES} go; name some")
        if self.name is not None:
            check_name(self.name)
        if self.display_name is not None:
            check_display_name(self.display_name)
        if self.family is not None and self.family not in FAMILIES:
            raise TetradError(f"the family {brief(self.family)} is not known; one of {', '.join(FAMILIES)} goes")
        if self.pitch is not None and not 0 <= self.pitch <= 127:
            raise TetradError(f"the pitch {self.pitch} was given; a MIDI key of 0 to 127 was expected; correct it")
        if self.cut not in CUTS:
            raise TetradError(f"cut is {brief(self.cut)}; one of {', '.join(CUTS)} was expected; correct it")
        check_tags(self.tags)

    def to_library(self) -> Library:
        """The shipped instruments and the folder that the new one goes into."""
        return Library() if self.library is None else Library((shipped_instruments_dir(), self.library))

    def to_json(self) -> dict[str, Any]:
        content: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                content[field.name] = _plain(value)
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> ImportRequest:
        """Raises TetradError for unknown and missing fields. The sender is this program: kinds are not checked."""
        known = {field.name for field in dataclasses.fields(cls)}
        if not set(content) <= known or "sources" not in content:
            raise TetradError(
                f"an import has {', '.join(sorted(content))}; sources and what else it knows may stand there"
            )
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in content.items()
        }
        values["sources"] = tuple(map(Path, values["sources"]))
        if values.get("library") is not None:
            values["library"] = Path(values["library"])
        return cls(**values)


@dataclass(frozen=True)
class ImportResult:
    """An instrument that is in the library now. remarks: what was left out, repaired or decided, one line each."""

    name: str
    display_name: str
    path: Path
    picture: Path | None
    notes: int
    size_bytes: int
    sustains: bool
    remarks: tuple[str, ...] = ()
    replaced: bool = False
    peak_rss_mb: float = 0.0
    """The most memory that the worker had until then; 0 where there was no worker."""

    def to_json(self) -> dict[str, Any]:
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> ImportResult:
        values = dict(content)
        values["path"] = Path(values["path"])
        values["picture"] = None if values["picture"] is None else Path(values["picture"])
        return cls(**values | {"remarks": tuple(values["remarks"])})


def is_there(source: Path) -> bool:
    """Is there such a file or folder? What no file can be called, there is not."""
    try:
        return source.exists()
    except OSError:
        return False


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
