"""Sounds to learn pitch from: notes of a note set, disturbed as recordings are, and sounds that have no key.

Two of three programs of the set are for learning; `held_out` says which are not: a benchmark uses those.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import soxr

from models.dataset.render import render_note
from models.dataset.soundfont import Preset, read_sound_font
from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ, Float32Array
from synth.instruments import pitch_features as pf

LOWEST_KEY, HIGHEST_KEY = 24, 100
PERCUSSION_BANK = 128
NOT_DRUMS = frozenset({53, 56, 67, 68, 71, 72, 80, 81, 83, 84})
"""Keys of a General MIDI kit that have a pitch of their own, or nearly: ride bell, cowbell, agogos, whistles,
triangles, jingle bells, bell tree. Neither answer would be wrong."""
SHORTEST_S = 0.3
VOWELS_HZ = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (570, 840, 2410), (530, 1840, 2480))
WORDS = ("morning", "window", "never", "again", "the", "quick", "brown", "yellow", "simple", "people", "under", "water")
INAUDIBLE_PEAK = 1e-4


class PitchExample(NamedTuple):
    """`audio` float32 [N] at 48 kHz, peak 0.5; `key` with its fraction, NaN: has none. name, family: for reports."""

    name: str
    family: str
    audio: Float32Array
    key: float


@dataclass(frozen=True)
class Task:
    """An example that has not been made yet; `key` NaN: no key. seed: of what chance decides in `make`."""

    name: str
    family: str
    key: float
    make: Callable[[random.Random], np.ndarray]
    seed: int


def held_out(program: int | None) -> bool:
    """Whether notes of this program are for measuring: every third one.

    Sound fonts share recordings of a program, so it may not be on both sides; neighbours are of a kind (four organs,
    six mallets), so both sides have every kind. None: not of a sound font.
    """
    return program is None or program % 3 == 2


def note_tasks(data: Path, n_notes: int, *, measuring: bool, seed: int, keys: range) -> list[Task]:
    """So many notes of the note set in `data` for learning or measuring, evenly over families and half octaves."""
    try:
        examples = json.loads((data / "examples.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TetradError(f"{data} has no examples.json ({error}); expected a note set; run `make data`") from error
    cells: dict[tuple[str, int], list[str]] = {}
    for name in sorted(examples):
        note = examples[name]
        if note["pitch"] in keys and held_out(note.get("program")) == measuring:
            cells.setdefault((note["instrument_family_str"], note["pitch"] // 6), []).append(name)
    chance = random.Random(seed)
    for names in cells.values():
        chance.shuffle(names)
    chosen: list[str] = []
    order = sorted(cells)
    while len(chosen) < n_notes and any(cells.values()):
        chosen += [cells[cell].pop() for cell in order if cells[cell]]
    return [
        Task(
            name,
            examples[name]["instrument_family_str"],
            float(examples[name]["pitch"]),
            FromFile(data / "audio" / f"{name}.flac"),
            seed + index,
        )
        for index, name in enumerate(chosen[:n_notes])
    ]


def drum_tasks(fonts: Sequence[Path], n_drums: int, seed: int) -> list[Task]:
    """Hits of the fonts' percussion kits."""
    chance = random.Random(seed)
    hits = [
        (path, preset, key)
        for path in fonts
        for preset in read_sound_font(path).presets
        if preset.bank == PERCUSSION_BANK
        for key in range(27, 88)
        if key not in NOT_DRUMS
    ]
    chosen = chance.sample(hits, min(n_drums, len(hits)))
    chosen.sort(key=lambda hit: str(hit[0]))
    return [
        Task(f"{path.stem}-{preset.name}-{key}", "drum", float("nan"), _Drum(path, preset, key), seed + index)
        for index, (path, preset, key) in enumerate(chosen)
    ]


def noise_tasks(n_noises: int, seed: int) -> list[Task]:
    """Bursts of coloured and of band-limited noise."""
    return [Task(f"noise-{i}", "noise", float("nan"), _noise, seed + i) for i in range(n_noises)]


def speech_tasks(n_phrases: int, seed: int, voices: Sequence[str]) -> list[Task]:
    """Words by espeak-ng (Debian package of that name), one voice after the other."""
    return [
        Task(
            f"speech-{voices[i % len(voices)]}-{i}", "speech", float("nan"), _Speech(voices[i % len(voices)]), seed + i
        )
        for i in range(n_phrases)
    ]


def sung_tasks(n_notes: int, seed: int) -> list[Task]:
    """Vowels sung with vibrato and a scoop at the start: what speech must not be taken for, nor be taken as."""
    chance = random.Random(seed)
    keys = [chance.uniform(36.0, 84.0) for _ in range(n_notes)]
    whole = [round(key) + 0.7 * (key - round(key)) for key in keys]  # within a third of a key, so that it can be named
    return [Task(f"sung-{i}", "vocal", key, _Sung(key), seed + i) for i, key in enumerate(whole)]


