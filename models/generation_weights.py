"""The WaveNet decoder's weights and state, laid out for the compiled step (`generation_kernels.py`)."""

import math
import os

import numpy as np
import torch
from numpy.typing import NDArray

from models.generation_kernels import INPUT_LIMIT, LANES, UNIT_ROWS, Frame, State, Weights
from models.wavenet import WaveNetConfig, WaveNetDecoder
from synth.errors import TetradError

# Precision -> type and largest value of a weight. Inputs of a layer are then int16, within INPUT_LIMIT.
PRECISIONS: dict[str, tuple[type[np.generic], int]] = {
    "float32": (np.float32, 0),
    "int16": (np.int16, 32_767),
    "int8": (np.int8, 127),
}
LARGEST_BLOCK = 128  # channels of a layer's input that share a scale, and whose products are added as integers
_LARGEST_SUM = 2**31 - 1

FloatArray = NDArray[np.float32]
Classes = NDArray[np.int16]


def block_of(config: WaveNetConfig) -> int:
    """Channels in a block: 128, or the largest power of two that divides the width."""
    return math.gcd(LARGEST_BLOCK, config.width)


def check_shape(config: WaveNetConfig) -> None:
    """TetradError where a width is not a multiple of the kernels' unit of 16 rows."""
    for name in ("width", "skip_width", "n_classes"):
        if getattr(config, name) % UNIT_ROWS:
            raise TetradError(
                f"The decoder `{config.name}` has {name} {getattr(config, name)}; fast generation needs a multiple of "
                f"{UNIT_ROWS}; use its `step` instead."
            )


def pack(decoder: WaveNetDecoder, precision: str) -> Weights:
    """The kernels' weights. A row of an integer matrix has one scale: as fine as its largest weight and sum allow."""
    if precision not in PRECISIONS:
        raise TetradError(f"There is no precision {precision!r}; it is one of {', '.join(PRECISIONS)}.")
    config = decoder.config
    check_shape(config)
    for name, parameter in decoder.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            raise TetradError(
                f"The decoder's {name} holds values that are not finite numbers; load another checkpoint."
            )
    layers = decoder.gated_layers
    gates = [_dilated_rows(_array(layer.dilated.weight)) for layer in layers]  # [2W, F W]
    outs = [np.concatenate([_rows(layer.residual), _rows(layer.skip)]) for layer in layers]
    gate, gate_scale = _pack_layers([_interleave(rows) for rows in gates], precision, block_of(config))
    out, out_scale = _pack_layers(outs, precision, config.width)
    return Weights(
        dilations=np.array(config.dilations, np.int64),
        start=np.ascontiguousarray(_array(decoder.start_conv.weight)[:, 0].T),
        start_bias=_bias(decoder.start_conv),
        skip_start=_units(_rows(decoder.skip_start), 1).ravel(),
        skip_bias=np.sum([_bias(decoder.skip_start), *(_bias(layer.skip) for layer in layers)], axis=0),
        gate=gate,
        gate_scale=gate_scale,
        out=out,
        out_scale=out_scale,
        residual_bias=np.stack([_bias(layer.residual) for layer in layers]),
        head=_units(_rows(decoder.out), 1).ravel(),
        logits=_units(_rows(decoder.logits), 1).ravel(),
        logits_bias=_bias(decoder.logits),
    )


