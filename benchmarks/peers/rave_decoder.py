"""Decoders of the sizes that RAVE publishes, with random weights: they cost what trained ones cost.

Caillon and Esling, "RAVE: A variational autoencoder for fast and high-quality neural audio synthesis" (arXiv
2111.05011), and rave/configs/v1.gin and v2.gin of github.com/acids-ircam/RAVE at commit f048ec4: 128 latents per
2,048 samples at 44.1 kHz, upsampled by 128 in four stages with halving channels, then a bank of 16 bands.
Streamed as that project streams them: every convolution keeps what it has seen of the last block.
Shapes are [streams, channels, time].
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

RATE_HZ = 44_100
N_LATENTS, N_BANDS = 128, 16
BANK_TAPS = 33
"""Per band: 100 dB of attenuation take a prototype of about 32 * 16 samples."""
_SLOPE = 0.2


@dataclass(frozen=True)
class Config:
    """capacity: channels of the last stage. dilations: of each stage, in the order of `ratios`."""

    name: str
    capacity: int
    ratios: tuple[int, ...]
    dilations: tuple[tuple[int, ...], ...]
    kernel: int
    first_kernel: int
    inner_kernel: int
    """Of the second convolution of a residual unit."""
    noise: bool

    @property
    def block(self) -> int:
        """Samples per latent frame."""
        return N_BANDS * int(torch.tensor(self.ratios).prod())


V1 = Config("v1", 64, (4, 4, 4, 2), ((1, 3, 5),) * 4, kernel=3, first_kernel=7, inner_kernel=3, noise=True)
V2 = Config(
    "v2",
    96,
    (2, 4, 4, 4),
    ((1, 3), (1, 3, 9), (1, 3, 9), (1, 3, 9)),
    kernel=3,
    first_kernel=3,
    inner_kernel=1,
    noise=False,
)
"""v2's stages are listed here from the latents on; its file lists them from the sound on."""


class StreamedConv(nn.Module):
    """A convolution that goes on where the last block ended: [B, in, T] -> [B, out, T / stride]."""

    def __init__(self, n_in: int, n_out: int, kernel: int, dilation: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv1d(n_in, n_out, kernel, stride=stride, dilation=dilation, bias=False)
        self._n_kept = (kernel - 1) * dilation + 1 - stride
        self._kept: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self._n_kept > 0:
            x = self._with_kept(x)
        return cast(Tensor, self.conv(x))

    def _with_kept(self, x: Tensor) -> Tensor:
        if self._kept is None or self._kept.shape[0] != x.shape[0]:
            self._kept = x.new_zeros(x.shape[0], x.shape[1], self._n_kept)
        x = torch.cat([self._kept, x], dim=2)
        self._kept = x[:, :, -self._n_kept :]
        return x


class StreamedUpsampling(nn.Module):
    """A transposed convolution of 2 * ratio taps, tail kept. [B, in, T] -> [B, out, ratio * T]."""

    def __init__(self, n_in: int, n_out: int, ratio: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose1d(n_in, n_out, 2 * ratio, stride=ratio, bias=False)
        self._ratio = ratio
        self._tail: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(functional.leaky_relu(x, _SLOPE))
        if self._tail is not None and self._tail.shape[0] == x.shape[0]:
            y[:, :, : self._ratio] += self._tail
        self._tail = y[:, :, -self._ratio :].clone()
        return y[:, :, : -self._ratio]


class ResidualUnit(nn.Module):
    """x + conv(relu(conv(relu(x)))); the outer one dilated. [B, channels, T] -> the same."""

    def __init__(self, channels: int, kernel: int, dilation: int, inner_kernel: int) -> None:
        super().__init__()
        self.outer = StreamedConv(channels, channels, kernel, dilation)
        self.inner = StreamedConv(channels, channels, inner_kernel)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.outer(functional.leaky_relu(x, _SLOPE))
        return x + cast(Tensor, self.inner(functional.leaky_relu(y, _SLOPE)))


class Noise(nn.Module):
    """v1's filtered noise: per 64 samples of a band a response of five levels. [B, channels, T] -> [B, 16, T]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            StreamedConv(channels, channels if i < 2 else 5 * N_BANDS, 3, stride=4) for i in range(3)
        )

    def forward(self, x: Tensor) -> Tensor:
        for i, layer in enumerate(self.layers):
            x = layer(x if i == 0 else functional.leaky_relu(x, _SLOPE))
        n_streams, _, n_frames = x.shape
        amplitude = torch.sigmoid(x.permute(0, 2, 1).reshape(n_streams, n_frames, N_BANDS, 5))
        response = functional.pad(torch.fft.irfft(amplitude), (0, 120))  # 8 samples, in 128: no wrapping
        noise = functional.pad(torch.rand(n_streams, n_frames, N_BANDS, 64) * 2 - 1, (0, 64))
        shaped: Tensor = torch.fft.irfft(torch.fft.rfft(response) * torch.fft.rfft(noise))[..., :64]
        return shaped.permute(0, 2, 1, 3).reshape(n_streams, N_BANDS, n_frames * 64)


class Decoder(nn.Module):
    """Latents [B, 128, frames] to sound [B, frames * 2048]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        channels = config.capacity * 2 ** len(config.ratios)
        layers: list[nn.Module] = [StreamedConv(N_LATENTS, channels, config.first_kernel)]
        for ratio, dilations in zip(config.ratios, config.dilations, strict=True):
            layers.append(StreamedUpsampling(channels, channels // 2, ratio))
            channels //= 2
            layers += [ResidualUnit(channels, config.kernel, d, config.inner_kernel) for d in dilations]
        self.stages = nn.Sequential(*layers)
        self.wave = StreamedConv(channels, N_BANDS, 7)
        # v1's loudness is one channel for all bands, v2's amplitude one for each.
        self.loudness = StreamedConv(channels, 1, 3) if config.noise else StreamedConv(channels, N_BANDS, 7)
        self.noise = Noise(channels) if config.noise else None
        self.bank = StreamedConv(N_BANDS, N_BANDS, BANK_TAPS)

    def forward(self, latents: Tensor) -> Tensor:
        x = self.stages(latents)
        bands = torch.tanh(self.wave(x)) * torch.sigmoid(self.loudness(x))
        if self.noise is not None:
            bands = bands + self.noise(x)
        sound: Tensor = self.bank(bands)
        return sound.permute(0, 2, 1).reshape(latents.shape[0], -1)


def n_weights(decoder: nn.Module) -> int:
    """Numbers that it would have learned."""
    return sum(parameter.numel() for parameter in decoder.parameters())
