"""Scales and weights of control frames against numbers from their sources."""

import numpy as np
import pytest

from synth import frames


def test_erb_scale_is_that_of_glasberg_and_moore() -> None:
    # The ERB at 1 kHz is 132.6 Hz: one number up and down the scale.
    number = float(frames.erb_number(1000.0))
    width = frames.erb_number_to_hz(number + 0.5) - frames.erb_number_to_hz(number - 0.5)
    assert width == pytest.approx(24.7 * (4.37 + 1.0), rel=0.01)
    np.testing.assert_allclose(frames.erb_number_to_hz(frames.erb_number([20.0, 440.0, 2e4])), [20.0, 440.0, 2e4])


def test_bands_cover_the_hearing_range_without_gaps() -> None:
    assert frames.BAND_EDGES_HZ.shape == (65,)
    assert frames.BAND_EDGES_HZ[[0, -1]] == pytest.approx([20.0, 20_000.0])
    assert np.all(np.diff(frames.BAND_EDGES_HZ) > 0.0)
    assert np.all(
        (frames.BAND_EDGES_HZ[:-1] < frames.BAND_CENTRES_HZ) & (frames.BAND_EDGES_HZ[1:] > frames.BAND_CENTRES_HZ)
    )


def test_k_weighting_matches_bs1770() -> None:
    # ITU-R BS.1770 adds -0.691 dB so that 997 Hz weighs nothing; its shelf ends at +4 dB.
    assert float(frames.k_weighting_db(997.0)) == pytest.approx(0.691, abs=0.01)
    assert float(frames.k_weighting_db(15_000.0)) == pytest.approx(4.0, abs=0.1)
    assert float(frames.k_weighting_db(38.0)) == pytest.approx(-6.0, abs=0.5)


def test_frame_loudness_adds_powers() -> None:
    partial = np.full((3, frames.N_PARTIALS), frames.LEVEL_FLOOR_DB, np.float32)
    band = np.full((3, frames.N_BANDS), frames.LEVEL_FLOOR_DB, np.float32)
    partial[1, 0] = 0.0
    partial[2, :2] = -6.0
    loudness = frames.frame_loudness_db(partial, band, 997.0, 0.0)
    assert loudness[0] < -90.0
    assert loudness[1] == pytest.approx(-3.01 + 0.691, abs=0.02)
    second = float(frames.k_weighting_db(1994.0))
    expected = -9.01 + 10.0 * np.log10(10 ** (0.0691) + 10 ** (second / 10.0))
    assert loudness[2] == pytest.approx(expected, abs=0.02)


def test_partials_above_the_limit_are_not_loud() -> None:
    partial = np.full((1, frames.N_PARTIALS), frames.LEVEL_FLOOR_DB, np.float32)
    partial[0, 20] = 0.0  # the 21st of 1 kHz: 21 kHz
    band = np.full((1, frames.N_BANDS), frames.LEVEL_FLOOR_DB, np.float32)
    assert frames.frame_loudness_db(partial, band, 1000.0, 0.0)[0] < -90.0


def test_rows_and_frames_are_the_same_thing() -> None:
    rows = np.random.default_rng(0).standard_normal((7, frames.ROW_WIDTH)).astype(np.float32)
    back = frames.ControlFrames.from_rows(rows)
    assert back.n_frames == 7
    np.testing.assert_array_equal(back.rows(), rows)


def test_stiff_strings_are_sharp() -> None:
    frequency = frames.partial_frequencies_hz(100.0, 1e-3)
    assert frequency[0] == pytest.approx(100.0 * np.sqrt(1.001))
    assert frequency[9] == pytest.approx(1000.0 * np.sqrt(1.1))
