"""Fast generation on a GPU: the step in static tensors, captured once as a CUDA graph and replayed for every sample.

A step of the `nsynth` configuration is some 300 small kernels; launched one by one from Python they would take longer
than the arithmetic of several hundred streams. A captured graph launches them all at once. Everything that a step
reads or writes, the time and the random numbers included, therefore lies in tensors that never move.

`GraphGenerator` stands in for `generation.Generator`. On a CPU the same step runs uncaptured, and so it is tested.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.generation_weights import Classes, FloatArray, check_drawn
from models.wavenet import WaveNetDecoder
from synth.errors import TetradError

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
_WARM_UP_STEPS = 3  # before capture: libraries choose kernels and allocate workspaces, which a graph must not see


class GraphGenerator:
    """A decoder's weights on a device. `precision` is that of the layers; the head and the choice are float32."""

    def __init__(
        self, decoder: WaveNetDecoder, precision: str = "float32", device: str | torch.device = "cuda"
    ) -> None:
        if precision not in DTYPES:
            raise TetradError(f"There is no precision {precision!r} on a GPU; it is one of {', '.join(DTYPES)}.")
        self.config = decoder.config
        self.precision = precision
        self.device = torch.device(device)
        if self.device.type == "cuda" and not torch.cuda.is_available():
            raise TetradError("No CUDA device is at hand; generate on the CPU, or check the driver (nvidia-smi).")
        self.dtype = DTYPES[precision]
        layers = decoder.gated_layers

        def moved(tensor: Tensor | None, dtype: torch.dtype) -> Tensor:
            assert tensor is not None
            return tensor.detach().to(self.device, dtype).contiguous()

        low, full = self.dtype, torch.float32
        self.start_conv = moved(decoder.start_conv.weight[:, 0].T, full), moved(decoder.start_conv.bias, full)
        # Tap by tap, the newest last: [F W, 2W]; residual and skip together: [W, W + S].
        self.gates = [moved(layer.dilated.weight.permute(2, 1, 0).flatten(0, 1), low) for layer in layers]
        self.outs = [moved(torch.cat([layer.residual.weight, layer.skip.weight])[..., 0].T, low) for layer in layers]
        self.out_biases = [moved(torch.cat([_bias(layer.residual), _bias(layer.skip)]), full) for layer in layers]
        self.skip_start = moved(decoder.skip_start.weight[..., 0].T, full), moved(decoder.skip_start.bias, full)
        self.head = moved(decoder.out.weight[..., 0].T, full)
        self.logits = moved(decoder.logits.weight[..., 0].T, full), moved(decoder.logits.bias, full)
        self.gate_conditioning = moved(torch.stack([layer.conditioning.weight[..., 0] for layer in layers]), full)
        biases = torch.stack([_bias(layer.conditioning) + _bias(layer.dilated) for layer in layers])
        self.gate_bias = moved(biases, full)
        self.head_conditioning = moved(decoder.out_conditioning.weight[..., 0], full)
        self.head_bias = moved(_bias(decoder.out_conditioning) + _bias(decoder.out), full)

    def start(self, batch: int) -> "GraphStreams":
        """`batch` streams before their first sample; on a GPU this captures the graph, which takes a second or so."""
        return GraphStreams(self, batch)


