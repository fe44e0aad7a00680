"""How loud a whole sound is: integrated loudness of ITU-R BS.1770-4, of one channel."""

from __future__ import annotations

import numpy as np

from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ, k_weighting_db

BLOCK_S, STEP_S = 0.4, 0.1
"""Gating blocks overlap by 75 %."""
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
_OFFSET_DB = -0.691
"""So that a full-scale sine at 997 Hz reads -3.01 LKFS."""


def loudness_lufs(audio_48k: np.ndarray) -> float:
    """Integrated loudness of one channel, real [n] at 48 kHz, at least 0.4 s of it.

    The gates matter here: the mean over a note that decays would tell how long it was recorded. Of the 400 ms blocks
    those below -70 LUFS are left out, then those more than 10 LU below the mean of the rest (annex 1). The K-weighting
    is applied to the spectrum of the whole signal, with zeros after it. -inf for silence.
    """
    audio = np.asarray(audio_48k, np.float64)
    n_block, n_step = round(BLOCK_S * SAMPLE_RATE_HZ), round(STEP_S * SAMPLE_RATE_HZ)
    if audio.ndim != 1 or audio.size < n_block:
        raise TetradError(f"audio of shape {list(audio.shape)} has no loudness; [n], n >= {n_block}, was expected")
    n_fft = 1 << (audio.size + n_block).bit_length()
    gain = 10.0 ** (k_weighting_db(np.fft.rfftfreq(n_fft, 1.0 / SAMPLE_RATE_HZ)) / 20.0)
    weighted = np.fft.irfft(np.fft.rfft(audio, n_fft) * gain, n_fft)[: audio.size]
    energy = np.concatenate([[0.0], np.cumsum(np.square(weighted))])
    start = np.arange(0, audio.size - n_block + 1, n_step)
    power = (energy[start + n_block] - energy[start]) / n_block
    power = power[power > 10.0 ** ((ABSOLUTE_GATE_LUFS - _OFFSET_DB) / 10.0)]
    if power.size == 0:
        return float("-inf")
    power = power[power > power.mean() * 10.0 ** (RELATIVE_GATE_LU / 10.0)]
    return float(_OFFSET_DB + 10.0 * np.log10(power.mean()))
