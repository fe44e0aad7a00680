"""Turn control frames back into sound, offline and in plain NumPy: the slow path that the engine is held against."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

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
    Float64Array,
    partial_frequencies_hz,
)

AUDIBLE_DB = LEVEL_FLOOR_DB + 1.0
FADE_IN_SAMPLES = 96
"""2 ms. Partials begin at any phase: without it every note starts with a step, a click that no recording has."""
RESIDUAL_FADE_SAMPLES = 960
"""20 ms: a residual ends with a quarter of a cosine, while the noise bands come in with a quarter of a sine."""
NOISE_LOOP_SAMPLES = 1 << 17
"""2.7 s: what repeats after that was noise, and is not known again."""


def resynthesise(
    frames: ControlFrames,
    f0_hz: float,
    inharmonicity: float,
    n_samples: int,
    seed: int = 0,
    ratios: Float32Array | None = None,
    phases: npt.NDArray[np.uint8] | None = None,
    residual: Float32Array | None = None,
) -> Float32Array:
    """Render control frames: float32 [n_samples] at 48 kHz, full scale 1.0.

    Partial k runs at `k f0 sqrt(1 + B k^2)`, or at `ratios[k - 1] f0` (float32 [100]), bent by the common deviation,
    with linearly interpolated amplitude (Serra and Smith 1990, section 5); it starts at `phases[k - 1] / 256` turns
    (uint8 [100], of a cosine), or at a phase drawn from the seed. Each band is Gaussian noise of unit RMS under a
    linearly interpolated gain. Both fade in within 2 ms. `residual` (float32 [N], with its fade at the end) is added
    as it is, and where it sounds the noise is silent: see `noise_share`. The same seed gives the same samples.
    """
    noise = render_noise(frames, n_samples, seed)
    if residual is not None:
        noise *= noise_share(residual.size, n_samples)
    sound = render_partials(frames, f0_hz, inharmonicity, n_samples, seed, ratios, phases) + noise
    sound *= fade_in(n_samples)
    if residual is not None:
        n = min(residual.size, n_samples)
        sound[:n] += residual[:n]
    return sound


def fade_in(n_samples: int) -> Float32Array:
    """Gain of partials and noise at the start of a note, float32 [n_samples]."""
    gain = np.ones(n_samples, dtype=np.float32)
    n_fade = min(FADE_IN_SAMPLES, n_samples)
    gain[:n_fade] = 0.5 - 0.5 * np.cos(np.pi * np.arange(n_fade, dtype=np.float32) / FADE_IN_SAMPLES)
    return gain


def residual_presence(n_residual: int, n_samples: int) -> Float32Array:
    """r, float32 [n_samples]: 1 while a residual of `n_residual` samples lasts, cos(0..pi/2) over its last 20 ms, 0."""
    to_the_end = (n_residual - np.arange(n_samples, dtype=np.float32)) / RESIDUAL_FADE_SAMPLES
    return np.asarray(np.sin(0.5 * np.pi * np.clip(to_the_end, 0.0, 1.0)), dtype=np.float32)


def noise_share(n_residual: int, n_samples: int) -> Float32Array:
    """sqrt(1 - r^2), float32 [n_samples]: what is left of the noise bands beside a residual, by power."""
    return np.sqrt(np.maximum(1.0 - residual_presence(n_residual, n_samples) ** 2, 0.0)).astype(np.float32)


def partials_hz(f0_hz: float, inharmonicity: float, ratios: Float32Array | None = None) -> Float64Array:
    """Frequencies of the 100 partials, by the law of stiff strings or by ratios of their own, float64 [100]."""
    if ratios is None:
        return partial_frequencies_hz(f0_hz, inharmonicity)
    return f0_hz * ratios.astype(np.float64)


def render_partials(
    frames: ControlFrames,
    f0_hz: float,
    inharmonicity: float,
    n_samples: int,
    seed: int = 0,
    ratios: Float32Array | None = None,
    phases: npt.NDArray[np.uint8] | None = None,
) -> Float32Array:
    """The partials alone, without the fade at the start, float32 [n_samples]."""
    drawn = np.random.default_rng(seed).random((N_PARTIALS,))
    start_turns = drawn if phases is None else phases / 256.0
    sample = np.arange(n_samples, dtype=np.float64)
    frame_at = np.arange(frames.n_frames, dtype=np.float64) * HOP
    bend = 2.0 ** (np.interp(sample, frame_at, frames.deviation_cents) / 1200.0)
    time_s = np.concatenate([[0.0], np.cumsum(bend)[:-1]]) / SAMPLE_RATE_HZ
    out = np.zeros(n_samples, dtype=np.float32)
    for k, frequency_hz in enumerate(partials_hz(f0_hz, inharmonicity, ratios)):
        level_db = frames.partial_db[:, k]
        if frequency_hz >= HIGHEST_PARTIAL_HZ or level_db.max() <= AUDIBLE_DB:
            continue
        turns = frequency_hz * time_s + start_turns[k]
        turns -= np.floor(turns)  # so that float32 has 24 bits for the fraction
        out += between_frames(amplitude(level_db), n_samples) * np.cos((2.0 * np.pi * turns).astype(np.float32))
    return out


def render_noise(frames: ControlFrames, n_samples: int, seed: int = 0) -> Float32Array:
    """The noise bands alone, float32 [n_samples]."""
    loop = _noise_loop(seed)
    n_loops = -(-n_samples // NOISE_LOOP_SAMPLES)
    out = np.zeros(n_samples, dtype=np.float32)
    for band in range(N_BANDS):
        level_db = frames.band_db[:, band]
        if level_db.max() > AUDIBLE_DB:
            noise = loop[band] if n_loops == 1 else np.tile(loop[band], n_loops)
            out += between_frames(amplitude(level_db), n_samples) * noise[:n_samples]
    return out


def between_frames(gain: Float32Array, n_samples: int) -> Float32Array:
    """Linear between frames and steady after the last one: float32 [T] -> [n_samples]."""
    frame = np.concatenate([gain, np.full(max(1, -(-n_samples // HOP) + 1 - gain.size), gain[-1], np.float32)])
    along = np.arange(HOP, dtype=np.float32) / HOP
    return (frame[:-1, None] + (frame[1:] - frame[:-1])[:, None] * along).ravel()[:n_samples]


def amplitude(level_db: Float32Array) -> Float32Array:
    """dB to amplitude, with the floor as true silence."""
    return np.where(level_db <= AUDIBLE_DB, 0.0, np.power(10.0, level_db / 20.0)).astype(np.float32)


def band_noise(n_samples: int, seed: int = 0) -> Float32Array:
    """Independent Gaussian noise in each ERB band, unit RMS over 2.7 s, which then repeat: float32 [64, n_samples]."""
    return np.tile(_noise_loop(seed), -(-n_samples // NOISE_LOOP_SAMPLES))[:, :n_samples]


@lru_cache(maxsize=2)
def _noise_loop(seed: int) -> Float32Array:
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(NOISE_LOOP_SAMPLES))
    bin_hz = SAMPLE_RATE_HZ / NOISE_LOOP_SAMPLES
    noise = np.empty((N_BANDS, NOISE_LOOP_SAMPLES), dtype=np.float32)
    for band in range(N_BANDS):
        low = round(BAND_EDGES_HZ[band] / bin_hz)
        high = max(low + 1, round(BAND_EDGES_HZ[band + 1] / bin_hz))
        part = np.zeros_like(spectrum)
        part[low:high] = spectrum[low:high]
        wave = np.fft.irfft(part, NOISE_LOOP_SAMPLES)
        noise[band] = wave / np.sqrt(np.mean(wave**2))
    noise.flags.writeable = False
    return noise
