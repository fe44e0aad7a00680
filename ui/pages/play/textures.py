"""The play page's textures, computed once and stretched by the graphics card: no shader, no blur while it plays.

The arrays are bytes, [rows, columns, 4] of red, green, blue, opacity, rows from south to north.
"""

import numpy as np
import numpy.typing as npt
from kivy.graphics.texture import Texture

from synth.control.corners import weights
from ui.theme import Colour, Theme

Pixels = npt.NDArray[np.uint8]
FIELD_SIDE = 96
_SEED = 7


def field_pixels(theme: Theme, side: int = FIELD_SIDE) -> Pixels:
    """The surface's ground: the corners' colours mixed as the sounds are, on the theme's background; strongest where
    one corner is alone."""
    steps = (np.arange(side) + 0.5) / side
    shares = np.array([[weights(x, y) for x in steps] for y in steps])  # [y, x, corner]
    colours = np.array([corner[:3] for corner in theme.corners])
    dark = sum(theme.background[:3]) < 1.5
    # Sum of squares: 1 in a corner, 1/4 in the middle.
    alone = (shares**2).sum(axis=2, keepdims=True)
    strength = (0.1 if dark else 0.16) + (0.38 if dark else 0.4) * alone
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


def petal_pixels(side: int = 64) -> Pixels:
    """From a flower's centre (west) to its rim (east): light within, thin between, a bright edge that fades out."""
    u = (np.arange(side) + 0.5) / side
    opacity = 0.25 + 0.6 * np.exp(-((u / 0.3) ** 2)) + 0.65 * np.exp(-(((u - 0.9) / 0.06) ** 2))
    opacity *= np.clip((1.0 - u) / 0.06, 0.0, 1.0)
    return _with_opacity(np.full((4, side, 3), 255.0), 255.0 * np.broadcast_to(np.clip(opacity, 0.0, 1.0), (4, side)))


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


def corner_mix(theme: Theme, x: float, y: float) -> Colour:
    """The colour of a place: the corners' colours in the shares of their sounds."""
    shares = weights(x, y).tolist()
    red, green, blue = (
        sum(share * corner[channel] for share, corner in zip(shares, theme.corners, strict=True))
        for channel in range(3)
    )
    return red, green, blue, 1.0


def _with_opacity(rgb: npt.NDArray[np.float64], opacity: npt.NDArray[np.float64]) -> Pixels:
    pixels = np.concatenate([rgb, opacity[:, :, None]], axis=2)
    return np.clip(np.round(pixels), 0, 255).astype(np.uint8)
