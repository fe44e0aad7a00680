"""The log-spectral distance against known distances and a slow, explicit computation."""

import cmath
import math

import numpy as np
import pytest

from synth.errors import TetradError
from synth.lsd import STFT_SIZES, _level_db, log_spectral_distance_db


def _noise(n, seed=1):
    return np.random.default_rng(seed).uniform(-0.9, 0.9, n)


def _slow_levels_db(signal, size, peak):
    """One number per frame and bin, as DESIGN section 9 puts it, by the sum that defines the Fourier transform."""
    window = [math.sin(math.pi * i / size) ** 2 for i in range(size)]
    levels = []
    for centre in range(0, len(signal) + 1, size // 4):
        for k in range(size // 2 + 1):
            total = 0j
            for i in range(size):
                at = centre - size // 2 + i
                if 0 <= at < len(signal):
                    total += window[i] * signal[at] * cmath.exp(-2j * math.pi * k * i / size)
            levels.append(20 * math.log10(abs(total) * 2 / sum(window) / peak + 1e-4))
    return levels


def test_equal_signals():
    x = _noise(20_000)
    assert log_spectral_distance_db(x, x) == 0.0


@pytest.mark.parametrize("gain", [2.0, 0.5, -0.5])
def test_a_gain_is_its_decibels(gain):
    x = _noise(48_000)
    # Exact but for the floor, which weighs in the rare cells where noise is faint.
    assert log_spectral_distance_db(x, gain * x) == pytest.approx(20 * math.log10(2), abs=0.06)


def test_both_louder_is_the_same_distance():
    x, y = _noise(20_000), _noise(20_000, seed=2)
    distance = log_spectral_distance_db(x, y)
    assert 4.0 < distance < 9.0  # two noises of one spectrum: the mean |difference| of two Rayleigh levels is 6.1 dB
    assert log_spectral_distance_db(0.01 * x, 0.01 * y) == pytest.approx(distance, rel=1e-9)


@pytest.mark.parametrize("size", STFT_SIZES)
def test_a_full_scale_sine_reads_one(size):
    """A bin-centred sine: 1 in its bin, 1/2 (the Hann window's spread) in its two neighbours, else nothing."""
    n = 4096 * 4
    levels_db = _level_db(np.sin(2 * np.pi * 0.125 * np.arange(n)), size, peak=1.0)
    assert levels_db.shape == (n // (size // 4) + 1, size // 2 + 1)
    middle = levels_db[len(levels_db) // 2]
    around = middle[size // 8 - 2 : size // 8 + 3]
    assert around == pytest.approx([-80, -6.0189, 0.0009, -6.0189, -80], abs=1e-3)
    assert np.delete(middle, range(size // 8 - 1, size // 8 + 2)) == pytest.approx(-80, abs=1e-3)


def test_against_the_slow_computation(monkeypatch):
    monkeypatch.setattr("synth.lsd.STFT_SIZES", (16, 32))
    rng = np.random.default_rng(3)
    x = 0.5 * np.sin(0.3 * np.arange(150)) * np.exp(-np.arange(150) / 60)
    y = x * 0.7 + 0.01 * rng.standard_normal(150)
    peak = max(abs(v) for v in x)
    per_size = []
    for size in (16, 32):
        a, b = _slow_levels_db(x, size, peak), _slow_levels_db(y, size, peak)
        per_size.append(sum(abs(p - q) for p, q in zip(a, b, strict=True)) / len(a))
    assert log_spectral_distance_db(x, y) == pytest.approx(sum(per_size) / 2, rel=1e-9)


def test_the_rendering_is_fitted_to_the_source():
    x = _noise(10_000)
    assert log_spectral_distance_db(x, np.concatenate([x, _noise(500, seed=9)])) == 0.0
    short = log_spectral_distance_db(x, x[:9_000])
    filled = log_spectral_distance_db(x, np.concatenate([x[:9_000], np.zeros(1_000)]))
    assert short == filled > 1.0


def test_float32_and_short_signals():
    x = _noise(100).astype(np.float32)
    assert log_spectral_distance_db(x, x) == 0.0
    assert log_spectral_distance_db(x, np.zeros(0)) > 1.0


@pytest.mark.parametrize(
    ("source", "rendered", "complaint"),
    [
        (np.zeros(0), np.ones(5), "empty or silent"),
        (np.zeros(500), np.ones(5), "empty or silent"),
        (np.array([0.1, np.nan]), np.ones(2), "source holds 1 samples"),
        (np.ones(3), np.array([np.inf, np.nan, 0]), "rendered signal holds 2 samples"),
        (np.ones((3, 2)), np.ones(3), r"shape \[3, 2\]"),
    ],
)
def test_refusals(source, rendered, complaint):
    with pytest.raises(TetradError, match=complaint):
        log_spectral_distance_db(source, rendered)
