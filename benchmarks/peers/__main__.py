"""Tetrad, FluidSynth, ZynAddSubFX and RAVE's decoder side by side on one core of this machine, beside its limits.

Prints Markdown tables (or JSON); what it does goes to stderr. Missing Debian packages are installed where that is
possible; a peer that can't be measured is left out, with the reason.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers import fluidsynth, packages, programs, zynaddsubfx
from benchmarks.peers.child import NAMES
from benchmarks.peers.measure import Measured, as_json, attempt, in_turns
from benchmarks.peers.table import markdown

DEBIAN_PACKAGES = {"fluidsynth": fluidsynth.PACKAGES, "zynaddsubfx": zynaddsubfx.PACKAGES}


def main(words: Sequence[str] | None = None) -> None:
    args = _arguments(words)
    load = os.getloadavg()[0]
    os.sched_setaffinity(0, {args.core})  # what is started from here inherits it
    if not args.no_install:
        for name in set(args.peers) & set(DEBIAN_PACKAGES):
            packages.install(DEBIAN_PACKAGES[name], "a synthesizer to compare with", sys.stderr)
    found, machine = in_turns(args.peers, args.rounds, args.seconds, args.onsets)
    for one in found.values():
        _measure_program(one, args.starts)
    tables = markdown(found, machine)
    if args.markdown is not None:
        args.markdown.write_text(tables, encoding="utf-8")
    if args.json:
        conditions = {"rounds": args.rounds, "seconds": args.seconds, "core": args.core, "load_before": load}
        print(json.dumps(as_json(found, machine) | {"conditions": conditions}, indent=1))
    else:
        print(f"{args.rounds} rounds of {args.seconds:g} s; the machine's load before: {load:.1f}\n\n{tables}", end="")


def _measure_program(one: Measured, n_starts: int) -> None:
    """Start, disk and, of Tetrad, memory and an import; each alone on the core."""
    match one.name:
        case "tetrad":
            one.disk_mb = packages.tetrad_mb()
            one.start_s = attempt(one, "start", lambda: programs.median_of(programs.tetrad_start_s, n_starts))
            one.memory_mb = attempt(one, "memory", lambda: programs.tetrad_memory_mb(64))
            one.custom_s = attempt(one, "import", programs.tetrad_import_s)
        case "fluidsynth":
            one.start_s = attempt(one, "start", lambda: programs.median_of(programs.fluidsynth_start_s, n_starts))
        case "zynaddsubfx":
            one.start_s = attempt(one, "start", lambda: programs.median_of(programs.zynaddsubfx_start_s, n_starts))
        case _ if one.n_weights is not None:
            libraries_mb, _ = packages.distributions_mb(["torch"])
            one.disk_mb = {"libraries": libraries_mb, "weights": 4 * one.n_weights / 1e6}
    if one.name in DEBIAN_PACKAGES:
        for package in DEBIAN_PACKAGES[one.name]:
            size_mb = attempt(one, f"size of {package}", lambda package=package: packages.debian_mb([package]))  # type: ignore[misc]
            if size_mb is not None:
                one.disk_mb[packages.part_of(package)] = one.disk_mb.get(packages.part_of(package), 0.0) + size_mb


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there, too")
    parser.add_argument("--peers", nargs="+", choices=NAMES, default=list(NAMES), help="default: all")
    parser.add_argument("--rounds", type=int, default=9, help="in which all take turns (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of sound in each turn (default %(default)s)")
    parser.add_argument("--onsets", type=int, default=20, metavar="N", help="keys per peer (default %(default)s)")
    parser.add_argument("--starts", type=int, default=5, metavar="N", help="of each program (default %(default)s)")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="default: the last")
    parser.add_argument("--no-install", action="store_true", help="leave out peers that are not installed")
    args = parser.parse_args(words)
    if min(args.rounds, args.onsets, args.starts) < 1 or not args.seconds > 0.0:
        parser.error("--rounds, --seconds, --onsets and --starts must be more than 0")
    if args.core not in os.sched_getaffinity(0):
        parser.error(f"--core {args.core} is none of this machine's; choose of {sorted(os.sched_getaffinity(0))}")
    return args


if __name__ == "__main__":
    main()
