"""The encoder at run time: a recording in, its embedding out."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synth.errors import TetradError
from synth.frames import EMBEDDING_HOP, Float32Array
from synth.onnx import Network
from synth.paths import model_dir


class Encoder:
    """`run` turns one note at 16 kHz into z. `model_id` names the network it was trained as."""

    def __init__(self, path: Path | None = None) -> None:
        """Open the shipped encoder, or another. Raises TetradError for a missing, truncated or foreign file."""
        self._network = Network(path or model_dir() / "encoder.onnx", "encoder", ("wave", "f0_hz", "inharmonicity"))
        self.model_id = self._network.model_id

    def run(self, wave: Float32Array, f0_hz: float, inharmonicity: float = 0.0) -> Float32Array:
        """One note's embedding: z float32 [ceil(N / 512), 16].

        Args: `wave` float32 [N] at 16 kHz, full scale 1.0, finite; `f0_hz` its tuned fundamental and `inharmonicity`
            its B, as `analyse_note` finds them: the encoder reads the spectrum at the partials.
        """
        if not np.all(np.isfinite(wave)):
            raise TetradError("the recording holds NaN or infinite samples; expected numbers; export it again")
        padded = np.pad(wave.astype(np.float32), (0, -wave.size % EMBEDDING_HOP))
        inputs = {
            "wave": padded[None],
            "f0_hz": np.array([f0_hz], dtype=np.float32),
            "inharmonicity": np.array([inharmonicity], dtype=np.float32),
        }
        z: Float32Array = self._network.run(self._network.output_names, inputs)[0]
        return z[0]
