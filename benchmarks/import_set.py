"""Writes the recordings that `tetrad bench import` is measured on, as a note set with a kind for each sound.

    python -m benchmarks.import_set data/import && tetrad bench import data/import --json

From Debian packages (`make import-set` installs them): three keys of every third General MIDI program of FluidR3,
rendered, as pitched; the drums, bars, bells, chords, loops and words of `benchmarks.unpitched_sounds` by kind.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import soundfile

from benchmarks.unpitched_sounds import VELOCITY, Sound, sounds
from models.dataset.render import render_note
from models.dataset.soundfont import default_font_paths, read_sound_font
from synth.command import progress
from synth.errors import TetradError
from synth.files import atomic_write_bytes
from synth.frames import SAMPLE_RATE_HZ

PROGRAMS = range(0, 112, 3)
"""General MIDI's instruments up to the bagpipes and fiddles; what follows are noises and drums."""
KEYS = ((40, 52, 64), (48, 60, 72), (55, 67, 79))
"""Each program has one of the three rows, in turn."""
PITCHED = "pitched"


def pitched_sounds() -> Iterator[Sound]:
    """Notes of General MIDI programs, float32 at 48 kHz, 4 s with the key let go after 3."""
    font = default_font_paths()[0]
    presets = {(p.bank, p.number): p for p in read_sound_font(font).presets}
    for index, program in enumerate(PROGRAMS):
        preset = presets[0, program]
        for key in KEYS[index % len(KEYS)]:
            audio = render_note(font, preset, key, VELOCITY, 0.0).astype("float32")
            yield Sound(f"{preset.name} {key}", PITCHED, audio, key, True)


def write_set(folder: Path) -> int:
    """Writes all sounds; returns how many. Raises TetradError when a package is missing or the folder can't be made."""
    audio = folder / "audio"
    try:
        audio.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TetradError(f"{folder} can't be made ({error.strerror}); a writable place was expected") from error
    entries = {}
    for sound in progress([*pitched_sounds(), *sounds()], description="recordings", unit="sound"):
        name = "".join(c if c.isalnum() else "_" for c in f"{sound.kind} {sound.name}").lower()
        soundfile.write(audio / f"{name}.flac", sound.audio, SAMPLE_RATE_HZ, subtype="PCM_24")
        entries[name] = {
            "instrument_str": name,
            "note_str": name,
            "pitch": sound.pitch,
            "velocity": VELOCITY,
            "sample_rate": SAMPLE_RATE_HZ,
            "kind": sound.kind,
            "pitched": sound.pitched,
        }
    atomic_write_bytes(folder / "examples.json", json.dumps(entries, indent=1).encode())
    return len(entries)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    print(f"{folder}: {write_set(folder)} recordings")


if __name__ == "__main__":
    main()
