"""How much faster two Dask workers build paths of the grid than one, in turns, each a process of its own.

python -m benchmarks.jobs [--pairs 72] [--turns 3]

The same pairs of shipped instruments are built by one worker and by two, turn by turn, so that whatever else the
machine does meets both; the first turn is not counted. Prints the seconds and the ratio of medians.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from synth.command import print_json
from synth.grid.build import make_path, pair_works
from synth.instruments.library import Library
from synth.jobs import run_jobs
from synth.paths import shipped_instruments_dir
from tests.synth.dask_cluster import Cluster


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=72)
    parser.add_argument("--turns", type=int, default=3)
    args = parser.parse_args()
    files = Library([shipped_instruments_dir()]).paths()
    pairs = list(itertools.islice(itertools.combinations(sorted(files), 2), args.pairs))
    seconds: dict[int, list[float]] = {1: [], 2: []}
    with TemporaryDirectory() as folder:
        clusters = {}
        for n in (1, 2):
            place = Path(folder) / str(n)
            place.mkdir()
            clusters[n] = Cluster(place)
            for _ in range(n):
                clusters[n].start_worker()
        try:
            for turn in range(-1, args.turns):  # the first warms up: workers open their networks
                for n, cluster in clusters.items():
                    began_s = time.perf_counter()
                    work = pair_works(files, pairs)
                    run_jobs(make_path, work, dask=cluster.address, on_result=lambda index, path: None)
                    if turn >= 0:
                        seconds[n].append(time.perf_counter() - began_s)
        finally:
            for cluster in clusters.values():
                cluster.close()
    medians = {n: statistics.median(found) for n, found in seconds.items()}
    print_json({"pairs": args.pairs, "seconds": seconds, "ratio": medians[1] / medians[2]})


if __name__ == "__main__":
    main()
