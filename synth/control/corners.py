"""The four corners of the surface: their order, their places and their bilinear weights. The only definition there is.

x runs from west to east, y from south to north, both 0..1. The order of `Corner` is the order of every array, file,
command and picture that has a row per corner.
"""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

N_CORNERS = 4


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
