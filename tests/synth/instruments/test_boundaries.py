"""Where a sound begins and ends, in silence, noise and hum."""

import numpy as np
import pytest

from synth.frames import SAMPLE_RATE_HZ, Float32Array
from synth.instruments.boundaries import PRE_ROLL, cut_out, find_boundaries

ONSET = 20_011
"""Sample, no multiple of any step."""


def pluck(
    seconds: float = 2.0, attack_s: float = 0.003, decay_db_per_s: float = 30.0, f0_hz: float = 220.0
) -> Float32Array:
    time_s = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    wave = sum(0.6**k * np.sin(2.0 * np.pi * k * f0_hz * time_s + k) for k in range(1, 12))
    envelope = np.minimum(time_s / attack_s, 1.0) * 10.0 ** (-decay_db_per_s * time_s / 20.0)
    return np.asarray(0.5 * envelope * wave, np.float32)


def recorded(sound: Float32Array, noise_db: float | None, tail_s: float = 1.0, hum: bool = False) -> Float32Array:
    """The sound at ONSET, with a noise of this RMS (dB of full scale) all over, or hum of 50 Hz."""
    audio = np.concatenate([np.zeros(ONSET), sound, np.zeros(round(tail_s * SAMPLE_RATE_HZ))])
    if noise_db is not None:
        rms = 10.0 ** (noise_db / 20.0)
        time_s = np.arange(audio.size) / SAMPLE_RATE_HZ
        noise = np.random.default_rng(5).standard_normal(audio.size)
        audio += rms * (np.sqrt(2.0) * np.sin(2.0 * np.pi * 50.0 * time_s) if hum else noise)
    return audio.astype(np.float32)


@pytest.mark.parametrize("noise_db", [None, -96.0, -70.0, -50.0, -40.0])
def test_an_onset_is_found_to_within_two_milliseconds(noise_db: float | None) -> None:
    bounds = find_boundaries(recorded(pluck(), noise_db))
    assert abs(bounds.onset - ONSET) <= 96
    assert bounds.onset - bounds.start == PRE_ROLL
    if noise_db is not None:
        assert bounds.noise_floor_db == pytest.approx(noise_db, abs=1.0)


@pytest.mark.parametrize("attack_s", [0.05, 0.5])
@pytest.mark.parametrize("noise_db", [None, -60.0])
def test_nothing_is_lost_of_a_slow_attack(attack_s: float, noise_db: float | None) -> None:
    sound = pluck(4.0, attack_s, 0.0)
    bounds = find_boundaries(recorded(sound, noise_db))
    lost = sound[: max(bounds.onset - ONSET, 0)]
    peak_db = 20.0 * np.log10(np.abs(sound).max())
    audible_db = -50.0 + peak_db if noise_db is None else noise_db + 10.0
    assert 20.0 * np.log10(np.abs(lost).max(initial=1e-6)) < audible_db
    assert bounds.onset > ONSET - 96


def test_hum_is_told_from_the_sound() -> None:
    bounds = find_boundaries(recorded(pluck(), -60.0, hum=True))
    assert abs(bounds.onset - ONSET) <= 96
    assert bounds.noise_floor_db == pytest.approx(-60.0, abs=1.0)


def test_digital_silence_before_the_noise_is_not_the_noise_floor() -> None:
    audio = recorded(pluck(), -50.0)
    audio[:8_000] = 0.0
    bounds = find_boundaries(audio)
    assert abs(bounds.onset - ONSET) <= 96
    assert bounds.noise_floor_db == pytest.approx(-50.0, abs=1.0)


@pytest.mark.parametrize("noise_db", [-70.0, -50.0, -40.0])
def test_the_end_is_where_the_sound_meets_the_noise(noise_db: float) -> None:
    sound = pluck(3.0)
    level_db = 20.0 * np.log10(np.sqrt(np.mean(sound[480:4800] ** 2)))
    meets = ONSET + (level_db - noise_db) / 30.0 * SAMPLE_RATE_HZ
    bounds = find_boundaries(recorded(sound, noise_db, 2.0))
    assert bounds.audible
    assert abs(bounds.end - meets) < 0.25 * SAMPLE_RATE_HZ


