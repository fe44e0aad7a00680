"""The autoencoder: a WaveNet-style encoder to 16 numbers per 32 ms, and the harmonic decoder back to control frames.

Encoder. NSynth's (Engel et al. 2017, section 2.1) is a stack of non-causal dilated residual convolutions at 16 kHz, 1x1
to 16 channels, average-pooled over 512 samples. At the full rate a step of training takes some 3 s on two CPU cores.
Here a strided convolution comes first: learned filters of 512 taps every 64 samples, which begin as pairs of cosine
and sine under ERB-wide windows (an auditory filter bank; Zeghidour et al. 2021 start LEAF the same way), and the log
of each pair's energy. The dilated stack then runs at 250 Hz, and the pool is over 8 of its steps.

Harmonic decoder. `(z around a moment, pitch, velocity) -> one control frame`, a residual perceptron. A partial's level
is a spectral envelope read at the partial's frequency plus a term of its own, so that formants stay where they are
when the pitch moves, and a clarinet may still leave out its even partials.

All parts are convolutions and products with fixed shapes, and export to ONNX as they are.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from synth.frames import (
    EMBEDDING_HOP,
    ENCODER_RATE_HZ,
    N_BANDS,
    N_PARTIALS,
    Z_DIM,
    erb_number,
    erb_number_to_hz,
)

FILTER_TAPS = 512
FILTER_HOP = 64
STEPS_PER_EMBEDDING = EMBEDDING_HOP // FILTER_HOP
Z_WINDOW = 5
"""Embedding frames that the decoder sees: the moment itself, 32 and 64 ms to either side."""
QUIET_ENERGY = 1e-8
"""Energy of a filter pair under which the log is flat: -80 dB of a full-scale sine. Further down, float32's rounding of
a loud neighbour would be read as sound, and ONNX Runtime would differ from torch by more than 1e-4."""


@dataclass(frozen=True)
class AutoencoderConfig:
    """Everything that the shape of the network depends on. Widths are channels, `n_stages` repeats of the dilations."""

    name: str = "small"
    n_filters: int = 96
    encoder_width: int = 96
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16)
    n_stages: int = 2
    decoder_width: int = 320
    decoder_layers: int = 3
    n_envelope: int = 64
    n_pitch_bumps: int = 16

    def to_dict(self) -> dict[str, object]:
        return asdict(self)

    @staticmethod
    def from_dict(values: dict[str, object]) -> AutoencoderConfig:
        """Inverse of `to_dict`; an unknown key is a TypeError that names it."""
        values = dict(values)
        if "dilations" in values:
            values["dilations"] = tuple(values["dilations"])  # type: ignore[arg-type]
        return AutoencoderConfig(**values)  # type: ignore[arg-type]


CONFIGS = {"small": AutoencoderConfig()}


class FilterBank(nn.Module):
    """Waveform [B, N] at 16 kHz -> log energies [B, n_filters, N / 64]: 0 in silence, 1 at full scale."""

    def __init__(self, n_filters: int) -> None:
        super().__init__()
        self.n_filters = n_filters
        self.conv = nn.Conv1d(1, 2 * n_filters, FILTER_TAPS, stride=FILTER_HOP, bias=False)
        self.conv.weight.data.copy_(_auditory_filters(n_filters)[:, None])

    def forward(self, wave: Tensor) -> Tensor:
        margin = (FILTER_TAPS - FILTER_HOP) // 2
        pair = self.conv(functional.pad(wave[:, None], (margin, margin)))  # [B, 2F, N/64]
        energy = pair[:, : self.n_filters] ** 2 + pair[:, self.n_filters :] ** 2
        # Not log(energy + 1e-8): the exporter's optimiser takes a constant that small for zero, and drops it.
        return torch.log(energy / QUIET_ENERGY + 1.0) / -math.log(QUIET_ENERGY)


def _auditory_filters(n_filters: int) -> Tensor:
    """Cosine and sine under Hann windows two ERB wide (at most 512 taps), unit gain at the centre: [2F, 512]."""
    low, high = float(erb_number(30.0)), float(erb_number(7600.0))
    centre_hz = torch.tensor(erb_number_to_hz(torch.linspace(low, high, n_filters).numpy()), dtype=torch.float64)
    time_s = (torch.arange(FILTER_TAPS, dtype=torch.float64) - (FILTER_TAPS - 1) / 2) / ENCODER_RATE_HZ
    width_s = (2.0 / (24.7 * (0.00437 * centre_hz + 1.0))).clamp(max=FILTER_TAPS / ENCODER_RATE_HZ)
    window = torch.where(
        time_s.abs() < width_s[:, None] / 2, 0.5 + 0.5 * torch.cos(2 * torch.pi * time_s / width_s[:, None]), 0.0
    )
    window = 2.0 * window / window.sum(dim=1, keepdim=True)
    angle = 2 * torch.pi * centre_hz[:, None] * time_s
    return torch.cat([window * torch.cos(angle), window * torch.sin(angle)]).float()


class ResidualBlock(nn.Module):
    """NSynth's encoder layer: ReLU, dilated non-causal convolution, ReLU, 1x1, added to the input."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilated = nn.Conv1d(width, width, 3, dilation=dilation, padding=dilation)
        self.mix = nn.Conv1d(width, width, 1)
        nn.init.zeros_(self.mix.weight)
        assert self.mix.bias is not None
        nn.init.zeros_(self.mix.bias)

    def forward(self, x: Tensor) -> Tensor:  # [B, C, T] -> [B, C, T]
        out: Tensor = x + self.mix(functional.relu(self.dilated(functional.relu(x))))
        return out


