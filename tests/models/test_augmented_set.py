"""Augmented copies stand behind the notes they were made of, and sound and frames still belong together."""

import numpy as np

from models.augmented_set import with_augmented
from models.control_data import ControlSet


def test_copies_follow_their_notes(tones: ControlSet) -> None:
    both = with_augmented(tones, 0.5, seed=3)
    assert both.n_notes == 36
    np.testing.assert_array_equal(both.rows[:24], tones.rows)
    assert set(both.note_str[24:]) <= set(tones.note_str)
    again = with_augmented(tones, 0.5, seed=3)
    np.testing.assert_array_equal(both.wave, again.wave)
    other = with_augmented(tones, 0.5, seed=4)
    assert np.any(both.wave[24:] != other.wave[24:])
    assert with_augmented(tones, 0.0, seed=3) is tones


def test_a_copy_sounds_as_its_frames_say(tones: ControlSet) -> None:
    both = with_augmented(tones, 1.0, seed=0)
    moved = 0
    for i in range(24, 48):
        wave = both.wave[i, 16_000:32_000].astype(np.float64) / 32767.0
        time_s = np.arange(wave.size) / 16_000.0
        # The first partial by projection on its own frequency, against the middle of its frames in that second.
        turn = np.exp(-2j * np.pi * both.f0_hz[i] * time_s) * np.hanning(wave.size)
        found_db = 20.0 * np.log10(2.0 * np.abs((wave * turn).sum()) / np.hanning(wave.size).sum())
        said_db = float(both.rows[i, 187, 0])
        original_db = float(tones.rows[i - 24, 187, 0])
        assert abs(found_db - said_db) < 2.5  # a room adds up to 2 dB to a steady partial
        moved += abs(said_db - original_db) > 1.0
    assert moved >= 5
