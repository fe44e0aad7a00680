"""Train the classifier that judges reconstructions, on recordings alone: minutes on one core, nothing to download.

What it learns from is never what it judges: recordings of training instruments here, recordings and reconstructions of
held-out instruments there. A reconstruction is never trained on. Each time a note is heard it is a little different
(moved in key and time, coloured, covered with noise), or 3,700 notes would be learned by heart.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models import control_data
from models.classifier.features import BINS_PER_SEMITONE, LOWEST_PITCH, N_BINS, N_PITCHES, RANGE_DB
from models.classifier.network import Classifier, ClassifierConfig, levels_of
from models.classifier.notes import LabelledNotes, Truth, labelled_notes
from models.classifier.weights import save_classifier
from models.dataset.reader import DATA_HELP, DEFAULT_DIRECTORY, NoteSet
from synth.command import add_json_argument, print_report, progress_bar
from synth.errors import TetradError

DEFAULT_WEIGHTS = Path("data/classifier.safetensors")
"""Beside the note set of `make data`: a recipe's product, not part of the repository."""
SAVE_EVERY_S = 60.0


@dataclass(frozen=True)
class ClassifierTraining:
    """`learning_rate` falls to zero along a cosine over the budget.

    Augmentation, drawn anew for each note of each batch: `shift_semitones` at most up or down, `shift_frames` late at
    most (32 ms each), `colour_db` standard deviation of a curve with one knot in two octaves, and noise, the same in
    every bin, between `noise_db` below the loudest moment (20 dB more is as likely as 0 dB more).
    """

    batch_size: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 2e-2
    ema_decay: float = 0.998
    label_smoothing: float = 0.1
    shift_semitones: int = 3
    shift_frames: int = 2
    colour_db: float = 3.0
    noise_db: float = -80.0
    seed: int = 0


@dataclass
class Progress:
    """How far a run came: steps of `batch_size` notes and seconds of training, and its recent loss."""

    step: int = 0
    seconds: float = 0.0
    loss: float = float("nan")


class Batches:
    """Random notes, changed a little, drawn from a counter: batch `step` is the same whenever it is asked for."""

    def __init__(self, notes: LabelledNotes, config: ClassifierTraining) -> None:
        self.notes, self.config = notes, config

    def __call__(self, step: int) -> tuple[Tensor, Truth]:
        """-> levels float [B, 125, 294] and their truth; a note that was moved in key has moved in pitch."""
        config, rng = self.config, np.random.default_rng((self.config.seed, step))
        index = rng.integers(self.notes.n_notes, size=config.batch_size)
        truth = self.notes.truth
        semitones = rng.integers(-config.shift_semitones, config.shift_semitones + 1, size=index.size)
        semitones = (
            np.clip(truth.pitch[index] + semitones, LOWEST_PITCH, LOWEST_PITCH + N_PITCHES - 1) - truth.pitch[index]
        )
        frames = rng.integers(config.shift_frames + 1, size=index.size)
        knots_db = config.colour_db * rng.standard_normal((index.size, 6))
        noise_db = config.noise_db + rng.uniform(0.0, 20.0, size=index.size)
        levels = levels_of(torch.from_numpy(self.notes.features[index])).numpy()
        place = np.linspace(0.0, 5.0, N_BINS)
        changed = np.zeros_like(levels)
        for i, (moved, late) in enumerate(zip(semitones * BINS_PER_SEMITONE, frames, strict=True)):
            source = levels[i, : levels.shape[1] - late, max(0, -moved) : N_BINS - max(0, moved)]
            curve_db = np.interp(place, np.arange(6), knots_db[i]).astype(np.float32)
            heard = changed[i, late:, max(0, moved) : N_BINS - max(0, -moved)]
            colour = curve_db[max(0, moved) : N_BINS - max(0, -moved)] / RANGE_DB
            heard[:] = np.where(source > 0.0, source + colour, 0.0)
        # Noise hides what is quieter. (Adding the powers differs by 3 dB at most, and takes as long as the training.)
        floor = ((noise_db + RANGE_DB) / RANGE_DB).astype(np.float32)[:, None, None]
        changed += 1.0 - changed.max(axis=(1, 2), keepdims=True)
        np.maximum(changed, floor, out=changed)
        moved_truth = Truth(truth.pitch[index] + semitones, truth.family[index], truth.quality[index])
        return torch.from_numpy(changed), moved_truth