class Encoder(nn.Module):
    """Waveform [B, N] at 16 kHz, N a multiple of 512, full scale 1.0 -> embedding z [B, N / 512, 16]."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.filters = FilterBank(config.n_filters)
        self.start = nn.Conv1d(config.n_filters, config.encoder_width, 3, padding=1)
        self.blocks = nn.Sequential(
            *(ResidualBlock(config.encoder_width, d) for _ in range(config.n_stages) for d in config.dilations)
        )
        self.to_z = nn.Conv1d(config.encoder_width, Z_DIM, 1)

    def forward(self, wave: Tensor) -> Tensor:
        x = self.blocks(self.start(self.filters(wave)))  # [B, C, N/64]
        z = functional.avg_pool1d(self.to_z(functional.relu(x)), STEPS_PER_EMBEDDING)  # [B, 16, N/512]
        return z.transpose(1, 2)


class HarmonicDecoder(nn.Module):
    """`(z_window [V, 80], pitch [V], velocity [V]) -> rows [V, 165]`; see `synth.frames` for a row.

    `z_window` is z at -64, -32, 0, 32, 64 ms; `pitch` and `velocity` are MIDI numbers as floats.
    """

    bump_pitch: Tensor
    partial: Tensor

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.n_envelope = config.n_envelope
        self.register_buffer("bump_pitch", torch.linspace(20.0, 108.0, config.n_pitch_bumps), persistent=False)
        self.bump_width = 88.0 / (config.n_pitch_bumps - 1)
        self.into = nn.Linear(Z_WINDOW * Z_DIM + config.n_pitch_bumps + 2, config.decoder_width)
        self.layers = nn.ModuleList(
            nn.Linear(config.decoder_width, config.decoder_width) for _ in range(config.decoder_layers - 1)
        )
        self.out = nn.Linear(config.decoder_width, config.n_envelope + N_PARTIALS + N_BANDS + 1)
        self.out.bias.data.zero_()
        self.out.weight.data.mul_(0.3)
        partial = torch.arange(1, N_PARTIALS + 1, dtype=torch.float32)
        self.register_buffer("partial", partial, persistent=False)
        self.erb_low, self.erb_high = float(erb_number(20.0)), float(erb_number(20_000.0))

    def forward(self, z_window: Tensor, pitch: Tensor, velocity: Tensor) -> Tensor:
        bumps = torch.exp(-(((pitch[:, None] - self.bump_pitch) / self.bump_width) ** 2))
        plain = torch.stack([(pitch - 60.0) / 24.0, (velocity - 64.0) / 64.0], dim=1)
        x = functional.silu(self.into(torch.cat([z_window, bumps, plain], dim=1)))
        for layer in self.layers:
            x = x + functional.silu(layer(x))
        out = self.out(x)  # [V, E + 100 + 64 + 1]
        envelope, own, band, deviation = torch.split(out, [self.n_envelope, N_PARTIALS, N_BANDS, 1], dim=1)
        partial_level = self._read(envelope, pitch) + own
        levels = torch.cat([partial_level, band], dim=1) * 20.0 - 60.0
        return torch.cat([levels.clamp(-120.0, 20.0), 5.0 * deviation], dim=1)

    def _read(self, envelope: Tensor, pitch: Tensor) -> Tensor:
        """The envelope [V, E], whose points are evenly spaced in ERB from 20 Hz to 20 kHz, at each partial [V, 100]."""
        frequency_hz = 440.0 * torch.exp2((pitch[:, None] - 69.0) / 12.0) * self.partial
        erb = 21.4 / 2.302585093 * torch.log(1.0 + 0.00437 * frequency_hz)
        at = (erb - self.erb_low) / (self.erb_high - self.erb_low) * (self.n_envelope - 1)
        at = at.clamp(0.0, self.n_envelope - 1.001)
        low = at.floor()
        index = low.to(torch.int64)
        below, above = torch.gather(envelope, 1, index), torch.gather(envelope, 1, index + 1)
        return below + (at - low) * (above - below)


class Autoencoder(nn.Module):
    """Encoder and harmonic decoder over one embedding. The WaveNet decoder will share this z."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = HarmonicDecoder(config)

    def forward(self, wave: Tensor, frame: Tensor, pitch: Tensor, velocity: Tensor) -> Tensor:
        """wave [B, N], control frames [B, M] (fractions allowed), pitch [B], velocity [B] -> rows [B, M, 165]."""
        return self.decode(self.encoder(wave), frame, pitch, velocity)

    def decode(self, z: Tensor, frame: Tensor, pitch: Tensor, velocity: Tensor) -> Tensor:
        """z [B, Tz, 16] at control frames [B, M] -> rows [B, M, 165]."""
        n_batch, n_frames = frame.shape
        window = z_window(z, frame).reshape(n_batch * n_frames, Z_WINDOW * Z_DIM)
        rows = self.decoder(window, pitch.repeat_interleave(n_frames), velocity.repeat_interleave(n_frames))
        return rows.reshape(n_batch, n_frames, -1)


def z_window(z: Tensor, frame: Tensor) -> Tensor:
    """z [B, Tz, 16] at control frames [B, M] -> [B, M, 5, 16].

    Embedding frame i stands for the moment (i + 0.5) * 32 ms; between moments z is linear, outside the note it is zero,
    which is how the decoder knows the onset. `synth.voices.zwindow` is the same for the engine.
    """
    padding = 4
    padded = functional.pad(z, (0, 0, padding, padding))
    offset = torch.arange(Z_WINDOW, dtype=frame.dtype, device=frame.device) - Z_WINDOW // 2
    at = (frame / 4.0 - 0.5)[..., None] + offset + padding  # [B, M, 5]
    at = at.clamp(0.0, padded.shape[1] - 1.001)
    low = at.floor()
    index = low.to(torch.int64).reshape(z.shape[0], -1, 1).expand(-1, -1, Z_DIM)
    below, above = torch.gather(padded, 1, index), torch.gather(padded, 1, index + 1)
    mix = (at - low).reshape(z.shape[0], -1, 1)
    return (below + mix * (above - below)).reshape(*at.shape, Z_DIM)
