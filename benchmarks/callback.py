"""Does the sound card's callback wait for Python? Blocks a second that JACK gets, alone and beside a busy thread.

A synchronous server of our own runs freely, as fast as its clients answer. A silent engine is its client; then a
thread of the same process is busy with pure Python, and holds the interpreter lock whenever it can.

    python -m benchmarks.callback
"""

import argparse
import json
import sys
import threading
import time

import jack

from benchmarks.jack_server import jack_server
from synth.control.events import NoteOn
from synth.frames import SAMPLE_RATE_HZ
from synth.io.audio import AudioOutput, choose_output
from synth.live import SWITCH_INTERVAL_S, LiveEngine, LoopedScore
from synth.performance import DEFAULT_CORNERS, make_engine

BLOCK = 128
SETTLE_S = 0.3


def blocks_per_s(output: AudioOutput, seconds: float) -> float:
    """Of a running stream."""
    time.sleep(SETTLE_S)
    before, began_s = output.health().blocks, time.perf_counter()
    time.sleep(seconds)
    return (output.health().blocks - before) / (time.perf_counter() - began_s)


def measure(seconds: float, turns: int) -> dict[str, list[float]]:
    """Blocks a second, in turns: "alone" and "busy"."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)  # what the running instrument has
    found: dict[str, list[float]] = {"alone": [], "busy": []}
    with jack_server(BLOCK, synchronous=True) as server:
        live = LiveEngine(make_engine(DEFAULT_CORNERS, n_voices=8), LoopedScore([NoteOn(0)], SAMPLE_RATE_HZ))
        device = choose_output("JACK", SAMPLE_RATE_HZ)
        if device is None:
            raise SystemExit("no JACK output; install jackd2")
        with AudioOutput(device, live.source, sample_rate_hz=SAMPLE_RATE_HZ) as output:
            client = jack.Client("callback", servername=server, no_start_server=True)
            client.activate()
            client.set_freewheel(True)
            for _ in range(turns):
                found["alone"].append(blocks_per_s(output, seconds))
                stopping = threading.Event()

                def busy(stopping: threading.Event = stopping) -> None:
                    while not stopping.is_set():
                        sum(range(50))

                thread = threading.Thread(target=busy)
                thread.start()
                found["busy"].append(blocks_per_s(output, seconds))
                stopping.set()
                thread.join()
            client.set_freewheel(False)
            client.deactivate()
            client.close()
    return found


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2.5, help="of each turn (default %(default)s)")
    parser.add_argument("--turns", type=int, default=2)
    args = parser.parse_args()
    print(
        json.dumps({name: [round(rate) for rate in rates] for name, rates in measure(args.seconds, args.turns).items()})
    )


if __name__ == "__main__":
    main()
