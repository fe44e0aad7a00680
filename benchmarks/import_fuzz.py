"""Spoilt files through every parser of the import: what a player may find on a disk, and what somebody may send.

Each case is laid out and read in a worker process. Counted as failures: an exception that is not a TetradError, a case
that takes over 5 s, a worker that dies, a write anywhere, a look at a file outside the case's folder. Case `i` of seed
`s` is always the same, so a failure can be seen again: `--only i`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import resource
import select
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from synth.errors import TetradError

LIMIT_S = 5.0
START_LIMIT_S = 60.0
MEMORY_BYTES = 4 << 30
MEMORY_DISK = Path("/dev/shm")
"""Where there is one: a disk takes 15 ms to lay out a case."""
PARSERS_MODULE = "benchmarks.import_parsers"
FAILURES = ("exceptions", "hangs", "deaths", "writes", "looks_outside")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
LIBRARY = "library"
"""The folder of a case where its reader may write."""
_CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod"}


def run(
    n_files: int, seed: int, *, first: int = 0, parsers_module: str = PARSERS_MODULE, limit_s: float = LIMIT_S
) -> dict[str, Any]:
    """Read cases first .. first + n_files - 1 -> counts by parser and outcome, and up to 20 failures in words."""
    report: dict[str, Any] = {
        "files": 0,
        **dict.fromkeys(FAILURES, 0),
        "by_parser": {},
        "slowest_s": 0.0,
        "examples": [],
    }
    began_s = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="tetrad-fuzz-", dir=MEMORY_DISK if MEMORY_DISK.is_dir() else None) as root:
        index = first
        while index < first + n_files:
            for outcome in _work(Path(root), index, first + n_files, seed, parsers_module, limit_s):
                _count(report, outcome)
                index = outcome["index"] + 1
                report["peak_mb"] = max(report.get("peak_mb", 0.0), outcome.get("peak_mb", 0.0))
    return {**report, "seconds": round(time.perf_counter() - began_s, 1)}


def _count(report: dict[str, Any], outcome: dict[str, Any]) -> None:
    report["files"] += 1
    of_parser = report["by_parser"].setdefault(outcome["parser"], {"taken": 0, "refused": 0, "failed": 0})
    failed = [name for name in FAILURES if outcome.get(name)]
    of_parser["failed" if failed else outcome["result"]] += 1
    report["slowest_s"] = max(report["slowest_s"], outcome.get("seconds", 0.0))
    for name in failed:
        report[name] += 1
    if failed and len(report["examples"]) < 20:
        report["examples"].append({key: outcome[key] for key in ("index", "parser", *failed)})


def _work(root: Path, first: int, end: int, seed: int, parsers_module: str, limit_s: float) -> Iterator[dict[str, Any]]:
    """Outcomes from one worker, until it has finished, hangs or dies."""
    names = sorted(importlib.import_module(parsers_module).PARSERS)
    command = [sys.executable, "-m", "benchmarks.import_fuzz", "--worker", str(root), "--parsers", parsers_module]
    command += ["--seed", str(seed), "--first", str(first), "--files", str(end - first), "--limit", str(limit_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        lines = _lines(process.stdout.fileno(), limit_s)
        try:
            for index in range(first, end):
                line = next(lines)
                lost = {"index": index, "parser": names[index % len(names)], "result": "failed"}
                if line is None:
                    yield {**lost, "hangs": f"over {limit_s} s"}
                    return
                if line == b"":
                    yield {**lost, "deaths": f"exit status {process.wait()}"}
                    return
                yield json.loads(line)
        finally:
            process.kill()


def _lines(descriptor: int, limit_s: float) -> Iterator[bytes | None]:
    """Lines of a pipe; None where none comes in twice the time, b"" at its end."""
    pending = b""
    wait_s = START_LIMIT_S
    while True:
        while b"\n" not in pending:
            ready, _, _ = select.select([descriptor], [], [], wait_s)
            data = os.read(descriptor, 65_536) if ready else None
            if not data:
                yield data
                return
            pending += data
        line, pending = pending.split(b"\n", maxsplit=1)
        wait_s = 2.0 * limit_s  # what takes less, but over the limit, is told by the worker
        yield line


class _Watch:
    """Notes what is written, and what is opened outside a folder, while a case is read."""

    def __init__(self) -> None:
        self.folder = ""
        self.root = ""
        self.writes = ""
        self.looks_outside = ""
        sys.addaudithook(self._see)

    def start(self, root: Path, folder: Path) -> None:
        self.writes = self.looks_outside = ""
        self.root, self.folder = os.path.realpath(root), os.path.realpath(folder)

    def stop(self) -> None:
        self.folder = ""

    def _see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.folder:
            return
        if event in _CHANGES:
            names = [one for one in arguments[:2] if isinstance(one, str | bytes | os.PathLike)]
            # What has a descriptor only was seen when it was opened.
            if not all(map(self._may_write, names)):
                self.writes = f"{event} {arguments[0]!r}"
        elif event == "open" and isinstance(arguments[0], str | bytes) and arguments[0]:
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if arguments[2] & _WRITING and path != os.devnull and not self._may_write(path):
                self.writes = path
            if path.startswith(self.root + os.sep) and not path.startswith(self.folder + os.sep):
                self.looks_outside = path

    def _may_write(self, name: str | bytes | os.PathLike[str]) -> bool:
        """Inside the case's library; where a name is a link, it is its target that is written."""
        path = Path(os.fsdecode(name))
        return (Path(os.path.realpath(path.parent)) / path.name).is_relative_to(Path(self.folder) / LIBRARY)


