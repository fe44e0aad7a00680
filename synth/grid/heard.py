"""Log-mel levels straight from the levels of partials and noise bands, as a spectrogram of their sound would have them.

The same 80 bands as `models.audio.log_mel` (HTK mel, 40 Hz to 16 kHz, periodic Hann windows of 2048 samples at 48 kHz),
which the evenness of a path is measured by, without making the sound: 0.1 ms for a frame becomes 3 us. A partial is
read as the window's transform around its frequency, a noise band as its expected power. What is not modelled is how
neighbouring partials beat within a window, and that levels move within its 43 ms.
"""

from __future__ import annotations

import functools

import numpy as np

from synth.frames import (
    BAND_EDGES_HZ,
    HIGHEST_PARTIAL_HZ,
    N_BANDS,
    N_PARTIALS,
    SAMPLE_RATE_HZ,
    Float32Array,
    Float64Array,
)
from synth.jit import njit
from synth.voices.segments import Records

N_MELS = 80
_WINDOW = 2048
_LOW_HZ, _HIGH_HZ = 40.0, 16_000.0
_FLOOR = 1e-10  # power: -100 dB
_BIN_HZ = SAMPLE_RATE_HZ / _WINDOW
_PER_BIN = 16
"""Frequencies a bin at which the window's transform is tabulated: within 0.05 dB on the flank of its main lobe."""
_N_PLACES = int(HIGHEST_PARTIAL_HZ / _BIN_HZ * _PER_BIN) + 1


def _mel(frequency_hz: Float64Array) -> Float64Array:
    return np.asarray(2595.0 * np.log10(1.0 + frequency_hz / 700.0))


@functools.cache
def mel_filters() -> Float64Array:
    """Triangles over the bins of a spectrum, float64 [1025, 80], as torchaudio's `melscale_fbanks` (HTK, no norm)."""
    low, high = _mel(np.array([_LOW_HZ, _HIGH_HZ]))
    edges = 700.0 * (10.0 ** (np.linspace(low, high, N_MELS + 2) / 2595.0) - 1.0)
    slopes = edges[None, :] - np.arange(_WINDOW // 2 + 1)[:, None] * _BIN_HZ
    widths = np.diff(edges)
    rising, falling = -slopes[:, :-2] / widths[:-1], slopes[:, 2:] / widths[1:]
    return np.maximum(np.minimum(rising, falling), 0.0)


def _window_power(bins: Float64Array) -> Float64Array:
    """Power of a full-scale sine in a bin that is so many bins away, 1 at 0: a Hann window's transform squared."""
    away = np.where(np.abs(np.abs(bins) - 1.0) < 1e-6, np.abs(bins) + 1e-6, bins)
    return np.asarray((np.sinc(away) / (1.0 - away**2)) ** 2)


@functools.cache
def tables() -> tuple[Float32Array, Float32Array]:
    """What a partial of amplitude 1 gives to the bands, float32 [frequencies, 80], by its place in 1/16 bins; and what
    a noise band of RMS 1 gives, float32 [64, 80]. 0.3 s at the first call, then kept."""
    filters = mel_filters()
    bins = np.arange(_WINDOW // 2 + 1, dtype=np.float64)
    partial = np.empty((_N_PLACES, N_MELS), np.float32)
    for first in range(0, _N_PLACES, 1024):
        places = np.arange(first, min(first + 1024, _N_PLACES)) / _PER_BIN
        partial[first : first + places.size] = _window_power(bins[None, :] - places[:, None]) @ filters
    # White noise of RMS 1 over the whole band has 3 N / 8 in each bin, where a full-scale sine has (N / 4)^2.
    fine = np.arange(_N_PLACES + 8 * _PER_BIN) / _PER_BIN * _BIN_HZ
    band = np.empty((N_BANDS, N_MELS), np.float32)
    for b in range(N_BANDS):
        low, high = BAND_EDGES_HZ[b : b + 2]
        inside = fine[(fine >= low) & (fine < high)] / _BIN_HZ
        # The windows' powers, a bin apart, sum to 1.5: so the mean over the band's frequencies times 1.
        spread = _window_power(bins[None, :] - inside[:, None]).mean(axis=0)
        band[b] = 2.0 * spread @ filters
    return partial, band


@njit("void(f8[::1], f4[:, ::1], f4[:, ::1], f4[:, ::1], f8[:, ::1], i8, f4[:, ::1])", fastmath=True)
def _powers(f0, levels, partial, band, stretch, n_places, out):  # type: ignore[no-untyped-def]
    """Adds up each frame's bands in out, float32 [S, 80]. f0 float64 [S] in 1/16 bins, stretch float64 [S, 100]."""
    for i in range(out.shape[0]):
        row = out[i]
        row[:] = np.float32(_FLOOR)
        for j in range(N_PARTIALS):
            level = levels[i, j]
            place = int(f0[i] * stretch[i, j] + 0.5)
            if level <= np.float32(0.0) or place >= n_places:
                continue
            power = level * level
            given = partial[place]
            for m in range(N_MELS):
                row[m] += power * given[m]
        for b in range(N_BANDS):
            level = levels[i, N_PARTIALS + b]
            if level <= np.float32(0.0):
                continue
            power = level * level
            given = band[b]
            for m in range(N_MELS):
                row[m] += power * given[m]


def log_mels_db(played: Records) -> Float32Array:
    """VOICE [S], as the engine's control half leaves them -> float32 [S, 80], dB, not below -100."""
    partial, band = tables()
    k = np.arange(1, N_PARTIALS + 1, dtype=np.float64)
    law = k * np.sqrt(1.0 + played["inharmonicity"][:, None] * k**2)
    stretch = np.where(played["free_partials"][:, None] == 1, played["stretch"], law)
    f0 = played["f0"] * (SAMPLE_RATE_HZ / _BIN_HZ * _PER_BIN)
    out = np.empty((played.size, N_MELS), np.float32)
    levels = np.ascontiguousarray(played["level_to"])
    _powers(f0, levels, partial, band, np.ascontiguousarray(stretch), _N_PLACES, out)
    return np.asarray(10.0 * np.log10(out), np.float32)
