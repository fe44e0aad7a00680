"""The play page's textures, computed once and stretched by the graphics card: no shader, no blur while it plays.

The arrays are bytes, [rows, columns, 4] of red, green, blue, opacity, rows from south to north.
"""

import numpy as np
import numpy.typing as npt
from kivy.graphics.texture import Texture

from synth.control.corners import N_CORNERS, Corner, weights
from ui.theme import Colour, Theme, luminance

Pixels = npt.NDArray[np.uint8]
FIELD_SIDE = 96
CLOCKWISE = (Corner.NE, Corner.SE, Corner.SW, Corner.NW)
"""From the north."""
_SEED = 7


def field_pixels(theme: Theme, side: int = FIELD_SIDE) -> Pixels:
    """The surface's ground: the corners' colours mixed as the sounds are, on the theme's background; strongest where
    one corner is alone."""
    steps = (np.arange(side) + 0.5) / side
    shares = np.array([[weights(x, y) for x in steps] for y in steps])  # [y, x, corner]
    colours = np.array([corner[:3] for corner in theme.corners])
    dark = is_dark(theme)
    # Sum of squares: 1 in a corner, 1/4 in the middle.
    alone = (shares**2).sum(axis=2, keepdims=True)
    strength = (0.13 if dark else 0.16) + (0.42 if dark else 0.4) * alone
    if theme.name == "contrast":
        strength = 0.32 * alone
    ground = np.array(theme.background[:3])
    rgb = 255.0 * (ground + (shares @ colours - ground) * strength)
    # Half a step of noise, lest eight bits be seen as bands across a dark stage.
    rgb += np.random.default_rng(_SEED).uniform(-0.5, 0.5, rgb.shape)
    return _with_opacity(rgb, np.full((side, side), 255.0))


def glow_pixels(side: int = 64) -> Pixels:
    """A round light that fades smoothly to nothing at its rim."""
    steps = (np.arange(side) + 0.5) / side * 2.0 - 1.0
    distance = np.hypot(*np.meshgrid(steps, steps))
    opacity = np.clip(1.0 - distance, 0.0, 1.0) ** 2
    return _with_opacity(np.full((side, side, 3), 255.0), 255.0 * opacity)


def petal_pixels(theme: Theme, side: int = 64) -> Pixels:
    """A flower's light, from its centre (west) to its rim (east): bright within, thin between, an edge that fades out.
    Its colours, from south to north, are those of the four corners as one meets them clockwise from the north: NE, SE,
    SW, NW, a quarter each, the last one next to the first."""
    u = (np.arange(side) + 0.5) / side
    opacity = 0.22 + 0.6 * np.exp(-((u / 0.35) ** 2)) + 0.5 * np.exp(-(((u - 0.9) / 0.07) ** 2))
    opacity = np.clip(opacity * np.clip((1.0 - u) / 0.06, 0.0, 1.0), 0.0, 1.0)
    turn = (np.arange(2 * side) + 0.5) / (2 * side) * N_CORNERS
    near = np.abs((turn[:, None] - (np.arange(N_CORNERS) + 0.5) + 2.0) % N_CORNERS - 2.0)  # in quarters, to each middle
    shares = np.clip(0.5 + (0.5 - near) / 0.5, 0.0, 1.0)
    shares /= shares.sum(axis=1, keepdims=True)
    colours = np.array([theme.corners[corner][:3] for corner in CLOCKWISE])
    rgb = np.broadcast_to(255.0 * (shares @ colours)[:, None, :], (2 * side, side, 3))
    return _with_opacity(rgb, 255.0 * np.broadcast_to(opacity, (2 * side, side)))


def quarters(x: float, y: float, turns: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Where in `petal_pixels`' colours, 0..1, each direction of a flower at (x, y) is. turns: 0..1, clockwise from the
    north. A corner has as much of the circle as it has of the sound; what is nearly alone has it without a mixture."""
    shares = weights(x, y)[list(CLOCKWISE)]
    ends = np.cumsum(shares)
    corner = np.minimum(np.searchsorted(ends, turns, side="right"), N_CORNERS - 1)
    within = np.clip((turns - (ends - shares)[corner]) / np.maximum(shares[corner], 1e-6), 0.0, 1.0)
    purity = np.clip((shares[corner] - 0.25) / 0.5, 0.0, 1.0)
    return np.asarray((corner + 0.5 + (within - 0.5) * (1.0 - purity)) / N_CORNERS)


def trail_pixels(length: int = 64, width: int = 16) -> Pixels:
    """A trail from its old end (west) to the finger (east), soft on both sides."""
    along = ((np.arange(length) + 0.5) / length) ** 1.6
    across = np.sin(np.pi * (np.arange(width) + 0.5) / width) ** 1.5
    return _with_opacity(np.full((width, length, 3), 255.0), 255.0 * across[:, None] * along[None, :])


def texture(pixels: Pixels) -> Texture:
    """For the graphics card; needs a window."""
    made = Texture.create(size=(pixels.shape[1], pixels.shape[0]), colorfmt="rgba")
    made.mag_filter = made.min_filter = "linear"
    made.wrap = "clamp_to_edge"
    made.blit_buffer(pixels.tobytes(), colorfmt="rgba", bufferfmt="ubyte")
    return made


def is_dark(theme: Theme) -> bool:
    """Whether light on it is brighter than its ground."""
    return luminance(theme.background) < 0.2


def corner_mix(theme: Theme, x: float, y: float) -> Colour:
    """The colour of a place: the corners' colours in the shares of their sounds. On a dark theme as bright as each of
    them, so that the four together are nearly white, as light is."""
    rgb = weights(x, y) @ np.array([corner[:3] for corner in theme.corners])
    if is_dark(theme):
        rgb = rgb / rgb.max()
    red, green, blue = rgb.tolist()
    return red, green, blue, 1.0


def _with_opacity(rgb: npt.NDArray[np.float64], opacity: npt.NDArray[np.float64]) -> Pixels:
    pixels = np.concatenate([rgb, opacity[:, :, None]], axis=2)
    return np.clip(np.round(pixels), 0, 255).astype(np.uint8)
