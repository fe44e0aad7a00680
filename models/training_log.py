"""The log of a training run: a CSV file, its curves as a picture, and TensorBoard's event files when asked for."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from synth.errors import TetradError
from synth.files import atomic_write_bytes

COLUMNS = (
    "step", "seconds", "active_frame_error_db", "loss", "learning_rate", "wavenet_nats", "adversary_octaves",
    "held_out_error_db",
)  # fmt: skip


class TrainingLog:
    """Means of what `add` was given since the last `write`, as rows of `<checkpoint>.csv`."""

    def __init__(self, checkpoint: Path, *, append: bool, tensorboard: bool) -> None:
        """`append` goes on with a log that is there; else it begins anew."""
        self.path = checkpoint.with_suffix(".csv")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._sums: dict[str, list[float]] = defaultdict(list)
        if not append or not self.path.exists():
            with self.path.open("w", newline="") as file:
                csv.writer(file).writerow(COLUMNS)
        self._events = _event_writer(checkpoint.with_suffix(".events")) if tensorboard else None

    def add(self, shown: dict[str, float]) -> None:
        for name, value in shown.items():
            self._sums[name].append(value)

    def write(self, step: int, seconds: float, held_out_db: float | None) -> None:
        values = {name: float(np.mean(found)) for name, found in self._sums.items()}
        if held_out_db is not None:
            values["held_out_error_db"] = held_out_db
        self._sums.clear()
        with self.path.open("a", newline="") as file:
            cells = [f"{values[name]:.6g}" if name in values else "" for name in COLUMNS[2:]]
            csv.writer(file).writerow([step, f"{seconds:.1f}", *cells])
        if self._events is not None:
            for name, value in values.items():
                self._events.add_scalar(name, value, step)

    def close(self) -> None:
        """Draw the curves."""
        if self._events is not None:
            self._events.close()
        draw_curves(self.path, self.path.with_suffix(".png"))


def _event_writer(directory: Path) -> Any:
    try:
        from tensorboardX import SummaryWriter
    except ImportError as error:
        raise TetradError(
            "TensorBoard's event files need the package tensorboardX, which is not here; leave out --tensorboard, or "
            "install it (pip install tensorboardX)"
        ) from error
    return SummaryWriter(str(directory))


def read_log(path: Path) -> dict[str, tuple[list[float], list[float]]]:
    """Column -> (minutes, values), for the cells that are filled."""
    columns: dict[str, tuple[list[float], list[float]]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            for name, cell in row.items():
                if name not in ("step", "seconds") and cell:
                    minutes, values = columns.setdefault(name, ([], []))
                    minutes.append(float(row["seconds"]) / 60.0)
                    values.append(float(cell))
    return columns


def draw_curves(log: Path, picture: Path) -> None:
    """Error of the frames, training and held out, and the WaveNet's loss over the minutes of training, as a PNG."""
    from matplotlib.figure import Figure

    columns = read_log(log)
    figure = Figure(figsize=(8.0, 4.5), dpi=100, layout="constrained")
    axes = figure.subplots()
    for name, label in (
        ("active_frame_error_db", "training crops"),
        ("held_out_error_db", "held-out notes, averaged weights"),
    ):
        if name in columns:
            axes.plot(*columns[name], label=label)
    axes.set_xlabel("minutes")
    axes.set_ylabel("active-frame error, dB")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right")
    if "wavenet_nats" in columns:
        nats = axes.twinx()
        nats.plot(*columns["wavenet_nats"], color="tab:green", alpha=0.6)
        nats.set_ylabel("WaveNet, nats a sample (green)")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    atomic_write_bytes(picture, buffer.getvalue())
