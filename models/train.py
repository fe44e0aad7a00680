"""Train the autoencoder: both decoders at once, resumable, within a budget, on a processor or on GPUs.

The first loss is the mean absolute error in dB over what can be heard (within 80 dB of the note's peak), so the number
in the log is the number that `tetrad model evaluate` reports; the second is the WaveNet decoder's cross-entropy.

    torchrun --nproc-per-node 4 -m synth.cli model train DATA ...     several GPUs, one process each
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from models import control_data
from models.augmented_set import with_augmented
from models.autoencoder import CONFIGS, Autoencoder, AutoencoderConfig
from models.batches import Batch, BatchConfig, Batches
from models.checkpoint import load_checkpoint, save_checkpoint
from models.dataset.reader import DATA_HELP, DEFAULT_DIRECTORY, NoteSet
from models.hardware import Hardware, out_of_memory_in_words
from models.losses import Adversary, active_error_db
from models.mu_law import scale
from models.training_log import TrainingLog
from synth.command import progress
from synth.errors import TetradError
from synth.paths import pretrained_dir

N_HELD_OUT = 96
"""Held-out notes that the log follows, every 500 steps."""
SAVE_EVERY_S = 55.0
LOG_EVERY, HELD_OUT_EVERY = 50, 500


@dataclass(frozen=True)
class TrainConfig:
    """`learning_rate` warms up and falls to a fiftieth along a cosine over the budget.

    `z_noise` is relative to z's standard deviation. The WaveNet's loss is taken every `wavenet_every`-th step (0:
    never) with the weight `wavenet_weight`, dB against nats; the adversary's gradient reaches z times
    `adversary_weight`.
    """

    batch: BatchConfig = field(default_factory=BatchConfig)
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    ema_decay: float = 0.998
    z_noise: float = 0.05
    wavenet_every: int = 4
    wavenet_weight: float = 0.3
    adversary_weight: float = 0.0


class JointLoss(nn.Module):
    """Everything that is trained, as one module whose `forward` is the loss: what DistributedDataParallel wraps."""

    def __init__(self, model: Autoencoder, config: TrainConfig) -> None:
        super().__init__()
        self.model, self.config = model, config
        self.adversary = Adversary() if config.adversary_weight > 0.0 else None

    def forward(self, batch: Batch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """-> the loss, and what the log shows: `active_frame_error_db`, `wavenet_nats`, `adversary_octaves`."""
        config, model = self.config, self.model
        z = model.encoder.embed(batch.spectrum, batch.f0_hz)
        # z is kept near unit scale, so that half-precision storage and equal noise mean the same in every dimension.
        loss = 0.01 * (z**2).mean()
        if self.adversary is not None:
            guess = self.adversary(z, batch.pitch, config.adversary_weight)
            loss = loss + guess
        if config.z_noise > 0.0:
            generator = torch.Generator(device=z.device).manual_seed(step)
            z = z + config.z_noise * z.detach().std() * torch.randn(z.shape, generator=generator, device=z.device)
        with torch.autocast(z.device.type, enabled=False):
            rows = model.decode(z.float(), batch.frame, batch.pitch, batch.velocity)
            error, frame_loss = active_error_db(rows, batch.target, batch.peak_db)
        loss = loss + frame_loss
        shown = {"active_frame_error_db": error.detach()}
        if self.adversary is not None:
            shown["adversary_octaves"] = guess.detach()
        if config.wavenet_every and step % config.wavenet_every == 0:
            nats = self._wavenet_nats(z, batch)
            loss = loss + config.wavenet_weight * nats
            shown["wavenet_nats"] = nats.detach()
        return loss, shown

    def _wavenet_nats(self, z: Tensor, batch: Batch) -> Tensor:
        n, n_embeddings = batch.wave.shape[0], batch.wave.shape[1] // self.model.wavenet.config.hop
        at = batch.wave_at[:, None] + torch.arange(n_embeddings, device=z.device)
        z = torch.gather(z[:n], 1, at[..., None].expand(-1, -1, z.shape[2]))
        conditioning = self.model.wavenet_conditioning(z, batch.pitch[:n], batch.velocity[:n])
        return self.model.wavenet.loss(scale(batch.wave), conditioning)


@dataclass
class Training:
    """A run: everything that a checkpoint must hold so that it goes on as if never stopped."""

    joint: JointLoss
    ema: Autoencoder
    optimizer: torch.optim.Optimizer
    step: int
    seconds: float

    @property
    def model(self) -> Autoencoder:
        return self.joint.model

    @staticmethod
    def start(config: AutoencoderConfig, train: TrainConfig, device: torch.device | None = None) -> Training:
        torch.manual_seed(train.batch.seed)
        joint = JointLoss(Autoencoder(config), train).to(device)
        ema = Autoencoder(config).to(device)
        ema.load_state_dict(joint.model.state_dict())
        trained = [p for p in joint.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(
            trained, lr=train.learning_rate, weight_decay=train.weight_decay, betas=(0.9, 0.98)
        )
        return Training(joint, ema, optimizer, 0, 0.0)

    @property
    def trained_names(self) -> list[str]:
        """Names of the optimizer's parameters, in its order."""
        return [name for name, p in self.joint.named_parameters() if p.requires_grad]


