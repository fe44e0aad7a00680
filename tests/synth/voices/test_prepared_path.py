"""Which notes of a path a key and a velocity use."""

import numpy as np
import pytest

from synth.frames import Float32Array
from synth.grid.pair_path import N_WARP, NotePath, PairPath, straight
from synth.voices.prepared_path import PreparedPath, flipped

S = np.linspace(0.0, 1.0, N_WARP, dtype=np.float32)


def path(*notes: NotePath) -> PreparedPath:
    return PreparedPath(PairPath("bow", "pluck", "1", "2", "network", notes))


def bent(pitch: int, velocity: int, power: float) -> NotePath:
    bend = straight(pitch, velocity).bend + np.float32(power)
    return NotePath(pitch, velocity, S**power, bend)


def test_between_two_pitches_the_warp_is_between_and_the_velocity_the_nearest() -> None:
    made = path(bent(48, 40, 2.0), bent(48, 100, 3.0), bent(60, 50, 4.0))
    choice = made.choose(51, 75)
    assert choice.notes == (1, 2)
    assert choice.weights == (0.75, 0.25)
    np.testing.assert_allclose(choice.warp, 0.75 * S**3 + 0.25 * S**4, atol=1e-6)
    np.testing.assert_array_equal(made.bends[:, 0, 0, 0], [2.0, 3.0, 4.0])


@pytest.mark.parametrize(("pitch", "place"), [(0, 0), (48, 0), (60, 1), (127, 1)])
def test_outside_the_pitches_it_is_the_nearest(pitch: int, place: int) -> None:
    choice = path(bent(48, 40, 2.0), bent(60, 50, 4.0)).choose(pitch, 100)
    assert (choice.notes, choice.weights) == ((place,), (1.0,))


def test_ends_are_ends_whatever_the_rounding() -> None:
    made = path(*(bent(pitch, 100, 1.0 + 0.1 * pitch) for pitch in (30, 37, 60)))
    for pitch in range(128):
        warp = made.choose(pitch, 100).warp
        for way in (warp, flipped(warp)):
            assert (way[0], way[-1]) == (0.0, 1.0)
            assert np.diff(way).min() >= 0.0


def test_a_path_without_bends_has_no_table_of_them() -> None:
    assert path(straight(48, 40), straight(60, 40)).bends.shape == (0, 7, 8, 16)


def test_a_way_back_is_the_same_way() -> None:
    warp: Float32Array = S**2
    back = flipped(warp)
    for s in (0.0, 0.25, 0.5, 1.0):
        assert np.interp(s, S, back) == pytest.approx(1.0 - np.interp(1.0 - s, S, warp))
