"""The measures of a path, on paths whose measures are known."""

import numpy as np
import pytest

from models.morph.measures import N_POINTS, measure_path
from synth.frames import Float32Array, pitch_to_hz

KEY = 60


def tone(key: float = KEY, n_partials: int = 6) -> Float32Array:
    """0.5 s, partials falling as 1/k."""
    n = np.arange(24_000)
    f0_hz = float(pitch_to_hz(key))
    k = np.arange(1, n_partials + 1)[:, None]
    wave = np.sum(np.sin(2.0 * np.pi * k * f0_hz * n / 48_000) / k, axis=0)
    return (0.1 * wave).astype(np.float32)


def scaled(levels_db: np.ndarray) -> Float32Array:
    """A tone at these levels: in log-mel distance, a path of just these steps (as long as nothing is at the floor)."""
    noise = 0.01 * np.random.default_rng(0).standard_normal(24_000)
    return (10.0 ** (levels_db[:, None] / 20.0) * (tone() + noise)).astype(np.float32)


def test_an_even_path() -> None:
    found = measure_path(scaled(np.linspace(-10.0, 10.0, N_POINTS)), KEY)
    assert found.evenness == pytest.approx(1.0, abs=0.01)
    assert found.largest_step_db == pytest.approx(1.0, abs=0.01)
    assert found.length_db == pytest.approx(20.0, abs=0.1)
    assert (found.monotone_share, found.largest_reversal) == (1.0, 0.0)
    assert found.pitch_cents < 0.5
    assert found.unpitched_points == 0
    assert found.loudness_dip_lu == pytest.approx(0.0, abs=0.01)


def test_a_jump() -> None:
    levels = np.linspace(0.0, 10.0, N_POINTS)
    levels[8:] += 10.0
    found = measure_path(scaled(levels), KEY)
    assert found.evenness == pytest.approx(10.5, abs=0.1)  # of a mean step of 1 dB
    assert found.monotone_share == 1.0


def test_a_step_back() -> None:
    levels = np.linspace(0.0, 20.0, N_POINTS)
    levels[5] = levels[4] - 3.0
    found = measure_path(scaled(levels), KEY)
    assert found.monotone_share == pytest.approx(38 / 40)  # of 20 steps away and 20 towards
    assert found.largest_reversal == pytest.approx(3.0 / 20.0, abs=0.01)


def test_a_dip_and_a_hump() -> None:
    dip = 4.0 * np.linspace(0.0, 1.0, N_POINTS) * np.linspace(1.0, 0.0, N_POINTS)
    assert measure_path(scaled(-3.0 * dip), KEY).loudness_dip_lu == pytest.approx(3.0, abs=0.01)
    assert measure_path(scaled(3.0 * dip), KEY).loudness_dip_lu == pytest.approx(-3.0, abs=0.01)


def test_the_worst_pitch_of_a_path_counts() -> None:
    sounds = scaled(np.zeros(N_POINTS))
    sounds[13] = tone(KEY - 0.12)
    assert measure_path(sounds, KEY).pitch_cents == pytest.approx(12.0, abs=0.5)


def test_points_without_a_pitch_are_counted() -> None:
    sounds = scaled(np.zeros(N_POINTS))
    sounds[3] = tone(KEY + 6)  # no peak of the correlation within a semitone of the key
    found = measure_path(sounds, KEY)
    assert found.unpitched_points == 1
    assert found.pitch_cents < 0.5
