"""Instruments that sound alike are found by sound, and stay on one side of the split."""

import numpy as np
import pytest

from models.dataset.duplicates import COPY_DB, SAME_DB, Alike, copies, find_alike, group, note_levels, settle_split
from synth.frames import pitch_to_hz

RATE_HZ = 16_000
KEYS = (48, 53, 59, 64, 70)


def _note(pitch, slope_db=6.0, odd_db=0.0, decay_s=2.0, gain=0.1, noise_db=-80.0, seed=0):
    """Partials falling by `slope_db` an octave, the even ones `odd_db` lower, with some noise."""
    time_s = np.arange(4 * RATE_HZ) / RATE_HZ
    f0_hz = float(pitch_to_hz(pitch))
    k = np.arange(1, int(7000 / f0_hz) + 1)
    level_db = -slope_db * np.log2(k) - odd_db * (k % 2 == 0)
    audio = (10 ** (level_db / 20)[:, None] * np.sin(2 * np.pi * f0_hz * k[:, None] * time_s + k[:, None])).sum(0)
    audio = audio * np.exp(-time_s / decay_s) * (time_s < 3.0)
    noise = np.random.default_rng(seed).standard_normal(audio.size)
    return gain * (audio + 10 ** (noise_db / 20) * noise)


def _instrument(keys=KEYS, **sound):
    return {pitch: note_levels(_note(pitch, **sound), pitch) for pitch in keys}


def test_the_same_sound_at_another_level_is_a_copy():
    pairs = find_alike({"one": _instrument(), "quiet": _instrument(gain=0.01, seed=1)})
    assert [(p.first, p.second) for p in pairs] == [("one", "quiet")]
    assert pairs[0].distance_db < COPY_DB


def test_a_neighbouring_key_of_the_same_sample_is_recognised():
    other_keys = tuple(pitch + 2 for pitch in KEYS)
    pairs = find_alike({"one": _instrument(), "moved": _instrument(keys=other_keys)})
    assert len(pairs) == 1
    assert pairs[0].distance_db < SAME_DB


@pytest.mark.parametrize("change", [{"slope_db": 12.0}, {"odd_db": 20.0}, {"decay_s": 0.3}, {"noise_db": -10.0}])
def test_another_sound_is_another_instrument(change):
    assert find_alike({"one": _instrument(), "other": _instrument(**change)}) == []


def test_a_slightly_darker_version_is_alike_but_no_copy():
    pairs = find_alike({"one": _instrument(), "darker": _instrument(slope_db=7.5)})
    assert len(pairs) == 1
    assert COPY_DB < pairs[0].distance_db < SAME_DB


def test_instruments_without_common_keys_are_not_compared():
    assert find_alike({"low": _instrument(keys=(36, 41)), "high": _instrument(keys=(72, 77))}) == []


def test_one_common_key_of_many_is_not_enough():
    far = {48: _instrument()[48]} | _instrument(keys=(90, 95, 100))
    assert find_alike({"one": _instrument(), "other": far}) == []


def test_levels_stay_within_their_range():
    levels = note_levels(_note(60), 60)
    assert levels.shape == (7, 84)
    assert levels.dtype == np.float32
    assert levels.min() == -50.0
    assert -6.0 < levels.max() <= 0.0
    assert (note_levels(np.zeros(4 * RATE_HZ), 60) == -50.0).mean() > 0.9  # silence is no error


def test_groups_join_over_chains_and_copies_do_not():
    names = ["a", "b", "c", "d", "e"]
    pairs = [Alike("b", "c", 0.3), Alike("c", "d", 3.0), Alike("a", "e", 0.1)]
    assert group(names, pairs) == {"a": "a", "b": "b", "c": "b", "d": "b", "e": "a"}
    assert copies(names, pairs) == {"c": "b", "e": "a"}


def test_a_group_with_a_held_out_instrument_is_held_out():
    split = {"a": "train", "b": "held_out", "c": "train", "d": "train"}
    groups = {"a": "a", "b": "a", "c": "c", "d": "d"}
    assert settle_split(split, groups) == {"a": "held_out", "b": "held_out", "c": "train", "d": "train"}
