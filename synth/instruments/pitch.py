"""Which key a recorded note is, or that it has none.

swift-f0 tracks well, but knows nothing under 46.9 Hz, and is an octave off where a sound's partials are unlike a
voice's: organs, bells, plucked bass. So each of 88 keys is asked how well its comb of partials explains a long spectrum
(`pitch_features.py`), with what swift-f0 heard as one witness of several, and a small network that has learned from
rendered notes weighs the answers (`pitch_network.py`). Of a chord the key of one of its notes comes out, usually as
unpitched; of a bell the key that it is sold as, where the network knows such bells.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from synth.frames import Float32Array, Float64Array
from synth.instruments import pitch_network
from synth.instruments.analysis import check_audio, fit_partials
from synth.instruments.pitch_features import LOWEST_KEY, hz_to_key, key_to_hz, pitch_features

PITCHED_FROM = 0.3
"""Least probability at which a sound is said to have a key. At 0.5, 13 % of sung notes were taken for noises; at 0.3,
7 %, and 6 % of drums for notes."""
SILENT_PEAK = 1e-6
NO_PITCH = 60.0
FEWEST_FRAMES, WAVERING_KEYS = 12, 0.3
_ONSET_SHARE = 0.01  # of the peak: where a recording begins
_TUNING_CENTS = 70.0  # as far as a key's comb may be moved; a bell's "fundamental" is left where the key was found


class PitchEstimate(NamedTuple):
    """pitch: MIDI key with its fraction, 20.5..108.5; the best guess even of a sound without pitch, 60 of silence.
    confidence: 0..1, the probability that the sound has a key, times this key's share of it; the nearest key was right
    for more than 99 % of notes above 0.9. pitched: whether a key can be named at all."""

    pitch: float
    confidence: float
    pitched: bool


def estimate_pitch(audio: Float32Array) -> PitchEstimate:
    """Pitch of one note, `audio` float32 [N] at 48 kHz, any level; its first 3 s count. It takes 0.1 s.

    Raises TetradError for audio of another shape, shorter than 16 ms, or not finite. Silence is unpitched.
    """
    samples = check_audio(audio)
    peak = float(np.abs(samples).max())
    if peak < SILENT_PEAK:
        return PitchEstimate(NO_PITCH, 0.0, False)
    onset = int(np.argmax(np.abs(samples) > _ONSET_SHARE * peak))
    samples = samples[min(onset, samples.size - 64) :] * np.float32(0.5 / peak)
    features = pitch_features(samples)
    judgement = pitch_network.shipped().judge(features)
    best = int(np.argmax(judgement.shares))
    confidence = judgement.pitched * float(judgement.shares[best])
    pitched = judgement.pitched >= PITCHED_FROM
    key = _wavering(features.tracked, LOWEST_KEY + best)
    key = _tuned(samples, float(features.keys[best])) if key is None else key
    return PitchEstimate(key, confidence, pitched)


def _wavering(tracked: Float64Array, nominal: int) -> float | None:
    """The mean of the tracked keys around `nominal`, where they waver; None where the tone is steady.

    A vibrato's long spectrum has its peaks at the turning points: 50 cents of it moved the comb by 46, and a singer's
    25 cents, which the tracker sees as 37 to 40 from the 10th to the 90th percentile, by 20. Nine in ten notes without
    have less than 21 there, and the tracker's own error is some 10.
    """
    near = tracked[np.abs(tracked - nominal) < 1.0]
    if near.size < FEWEST_FRAMES or np.percentile(near, 90) - np.percentile(near, 10) < WAVERING_KEYS:
        return None
    return float(near.mean())


def _tuned(audio: Float32Array, key: float) -> float:
    """`key` by its partials' exact places, where they agree with it to a third of a key; else as it is."""
    fit = fit_partials(audio, float(key_to_hz(key)), _TUNING_CENTS)
    found = float(hz_to_key(fit.f0_hz))
    return found if fit.n_peaks >= 2 and abs(found - key) <= 0.3 else key
