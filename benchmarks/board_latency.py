"""From a turn of an encoder's contacts to the command on the engine's socket: real firmware, real host.

    python -m benchmarks.board_latency [--turns 300] [--json]

The firmware runs in simavr by the clock, its serial line a pseudo-terminal; `python -m firmware_host` reads that and
talks to a socket of our own, which takes down when each `focus` comes. The four changes of a detent's contacts are
0.625 ms apart (a spin of 400 detents a second), now this way round, now that, at random moments; the third makes the
detent. turn_to_socket_ms counts from before the first: those 1.25 ms are in it, and up to 1 ms until simavr, which runs
in slices of that length, looks for our orders.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from synth.command import add_json_argument, print_report
from synth.control.commands import Command
from synth.io.server import Server
from tests.hardware.board import Runner, build
from tests.ui.engine import WITH_US
from tests.ui.stand_in import StandIn

APART_MS = 0.625
NE_CONTACTS = (2, 3)
CLOCKWISE = ((0, 0), (1, 0), (0, 1), (1, 1))
"""Contact and level (0: closed), from rest to rest; the other way round the two contacts change places."""
PAUSE_S = (0.03, 0.2)
LIMIT_S = 1.0


class Clock(StandIn):
    """Takes down when turns arrive."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived_s = 0.0
        self.turned = threading.Event()

    def handle(self, command: Command) -> Mapping[str, Any]:
        if command.name == "focus" and not self.turned.is_set():
            self.arrived_s = time.monotonic()
            self.turned.set()
        return super().handle(command)


def detent(*, clockwise: bool) -> list[str]:
    """The runner's orders for one."""
    orders = []
    for number, (contact, level) in enumerate(CLOCKWISE):
        orders.append(f"after {number * APART_MS}")
        orders.append(f"contact {NE_CONTACTS[contact if clockwise else 1 - contact]} {level}")
    return orders


def delays_ms(turns: int, home: Path, seed: int) -> list[float]:
    """Of so many turns, each of one detent."""
    generator = random.Random(seed)
    found = []
    clock = Clock()
    with Runner(*build(home), home / "port") as hand, Server(clock, home / "s"):
        command = [sys.executable, "-m", "firmware_host", "--port", str(home / "port"), "--socket", str(home / "s")]
        host = subprocess.Popen([*WITH_US, *command], stdout=subprocess.PIPE, text=True)
        try:
            assert host.stdout is not None
            while "Tetrad board" not in (line := host.stdout.readline()):
                if not line:
                    raise RuntimeError(f"the board's host ended with {host.wait()} before it found the board")
            time.sleep(1.0)  # lists of instruments and patches come
            for number in range(turns):
                time.sleep(generator.uniform(*PAUSE_S))
                clock.turned.clear()
                began_s = time.monotonic()
                hand.commands(detent(clockwise=number % 2 == 1))
                if not clock.turned.wait(LIMIT_S):
                    raise RuntimeError(f"turn {number} did not reach the socket within {LIMIT_S:g} s")
                found.append(1000.0 * (clock.arrived_s - began_s))
        finally:
            host.terminate()
            host.wait()
    return found


def main(arguments: list[str] | None = None) -> int:
    """Measure and print. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.board_latency", description=__doc__)
    parser.add_argument("--turns", type=int, default=300, metavar="N")
    parser.add_argument("--seed", type=int, default=8)
    add_json_argument(parser)
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as home:
        found = np.sort(delays_ms(args.turns, Path(home), args.seed))
    names = {"median": 50, "p99": 99, "worst": 100}
    report = {name: round(float(np.percentile(found, share)), 2) for name, share in names.items()}
    print_report({"turn_to_socket_ms": {"n": len(found), **report}}, as_json=args.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