class GraphStreams:
    """A batch of sounds in the making; stands in for `generation.Streams`."""

    def __init__(self, generator: GraphGenerator, batch: int) -> None:
        self._generator = generator
        self.batch = batch
        self.n_made = 0
        with _naming_the_batch(batch):
            self._allocate()
            self._replay: Callable[[], None] = self._capture() if generator.device.type == "cuda" else self._step

    def __enter__(self) -> "GraphStreams":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def advance(
        self,
        embedding: FloatArray,
        uniform: NDArray[np.float64],
        *,
        temperature: float = 1.0,
        given: Classes | None = None,
        keep_logits: bool = False,
    ) -> tuple[Classes, FloatArray]:
        """`generation.Streams.advance`, for at most `hop` samples."""
        config, device = self._generator.config, self._generator.device
        n = len(uniform)
        if n > config.hop:
            raise ValueError(f"{n} samples are more than a conditioning frame lasts, {config.hop}")
        self._condition(torch.from_numpy(np.ascontiguousarray(embedding)).to(device))
        self._uniform[:n] = torch.from_numpy(uniform).to(device)
        self._given[:n] = -1 if given is None else torch.from_numpy(np.asarray(given, np.int64)).to(device)
        self._temperature.fill_(temperature)
        self._index.zero_()
        kept = []
        with _naming_the_batch(self.batch), torch.no_grad():
            for _ in range(n):
                self._replay()
                if keep_logits:
                    kept.append(self._logits.clone())
        chosen = self._chosen[:n].cpu().numpy().astype(np.int16)
        logits = torch.stack(kept).cpu().numpy() if kept else np.empty((0, self.batch, config.n_classes), np.float32)
        self.n_made += n
        check_drawn(chosen, self.n_made)
        return chosen, logits

    def _allocate(self) -> None:
        generator, batch = self._generator, self.batch
        config, device = generator.config, generator.device
        taps = config.filter_length - 1

        def zeros(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
            return torch.zeros(shape, dtype=dtype, device=device)

        self._rings = [zeros(taps * d, batch, config.width, dtype=generator.dtype) for d in config.dilations]
        self._recent = zeros(batch, config.filter_length)  # samples, the newest last
        self._logits = zeros(batch, config.n_classes)
        self._gate_frame = zeros(config.n_layers, batch, 2 * config.width, dtype=generator.dtype)
        self._head_frame = zeros(batch, config.skip_width)
        self._uniform = zeros(config.hop, batch, dtype=torch.float64)
        self._given = zeros(config.hop, batch, dtype=torch.int64)
        self._chosen = zeros(config.hop, batch, dtype=torch.int64)
        self._temperature = torch.ones((), device=device)
        self._time = zeros(1, dtype=torch.int64)  # samples made
        self._index = zeros(1, dtype=torch.int64)  # the row of `uniform`, `given` and `chosen`
        # Samples back to each earlier tap, the oldest first.
        self._lags = [
            torch.tensor([lag * d for lag in range(taps, 0, -1)], dtype=torch.int64, device=device)
            for d in config.dilations
        ]

    def _condition(self, embedding: Tensor) -> None:
        generator = self._generator
        gate = torch.einsum("lgc,bc->lbg", generator.gate_conditioning, embedding) + generator.gate_bias[:, None]
        self._gate_frame.copy_(gate)
        self._head_frame.copy_(embedding @ generator.head_conditioning.T + generator.head_bias)

    def _step(self) -> None:
        """One sample of every stream. Reads and writes static tensors alone, and never waits for the device."""
        generator = self._generator
        width, low = generator.config.width, generator.dtype
        x = torch.addmm(generator.start_conv[1], self._recent, generator.start_conv[0])  # [B, W] float32
        skip = torch.addmm(generator.skip_start[1], x, generator.skip_start[0])  # [B, S] float32
        for i, ring in enumerate(self._rings):
            newest = x.to(low)
            earlier = ring.index_select(0, (self._time - self._lags[i]) % len(ring))  # [F - 1, B, W]
            gate = torch.addmm(self._gate_frame[i], torch.cat([*earlier.unbind(0), newest], dim=1), generator.gates[i])
            ring.index_copy_(0, self._time % len(ring), newest[None])
            gated = torch.sigmoid(gate[:, :width]) * torch.tanh(gate[:, width:])
            out = (gated @ generator.outs[i]).float() + generator.out_biases[i]
            x = x + out[:, :width]
            skip = skip + out[:, width:]
        hidden = functional.relu(torch.addmm(self._head_frame, functional.relu(skip), generator.head))
        logits = torch.addmm(generator.logits[1], hidden, generator.logits[0])
        self._logits.copy_(logits)
        self._feed_back(logits)

    def _feed_back(self, logits: Tensor) -> None:
        """Draw a class per stream, and make it (or the given one) the newest sample."""
        half = self._generator.config.n_classes // 2
        odds = torch.softmax(logits / self._temperature, dim=1).double().cumsum(dim=1)
        threshold = self._uniform.index_select(0, self._index).T * odds[:, -1:]
        drawn = (odds <= threshold).sum(dim=1).clamp(max=2 * half - 1)
        # Not torch.where with -1, which would copy the number to the device: forbidden in a capture.
        drawn = drawn.masked_fill(~torch.isfinite(logits).all(dim=1), -1)
        given = self._given.index_select(0, self._index)[0]
        fed = torch.where(given >= 0, given, drawn)
        self._chosen.index_copy_(0, self._index, drawn[None])
        newest = (fed - half).float() / half
        self._recent.copy_(torch.cat([self._recent[:, 1:], newest[:, None]], dim=1))
        self._time += 1
        self._index += 1

    def _capture(self) -> Callable[[], None]:
        """The step as a graph. Warming up and capturing leave traces in the state, which is cleared afterwards."""
        with torch.cuda.device(self._generator.device), torch.no_grad():
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(_WARM_UP_STEPS):
                    self._step()
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self._step()
            for tensor in (*self._rings, self._recent, self._time, self._index):
                tensor.zero_()
        return graph.replay


@contextmanager
def _naming_the_batch(batch: int) -> Iterator[None]:
    """Turns "out of memory" into what the user can do about it."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise TetradError(
            f"The GPU's memory does not hold {batch} streams; lower the batch to {max(1, batch // 2)}."
        ) from error


def _bias(conv: torch.nn.Conv1d) -> Tensor:
    assert conv.bias is not None
    return conv.bias
