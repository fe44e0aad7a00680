"""What is measured of one path: 21 sounds from one instrument to another (DESIGN, section 9)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from models.audio import log_mel
from models.morph.loudness import loudness_lufs
from models.pitch_check import estimate_pitch_hz
from synth.frames import SAMPLE_RATE_HZ, Float32Array, Float64Array, pitch_to_hz

N_POINTS = 21
MIDDLE = N_POINTS // 2


@dataclass(frozen=True)
class PathMeasures:
    """`evenness` largest over mean step of log-mel distance, 1 at best; `largest_step_db` and `length_db`, the sum of
    all steps. `monotone_share` of the 40 steps (20 away from the one end, 20 towards the other) 0..1, and
    `largest_reversal`, how far a step goes back, as a share of the distance of the ends. `pitch_cents` the largest
    distance from the key, NaN when no point has a pitch; `unpitched_points` how many have none. `loudness_dip_lu` of
    the middle below the mean of the ends' integrated loudness; negative for a hump. Shares are NaN for equal ends.
    """

    evenness: float
    largest_step_db: float
    length_db: float
    monotone_share: float
    largest_reversal: float
    pitch_cents: float
    unpitched_points: int
    loudness_dip_lu: float


def measure_path(sounds: Float32Array, key: int) -> PathMeasures:
    """Measure a path, float32 [21, n] at 48 kHz, of notes at `key`."""
    mel = log_mels_db(sounds)
    steps = steps_db(mel)
    away, towards = _distances(mel, mel[:1]), _distances(mel, mel[-1:])
    forward = np.concatenate([np.diff(away), -np.diff(towards)])
    expected_hz = float(pitch_to_hz(key))
    cents = np.array([_pitch_cents(sound, expected_hz) for sound in sounds])
    pitched = np.abs(cents[np.isfinite(cents)])
    ends = 0.5 * (loudness_lufs(sounds[0]) + loudness_lufs(sounds[-1]))
    return PathMeasures(
        evenness=_share(float(steps.max()), float(steps.mean())),
        largest_step_db=float(steps.max()),
        length_db=float(steps.sum()),
        monotone_share=float((forward >= 0.0).mean()),
        largest_reversal=_share(max(0.0, -float(forward.min())), float(away[-1])),
        pitch_cents=float(pitched.max()) if pitched.size else float("nan"),
        unpitched_points=int(cents.size - pitched.size),
        loudness_dip_lu=ends - loudness_lufs(sounds[len(sounds) // 2]),
    )


def log_mels_db(sounds: Float32Array) -> Float32Array:
    """float32 [p, n] at 48 kHz -> [p, frames, 80], dB, not below -100."""
    mel: Float32Array = log_mel(torch.from_numpy(np.ascontiguousarray(sounds)), SAMPLE_RATE_HZ).numpy()
    return mel


def steps_db(mel: Float32Array) -> Float64Array:
    """From each sound to the next, float32 [p, frames, 80] -> float64 [p - 1]."""
    return _distances(mel[1:], mel[:-1])


def _distances(one: Float32Array, other: Float32Array) -> Float64Array:
    """Mean over frames and bands of the difference in dB, float64 [p]."""
    result: Float64Array = np.abs(one - other).mean(axis=(1, 2), dtype=np.float64)
    return result


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0.0 else float("nan")


def _pitch_cents(sound: Float32Array, expected_hz: float) -> float:
    found_hz, _ = estimate_pitch_hz(sound, near_hz=expected_hz)
    return float(1200.0 * np.log2(found_hz / expected_hz))
