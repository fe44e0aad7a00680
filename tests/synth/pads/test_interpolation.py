"""Reading between samples: exact where it can be, near elsewhere."""

import numpy as np

from synth.pads.interpolation import FIRST_TAP, N_TAPS, fill_taps, tap_table

TABLE = tap_table()


def read(samples: np.ndarray[tuple[int, ...], np.dtype[np.float64]], place: float) -> float:
    taps = np.zeros(N_TAPS, np.float32)
    whole = int(np.floor(place))
    fill_taps(TABLE, place - whole, taps)
    return float(taps.astype(np.float64) @ samples[whole - FIRST_TAP : whole - FIRST_TAP + N_TAPS])


def test_whole_places_are_the_samples() -> None:
    samples = np.random.default_rng(1).normal(size=40)
    assert [read(samples, place) for place in range(4, 30)] == samples[4:30].tolist()


def test_a_sine_at_a_quarter_of_the_rate_is_within_60_db() -> None:
    turns = 0.25
    samples = np.sin(2.0 * np.pi * turns * np.arange(200))
    places = np.linspace(10.0, 180.0, 1001)
    errors = np.array([read(samples, p) for p in places]) - np.sin(2.0 * np.pi * turns * places)
    assert np.sqrt(2.0 * np.mean(errors**2)) < 10 ** (-60 / 20)


def test_nothing_is_added_to_a_level() -> None:
    assert [round(read(np.ones(20), p), 6) for p in np.linspace(5.0, 6.0, 7)] == [1.0] * 7
