"""What the grid gained: how even each pair's path is, straight and re-timed, as a table and three pictures.

Measured at one note of each pair, the one nearest middle C, from levels alone (`synth.grid.compute`): 21 places, the
largest step over the mean one. `tetrad bench grid` measures some pairs from the sound itself.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from synth.command import progress_bar
from synth.errors import TetradError
from synth.files import atomic_path, atomic_write_bytes
from synth.frames import Float32Array, Float64Array
from synth.grid.build import PairWork, identify, instruments_of, networks, pair_works
from synth.grid.compute import FRAMES, frame_weights
from synth.grid.heard import N_MELS, log_mels_db
from synth.grid.pair_path import N_WARP, NotePath, PairPath, straight
from synth.grid.played import PlayedPath
from synth.grid.retime import evenness, steps_db
from synth.grid.store import GridStore
from synth.jobs import run_jobs
from synth.voices.prepared import PreparedInstrument

N_POINTS = 21
MIDDLE_KEY = 60
N_CURVES = 24
N_WORST = 20
WORSE_BY = 1.05
"""A path less even than the straight line by more than this counts as worse."""


class PairReport(NamedTuple):
    """One note of one pair. `straight` and `grid` are evennesses, 1 at best; `warp` float32 [33]; `bent` or not."""

    first: str
    second: str
    pitch: int
    velocity: int
    straight: float
    grid: float
    bent: bool
    warp: Float32Array


class _Work(NamedTuple):
    pair: PairWork
    path: PairPath


def measure_pairs(
    files: Mapping[str, Path], store: GridStore, *, workers: int | None = None, dask: str | None = None
) -> list[PairReport]:
    """Measure every pair of these instruments that has a path, in the order of the alphabet."""
    names = sorted(files)
    who = {name: identify(path) for name, path in files.items()}
    paths = {
        (one, other): path
        for one, other in itertools.combinations(names, 2)
        if (path := store.find(one, other, who[one].sound_id, who[other].sound_id, who[one].model_id)) is not None
    }
    found: dict[int, PairReport] = {}
    with progress_bar(len(paths), description="report", unit="pairs") as bar:

        def keep(index: int, report: PairReport) -> None:
            found[index] = report
            bar.update(1)

        work = (_Work(pair, paths[pair.first, pair.second]) for pair in pair_works(files, paths))
        run_jobs(measure_pair, work, on_result=keep, workers=workers, dask=dask)
    return [report for _, report in sorted(found.items())]


def measure_pair(work: _Work) -> PairReport:
    """The evenness of one pair's path at its note nearest middle C."""
    pair, path = work
    first, second = (PreparedInstrument(instrument) for instrument in instruments_of(pair))
    played = PlayedPath(first, second, networks()[0], N_POINTS, len(FRAMES))
    note = min(path.notes, key=lambda n: (abs(n.pitch - MIDDLE_KEY), n.pitch, -n.velocity))

    def even(candidate: NotePath) -> float:
        places = np.interp(np.linspace(0.0, 1.0, N_POINTS), np.linspace(0.0, 1.0, N_WARP), candidate.warp)
        mels = log_mels_db(played.play(candidate.pitch, candidate.velocity, places, FRAMES))
        return evenness(steps_db(mels.reshape(N_POINTS, len(FRAMES), N_MELS), frame_weights(FRAMES)))

    before, after = even(straight(note.pitch, note.velocity)), even(note)
    return PairReport(
        pair.first, pair.second, note.pitch, note.velocity, before, after, bool(note.bend.any()), note.warp
    )


def summarise(pairs: Sequence[PairReport]) -> dict[str, Any]:
    """Median, 90th percentile and worst of both, and how many pairs are worse than the straight line by over 5 %."""
    before, after = (np.array([getattr(pair, name) for pair in pairs]) for name in ("straight", "grid"))
    return {
        "grid": _distribution(after),
        "straight": _distribution(before),
        "n_pairs": len(pairs),
        "n_worse": int((after > WORSE_BY * before).sum()),
        "n_bent": sum(pair.bent for pair in pairs),
    }


