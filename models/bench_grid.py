"""how fast the pair grid is built, and how even its paths are as the engine plays them"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from models.morph import paths
from models.morph.measures import log_mels_db, steps_db
from models.morph.pairs import Pair, fixed_pairs
from synth.command import add_json_argument, print_json, progress
from synth.grid.build import build_pairs, networks, plan_build
from synth.grid.pair_path import PairPath
from synth.grid.retime import evenness
from synth.grid.store import GridStore
from synth.instruments.library import Library
from synth.jobs import add_jobs_arguments, available_cores
from synth.paths import shipped_instruments_dir

DEFAULT_PAIRS = 8


def bench_grid(pairs: Sequence[Pair], *, workers: int | None = None, dask: str | None = None) -> dict[str, Any]:
    """Build the paths of `pairs` of shipped instruments in a folder of its own, then play 21 points of each.

    Returns "pairs_per_s" and "notes_per_s" (of the whole command's time, the workers' start included), "evenness" of
    "grid" and "straight" (the median; the rest in "rows"), "workers". Kernels are compiled beforehand.
    """
    library = Library([shipped_instruments_dir()])
    decoder, _ = networks()
    made: dict[tuple[str, str], PairPath] = {}
    sizes: list[int] = []

    def keep(path: PairPath, size: int) -> None:
        made[path.first, path.second] = path
        sizes.append(size)

    with TemporaryDirectory() as folder:
        store = GridStore(Path(folder))
        names = sorted({name for pair in pairs for name in (pair.west, pair.east)})
        plan = plan_build(library, names, store, decoder.model_id, rebuild=False)
        wanted = sorted({_ends(pair) for pair in pairs})
        build_pairs(replace(plan, todo=tuple(wanted[:1])), store, workers=1, on_pair=keep)
        made.clear()
        sizes.clear()
        began_s = time.perf_counter()
        build_pairs(replace(plan, todo=tuple(wanted)), store, workers=workers, dask=dask, on_pair=keep)
        seconds = time.perf_counter() - began_s
    rows = [_row(pair, made, library) for pair in progress(pairs, description="playing", unit="pair")]
    return {
        "pairs_per_s": len(made) / seconds,
        "notes_per_s": sum(len(path.notes) for path in made.values()) / seconds,
        "evenness": {way: float(np.median([row[way] for row in rows])) for way in ("grid", "straight")},
        "bytes_per_pair": sum(sizes) / len(sizes),
        "workers": dask or workers or available_cores(),
        "rows": rows,
    }


def _row(pair: Pair, made: dict[tuple[str, str], PairPath], library: Library) -> dict[str, Any]:
    """How even the sound of one path is, with the grid and without."""
    decoder, _ = networks()
    ends = [library.load(pair.west), library.load(pair.east)]
    note = min(ends[0].notes, key=lambda n: (abs(n.pitch - pair.key), -n.velocity))
    row: dict[str, Any] = {"west": pair.west, "east": pair.east, "key": pair.key}
    for way, amount in (("grid", 1.0), ("straight", 0.0)):
        sounds = paths.play(ends, pair.key, note.velocity, decoder, grid=[made[_ends(pair)]], evenness=amount)
        row[way] = evenness(steps_db(log_mels_db(sounds)))
    return row


def _ends(pair: Pair) -> tuple[str, str]:
    """In the order of the alphabet, as a path has them."""
    first, second = sorted((pair.west, pair.east))
    return first, second


class BenchGridCommand:
    """`tetrad bench grid`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--pairs",
            type=int,
            default=DEFAULT_PAIRS,
            help="of the 40 fixed pairs of instruments (default %(default)s)",
        )
        add_jobs_arguments(parser)
        add_json_argument(parser)

    def run(self, args: argparse.Namespace) -> int:
        result = bench_grid(fixed_pairs(args.pairs), workers=args.workers, dask=args.dask)
        if args.json:
            print_json(result)
            return 0
        print(f"{result['pairs_per_s']:.2f} pairs/s, {result['notes_per_s']:.1f} notes/s, workers: {result['workers']}")
        print("largest over mean step of 21 points, 1 at best:  straight   grid")
        for row in result["rows"]:
            print(f"{row['west']:>22}  {row['east']:22} {row['straight']:8.3f} {row['grid']:6.3f}")
        print(f"{'median':>46} {result['evenness']['straight']:8.3f} {result['evenness']['grid']:6.3f}")
        return 0
