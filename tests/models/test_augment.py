"""Augmented pairs: what the sound and its targets say of each other, measured on sinusoids."""

import numpy as np
import pytest

from models.augment import (
    AugmentConfig,
    augment,
    draw_filters,
    draw_room,
    fast_length,
    filter_response,
    target_db,
    through,
)
from synth.errors import TetradError
from synth.frames import BAND_CENTRES_HZ, LEVEL_FLOOR_DB, N_PARTIALS, partial_frequencies_hz

RATE_HZ = 16_000
N_SAMPLES = 16_000
N_FRAMES = 125
NOTHING = AugmentConfig(gain_db=0.0, tuning_share=0.0, filter_share=0.0, room_share=0.0, noise_share=0.0)


def _pair(f0_hz: float, levels_db: list[float], n_notes: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Steady notes of some partials, and the rows that an analysis would give."""
    time_s = np.arange(N_SAMPLES) / RATE_HZ
    k = np.arange(1, len(levels_db) + 1)[:, None]
    amplitude = 10.0 ** (np.array(levels_db, np.float64) / 20.0)
    wave = amplitude @ np.sin(2 * np.pi * k * f0_hz * time_s + k)
    rows = np.full((N_FRAMES, 165), LEVEL_FLOOR_DB, np.float32)
    rows[:, : len(levels_db)] = levels_db
    rows[:, -1] = 0.0
    return (
        np.tile(wave.astype(np.float32), (n_notes, 1)),
        np.tile(rows, (n_notes, 1, 1)),
        np.full(n_notes, f0_hz, np.float32),
    )


def _level_db(wave, frequency_hz):
    """Peak amplitude in dB of one sinusoid in the middle of a crop."""
    part = wave[4000:12000].astype(np.float64)
    window = np.hanning(part.size)
    turn = np.exp(-2j * np.pi * frequency_hz * np.arange(part.size) / RATE_HZ)
    return 20 * np.log10(2 * abs(np.sum(part * window * turn)) / window.sum())


def test_nothing_asked_for_changes_nothing():
    wave, rows, f0_hz = _pair(220.0, [-10, -20], n_notes=3)
    before = wave.copy(), rows.copy()
    result = augment(wave, rows, f0_hz, np.random.default_rng(0), NOTHING)
    assert np.array_equal(result.wave, wave)
    assert np.array_equal(result.rows, rows)
    assert np.array_equal(result.f0_hz, f0_hz)
    augment(wave, rows, f0_hz, np.random.default_rng(0))
    assert np.array_equal(wave, before[0])  # the caller's arrays stay
    assert np.array_equal(rows, before[1])


def test_the_same_seed_gives_the_same_batch():
    pair = _pair(220.0, [-10, -20, -15], n_notes=6)
    one, again = (augment(*pair, np.random.default_rng(5)) for _ in range(2))
    other = augment(*pair, np.random.default_rng(6))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one.wave, other.wave)


@pytest.mark.parametrize("f0_hz", [110.0, 262.0, 700.0])
def test_filter_and_gain_move_sound_and_targets_alike(f0_hz):
    levels_db = [-20.0] * int(7500 / f0_hz)
    pair = _pair(f0_hz, levels_db, n_notes=8)
    config = AugmentConfig(tuning_share=0.0, filter_share=1.0, room_share=0.0, noise_share=0.0)
    result = augment(*pair, np.random.default_rng(1), config)
    moved_db = result.rows[:, N_FRAMES // 2, : len(levels_db)]
    assert moved_db.std() > 2.0
    assert np.ptp(moved_db, axis=1).max() > 3.0  # not only gain
    for wave, wanted_db in zip(result.wave, moved_db, strict=True):
        heard_db = [_level_db(wave, k * f0_hz) for k in range(1, len(levels_db) + 1)]
        np.testing.assert_allclose(heard_db, wanted_db, atol=0.1)


def test_targets_above_8_khz_and_bands_follow_the_curve():
    rng = np.random.default_rng(3)
    filters = draw_filters(rng, 5, 6.0)
    partial_hz = partial_frequencies_hz(np.array([150.0]), np.array([1e-4]))
    wanted_hz = np.concatenate([partial_hz[0], BAND_CENTRES_HZ])
    inside = (wanted_hz > 20.0) & (wanted_hz < 20_000.0)
    for i in range(5):
        curve_db = 20 * np.log10(np.abs(filter_response(filters, wanted_hz)[i]))
        found_db = target_db(filters, np.array([i]), partial_hz)[0]
        np.testing.assert_allclose(found_db[inside], curve_db[inside], atol=0.02)
        assert np.abs(curve_db).max() <= 24.0


def test_shelves_and_bells_are_what_they_are_called():
    filters = draw_filters(np.random.default_rng(0), 3, 6.0)
    low_hz, high_hz = 0.01, 1e6
    ends_db = 20 * np.log10(np.abs(filter_response(filters, [low_hz, high_hz])))
    np.testing.assert_allclose(ends_db[:, 0], filters.gain_db[:, 0], atol=0.01)
    np.testing.assert_allclose(ends_db[:, 1], filters.gain_db[:, 3], atol=0.01)
    alone = filters._replace(gain_db=filters.gain_db * [0, 1, 0, 0])
    at_corner = 20 * np.log10(np.abs(filter_response(alone, alone.corner_hz[:, 1])))
    np.testing.assert_allclose(np.diag(at_corner), filters.gain_db[:, 1], atol=1e-9)


def test_a_filter_sounds_nothing_before_its_input():
    filters = draw_filters(np.random.default_rng(2), 4, 6.0)
    click = np.zeros((4, 4096), np.float32)
    click[:, 2000:2011] = np.blackman(13)[1:-1]  # nothing at 8 kHz, where the spectrum is cut
    n_fft = fast_length(8192)
    heard = through(click, filters, np.zeros((4, 1), np.float32), np.arange(4), n_fft, np.full(4, n_fft))
    energy = np.cumsum(heard.astype(np.float64) ** 2, axis=1)
    assert (energy[:, 1999] < 1e-4 * energy[:, -1]).all()
    assert (energy[:, 2050] > 0.8 * energy[:, -1]).all()


def test_tuning_moves_the_sound_the_bands_and_f0_together():
    pair = _pair(440.0, [-12, -18, -24], n_notes=16)
    pair[1][:, :, N_PARTIALS:-1] = -60.0 - 3.0 * np.abs(np.arange(64) - 30)  # a noise peak in band 30
    config = AugmentConfig(gain_db=0.0, tuning_share=1.0, filter_share=0.0, room_share=0.0, noise_share=0.0)
    result = augment(*pair, np.random.default_rng(4), config)
    cents = 1200 * np.log2(result.f0_hz / 440.0)
    assert np.abs(cents).max() <= 40.0
    assert len(np.unique(np.round(cents, 3))) > 4
    for wave, rows, f0_hz in zip(result.wave, result.rows, result.f0_hz, strict=True):
        for k, level_db in ((1, -12), (2, -18), (3, -24)):
            assert _level_db(wave, k * f0_hz) == pytest.approx(level_db, abs=0.05)
        np.testing.assert_allclose(rows[:100, :3], np.tile([-12, -18, -24], (100, 1)), atol=1e-4)
        bands = rows[10, N_PARTIALS:-1]
        # The flanks of the peak lie 3 dB a band: both move the way that the tuning went.
        up = (bands[35] - pair[1][0, 10, N_PARTIALS + 35], bands[25] - pair[1][0, 10, N_PARTIALS + 25])
        assert np.sign(up[0]) == -np.sign(up[1]) == np.sign(f0_hz - 440.0)


def test_a_faster_note_ends_earlier_in_sound_and_rows():
    wave, rows, f0_hz = _pair(440.0, [-12], n_notes=16)
    n_fallen = 60
    rows[:, n_fallen:, 0] = -52.0
    wave[:, n_fallen * 128 :] *= 0.01
    config = AugmentConfig(gain_db=0.0, tuning_share=1.0, filter_share=0.0, room_share=0.0, noise_share=0.0)
    result = augment(wave, rows, f0_hz, np.random.default_rng(4), config)
    for i in range(16):
        ratio = result.f0_hz[i] / 440.0
        fall = np.flatnonzero(np.abs(result.wave[i]) > 0.1)[-1] / 128
        assert fall == pytest.approx(n_fallen / ratio, abs=0.5)
        assert np.flatnonzero(result.rows[i, :, 0] > -30)[-1] == pytest.approx(n_fallen / ratio - 1, abs=1.0)
        past = np.arange(N_FRAMES) * ratio > N_FRAMES - 1
        assert (result.rows[i, past, 0] == LEVEL_FLOOR_DB).all()


def test_a_room_follows_the_sound_and_leaves_the_targets_dry():
    wave, rows, f0_hz = _pair(330.0, [-12], n_notes=32)
    wave[:, 4000:] = 0.0
    config = AugmentConfig(gain_db=0.0, tuning_share=0.0, filter_share=0.0, room_share=1.0, noise_share=0.0)
    result = augment(wave, rows, f0_hz, np.random.default_rng(0), config)
    assert np.array_equal(result.rows, rows)
    np.testing.assert_allclose(result.wave[:, :32], wave[:, :32], atol=1e-5)  # 2 ms: nothing comes back yet
    tail_db = 10 * np.log10((result.wave[:, 4000:5000] ** 2).mean(axis=1) / (wave[:, :4000] ** 2).mean(axis=1))
    assert (tail_db < -8.0).all()
    assert (tail_db > -45.0).all()
    assert (result.wave[:, 4000 + 4200 :] ** 2).max() < 1e-9


def test_a_room_has_the_level_that_was_drawn():
    config = AugmentConfig(room_db=(12.0, 12.0))
    room = draw_room(np.random.default_rng(0), config)
    assert 10 * np.log10(np.sum(room.astype(np.float64) ** 2)) == pytest.approx(-12.0, abs=1e-3)
    assert not room[:32].any()


def test_noise_is_as_far_below_the_loudest_moment_as_asked():
    wave, rows, f0_hz = _pair(330.0, [-12], n_notes=8)
    wave[:, 8000:] *= 0.1
    config = AugmentConfig(
        gain_db=0.0, tuning_share=0.0, filter_share=0.0, room_share=0.0, noise_share=1.0, noise_db=(40.0, 40.0)
    )
    result = augment(wave, rows, f0_hz, np.random.default_rng(0), config)
    assert np.array_equal(result.rows, rows)
    added_db = 10 * np.log10(((result.wave - wave) ** 2).mean(axis=1))
    loudest_db = 10 * np.log10((wave[:, :8000] ** 2).mean(axis=1))
    np.testing.assert_allclose(loudest_db - added_db, 40.0, atol=1.5)


def test_unknown_levels_stay_unknown():
    wave, rows, f0_hz = _pair(220.0, [-12, -20], n_notes=12)
    rows[:, :, 33:100] = np.nan
    rows[:, :, 100 + 45 : 164] = np.nan
    result = augment(wave, rows, f0_hz, np.random.default_rng(0))
    assert np.isnan(result.rows[:, :100, 33:100]).all()
    assert np.isfinite(result.rows[:, :, :33]).all()
    assert np.isfinite(result.rows[:, :, 100 : 100 + 44]).all()
    assert np.isnan(result.rows[:, :100, 100 + 46 : 164]).all()


def test_levels_stay_above_the_floor():
    pair = _pair(220.0, [-118.0], n_notes=16)
    result = augment(*pair, np.random.default_rng(0))
    assert result.rows[:, :, :-1].min() == LEVEL_FLOOR_DB
    assert result.rows[:, :, 0].max() > -117.0
    assert (result.rows[:, :100, 1:100] == LEVEL_FLOOR_DB).all()  # silence is not amplified


def test_arrays_that_do_not_fit():
    wave, rows, f0_hz = _pair(220.0, [-12])
    with pytest.raises(TetradError, match="expected"):
        augment(wave, rows[:, :100], f0_hz, np.random.default_rng(0))
    with pytest.raises(TetradError, match="expected"):
        augment(wave[:, :-1], rows, f0_hz, np.random.default_rng(0))


@pytest.mark.parametrize("least", [1, 7, 4097, 20_097])
def test_fast_lengths(least):
    length = fast_length(least)
    assert least <= length < 1.1 * least + 2
    assert length % 2 == 0
    for factor in (2, 3, 5, 7):
        while length % factor == 0:
            length //= factor
    assert length == 1
