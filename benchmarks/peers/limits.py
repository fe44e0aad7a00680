"""What this machine can do at best, and how much of it a voice of Tetrad takes.

Two limits that no synthesizer of this kind passes: inverse FFTs (a spectrum per voice and control tick would be the
cheapest way from partials to sound) and memory bandwidth (every voice's state has to be looked at).
"""

import time

import numpy as np

from synth.frames import FRAME_RATE_HZ, HOP, N_BANDS, N_PARTIALS
from synth.voices.oscillators import OSCILLATOR_CELL
from synth.voices.renderer import SLOT
from synth.voices.segments import SEGMENT

FFT_SIZE = 2048
"""Samples of a wavetable with 100 partials that can be read with linear interpolation below -80 dB."""
COPY_BYTES = 1 << 26
"""64 MiB: more than a core's share of the caches."""
_SHORTEST_S = 0.2


def inverse_ffts_per_s() -> float:
    """Inverse real FFTs of FFT_SIZE float32 samples a second, in batches of 64 voices, in CPU time of one thread."""
    spectra = np.random.default_rng(0).standard_normal((64, FFT_SIZE // 2 + 1)).astype(np.complex64)
    np.fft.irfft(spectra)
    n, began = 0, time.thread_time()
    while time.thread_time() - began < _SHORTEST_S:
        np.fft.irfft(spectra)
        n += len(spectra)
    return n / (time.thread_time() - began)


def copy_gb_per_s() -> float:
    """Memory bandwidth of a copy, bytes read plus bytes written as STREAM counts them, 10^9 a second, CPU time."""
    source, target = np.ones(COPY_BYTES // 8), np.empty(COPY_BYTES // 8)
    np.copyto(target, source)
    n, began = 0, time.thread_time()
    while time.thread_time() - began < _SHORTEST_S:
        np.copyto(target, source)
        n += 2 * COPY_BYTES
    return n / (time.thread_time() - began) / 1e9


def ffts_of_a_voice_per_s() -> float:
    """What one inverse FFT per voice and control tick comes to."""
    return FRAME_RATE_HZ


def bytes_of_a_voice_per_s() -> float:
    """Bytes that a voice moves when nothing stays in any cache: an upper bound.

    Per tick: the decoder's answer, the detail of four corners between two recorded keys, a segment written and read;
    the residual's samples written and read; per oscillator cell the renderer's state read and written.
    """
    n_levels = N_PARTIALS + N_BANDS
    decoded = 4 * n_levels
    detail = 4 * 2 * n_levels * 4  # corners, keys, levels, float32
    residual = 2 * 4 * HOP
    state = 2 * SLOT.itemsize * -(-HOP // OSCILLATOR_CELL)
    return (decoded + detail + 2 * SEGMENT.itemsize + residual + state) * FRAME_RATE_HZ
