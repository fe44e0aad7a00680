"""The autoencoder: a WaveNet-style encoder to 16 numbers per 32 ms, and the harmonic decoder back to control frames.

Encoder. NSynth's (Engel et al. 2017, section 2.1) is a stack of non-causal dilated residual convolutions at 16 kHz, 1x1
to 16 channels, average-pooled over 512 samples. At the full rate a step of training takes some 3 s on two CPU cores.
Here a short-time spectrum comes first, read at the partials of the note, whose pitch is known wherever a note is
encoded; the dilated stack then runs at 125 Hz, and the pool is over 4 of its steps.

Harmonic decoder. `(z around a moment, pitch, velocity) -> one control frame`, a residual perceptron. A partial's level
is a spectral envelope read at the partial's frequency plus a term of its own, so that formants stay where they are
when the pitch moves, and a clarinet may still leave out its even partials.

WaveNet decoder. `models.wavenet`, conditioned on z, pitch and velocity: sound from the same embedding, by the sample.

All parts are convolutions and products with fixed shapes, and export to ONNX as they are.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models import wavenet
from models.wavenet import WaveNetDecoder
from synth.frames import (
    CENTRE_LEVEL_DB,
    CENTRE_PITCH,
    CENTRE_VELOCITY,
    DEVIATION_UNIT_CENTS,
    EMBEDDING_HOP,
    ENCODER_RATE_HZ,
    ERB_PER_HZ,
    HIGHEST_BUMP_PITCH,
    HIGHEST_LEVEL_DB,
    LEVEL_FLOOR_DB,
    LEVEL_UNIT_DB,
    LOWEST_BUMP_PITCH,
    N_BANDS,
    N_PARTIALS,
    PITCH_UNIT,
    Z_DIM,
    Float64Array,
    envelope_scale,
    erb_number,
    erb_number_to_hz,
    pitch_to_hz,
)

ENCODER_HOP = 128
"""Samples between steps of the encoder at 16 kHz: 8 ms, a control frame. Four steps are pooled to an embedding."""
STEPS_PER_EMBEDDING = EMBEDDING_HOP // ENCODER_HOP
LONG_WINDOW, SHORT_WINDOW = 2048, 512
"""Samples at 16 kHz. 128 ms resolve the partials of notes from 31 Hz up, 32 ms say when something happens."""
N_READ = 64
"""Partials that the encoder reads; those above 7.8 kHz read as silence."""
HIGHEST_READ_HZ = 7800.0
Z_WINDOW = 5
"""Embedding frames that the decoder sees: the moment itself, 32 and 64 ms to either side."""
QUIET_POWER = 1e-10
"""Power under which the log is flat: -100 dB of a full-scale sine."""
QUIET_POWER_LOG = -math.log(QUIET_POWER)


@dataclass(frozen=True)
class AutoencoderConfig:
    """Everything that the shape of the network depends on. Widths are channels, `n_stages` repeats of the dilations."""

    name: str = "small"
    n_bands: int = 48
    encoder_width: int = 128
    dilations: tuple[int, ...] = (1, 2, 4)
    n_stages: int = 1
    decoder_width: int = 256
    decoder_layers: int = 3
    n_envelope: int = 64
    n_pitch_bumps: int = 16
    wavenet: str = "small"

    def to_dict(self) -> dict[str, object]:
        return asdict(self)

    @staticmethod
    def from_dict(values: dict[str, object]) -> AutoencoderConfig:
        """Inverse of `to_dict`; an unknown key is a TypeError that names it."""
        values = dict(values)
        if "dilations" in values:
            values["dilations"] = tuple(values["dilations"])  # type: ignore[arg-type]
        return AutoencoderConfig(**values)  # type: ignore[arg-type]


CONFIGS = {
    "tiny": AutoencoderConfig("tiny", n_bands=24, encoder_width=32, decoder_width=64, wavenet="tiny"),
    "small": AutoencoderConfig(),
    # For a GPU. The decoder is the device's, and stays.
    "large": AutoencoderConfig("large", encoder_width=512, dilations=(1, 2, 4, 8), n_stages=2, wavenet="medium"),
}


class Spectrum(nn.Module):
    """What the encoder sees of a note, every 8 ms: log power at its partials, half-way between them, and in ERB bands.

    `(wave [B, N] at 16 kHz, f0_hz [B], inharmonicity [B]) -> [B, 2 * 64 + 2 * n_bands, N / 128]`; a full-scale sine
    reads 1, what is under -100 dB reads 0. Step i is centred on sample 128 i + 64.

    A plain filter bank, even a learned one, leaves the network to find 64 partials anew for each pitch; reading them
    where they are known to be took the error of held-out instruments from 10 to 6 dB (models/README.md).
    """

    long_window: Tensor
    short_window: Tensor
    long_bands: Tensor
    short_bands: Tensor
    partial: Tensor

    def __init__(self, n_bands: int) -> None:
        super().__init__()
        self.n_features = 2 * (N_READ + n_bands)
        self.band_hz = torch.tensor(erb_number_to_hz(_band_numbers(n_bands)), dtype=torch.float32)
        for name, size in (("long", LONG_WINDOW), ("short", SHORT_WINDOW)):
            window = torch.hann_window(size, periodic=True, dtype=torch.float64)
            self.register_buffer(f"{name}_window", (2.0 * window / window.sum()).float(), persistent=False)
            self.register_buffer(f"{name}_bands", _erb_bands(size, n_bands), persistent=False)
        # 1, 2, ..., 64 and 0.5, 1.5, ..., 63.5
        partial = torch.arange(1, N_READ + 1, dtype=torch.float32)
        self.register_buffer("partial", torch.cat([partial, partial - 0.5]), persistent=False)

    def forward(self, wave: Tensor, f0_hz: Tensor, inharmonicity: Tensor) -> Tensor:
        long = self._power(wave, self.long_window)  # [B, T, 1025]
        short = self._power(wave, self.short_window)  # [B, T, 257]
        power = torch.cat(
            [self._read(long, f0_hz, inharmonicity), long @ self.long_bands, short @ self.short_bands], dim=2
        )
        # Not log(power + 1e-10): the exporter's optimiser takes a constant that small for zero, and drops it.
        return (torch.log(power / QUIET_POWER + 1.0) / QUIET_POWER_LOG).transpose(1, 2)

    @staticmethod
    def _power(wave: Tensor, window: Tensor) -> Tensor:
        margin = (window.shape[0] - ENCODER_HOP) // 2
        frames = functional.pad(wave, (margin, margin)).unfold(1, window.shape[0], ENCODER_HOP)
        spectrum = torch.view_as_real(torch.fft.rfft(frames * window))
        return (spectrum**2).sum(dim=-1)

    def _read(self, power: Tensor, f0_hz: Tensor, inharmonicity: Tensor) -> Tensor:
        """The power of three bins around each partial and each middle: [B, T, 1025] -> [B, T, 128].

        Three bins hold 0.96 to 1.0 of a Hann window's main lobe wherever the partial lies between two of them.
        """
        frequency_hz = partial_frequency_hz(self.partial, f0_hz, inharmonicity)  # [B, 128]
        audible = (frequency_hz < HIGHEST_READ_HZ).to(power.dtype)
        bin_width_hz = ENCODER_RATE_HZ / LONG_WINDOW
        centre = torch.round(frequency_hz.clamp(max=HIGHEST_READ_HZ) / bin_width_hz).to(torch.int64).clamp(min=1)
        index = torch.cat([centre - 1, centre, centre + 1], dim=1)[:, None, :].expand(-1, power.shape[1], -1)
        found = torch.gather(power, 2, index)
        n = 2 * N_READ
        # A sine in three bins of a Hann window: 1 + 1/4 + 1/4 of its power at the peak.
        return (found[:, :, :n] + found[:, :, n : 2 * n] + found[:, :, 2 * n :]) / 1.5 * audible[:, None, :]


def partial_frequency_hz(number: Tensor, f0_hz: Tensor, inharmonicity: Tensor) -> Tensor:
    """Frequencies of the partials `number` [P] of notes [B]: [B, P]."""
    return f0_hz[:, None] * number * torch.sqrt(1.0 + inharmonicity[:, None] * number**2)


def _erb_bands(size: int, n_bands: int) -> Tensor:
    """Weights that sum a power spectrum of `size` samples at 16 kHz into ERB-spaced triangles [size / 2 + 1, bands]."""
    position = torch.tensor(erb_number(np.arange(size // 2 + 1) * ENCODER_RATE_HZ / size))
    centre = torch.tensor(_band_numbers(n_bands))
    spacing = float(centre[1] - centre[0])
    # The lowest bands of the short window are narrower than a bin: each takes at least its nearest one.
    nearest = (position[:, None] - centre).abs().argmin(dim=0)
    weights = (1.0 - (position[:, None] - centre).abs() / spacing).clamp(min=0.0)
    weights[nearest, torch.arange(n_bands)] = weights[nearest, torch.arange(n_bands)].clamp(min=0.5)
    return (weights / 1.5).float()


def _band_numbers(n_bands: int) -> Float64Array:
    """Centres of the encoder's bands on the ERB-rate scale, 20 Hz to 7.8 kHz."""
    return np.linspace(float(erb_number(20.0)), float(erb_number(HIGHEST_READ_HZ)), n_bands)


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
    """`(wave [B, N], f0_hz [B], inharmonicity [B]) -> z [B, N / 512, 16]`.

    `wave` is at 16 kHz, full scale 1.0, N a multiple of 512; `f0_hz` is the tuned fundamental, `inharmonicity` its B.
    """

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.spectrum = Spectrum(config.n_bands)
        self.pitch = PitchBumps(config.n_pitch_bumps)
        self.start = nn.Conv1d(self.spectrum.n_features, config.encoder_width, 3, padding=1)
        self.pitch_start = nn.Linear(config.n_pitch_bumps + 1, config.encoder_width)
        self.blocks = nn.Sequential(
            *(ResidualBlock(config.encoder_width, d) for _ in range(config.n_stages) for d in config.dilations)
        )
        self.to_z = nn.Conv1d(config.encoder_width, Z_DIM, 1)

    def forward(self, wave: Tensor, f0_hz: Tensor, inharmonicity: Tensor) -> Tensor:
        return self.embed(self.spectrum(wave, f0_hz, inharmonicity), f0_hz)

    def embed(self, spectrum: Tensor, f0_hz: Tensor) -> Tensor:
        """What `Spectrum` gave [B, C, 4 T] -> z [B, T, 16]."""
        pitch = 69.0 + 12.0 * torch.log2(f0_hz / 440.0)
        # -100..0 dB as -2..2: the optimizer's step suits inputs near unit scale.
        x = self.start(4.0 * spectrum - 2.0) + self.pitch_start(self.pitch(pitch))[:, :, None]  # [B, W, 4 T]
        z = functional.avg_pool1d(self.to_z(functional.relu(self.blocks(x))), STEPS_PER_EMBEDDING)
        return z.transpose(1, 2)