def chord_tasks(notes: Sequence[Task], n_chords: int, seed: int) -> list[Task]:
    """Two or three notes of the set at once, from presets chosen by chance; they have no one key."""
    chance = random.Random(seed)
    by_key: dict[int, list[Task]] = {}
    for task in notes:
        by_key.setdefault(round(task.key), []).append(task)
    tasks: list[Task] = []
    while len(tasks) < n_chords:
        root = chance.choice(notes)
        above = chance.choice([(3, 7), (4, 7), (5, 9), (4, 10), (3,), (4,), (9,), (8,)])
        if all(round(root.key) + step in by_key for step in above):
            others = [chance.choice(by_key[round(root.key) + step]) for step in above]
            makers = tuple(task.make for task in (root, *others))
            tasks.append(Task(f"chord-{root.name}", "chord", float("nan"), _Mixed(makers), seed + len(tasks)))
    return tasks


def disturbed(audio: np.ndarray, key: float, chance: random.Random) -> tuple[np.ndarray, float]:
    """A note as people record it: sometimes short, noisy, clipped, out of tune, with hum -> (audio, its key)."""
    if chance.random() < 0.35:
        steps = chance.uniform(-3.35, 3.35) if not math.isnan(key) else chance.uniform(-4.0, 4.0)
        audio = soxr.resample(audio, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ * 2.0 ** (-steps / 12.0))
        key += steps
    if chance.random() < 0.25:
        audio = audio[: int(chance.uniform(SHORTEST_S, 1.2) * SAMPLE_RATE_HZ)]
    if chance.random() < 0.15:  # damped, as a muted string
        audio = audio * np.exp(-np.arange(audio.size) / (chance.uniform(0.03, 0.3) * SAMPLE_RATE_HZ))
    peak = float(np.abs(audio).max()) + 1e-12
    if chance.random() < 0.1:
        audio = np.clip(audio, -peak * chance.uniform(0.2, 0.7), peak * chance.uniform(0.2, 0.7))
    if chance.random() < 0.3:
        loudness = float(np.sqrt(np.mean(np.square(audio[: SAMPLE_RATE_HZ // 2]))))
        noise = np.random.default_rng(chance.getrandbits(32)).standard_normal(audio.size)
        audio = audio + noise * loudness * 10.0 ** (-chance.uniform(10.0, 50.0) / 20.0)
    return audio, key


def make(task: Task, *, disturb: bool) -> PitchExample | None:
    """One example, or None where it is silent."""
    chance = random.Random(task.seed)
    audio = np.asarray(task.make(chance), np.float64)
    key = task.key
    if disturb:
        audio, key = disturbed(audio, key, chance)
    peak = float(np.abs(audio).max(initial=0.0))
    if peak < INAUDIBLE_PEAK:
        return None
    return PitchExample(task.name, task.family, (audio * (0.5 / peak)).astype(np.float32), key)


def sounding_key(features: pf.PitchFeatures, key: float) -> float:
    """`key`, or its octave below, or one or two above, where a sound's own fundamental plainly is there.

    Below, where there is a partial at half its frequency within 20 dB of the loudest one, and 20 dB over what is at
    thirds of the way, or where of the first four places between the partials three are within 30 dB and 12 dB over
    that: an organ's 16' drawbar or stop. Above, where of partials 1 to 12 all but every second or fourth are 40 dB
    under the loudest: harmonics of a guitar. Of 8,299 notes of two sound fonts 435 are the one, all but 17 of organs,
    and 49 the other. NaN stays.
    """
    if math.isnan(key):
        return key
    at = round(key) - pf.LOWEST_KEY
    if not 0 <= at < pf.N_KEYS:
        return key
    combs = pf.RANGE_DB * features.rows[at, : 2 * pf.COMB_WIDTH].reshape(2, pf.COMB_WIDTH)
    partials, halves, thirds = np.split(combs, np.cumsum((pf.N_COMB, pf.N_HALVES)), axis=1)
    loudest = partials.max(axis=1)
    first, third_loudest = halves[:, 0], np.sort(halves[:, :4], axis=1)[:, 1]
    between = np.median(thirds[:, : pf.N_THIRDS], axis=1)
    lone = (first > loudest - 20.0) & (first > between + 20.0)
    stop = (third_loudest > loudest - 30.0) & (third_loudest > between + 12.0)
    if at >= 12 and (lone.all() or stop.all()):
        return key - 12.0
    for step, keys in ((4, 24), (2, 12)):
        others = np.arange(1, 13) % step != 0
        if at + keys < pf.N_KEYS and (partials[:, :12][:, others].max(axis=1) < loudest - 40.0).all():
            return key + keys
    return key


@dataclass(frozen=True)
class FromFile:
    """Reads an audio file, any rate and channels, as float [N] at 48 kHz."""

    path: Path

    def __call__(self, chance: random.Random) -> np.ndarray:
        audio, rate_hz = soundfile.read(self.path, dtype="float32", always_2d=True)
        mono = audio.mean(axis=1)
        return mono if rate_hz == SAMPLE_RATE_HZ else soxr.resample(mono, rate_hz, SAMPLE_RATE_HZ)


@dataclass(frozen=True)
class _Drum:
    font: Path
    preset: Preset
    key: int

    def __call__(self, chance: random.Random) -> np.ndarray:
        audio = render_note(self.font, self.preset, self.key, chance.choice((60, 90, 120)), 0.0)
        loud = np.flatnonzero(np.abs(audio) > 1e-3 * np.abs(audio).max())
        return audio[: int(loud[-1]) + 1] if loud.size else audio


@dataclass(frozen=True)
class _Mixed:
    makers: tuple[Callable[[random.Random], np.ndarray], ...]

    def __call__(self, chance: random.Random) -> np.ndarray:
        parts = [maker(chance) for maker in self.makers]
        n = min(part.size for part in parts)
        return np.sum([part[:n] / (np.abs(part).max() + 1e-9) * chance.uniform(0.6, 1.0) for part in parts], axis=0)


@dataclass(frozen=True)
class _Speech:
    voice: str

    def __call__(self, chance: random.Random) -> np.ndarray:
        phrase = " ".join(chance.sample(WORDS, chance.randint(1, 5)))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "speech.wav"
            command = ["espeak-ng", "-v", self.voice, "-p", str(chance.randint(20, 80)), "-w", str(path), phrase]
            subprocess.run(command, check=True, capture_output=True)
            return FromFile(path)(chance)


@dataclass(frozen=True)
class _Sung:
    """Pulses through three formants (Peterson and Barney 1952, men's means, up to a fifth higher), with breath."""

    key: float

    def __call__(self, chance: random.Random) -> np.ndarray:
        time_s = np.arange(int(chance.uniform(0.5, 2.5) * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        depth, rate_hz = chance.uniform(0.0, 0.7), chance.uniform(4.5, 6.5)
        drift = depth * np.sin(2.0 * np.pi * rate_hz * time_s) - chance.uniform(0.0, 2.0) * np.exp(-time_s / 0.05)
        hz = 440.0 * 2.0 ** ((self.key + drift - 69.0) / 12.0)
        turns = np.cumsum(hz) / SAMPLE_RATE_HZ
        larger = chance.uniform(1.0, 1.5)
        vowel = chance.choice(VOWELS_HZ)
        tilt = chance.uniform(0.7, 2.0)
        audio = np.zeros(time_s.size)
        base_hz = float(np.median(hz))
        for k in range(1, max(2, min(60, int(10_000.0 / base_hz)))):
            gain = sum(1.0 / (1.0 + ((k * base_hz - larger * f) / (60.0 + 0.06 * f)) ** 2) for f in vowel) + 0.02
            audio += gain * k**-tilt * np.sin(2.0 * np.pi * (k * turns + chance.random()))
        breath = np.random.default_rng(chance.getrandbits(32)).standard_normal(audio.size)
        audio /= np.sqrt(np.mean(audio**2))
        fade = np.minimum(1.0, time_s / 0.08) * np.minimum(1.0, time_s[::-1] / 0.1)
        return (audio + breath * 10.0 ** (-chance.uniform(15.0, 45.0) / 20.0)) * fade


def _noise(chance: random.Random) -> np.ndarray:
    n = int(chance.uniform(0.2, 3.0) * SAMPLE_RATE_HZ)
    spectrum = np.fft.rfft(np.random.default_rng(chance.getrandbits(32)).standard_normal(n))
    hz = np.fft.rfftfreq(n, 1.0 / SAMPLE_RATE_HZ)
    spectrum *= np.maximum(hz, 20.0) ** -chance.choice((0.0, 0.5, 1.0))
    if chance.random() < 0.5:
        low = 2.0 ** chance.uniform(5.0, 12.0)
        spectrum *= (hz > low) & (hz < low * 2.0 ** chance.uniform(0.7, 4.0))
    decay_s = chance.choice((0.03, 0.1, 0.3, 100.0))
    return np.fft.irfft(spectrum, n) * np.exp(-np.arange(n) / (decay_s * SAMPLE_RATE_HZ))
