"""Sample rates: any to the engine's, and the engine's to the encoder's, the same way for training and on the device."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import soxr

from synth.frames import ENCODER_RATE_HZ, SAMPLE_RATE_HZ

Audio = npt.NDArray[np.floating]


def to_encoder_rate(audio: Audio) -> Audio:
    """48 kHz to 16 kHz, [n] to [n / 3], dtype kept: linear phase, flat to 7.3 kHz, sample 0 at sample 0."""
    low: Audio = soxr.resample(audio, SAMPLE_RATE_HZ, ENCODER_RATE_HZ, quality="HQ")
    return low


def to_engine_rate(audio: Audio, rate_hz: int) -> Audio:
    """`rate_hz` to 48 kHz, dtype kept; the same samples where that is the rate already."""
    if rate_hz == SAMPLE_RATE_HZ:
        return audio
    resampled: Audio = soxr.resample(audio, rate_hz, SAMPLE_RATE_HZ, quality="HQ")
    return resampled