class PitchBumps(nn.Module):
    """A pitch [V] as overlapping bumps over the keyboard and a straight line: [V, n + 1]."""

    bump_pitch: Tensor

    def __init__(self, n_bumps: int) -> None:
        super().__init__()
        bump_pitch = torch.linspace(LOWEST_BUMP_PITCH, HIGHEST_BUMP_PITCH, n_bumps)
        self.register_buffer("bump_pitch", bump_pitch, persistent=False)
        self.width = (HIGHEST_BUMP_PITCH - LOWEST_BUMP_PITCH) / (n_bumps - 1)

    def forward(self, pitch: Tensor) -> Tensor:
        bumps = torch.exp(-(((pitch[:, None] - self.bump_pitch) / self.width) ** 2))
        return torch.cat([bumps, (pitch[:, None] - CENTRE_PITCH) / PITCH_UNIT], dim=1)


class HarmonicDecoder(nn.Module):
    """`(z_window [V, 80], pitch [V], velocity [V]) -> rows [V, 165]`; see `synth.frames` for a row.

    `z_window` is z at -64, -32, 0, 32, 64 ms; `pitch` and `velocity` are MIDI numbers as floats.

    Only `core` is exported: `synth.voices.decoder` does `features` and `rows` itself, which were 40 small operations.
    """

    partial: Tensor

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.n_envelope = config.n_envelope
        self.pitch = PitchBumps(config.n_pitch_bumps)
        self.n_features = Z_WINDOW * Z_DIM + config.n_pitch_bumps + 2
        self.into = nn.Linear(self.n_features, config.decoder_width)
        self.layers = nn.ModuleList(
            nn.Linear(config.decoder_width, config.decoder_width) for _ in range(config.decoder_layers - 1)
        )
        self.out = nn.Linear(config.decoder_width, config.n_envelope + N_PARTIALS + N_BANDS + 1)
        self.out.bias.data.zero_()
        self.out.weight.data.mul_(0.3)
        # k f0 at MIDI note 0, as the ERB-rate scale has it.
        partial = ERB_PER_HZ * float(pitch_to_hz(0.0)) * torch.arange(1, N_PARTIALS + 1, dtype=torch.float64)
        self.register_buffer("partial", partial.float(), persistent=False)
        self.slope, self.offset = envelope_scale(config.n_envelope)

    def forward(self, z_window: Tensor, pitch: Tensor, velocity: Tensor) -> Tensor:
        return self.rows(self.core(self.features(z_window, pitch, velocity)), pitch)

    def features(self, z_window: Tensor, pitch: Tensor, velocity: Tensor) -> Tensor:
        """What `core` is told: the window, then pitch and velocity, [V, 80 + bumps + 2]."""
        known = torch.cat([self.pitch(pitch), (velocity[:, None] - CENTRE_VELOCITY) / CENTRE_VELOCITY], dim=1)
        return torch.cat([z_window, known], dim=1)

    def core(self, features: Tensor) -> Tensor:
        """All of the weights: features -> [V, E + 100 + 64 + 1], envelope, each partial's own, bands and deviation."""
        x = functional.silu(self.into(features))
        for layer in self.layers:
            x = x + functional.silu(layer(x))
        out: Tensor = self.out(x)
        return out

    def rows(self, out: Tensor, pitch: Tensor) -> Tensor:
        """What `core` gave -> rows [V, 165], in dB and cents, levels within -120 to 20 dB."""
        envelope, own, band, deviation = torch.split(out, [self.n_envelope, N_PARTIALS, N_BANDS, 1], dim=1)
        partial_level = self._read(envelope, pitch) + own
        levels = torch.cat([partial_level, band], dim=1) * LEVEL_UNIT_DB + CENTRE_LEVEL_DB
        return torch.cat([levels.clamp(LEVEL_FLOOR_DB, HIGHEST_LEVEL_DB), DEVIATION_UNIT_CENTS * deviation], dim=1)

    def _read(self, envelope: Tensor, pitch: Tensor) -> Tensor:
        """The envelope [V, E], whose points are evenly spaced in ERB from 20 Hz to 20 kHz, at each partial [V, 100]."""
        at = torch.log(torch.exp2(pitch[:, None] * (1.0 / 12.0)) * self.partial + 1.0) * self.slope + self.offset
        at = at.clamp(0.0, self.n_envelope - 1.001)
        low = at.floor()
        index = low.to(torch.int64)
        below, above = torch.gather(envelope, 1, index), torch.gather(envelope, 1, index + 1)
        return below + (at - low) * (above - below)


