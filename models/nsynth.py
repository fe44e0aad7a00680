"""NSynth's WaveNet autoencoder: a sound becomes 16 numbers per 512 samples, and its decoder gives the sound back.

Engel et al. 2017, section 2.1. The encoder is a stack of residual layers over the mu-law sound at 16 kHz: ReLU, dilated
non-causal convolution, ReLU, 1x1 convolution; then 1x1 to 16 channels and the average over 512 samples. Each group of
16 depends on its own 512 samples and 3,070 to either side, 6,652 in all. The decoder is `wavenet.WaveNetDecoder`.

With configuration `nsynth` this is the published network, 61,804,048 weights, which `magenta/` imports.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from models import mu_law, wavenet
from models.wavenet import WaveNetConfig, WaveNetDecoder


@dataclass(frozen=True)
class NSynthConfig:
    """Everything that the autoencoder's shape depends on; the encoder's numbers are named as those of the decoder."""

    decoder: WaveNetConfig
    name: str = "nsynth"
    n_layers: int = 30
    n_stages: int = 10
    filter_length: int = 3
    width: int = 128

    @property
    def dilations(self) -> tuple[int, ...]:
        return tuple(2 ** (i % self.n_stages) for i in range(self.n_layers))

    @property
    def encoder_margin(self) -> int:
        """Samples to either side of its own `hop` on which an embedding frame depends: 3,070 for `nsynth`."""
        return self.filter_length // 2 * (1 + sum(self.dilations))

    def to_dict(self) -> dict[str, object]:
        return dataclasses.asdict(self)

    @staticmethod
    def from_dict(values: dict[str, object]) -> NSynthConfig:
        """Inverse of `to_dict`; an unknown key is a TypeError that names it."""
        decoder: dict[str, object] = values["decoder"]  # type: ignore[assignment]
        return NSynthConfig(**(values | {"decoder": WaveNetConfig.from_dict(decoder)}))  # type: ignore[arg-type]


CONFIGS = {"nsynth": NSynthConfig(wavenet.CONFIGS["nsynth"])}


class ResidualLayer(nn.Module):
    """ReLU, dilated non-causal convolution, ReLU, 1x1, added to the input: [B, W, N] -> [B, W, N]."""

    def __init__(self, config: NSynthConfig, dilation: int) -> None:
        super().__init__()
        margin = config.filter_length // 2 * dilation
        self.dilated = nn.Conv1d(config.width, config.width, config.filter_length, dilation=dilation, padding=margin)
        self.residual = nn.Conv1d(config.width, config.width, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.residual(functional.relu(self.dilated(functional.relu(x))))
        return out


class NSynthEncoder(nn.Module):
    """Scaled sound [B, N] -> embedding [B, N / hop, n_conditioning]; N is a multiple of `hop`."""

    def __init__(self, config: NSynthConfig) -> None:
        super().__init__()
        self.hop = config.decoder.hop
        self.start_conv = nn.Conv1d(1, config.width, config.filter_length, padding=config.filter_length // 2)
        self.layers = nn.Sequential(*(ResidualLayer(config, dilation) for dilation in config.dilations))
        self.bottleneck = nn.Conv1d(config.width, config.decoder.n_conditioning, 1)
        wavenet.initialise(self)

    def forward(self, scaled: Tensor) -> Tensor:
        n_samples = scaled.shape[1]
        if n_samples == 0 or n_samples % self.hop:
            raise ValueError(f"{n_samples} samples are no positive multiple of {self.hop}")
        x = self.bottleneck(self.layers(self.start_conv(scaled[:, None])))  # [B, 16, N]
        return functional.avg_pool1d(x, self.hop).transpose(1, 2)


class NSynthAutoencoder(nn.Module):
    """Encoder and decoder over the same mu-law sound."""

    def __init__(self, config: NSynthConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = NSynthEncoder(config)
        self.decoder = WaveNetDecoder(config.decoder)

    def encode(self, wave: Tensor) -> Tensor:
        """Sound [B, N] at 16 kHz in [-1, 1] -> embedding [B, N / 512, 16]; N is a multiple of 512."""
        z: Tensor = self.encoder(mu_law.scale(wave))
        return z

    def forward(self, wave: Tensor) -> tuple[Tensor, Tensor]:
        """Sound [B, N] -> embedding [B, N / 512, 16], logits [B, 256, N] of each sample, given those before it."""
        scaled = mu_law.scale(wave)
        z: Tensor = self.encoder(scaled)
        logits: Tensor = self.decoder(scaled, z)
        return z, logits

    def loss(self, wave: Tensor) -> Tensor:
        """Mean cross-entropy in nats per sample, a scalar, of sound [B, N]."""
        scaled = mu_law.scale(wave)
        return self.decoder.loss(scaled, self.encoder(scaled))
