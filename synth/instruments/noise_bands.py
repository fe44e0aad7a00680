"""The levels of noise in 64 ERB bands, measured from what is left of a recording without its partials."""

from __future__ import annotations

import numpy as np

from synth.frames import BAND_EDGES_HZ, HOP, LEVEL_FLOOR_DB, SAMPLE_RATE_HZ, Float32Array, Float64Array


def noise_bands(residual: Float32Array) -> Float32Array:
    """Level of 64 ERB bands of `residual` (float32 [N]), dB of each band's RMS, float32 [ceil(N / 384), 64].

    The mean is taken over the log of the bins, then 2.51 dB are added (the distance between the log-mean and the mean
    power of Gaussian noise): what subtraction leaves of a strong partial is a peak in a few bins, and must not pass
    for noise. Bands under 400 Hz are narrower than the bins of a 21 ms window, and are read from an 85 ms one.
    """
    fine = _band_levels(residual, 1024)
    coarse = _band_levels(residual, 4096)
    low = BAND_EDGES_HZ[1:] < 400.0
    fine[:, low] = coarse[:, low]
    return np.maximum(_smooth_steady(fine), LEVEL_FLOOR_DB).astype(np.float32)


def _smooth_steady(level_db: Float64Array) -> Float64Array:
    """Average over 72 ms where the noise is steady, and leave it alone where it moves.

    One frame of Gaussian noise in a band of n bins wavers by 5.6 / sqrt(n) dB; that is chance, not timbre. Movement is
    what the mean over all 64 bands does against its own average: there chance is under 0.5 dB.
    """
    kernel = np.hanning(11)[1:-1] / np.hanning(11).sum()
    padded = np.pad(level_db, ((4, 4), (0, 0)), mode="edge")
    slow = np.stack([np.convolve(padded[:, band], kernel, mode="valid") for band in range(level_db.shape[1])], axis=1)
    movement = np.abs((level_db - slow).mean(axis=1))
    movement = np.lib.stride_tricks.sliding_window_view(np.pad(movement, 2, mode="edge"), 5).max(axis=1)
    steady = np.clip((2.5 - movement) / 1.5, 0.0, 1.0)[:, None]
    smooth: Float64Array = steady * slow + (1.0 - steady) * level_db
    return smooth


def _band_levels(residual: Float32Array, length: int) -> Float64Array:
    n_frames = -(-residual.size // HOP)
    half = length // 2
    padded = np.pad(residual, (half, n_frames * HOP - residual.size + half))
    window = np.hanning(length + 1)[:-1]
    blocks = np.lib.stride_tricks.sliding_window_view(padded, length)[::HOP][:n_frames]
    power = np.abs(np.fft.rfft(blocks * window.astype(np.float32), axis=1)) ** 2
    # Noise of variance s^2 has E|X|^2 = s^2 sum(w^2) in each of N/2 bins that share the power s^2.
    inside = np.cumsum(np.concatenate([[0.0], window**2]))
    centre = np.arange(n_frames) * HOP
    support = inside[np.clip(half + residual.size - centre, 1, length)] - inside[np.clip(half - centre, 0, length)]
    power /= (np.maximum(support, 0.05 * inside[-1]) * half)[:, None]
    log_power = np.log(power + 1e-16)
    edge_bin = BAND_EDGES_HZ * length / SAMPLE_RATE_HZ
    weight = _overlap(edge_bin, half + 1)
    width_bins = np.diff(edge_bin)
    mean_log = (log_power @ weight) / weight.sum(axis=0)
    return 10.0 / np.log(10.0) * mean_log + 2.51 + 10.0 * np.log10(width_bins)


def _overlap(edge_bin: Float64Array, n_bins: int) -> Float64Array:
    """Share of each bin (one wide, centred on its number) that lies in each band, float64 [n_bins, 64]."""
    low = np.arange(n_bins)[:, None] - 0.5
    overlap = np.minimum(low + 1.0, edge_bin[None, 1:]) - np.maximum(low, edge_bin[None, :-1])
    return np.maximum(overlap, 0.0)
