"""What the player says of instruments, shipped ones too: the file `tetrad-library` beside the player's own.

    {"format": "tetrad-library", "version": 1,
     "instruments": {"my-voice": {"display_name": "Grandmother", "tags": ["family"], "recordings": "5f0c..."}}}

An instrument keeps the name that patches know it by; what a player renames is the name that is shown. `recordings` is
the SHA-256 of what an instrument was made of (`synth.instruments.duplicates`).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from synth.control.json_document import brief, parse_json, pretty, read_bounded
from synth.control.kept_files import set_aside
from synth.errors import TetradError
from synth.files import atomic_write_bytes

FORMAT, VERSION = "tetrad-library", 1
FILE_NAME, LOCK_NAME = ".library.json", ".library.lock"
MOST_TAGS, MOST_TAG, MOST_DISPLAY_NAME = 16, 40, 100
_MOST_BYTES, _MOST_INSTRUMENTS = 8 * 1024 * 1024, 10_000
_EXPECTED = f"a {FORMAT} file of version {VERSION}"


@dataclass(frozen=True)
class Label:
    """display_name, tags: None where the instrument's file counts. recordings: hexadecimal, "" where not known."""

    display_name: str | None = None
    tags: tuple[str, ...] | None = None
    favourite: bool = False
    recordings: str = ""

    def to_json(self) -> dict[str, Any]:
        content: dict[str, Any] = {}
        if self.display_name is not None:
            content["display_name"] = self.display_name
        if self.tags is not None:
            content["tags"] = list(self.tags)
        if self.favourite:
            content["favourite"] = True
        if self.recordings:
            content["recordings"] = self.recordings
        return content


def read_labels(folder: Path) -> dict[str, Label]:
    """Labels by instrument; none where there is no file. Raises TetradError for a file of another kind."""
    path = folder / FILE_NAME
    if not path.exists():
        return {}
    document = parse_json(read_bounded(path, _MOST_BYTES, _EXPECTED), str(path), _EXPECTED)
    if not isinstance(document, dict) or set(document) != {"format", "version", "instruments"}:
        raise TetradError(f"{path} does not hold format, version and instruments; {_EXPECTED} was expected")
    if (document["format"], document["version"]) != (FORMAT, VERSION):
        raise TetradError(
            f"{path} is {brief(document['format'])} of version {brief(document['version'])}; {_EXPECTED} was expected"
        )
    rows = document["instruments"]
    if not isinstance(rows, dict) or len(rows) > _MOST_INSTRUMENTS:
        raise TetradError(f"{path}: instruments are not an object of at most {_MOST_INSTRUMENTS:,}; correct it")
    return {name: _label(f"{path}: {brief(name)}", row) for name, row in rows.items()}


def change_label(folder: Path, name: str, **changes: Any) -> Label:
    """Give an instrument's label other fields, and write the file; other processes wait. Raises TetradError."""
    with _locked(folder):
        labels = _read_or_begin_anew(folder)
        label = replace(labels.get(name, Label()), **changes)
        labels[name] = label
        _write(folder, labels)
    return label


def set_label(folder: Path, name: str, label: Label) -> None:
    """An instrument's whole label, as `change_label` writes it."""
    with _locked(folder):
        _write(folder, _read_or_begin_anew(folder) | {name: label})


def check_tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    """The tags, each once. Raises TetradError for too many or too long ones."""
    kept = tuple(dict.fromkeys(" ".join(tag.split()) for tag in tags))
    if len(kept) > MOST_TAGS or not all(0 < len(tag) <= MOST_TAG for tag in kept):
        raise TetradError(f"{len(kept)} tags were given; at most {MOST_TAGS} of 1 to {MOST_TAG} characters go; shorten")
    return kept


def check_display_name(text: str) -> str:
    """Raises TetradError for an empty or too long name."""
    plain = " ".join(text.split())
    if not 0 < len(plain) <= MOST_DISPLAY_NAME:
        raise TetradError(f"the name {brief(text)} was given; 1 to {MOST_DISPLAY_NAME} characters go; choose another")
    return plain


def _label(where: str, row: object) -> Label:
    if not isinstance(row, Mapping) or not set(row) <= {"display_name", "tags", "favourite", "recordings"}:
        raise TetradError(f"{where} is {brief(row)}; display_name, tags, favourite and recordings may stand there")
    display_name, tags = row.get("display_name"), row.get("tags")
    favourite, recordings = row.get("favourite", False), row.get("recordings", "")
    texts = [recordings] if display_name is None else [recordings, display_name]
    texts += [] if tags is None else tags if isinstance(tags, list) else [None]
    if not all(isinstance(text, str) and len(text) <= MOST_DISPLAY_NAME for text in texts):
        raise TetradError(f"{where} has a name or a tag that is no text of at most {MOST_DISPLAY_NAME}; correct it")
    if not isinstance(favourite, bool):
        raise TetradError(f"{where}: favourite is {brief(favourite)}; true or false was expected; correct it")
    return Label(display_name, None if tags is None else tuple(tags), favourite, recordings)


def _read_or_begin_anew(folder: Path) -> dict[str, Label]:
    try:
        return read_labels(folder)
    except TetradError:
        set_aside(folder / FILE_NAME)  # it stays for whoever can mend it; a damaged file must not end all renaming
        return {}


def _write(folder: Path, labels: Mapping[str, Label]) -> None:
    rows = {name: row for name, label in sorted(labels.items()) if (row := label.to_json())}
    document = {"format": FORMAT, "version": VERSION, "instruments": rows}
    atomic_write_bytes(folder / FILE_NAME, pretty(document, ("instruments",)))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise TetradError(
            f"the library {folder} can't be written ({error.strerror}); a folder of one's own was expected; "
            "set TETRAD_HOME to a place that can"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
