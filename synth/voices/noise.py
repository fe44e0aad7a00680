"""The noise of all voices: 64 band-limited noises of RMS 1, each with one gain per output channel.

Noises of different voices are independent, so their powers add: the gain of a band is the root of the sum of the
voices' powers, and the cost does not grow with the number of voices.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from synth.frames import BAND_EDGES_HZ, N_BANDS, Float32Array
from synth.jit import njit

NOISE_CELL = 64
"""Samples between two sums of powers, on a grid of the engine's clock: 1.3 ms at 48 kHz. Gains ramp in between."""
Int64Array = npt.NDArray[np.int64]
_SHORTEST_LOOP = 1 << 16
_LOOP_STEP = 1 << 10
_SILENT_GAIN = np.float32(1e-7)


@lru_cache(maxsize=2)
def noise_loops(sample_rate_hz: int, seed: int) -> tuple[Float32Array, Int64Array, Int64Array]:
    """Loops of Gaussian noise, one per band of BAND_EDGES_HZ, with RMS 1 and a flat spectrum between the band's edges.

    Returns (samples float32 [sum of lengths + padding], start int64 [64], length int64 [64]). Band b's loop is
    65,536 + 1,024 b samples long (1.4 to 2.7 s at 48 kHz): the bands never come round together. After each loop its
    first NOISE_CELL samples are repeated, so that a run of that length can be read from any position. The right channel
    reads half a loop later than the left. 25 MB. A band above the Nyquist frequency is silent.
    """
    generator = np.random.default_rng(seed)
    lengths = _SHORTEST_LOOP + _LOOP_STEP * np.arange(N_BANDS, dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths + NOISE_CELL)[:-1]]).astype(np.int64)
    samples = np.zeros(int(np.sum(lengths + NOISE_CELL)), np.float32)
    for band in range(N_BANDS):
        n = int(lengths[band])
        first, end = (int(np.ceil(edge * n / sample_rate_hz)) for edge in BAND_EDGES_HZ[band : band + 2])
        end = min(end, n // 2)
        if end <= first:
            continue
        spectrum = np.zeros(n // 2 + 1, np.complex64)  # single precision: half the time of every start
        spectrum[first:end] = generator.standard_normal((end - first, 2), np.float32).view(np.complex64)[:, 0]
        loop = np.fft.irfft(spectrum, n)
        loop *= np.float32(1.0 / np.sqrt(np.vdot(loop, loop) / n))
        samples[starts[band] : starts[band] + n] = loop
        samples[starts[band] + n : starts[band] + n + NOISE_CELL] = loop[:NOISE_CELL]
    samples.setflags(write=False)
    return samples, starts, lengths


@njit(fastmath=True)
def add_noise(out, first, n_samples, clock, gain, slope, loops, starts, lengths):  # type: ignore[no-untyped-def]
    """Adds `n_samples` (at most NOISE_CELL) of noise to out[:, first:] (float32 [2, block]) and moves the gains on.

    clock: the absolute sample of the first one. gain: float32 [2, 64], linear, just before it; it changes
    by `slope` with every sample.
    """
    for band in range(gain.shape[1]):
        for channel in range(2):
            g = gain[channel, band]
            d = slope[channel, band]
            g_end = g + d * np.float32(n_samples)
            gain[channel, band] = g_end
            if g <= _SILENT_GAIN and g_end <= _SILENT_GAIN:
                continue
            at = starts[band] + (clock + channel * (lengths[band] // 2)) % lengths[band]
            for i in range(n_samples):
                out[channel, first + i] += (g + d * np.float32(i + 1)) * loops[at + i]
