"""Analysis of sounds whose control frames are known, because they were added up from sines and noise."""

import numpy as np
import pytest

from synth.errors import TetradError
from synth.frames import BAND_EDGES_HZ, HOP, LEVEL_FLOOR_DB, SAMPLE_RATE_HZ, Float32Array
from synth.instruments.analysis import analyse_note, fit_partials
from synth.instruments.noise_bands import noise_bands
from synth.instruments.resynthesis import band_noise, resynthesise
from synth.lsd import log_spectral_distance_db

N = 2 * SAMPLE_RATE_HZ
TIME_S = np.arange(N) / SAMPLE_RATE_HZ


def tone(f0_hz: float, levels_db: list[float], inharmonicity: float = 0.0, decay_db_per_s: float = 0.0) -> Float32Array:
    wave = np.zeros(N)
    for k, level_db in enumerate(levels_db, start=1):
        frequency_hz = k * f0_hz * np.sqrt(1.0 + inharmonicity * k * k)
        wave += 10.0 ** (level_db / 20.0) * np.sin(2.0 * np.pi * frequency_hz * TIME_S + k)
    return (wave * 10.0 ** (-decay_db_per_s * TIME_S / 20.0)).astype(np.float32)


@pytest.mark.parametrize("pitch", [36, 60, 84])
def test_levels_of_a_steady_tone_are_measured(pitch: int) -> None:
    levels = [-10.0, -16.0, -40.0, -20.0, -30.0]
    f0_hz = 440.0 * 2.0 ** ((pitch - 69) / 12.0)
    result = analyse_note(tone(f0_hz, levels), pitch)
    assert result.pitched
    assert result.tuning_cents == pytest.approx(0.0, abs=0.3)
    middle = result.frames.partial_db[50:200]
    np.testing.assert_allclose(middle[:, :5], np.broadcast_to(levels, (150, 5)), atol=0.3)
    assert middle[:, 6:].max() < -70.0
    assert np.abs(result.frames.deviation_cents).max() < 0.5


def test_a_decay_is_followed_from_the_first_frame() -> None:
    result = analyse_note(tone(220.0, [-6.0, -12.0], decay_db_per_s=30.0), 57)
    expected = -6.0 - 30.0 * np.arange(200) * HOP / SAMPLE_RATE_HZ
    np.testing.assert_allclose(result.frames.partial_db[:200, 0], expected, atol=0.5)


@pytest.mark.parametrize(("cents", "inharmonicity"), [(17.0, 0.0), (-31.0, 3e-4), (0.0, 1e-4)])
def test_tuning_and_inharmonicity_are_fitted(cents: float, inharmonicity: float) -> None:
    f0_hz = 130.81278 * 2.0 ** (cents / 1200.0)
    fit = fit_partials(tone(f0_hz, [-10.0 - 1.5 * k for k in range(20)], inharmonicity), 130.81278)
    assert 1200.0 * np.log2(fit.f0_hz / f0_hz) == pytest.approx(0.0, abs=0.3)
    assert fit.inharmonicity == pytest.approx(inharmonicity, rel=0.02, abs=2e-6)
    assert fit.n_peaks >= 18


def test_vibrato_is_a_pitch_deviation_and_not_a_spread_of_levels() -> None:
    depth_cents, rate_hz, f0_hz = 25.0, 5.0, 440.0
    cents = depth_cents * np.sin(2.0 * np.pi * rate_hz * TIME_S)
    phase = 2.0 * np.pi * np.cumsum(f0_hz * 2.0 ** (cents / 1200.0)) / SAMPLE_RATE_HZ
    wave = sum(10.0 ** (-(10.0 + k) / 20.0) * np.sin(k * phase) for k in range(1, 25))
    result = analyse_note(np.asarray(wave, dtype=np.float32), 69)
    middle = slice(20, 220)
    expected = cents[::HOP][middle]
    assert np.abs(result.frames.deviation_cents[middle] - expected).max() < 4.0
    np.testing.assert_allclose(result.frames.partial_db[middle, 19], -30.0, atol=1.5)


def test_noise_has_its_power_in_the_right_bands() -> None:
    level_db = np.linspace(-60.0, -20.0, 64)
    noise = (band_noise(N, 3) * (10.0 ** (level_db / 20.0)).astype(np.float32)[:, None]).sum(axis=0)
    found = noise_bands(noise)[20:-20].mean(axis=0)
    wide = np.diff(BAND_EDGES_HZ) > 60.0  # below, a band has too few bins for a mean
    np.testing.assert_allclose(found[wide], level_db[wide], atol=1.0)


def test_white_noise_has_no_pitch_and_is_all_bands() -> None:
    noise = (0.1 * np.random.default_rng(1).standard_normal(N)).astype(np.float32)
    result = analyse_note(noise, 60)
    assert not result.pitched
    assert np.all(result.frames.partial_db == LEVEL_FLOOR_DB)
    sound = resynthesise(result.frames, result.f0_hz, 0.0, N)
    assert np.sqrt(np.mean(sound**2)) == pytest.approx(0.1 * np.sqrt(20.0 / 24.0), rel=0.05)


def test_a_tone_in_noise_keeps_both() -> None:
    wave = tone(330.0, [-10.0, -20.0]) + (0.003 * np.random.default_rng(2).standard_normal(N)).astype(np.float32)
    result = analyse_note(wave, 64)
    assert result.pitched
    total = 10.0 * np.log10(np.sum(10.0 ** (result.frames.band_db[100].astype(float) / 10.0)))
    # Sixty partials with windows 108 Hz wide, every 330 Hz, take a third of the noise for their own: -1.8 dB.
    assert -2.5 < total - 20.0 * np.log10(0.003 * np.sqrt(20.0 / 24.0)) < 0.0


def test_resynthesis_of_an_analysis_is_close() -> None:
    wave = tone(196.0, [-8.0 - 2.0 * k for k in range(30)], 5e-5, decay_db_per_s=12.0)
    result = analyse_note(wave, 55)
    sound = resynthesise(result.frames, result.f0_hz, result.inharmonicity, N)
    assert log_spectral_distance_db(wave, sound) < 0.5


@pytest.mark.parametrize(
    ("audio", "word"),
    [
        (np.zeros((2, 48000), np.float32), "one channel"),
        (np.zeros(0, np.float32), "0 samples"),
        (np.full(48000, np.nan, np.float32), "NaN"),
    ],
)
def test_unusable_audio_is_refused_in_words(audio: Float32Array, word: str) -> None:
    with pytest.raises(TetradError, match=word):
        analyse_note(audio, 60)


def test_silence_is_silence() -> None:
    result = analyse_note(np.zeros(N, np.float32), 60)
    assert not result.pitched
    assert np.all(resynthesise(result.frames, result.f0_hz, 0.0, N) == 0.0)
