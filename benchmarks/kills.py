"""Kill -9 at random times: is every file whole, is all there that was acknowledged, and does the engine start again?

A real engine (`python -m synth`) is busy with values, patches, settings, favourites, names and imports, and is killed:
up to 3 s after its start, one time in eight while it starts. Every tenth life is on a full disk (no file may grow
beyond some random bytes, `prlimit --fsize`). Then a copy of its files is read by their own readers and compared with
what the engine had acknowledged; of the current patch the last second may be lost. The next life goes on with the same
files. A folder that holds a report goes on from there.

    python -m benchmarks.kills --kills 1000 --folder /tmp/kills --json
"""

import argparse
import contextlib
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from benchmarks.kills_kept import (
    FAVOURITE,
    GUEST,
    IMPORT,
    NAME,
    PATCHES,
    SETTINGS,
    STATE,
    STEPS,
    Kept,
    damages,
    leftovers,
    look,
)
from synth.command import print_json
from synth.errors import TetradError
from synth.files import atomic_write_bytes
from synth.io.client import Client
from synth.paths import shipped_instruments_dir

WITH_US = ("setpriv", "--pdeathsig", "KILL")
START_WITHIN_S, LONGEST_LIFE_S, LONGEST_IMPORT_LIFE_S = 120.0, 3.0, 15.0
IN_START, ON_FULL_DISK, WITH_IMPORT = 1 / 8, 1 / 10, 1 / 10
"""Shares of the lives."""
LEAST_BYTES, MOST_BYTES = 100, 6_000
"""The full disk: a current patch has some 2,000 bytes."""
COMMAND_PERIOD_S = 0.004
MOST_EXAMPLES = 20
COUNTS = ("kills", "kills_in_start", "full_disks", "acknowledged", "imports", "corrupt", "lost", "not_started", "left")


