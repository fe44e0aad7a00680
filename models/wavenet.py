"""The WaveNet decoder: sound sample by sample from an embedding, in one network with two ways to call it.

NSynth's decoder (Engel et al. 2017, section 2.1, after van den Oord et al. 2016): a causal start convolution, gated
layers with dilations 1, 2, 4, ... in stages, residual and skip paths, and a head of two 1x1 convolutions that ends in
256 mu-law classes. The conditioning reaches every layer and the head by 1x1 convolutions at its own rate; each of its
frames is held for `hop` samples.

`forward` computes all samples of a known sound at once (training); `start` and `step` compute one sample of an unknown
sound (generation). Both read the same weights, and a test holds them together.

Configuration `nsynth` is the published network to the weight: `magenta/` reads its checkpoint.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from models import mu_law


@dataclass(frozen=True)
class WaveNetConfig:
    """Everything that the decoder's shape depends on. Widths are channels; layer i has dilation 2 ** (i % n_stages)."""

    name: str = "small"
    n_layers: int = 20
    n_stages: int = 10
    filter_length: int = 2
    width: int = 64
    skip_width: int = 64
    n_conditioning: int = 16
    hop: int = 512
    n_classes: int = mu_law.N_CLASSES

    @property
    def dilations(self) -> tuple[int, ...]:
        return tuple(2 ** (i % self.n_stages) for i in range(self.n_layers))

    @property
    def receptive_field(self) -> int:
        """Samples before n on which the prediction of sample n depends: 6,141 for `nsynth`, 2,048 for `small`."""
        return 1 + (self.filter_length - 1) * (1 + sum(self.dilations))

    def conditioned_on(self, n_conditioning: int) -> WaveNetConfig:
        """The same network with another number of conditioning channels."""
        return replace(self, n_conditioning=n_conditioning)

    def to_dict(self) -> dict[str, object]:
        return asdict(self)

    @staticmethod
    def from_dict(values: dict[str, object]) -> WaveNetConfig:
        """Inverse of `to_dict`; an unknown key is a TypeError that names it."""
        return WaveNetConfig(**values)  # type: ignore[arg-type]


CONFIGS = {
    "tiny": WaveNetConfig("tiny", n_layers=3, n_stages=3, width=8, skip_width=8),
    "small": WaveNetConfig(),
    "medium": WaveNetConfig("medium", n_layers=30, width=128, skip_width=128),
    "nsynth": WaveNetConfig("nsynth", n_layers=30, filter_length=3, width=512, skip_width=256),
}


class GatedLayer(nn.Module):
    """One layer's weights. Of `dilated` and `conditioning`, the first `width` outputs go to the sigmoid."""

    def __init__(self, config: WaveNetConfig, dilation: int) -> None:
        super().__init__()
        width = config.width
        self.dilated = nn.Conv1d(width, 2 * width, config.filter_length, dilation=dilation)
        self.conditioning = nn.Conv1d(config.n_conditioning, 2 * width, 1)
        self.residual = nn.Conv1d(width, width, 1)
        self.skip = nn.Conv1d(width, config.skip_width, 1)


@dataclass
class StepState:
    """What `step` remembers: `rings[0]` the start convolution's last inputs, `rings[i + 1]` those of layer i.

    A ring [L, B, channels] holds the input of time t at t % L, L = (filter_length - 1) * dilation. `position` is t.
    """

    rings: list[Tensor]
    position: int = 0


