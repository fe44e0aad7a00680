"""Detents that the board's firmware loses or gains, in simavr: fast, slow, bouncing and jerky turns of all encoders.

    python -m benchmarks.board_detents                  100,000 detents
    python -m benchmarks.board_detents --detents 5000 --seed 3

Meanwhile the knobs move, the switches are pressed and the computer sends LEDs. Each turn's speed is random, from 5 to
400 detents a second; each contact's change bounces for up to 2 ms, but not past 95 % of the time to the next change,
which itself varies by 30 %. After each turn of each encoder its count is compared with what was turned; switches and
frames are counted too. It runs faster than real time. The exit status is 1 when anything was lost or gained.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from pathlib import Path

from tests.hardware.board import CYCLES_PER_MS, Board, build, frame, state_of

LEDS, DIAGNOSTICS_REQUEST = 0x82, 0x85
STATE, DIAGNOSTICS = 2, 3
N_ENCODERS, N_SWITCHES, N_KNOBS = 4, 8, 6
FINAL_COUNT_MS = 110
"""An encoder's last count, within a detent, is told 100 ms after the STATE before."""
BOUNCE_US, BOUNCE_PERCENT, JITTER_PERCENT = 2000, 95, 30
SLOWEST_PER_S, FASTEST_PER_S = 5, 400


def turn_all(board: Board, chances: random.Random, at_rest: list[int]) -> int:
    """One turn of each encoder, moves of knobs and presses; returns detents, and adds counts to at_rest."""
    turned = 0
    for encoder in range(N_ENCODERS):
        # Even in the logarithm of the speed, a quarter at the fastest; about 0.3 s each, so that all turn at once.
        speed = FASTEST_PER_S if chances.random() < 0.25 else SLOWEST_PER_S * 80 ** chances.random()
        detents = max(1, round(speed * chances.uniform(0.1, 0.5)))
        signed = detents * chances.choice((-1, 1))
        board.command(f"turn {encoder} {signed} {speed:.2f} {BOUNCE_US} {BOUNCE_PERCENT} {JITTER_PERCENT}")
        at_rest[encoder] = (at_rest[encoder] + 4 * signed) & 0xFFFF
        turned += detents
    knob = chances.randrange(N_KNOBS)
    board.command(f"move {knob} {chances.randrange(5000)} {chances.randrange(5000)} 200")
    return turned


def measure(board: Board, n_detents: int, seed: int) -> dict[str, float]:
    """Turns at least n_detents and returns what was lost and gained, and how the board fared."""
    chances = random.Random(seed)
    board.command(f"seed {seed}")
    board.command("noise 5")
    expected, edges = [0] * N_ENCODERS, [0] * N_SWITCHES
    turned, wrong_counts, wrong_edges, sequence = 0, 0, 0, 0
    board.run(100)
    board.command("load")
    while turned < n_detents:
        switch = chances.randrange(N_SWITCHES)
        board.command(f"switch {switch} 1 4000")
        board.command("after 40")
        board.command(f"switch {switch} 0 4000")
        edges[switch] = (edges[switch] + 2) & 0xFF
        turned += turn_all(board, chances, expected)
        sequence = (sequence + 1) & 0xFF
        board.send(frame(sequence, LEDS, chances.randbytes(4)))
        board.command("settle")
        seen = [state_of(payload) for payload in board.run(FINAL_COUNT_MS) if payload[1] == STATE]
        state = seen[-1]
        wrong_counts += sum(
            abs((a - b + 0x8000 & 0xFFFF) - 0x8000) for a, b in zip(state.encoders, expected, strict=True)
        )
        expected = list(state.encoders)  # a lost detent counts once
        wrong_edges += sum(a != b for a, b in zip(state.switch_edges, edges, strict=True))
        edges = list(state.switch_edges)
    cycles, asleep, worst = (int(word) for word in board.command("load"))
    board.send(frame(0, DIAGNOSTICS_REQUEST))
    (answer,) = [payload for payload in board.run(20) if payload[1] == DIAGNOSTICS]
    told = [int.from_bytes(answer[at : at + 2], "little") for at in range(2, len(answer), 2)]
    return {
        "detents": turned,
        "contact_changes": int(board.command("edges")[0]),
        "counts_lost_or_gained": wrong_counts,
        "switch_edges_wrong": wrong_edges,
        "both_contacts_changed": sum(told[4:8]),
        "bad_frames": told[0],
        "frames_dropped": told[3],
        "board_s": round(cycles / CYCLES_PER_MS / 1000, 1),
        "mean_load_percent": round(100 * (cycles - asleep) / cycles, 1),
        "worst_100_ms_load_percent": worst / 10,
        "free_ram_bytes": told[9],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--detents", type=int, default=100_000, help="at least so many, of all encoders together")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Board(*build(Path(folder))) as board:
        begun = time.monotonic()
        found = measure(board, arguments.detents, arguments.seed)
    found["seconds"] = round(time.monotonic() - begun, 1)
    print(json.dumps(found, indent=1))
    if found["counts_lost_or_gained"] or found["switch_edges_wrong"]:
        raise SystemExit("Detents or presses were lost or gained.")


if __name__ == "__main__":
    main()
