"""ONNX Runtime, the one place that imports it: open a shipped network, say in words what is wrong with it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import onnxruntime

from synth.errors import TetradError

VERSION = "2"
"""Of the pair's inputs and outputs. Version 2: the encoder is told the pitch."""


class Network:
    """One ONNX graph with named float32 inputs and one output; runs on one thread, and lets go of the GIL."""

    def __init__(self, path: Path, kind: str, input_names: tuple[str, ...]) -> None:
        """Open `path`; `kind` ("encoder", "decoder") and the input names must be those of the graph's metadata."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise TetradError(
                f"the {kind} network {path} can't be read ({error.strerror}); expected an ONNX file; "
                "run `tetrad model export`, or reinstall tetrad"
            ) from error
        self.checksum = hashlib.sha256(content).hexdigest()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime raises a dozen types of its own, all meaning: not a usable graph
            raise TetradError(
                f"{path} is not a network that can be run ({type(error).__name__}); expected an ONNX {kind}; "
                "run `tetrad model export`, or reinstall tetrad"
            ) from error
        metadata = self._session.get_modelmeta().custom_metadata_map
        found = metadata.get("tetrad_kind", "another program's network"), metadata.get("tetrad_version", "?")
        if found != (kind, VERSION):
            raise TetradError(
                f"{path} holds: {found[0]}, version {found[1]}; expected: {kind}, version {VERSION}; "
                "take the pair that `tetrad model export` wrote with this release"
            )
        names = tuple(i.name for i in self._session.get_inputs())
        if names != input_names:
            raise TetradError(f"{path} has the inputs {names}; expected {input_names}; export the network again")
        self.model_id = metadata.get("tetrad_model_id", "")
        self.run = self._session.run
        self.output_names = [self._session.get_outputs()[0].name]