def learning_rate(done: float, config: TrainConfig) -> float:
    """Warm-up over the first hundredth of the budget, then a cosine down to a fiftieth. `done` is 0..1."""
    warm = min(done / 0.01, 1.0)
    return config.learning_rate * warm * (0.02 + 0.98 * 0.5 * (1.0 + float(np.cos(np.pi * min(done, 1.0)))))


def train_step(run: Training, batch: Batch, rate: float, joint: nn.Module | None = None) -> dict[str, float]:
    """One step of AdamW with clipped gradients; returns what the log shows. `joint` is `run.joint`, wrapped or not."""
    for group in run.optimizer.param_groups:
        group["lr"] = rate
    loss, shown = (joint or run.joint)(batch, run.step)
    if not torch.isfinite(loss):
        raise TetradError(f"the loss is {loss.item()} at step {run.step}; expected a number; lower --learning-rate")
    run.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_([p for p in run.joint.parameters() if p.requires_grad], 5.0)
    run.optimizer.step()
    decay = min(run.joint.config.ema_decay, (run.step + 1) / (run.step + 10))
    with torch.no_grad():
        for slow, fast in zip(run.ema.parameters(), run.model.parameters(), strict=True):
            slow.lerp_(fast, 1.0 - decay)
    run.step += 1
    return {"loss": loss.item()} | {name: value.item() for name, value in shown.items()}


@dataclass(frozen=True)
class Budget:
    """How long to train in all, over any number of sessions: minutes, or steps, which make runs repeatable."""

    minutes: float | None
    steps: int | None

    def done(self, run: Training) -> float:
        """The share that is spent, 0..1 and over."""
        if self.steps is not None:
            return run.step / self.steps
        assert self.minutes is not None
        return run.seconds / (60.0 * self.minutes)


def train(
    directory: Path,
    out: Path,
    config: AutoencoderConfig,
    train_config: TrainConfig,
    budget: Budget,
    hardware: Hardware,
    *,
    fresh: bool = False,
    tensorboard: bool = False,
    skip_broken: bool = False,
    augmented_share: float = 0.0,
) -> Training:
    """Train until the budget is spent.

    Writes `out` (a checkpoint, safetensors) about once a minute and at the end, and beside it `out` with suffix `.csv`
    (the log) and `.png` (its curves).
    """
    note_set = NoteSet.open(directory)
    if hardware.is_first:
        for line in control_data.prepare(note_set, hardware.jobs, skip_broken=skip_broken):
            print(line, file=sys.stderr)
    hardware.wait_for_all()
    torch.set_num_threads(hardware.jobs)
    run = Training.start(config, train_config, hardware.device)
    if out.exists() and not fresh:
        load_checkpoint(out, run)
    data = control_data.load(directory, note_set.instruments(split="train"))
    data = with_augmented(data, augmented_share, train_config.batch.seed)
    held_out = control_data.load(directory, note_set.instruments(split="held_out")).spread(N_HELD_OUT)
    held_out_frames = torch.arange(0.0, held_out.rows.shape[1], 4.0)
    with out_of_memory_in_words(train_config.batch.batch_size):
        spectrum = run.model.encoder.spectrum
        batches = Batches(data, spectrum, train_config.batch, hardware.device, hardware.rank, hardware.world)
        joint: nn.Module = run.joint
        if hardware.world > 1:
            rarely = train_config.wavenet_every != 1
            joint = DistributedDataParallel(run.joint, find_unused_parameters=rarely, broadcast_buffers=False)
        log = TrainingLog(out, append=run.step > 0, tensorboard=tensorboard) if hardware.is_first else None
        bar = progress(range(1000), description="training", unit="‰")
        last_save = run.seconds
        while budget.done(run) < 1.0:
            began = time.monotonic()
            rate = learning_rate(budget.done(run), train_config)
            with hardware.autocast():
                shown = train_step(run, batches(run.step), rate, joint)
            run.seconds = hardware.agree(run.seconds + time.monotonic() - began)
            bar.n = min(round(1000 * budget.done(run)), 1000)
            bar.set_postfix(step=run.step, error_db=f"{shown['active_frame_error_db']:.2f}")
            if log is not None:
                log.add(shown | {"learning_rate": rate})
                if run.step % LOG_EVERY == 0:
                    held_out_db = (
                        frame_error_db(run.ema, held_out, held_out_frames) if run.step % HELD_OUT_EVERY == 0 else None
                    )
                    log.write(run.step, run.seconds, held_out_db)
                if run.seconds - last_save > SAVE_EVERY_S:
                    save_checkpoint(out, run)
                    last_save = run.seconds
    if log is not None:
        save_checkpoint(out, run)
        log.write(run.step, run.seconds, frame_error_db(run.ema, held_out, held_out_frames))
        log.close()
    bar.close()
    return run


