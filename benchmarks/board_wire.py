"""The encoder board's wire: random bytes into either side's decoder, and what a board that moves costs the host.

    python -m benchmarks.board_wire [--megabytes 10] [--seconds 10] [--json]

A false message is one that random bytes made. Of frames that are long enough and well stuffed a CRC-16 lets one in
65,536 pass; `crc_candidates` says how many there were. The board of the second part runs in a process of its own.
"""

import argparse
import multiprocessing
import random
import sys
import time
from multiprocessing.connection import Connection

from firmware_host.hand import moves
from firmware_host.link import Link
from firmware_host.messages import State
from firmware_host.protocol import FROM_BOARD, FROM_HOST, Decoder
from firmware_host.simulate import PtyBoard
from synth.command import add_json_argument, print_report

CHUNK_BYTES = 4096
FAST_HAND, NO_HAND = 20.0, 500.0
"""Detents a second: a quick spin; and so many that a STATE comes every 2 ms, the most that the protocol allows."""


def random_bytes(n_bytes: int, seed: int) -> dict[str, int]:
    """Both decoders on the same `n_bytes` random bytes; any exception ends the program."""
    generator = random.Random(seed)
    decoders = {"host": Decoder(FROM_BOARD), "board": Decoder(FROM_HOST)}
    for at in range(0, n_bytes, CHUNK_BYTES):
        data = generator.randbytes(min(CHUNK_BYTES, n_bytes - at))
        for decoder in decoders.values():
            decoder.feed(data)
    found = {"random_bytes": n_bytes}
    for name, decoder in decoders.items():
        candidates = sum(decoder.counts[reason] for reason in ("crc", "type", "fields", "version", "range"))
        found[f"{name}_frames"] = decoder.n_messages + sum(n for why, n in decoder.counts.items() if why != "lost")
        found[f"{name}_crc_candidates"] = decoder.n_messages + candidates
        found[f"{name}_false_messages"] = decoder.n_messages
    return found


def simulate(pipe: Connection, seconds: float, detents_per_s: float) -> None:
    """The other process: a board that turns, until it is told to end."""
    script = f"wait 1\nturn nw {detents_per_s * seconds} in {seconds}\n"
    with PtyBoard(moves(script)) as board:
        pipe.send(board.device)
        pipe.recv()


def host_cost(seconds: float, detents_per_s: float) -> dict[str, float]:
    """CPU time of this process while it reads a board that moves, as a share of one core."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=simulate, args=(theirs, seconds, detents_per_s))
    process.start()
    states: list[State] = []
    with Link(ours.recv(), on_state=states.append) as link:
        while not states or states[-1].encoders[0] == 0:
            time.sleep(0.01)
        n_before, cpu_s, wall_s = len(states), time.process_time(), time.monotonic()
        time.sleep(0.9 * seconds)
        cpu_s, wall_s = time.process_time() - cpu_s, time.monotonic() - wall_s
        n_states = len(states) - n_before
        lost = link.counts.get("lost", 0)
    ours.send(None)
    process.join()
    name = f"at_{detents_per_s:g}_detents_per_s"
    found = {"states_per_s": n_states / wall_s, "lost_frames": lost, "host_cpu_percent": 100.0 * cpu_s / wall_s}
    return {f"{name}_{key}": value for key, value in found.items()}


def main(arguments: list[str] | None = None) -> int:
    """Measure and print. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.board_wire", description=__doc__)
    parser.add_argument("--megabytes", type=float, default=10.0, help="random bytes for each decoder, in millions")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long the board turns")
    parser.add_argument("--seed", type=int, default=8)
    add_json_argument(parser)
    args = parser.parse_args(arguments)
    report: dict[str, float] = {**random_bytes(round(1e6 * args.megabytes), args.seed)}
    for detents_per_s in (FAST_HAND, NO_HAND):
        report |= host_cost(args.seconds, detents_per_s)
    print_report(report, as_json=args.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
