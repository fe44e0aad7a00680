"""The four paths, played by the real engine with a decoder that is a formula."""

from typing import cast

import numpy as np
import pytest

from models.morph import paths
from models.morph.loudness import loudness_lufs
from models.morph.measures import MIDDLE, N_POINTS
from synth.control.corners import Corner
from synth.frames import Float32Array, Float64Array, pitch_to_hz
from synth.instruments.notes import SourceNote
from synth.voices.decoder import Decoder
from tests.synth.voices.engine_parts import AnalyticDecoder, cents, instrument, peak_frequency_hz, sine_level_db, steady

DECODER = cast(Decoder, AnalyticDecoder())
WEST = instrument(steady({1: -20, 2: -40}, 600, seed=1), name="west")
EAST = instrument(steady({1: -40, 2: -20}, 600, seed=2), name="east")


def octave_over_fundamental_db(sounds: Float32Array) -> Float64Array:
    """Level of the second partial over the first's, dB, float64 [sounds]."""
    f0_hz = float(pitch_to_hz(60))
    return np.array([sine_level_db(s[9600:60_000], 2 * f0_hz) - sine_level_db(s[9600:60_000], f0_hz) for s in sounds])


@pytest.fixture(scope="module")
def ours() -> Float32Array:
    return paths.play([WEST, EAST], 60, 100, DECODER)


def test_a_path_runs_from_west_to_east(ours: Float32Array) -> None:
    assert ours.shape == (N_POINTS, 72_000)
    difference = octave_over_fundamental_db(ours[::5])
    np.testing.assert_allclose(difference[[0, -1]], [-20.0, 20.0], atol=0.5)
    assert np.all(np.diff(difference) > 3.0)  # in between the network has its say


def test_the_measured_blend_runs_evenly_in_decibels() -> None:
    measured = [paths.measured_instrument(end, 60, DECODER) for end in (WEST, EAST)]
    sounds = paths.play(measured, 60, 100, paths.NoDecoder())
    np.testing.assert_allclose(octave_over_fundamental_db(sounds[::5]), [-20.0, -10.0, 0.0, 10.0, 20.0], atol=0.5)


def test_the_ends_of_the_measured_blend_are_ours(ours: Float32Array) -> None:
    measured = [paths.measured_instrument(end, 60, DECODER) for end in (WEST, EAST)]
    blend = paths.play(measured, 60, 100, paths.NoDecoder())
    np.testing.assert_allclose(blend[[0, -1]], ours[[0, -1]], atol=1e-6)
    # The analytic decoder's z bends the spectrum between the corners; without a network levels are halfway.
    f0_hz = float(pitch_to_hz(60))
    held = blend[MIDDLE][9600:60_000]
    assert sine_level_db(held, f0_hz) == pytest.approx(sine_level_db(held, 2 * f0_hz), abs=0.1)
    assert (
        paths.NoDecoder().run(np.ones((3, 80), np.float32), np.ones(3, np.float32), np.ones(3, np.float32)).any() == 0
    )


def test_a_measured_instrument_keeps_the_notes_around_the_key() -> None:
    keys = instrument(*(steady({1: -20}, pitch=pitch) for pitch in (50, 55, 60, 65)))
    around = {key: [n.pitch for n in paths.measured_instrument(keys, key, DECODER).notes] for key in (40, 55, 57, 90)}
    assert around == {40: [50], 55: [55], 57: [55, 60], 90: [65]}


def test_snapping_plays_nine_sounds_of_ours(ours: Float32Array) -> None:
    sounds = paths.snapped([WEST, EAST], 60, 100, DECODER)
    assert sounds.shape == ours.shape
    assert len({sound.tobytes() for sound in sounds}) == 9
    for place in (0, 5, 10, 15, 20):  # 0, 1/4, 1/2, 3/4 and 1 are on both grids
        np.testing.assert_array_equal(sounds[place], ours[place])
    np.testing.assert_array_equal(sounds[1], sounds[0])  # 0.05 is nearer to 0 than to 1/8
    np.testing.assert_array_equal(sounds[2], sounds[3])  # 0.10 and 0.15 are both nearest to 1/8


def test_a_crossfade_keeps_the_power_of_unlike_sounds() -> None:
    west, east = (0.1 * np.random.default_rng(0).standard_normal((2, 48_000))).astype(np.float32)
    sounds = paths.crossfaded(west, east)
    np.testing.assert_array_equal(sounds[0], west)
    np.testing.assert_allclose(sounds[-1], east, atol=1e-7)
    np.testing.assert_allclose(np.std(sounds, axis=1), 0.1, rtol=0.02)
    linear = paths.crossfaded(west, east, linear=True)
    np.testing.assert_allclose(linear[MIDDLE], 0.5 * (west + east), atol=1e-7)


def test_recordings_are_brought_in_tune_and_to_the_level_of_their_corner(ours: Float32Array) -> None:
    sharp = instrument(steady({1: -20}, 600, pitch=59, tuning_cents=30.0)).notes[0]
    n = np.arange(192_000)
    recorded_hz = float(pitch_to_hz(59.3))
    audio = (0.01 * np.sin(2.0 * np.pi * recorded_hz * n / 48_000)).astype(np.float32)
    brought = paths.as_in_the_corner(SourceNote(audio, 59, 100, None), sharp, 60, ours[0])
    assert brought.shape == ours[0].shape
    assert abs(cents(peak_frequency_hz(brought[4800:], 261.0), float(pitch_to_hz(60)))) < 0.3
    assert loudness_lufs(brought) == pytest.approx(loudness_lufs(ours[0]), abs=1e-3)


def test_the_middle_of_the_diagonal_has_all_four() -> None:
    corners = [instrument(steady({1: -30, k: -20}, 600, seed=k), name=f"{k}") for k in (2, 3, 4, 5)]
    plain = [paths.measured_instrument(corner, 60, DECODER) for corner in corners]
    sounds = paths.play(plain, 60, 100, paths.NoDecoder(), paths.DIAGONAL)
    f0_hz = float(pitch_to_hz(60))
    ends = [[sine_level_db(sounds[end][9600:60_000], k * f0_hz) for k in (2, 3, 4, 5)] for end in (0, -1)]
    assert int(np.argmax(ends[0])) == Corner.NW
    assert int(np.argmax(ends[1])) == Corner.SE
    middle = [sine_level_db(sounds[MIDDLE][9600:60_000], k * f0_hz) for k in (2, 3, 4, 5)]
    np.testing.assert_allclose(middle, middle[0], atol=0.2)
