"""Grounds and outlines with round corners, as textures whose corners keep their shape while the rest is stretched.

Kivy's own `Line` with round corners is 100 KB of triangles for each button, with stepped edges; one of these textures
serves all that have its radius, and its edges are smooth.
"""

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from kivy.graphics.texture import Texture

Pixels = npt.NDArray[np.uint8]


def border_px(radius_px: float) -> int:
    """Of the texture's corners, at each side: with one pixel of the straight part, that filtering may read."""
    return math.ceil(radius_px) + 1


def border(radius_px: float) -> list[int]:
    """As a BorderImage wants it."""
    return [border_px(radius_px)] * 4


def pixels(radius_px: float, line_px: float = math.inf) -> Pixels:
    """White with opacity, uint8[side, side, 4]: all within the round corners, or `line_px` at the rim of that.

    A pixel's opacity is its distance from the edge, cut off at half a pixel to each side.
    """
    corner = border_px(radius_px)
    side = 2 * corner + 2
    from_middle = np.abs(np.arange(side) + 0.5 - side / 2.0) - (side / 2.0 - radius_px)
    x, y = np.meshgrid(from_middle, from_middle)
    outside = np.hypot(np.maximum(x, 0.0), np.maximum(y, 0.0)) + np.minimum(np.maximum(x, y), 0.0) - radius_px
    opacity = np.clip(0.5 - outside, 0.0, 1.0) - np.clip(0.5 - outside - line_px, 0.0, 1.0)
    white = np.full((side, side, 4), 255, dtype=np.uint8)
    white[..., 3] = np.round(255.0 * opacity)
    return white


@lru_cache(64)
def ground(radius_px: float) -> Texture:
    """To be tinted."""
    return _texture(pixels(radius_px))


@lru_cache(64)
def outline(radius_px: float, line_px: float) -> Texture:
    """Its rim, within the ground's edge."""
    return _texture(pixels(radius_px, line_px))


def _texture(white: Pixels) -> Texture:
    texture = Texture.create(size=(white.shape[1], white.shape[0]), colorfmt="rgba")
    texture.blit_buffer(white.tobytes(), colorfmt="rgba", bufferfmt="ubyte")
    return texture