def _worker(root: Path, first: int, n_files: int, seed: int, parsers_module: str, limit_s: float) -> None:
    """Reads cases and prints a line for each."""
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    os.chdir(root)
    module = importlib.import_module(parsers_module)
    parsers = module.PARSERS
    getattr(module, "prepare", lambda: None)()  # what takes long once, within START_LIMIT_S
    names = sorted(parsers)
    watch = _Watch()
    for index in range(first, first + n_files):
        name = names[index % len(names)]
        chance = random.Random(f"{seed}/{index}")
        folder = root / "case"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (root / "outside.wav").write_bytes(b"RIFF")
        read = parsers[name](chance, folder)
        outcome: dict[str, Any] = {"index": index, "parser": name, "result": "taken"}
        began_s = time.perf_counter()
        watch.start(root, folder)
        try:
            read()
        except TetradError as error:
            outcome["result"] = "refused"
            outcome["exceptions"] = "" if "\n" not in str(error) else f"two lines: {error}"
        except BaseException:  # noqa: BLE001  (any at all is what is looked for)
            outcome["exceptions"] = traceback.format_exc(limit=-3)
        watch.stop()
        seconds = time.perf_counter() - began_s
        outcome |= {"seconds": seconds, "writes": watch.writes, "looks_outside": watch.looks_outside}
        outcome["hangs"] = f"{seconds:.1f} s" if seconds > limit_s else ""
        outcome["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
        print(json.dumps(outcome), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=50_000, help="(default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(default %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--only", type=int, help="this case alone")
    parser.add_argument("--parsers", default=PARSERS_MODULE, help="module with PARSERS (default %(default)s)")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="seconds a case may take (default %(default)s)")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    first, n_files = (args.first, args.files) if args.only is None else (args.only, 1)
    if args.worker is not None:
        _worker(args.worker, first, n_files, args.seed, args.parsers, args.limit)
        return
    result = run(n_files, args.seed, first=first, parsers_module=args.parsers, limit_s=args.limit)
    print(json.dumps(result))
    raise SystemExit(any(result[name] for name in FAILURES))


if __name__ == "__main__":
    main()
