"""The surface has one geometry: four distinguishable corners, bilinear between them."""

import numpy as np
import pytest

from synth.control.corners import PLACES, Corner, weights


def test_each_corner_has_its_compass_place_and_all_the_weight_there() -> None:
    sounds = {Corner.NW: 1.0, Corner.NE: 10.0, Corner.SW: 100.0, Corner.SE: 1000.0}
    values = np.array([sounds[corner] for corner in Corner])
    heard = {(x, y): float(weights(x, y) @ values) for x in (0.0, 1.0) for y in (0.0, 1.0)}
    assert heard == {(0.0, 1.0): 1.0, (1.0, 1.0): 10.0, (0.0, 0.0): 100.0, (1.0, 0.0): 1000.0}
    assert {corner: float(weights(*place) @ values) for corner, place in PLACES.items()} == sounds


def test_weights_are_bilinear() -> None:
    # x = y = 1/4: near the south-west corner.
    np.testing.assert_allclose(weights(0.25, 0.25), [0.1875, 0.0625, 0.5625, 0.1875])
    assert float(weights(0.3, 0.8).sum()) == pytest.approx(1.0)


def test_points_outside_are_moved_to_the_edge() -> None:
    np.testing.assert_array_equal(weights(-3.0, 1.5), weights(0.0, 1.0))
