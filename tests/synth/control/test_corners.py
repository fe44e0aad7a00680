"""The surface has one geometry: four distinguishable corners, bilinear between them."""

import numpy as np
import pytest

from synth.control.corners import EDGE_CORNERS, PLACES, Corner, Edge, surface, weights


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


S = np.linspace(0.0, 1.0, 33)
WARPS = [S**2, S**0.5, S**3, 0.5 * (S + S**4)]
"""Of the southern, northern, western and eastern edge."""


@pytest.mark.parametrize("edge", list(Edge))
def test_on_an_edge_the_surface_is_that_edges_warp(edge: Edge) -> None:
    begin, end = (np.array(PLACES[corner]) for corner in EDGE_CORNERS[edge])
    for i in (0, 1, 11, 16, 31, 32):
        x, y = begin + S[i] * (end - begin)
        there = surface(x, y, WARPS)
        np.testing.assert_allclose(there, begin + WARPS[edge][i] * (end - begin), atol=1e-12)


def test_a_corner_stays_a_corner_and_straight_edges_change_nothing() -> None:
    for place in PLACES.values():
        assert surface(*place, WARPS) == place
    for x, y in np.random.default_rng(0).random((20, 2)):
        np.testing.assert_allclose(surface(x, y, [S] * 4), (x, y), atol=1e-12)


def test_the_surface_has_no_jumps_and_never_turns_back() -> None:
    grid = np.array([[surface(x, y, WARPS) for x in np.linspace(0, 1, 201)] for y in np.linspace(0, 1, 41)])
    assert np.diff(grid[..., 0], axis=1).min() >= 0.0
    assert np.diff(grid[..., 1], axis=0).min() >= 0.0
    # The steepest warp, sqrt, rises by 0.18 in the first 1/32.
    assert np.abs(np.diff(grid, axis=1)).max() < 0.18 * 32 / 200 + 1e-9


def test_the_surface_is_the_same_from_every_side() -> None:
    south, north, west, east = WARPS
    for x, y in np.random.default_rng(1).random((20, 2)):
        there = surface(x, y, WARPS)
        assert surface(y, x, [west, east, south, north]) == pytest.approx(there[::-1])  # across the diagonal
        mirrored = surface(1.0 - x, y, [1.0 - south[::-1], 1.0 - north[::-1], east, west])
        assert mirrored == pytest.approx((1.0 - there[0], there[1]))
