"""What the classifier hears: the constant-Q spectrum of 4 s at 16 kHz, three bins to a semitone, in half decibels.

16 kHz is NSynth's rate and the encoder's: the classifier judges what the network was told. A third of a semitone tells
neighbouring keys apart by their upper partials even where a window of 256 ms (the longest) does not part the lowest.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.classifier.constant_q import ConstantQ
from synth.errors import TetradError
from synth.frames import ENCODER_RATE_HZ, SAMPLE_RATE_HZ, pitch_to_hz
from synth.instruments.resampling import to_encoder_rate

LOWEST_PITCH = 21
N_PITCHES = 98
"""MIDI notes 21 (27.5 Hz, the lowest key of a piano) to 118 (7.46 kHz)."""
BINS_PER_SEMITONE = 3
N_BINS = BINS_PER_SEMITONE * N_PITCHES
N_SAMPLES = 4 * ENCODER_RATE_HZ
HOP = 512
N_FRAMES = N_SAMPLES // HOP
RANGE_DB = 80.0
STEPS_PER_DB = 2
SILENT_PEAK = 1e-6

Features = npt.NDArray[np.uint8]

CONSTANT_Q = ConstantQ(
    rate_hz=ENCODER_RATE_HZ,
    lowest_hz=float(pitch_to_hz(LOWEST_PITCH - 1.0 / BINS_PER_SEMITONE)),
    bins_per_octave=12 * BINS_PER_SEMITONE,
    n_bins=N_BINS,
    n_fft=4096,
)


def features(audio: npt.NDArray[np.floating], rate_hz: int = ENCODER_RATE_HZ) -> Features:
    """Levels of one note, uint8 [125, 294]: half decibels above 80 dB below the loudest, 0..160.

    Args: `audio` real [n] at `rate_hz` (16 or 48 kHz), of any level; 4 s are heard, what is missing is silence. The
        classifier knows notes that are held for 3 s and then let go.
    Bins 3 i, 3 i + 1 and 3 i + 2 stand around MIDI note 21 + i; frames are 32 ms apart, the first one on the onset.
    Raises TetradError for silence, samples that are not numbers, and other shapes and rates.
    """
    magnitude = np.abs(CONSTANT_Q.transform(_checked(audio, rate_hz), HOP))
    level_db = 20.0 * np.log10(np.maximum(magnitude / magnitude.max(), 10.0 ** (-RANGE_DB / 20.0)))
    return np.round((level_db + RANGE_DB) * STEPS_PER_DB).astype(np.uint8)


def _checked(audio: npt.NDArray[np.floating], rate_hz: int) -> npt.NDArray[np.floating]:
    """The first 4 s at 16 kHz."""
    if rate_hz not in (ENCODER_RATE_HZ, SAMPLE_RATE_HZ):
        raise TetradError(
            f"a sound at {rate_hz} Hz can't be classified; {ENCODER_RATE_HZ} or {SAMPLE_RATE_HZ} Hz was expected; "
            "resample it"
        )
    if audio.ndim != 1 or audio.size == 0:
        raise TetradError(f"a sound of shape {list(audio.shape)} can't be classified; one channel, [n], was expected")
    heard = audio[: 4 * rate_hz]
    if not np.isfinite(heard).all():
        raise TetradError("the sound to classify holds samples that are not numbers; finite ones were expected")
    peak = float(np.abs(heard).max())
    if peak < SILENT_PEAK:
        raise TetradError(f"the sound to classify is silent (peak {peak:.1e}); a note was expected")
    low = heard if rate_hz == ENCODER_RATE_HZ else to_encoder_rate(heard)
    return np.pad(low, (0, max(0, N_SAMPLES - len(low))))[:N_SAMPLES]
