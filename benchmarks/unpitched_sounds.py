"""Recordings that harmonic partials and noise bands describe badly, by class, from Debian packages.

`apt-get install fluid-soundfont-gm sonic-pi-samples espeak-ng`: drums, bars and bells of a General MIDI sound font,
chords of its instruments, sampled drums, tablas and drum loops, and speech.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from models.dataset.render import render_note
from models.dataset.soundfont import Preset, default_font_paths, read_sound_font
from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ, Float32Array
from synth.instruments.resampling import to_engine_rate

SAMPLES_DIR = Path("/usr/share/sonic-pi/samples")
LONGEST_S = 4.0
VELOCITY = 100
DRUM_BANK = 128
DRUM_KEYS = (35, 36, 37, 38, 39, 40, 41, 42, 44, 45, 46, 47, 48, 54, 56, 58, 60, 62, 64, 65, 67, 69, 73, 75, 76, 80)
CYMBAL_KEYS = (49, 51, 52, 53, 55, 57, 81)
BARS = {"glockenspiel": 9, "vibraphone": 11, "marimba": 12, "xylophone": 13, "kalimba": 108}
BELLS = {"tubular bells": 14, "tinkle bell": 112, "agogo": 113, "steel drums": 114, "music box": 10}
SKINS = {"timpani": 47, "woodblock": 115, "taiko": 116, "melodic tom": 117, "synth drum": 118}
CHORDS = {"piano": 0, "organ": 19, "guitar": 25, "strings": 48, "brass": 61, "pad": 89}
SAMPLED = {
    "sampled drum": ("bd_haus", "bd_808", "sn_dub", "sn_dolf", "drum_tom_mid_hard", "drum_snare_hard", "drum_cowbell"),
    "gong": ("drum_cymbal_open", "drum_splash_hard", "elec_cymbal", "elec_bell", "perc_bell", "perc_bell2"),
    "tabla": ("tabla_ghe1", "tabla_na", "tabla_tas1", "tabla_tun1", "tabla_re", "tabla_dhec"),
    "chord": ("guit_em9", "guit_e_fifths", "ambi_piano"),
    "loop": ("loop_amen", "loop_breakbeat", "loop_tabla", "loop_industrial", "loop_safari", "loop_garzul"),
}
SENTENCES = {
    "en": "Four corners, one surface.",
    "en+f3": "Sing a note and play it.",
    "de": "Vier Ecken, eine Fl\u00e4che.",
    "fr+m5": "Quatre coins, une surface.",
}


class Sound(NamedTuple):
    """A recording of one class. pitched: what its source says of it; None where it says nothing."""

    name: str
    kind: str
    audio: Float32Array
    pitch: int
    pitched: bool | None


def sounds() -> Iterator[Sound]:
    """All of them, float32 at 48 kHz from their onset, at most 4 s. Raises TetradError if a package is missing."""
    font = default_font_paths()[0]
    presets = {(p.bank, p.number): p for p in read_sound_font(font).presets}
    for key in DRUM_KEYS + CYMBAL_KEYS:
        kind = "gong" if key in CYMBAL_KEYS else "drum"
        yield Sound(f"drum key {key}", kind, _note(font, presets[DRUM_BANK, 0], key), key, False)
    for kind, programs, keys in (("bar", BARS, (60, 72, 84)), ("bell", BELLS, (60, 72, 84)), ("skin", SKINS, (43, 55))):
        for name, program in programs.items():
            for key in keys:
                yield Sound(f"{name} {key}", kind, _note(font, presets[0, program], key), key, None)
    for name, program in CHORDS.items():
        notes = [render_note(font, presets[0, program], key, VELOCITY, 0.0) for key in (48, 55, 64)]
        yield Sound(f"{name} chord", "chord", _from_onset(np.mean(notes, axis=0).astype(np.float32)), 48, None)
    for kind, names in SAMPLED.items():
        for name in names:
            yield Sound(name, kind, _sampled(name), 60, None if kind in ("gong", "chord") else False)
    for voice, text in SENTENCES.items():
        yield Sound(f"{voice}: {text}", "speech", _spoken(voice, text), 48, False)


def _note(font: Path, preset: Preset, key: int) -> Float32Array:
    return _from_onset(render_note(font, preset, key, VELOCITY, 0.0).astype(np.float32))


def _sampled(name: str) -> Float32Array:
    path = SAMPLES_DIR / f"{name}.flac"
    if not path.is_file():
        raise TetradError(f"{path} is missing; expected the Debian package sonic-pi-samples; install it")
    return _at_48_khz(*soundfile.read(path, dtype="float32", always_2d=True))


def _spoken(voice: str, text: str) -> Float32Array:
    try:
        done = subprocess.run(["espeak-ng", "-v", voice, "--stdout", text], capture_output=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError) as error:
        raise TetradError(f"espeak-ng can't speak ({error}); expected the Debian package espeak-ng") from error
    return _at_48_khz(*soundfile.read(BytesIO(done.stdout), dtype="float32", always_2d=True))


def _at_48_khz(samples: Float32Array, rate_hz: int) -> Float32Array:
    return _from_onset(to_engine_rate(samples.mean(axis=1), rate_hz))


def _from_onset(audio: Float32Array) -> Float32Array:
    """From 2 ms before the first sample within 40 dB of the peak to where 60 dB below it is last seen, at most 4 s."""
    level = np.abs(audio)
    first = max(0, int(np.argmax(level > 0.01 * level.max())) - 96)
    last = int(np.flatnonzero(level > 0.001 * level.max())[-1]) + 1
    return np.ascontiguousarray(audio[first : min(last, first + round(LONGEST_S * SAMPLE_RATE_HZ))])
