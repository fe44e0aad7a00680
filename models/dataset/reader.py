"""Reading a note set: which notes there are (`NoteSet.examples`), and their audio (`NoteSet.audio_48k`)."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from models.dataset import note_file
from models.dataset.manifest import EXAMPLES_FILE, MANIFEST_FILE, read_manifest
from models.dataset.notes import LOW_RATE_HZ, SAMPLE_RATE_HZ, SPLITS
from synth.errors import TetradError
from synth.instruments.resampling import to_engine_rate

DEFAULT_DIRECTORY = Path("data/notes")
"""Where `make data` puts the note set, seen from the checkout."""
DATA_HELP = f"note set that `tetrad model data` wrote (default {DEFAULT_DIRECTORY})"
_JSON_NAMES = {
    "name": "note_str",
    "instrument": "instrument_str",
    "family": "instrument_family_str",
    "rate_hz": "sample_rate",
}


@dataclass(frozen=True)
class Example:
    """One note: `pitch` MIDI note, `velocity` 1..127, `peak` of the 48 kHz audio (1 is full scale).

    `held_db`: level of the second before the release against that of 0.1..1.0 s; None for no sound there.
    `program` is None for recordings. `rate_hz` is what the note is known at: 48 kHz, or 16 kHz for an NSynth set's.
    `group`: the instruments of one group sound alike, and are on one side of the split.
    """

    name: str
    instrument: str
    family: str
    font: str
    bank: int
    program: int | None
    preset: str
    pitch: int
    velocity: int
    sustains: bool
    split: str
    peak: float
    held_db: float | None
    rate_hz: int
    group: str


class NoteSet:
    """A complete note set on disk. Open one with `NoteSet.open`."""

    def __init__(self, directory: Path, manifest: dict[str, object], examples: dict[str, Example]) -> None:
        self.directory = directory
        self.manifest = manifest
        self._examples = examples

    @classmethod
    def open(cls, directory: Path | str) -> "NoteSet":
        """Check and open a note set.

        Raises TetradError for a missing directory, an unknown format or newer version, an unfinished set, a changed
        examples.json, and audio files that are missing.
        """
        directory = Path(directory)
        manifest = read_manifest(directory)
        if manifest is None:
            raise TetradError(
                f"there is no {MANIFEST_FILE} in {directory}; a note set was expected; "
                f"make one with `tetrad model data {directory}`"
            )
        if manifest.get("complete") is not True:
            raise TetradError(
                f"the note set in {directory} is not complete; a finished one was expected; "
                "go on with the `tetrad model data` command that began it"
            )
        examples = _read_examples(directory, manifest)
        _check_files(directory, examples)
        return cls(directory, manifest, examples)

    def __len__(self) -> int:
        return len(self._examples)

    def __iter__(self) -> Iterator[Example]:
        return iter(self._examples.values())

    def __getitem__(self, name: str) -> Example:
        if name not in self._examples:
            raise TetradError(f"there is no note {name} in {self.directory}; see {EXAMPLES_FILE} there for its notes")
        return self._examples[name]

    def examples(
        self,
        *,
        split: str | None = None,
        instrument: str | None = None,
        family: str | None = None,
        velocity: int | None = None,
    ) -> list[Example]:
        """The notes that meet every condition given, in the set's order (font, bank, program, pitch, velocity)."""
        if split is not None and split not in SPLITS:
            raise TetradError(f"there is no split {split!r}; {' or '.join(SPLITS)} was expected")
        return [
            e
            for e in self
            if split in (None, e.split)
            and instrument in (None, e.instrument)
            and family in (None, e.family)
            and velocity in (None, e.velocity)
        ]

    def instruments(self, *, split: str | None = None) -> list[str]:
        """Names of the instruments, each once, in the set's order."""
        return list(dict.fromkeys(e.instrument for e in self.examples(split=split)))

    def audio_48k(self, name: str) -> np.ndarray:
        """float32 [192000] at 48 kHz, -1..1: 3 s held, 1 s released. Raises TetradError for an unusable file.

        A note that is known at 16 kHz alone is brought to 48 kHz and has nothing above 8 kHz.
        """
        if self[name].rate_hz != SAMPLE_RATE_HZ:
            return np.asarray(to_engine_rate(self.audio_16k(name), self[name].rate_hz), np.float32)
        return note_file.read_audio(note_file.audio_path(self.directory, self[name].name))

    def audio_16k(self, name: str) -> np.ndarray:
        """float32 [64000] at 16 kHz, -1..1. Raises TetradError for an unusable file."""
        return note_file.read_low_audio(note_file.low_audio_path(self.directory, self[name].name))


def _read_examples(directory: Path, manifest: dict[str, object]) -> dict[str, Example]:
    path = directory / EXAMPLES_FILE
    try:
        encoded = path.read_bytes()
    except OSError as error:
        raise TetradError(
            f"cannot read {path}: {error.strerror}; it was expected beside {MANIFEST_FILE}; "
            "run `tetrad model data` again"
        ) from error
    if hashlib.sha256(encoded).hexdigest() != manifest.get("examples_sha256"):
        raise TetradError(
            f"{path} is not the file that {MANIFEST_FILE} describes (its SHA-256 differs); "
            "run `tetrad model data` again"
        )
    names = [field.name for field in fields(Example)]
    entries: dict[str, dict[str, Any]] = json.loads(encoded)
    for entry in entries.values():
        entry.setdefault("group", entry["instrument_str"])  # version 1 had none
    return {
        name: Example(**{key: entry[_JSON_NAMES.get(key, key)] for key in names}) for name, entry in entries.items()
    }


def _check_files(directory: Path, examples: dict[str, Example]) -> None:
    """Raise TetradError when an example's audio is not there. Two directory listings, not a look at every file."""
    for place, rates_hz in (
        (directory / note_file.AUDIO_DIR, (SAMPLE_RATE_HZ,)),
        (directory / note_file.LOW_AUDIO_DIR, (SAMPLE_RATE_HZ, LOW_RATE_HZ)),
    ):
        present = {path.name for path in place.iterdir()} if place.is_dir() else set()
        missing = [name for name, e in examples.items() if e.rate_hz in rates_hz and f"{name}.flac" not in present]
        if missing:
            raise TetradError(
                f"{len(missing)} of {len(examples)} audio files are missing in {place}, {missing[0]}.flac first; "
                "all were expected; run `tetrad model data` again"
            )
