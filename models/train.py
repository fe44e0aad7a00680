"""Train the autoencoder on measured control frames: resumable, within a time budget, with a log that can be plotted.

The loss is the mean absolute error in dB over what can be heard (within 80 dB of the note's peak), so the number in the
log is the number that `tetrad model evaluate` reports. Levels further down are only asked to stay down there.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models import control_data
from models.autoencoder import CONFIGS, Autoencoder, AutoencoderConfig
from models.checkpoint import load_checkpoint, save_checkpoint
from models.dataset.reader import DATA_HELP, DEFAULT_DIRECTORY, NoteSet
from synth.command import progress
from synth.errors import TetradError
from synth.frames import EMBEDDING_HOP, FRAMES_PER_EMBEDDING, N_PARTIALS
from synth.paths import pretrained_dir

ACTIVE_RANGE_DB = 80.0
CROP_EMBEDDINGS = 64
"""2 s: half of a note, so that a batch holds twice as many notes."""
EDGE_EMBEDDINGS = 8
"""Frames nearer than 256 ms to a cut are not asked for: the encoder's receptive field (0.28 s) misses sound there."""
DEVIATION_WEIGHT = 0.1
N_HELD_OUT = 48
"""Held-out notes that the log follows, 2 s every 500 steps."""


@dataclass(frozen=True)
class TrainConfig:
    """`learning_rate` falls to a twentieth along a cosine over the budget; `gain_db` is the range of random gain."""

    batch_size: int = 16
    frames_per_note: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    ema_decay: float = 0.999
    z_noise: float = 0.05
    gain_db: float = 8.0
    seed: int = 0


def active_error_db(rows: Tensor, target: Tensor, peak_db: Tensor) -> tuple[Tensor, Tensor]:
    """Mean absolute level error in dB over entries within 80 dB of the note's peak, and the loss to descend.

    `rows`, `target` [B, M, 165], `peak_db` [B, 1, 1]. The loss adds what quiet entries exceed the 80 dB by, and the
    deviation in cents.
    """
    floor = peak_db - ACTIVE_RANGE_DB
    level, wanted = rows[..., :-1], target[..., :-1]
    active = (wanted > floor).float()
    n_active = active.sum().clamp(min=1.0)
    error = ((level - wanted).abs() * active).sum() / n_active
    excess = (torch.relu(level - floor) * (1.0 - active)).sum() / n_active
    sounding = active[..., :N_PARTIALS].amax(dim=-1)
    bend = ((rows[..., -1] - target[..., -1]).abs() * sounding).mean()
    return error, error + 0.5 * excess + DEVIATION_WEIGHT * bend


