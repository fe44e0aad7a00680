"""When a note is there, and whether an envelope is between two others: of tones whose envelopes are given."""

import numpy as np
import pytest

from models.morph.envelopes import ATTACK_DB, blended_onset_s, envelope_correlation, loudness_envelope_db, onset_s
from synth.frames import SAMPLE_RATE_HZ, Float32Array, Float64Array

TIME_S = np.arange(round(1.5 * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ


def tone(level_db: Float64Array) -> Float32Array:
    return np.asarray(0.5 * 10.0 ** (level_db / 20.0) * np.sin(2.0 * np.pi * 1000.0 * TIME_S), np.float32)


def rising(rise_s: float) -> Float64Array:
    """From -40 dB up to 0, so that it is 20 dB below after half of the time and 6 after 0.85."""
    return -40.0 * np.clip(1.0 - TIME_S / rise_s, 0.0, 1.0)


def falling(db_per_s: float) -> Float64Array:
    return -db_per_s * TIME_S


@pytest.mark.parametrize("rise_s", [0.05, 0.2, 0.6])
def test_onset_of_a_swell(rise_s: float) -> None:
    assert onset_s(tone(rising(rise_s)), ATTACK_DB) == pytest.approx(0.85 * rise_s, abs=0.006)
    assert onset_s(tone(rising(rise_s))) == pytest.approx(0.5 * rise_s, abs=0.006)


def test_what_is_struck_is_there_at_once_and_silence_never() -> None:
    assert onset_s(tone(falling(20.0))) == 0.008
    assert np.isnan(onset_s(np.zeros(48_000, np.float32)))


def test_the_envelope_is_the_k_weighted_power() -> None:
    level = loudness_envelope_db(tone(np.zeros_like(TIME_S)))
    # A sine of 0.5 has -9.03 dB of power; the weighting adds 0.67 dB at 1 kHz.
    assert level[20:-20] == pytest.approx(-9.03 + 0.67, abs=0.05)


def test_onsets_blend_by_their_logarithms() -> None:
    assert blended_onset_s(0.01, 0.09, 0.5) == pytest.approx(0.03)
    assert blended_onset_s(0.01, 0.09, 1.0) == pytest.approx(0.09)


def test_a_sound_that_has_the_blended_envelope_correlates_and_others_do_not() -> None:
    west, east = rising(0.05), rising(0.5) + falling(30.0)
    middle = rising(np.sqrt(0.05 * 0.5)) + 0.5 * falling(30.0)
    found = [tone(level) for level in (middle, west, east)]
    assert envelope_correlation(found[0], found[1], found[2], 0.5, 1000.0) > 0.98
    assert envelope_correlation(tone(rising(1.2)), found[1], found[2], 0.5, 1000.0) < 0.5
    for place, end in ((0.0, found[1]), (1.0, found[2])):
        assert envelope_correlation(end, found[1], found[2], place, 1000.0) == pytest.approx(1.0)


def test_a_low_note_is_not_compared_by_its_waveform() -> None:
    """C1 with its octave: two notes that die away alike, an eighth of a period apart, have one envelope."""
    f0_hz, fall = 32.7, 10.0 ** (-0.25 * TIME_S)
    one, other = (
        np.asarray(fall * sum(np.sin(2.0 * np.pi * f0_hz * k * (TIME_S + late_s)) for k in (4, 5)), np.float32)
        for late_s in (0.0, 0.125 / f0_hz)
    )
    assert envelope_correlation(one, other, other, 0.5, f0_hz) > 0.99
    assert envelope_correlation(one, other, other, 0.5, 1000.0) < 0.95