class WaveNetDecoder(nn.Module):
    """Conditioning and the sound so far -> logits of the next sample's 256 mu-law classes."""

    def __init__(self, config: WaveNetConfig) -> None:
        super().__init__()
        self.config = config
        self.start_conv = nn.Conv1d(1, config.width, config.filter_length)
        self.skip_start = nn.Conv1d(config.width, config.skip_width, 1)
        self.layers = nn.ModuleList(GatedLayer(config, dilation) for dilation in config.dilations)
        self.out = nn.Conv1d(config.skip_width, config.skip_width, 1)
        self.out_conditioning = nn.Conv1d(config.n_conditioning, config.skip_width, 1)
        self.logits = nn.Conv1d(config.skip_width, config.n_classes, 1)
        initialise(self)
        # Nothing reads the last residual path. The published checkpoint has it all the same, so it is kept, but frozen:
        # DistributedDataParallel would wait for its gradient.
        self.gated_layers[-1].residual.requires_grad_(False)

    @property
    def receptive_field(self) -> int:
        return self.config.receptive_field

    @property
    def gated_layers(self) -> list[GatedLayer]:
        """`layers`, with their type."""
        return [layer for layer in self.layers if isinstance(layer, GatedLayer)]

    def forward(self, scaled: Tensor, conditioning: Tensor) -> Tensor:
        """All predictions at once.

        Args:
            scaled: [B, N] float, the sound as `mu_law.scale` gives it. It is shifted right by one in here.
            conditioning: [B, ceil(N / hop), n_conditioning] float.

        Returns:
            Logits [B, n_classes, N]. Those of sample n depend on the samples before n alone.
        """
        n_samples, hop = scaled.shape[1], self.config.hop
        conditioning = conditioning.transpose(1, 2)  # [B, C, T]
        n_frames = conditioning.shape[2]
        if not (n_frames - 1) * hop < n_samples <= n_frames * hop:
            raise ValueError(f"{n_frames} conditioning frames of {hop} samples do not fit {n_samples} samples")
        shifted = functional.pad(scaled[:, None], (1, n_frames * hop - n_samples - 1))
        x = causal(self.start_conv, shifted)  # [B, W, N]
        skip = self.skip_start(x)  # [B, S, N]
        *_, last = layers = self.gated_layers
        for layer in layers:
            gate = add_held(causal(layer.dilated, x), layer.conditioning(conditioning))  # [B, 2W, N]
            sigmoid_half, tanh_half = gate.chunk(2, dim=1)
            gated = torch.sigmoid(sigmoid_half) * torch.tanh(tanh_half)  # [B, W, N]
            skip = skip + layer.skip(gated)
            if layer is not last:
                x = x + layer.residual(gated)
        head = add_held(self.out(functional.relu(skip)), self.out_conditioning(conditioning))
        logits: Tensor = self.logits(functional.relu(head))
        return logits[..., :n_samples]

    def loss(self, scaled: Tensor, conditioning: Tensor) -> Tensor:
        """Mean cross-entropy in nats per sample, a scalar; to know nothing costs log 256 = 5.545. See `forward`."""
        return functional.cross_entropy(self(scaled, conditioning), mu_law.classes(scaled))

    def start(self, batch: int) -> StepState:
        """The state before the first sample: silence, as `forward` pads."""
        like, taps = self.start_conv.weight, self.config.filter_length - 1
        rings = [like.new_zeros(taps, batch, 1)]
        rings += [like.new_zeros(taps * dilation, batch, self.config.width) for dilation in self.config.dilations]
        return StepState(rings)

    @torch.no_grad()
    def step(self, state: StepState, sample: Tensor, conditioning_frame: Tensor) -> Tensor:
        """One prediction; `state` moves on by one sample.

        Args:
            sample: [B] float, the sample before the one to predict, scaled; 0 for the first.
            conditioning_frame: [B, n_conditioning] float, the frame in which the sample to predict lies.

        Returns:
            Logits [B, n_classes].
        """
        time = state.position
        x = step_causal(self.start_conv, state.rings[0], time, sample[:, None])
        skip = pointwise(self.skip_start, x)
        for layer, ring in zip(self.gated_layers, state.rings[1:], strict=True):
            gate = step_causal(layer.dilated, ring, time, x) + pointwise(layer.conditioning, conditioning_frame)
            sigmoid_half, tanh_half = gate.chunk(2, dim=1)
            gated = torch.sigmoid(sigmoid_half) * torch.tanh(tanh_half)
            skip = skip + pointwise(layer.skip, gated)
            x = x + pointwise(layer.residual, gated)
        head = pointwise(self.out, functional.relu(skip)) + pointwise(self.out_conditioning, conditioning_frame)
        state.position = time + 1
        return pointwise(self.logits, functional.relu(head))


def causal(conv: nn.Conv1d, x: Tensor) -> Tensor:
    """`conv` with zeros before the first sample: [B, C_in, N] -> [B, C_out, N].

    As one product over the taps side by side: a training step of `small` takes 1.2 s of one core, 1.5 s with conv1d.
    """
    n_taps, dilation, n_samples = conv.kernel_size[0], conv.dilation[0], x.shape[2]
    padded = functional.pad(x, ((n_taps - 1) * dilation, 0))
    taps = torch.cat([padded[:, :, i * dilation : i * dilation + n_samples] for i in range(n_taps)], dim=1)
    weight = conv.weight.transpose(1, 2).flatten(1).expand(x.shape[0], -1, -1)  # [B, C_out, taps * C_in]
    assert conv.bias is not None
    return torch.baddbmm(conv.bias[:, None], weight, taps)


def add_held(x: Tensor, frames: Tensor) -> Tensor:
    """`frames` [B, C, T], each held for N / T samples, added to `x` [B, C, N]."""
    return (x.unflatten(2, (frames.shape[2], -1)) + frames[..., None]).flatten(2)


def step_causal(conv: nn.Conv1d, ring: Tensor, time: int, x: Tensor) -> Tensor:
    """What `causal` computes at `time` from input `x` [B, C_in] and the earlier ones in `ring`: [B, C_out]."""
    n_taps, dilation, length = conv.kernel_size[0], conv.dilation[0], ring.shape[0]
    earlier = [ring[(time - lag * dilation) % length] for lag in range(n_taps - 1, 0, -1)]
    result = functional.linear(torch.stack([*earlier, x], dim=2).flatten(1), conv.weight.flatten(1), conv.bias)
    ring[time % length] = x
    return result


def pointwise(conv: nn.Conv1d, x: Tensor) -> Tensor:
    """A 1x1 convolution of one moment: [B, C_in] -> [B, C_out]."""
    return functional.linear(x, conv.weight[..., 0], conv.bias)


def initialise(module: nn.Module) -> None:
    """Kernels uniform with variance 1 / fan-in (what NSynth calls unit scaling), biases zero."""
    for part in module.modules():
        if isinstance(part, nn.Conv1d):
            bound = (3.0 / part.weight[0].numel()) ** 0.5
            nn.init.uniform_(part.weight, -bound, bound)
            assert part.bias is not None
            nn.init.zeros_(part.bias)