def run(n_kills: int, folder: Path, seed: int) -> dict[str, Any]:
    """Until the report in the folder has `n_kills`. Gives it: COUNTS, seconds, start_s (median), and up to 20 failures
    in words. left: temporary files that a start has left where they were."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.json"
    report: dict[str, Any] = {
        **dict.fromkeys(COUNTS, 0),
        "number": 1,
        "found": {},
        "seconds": 0.0,
        "starts_s": [],
        "examples": [],
    }
    if path.exists():
        report |= json.loads(path.read_bytes())
    while report["kills"] < n_kills:
        began_s = time.monotonic()
        _one_life(folder / "home", report, random.Random(f"{seed} {report['kills']}"))
        report["seconds"] += time.monotonic() - began_s
        atomic_write_bytes(path, json.dumps(report).encode())
        print(f"\r{report['kills']} kills", end="", file=sys.stderr, flush=True)
    starts_s = sorted(report["starts_s"])
    shown = {key: value for key, value in report.items() if key not in ("number", "found", "starts_s")}
    return {**shown, "start_s": starts_s[len(starts_s) // 2] if starts_s else 0.0}


def _one_life(home: Path, report: dict[str, Any], dice: random.Random) -> None:
    home.mkdir(exist_ok=True)
    in_start, full, imports = (dice.random() < share for share in (IN_START, ON_FULL_DISK, WITH_IMPORT))
    kept = Kept(report["number"], report["found"])
    limit = ["prlimit", f"--fsize={dice.randint(LEAST_BYTES, MOST_BYTES)}"] if full else []
    with contextlib.ExitStack() as stack:
        engine = stack.enter_context(_engine(home, limit))
        typical_s = report["starts_s"][-1] if report["starts_s"] else 5.0
        started_s = _wait_for_start(engine, dice.uniform(0.0, typical_s) if in_start else START_WITHIN_S)
        if started_s is None and not in_start:
            report["not_started"] += 1
            _example(report, f"it did not start in {START_WITHIN_S:g} s, or ended with {engine.poll()}")
        elif started_s is not None and not in_start:
            if not full:
                report["starts_s"].append(started_s)
                report["left"] += leftovers(home)
            life_s = dice.uniform(0.0, LONGEST_IMPORT_LIFE_S if imports else LONGEST_LIFE_S)
            _be_busy(home, kept, dice, life_s, imports=imports)
        killed_s = time.monotonic()
        engine.kill()
        engine.wait()
    report["number"] = kept.number
    report["kills"] += 1
    report["kills_in_start"] += in_start
    report["full_disks"] += full
    report["acknowledged"] += kept.n_acknowledged
    report["imports"] += kept.n_imports
    _look(home, report, kept, killed_s, full=full)


def _look(home: Path, report: dict[str, Any], kept: Kept, killed_s: float, *, full: bool) -> None:
    copy = home.with_name("copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(home, copy, ignore=_sockets)
    corrupt, lost = damages(copy), []
    try:
        found = look(copy)
    except (TetradError, OSError) as error:
        lost.append(str(error))
    else:
        lost += kept.losses(found, killed_s, full=full)
        report["found"] = found
    report["corrupt"] += len(corrupt)
    report["lost"] += len(lost)
    for what, lines in (("corrupt", corrupt), ("lost", lost)):
        for words in lines:
            _example(report, f"{what}: {words}")
    if corrupt or lost:
        shutil.copytree(home, home.with_name(f"kill-{report['kills']}"), dirs_exist_ok=True, ignore=_sockets)


def _sockets(_: str, names: list[str]) -> list[str]:
    return [name for name in names if name in ("s", "s.lock")]


def _example(report: dict[str, Any], words: str) -> None:
    if len(report["examples"]) < MOST_EXAMPLES:
        report["examples"].append(f"kill {report['kills']}: {words}")


def _engine(home: Path, limit: list[str]) -> "subprocess.Popen[bytes]":
    command = [*WITH_US, *limit, sys.executable, "-m", "synth", "--audio", "null", "--osc", "-1", "--no-refine"]
    environment = {**os.environ, "TETRAD_HOME": str(home), "TETRAD_SOCKET": str(home / "s"), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def _wait_for_start(engine: "subprocess.Popen[bytes]", limit_s: float) -> float | None:
    """Seconds until it plays; None: it does not within the limit."""
    assert engine.stdout is not None
    began_s, said = time.monotonic(), b""
    while (left_s := began_s + limit_s - time.monotonic()) > 0.0:
        if select.select([engine.stdout], [], [], left_s)[0]:
            data = os.read(engine.stdout.fileno(), 65_536)
            said += data
            if b"Playing" in said:
                return time.monotonic() - began_s
            if not data:
                return None
    return None


def _be_busy(home: Path, kept: Kept, dice: random.Random, life_s: float, *, imports: bool) -> None:
    """Commands for so long."""

    def heard(name: str, data: Mapping[str, Any]) -> None:
        if name == "import_changed" and data["state"] == "done":
            kept.imported(str(data["instrument"]))

    with Client(home / "s", name="kills", on_notice=heard) as client:
        acts = _acts(client)
        end_s, importing = time.monotonic() + life_s, imports
        while time.monotonic() < end_s:
            what = IMPORT if importing else dice.choice((STATE, *(name for name in acts if name != IMPORT)))
            importing = False
            if what == STATE:
                kept.ask(what, lambda n: client.ask("set", parameter="reverb", value=n % STEPS / STEPS))
            else:
                kept.ask(what, acts[what])
            time.sleep(COMMAND_PERIOD_S)


def _acts(client: Client) -> dict[str, Any]:
    def save(name: str) -> Any:
        def act(number: int) -> "Future[Any]":
            # What is set and saved by one connection is done in that order, and the answer to the second tells of both.
            client.send("set", parameter="reverb", value=number % STEPS / STEPS)
            return client.ask("patch_save", name=name)

        return act

    def guest(number: int) -> "Future[Any]":
        return client.ask("patch_save", name=GUEST) if number % 2 else client.ask("patch_remove", name=GUEST)

    def add(number: int) -> "Future[Any]":
        source = shipped_instruments_dir() / "cello.tetrad-instrument"
        return client.ask("instrument_import", paths=[str(source)], name=f"{IMPORT}-{number}", again=True)

    return {
        **{name: save(name) for name in PATCHES},
        GUEST: guest,
        SETTINGS: lambda n: client.ask("midi_use", ports=[f"port {n}"]),
        FAVOURITE: lambda n: client.ask("instrument_favourite", name="flute", favourite=bool(n % 2)),
        NAME: lambda n: client.ask("instrument_rename", name="flute", display_name=f"Flute {n}"),
        IMPORT: add,
    }


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=1000, metavar="N", help="in all (default 1000)")
    parser.add_argument("--folder", type=Path, required=True, metavar="DIR", help="for the files; goes on where it was")
    parser.add_argument("--seed", type=int, default=9, metavar="N")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    args = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    report = run(args.kills, args.folder, args.seed)
    if args.json:
        print_json(report)
    else:
        for key, value in report.items():
            print(f"{key}: {value}")
    return 1 if report["corrupt"] or report["lost"] or report["not_started"] or report["left"] else 0


if __name__ == "__main__":
    sys.exit(main())
