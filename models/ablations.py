"""what each part of the training is worth: short runs that differ in one thing, measured alike

Besides the errors it measures what decides how a morph sounds. *Pitch in z*: how much of the pitch a linear regression
from z tells (R squared, fitted on training notes, of held-out ones). *Bend*: half-way between two notes of one key,
how far the decoded levels are from the mean of the two ends' in dB, as a share of the ends' distance; 0 is a straight
line, and a large bend is an uneven swipe.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models import control_data
from models.autoencoder import CONFIGS, Autoencoder
from models.batches import BatchConfig, Batches
from models.control_data import ControlSet
from models.dataset.reader import DATA_HELP, DEFAULT_DIRECTORY, NoteSet
from models.train import TrainConfig, Training, encode_notes, frame_error_db, learning_rate, train_step
from synth.command import add_json_argument, print_report, progress
from synth.frames import N_BANDS, N_PARTIALS

BASE = TrainConfig(batch=BatchConfig(wavenet_batch=2), wavenet_every=8)
VARIANTS = {
    "base": BASE,
    "without the WaveNet's loss": replace(BASE, wavenet_every=0),
    "without noise on z": replace(BASE, z_noise=0.0),
    "four times the noise on z": replace(BASE, z_noise=0.2),
    "with the adversary": replace(BASE, adversary_weight=0.2),
    "without the equaliser": replace(BASE, batch=replace(BASE.batch, equaliser_db=0.0)),
}
MEASURED_FRAMES = torch.arange(10.0, 490.0, 12.0)


def ablate(data: ControlSet, held_out: ControlSet, config: str, n_steps: int) -> dict[str, dict[str, float]]:
    """Train each variant for `n_steps` and measure it; about 0.25 s a step on one core."""
    results = {}
    spectrum = Autoencoder(CONFIGS[config]).encoder.spectrum
    batches = Batches(data, spectrum, BASE.batch, torch.device("cpu"))
    for name, variant in VARIANTS.items():
        batches.config = variant.batch
        run = Training.start(CONFIGS[config], variant)
        nats = []
        for _ in progress(range(n_steps), description=name, unit="step"):
            shown = train_step(run, batches(run.step), learning_rate(run.step / n_steps, variant))
            if "wavenet_nats" in shown:
                nats.append(shown["wavenet_nats"])
        results[name] = {
            "train_error_db": frame_error_db(run.ema, data.spread(held_out.n_notes), MEASURED_FRAMES),
            "held_out_error_db": frame_error_db(run.ema, held_out, MEASURED_FRAMES),
            "wavenet_nats": float(np.mean(nats[-20:])) if nats else float("nan"),
            "pitch_in_z": pitch_in_z(run.ema, data.spread(4 * held_out.n_notes), held_out),
            "bend": bend(run.ema, held_out),
        }
    return results


def pitch_in_z(model: Autoencoder, data: ControlSet, held_out: ControlSet) -> float:
    """R squared of a linear regression from a note's mean embedding to its pitch, on notes it was not fitted to."""
    (seen, pitch), (unseen, wanted) = ((_embeddings(model, d).mean(dim=1).numpy(), d.pitch) for d in (data, held_out))
    design = np.hstack([seen, np.ones((len(seen), 1), np.float32)])
    weights, *_ = np.linalg.lstsq(design, pitch, rcond=None)
    left = wanted - np.hstack([unseen, np.ones((len(unseen), 1), np.float32)]) @ weights
    return float(1.0 - left.var() / wanted.var())


def bend(model: Autoencoder, data: ControlSet) -> float:
    """Median over pairs of neighbours in pitch; see the module's text."""
    order = np.argsort(data.pitch, kind="stable")
    one, other = order[:-1], order[1:]
    same_key = np.abs(data.pitch[one] - data.pitch[other]) < 1.0
    z = _embeddings(model, data)
    first, second = z[one[same_key]], z[other[same_key]]
    pitch, velocity = (torch.from_numpy(a[one[same_key]]) for a in (data.pitch, data.velocity))
    frame = MEASURED_FRAMES.expand(len(first), -1)
    with torch.no_grad():
        ends = [model.decode(end, frame, pitch, velocity) for end in (first, second)]
        middle = model.decode(0.5 * (first + second), frame, pitch, velocity)
    levels = slice(0, N_PARTIALS + N_BANDS)
    mean = 0.5 * (ends[0] + ends[1])
    off = (middle - mean)[..., levels].abs().mean(dim=(1, 2))
    apart = (ends[0] - ends[1])[..., levels].abs().mean(dim=(1, 2))
    return float((off / apart.clamp(min=1.0)).median())


def _embeddings(model: Autoencoder, data: ControlSet) -> Tensor:
    """z of whole notes, [n, 125, 16]."""
    with torch.no_grad():
        parts = (slice(begin, begin + 16) for begin in range(0, data.n_notes, 16))
        return torch.cat([encode_notes(model, data, part) for part in parts])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.ablations", description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", default=DEFAULT_DIRECTORY, help=DATA_HELP)
    parser.add_argument("--steps", type=int, default=800, help="of each variant (default %(default)s)")
    parser.add_argument("--notes", type=int, default=1500, help="training notes, evenly spread (default %(default)s)")
    parser.add_argument("--config", choices=sorted(CONFIGS), default="small")
    add_json_argument(parser)
    args = parser.parse_args()
    torch.set_num_threads(1)
    note_set = NoteSet.open(args.data)
    data = control_data.load(args.data, note_set.instruments(split="train")).spread(args.notes)
    held_out = control_data.load(args.data, note_set.instruments(split="held_out")).spread(150)
    print_report(ablate(data, held_out, args.config, args.steps), as_json=args.json)


if __name__ == "__main__":
    main()
