"""The four corners of the surface and its four edges: their order, places and weights. The only definition there is.

x runs from west to east, y from south to north, both 0..1. The order of `Corner` is the order of every array, file,
command and picture that has a row per corner, and likewise for `Edge`.
"""

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
import numpy.typing as npt

N_CORNERS = 4
N_EDGES = 4


class Corner(IntEnum):
    """A corner by its compass name; the value is its index everywhere."""

    NW = 0
    NE = 1
    SW = 2
    SE = 3


PLACES: dict[Corner, tuple[float, float]] = {
    Corner.NW: (0.0, 1.0),
    Corner.NE: (1.0, 1.0),
    Corner.SW: (0.0, 0.0),
    Corner.SE: (1.0, 0.0),
}
"""(x, y) of each corner."""


def weights(x: float, y: float) -> npt.NDArray[np.float64]:
    """Bilinear weights, float64 [4], of the point (x, y), each coordinate 0..1 (values outside are moved to the edge).

    They are 0..1, sum to 1, and are exactly 1 and 0 at a corner.
    """
    east = min(max(float(x), 0.0), 1.0)
    north = min(max(float(y), 0.0), 1.0)
    west, south = 1.0 - east, 1.0 - north
    return np.array([west * north, east * north, west * south, east * south])


class Edge(IntEnum):
    """An edge by its compass name; the value is its index everywhere. It runs from west to east or south to north."""

    SOUTH = 0
    NORTH = 1
    WEST = 2
    EAST = 3


EDGE_CORNERS: dict[Edge, tuple[Corner, Corner]] = {
    Edge.SOUTH: (Corner.SW, Corner.SE),
    Edge.NORTH: (Corner.NW, Corner.NE),
    Edge.WEST: (Corner.SW, Corner.NW),
    Edge.EAST: (Corner.SE, Corner.NE),
}
"""Where each edge begins and ends."""


def surface(x: float, y: float, warps: Sequence[npt.NDArray[np.floating]]) -> tuple[float, float]:
    """Where the point (x, y) of the finger is among the corners, both 0..1, when each edge is re-timed by its warp.

    warps: of the four edges, in the order of `Edge`: [n] values at even steps along it, from 0 to 1, never falling,
    linear between. The result is for `weights`. It is a Coons patch (Coons 1967): each coordinate is blended from the
    two edges along which it runs, so on an edge it is that edge's warp, and a corner is a corner.
    """
    x, y = min(max(float(x), 0.0), 1.0), min(max(float(y), 0.0), 1.0)
    south, north, west, east = (
        float(np.interp(along, np.linspace(0.0, 1.0, len(warp)), warp))
        for along, warp in zip((x, x, y, y), warps, strict=True)
    )
    return (1.0 - y) * south + y * north, (1.0 - x) * west + x * east
