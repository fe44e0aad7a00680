"""ONNX Runtime, the one place that imports it: open a shipped network, say in words what is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from synth.errors import TetradError
from synth.frames import Float32Array

VERSION = "3"
"""Of the pair's inputs and outputs. Version 2: the encoder is told the pitch. Version 3: the decoder is its weights
alone, from what `synth.voices.decoder` tells it to what that makes rows of."""


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
                "write the pair anew with `tetrad model export` and its checkpoint, or take the one of this release"
            )
        names = tuple(i.name for i in self._session.get_inputs())
        if names != input_names:
            raise TetradError(f"{path} has the inputs {names}; expected {input_names}; export the network again")
        self.model_id = metadata.get("tetrad_model_id", "")
        self.run = self._session.run
        output = self._session.get_outputs()[0]
        self.output_names = [output.name]
        self.widths = self._session.get_inputs()[0].shape[-1], output.shape[-1]
        """Last axis of the first input and of the output; a name where it is free."""

    def bind(self, given: Float32Array, wanted: Float32Array) -> Callable[[], None]:
        """A call that reads the only input from `given` and writes the output to `wanted`, both C-contiguous, in place.

        It takes 10 us less than `run`, which makes OrtValues of arrays and an array of its result each time.
        """
        binding = self._session.io_binding()
        name = self._session.get_inputs()[0].name
        binding.bind_input(name, "cpu", 0, np.float32, given.shape, given.ctypes.data)
        binding.bind_output(self.output_names[0], "cpu", 0, np.float32, wanted.shape, wanted.ctypes.data)

        def call(session: Any = self._session, arrays: tuple[Float32Array, ...] = (given, wanted)) -> None:
            # The binding holds addresses only; `arrays` keeps what lies there.
            session.run_with_iobinding(binding)

        return call
