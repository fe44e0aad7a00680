"""Control frames: the rates, shapes and units that every part of Tetrad shares.

A control frame describes 8 ms of one note: the level of up to 100 partials, the level of 64 noise bands and one
common pitch deviation. Frame `i` describes the time `i * 8 ms` after the onset. This is spectral modelling synthesis
(Serra and Smith, "Spectral Modeling Synthesis", Computer Music Journal 14(4), 1990) with the names of DDSP
(Engel et al., "DDSP: Differentiable Digital Signal Processing", ICLR 2020).

Levels are dB: a partial's is that of its peak amplitude (a full-scale sine is 0 dB), a band's that of its RMS.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]

SAMPLE_RATE_HZ = 48_000
ENCODER_RATE_HZ = 16_000
HOP = 384
"""Samples of one control frame at 48 kHz: 8 ms."""
FRAME_RATE_HZ = SAMPLE_RATE_HZ / HOP
FRAMES_PER_EMBEDDING = 4
EMBEDDING_RATE_HZ = FRAME_RATE_HZ / FRAMES_PER_EMBEDDING
EMBEDDING_HOP = 512
"""Samples of one embedding frame at 16 kHz: 32 ms, NSynth's bottleneck (Engel et al. 2017, section 2.1)."""
Z_DIM = 16
N_PARTIALS = 100
N_BANDS = 64
ROW_WIDTH = N_PARTIALS + N_BANDS + 1
"""Width of a network row: partial levels in dB, band levels in dB, deviation in cents."""
LEVEL_FLOOR_DB = -120.0
"""The level that means silence; nothing is ever below it."""
HIGHEST_LEVEL_DB = 20.0
"""What a network's level is limited to."""
HIGHEST_PARTIAL_HZ = 20_000.0
A4_HZ = 440.0
ERB_PER_DECADE, ERB_PER_HZ = 21.4, 0.00437
"""Of the ERB-rate scale 21.4 log10(1 + 0.00437 f) (Glasberg and Moore 1990, eq. 4)."""

# How the harmonic decoder is told a note (pitch and velocity as MIDI numbers) and what its output means.
LOWEST_BUMP_PITCH, HIGHEST_BUMP_PITCH = 20.0, 108.0
CENTRE_PITCH, PITCH_UNIT = 60.0, 24.0
CENTRE_VELOCITY = 64.0
LEVEL_UNIT_DB, CENTRE_LEVEL_DB = 20.0, -60.0
DEVIATION_UNIT_CENTS = 5.0


def erb_number(frequency_hz: npt.ArrayLike) -> Float64Array:
    """ERB-rate scale: equivalent rectangular bandwidths below a frequency."""
    return ERB_PER_DECADE * np.log10(1.0 + ERB_PER_HZ * np.asarray(frequency_hz, dtype=np.float64))


def erb_number_to_hz(number: npt.ArrayLike) -> Float64Array:
    """Inverse of `erb_number`."""
    return (10.0 ** (np.asarray(number, dtype=np.float64) / ERB_PER_DECADE) - 1.0) / ERB_PER_HZ


def envelope_scale(n_points: int) -> tuple[float, float]:
    """(slope, offset): f Hz lie at place `slope * ln(1 + ERB_PER_HZ * f) + offset` of an envelope of `n_points`, which
    are evenly spaced in ERB from 20 Hz (place 0) to 20 kHz (place n_points - 1)."""
    low, high = float(erb_number(20.0)), float(erb_number(20_000.0))
    points_per_erb = (n_points - 1) / (high - low)
    return ERB_PER_DECADE / math.log(10.0) * points_per_erb, -low * points_per_erb


BAND_EDGES_HZ: Float64Array = erb_number_to_hz(np.linspace(erb_number(20.0), erb_number(20_000.0), N_BANDS + 1))
BAND_CENTRES_HZ: Float64Array = erb_number_to_hz(
    0.5 * (erb_number(BAND_EDGES_HZ[:-1]) + erb_number(BAND_EDGES_HZ[1:])),
)