def test_a_soft_tail_in_silence_is_kept_and_the_silence_cut() -> None:
    sound = pluck(2.0)
    bounds = find_boundaries(recorded(sound, None, 3.0))
    assert ONSET + 0.95 * sound.size < bounds.end <= ONSET + sound.size + 480
    assert not bounds.audible


def test_a_sound_without_silence_around_it_is_kept_whole() -> None:
    audio = pluck(2.0, decay_db_per_s=12.0)  # cut off by its file while it sounds, 24 dB down
    bounds = find_boundaries(audio)
    assert bounds.noise_floor_db is None
    assert (bounds.start, bounds.stop) == (0, audio.size)
    assert np.array_equal(cut_out(audio, bounds, audio.size)[bounds.onset :], audio[bounds.onset :])


def test_noise_is_a_sound_too() -> None:
    burst = 0.1 * np.random.default_rng(1).standard_normal(48_000).astype(np.float32)
    bounds = find_boundaries(np.concatenate([np.zeros(ONSET, np.float32), burst, np.zeros(9_600, np.float32)]))
    assert abs(bounds.onset - ONSET) <= 96
    assert abs(bounds.end - (ONSET + burst.size)) <= 960


def test_a_soft_click_far_before_the_sound_is_left_out_and_a_near_one_kept() -> None:
    audio = recorded(pluck(), None)
    click = 0.05 * np.random.default_rng(2).standard_normal(200).astype(np.float32)
    audio[2_000:2_200] += click
    assert abs(find_boundaries(audio).onset - ONSET) <= 96
    near = recorded(pluck(), None)
    near[ONSET - 1_500 : ONSET - 1_300] += click
    assert abs(find_boundaries(near).onset - (ONSET - 1_500)) <= 96


def test_soft_noises_far_before_the_sound_are_left_out() -> None:
    audio = recorded(pluck(), -85.0)
    creak = 0.01 * np.random.default_rng(2).standard_normal(4_800).astype(np.float32)
    for start in (1_000, 8_000):
        audio[start : start + creak.size] += creak  # 200 ms before, 28 dB softer
    bounds = find_boundaries(audio)
    assert abs(bounds.onset - ONSET) <= 96


def test_what_is_cut_out_fades_where_it_was_cut() -> None:
    audio = recorded(pluck(), -40.0)
    bounds = find_boundaries(audio)
    note = cut_out(audio, bounds, audio.size)
    lead = bounds.onset - bounds.start
    assert np.array_equal(note[lead : lead + 9_600], audio[bounds.onset :][:9_600])
    assert abs(note[0]) < 0.01 * np.abs(audio[:ONSET]).max()
    assert abs(note[-1]) < 1e-4
    assert cut_out(audio, bounds, 12_000).size == 12_000


def test_a_soft_steady_tone_at_the_end_is_no_floor() -> None:
    """A loud stroke, and then what rings on, 45 dB softer, until the file ends."""
    time_s = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    ring = (0.003 * np.sin(2.0 * np.pi * 1_000.0 * time_s)).astype(np.float32)
    ring[:9_600] += pluck(0.2, decay_db_per_s=150.0)
    bounds = find_boundaries(ring)
    assert bounds.noise_floor_db is None
    assert bounds.stop == ring.size


def test_soft_noise_of_the_sound_itself_is_no_floor() -> None:
    """A beat, and then a wash of noise 25 dB below it until the end, as drum loops have."""
    rng = np.random.default_rng(7)
    wash = 0.02 * rng.standard_normal(48_000)
    wash[:4_800] += 0.5 * rng.standard_normal(4_800)
    bounds = find_boundaries(wash.astype(np.float32))
    assert bounds.noise_floor_db is None
    assert (bounds.onset, bounds.stop) == (0, 48_000)
