"""Sounds for tests of sources: notes, rows of them, loops, and the files that hold them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from synth.frames import Float32Array

RATE_HZ = 16_000
SUBTYPES = {".wav": "PCM_16", ".aiff": "PCM_24", ".flac": "PCM_16", ".ogg": "VORBIS", ".mp3": "MPEG_LAYER_III"}


def note(pitch: float, seconds: float = 1.0, *, attack_s: float = 0.005, decay_s: float | None = 0.4) -> Float32Array:
    """Five partials, float32 [N] at RATE_HZ, peak under 0.5; decay_s None: held, and let go over 50 ms."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    f0_hz = 440.0 * 2.0 ** ((pitch - 69) / 12.0)
    wave = sum(np.sin(2.0 * np.pi * k * f0_hz * time_s + k) / k for k in range(1, 6) if k * f0_hz < RATE_HZ / 2)
    gain = np.minimum(time_s / attack_s, 1.0) * np.clip((seconds - time_s) / 0.05, 0.0, 1.0)
    if decay_s is not None:
        gain = gain * np.exp(-time_s / decay_s)
    return (0.2 * gain * wave).astype(np.float32)


def noise(seconds: float, level_db: float, seed: int = 1) -> Float32Array:
    """White, float32 [N], RMS `level_db` under full scale."""
    sigma = 10.0 ** (level_db / 20.0)
    return (sigma * np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ))).astype(np.float32)


def row(notes: Sequence[Float32Array], pause_s: float) -> tuple[Float32Array, list[float]]:
    """Notes one after the other with silence after each, and where they begin, in seconds."""
    silence = np.zeros(round(pause_s * RATE_HZ), np.float32)
    lengths = [len(n) + len(silence) for n in notes]
    starts_s = [sum(lengths[:i]) / RATE_HZ for i in range(len(notes))]
    return np.concatenate([np.concatenate([n, silence]) for n in notes]), starts_s


def write(path: Path, samples: Float32Array, rate_hz: int = RATE_HZ, subtype: str | None = None) -> Path:
    """An audio file of the kind that its suffix names; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate_hz, subtype=subtype or SUBTYPES[path.suffix])
    return path