class Autoencoder(nn.Module):
    """Encoder and two decoders over one embedding."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = HarmonicDecoder(config)
        self.wavenet_pitch = PitchBumps(config.n_pitch_bumps)
        n_conditioning = Z_DIM + config.n_pitch_bumps + 2
        self.wavenet = WaveNetDecoder(wavenet.CONFIGS[config.wavenet].conditioned_on(n_conditioning))

    def decode(self, z: Tensor, frame: Tensor, pitch: Tensor, velocity: Tensor) -> Tensor:
        """z [B, Tz, 16] at control frames [B, M] -> rows [B, M, 165]."""
        n_batch, n_frames = frame.shape
        window = z_window(z, frame).reshape(n_batch * n_frames, Z_WINDOW * Z_DIM)
        rows = self.decoder(window, pitch.repeat_interleave(n_frames), velocity.repeat_interleave(n_frames))
        return rows.reshape(n_batch, n_frames, -1)

    def wavenet_conditioning(self, z: Tensor, pitch: Tensor, velocity: Tensor) -> Tensor:
        """z [B, T, 16], pitch and velocity [B] -> what conditions the WaveNet decoder, [B, T, 34].

        NSynth's has z alone, which so has to carry the pitch; ours is told, as the harmonic decoder is.
        """
        known = torch.cat([self.wavenet_pitch(pitch), (velocity[:, None] - 64.0) / 64.0], dim=1)
        return torch.cat([z, known[:, None, :].expand(-1, z.shape[1], -1)], dim=2)


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
