"""The variables of Magenta's NSynth graph (configuration h512_bo16), and where each belongs in our network.

The names are those of the checkpoint `model.ckpt-200000`. A kernel `W` has the shape [1, filter, in, out] there and
[out, in, filter] here; biases are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.nsynth import NSynthConfig


@dataclass(frozen=True)
class Variable:
    """One variable: its name and shape there, and its name here (a key of NSynthAutoencoder.state_dict())."""

    name: str
    shape: tuple[int, ...]
    parameter: str

    def to_torch(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The values as torch wants them."""
        return np.ascontiguousarray(values[0].transpose(2, 1, 0)) if len(self.shape) == 4 else values


def variables(config: NSynthConfig) -> list[Variable]:
    """Every variable of an autoencoder in the checkpoint's order: 374 for `nsynth`."""
    return [
        variable
        for scope, module, taps, n_in, n_out in _convolutions(config)
        for variable in (
            Variable(f"{scope}/W", (1, taps, n_in, n_out), f"{module}.weight"),
            Variable(f"{scope}/biases", (n_out,), f"{module}.bias"),
        )
    ]


def _convolutions(config: NSynthConfig) -> Iterator[tuple[str, str, int, int, int]]:
    """Scope there, module here, filter length, channels in and out."""
    decoder = config.decoder
    width, n_z = config.width, decoder.n_conditioning
    yield "ae_startconv", "encoder.start_conv", config.filter_length, 1, width
    for i in range(config.n_layers):
        yield f"ae_dilatedconv_{i + 1}", f"encoder.layers.{i}.dilated", config.filter_length, width, width
        yield f"ae_res_{i + 1}", f"encoder.layers.{i}.residual", 1, width, width
    yield "ae_bottleneck", "encoder.bottleneck", 1, width, n_z

    width, skip_width, taps = decoder.width, decoder.skip_width, decoder.filter_length
    yield "startconv", "decoder.start_conv", taps, 1, width
    yield "skip_start", "decoder.skip_start", 1, width, skip_width
    for i in range(decoder.n_layers):
        yield f"dilatedconv_{i + 1}", f"decoder.layers.{i}.dilated", taps, width, 2 * width
        yield f"cond_map_{i + 1}", f"decoder.layers.{i}.conditioning", 1, n_z, 2 * width
        yield f"res_{i + 1}", f"decoder.layers.{i}.residual", 1, width, width
        yield f"skip_{i + 1}", f"decoder.layers.{i}.skip", 1, width, skip_width
    yield "out1", "decoder.out", 1, skip_width, skip_width
    yield "cond_map_out1", "decoder.out_conditioning", 1, n_z, skip_width
    yield "logits", "decoder.logits", 1, skip_width, decoder.n_classes
