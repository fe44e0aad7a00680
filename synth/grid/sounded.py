"""What the engine's control half leaves, made sound for the encoder: 16 kHz, one second or so, some ms of work.

The same law as `synth.instruments.resynthesis` and the renderer: partials with linearly ramped amplitudes, noise
bands under linearly ramped gains. Frequencies are steady within a control frame, phases the same for every place.
"""

from __future__ import annotations

import functools

import numpy as np

from synth.frames import (
    BAND_EDGES_HZ,
    ENCODER_RATE_HZ,
    FRAME_RATE_HZ,
    N_BANDS,
    N_PARTIALS,
    SAMPLE_RATE_HZ,
    Float32Array,
    Float64Array,
)
from synth.jit import njit
from synth.voices.segments import Records

_HOP = round(ENCODER_RATE_HZ / FRAME_RATE_HZ)
_TOP = 0.49
"""Cycles per sample: partials above are left out."""
_GOLDEN = 0.6180339887498949
"""Turns between two partials' first phases: no two nearly alike, so that no pulse stands out."""
_NOISE_SAMPLES = 1 << 14


@functools.cache
def _noise() -> Float32Array:
    """Gaussian noise in each band, of RMS 1 as far as it is below 8 kHz, always the same: [64, 2^14]."""
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(_NOISE_SAMPLES))
    bins = BAND_EDGES_HZ / ENCODER_RATE_HZ * _NOISE_SAMPLES
    noise = np.zeros((N_BANDS, _NOISE_SAMPLES), np.float32)
    for band in range(N_BANDS):
        low, high = round(bins[band]), max(round(bins[band + 1]), round(bins[band]) + 1)
        part = np.zeros_like(spectrum)
        part[low:high] = spectrum[low:high]
        wave = np.fft.irfft(part, _NOISE_SAMPLES)
        power = float(np.mean(wave**2))
        if power > 0.0:
            inside = (min(high, spectrum.size) - low) / (high - low)
            noise[band] = wave * np.sqrt(inside / power)
    return noise


@njit("void(f8[::1], f4[:, ::1], f8[:, ::1], f4[:, ::1], f4[::1])", fastmath=True)
def _sound(f0, levels, stretch, noise, out):  # type: ignore[no-untyped-def]
    """Adds one place's sound to out, float32 [(F - 1) * 128]: f0 float64 [F] in cycles per sample, levels [F, 164]."""
    ramp = np.float32(1.0 / _HOP)
    for j in range(N_PARTIALS):
        phase = j * _GOLDEN % 1.0
        for k in range(f0.size - 1):
            low, high = levels[k, j], levels[k + 1, j]
            frequency = 0.5 * (f0[k] * stretch[k, j] + f0[k + 1] * stretch[k + 1, j])
            if frequency < _TOP and (low > np.float32(0.0) or high > np.float32(0.0)):
                real, imaginary = np.cos(2.0 * np.pi * phase), np.sin(2.0 * np.pi * phase)
                turn, across = np.cos(2.0 * np.pi * frequency), np.sin(2.0 * np.pi * frequency)
                for i in range(_HOP):
                    out[k * _HOP + i] += (low + (high - low) * ramp * np.float32(i)) * np.float32(real)
                    real, imaginary = real * turn - imaginary * across, imaginary * turn + real * across
            phase = (phase + frequency * _HOP) % 1.0
    for b in range(N_BANDS):
        for k in range(f0.size - 1):
            low, high = levels[k, N_PARTIALS + b], levels[k + 1, N_PARTIALS + b]
            if low > np.float32(0.0) or high > np.float32(0.0):
                for i in range(_HOP):
                    out[k * _HOP + i] += (low + (high - low) * ramp * np.float32(i)) * noise[b, k * _HOP + i]


def sounds_16k(played: Records, stretch: Float64Array, n_places: int) -> Float32Array:
    """VOICE [P * F] of `n_places` P at consecutive control frames, stretch float64 [P * F, 100] -> [P, (F - 1) * 128].

    At most 128 frames: 1 s.
    """
    n_frames = played.size // n_places
    levels = np.ascontiguousarray(played["level_to"]).reshape(n_places, n_frames, -1)
    f0 = np.ascontiguousarray(played["f0"] * (SAMPLE_RATE_HZ / ENCODER_RATE_HZ)).reshape(n_places, n_frames)
    ratios = np.ascontiguousarray(stretch).reshape(n_places, n_frames, N_PARTIALS)
    out = np.zeros((n_places, (n_frames - 1) * _HOP), np.float32)
    for place in range(n_places):
        _sound(f0[place], levels[place], ratios[place], _noise(), out[place])
    return out
