"""Training batches: random crops of random notes, from what the encoder sees of each note, computed once.

The spectrum that the encoder begins with (`autoencoder.Spectrum`) has nothing to learn, and costs more than half of a
training step on a processor. So it is computed for all notes when training starts (two minutes for 5,000 notes on two
cores, seconds on a GPU) and kept in half precision, 0.05 dB a step, 220 kB a note. Gain and equaliser are then sums in
dB, the same for what the encoder sees and for what the decoder is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.autoencoder import N_READ, QUIET_POWER_LOG, STEPS_PER_EMBEDDING, Spectrum, partial_frequency_hz
from models.control_data import ControlSet
from synth.command import progress
from synth.frames import BAND_CENTRES_HZ, EMBEDDING_HOP, FRAMES_PER_EMBEDDING, LEVEL_FLOOR_DB, N_PARTIALS

CROP_EMBEDDINGS = 16
"""Half a second: the shorter, the more notes in a batch."""
EDGE_EMBEDDINGS = 4
"""Frames nearer than 128 ms to a cut are not asked for: the encoder's stack (64 ms) and the decoder's window (64 ms)
miss sound there."""
N_KNOTS = 9
"""The random equaliser has a gain at each octave from 31 Hz to 8 kHz, and is smooth between."""


@dataclass(frozen=True)
class BatchConfig:
    """`gain_db` and `equaliser_db` are the range of the random gain and the deviation of each octave's."""

    batch_size: int = 64
    frames_per_note: int = 16
    gain_db: float = 8.0
    equaliser_db: float = 3.0
    wavenet_batch: int = 4
    wavenet_embeddings: int = 6
    seed: int = 0


@dataclass(frozen=True)
class Batch:
    """`spectrum` [B, C, 4 T], `frame` [B, M], `target` [B, M, 165], `peak_db` [B, 1, 1]; pitch, velocity, f0_hz [B].

    For the WaveNet decoder: the first W notes' `wave` [W, 512 E] at 16 kHz, which starts at embedding `wave_at` [W].
    """

    spectrum: Tensor
    frame: Tensor
    pitch: Tensor
    velocity: Tensor
    f0_hz: Tensor
    target: Tensor
    peak_db: Tensor
    wave: Tensor
    wave_at: Tensor


