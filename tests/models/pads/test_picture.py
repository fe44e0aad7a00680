"""The sheet of a pad: a picture for each cell, north at the top, each with its own partial."""

from pathlib import Path

import numpy as np
from PIL import Image

from models.pads.picture import write_pad_sheet
from models.rainbowgram import CELL_WIDTH, CONSTANT_Q, GAP, LABEL_HEIGHT, MARGIN
from synth.pads.pad_file import Pad, PadWriter
from synth.pads.pad_header import PadSpec

RATE = 16_000


def test_every_cell_is_where_it_belongs(tmp_path: Path) -> None:
    spec = PadSpec("test", ("a", "b", "c", "d"), (57, 69), 2, RATE, RATE, 100)
    hz = {(0, 0): 440.0, (0, 1): 880.0, (1, 0): 1760.0, (1, 1): 3520.0}
    with PadWriter(tmp_path / "a.tetrad-pad", spec) as writer:
        for y, x, pitch in writer.missing():
            writer.write(y, x, pitch, 0.3 * np.sin(2.0 * np.pi * hz[y, x] * np.arange(RATE) / RATE))
        writer.finish()
    write_pad_sheet(Pad.open(tmp_path / "a.tetrad-pad"), 1, tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png").convert("L"), np.float64)
    height = CONSTANT_Q.n_bins
    for (y, x), frequency in hz.items():
        top = LABEL_HEIGHT + (1 - y) * (LABEL_HEIGHT + height + GAP)
        left = MARGIN + x * (CELL_WIDTH + GAP)
        picture = sheet[top : top + height, left : left + CELL_WIDTH]
        brightest = int(np.argmax(picture[:, 100:250].mean(axis=1)))
        nearest = int(np.argmin(np.abs(CONSTANT_Q.frequencies_hz - frequency)))
        assert abs(height - 1 - brightest - nearest) <= 2