def frame_error_db(model: Autoencoder, data: control_data.ControlSet, frame: Tensor, batch_size: int = 16) -> float:
    """Mean active-frame error in dB of some notes at control frames [M]."""
    device = next(model.parameters()).device
    errors = []
    with torch.no_grad():
        for begin in range(0, data.n_notes, batch_size):
            part = slice(begin, begin + batch_size)
            target = torch.from_numpy(data.rows[part][:, frame.long().numpy()].astype(np.float32)).to(device)
            rows = decode_frames(model, data, part, frame)
            peak = target[..., :-1].nan_to_num(-120.0).amax(dim=(1, 2), keepdim=True)
            notes = zip(rows.split(1), target.split(1), peak.split(1), strict=True)
            errors += [active_error_db(*note)[0].item() for note in notes]
    return float(np.mean(errors))


def encode_notes(model: Autoencoder, data: control_data.ControlSet, part: slice) -> Tensor:
    """z of some whole notes, [B, T, 16], on the model's device."""
    device = next(model.parameters()).device
    wave = torch.from_numpy(data.wave[part].astype(np.float32) / 32767.0)
    f0_hz, inharmonicity = torch.from_numpy(data.f0_hz[part]), torch.from_numpy(data.inharmonicity[part])
    z: Tensor = model.encoder(wave.to(device), f0_hz.to(device), inharmonicity.to(device))
    return z


def decode_frames(model: Autoencoder, data: control_data.ControlSet, part: slice, frame: Tensor) -> Tensor:
    """Encode some notes and decode them at control frames [M]: rows [B, M, 165], on the model's device."""
    z = encode_notes(model, data, part)
    pitch, velocity = (torch.from_numpy(a[part]).to(z.device) for a in (data.pitch, data.velocity))
    return model.decode(z, frame.to(z.device).expand(z.shape[0], -1), pitch, velocity)


class TrainCommand:
    """`tetrad model train`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        default, batch = TrainConfig(), BatchConfig()
        parser.add_argument("data", type=Path, nargs="?", default=DEFAULT_DIRECTORY, help=DATA_HELP)
        parser.add_argument("--out", type=Path, default=pretrained_dir() / "checkpoint.safetensors")
        parser.add_argument("--config", choices=sorted(CONFIGS), default="small")
        parser.add_argument("--minutes", type=float, default=90.0, help="training time in all (default %(default)s)")
        parser.add_argument("--steps", type=int, help="train this many steps in all, instead of --minutes")
        parser.add_argument(
            "--batch-size", type=int, default=batch.batch_size, help="notes a step (default %(default)s)"
        )
        parser.add_argument("--learning-rate", type=float, default=default.learning_rate)
        parser.add_argument("--z-noise", type=float, default=default.z_noise, help="of z's deviation (%(default)s)")
        parser.add_argument(
            "--equaliser-db", type=float, default=batch.equaliser_db, help="random (default %(default)s)"
        )
        parser.add_argument(
            "--wavenet-every",
            type=int,
            default=default.wavenet_every,
            help="steps; 0: without it (default %(default)s)",
        )
        parser.add_argument("--wavenet-weight", type=float, default=default.wavenet_weight, help="default %(default)s")
        parser.add_argument(
            "--wavenet-batch", type=int, default=batch.wavenet_batch, help="crops (default %(default)s)"
        )
        parser.add_argument(
            "--adversary", type=float, default=0.0, help="weight against pitch in z (default %(default)s)"
        )
        parser.add_argument(
            "--augmented", type=float, default=0.0, help="share of notes that get an augmented copy, 0..1"
        )
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--jobs", type=int, default=2, help="processor cores to use (default %(default)s)")
        parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
        parser.add_argument("--fresh", action="store_true", help="begin anew instead of going on from --out")
        parser.add_argument(
            "--skip-broken", action="store_true", help="pass over notes that can't be read, and name them"
        )
        parser.add_argument("--tensorboard", action="store_true", help="write event files beside --out, too")

    def run(self, args: argparse.Namespace) -> int:
        batch = BatchConfig(
            batch_size=args.batch_size, equaliser_db=args.equaliser_db, wavenet_batch=args.wavenet_batch, seed=args.seed
        )
        config = TrainConfig(
            batch=batch,
            learning_rate=args.learning_rate,
            z_noise=args.z_noise,
            wavenet_every=args.wavenet_every,
            wavenet_weight=args.wavenet_weight,
            adversary_weight=args.adversary,
        )
        budget = Budget(None if args.steps is not None else args.minutes, args.steps)
        with Hardware.find(args.device, args.jobs) as hardware:
            run = train(
                args.data, args.out, CONFIGS[args.config], config, budget, hardware,
                fresh=args.fresh, tensorboard=args.tensorboard,
                skip_broken=args.skip_broken,
                augmented_share=args.augmented,
            )  # fmt: skip
            if hardware.is_first:
                print(
                    json.dumps({"checkpoint": str(args.out), "step": run.step, "minutes": round(run.seconds / 60.0, 2)})
                )
        return 0
