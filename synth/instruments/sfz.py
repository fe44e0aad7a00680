"""Notes of an SFZ file: every region that sounds when a key is struck, as a recording with its key and velocity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from synth.errors import TetradError
from synth.instruments.audio_files import AudioFacts, examine, read_audio
from synth.instruments.notes import Finding, FoundNote, RawAudio
from synth.instruments.sample_loops import SampleWord, sample_word
from synth.instruments.sfz_paths import LibraryFolder
from synth.instruments.sfz_regions import Region, read_regions
from synth.instruments.sfz_text import read_sections
from synth.instruments.thinning import MOST_NOTES, thin

MOST_PROBLEMS = 20
"""Lines; a library without its samples would fill the screen with one for each."""
_FULL_RANGE_VELOCITY = 100
"""Of a region that plays at every velocity: as of any recording whose source says nothing."""


@dataclass(frozen=True)
class _Placed:
    """A region with its file, and where on the keyboard and in velocity its recording stands."""

    region: Region
    path: Path
    pitch: int
    tuning_cents: float | None
    velocity: int


def find_sfz(path: Path, *, folder: Path | None = None) -> Finding:
    """What an SFZ file holds: one note a region that sounds, its pitch the key that plays the recording as it is (less
    `transpose` and `tune`, so the recording's own), its velocity the middle of the region's.

    folder: of the whole library, where it is not the file's own; nothing outside it is touched.
    More than 512 notes are thinned evenly over keys and layers. Regions that don't sound at rest (releases, other key
    switches and controllers, later round robins, a player's own oscillators) are counted in `problems`, and recordings
    that are missing are named. A region without key tracking stands at the middle of its keys, its tuning unknown.
    Raises TetradError when the file can't be read, points outside the folder, or no region of it has a recording.
    """
    home = LibraryFolder(path.parent if folder is None else folder)
    here = path.parent.resolve()
    if here != home.path and home.path not in here.parents:
        raise TetradError(f"{path} is not inside the library's folder {folder}; name a folder that holds it")
    regions = read_regions(read_sections(path, home))
    problems = [f"{count} of {regions.total} regions left out: {why}" for why, count in regions.left_out.items()]
    placed, missing = _place(regions.sounding, home, here)
    problems += [f"{name}: not there; its regions are left out" for name in missing]
    chosen = thin(placed, lambda note: (note.pitch, note.velocity))
    if len(chosen) < len(placed):
        problems.append(
            f"{len(placed)} regions; {len(chosen)} are taken, evenly over keys and layers (at most {MOST_NOTES})"
        )
    notes = []
    facts: dict[Path, AudioFacts | TetradError] = {}
    for note in chosen:
        try:
            notes.append(_found(note, facts, home.path))
        except TetradError as error:
            problems.append(str(error))
    if not notes:
        said = "; ".join(problems[:3]) or "it has no <region>"
        raise TetradError(f"{path} has no region with a recording ({said}); expected an SFZ file beside its samples")
    if len(problems) > MOST_PROBLEMS:
        problems = [*problems[:MOST_PROBLEMS], f"and {len(problems) - MOST_PROBLEMS} more like these"]
    return Finding(path.stem, tuple(notes), problems=tuple(problems), origin=path.name)


def _place(regions: Sequence[Region], home: LibraryFolder, here: Path) -> tuple[list[_Placed], list[str]]:
    """Regions with their files, each recording once for one key and velocity; and names of files that are missing."""
    placed: dict[tuple[object, ...], _Placed] = {}
    files: dict[str, Path | None] = {}
    words: dict[Path, SampleWord] = {}
    for region in regions:
        if region.sample not in files:
            files[region.sample] = home.find(here, region.sample)
        path = files[region.sample]
        if path is None:
            continue
        if path not in words:
            words[path] = sample_word(path)
        note = _key(region, path, words[path])
        # Layers of one recording (one for each key that it covers, one a microphone's position) are one note.
        placed.setdefault((path, note.pitch, note.velocity, region.offset, region.end, region.reverse), note)
    return list(placed.values()), sorted(name for name, path in files.items() if path is None)


def _key(region: Region, path: Path, word: SampleWord) -> _Placed:
    low, high = region.velocities
    velocity = _FULL_RANGE_VELOCITY if (low <= 1 and high >= 127) else max((low + high + 1) // 2, 1)
    loop_start = word.loop[0] if region.loop_start is None and word.loop else region.loop_start
    loop_end = word.loop[1] if region.loop_end is None and word.loop else region.loop_end
    # A loop in the file is played unless the region says no; without one, the region has to ask for it.
    plays_loop = region.loop_mode in {"loop_continuous", "loop_sustain"} or (region.loop_mode is None and word.loop)
    region = replace(region, loop_start=loop_start if plays_loop else None, loop_end=loop_end if plays_loop else None)
    if region.keytrack == 0.0:
        return _Placed(region, path, sum(region.keys) // 2, None, velocity)
    keycenter = region.keycenter
    if keycenter is None:
        keycenter = 60 if word.keycenter is None else word.keycenter
    cents = 100.0 * keycenter - region.tune_cents
    pitch = min(max(round(cents / 100.0), 0), 127)
    return _Placed(region, path, pitch, cents - 100.0 * pitch, velocity)


def _found(note: _Placed, facts: dict[Path, AudioFacts | TetradError], home: Path) -> FoundNote:
    region, path = note.region, note.path
    if path not in facts:
        try:
            facts[path] = examine(path)
        except TetradError as error:
            facts[path] = error
    known = facts[path]
    if isinstance(known, TetradError):
        raise known
    end = known.n_samples if region.end is None else min(region.end, known.n_samples)
    if region.offset >= end:
        raise TetradError(
            f"{path.name}: its region begins at sample {region.offset}, past the end at {end}; it is left out"
        )
    loop = None
    if region.loop_start is not None and region.loop_end is not None and not region.reverse:
        start, stop = max(region.loop_start, region.offset), min(region.loop_end, end)
        if start < stop:
            loop = (start - region.offset) / known.rate_hz, (stop - region.offset) / known.rate_hz
    end_s = None if end == known.n_samples else end / known.rate_hz
    return FoundNote(
        name=str(path.relative_to(home)),
        read=partial(_read, path, region.offset / known.rate_hz, end_s, region.reverse),
        pitch=note.pitch,
        velocity=note.velocity,
        tuning_cents=note.tuning_cents,
        loop_s=loop,
        gain_db=region.gain_db,
        pitched=False if region.keytrack == 0.0 else None,
    )


def _read(path: Path, start_s: float, end_s: float | None, reverse: bool) -> RawAudio:
    audio = read_audio(path, start_s, end_s)
    return RawAudio(np.ascontiguousarray(audio.samples[::-1]), audio.rate_hz) if reverse else audio