def loss_of(model: Classifier, levels: Tensor, truth: Truth, label_smoothing: float) -> Tensor:
    """Sum of the cross entropies of pitch, family and the mean of the qualities, in nats."""
    scores = model(levels)
    pitch, family = torch.from_numpy(truth.pitch - LOWEST_PITCH), torch.from_numpy(truth.family)
    quality = torch.from_numpy(truth.quality.astype(np.float32))
    return (
        functional.cross_entropy(scores.pitch, pitch)
        + functional.cross_entropy(scores.family, family, label_smoothing=label_smoothing)
        + functional.binary_cross_entropy_with_logits(scores.quality, quality)
    )


class ClassifierRun:
    """A training run: `model` learns, `ema`, its running average, is what counts. The same seed, the same weights."""

    def __init__(self, notes: LabelledNotes, config: ClassifierTraining, network: ClassifierConfig) -> None:
        torch.manual_seed(config.seed)  # initial weights and dropout
        self.config, self.batches, self.done = config, Batches(notes, config), Progress()
        self.model, self.ema = Classifier(network), Classifier(network)
        self.ema.load_state_dict(self.model.state_dict())
        self.ema.eval()
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )

    def step(self, share: float) -> None:
        """One batch; `share` 0..1 of the budget is spent."""
        config, done = self.config, self.done
        rate = config.learning_rate * min(1.0, (done.step + 1) / 50) * 0.5 * (1.0 + float(np.cos(np.pi * share)))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.model.train()
        loss = loss_of(self.model, *self.batches(done.step), config.label_smoothing)
        if not torch.isfinite(loss):
            raise TetradError(f"the loss is {loss.item()} at step {done.step}; expected a number; use another --seed")
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        done.step += 1
        decay = min(config.ema_decay, done.step / (done.step + 10))
        with torch.no_grad():
            for slow, fast in zip(self.ema.state_dict().values(), self.model.state_dict().values(), strict=True):
                if slow.is_floating_point():
                    slow.lerp_(fast, 1.0 - decay)
        done.loss = loss.item() if done.step == 1 else 0.98 * done.loss + 0.02 * loss.item()


def train_classifier(
    note_set: NoteSet, out: Path, minutes: float, steps: int | None = None, config: ClassifierTraining | None = None
) -> ClassifierRun:
    """Train for `minutes`, or for exactly `steps`, which gives the same weights on every run of a machine.

    Writes `out` (safetensors) once a minute, at the end and when interrupted: then it holds what was learned so far.
    """
    control_data.prepare(note_set)
    run = ClassifierRun(labelled_notes(note_set, "train"), config or ClassifierTraining(), ClassifierConfig())
    total = float(steps) if steps is not None else minutes * 60.0
    saved_s = 0.0
    with progress_bar(total, description="training", unit="steps" if steps is not None else "s") as bar:
        try:
            while (spent := float(run.done.step) if steps is not None else run.done.seconds) < total:
                began = time.monotonic()
                run.step(spent / total)
                run.done.seconds += time.monotonic() - began
                bar.update((run.done.step if steps is not None else min(run.done.seconds, total)) - bar.n)
                bar.set_postfix(loss=f"{run.done.loss:.3f}")
                if run.done.seconds - saved_s > SAVE_EVERY_S:
                    save_classifier(out, run)
                    saved_s = run.done.seconds
        finally:
            if run.done.step:
                save_classifier(out, run)
    return run


class TrainClassifierCommand:
    """`tetrad model train-classifier`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("data", type=Path, nargs="?", default=DEFAULT_DIRECTORY, help=DATA_HELP)
        parser.add_argument("--out", type=Path, default=DEFAULT_WEIGHTS, help="weights (default %(default)s)")
        parser.add_argument("--minutes", type=float, default=8.0, help="training time (default %(default)s)")
        parser.add_argument("--steps", type=int, help="so many steps instead: repeatable, where minutes are not")
        parser.add_argument("--seed", type=int, default=0)
        add_json_argument(parser)

    def run(self, args: argparse.Namespace) -> int:
        config = ClassifierTraining(seed=args.seed)
        done = train_classifier(NoteSet.open(args.data), args.out, args.minutes, args.steps, config).done
        report = {
            "classifier": args.out,
            "step": done.step,
            "minutes": round(done.seconds / 60.0, 2),
            "loss": done.loss,
        }
        print_report(report, as_json=args.json)
        return 0
