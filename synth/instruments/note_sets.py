"""Sets of notes in NSynth's layout: `examples.json` and `audio/<note>.wav` (Engel et al. 2017, and its README)."""

from __future__ import annotations

import difflib
import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path

from synth.errors import TetradError
from synth.instruments.analysis import check_audio
from synth.instruments.audio_files import read_audio
from synth.instruments.format import FAMILIES
from synth.instruments.most_notes import thinned
from synth.instruments.notes import Finding, FoundNote, SourceNote
from synth.instruments.resampling import to_engine_rate

SET_RELEASE_S = 3.0
"""When the keys of a note set are let go: NSynth's, and that of `tetrad model data`."""
LIST_NAME = "examples.json"
MOST_LIST_BYTES = 300_000_000
"""NSynth's largest part, 289,205 notes, has a list of 178 MB."""
NoteEntries = dict[str, dict[str, dict[str, object]]]
"""Instrument -> note -> its entry in `examples.json`."""
_PLAIN_NAME = re.compile(r"[^/\\\0]{1,200}")


def note_set(directory: Path) -> NoteEntries:
    """`examples.json` of a set, by instrument. Raises TetradError for what is no such list."""
    path = directory / LIST_NAME
    wanted = "expected instrument_str in each; make the set again"
    try:
        if path.stat().st_size > MOST_LIST_BYTES:
            raise TetradError(f"{path} has {path.stat().st_size} bytes; at most {MOST_LIST_BYTES} expected")
        entries = json.loads(path.read_bytes())
        by_instrument: NoteEntries = {}
        for note_str, entry in entries.items():
            if not isinstance(entry["instrument_str"], str):
                raise TetradError(f"{path}: the instrument of {note_str!r} is no text; {wanted}")
            by_instrument.setdefault(entry["instrument_str"], {})[note_str] = entry
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise TetradError(f"{path} is not an NSynth-style list of notes ({error}); {wanted}") from error
    return by_instrument


def note_set_notes(
    directory: Path, entries: Mapping[str, Mapping[str, object]], release_s: float | None
) -> list[FoundNote]:
    """The recordings of one instrument of a set: `audio/<note>.wav` or `.flac`.

    Raises TetradError for one that is missing or lies elsewhere, and for a pitch or velocity that is none.
    """
    return [_found(directory, note_str, entry, release_s) for note_str, entry in entries.items()]


def read_note(found: FoundNote) -> SourceNote:
    """A prepared recording as it is, mixed to mono, at 48 kHz: it begins at its onset and is in tune.

    Raises TetradError where the source did not tell its key, and for samples that are no numbers.
    """
    if found.pitch is None:
        raise TetradError(f"{found.name} does not tell its key; a note set with keys was expected")
    raw = found.read()
    audio = check_audio(to_engine_rate(raw.samples.mean(axis=1), raw.rate_hz), found.name)
    return SourceNote(audio, found.pitch, found.velocity, found.release_s)


def find_note_set(directory: Path, instrument: str | None) -> Finding:
    """One instrument of a set; notes whose recording is missing are left out and named.

    Raises TetradError when the set has several instruments and none, or an unknown one, was named.
    """
    by_instrument = note_set(directory)
    if instrument is None and len(by_instrument) == 1:
        instrument = next(iter(by_instrument))
    if instrument not in by_instrument:
        near = difflib.get_close_matches(instrument or "", by_instrument, n=3, cutoff=0.3) or list(by_instrument)[:3]
        raise TetradError(
            f"{directory} has {len(by_instrument)} instruments and none named {instrument!r}; name one of them as "
            f"instrument, such as {', '.join(near)}"
        )
    entries = by_instrument[instrument]
    notes, problems = [], []
    for note_str, entry in entries.items():
        try:
            notes.append(_found(directory, note_str, entry, SET_RELEASE_S))
        except TetradError as error:
            problems.append(str(error))
    if not notes:
        raise TetradError(f"{directory} has no recording of {instrument}: {problems[0]}")
    kept, said = thinned(notes)
    family = str(next(iter(entries.values())).get("instrument_family_str", ""))
    return Finding(
        name=instrument,
        notes=tuple(kept),
        family=family if family in FAMILIES else None,
        problems=(*problems, *said),
        origin=f"{directory.resolve().name} ({instrument})",
    )


def _found(directory: Path, note_str: str, entry: Mapping[str, object], release_s: float | None) -> FoundNote:
    if not _PLAIN_NAME.fullmatch(note_str) or note_str in {".", ".."}:
        raise TetradError(f"{directory / LIST_NAME} names a note {note_str!r:.80}; a plain file name was expected")
    paths = [directory / "audio" / f"{note_str}{suffix}" for suffix in (".wav", ".flac")]
    path = next((p for p in paths if p.is_file()), None)
    if path is None:
        raise TetradError(f"{paths[0]} is missing; expected it beside {LIST_NAME}; make the set again")
    if not path.resolve().is_relative_to(directory.resolve()):
        raise TetradError(f"{path} leads out of {directory}; recordings inside it were expected; copy the file there")
    pitch, velocity = entry.get("pitch"), entry.get("velocity")
    if type(pitch) is not int or type(velocity) is not int or not (0 <= pitch <= 127 and 1 <= velocity <= 127):
        raise TetradError(
            f"{directory / LIST_NAME}: {note_str} has pitch {pitch!r:.20}, velocity {velocity!r:.20}; expected 0..127 "
            "and 1..127"
        )
    return FoundNote(note_str, functools.partial(read_audio, path), pitch, velocity, release_s=release_s)
