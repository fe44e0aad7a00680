"""Clicks, onsets, fades and loops of rendered notes."""

import numpy as np

from models.pads import clean
from synth.frames import Float32Array

RATE = 16_000


def tone(seconds: float, hz: float = 220.0) -> Float32Array:
    t = np.arange(round(seconds * RATE)) / RATE
    return (0.5 * np.sin(2.0 * np.pi * hz * t)).astype(np.float32)


def test_a_wild_sample_is_drawn_between_its_neighbours_and_the_rest_stays() -> None:
    sound = tone(0.1)
    damaged = sound.copy()
    damaged[700] = -1.0 if sound[700] > 0 else 1.0
    damaged[700] += np.sign(damaged[700]) * 0.4
    repaired = clean.without_clicks(damaged)
    assert abs(float(repaired[700] - sound[700])) < 0.01
    np.testing.assert_array_equal(np.delete(repaired, 700), np.delete(sound, 700))


def test_an_onset_is_a_millisecond_before_the_first_loud_sample() -> None:
    sound = np.zeros(RATE, np.float32)
    sound[1000:] = 0.8
    sound[500] = 0.05
    assert clean.onset_sample(sound, RATE) == 1000 - 16
    assert clean.onset_sample(np.zeros(RATE, np.float32), RATE) == 0


def test_fades_begin_and_end_at_zero_and_leave_the_argument_alone() -> None:
    sound = np.ones(RATE, np.float32)
    both, end_only = clean.faded(sound, RATE, begin=True), clean.faded(sound, RATE, begin=False)
    assert (both[0], both[-1], end_only[0], end_only[-1]) == (0.0, 0.0, 1.0, 0.0)
    np.testing.assert_array_equal(both[8:-80], 1.0)
    assert sound.min() == 1.0


def test_a_silent_end_is_left_out() -> None:
    sound = np.zeros(RATE, np.float32)
    sound[:3000] = 0.1
    sound[3000:5000] = 2e-5  # 10 dB under what is heard, at a gain of 1
    assert clean.without_silent_end(sound, 1.0, RATE).size == 3000
    assert clean.without_silent_end(sound, 10.0, RATE).size == 5000


def test_a_loop_of_a_steady_tone_fits_in_phase() -> None:
    sound = tone(4.0, 220.5)
    release = 3 * RATE
    begin, end = clean.find_loop(sound, RATE, 57.0, release)
    assert 0 < begin < end < release
    turns = (end - begin) * 220.5 / RATE
    assert abs(turns - round(turns)) < 0.02
    assert end - begin > 0.25 * RATE


def test_a_decaying_note_has_no_loop() -> None:
    sound = tone(4.0) * np.exp(-np.arange(4 * RATE) / RATE).astype(np.float32)
    assert clean.find_loop(sound, RATE, 57.0, 3 * RATE) == (0, 0)
    assert clean.find_loop(tone(0.3), RATE, 57.0, round(0.2 * RATE)) == (0, 0)
