"""A pad as a sheet of rainbowgrams: a picture for each cell of one pitch, north at the top, west on the left."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.rainbowgram import HOP, Labelled, write_rainbowgrams
from synth.control.corners import weights
from synth.instruments.resampling import to_engine_rate
from synth.pads.pad_file import FULL_SCALE, Pad

MOST_CELLS = 5
"""Along a side: a sheet of 9 by 9 pictures would be 20 megapixels. Of more, the corners and cells evenly between."""


def write_pad_sheet(pad: Pad, pitch: int, out: Path) -> None:
    """Draws the cells of a pitch (its index in the pad) into a PNG file. TetradError for a damaged row and where the
    file can't be written."""
    resolution = pad.spec.resolution
    cells = sorted({round(i) for i in np.linspace(0, resolution - 1, min(resolution, MOST_CELLS))})
    write_rainbowgrams(
        out, [[Labelled(_label(pad, y, x, pitch), _sound(pad, y, x, pitch)) for x in cells] for y in reversed(cells)]
    )


def _label(pad: Pad, y: int, x: int, pitch: int) -> str:
    last = pad.spec.resolution - 1
    shares = zip(pad.spec.corners, weights(x / last, y / last), strict=True)
    heard = ", ".join(f"{name} {100 * share:.0f}%" for name, share in shares if share > 0.005)
    return f"{heard[:48]}, key {pad.spec.pitches[pitch]}"


def _sound(pad: Pad, y: int, x: int, pitch: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    samples = (pad.note(y, x, pitch) / FULL_SCALE).astype(np.float32)
    sound = to_engine_rate(samples, pad.spec.sample_rate_hz)
    return np.pad(sound, (0, max(HOP - sound.size, 0)))
