"""The independent pitch estimator on tones whose pitch is known."""

import numpy as np
import pytest

from models.pitch_check import SAMPLE_RATE_HZ, estimate_pitch_hz, pitch_error_cents
from synth.errors import TetradError


def _key_hz(key):
    return 440.0 * 2 ** ((key - 69) / 12)


def _tone(f0_hz, *, tilt=1.0, odd=False, inharmonicity=0.0, n_seconds=1.5, decay_s=None, vibrato_cents=0.0):
    t = np.arange(round(n_seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    phases = np.random.default_rng(5).uniform(0, 2 * np.pi, 100)
    # Vibrato of 5 Hz around f0: its integral is the phase.
    warped = t + vibrato_cents / 1200 * np.log(2) * np.sin(2 * np.pi * 5 * t) / (2 * np.pi * 5)
    audio = np.zeros_like(t)
    for k in range(1, 61, 2 if odd else 1):
        frequency_hz = k * f0_hz * np.sqrt(1 + inharmonicity * k * k)
        if frequency_hz < 20_000:
            audio += k**-tilt * np.sin(2 * np.pi * frequency_hz * warped + phases[k])
    if decay_s is not None:
        audio *= np.exp(-t / decay_s)
    return 0.5 * audio / np.abs(audio).max()


@pytest.mark.parametrize("kind", [{"tilt": 1.0}, {"tilt": 0.3}, {"tilt": 2.0}, {"odd": True}, {"decay_s": 0.3}])
@pytest.mark.parametrize("key", range(36, 97, 6))
def test_harmonic_tones_within_a_fifth_of_a_cent(key, kind):
    for detuning_cents in (-40, 0, 3.7):
        f0_hz = _key_hz(key + detuning_cents / 100)
        estimate_hz, confidence = estimate_pitch_hz(_tone(f0_hz, **kind), near_hz=_key_hz(key))
        assert abs(1200 * np.log2(estimate_hz / f0_hz)) < 0.2
        assert confidence > 0.97


@pytest.mark.parametrize("key", [36, 48, 60, 72, 84])
def test_without_an_expectation_swift_f0_finds_the_octave(key):
    f0_hz = _key_hz(key + 0.2)
    estimate_hz, confidence = estimate_pitch_hz(_tone(f0_hz))
    assert abs(1200 * np.log2(estimate_hz / f0_hz)) < 0.2
    assert confidence > 0.98


def test_noise_vibrato_and_stretched_partials():
    f0_hz = _key_hz(57)
    noisy = _tone(f0_hz) + 0.05 * np.random.default_rng(1).standard_normal(round(1.5 * SAMPLE_RATE_HZ))
    assert abs(pitch_error_cents(noisy, f0_hz)) < 0.5
    assert abs(pitch_error_cents(_tone(f0_hz, vibrato_cents=15, n_seconds=3), f0_hz)) < 2
    assert 0 < pitch_error_cents(_tone(f0_hz, inharmonicity=3e-4), f0_hz) < 3


def test_five_cents_are_seen():
    """What the check is for: a rendering 5 cents off is not taken for one in tune."""
    for key in (40, 64, 88):
        for off_cents in (-5, 5):
            error = pitch_error_cents(_tone(_key_hz(key + off_cents / 100)), _key_hz(key))
            assert error == pytest.approx(off_cents, abs=0.2)


def test_confidence_tells_a_tone_from_noise_and_from_two_tones():
    rng = np.random.default_rng(2)
    assert estimate_pitch_hz(rng.standard_normal(SAMPLE_RATE_HZ), near_hz=220.0)[1] < 0.5
    two = _tone(_key_hz(57)) + _tone(_key_hz(57.8))
    assert estimate_pitch_hz(two, near_hz=_key_hz(57))[1] < 0.9


def test_a_fade_to_silence_does_not_count():
    audio = np.concatenate([_tone(330.0), np.zeros(2 * SAMPLE_RATE_HZ)])
    estimate_hz, confidence = estimate_pitch_hz(audio, near_hz=332.0)
    assert estimate_hz == pytest.approx(330.0, rel=1e-4)
    assert confidence > 0.9


def test_no_pitch_where_it_is_expected():
    estimate_hz, confidence = estimate_pitch_hz(_tone(440.0, tilt=3.0), near_hz=620.0)
    assert confidence < 0.5 or np.isnan(estimate_hz)


@pytest.mark.parametrize(
    ("audio", "near_hz", "complaint"),
    [
        (np.ones(100), 440.0, r"shape \[100\]"),
        (np.ones((20_000, 2)), 440.0, r"shape \[20000, 2\]"),
        (np.zeros(20_000), 440.0, "silent"),
        (np.full(20_000, np.nan), 440.0, "not numbers"),
        (np.ones(20_000), 10.0, "20.0 to 4500.0 Hz"),
    ],
)
def test_refusals(audio, near_hz, complaint):
    with pytest.raises(TetradError, match=complaint):
        estimate_pitch_hz(audio, near_hz)
