"""Spoilt content through every reader there is: 100,000 cases over all formats, in worker processes, resumable.

    python -m benchmarks.format_fuzz --files 100000 --workers 2 --state fuzz.jsonl

A case, its worker with a limit on memory and time, and what counts as a failure are `import_fuzz`'s; the formats are
`format_parsers`'. Each finished piece of PIECE cases is a line of the state's file; the same command goes on after the
last. Prints one JSON object: counts in all and by format, and up to 20 failures, each to be seen again by `--only`.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.import_fuzz import FAILURES, LIMIT_S, run

PARSERS_MODULE = "benchmarks.format_parsers"
PIECE = 1500
"""Cases of a piece, some 20 s; a worker process takes 2 s to start."""
MOST_EXAMPLES = 20


def pieces(n_files: int) -> list[tuple[int, int]]:
    """(first case, cases) of each piece."""
    return [(first, min(PIECE, n_files - first)) for first in range(0, n_files, PIECE)]


def read_state(path: Path | None, seed: int) -> dict[int, dict[str, Any]]:
    """Reports of finished pieces by their first case; a line that a killed run left half is passed over."""
    finished: dict[int, dict[str, Any]] = {}
    if path is not None and path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                report = json.loads(line)
            except ValueError:
                continue
            if report["seed"] == seed:
                finished[report["first"]] = report
    return finished


def added(reports: list[dict[str, Any]]) -> dict[str, Any]:
    """One report of several: counts are added, the slowest and the largest kept."""
    total: dict[str, Any] = {"files": 0, **dict.fromkeys(FAILURES, 0), "by_parser": {}, "examples": []}
    for report in reports:
        for name in ("files", *FAILURES):
            total[name] += report[name]
        for name, counts in report["by_parser"].items():
            of_parser = total["by_parser"].setdefault(name, dict.fromkeys(counts, 0))
            for outcome, count in counts.items():
                of_parser[outcome] += count
        total["examples"] = [*total["examples"], *report["examples"]][:MOST_EXAMPLES]
    for name in ("slowest_s", "peak_mb"):
        total[name] = round(max((report.get(name, 0.0) for report in reports), default=0.0), 2)
    total["worker_s"] = round(sum(report["seconds"] for report in reports), 1)
    total["by_parser"] = dict(sorted(total["by_parser"].items()))
    return total


def fuzz(
    n_files: int,
    seed: int,
    *,
    workers: int = 1,
    state: Path | None = None,
    for_s: float = 1e9,
    limit_s: float = LIMIT_S,
) -> dict[str, Any]:
    """Read cases 0 .. n_files - 1, beginning no piece after `for_s`; what `state` has is not read again."""
    finished = read_state(state, seed)
    began_s = time.monotonic()
    writing = threading.Lock()

    def one(piece: tuple[int, int]) -> None:
        first, n = piece
        if finished.get(first, {}).get("files") == n or time.monotonic() - began_s > for_s:
            return
        report = run(n, seed, first=first, parsers_module=PARSERS_MODULE, limit_s=limit_s)
        report |= {"first": first, "seed": seed}
        with writing:
            finished[first] = report
            if state is not None:
                with state.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(report) + "\n")
            done = sum(one["files"] for one in finished.values())
            print(f"{done} of {n_files} cases, {_failed(report)} failures in this piece", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, pieces(n_files)))
    wanted = {first for first, _ in pieces(n_files)}
    return added([report for first, report in sorted(finished.items()) if first in wanted])


def _failed(report: dict[str, Any]) -> int:
    return sum(report[name] for name in FAILURES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000, help="cases in all (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(default %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes at once (default %(default)s)")
    parser.add_argument("--state", type=Path, help="file that keeps finished pieces, to go on after them")
    parser.add_argument("--for-s", type=float, default=1e9, help="begin nothing new after so many seconds")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="seconds a case may take (default %(default)s)")
    parser.add_argument("--only", type=int, help="this case alone")
    args = parser.parse_args()
    if args.only is not None:
        result = run(1, args.seed, first=args.only, parsers_module=PARSERS_MODULE, limit_s=args.limit)
    else:
        result = fuzz(
            args.files, args.seed, workers=args.workers, state=args.state, for_s=args.for_s, limit_s=args.limit
        )
    print(json.dumps(result))
    raise SystemExit(_failed(result) > 0)


if __name__ == "__main__":
    main()
