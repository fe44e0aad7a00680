"""The encoder at run time: a recording in, its embedding out."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synth.errors import TetradError
from synth.frames import EMBEDDING_HOP, Float32Array
from synth.onnx import Network
from synth.paths import pretrained_dir


class Encoder:
    """`run` turns one note at 16 kHz into z. `model_id` names the network it was trained as."""

    def __init__(self, path: Path | None = None) -> None:
        """Open the shipped encoder, or another. Raises TetradError for a missing, truncated or foreign file."""
        self._network = Network(path or pretrained_dir() / "encoder.onnx", "encoder", ("wave",))
        self.model_id = self._network.model_id

    def run(self, wave: Float32Array) -> Float32Array:
        """`wave` float32 [N] at 16 kHz, full scale 1.0, finite -> z float32 [ceil(N / 512), 16]."""
        if not np.all(np.isfinite(wave)):
            raise TetradError("the recording holds NaN or infinite samples; expected numbers; export it again")
        padded = np.pad(wave.astype(np.float32), (0, -wave.size % EMBEDDING_HOP))
        z: Float32Array = self._network.run(self._network.output_names, {"wave": padded[None]})[0]
        return z[0]
