"""A folder of recorded notes, perhaps in folders of its own (`ff/flute_60.wav`); keys and velocities by their names.

The forerunner's folders (`sound_24.wav` at 16 kHz, every four keys to 84) are of this kind too.
"""

from __future__ import annotations

import functools
import os
import re
import stat
from collections import Counter
from pathlib import Path

from synth.errors import TetradError
from synth.instruments.audio_files import AUDIO_SUFFIXES, LONGEST_S, examine, read_audio
from synth.instruments.most_notes import thinned
from synth.instruments.note_names import NameReading, read_names
from synth.instruments.notes import Finding, FoundNote

MOST_FILES = 10_000
"""Entries that are looked at; the largest free libraries have some 5,000 files."""
MOST_PROBLEMS = 50
DEFAULT_VELOCITY = 100
_IGNORED = ("__macosx", "@eadir", "$recycle.bin")


def find_folder(directory: Path, instrument: str | None = None) -> Finding:
    """The notes of a folder, and of the folders in it one level down. instrument: only files whose names begin so.

    A file that can't be read is named in `problems` and left out. Raises TetradError when none is left.
    """
    problems: list[str] = []
    paths = files_in(directory, AUDIO_SUFFIXES, problems)
    if instrument is not None:
        paths = [p for p in paths if p.stem.lower().startswith(instrument.lower())]
        if not paths:
            raise TetradError(f"{directory} has no recording whose name begins with {instrument!r}; check the names")
    if not paths:
        raise TetradError(
            f"{directory} holds no recordings; expected files like flute_60.wav ({', '.join(AUDIO_SUFFIXES)})"
        )
    readings, remarks = read_names([p.relative_to(directory).with_suffix("").as_posix() for p in paths])
    problems += remarks + _several_instruments(readings)
    taken = _first_takes(paths, readings, problems)
    found = [
        FoundNote(
            path.relative_to(directory).as_posix(),
            functools.partial(read_audio, path, 0.0, LONGEST_S),
            reading.pitch,
            reading.velocity or DEFAULT_VELOCITY,
        )
        for path, reading in taken
    ]
    kept, said = thinned(found)  # before they are opened: 15,000 files take a minute
    notes = [note for note in kept if _can_be_read(directory / note.name, problems)]
    if not notes:
        raise TetradError(f"none of the {len(kept)} recordings in {directory} can be used: {problems[-1]}")
    name = instrument or directory.resolve().name
    return Finding(name=name, notes=tuple(notes), problems=(*said, *_bounded(problems)), origin=name)


def files_in(directory: Path, suffixes: tuple[str, ...], problems: list[str]) -> list[Path]:
    """Files with these suffixes (small letters) in the folder and one level below, sorted.

    Hidden files and leftovers of other systems are ignored; what leads out of the folder goes to `problems`. Raises
    TetradError for a folder that can't be read, or has too many files.
    """
    found: list[Path] = []
    root = directory.resolve()
    n_seen = 0
    folders = [(directory, True)]
    for folder, is_top in folders:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    n_seen += 1
                    if n_seen > MOST_FILES:
                        raise TetradError(f"{directory} holds over {MOST_FILES} files; name a folder of one instrument")
                    if entry.name.startswith(".") or entry.name.lower() in _IGNORED:
                        continue
                    path = folder / entry.name
                    mode = _mode_inside(path, root, problems)
                    if is_top and stat.S_ISDIR(mode):
                        folders.append((path, False))
                    elif path.suffix.lower() in suffixes and stat.S_ISREG(mode):
                        found.append(path)
        except OSError as error:
            line = f"{folder} can't be read ({error.strerror}); a folder of recordings was expected; check its rights"
            if is_top:
                raise TetradError(line) from error
            problems.append(line)
    return sorted(found)


def _mode_inside(path: Path, root: Path, problems: list[str]) -> int:
    """What `path` is, 0 for what is not there or leads out of `root`."""
    try:
        if path.is_symlink() and not path.resolve(strict=True).is_relative_to(root):
            problems.append(f"{path.name} leads out of the folder and was left out; copy the file into it")
            return 0
        return path.stat().st_mode
    except (OSError, RuntimeError):  # RuntimeError: a loop of links, in Python before 3.13
        problems.append(f"{path.name} leads nowhere and was left out")
        return 0


def _several_instruments(readings: list[NameReading]) -> list[str]:
    """A line if the names look like those of more than one instrument."""
    names = Counter(re.sub(r"[\d\W_]+", " ", r.name.rsplit("/", maxsplit=1)[-1]).strip().lower() for r in readings)
    repeated = [name for name, count in names.most_common() if name and count > 1]
    if len(repeated) > 1 and sum(names[name] for name in repeated) >= 0.8 * len(readings):
        return [
            f"there seem to be {len(repeated)} instruments in it ({', '.join(repeated[:4])}); name one as instrument"
        ]
    return []


def _first_takes(paths: list[Path], readings: list[NameReading], problems: list[str]) -> list[tuple[Path, NameReading]]:
    """The first of several takes of one note."""
    kept: dict[object, tuple[Path, NameReading]] = {}
    for path, reading in zip(paths, readings, strict=True):
        note = (reading.pitch, reading.velocity, reading.name)
        is_take = reading.pitch is not None and reading.round_robin is not None
        key: object = note if is_take else path
        if key not in kept or (reading.round_robin or 0) < (kept[key][1].round_robin or 0):
            kept[key] = (path, reading)
    if len(kept) < len(paths):
        problems.append(f"{len(paths) - len(kept)} further takes of the same notes were left out")
    return list(kept.values())


def _can_be_read(path: Path, problems: list[str]) -> bool:
    """Whether the file can be read; what is wrong with it goes to `problems`."""
    try:
        facts = examine(path)
    except TetradError as error:
        problems.append(f"{error}; it was left out")
        return False
    if facts.problem:
        problems.append(facts.problem)
    if facts.duration_s > LONGEST_S:
        problems.append(
            f"{path.name} lasts {facts.duration_s:.0f} s; its first {LONGEST_S:.0f} s are taken as one note"
        )
    return True


def _bounded(problems: list[str]) -> list[str]:
    if len(problems) <= MOST_PROBLEMS:
        return problems
    return [*problems[:MOST_PROBLEMS], f"and {len(problems) - MOST_PROBLEMS} more of the kind"]
