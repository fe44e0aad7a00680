"""Where recorded notes come from: a note set in NSynth's layout, or a folder of files named by their keys."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import soundfile

from synth.errors import TetradError
from synth.frames import Float32Array
from synth.instruments.analysis import check_audio
from synth.instruments.notes import SourceNote
from synth.instruments.resampling import to_engine_rate

AUDIO_SUFFIXES = (".wav", ".flac", ".aiff", ".aif", ".ogg", ".mp3")
LONGEST_S = 60.0
SET_RELEASE_S = 3.0
"""When the keys of a note set are let go: NSynth's, and that of `tetrad model data`."""
NoteEntries = dict[str, dict[str, dict[str, object]]]
"""Instrument -> note -> its entry in `examples.json`."""
_NAME = re.compile(r"[-_ ](?P<pitch>\d{1,3})(?:[-_ ]v?(?P<velocity>\d{1,3}))?$")


@dataclass(frozen=True)
class FoundNote:
    """A recording that has not been read yet. `release_s` is where its key was let go, None if unknown."""

    path: Path
    pitch: int
    velocity: int
    release_s: float | None


def read_note_audio(path: Path) -> Float32Array:
    """One channel at 48 kHz, float32 [N], from any file that libsndfile reads; channels are averaged."""
    try:
        with soundfile.SoundFile(path) as file:
            if file.frames > LONGEST_S * file.samplerate:
                raise TetradError(
                    f"{path} lasts {file.frames / file.samplerate:.0f} s; at most {LONGEST_S:.0f} s expected"
                )
            rate_hz = file.samplerate
            audio = file.read(dtype="float32", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise TetradError(f"{path} can't be read as audio ({error}); expected WAV, FLAC, AIFF, OGG or MP3") from error
    return check_audio(to_engine_rate(audio.mean(axis=1), rate_hz), str(path))


def read_note(note: FoundNote) -> SourceNote:
    return SourceNote(read_note_audio(note.path), note.pitch, note.velocity, note.release_s)


def folder_notes(directory: Path) -> list[FoundNote]:
    """Files whose names end in a MIDI note and perhaps a velocity: `flute_60.wav`, `flute-060-090.flac`."""
    found = []
    for path in sorted(p for p in directory.iterdir() if p.suffix.lower() in AUDIO_SUFFIXES):
        match = _NAME.search(path.stem)
        if match is None:
            raise TetradError(
                f"{path.name} does not tell its key; expected a name like flute_60.wav or flute-060-090.wav"
            )
        pitch, velocity = int(match["pitch"]), int(match["velocity"] or 100)
        if not (0 <= pitch <= 127 and 1 <= velocity <= 127):
            raise TetradError(f"{path.name} says key {pitch}, velocity {velocity}; expected 0..127 and 1..127")
        found.append(FoundNote(path, pitch, velocity, None))
    if not found:
        raise TetradError(
            f"{directory} holds no recordings; expected files like flute_60.wav ({', '.join(AUDIO_SUFFIXES)})"
        )
    return found


def note_set(directory: Path) -> NoteEntries:
    """`examples.json` of a set in NSynth's layout, by instrument."""
    path = directory / "examples.json"
    try:
        entries = json.loads(path.read_bytes())
        by_instrument: NoteEntries = {}
        for note_str, entry in entries.items():
            by_instrument.setdefault(entry["instrument_str"], {})[note_str] = entry
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise TetradError(
            f"{path} is not an NSynth-style list of notes ({error}); expected instrument_str in each"
        ) from error
    return by_instrument


def note_set_notes(directory: Path, entries: dict[str, dict[str, object]], release_s: float | None) -> list[FoundNote]:
    """The recordings of one instrument of a set: `audio/<note_str>.wav` or `.flac`."""
    found = []
    for note_str, entry in entries.items():
        paths = [directory / "audio" / f"{note_str}{suffix}" for suffix in (".wav", ".flac")]
        path = next((p for p in paths if p.is_file()), None)
        if path is None:
            raise TetradError(f"{paths[0]} is missing; expected it beside examples.json; make the set again")
        found.append(FoundNote(path, int(str(entry["pitch"])), int(str(entry["velocity"])), release_s))
    return found
