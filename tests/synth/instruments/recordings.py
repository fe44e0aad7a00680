"""Recordings made on the spot."""

from pathlib import Path

import numpy as np
import soundfile

from synth.frames import Float32Array

RATE_HZ = 48_000


def tone(key: int, duration_s: float = 1.0, n_partials: int = 8, rate_hz: int = RATE_HZ) -> Float32Array:
    """A held sawtooth-like sound with a soft attack and a short release, float32 [N]."""
    t = np.arange(round(duration_s * rate_hz)) / rate_hz
    f0_hz = 440.0 * 2.0 ** ((key - 69) / 12.0)
    sound = sum(np.sin(2.0 * np.pi * k * f0_hz * t) / k for k in range(1, n_partials + 1) if k * f0_hz < rate_hz / 2.2)
    envelope = np.minimum(np.minimum(t / 0.02, (duration_s - t) / 0.05), 1.0)
    return np.asarray(0.2 * sound * envelope, dtype=np.float32)


def write_tone(path: Path, key: int, duration_s: float = 1.0) -> Path:
    """A recording of one note."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, tone(key, duration_s), RATE_HZ, subtype="PCM_16")
    return path