def write_report(folder: Path, pairs: Sequence[PairReport], about: Mapping[str, Any]) -> None:
    """Write report.json and evenness.png, worst.png and warps.png into `folder`, which is there.

    Raises TetradError where matplotlib, which draws, isn't installed; report.json is written then all the same.
    """
    worst = sorted(pairs, key=lambda pair: -pair.grid)[:N_WORST]
    rows = [pair._asdict() | {"warp": [round(float(u), 4) for u in pair.warp]} for pair in pairs]
    content = {key: str(value) if isinstance(value, Path) else value for key, value in about.items()} | {
        "evenness": summarise(pairs),
        "worst": [[pair.first, pair.second] for pair in worst],
        "pairs": rows,
    }
    atomic_write_bytes(folder / "report.json", json.dumps(content, indent=1).encode())
    if pairs:
        draw_report(folder, pairs, worst)


def draw_report(folder: Path, pairs: Sequence[PairReport], worst: Sequence[PairReport]) -> None:
    """The three pictures. Raises TetradError without matplotlib."""
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        raise TetradError(
            f"the report's pictures need matplotlib, which is not here; {folder / 'report.json'} is written; install "
            "it with pip install 'tetrad[models]' for the pictures"
        ) from error
    with mpl.rc_context({"font.size": 9}):
        figure = Figure((7.0, 4.0), layout="constrained")
        axes = figure.subplots()
        before, after = (np.array([getattr(pair, name) for pair in pairs]) for name in ("straight", "grid"))
        bins = np.linspace(1.0, max(2.0, float(np.percentile(before, 99))), 41)
        for values, label in ((before, "straight line"), (after, "grid")):
            shown = f"{label}: median {np.median(values):.2f}, 90 % below {np.percentile(values, 90):.2f}"
            axes.hist(np.clip(values, bins[0], bins[-1]), bins, alpha=0.6, label=shown)
        axes.set(xlabel="largest step over mean step (the last bar: and above)", ylabel="pairs")
        axes.legend()
        _save(figure, folder / "evenness.png")

        figure = Figure((7.0, 0.6 + 0.26 * len(worst)), layout="constrained")
        axes = figure.subplots()
        place = np.arange(len(worst))[::-1]
        axes.barh(place + 0.2, [pair.straight for pair in worst], 0.4, label="straight line")
        axes.barh(place - 0.2, [pair.grid for pair in worst], 0.4, label="grid")
        axes.set_yticks(place, [f"{pair.first}, {pair.second}, key {pair.pitch}" for pair in worst])
        axes.set(xlabel="largest step over mean step", xlim=(1.0, None))
        axes.legend()
        _save(figure, folder / "worst.png")

        figure = Figure((7.0, 5.0), layout="constrained")
        axes = figure.subplots()
        s = np.linspace(0.0, 1.0, N_WARP)
        bent_most = sorted(pairs, key=lambda pair: -float(np.abs(pair.warp - s).max()))
        every = max(1, len(pairs) // N_CURVES)
        for pair in bent_most[::every][:N_CURVES]:
            axes.plot(s, pair.warp, linewidth=1.0, label=f"{pair.first}, {pair.second}")
        axes.plot([0.0, 1.0], [0.0, 1.0], "k:", linewidth=0.8)
        axes.set(xlabel="the finger's place", ylabel="u of the embeddings' line", title="from the most to the least")
        axes.legend(fontsize=5, ncols=2)
        _save(figure, folder / "warps.png")


def _save(figure: Any, path: Path) -> None:
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120, metadata={"Software": None})


def _distribution(values: Float64Array) -> dict[str, float]:
    if not values.size:
        return {"median": float("nan"), "p90": float("nan"), "worst": float("nan")}
    middle, high = np.percentile(values, [50, 90])
    return {"median": round(float(middle), 4), "p90": round(float(high), 4), "worst": round(float(values.max()), 4)}
