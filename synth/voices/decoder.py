"""The harmonic decoder at run time: embeddings of many voices in, control frames out."""

from __future__ import annotations

from pathlib import Path

from synth.frames import Float32Array
from synth.onnx import Network
from synth.paths import model_dir


class Decoder:
    """`run` decodes one control frame for each voice of a batch. `model_id` names the network it was trained as."""

    def __init__(self, path: Path | None = None) -> None:
        """Open the shipped decoder, or another. Raises TetradError for a missing, truncated or foreign file."""
        self._network = Network(path or model_dir() / "decoder.onnx", "decoder", ("z_window", "pitch", "velocity"))
        self.model_id = self._network.model_id
        self.checksum = self._network.checksum

    def run(self, z_window: Float32Array, pitch: Float32Array, velocity: Float32Array) -> Float32Array:
        """`z_window` float32 [V, 80], `pitch` and `velocity` float32 [V] (MIDI numbers) -> rows float32 [V, 165]."""
        inputs = {"z_window": z_window, "pitch": pitch, "velocity": velocity}
        rows: Float32Array = self._network.run(self._network.output_names, inputs)[0]
        return rows
