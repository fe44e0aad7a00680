"""Learn the two networks of `synth.instruments.pitch_network` from a note set: `python -m models.pitch_training DATA`.

Ten minutes on two cores: making the rows takes nearly all of it. The first network learns by cross-entropy which of
88 keys a note is: the one that sounds, where that is not the one that was pressed (`sounding_key`; told the pressed
ones, it doubted weak fundamentals, and took 18 of 57 real organ notes for their octaves). The second learns whether
there is one, from notes against drums, noise, speech and chords, with the answers of a first one that has not learned
from the note (two halves in turn), as it will be asked about such notes.
"""

from __future__ import annotations

import argparse
import io
import random
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from models.dataset.soundfont import default_font_paths
from models.pitch_data import (
    HIGHEST_KEY,
    LOWEST_KEY,
    Task,
    chord_tasks,
    drum_tasks,
    make,
    noise_tasks,
    note_tasks,
    sounding_key,
    speech_tasks,
    sung_tasks,
)
from synth.command import progress
from synth.files import atomic_write_bytes
from synth.instruments import pitch_features as pf
from synth.instruments import pitch_network as pn

N_NOTES, N_SUNG, N_DRUMS, N_NOISES, N_PHRASES, N_CHORDS = 4000, 300, 600, 250, 150, 450
VOICES = ("en", "de", "fr+f3")
EPOCHS, BATCH, RATE, DECAY, DROPOUT, SMOOTHING = 16, 64, 6e-3, 1e-2, 0.1, 0.02
SEED = 1


class Row(NamedTuple):
    """One example's features. key: NaN where there is none."""

    name: str
    family: str
    key: float
    features: pf.PitchFeatures


def rows_of(tasks: list[Task], *, disturb: bool, jobs: int) -> list[Row]:
    """The features of every example that is audible, in order."""
    with ProcessPoolExecutor(jobs) as pool:
        made = pool.map(_row, tasks, [disturb] * len(tasks), chunksize=8)
        return [row for row in progress(made, description="rows", unit="row", total=len(tasks)) if row is not None]


def _row(task: Task, disturb: bool) -> Row | None:
    example = make(task, disturb=disturb)
    if example is None:
        return None
    features = pf.pitch_features(example.audio)
    return Row(example.name, example.family, sounding_key(features, example.key), features)


def train(notes: list[Row], others: list[Row]) -> pn.PitchNetwork:
    """Both networks, from rows that have a key within the 88 and rows that have none."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # the matrices are small: more threads only wait for each other
    score = _learn_score(notes)
    halves = notes[::2], notes[1::2]
    unseen = [_learn_score(half) for half in halves]
    seen = [_seen(unseen[1], row) for row in halves[0]] + [_seen(unseen[0], row) for row in halves[1]]
    seen += [_seen(unseen[index % 2], row) for index, row in enumerate(others)]
    truth = [1.0] * len(notes) + [0.0] * len(others)
    judge = _learn_judge(torch.tensor(np.stack(seen)), torch.tensor(truth))
    return pn.PitchNetwork(*(_array(weight) for weight in (*_weights(score)[:3], *_weights(judge))))


def _learn_score(notes: list[Row]) -> torch.nn.Sequential:
    rows = torch.tensor(np.stack([row.features.rows for row in notes]))  # [n, 88, ROW_WIDTH]
    wanted = torch.tensor([round(row.key) - pf.LOWEST_KEY for row in notes])
    network = _network(pf.ROW_WIDTH, bias=False)

    def loss(picked: torch.Tensor) -> torch.Tensor:
        answer = network(rows[picked])[..., 0]  # [b, 88]
        return torch.nn.functional.cross_entropy(answer, wanted[picked], label_smoothing=SMOOTHING)

    return _descend(network, loss, len(notes))


def _learn_judge(seen: torch.Tensor, truth: torch.Tensor) -> torch.nn.Sequential:
    network = _network(pn.JUDGED_WIDTH, bias=True)
    weight = torch.where(truth > 0.5, 0.5 / truth.mean(), 0.5 / (1.0 - truth).mean())

    def loss(picked: torch.Tensor) -> torch.Tensor:
        answer = network(seen[picked])[:, 0]
        return torch.nn.functional.binary_cross_entropy_with_logits(answer, truth[picked], weight[picked])

    return _descend(network, loss, len(truth))


def _network(width: int, *, bias: bool) -> torch.nn.Sequential:
    return torch.nn.Sequential(
        torch.nn.Linear(width, pn.N_HIDDEN),
        torch.nn.ReLU(),
        torch.nn.Dropout(DROPOUT),
        torch.nn.Linear(pn.N_HIDDEN, 1, bias=bias),
    )


def _descend(
    network: torch.nn.Sequential, loss: Callable[[torch.Tensor], torch.Tensor], n_examples: int
) -> torch.nn.Sequential:
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    n_batches = -(-n_examples // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * n_batches)
    for _ in range(EPOCHS):
        for picked in torch.randperm(n_examples).split(BATCH):
            value = loss(picked)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            schedule.step()
    return network.eval()


def _seen(score: torch.nn.Sequential, row: Row) -> np.ndarray:
    """What the second network sees of a row, by the answers of the first."""
    with torch.no_grad():
        answer = score(torch.tensor(row.features.rows))[:, 0]
        shares = torch.softmax(answer, 0)
    return pn.judged(row.features, shares.numpy())


def _weights(network: torch.nn.Sequential) -> list[torch.Tensor]:
    first, last = network[0], network[-1]
    assert isinstance(first, torch.nn.Linear)
    assert isinstance(last, torch.nn.Linear)
    found = [first.weight.T, first.bias, last.weight.T]
    return found if last.bias is None else [*found, last.bias]


def _array(weight: torch.Tensor) -> np.ndarray:
    return np.ascontiguousarray(weight.detach().numpy(), np.float32)


def write(network: pn.PitchNetwork, path: Path, made_of: str) -> None:
    """Into one file that says what it is and what it was learned from."""
    content = io.BytesIO()
    arrays: dict[str, Any] = {name: getattr(network, name) for name in network.__dataclass_fields__}
    header: dict[str, Any] = {
        "format": pn.FORMAT,
        "format_version": pn.FORMAT_VERSION,
        "made_of": made_of,
        "checksum": network.checksum(),
    }
    np.savez_compressed(content, **header, **arrays)
    atomic_write_bytes(path, content.getvalue())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="what `make data` made")
    parser.add_argument("--fonts", type=Path, nargs="*", default=None, help="for drums; default: Debian's")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=pn.SHIPPED)
    args = parser.parse_args()
    fonts = args.fonts or default_font_paths()
    keys = range(LOWEST_KEY, HIGHEST_KEY + 1)
    notes = note_tasks(args.data, N_NOTES, measuring=False, seed=SEED, keys=keys)
    without = drum_tasks(fonts, N_DRUMS, 11) + noise_tasks(N_NOISES, 13) + speech_tasks(N_PHRASES, 17, VOICES)
    without += chord_tasks(random.Random(SEED).sample(notes, min(3000, len(notes))), N_CHORDS, 19)
    notes += sung_tasks(N_SUNG, 23)
    rows = rows_of(notes, disturb=True, jobs=args.jobs)
    network = train(rows, rows_of(without, disturb=True, jobs=args.jobs))
    fonts_named = ", ".join(sorted({row.name.partition("_")[0] for row in rows} | {font.name for font in fonts}))
    write(
        network,
        args.out,
        f"{len(rows)} notes: two programs of three, and sung vowels; {fonts_named}; espeak-ng {', '.join(VOICES)}",
    )


if __name__ == "__main__":
    main()
