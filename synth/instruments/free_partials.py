"""Partials that no law gives: bells, bars, struck skins, chords. Find their frequencies, and number them.

Peaks of spectra of several lengths and places (McAulay and Quatieri 1986 pick peaks so, with one length), so that both
modes that die within 100 ms and modes a few hertz apart are found; what stands out of the noise around it is a
partial.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from synth.frames import HIGHEST_PARTIAL_HZ, N_PARTIALS, SAMPLE_RATE_HZ, Float32Array, Float64Array
from synth.instruments.analysis import LONGEST_WINDOW, PERIODS_PER_WINDOW, SHORTEST_WINDOW

STRETCHES_S = ((0.0, 0.08), (0.01, 0.25), (0.05, 0.6), (0.2, 1.6), (1.0, 3.0))
"""(start, end) of the spectra. The first tells modes 60 Hz apart, the last ones 3 Hz apart."""
ABOVE_NOISE_DB = 15.0
"""Over the median of the 60 bins around it. Noise reaches it in one bin of a million: its power is exponential, and
15 dB over the median is 22 times the mean."""
RANGE_DB = 60.0
"""Below the loudest peak of a stretch."""
LOWEST_HZ = 25.0
CLOSEST_HZ = PERIODS_PER_WINDOW * SAMPLE_RATE_HZ / 4096
"""47 Hz. Partials nearer to a louder one are its beats, and left to its level: windows longer than 85 ms would blur
the attack more than they would tell apart."""


class Peaks(NamedTuple):
    """Frequencies in Hz and energies (amplitude squared times seconds), float64 [n] each."""

    frequency_hz: Float64Array
    energy: Float64Array


def find_free_partials(audio: Float32Array) -> Float64Array:
    """Frequencies in Hz of at most 100 partials of `audio` (float32 [N], 48 kHz from its onset), loudest first."""
    found = [_peaks(audio, start_s, end_s) for start_s, end_s in STRETCHES_S]
    frequency_hz = np.concatenate([p.frequency_hz for p in found])
    energy = np.concatenate([p.energy for p in found])
    kept: list[float] = []
    for index in np.argsort(-energy, kind="stable"):
        if all(abs(frequency_hz[index] - other) >= CLOSEST_HZ for other in kept):
            kept.append(float(frequency_hz[index]))
            if len(kept) == N_PARTIALS:
                break
    return np.array(kept)


def _peaks(audio: Float32Array, start_s: float, end_s: float) -> Peaks:
    start, end = round(start_s * SAMPLE_RATE_HZ), min(round(end_s * SAMPLE_RATE_HZ), audio.size)
    if end - start < 0.6 * (end_s - start_s) * SAMPLE_RATE_HZ:
        return Peaks(np.zeros(0), np.zeros(0))
    window = _blackman_harris(end - start)
    n_fft = 1 << int(np.ceil(np.log2(2 * (end - start))))
    level_db = 20.0 * np.log10(np.abs(np.fft.rfft(audio[start:end] * window, n_fft)) * 2.0 / window.sum() + 1e-12)
    bin_hz = SAMPLE_RATE_HZ / n_fft
    middle = level_db[1:-1]
    peak = np.flatnonzero((middle > level_db[:-2]) & (middle >= level_db[2:])) + 1
    frequency = peak * bin_hz
    inside = (frequency > max(LOWEST_HZ, 3.0 / (end_s - start_s))) & (frequency < HIGHEST_PARTIAL_HZ)
    peak = peak[inside & (level_db[peak] > level_db.max() - RANGE_DB)]
    peak = peak[level_db[peak] > _noise_db(level_db)[peak] + ABOVE_NOISE_DB]
    left, top, right = level_db[peak - 1], level_db[peak], level_db[peak + 1]
    shift = 0.5 * (left - right) / np.minimum(left - 2.0 * top + right, -1e-9)
    energy = 10.0 ** (top / 10.0) * (end - start) / SAMPLE_RATE_HZ
    return Peaks((peak + shift) * bin_hz, energy)


def _blackman_harris(length: int) -> Float64Array:
    """Four terms, side lobes at -92 dB (Harris 1978, table 1): those of a Hann window would pass for partials."""
    angle = 2.0 * np.pi * (np.arange(length) + 0.5) / length
    window: Float64Array = 0.35875 - 0.48829 * np.cos(angle) + 0.14128 * np.cos(2.0 * angle)
    return window - 0.01168 * np.cos(3.0 * angle)


def _noise_db(level_db: Float64Array) -> Float64Array:
    """Median over 60 bins, every 15 bins, and linear between: float64 [n] -> [n]."""
    blocks = np.lib.stride_tricks.sliding_window_view(np.pad(level_db, 30, mode="reflect"), 61)[::15]
    return np.interp(np.arange(level_db.size), np.arange(blocks.shape[0]) * 15, np.median(blocks, axis=1))


def window_lengths(frequency_hz: Float64Array) -> npt.NDArray[np.int64]:
    """Odd window for each partial [K]: four periods of the distance to its nearest neighbour, a power of two and one.

    So a bell's high modes, far apart, are followed faster than its low ones.
    """
    order = np.argsort(frequency_hz)
    gaps = np.diff(frequency_hz[order])
    nearest = np.empty(frequency_hz.size)
    nearest[order] = np.minimum(np.append(gaps, np.inf), np.insert(gaps, 0, np.inf))
    nearest = np.minimum(nearest, frequency_hz)  # the mirror image, below 0 Hz, is twice as far as that
    length = PERIODS_PER_WINDOW * SAMPLE_RATE_HZ / np.maximum(nearest, 1.0)
    lengths: npt.NDArray[np.int64] = (2 ** np.ceil(np.log2(length))).astype(np.int64)
    return np.clip(lengths, SHORTEST_WINDOW, LONGEST_WINDOW) | 1


def number_partials(frequency_hz: Float64Array, f0_hz: float) -> npt.NDArray[np.int64]:
    """Column 0..99 of each partial [K], the loudest first: so that a morph with a harmonic sound moves each partial to
    one beside it. Those within half a semitone of a harmonic of f0 take its number, the others the nearest free one."""
    free = np.ones(N_PARTIALS, dtype=bool)
    harmonic = np.arange(1, N_PARTIALS + 1)
    ratio = frequency_hz / f0_hz
    columns = np.empty(ratio.size, dtype=np.int64)
    near = np.abs(ratio / np.maximum(np.round(ratio), 1.0) - 1.0) < 2.0 ** (0.5 / 12.0) - 1.0
    for index in np.concatenate([np.flatnonzero(near), np.flatnonzero(~near)]):
        columns[index] = int(np.argmin(np.where(free, np.abs(harmonic - ratio[index]), np.inf)))
        free[columns[index]] = False
    return columns