class Conditioning:
    """Projects embedding frames for all layers at once, with the biases that are added to them."""

    def __init__(self, decoder: WaveNetDecoder) -> None:
        layers = decoder.gated_layers
        biases = [_bias(layer.conditioning) + _bias(layer.dilated) for layer in layers]
        self._gate_bias = np.stack([_interleave(bias[:, None])[:, 0] for bias in biases])
        self._gate_weight = np.stack([_interleave(_rows(layer.conditioning)) for layer in layers])  # [L, 2W, C]
        self._head_weight = _rows(decoder.out_conditioning)
        self._head_bias = _bias(decoder.out_conditioning) + _bias(decoder.out)

    def frame(self, embedding: FloatArray) -> Frame:
        """float32 [B, n_conditioning] -> Frame of the B streams."""
        n_layers, n_rows, _ = self._gate_weight.shape
        gate = self._gate_weight @ embedding.T + self._gate_bias[..., None]  # [L, 2W, B]
        gate = gate.reshape(n_layers, n_rows // UNIT_ROWS, 2, LANES, len(embedding)).swapaxes(3, 4)
        head = embedding @ self._head_weight.T + self._head_bias
        return Frame(np.ascontiguousarray(gate, np.float32), np.ascontiguousarray(head, np.float32))


def state_bytes(config: WaveNetConfig, precision: str) -> int:
    """Memory of one stream's state, nearly all of it the layers' remembered inputs."""
    n_slots = sum((config.filter_length - 1) * dilation + 1 for dilation in config.dilations)
    itemsize = 4 if precision == "float32" else 2
    return n_slots * (config.width * itemsize + 4 * (config.width // block_of(config)))


def check_memory(config: WaveNetConfig, precision: str, batch: int) -> None:
    """TetradError where the state of `batch` streams does not fit in this machine's memory."""
    needed, present = batch * state_bytes(config, precision), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > present:
        raise TetradError(
            f"A batch of {batch} streams needs {needed / 1e9:.1f} GB of memory and this machine has "
            f"{present / 1e9:.1f} GB; lower the batch to {max(1, batch * present // (2 * needed))}."
        )


def new_state(config: WaveNetConfig, precision: str, batch: int) -> State:
    """The state before the first sample: silence."""
    width, skip_width = config.width, config.skip_width
    length = np.array([(config.filter_length - 1) * dilation + 1 for dilation in config.dilations], np.int64)
    kind = np.float32 if precision == "float32" else np.int16
    return State(
        first=np.concatenate([[0], np.cumsum(length)[:-1]]).astype(np.int64),
        length=length,
        # Not np.zeros, whose pages come one by one as they are first touched: in the middle of generating.
        ring=np.full((int(length.sum()), batch, width), 0, kind),
        ring_scale=np.zeros((int(length.sum()), batch, width // block_of(config)), np.float32),
        samples=np.zeros((config.filter_length, batch), np.float32),
        x=np.zeros((batch, width), np.float32),
        gated=np.zeros((batch, width), kind),
        skip=np.zeros((batch, skip_width), np.float32),
        hidden=np.zeros((batch, skip_width), np.float32),
        logits=np.zeros((batch, config.n_classes), np.float32),
        sync=np.zeros(2 * LANES, np.int64),
    )


def _pack_layers(layers: list[FloatArray], precision: str, block: int) -> tuple[NDArray[np.generic], FloatArray]:
    """Rows [R, n] per layer -> packed [L, R n], and the rows' scales [L, R / 16, 16]. Integers are added in blocks."""
    kind, limit = PRECISIONS[precision]
    n_rows, n_inputs = layers[0].shape
    packed = np.empty((len(layers), n_rows * n_inputs), kind)
    scales = np.ones((len(layers), n_rows // UNIT_ROWS, UNIT_ROWS), np.float32)
    for i, rows in enumerate(layers):
        if precision == "float32":
            packed[i] = _units(rows, 1).ravel()
            continue
        magnitude = np.abs(rows).astype(np.float64)
        largest_block = magnitude.reshape(n_rows, n_inputs // block, block).sum(axis=2).max(axis=1)
        # Rounding adds at most half a step per weight to a sum of `block` weights.
        room = _LARGEST_SUM / INPUT_LIMIT - block / 2
        scale = np.maximum(np.maximum(magnitude.max(axis=1) / limit, largest_block / room), 1e-30)
        packed[i] = _units(np.rint(rows / scale[:, None]).astype(kind), 2).ravel()
        scales[i] = scale.reshape(-1, UNIT_ROWS)
    return packed, scales


def _units(rows: NDArray[np.generic], group: int) -> NDArray[np.generic]:
    """[R, n] -> [R / 16, n / group, 16, group], contiguous."""
    n_rows, n_inputs = rows.shape
    units = rows.reshape(n_rows // UNIT_ROWS, UNIT_ROWS, n_inputs // group, group).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(units)


def _interleave(rows: FloatArray) -> FloatArray:
    """[2W, n], sigmoid rows before tanh rows -> units of 8 sigmoid rows and their 8 tanh rows."""
    return np.ascontiguousarray(rows.reshape(2, -1, LANES, rows.shape[1]).swapaxes(0, 1).reshape(rows.shape))


def _dilated_rows(kernel: FloatArray) -> FloatArray:
    """[2W, W, F] -> [2W, F W], tap by tap."""
    return np.ascontiguousarray(kernel.swapaxes(1, 2).reshape(len(kernel), -1))


def check_drawn(classes: Classes, n_made: int) -> None:
    """TetradError where the step marked a class with -1."""
    if classes.min(initial=0) < 0:
        raise TetradError(
            f"The decoder's logits are not finite numbers within its first {n_made} samples; load another checkpoint "
            "or check the conditioning."
        )


def _rows(conv: torch.nn.Conv1d) -> FloatArray:
    """The matrix of a 1x1 convolution."""
    return _array(conv.weight)[..., 0]


def _bias(conv: torch.nn.Conv1d) -> FloatArray:
    assert conv.bias is not None
    return _array(conv.bias)


def _array(tensor: torch.Tensor) -> FloatArray:
    array: FloatArray = tensor.detach().cpu().float().numpy()
    return np.ascontiguousarray(array)