class Batches:
    """Batches drawn from a counter: batch `step` is the same whenever it is asked for, on whichever device."""

    def __init__(
        self,
        data: ControlSet,
        spectrum: Spectrum,
        config: BatchConfig,
        device: torch.device,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        """`rank` of `world` processes draws every `world`-th batch."""
        self.config, self.device, self.rank, self.world = config, device, rank, world
        self.n_notes = data.n_notes
        self.features = note_spectra(data, spectrum, device)  # float16 [n, 4 T, C]
        self.rows = torch.from_numpy(data.rows).to(device)
        self.wave = torch.from_numpy(data.wave).to(device)
        self.pitch, self.velocity = torch.from_numpy(data.pitch).to(device), torch.from_numpy(data.velocity).to(device)
        self.f0_hz = torch.from_numpy(data.f0_hz).to(device)
        self.inharmonicity = torch.from_numpy(data.inharmonicity).to(device)
        # max() of float16 is NaN where any is: an entry is known for a whole note or not at all.
        highest = np.array([note.max(axis=0) for note in data.rows[:, :, :-1]], dtype=np.float32)
        self.highest_db = torch.from_numpy(np.nan_to_num(highest, nan=LEVEL_FLOOR_DB)).to(device)  # [n, 164]
        self.feature_hz = spectrum.band_hz.to(device)
        self.band_hz = torch.from_numpy(BAND_CENTRES_HZ.astype(np.float32)).to(device)

    def __call__(self, step: int) -> Batch:
        rng = np.random.default_rng((self.config.seed, step * self.world + self.rank))
        config, n, m = self.config, self.config.batch_size, self.config.frames_per_note
        note_np = rng.integers(self.n_notes, size=n)
        total = self.rows.shape[1] // FRAMES_PER_EMBEDDING
        start_np = np.where(rng.random(n) < 0.4, 0, rng.integers(0, total - CROP_EMBEDDINGS + 1, size=n))
        low = np.where(start_np == 0, 0, EDGE_EMBEDDINGS)
        high = np.where(start_np + CROP_EMBEDDINGS == total, CROP_EMBEDDINGS, CROP_EMBEDDINGS - EDGE_EMBEDDINGS)
        frame_np = rng.integers(low[:, None] * FRAMES_PER_EMBEDDING, high[:, None] * FRAMES_PER_EMBEDDING, size=(n, m))
        # A quarter of the frames of crops at the onset from its first 256 ms, where most of the timbre is decided.
        early = rng.integers(0, 32, size=(n, m // 4))
        frame_np[:, : m // 4] = np.where(start_np[:, None] == 0, early, frame_np[:, : m // 4])
        n_wave, n_embeddings = min(config.wavenet_batch, n), config.wavenet_embeddings
        wave_at_np = rng.integers(low[:n_wave], high[:n_wave] - n_embeddings + 1)
        gain_db_np = rng.uniform(-config.gain_db, config.gain_db, size=n)
        knots_np = rng.standard_normal((n, N_KNOTS)) * config.equaliser_db * (rng.random((n, 1)) < 0.7)
        knots_np[:n_wave] = 0.0  # the WaveNet's notes: its sound is the recording's, with the gain alone

        note, start, frame = self._put(note_np), self._put(start_np), self._put(frame_np)
        f0_hz, inharmonicity = self.f0_hz[note], self.inharmonicity[note]
        knots = self._put((knots_np + gain_db_np[:, None]).astype(np.float32))
        seen_db, wanted_db = self._curves(knots, f0_hz, inharmonicity)
        steps = torch.arange(CROP_EMBEDDINGS * STEPS_PER_EMBEDDING, device=self.device)
        at = note[:, None] * self.features.shape[1] + start[:, None] * STEPS_PER_EMBEDDING + steps
        spectrum = self.features.flatten(0, 1)[at].float()
        spectrum = (
            torch.log1p(torch.expm1(spectrum * QUIET_POWER_LOG) * 10.0 ** (seen_db[:, None, :] / 10.0))
            / QUIET_POWER_LOG
        )
        at = note[:, None] * self.rows.shape[1] + start[:, None] * FRAMES_PER_EMBEDDING + frame
        target = self.rows.flatten(0, 1)[at].float()
        target[:, :, :-1] = (target[:, :, :-1] + wanted_db[:, None, :]).clamp(min=LEVEL_FLOOR_DB)
        peak_db = (self.highest_db[note] + wanted_db).amax(dim=1)[:, None, None]
        samples = torch.arange(n_embeddings * EMBEDDING_HOP, device=self.device)
        wave_at = self._put(wave_at_np)
        first = (start[:n_wave] + wave_at) * EMBEDDING_HOP
        wave = self.wave[note[:n_wave, None], first[:, None] + samples].float()
        wave = wave * (10.0 ** (self._put(gain_db_np[:n_wave].astype(np.float32)) / 20.0) / 32767.0)[:, None]
        return Batch(
            spectrum.transpose(1, 2),
            frame.float(),
            self.pitch[note],
            self.velocity[note],
            f0_hz,
            target,
            peak_db,
            wave,
            wave_at,
        )

    def _put(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).to(self.device, non_blocking=True)

    def _curves(self, knots_db: Tensor, f0_hz: Tensor, inharmonicity: Tensor) -> tuple[Tensor, Tensor]:
        """The equaliser at what the encoder sees [B, C] and at what the decoder is asked for [B, 164], in dB."""
        number = torch.arange(1, N_PARTIALS + 1, dtype=torch.float32, device=self.device)
        partial_hz = partial_frequency_hz(number, f0_hz, inharmonicity)  # [B, 100]
        read = torch.cat([number[:N_READ], number[:N_READ] - 0.5])
        n_notes = f0_hz.shape[0]
        bands_hz = self.feature_hz.expand(n_notes, -1)
        seen_hz = torch.cat([partial_frequency_hz(read, f0_hz, inharmonicity), bands_hz, bands_hz], dim=1)
        wanted_hz = torch.cat([partial_hz, self.band_hz.expand(n_notes, -1)], dim=1)
        return smooth_curve(knots_db, seen_hz), smooth_curve(knots_db, wanted_hz)


def smooth_curve(knots_db: Tensor, frequency_hz: Tensor) -> Tensor:
    """A gain given at the octaves 31.25 Hz, 62.5 Hz ... 8 kHz, [B, 9], read at frequencies [B, F]: dB [B, F].

    Between octaves it goes by a half cosine, outside it is constant.
    """
    at = torch.log2(frequency_hz.clamp(min=1.0) / 31.25).clamp(0.0, N_KNOTS - 1.001)
    low = at.floor()
    mix = 0.5 - 0.5 * torch.cos(torch.pi * (at - low))
    index = low.to(torch.int64)
    below, above = torch.gather(knots_db, 1, index), torch.gather(knots_db, 1, index + 1)
    return below + mix * (above - below)


def note_spectra(data: ControlSet, spectrum: Spectrum, device: torch.device, batch_size: int = 16) -> Tensor:
    """What the encoder sees of each note, whole: float16 [n, 4 T, C] on `device`."""
    n_steps = data.wave.shape[1] // EMBEDDING_HOP * STEPS_PER_EMBEDDING
    features = torch.empty((data.n_notes, n_steps, spectrum.n_features), dtype=torch.float16, device=device)
    spectrum = spectrum.to(device)
    with torch.no_grad():
        for begin in progress(range(0, data.n_notes, batch_size), description="listening", unit="batch"):
            part = slice(begin, begin + batch_size)
            wave = torch.from_numpy(data.wave[part].astype(np.float32) / 32767.0).to(device)
            f0_hz, inharmonicity = torch.from_numpy(data.f0_hz[part]), torch.from_numpy(data.inharmonicity[part])
            features[part] = spectrum(wave, f0_hz.to(device), inharmonicity.to(device)).transpose(1, 2).half()
    return features
