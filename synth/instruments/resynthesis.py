"""Turn control frames back into sound, offline and in plain NumPy: the slow path that the engine is held against."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from synth.frames import (
    BAND_EDGES_HZ,
    HIGHEST_PARTIAL_HZ,
    HOP,
    LEVEL_FLOOR_DB,
    N_BANDS,
    N_PARTIALS,
    SAMPLE_RATE_HZ,
    ControlFrames,
    Float32Array,
    partial_frequencies_hz,
)

AUDIBLE_DB = LEVEL_FLOOR_DB + 1.0
FADE_IN_SAMPLES = 96
"""2 ms. Partials begin at any phase: without it every note starts with a step, a click that no recording has."""


def resynthesise(
    frames: ControlFrames,
    f0_hz: float,
    inharmonicity: float,
    n_samples: int,
    seed: int = 0,
) -> Float32Array:
    """Render control frames: float32 [n_samples] at 48 kHz, full scale 1.0.

    Partial k runs at `k f0 sqrt(1 + B k^2)`, bent by the common deviation, with linearly interpolated amplitude
    (Serra and Smith 1990, section 5); each band is Gaussian noise of unit RMS under a linearly interpolated gain.
    The first 2 ms fade in. The same seed gives the same samples.
    """
    sound = render_partials(frames, f0_hz, inharmonicity, n_samples, seed) + render_noise(frames, n_samples, seed)
    n_fade = min(FADE_IN_SAMPLES, n_samples)
    sound[:n_fade] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(n_fade, dtype=np.float32) / FADE_IN_SAMPLES)
    return sound


def render_partials(
    frames: ControlFrames,
    f0_hz: float,
    inharmonicity: float,
    n_samples: int,
    seed: int = 0,
) -> Float32Array:
    """The partials alone, float32 [n_samples]. Start phases are drawn from the seed."""
    start_turns = np.random.default_rng(seed).random((N_PARTIALS,))
    sample = np.arange(n_samples, dtype=np.float64)
    frame_at = np.arange(frames.n_frames, dtype=np.float64) * HOP
    bend = 2.0 ** (np.interp(sample, frame_at, frames.deviation_cents) / 1200.0)
    turns = np.concatenate([[0.0], np.cumsum(bend)[:-1]]) / SAMPLE_RATE_HZ
    out = np.zeros(n_samples, dtype=np.float64)
    for k, frequency_hz in enumerate(partial_frequencies_hz(f0_hz, inharmonicity)):
        level_db = frames.partial_db[:, k]
        if frequency_hz >= HIGHEST_PARTIAL_HZ or level_db.max() <= AUDIBLE_DB:
            continue
        gain = np.interp(sample, frame_at, amplitude(level_db))
        out += gain * np.cos(2.0 * np.pi * (frequency_hz * turns + start_turns[k]))
    return out.astype(np.float32)


def render_noise(frames: ControlFrames, n_samples: int, seed: int = 0) -> Float32Array:
    """The noise bands alone, float32 [n_samples]."""
    noise = band_noise(n_samples, seed)
    sample = np.arange(n_samples, dtype=np.float64)
    frame_at = np.arange(frames.n_frames, dtype=np.float64) * HOP
    out = np.zeros(n_samples, dtype=np.float32)
    for band in range(N_BANDS):
        level_db = frames.band_db[:, band]
        if level_db.max() > AUDIBLE_DB:
            out += np.interp(sample, frame_at, amplitude(level_db)).astype(np.float32) * noise[band]
    return out


def amplitude(level_db: Float32Array) -> Float32Array:
    """dB to amplitude, with the floor as true silence."""
    return np.where(level_db <= AUDIBLE_DB, 0.0, np.power(10.0, level_db / 20.0)).astype(np.float32)


@lru_cache(maxsize=2)
def band_noise(n_samples: int, seed: int = 0) -> Float32Array:
    """Independent Gaussian noise in each ERB band, unit RMS, float32 [64, n_samples]."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n_samples))
    bin_hz = SAMPLE_RATE_HZ / n_samples
    noise = np.empty((N_BANDS, n_samples), dtype=np.float32)
    for band in range(N_BANDS):
        low = round(BAND_EDGES_HZ[band] / bin_hz)
        high = max(low + 1, round(BAND_EDGES_HZ[band + 1] / bin_hz))
        part = np.zeros_like(spectrum)
        part[low:high] = spectrum[low:high]
        wave = np.fft.irfft(part, n_samples)
        noise[band] = wave / np.sqrt(np.mean(wave**2))
    noise.flags.writeable = False
    return noise