@dataclass(frozen=True)
class ControlFrames:
    """The control frames of one note.

    `partial_db` float32 [T, 100] and `band_db` float32 [T, 64], dB, at least LEVEL_FLOOR_DB;
    `deviation_cents` float32 [T], relative to the note's tuned fundamental.
    """

    partial_db: Float32Array
    band_db: Float32Array
    deviation_cents: Float32Array

    @property
    def n_frames(self) -> int:
        return int(self.partial_db.shape[0])

    def rows(self) -> Float32Array:
        """The frames as network rows, float32 [T, 165]."""
        return np.concatenate([self.partial_db, self.band_db, self.deviation_cents[:, None]], axis=1)

    @staticmethod
    def from_rows(rows: Float32Array) -> ControlFrames:
        """Inverse of `rows`: float32 [T, 165] -> frames."""
        return ControlFrames(
            np.ascontiguousarray(rows[:, :N_PARTIALS]),
            np.ascontiguousarray(rows[:, N_PARTIALS : N_PARTIALS + N_BANDS]),
            np.ascontiguousarray(rows[:, -1]),
        )


def pitch_to_hz(pitch: npt.ArrayLike) -> Float64Array:
    """MIDI note number (fractions allowed) to Hz, equal temperament, A4 = 440 Hz."""
    return A4_HZ * 2.0 ** ((np.asarray(pitch, dtype=np.float64) - 69.0) / 12.0)


def partial_frequencies_hz(f0_hz: npt.ArrayLike, inharmonicity: npt.ArrayLike) -> Float64Array:
    """Frequency of partial k = 1..100 at `k f0 sqrt(1 + B k^2)` (Fletcher 1964), shape [..., 100]."""
    k = np.arange(1, N_PARTIALS + 1, dtype=np.float64)
    f0 = np.asarray(f0_hz, dtype=np.float64)[..., None]
    b = np.asarray(inharmonicity, dtype=np.float64)[..., None]
    return f0 * k * np.sqrt(1.0 + b * k * k)


def k_weighting_db(frequency_hz: npt.ArrayLike) -> Float64Array:
    """Gain in dB of the K-weighting of ITU-R BS.1770-4 (annex 1) at a frequency, both stages, at 48 kHz."""
    w = 2.0 * np.pi * np.asarray(frequency_hz, dtype=np.float64) / 48_000.0
    z1, z2 = np.exp(-1j * w), np.exp(-2j * w)
    shelf = (1.53512485958697 - 2.69169618940638 * z1 + 1.19839281085285 * z2) / (
        1.0 - 1.69065929318241 * z1 + 0.73248077421585 * z2
    )
    highpass = (1.0 - 2.0 * z1 + z2) / (1.0 - 1.99004745483398 * z1 + 0.99007225036621 * z2)
    result: Float64Array = 20.0 * np.log10(np.maximum(np.abs(shelf * highpass), 1e-6))
    return result


BAND_K_WEIGHTING_DB: Float64Array = k_weighting_db(BAND_CENTRES_HZ)


def frame_loudness_db(
    partial_db: Float32Array,
    band_db: Float32Array,
    f0_hz: float,
    inharmonicity: float,
) -> Float32Array:
    """K-weighted power of control frames in dB (mono, ungated; LKFS of BS.1770 plus 0.691 dB).

    `partial_db` [T, 100], `band_db` [T, 64] -> float32 [T], at least LEVEL_FLOOR_DB. Partials above 20 kHz don't count.
    """
    frequency_hz = partial_frequencies_hz(f0_hz, inharmonicity)
    weight = np.where(frequency_hz < HIGHEST_PARTIAL_HZ, 10.0 ** (k_weighting_db(frequency_hz) / 10.0) / 2.0, 0.0)
    power = (10.0 ** (np.asarray(partial_db, np.float64) / 10.0)) @ weight
    power += (10.0 ** (np.asarray(band_db, np.float64) / 10.0)) @ 10.0 ** (BAND_K_WEIGHTING_DB / 10.0)
    return np.asarray(np.maximum(10.0 * np.log10(power + 1e-30), LEVEL_FLOOR_DB), dtype=np.float32)
