"""A picture of a pair's paths: for each method the 21 log-mel spectra side by side, and under them the steps."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from models.morph.measures import log_mels_db, steps_db
from models.morph.pairs import Pair
from synth.files import atomic_write_bytes
from synth.frames import Float32Array

FLOOR_DB, CEILING_DB = -100.0, -20.0
TILE_WIDTH, TILE_HEIGHT, BAR_HEIGHT = 48, 120, 40
"""Pixels: 1.5 s of one sound, 80 bands, and a bar of twice the mean step."""
_LEFT, _TOP, _GAP = 120, 40, 2
_COLOURS = ((0, 0, 10), (70, 20, 110), (170, 45, 125), (240, 100, 90), (255, 245, 190))
_PAPER, _INK, _BAR = (18, 18, 24), (222, 222, 230), (120, 180, 230)


def write_path_picture(path: Path, sounds: Mapping[str, Float32Array], pair: Pair) -> None:
    """Write a PNG: one strip for each method of `sounds`, float32 [21, n] at 48 kHz. Makes its folder."""
    n_points = next(iter(sounds.values())).shape[0]
    strip = TILE_HEIGHT + BAR_HEIGHT + 24
    size = (_LEFT + n_points * (TILE_WIDTH + _GAP) + 12, _TOP + len(sounds) * strip)
    image = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(image)
    small, large = ImageFont.load_default(13), ImageFont.load_default(17)
    draw.text((12, 12), f"{pair.west} to {pair.east}, key {pair.key}", _INK, large)
    for row, (name, path_sounds) in enumerate(sounds.items()):
        top = _TOP + row * strip
        mel = log_mels_db(path_sounds)
        steps = steps_db(mel)
        draw.text((12, top + TILE_HEIGHT / 2), name.replace("_", " "), _INK, small, anchor="lm")
        draw.text((12, top + TILE_HEIGHT + BAR_HEIGHT / 2), f"step {steps.mean():.2f} dB", _INK, small, anchor="lm")
        for i, levels in enumerate(mel):
            left = _LEFT + i * (TILE_WIDTH + _GAP)
            tile = Image.fromarray(_colours(levels.T[::-1])).resize((TILE_WIDTH, TILE_HEIGHT), Image.Resampling.BOX)
            image.paste(tile, (left, top))
        bottom = top + TILE_HEIGHT + BAR_HEIGHT + 4
        for i, step in enumerate(steps):
            middle = _LEFT + (i + 1) * (TILE_WIDTH + _GAP)
            height = min(0.5 * BAR_HEIGHT * step / max(float(steps.mean()), 1e-9), float(BAR_HEIGHT))
            draw.rectangle((middle - 12, bottom - height, middle + 12, bottom), _BAR)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write_bytes(path, buffer.getvalue())


def _colours(levels_db: Float32Array) -> npt.NDArray[np.uint8]:
    """RGB uint8 [..., 3] of levels in dB."""
    at = (levels_db - FLOOR_DB) / (CEILING_DB - FLOOR_DB) * (len(_COLOURS) - 1)
    places = np.arange(len(_COLOURS))
    channels = [np.interp(at, places, values) for values in zip(*_COLOURS, strict=True)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)