class Batches:
    """Random crops of random notes, drawn from a counter: batch `step` is the same whenever it is asked for."""

    def __init__(self, data: control_data.ControlSet, config: TrainConfig) -> None:
        self.data, self.config = data, config
        levels = data.rows[:, :, :-1]
        self.peak_db = np.array([float(note.max()) for note in levels], dtype=np.float32)

    def __call__(self, step: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        """-> wave [B, N], frame [B, M], pitch [B], velocity [B], target [B, M, 165], peak_db [B, 1, 1]."""
        rng = np.random.default_rng((self.config.seed, step))
        data, n, m = self.data, self.config.batch_size, self.config.frames_per_note
        note = rng.integers(data.n_notes, size=n)
        total = data.wave.shape[1] // EMBEDDING_HOP
        start = np.where(rng.random(n) < 0.5, 0, rng.integers(0, total - CROP_EMBEDDINGS + 1, size=n))
        wave = np.empty((n, CROP_EMBEDDINGS * EMBEDDING_HOP), dtype=np.float32)
        target = np.empty((n, m, data.rows.shape[2]), dtype=np.float32)
        frame = np.empty((n, m), dtype=np.float32)
        gain_db = rng.uniform(-self.config.gain_db, self.config.gain_db, size=n).astype(np.float32)
        for i in range(n):
            low = 0 if start[i] == 0 else EDGE_EMBEDDINGS
            at_end = start[i] + CROP_EMBEDDINGS == total
            high = CROP_EMBEDDINGS if at_end else CROP_EMBEDDINGS - EDGE_EMBEDDINGS
            inside = rng.integers(low * FRAMES_PER_EMBEDDING, high * FRAMES_PER_EMBEDDING, size=m)
            if start[i] == 0:  # a quarter of these frames from the first 256 ms, where most of the timbre is decided
                inside[: m // 4] = rng.integers(0, 32, size=m // 4)
            first = start[i] * EMBEDDING_HOP
            wave[i] = data.wave[note[i], first : first + wave.shape[1]]
            target[i] = data.rows[note[i], inside + start[i] * FRAMES_PER_EMBEDDING]
            frame[i] = inside
        wave *= (10.0 ** (gain_db / 20.0) / 32767.0)[:, None]
        target[:, :, :-1] = np.maximum(target[:, :, :-1] + gain_db[:, None, None], -120.0)
        peak = self.peak_db[note] + gain_db
        arrays = (wave, frame, data.pitch[note], data.velocity[note], target, peak[:, None, None])
        wave_t, frame_t, pitch_t, velocity_t, target_t, peak_t = (torch.from_numpy(a) for a in arrays)
        return wave_t, frame_t, pitch_t, velocity_t, target_t, peak_t


@dataclass
class Training:
    """A run: everything that a checkpoint must hold so that it goes on as if never stopped."""

    model: Autoencoder
    ema: Autoencoder
    optimizer: torch.optim.Optimizer
    step: int
    seconds: float

    @staticmethod
    def start(config: AutoencoderConfig, train: TrainConfig) -> Training:
        torch.manual_seed(train.seed)
        model = Autoencoder(config)
        ema = Autoencoder(config)
        ema.load_state_dict(model.state_dict())
        optimizer = torch.optim.AdamW(
            model.parameters(), lr=train.learning_rate, weight_decay=train.weight_decay, betas=(0.9, 0.98)
        )
        return Training(model, ema, optimizer, 0, 0.0)


def learning_rate(done: float, config: TrainConfig) -> float:
    """Warm-up over the first hundredth of the budget, then a cosine down to a twentieth. `done` is 0..1."""
    warm = min(done / 0.01, 1.0)
    return config.learning_rate * warm * (0.05 + 0.95 * 0.5 * (1.0 + float(np.cos(np.pi * min(done, 1.0)))))


def train_step(run: Training, batch: tuple[Tensor, ...], rate: float, config: TrainConfig) -> tuple[float, float]:
    """One step of AdamW with clipped gradients; returns (active-frame error in dB, loss)."""
    wave, frame, pitch, velocity, target, peak_db = batch
    for group in run.optimizer.param_groups:
        group["lr"] = rate
    z = run.model.encoder(wave)
    if config.z_noise > 0.0:
        noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(run.step))
        z = z + config.z_noise * z.detach().std() * noise
    rows = run.model.decode(z, frame, pitch, velocity)
    error, loss = active_error_db(rows, target, peak_db)
    # z is kept near unit scale, so that half-precision storage and equal noise mean the same in every dimension.
    loss = loss + 0.01 * (z**2).mean()
    if not torch.isfinite(loss):
        raise TetradError(f"the loss is {loss.item()} at step {run.step}; expected a number; lower --learning-rate")
    run.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(run.model.parameters(), 5.0)
    run.optimizer.step()
    decay = min(config.ema_decay, (run.step + 1) / (run.step + 10))
    with torch.no_grad():
        for slow, fast in zip(run.ema.parameters(), run.model.parameters(), strict=True):
            slow.lerp_(fast, 1.0 - decay)
    run.step += 1
    return error.item(), loss.item()


def train(
    directory: Path,
    out: Path,
    config: AutoencoderConfig,
    train_config: TrainConfig,
    minutes: float,
    jobs: int,
    fresh: bool,
) -> Training:
    """Train until `minutes` of training have been spent in all, over any number of sessions.

    Writes `out` (a checkpoint, safetensors) once a minute and at the end, and `out` with suffix `.csv`: the log.
    """
    note_set = NoteSet.open(directory)
    control_data.prepare(note_set, jobs)
    data = control_data.load(directory, note_set.instruments(split="train"))
    batches = Batches(data, train_config)
    run = Training.start(config, train_config)
    log_path = out.with_suffix(".csv")
    if out.exists() and not fresh:
        load_checkpoint(out, run)
    elif log_path.exists():
        log_path.unlink()
    budget_s = minutes * 60.0
    torch.set_num_threads(jobs)
    bar = progress(range(round(budget_s)), description="training", unit="s")
    bar.update(round(run.seconds))
    last_save = run.seconds
    errors: list[float] = []
    losses: list[float] = []
    held_out = control_data.load(directory, note_set.instruments(split="held_out")).spread(N_HELD_OUT)
    while run.seconds < budget_s:
        began = time.monotonic()
        rate = learning_rate(run.seconds / budget_s, train_config)
        error, loss = train_step(run, batches(run.step), rate, train_config)
        run.seconds += time.monotonic() - began
        errors.append(error)
        losses.append(loss)
        bar.n = min(round(run.seconds), bar.total)
        bar.set_postfix(step=run.step, error_db=f"{np.mean(errors[-50:]):.2f}")
        if run.step % 50 == 0:
            row = [float(np.mean(errors)), float(np.mean(losses)), rate]
            _log(log_path, run, row, held_out_error_db(run.ema, held_out) if run.step % 500 == 0 else None)
            errors, losses = [], []
        if run.seconds - last_save > 60.0:
            save_checkpoint(out, run)
            last_save = run.seconds
    save_checkpoint(out, run)
    bar.close()
    return run


def held_out_error_db(model: Autoencoder, data: control_data.ControlSet) -> float:
    """Active-frame error of the averaged weights on every fourth frame of some held-out notes."""
    frame = torch.arange(0, data.rows.shape[1], 4)
    target = torch.from_numpy(data.rows[:, frame.numpy()].astype(np.float32))
    wave = torch.from_numpy(data.wave.astype(np.float32) / 32767.0)
    with torch.no_grad():
        positions = frame.float().expand(data.n_notes, -1)
        rows = model(wave, positions, torch.from_numpy(data.pitch), torch.from_numpy(data.velocity))
        peak = target[..., :-1].amax(dim=(1, 2), keepdim=True)
        return float(np.mean([active_error_db(rows[i], target[i], peak[i])[0].item() for i in range(data.n_notes)]))


def _log(path: Path, run: Training, row: list[float], held_out_db: float | None) -> None:
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(["step", "seconds", "active_frame_error_db", "loss", "learning_rate", "held_out_error_db"])
        held_out = "" if held_out_db is None else f"{held_out_db:.4f}"
        writer.writerow([run.step, f"{run.seconds:.1f}", *(f"{value:.6g}" for value in row), held_out])


class TrainCommand:
    """`tetrad model train`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("data", type=Path, nargs="?", default=DEFAULT_DIRECTORY, help=DATA_HELP)
        parser.add_argument("--out", type=Path, default=pretrained_dir() / "checkpoint.safetensors")
        parser.add_argument("--config", choices=sorted(CONFIGS), default="small")
        parser.add_argument("--minutes", type=float, default=90.0, help="training time in all (default %(default)s)")
        parser.add_argument("--batch-size", type=int, default=TrainConfig.batch_size)
        parser.add_argument("--learning-rate", type=float, default=TrainConfig.learning_rate)
        parser.add_argument("--jobs", type=int, default=2, help="processor cores to use (default %(default)s)")
        parser.add_argument("--fresh", action="store_true", help="begin anew instead of going on from --out")

    def run(self, args: argparse.Namespace) -> int:
        train_config = TrainConfig(batch_size=args.batch_size, learning_rate=args.learning_rate)
        run = train(args.data, args.out, CONFIGS[args.config], train_config, args.minutes, args.jobs, args.fresh)
        print(json.dumps({"checkpoint": str(args.out), "step": run.step, "minutes": round(run.seconds / 60.0, 2)}))
        return 0
