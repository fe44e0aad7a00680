"""What the server costs the audio beside it, and how soon a touch is with the engine: `python -m benchmarks.server`.

Starts a server with a trivial handler, and beside it, in the same process, a thread that wakes every 2.67 ms, as an
audio callback of 128 samples at 48 kHz does. How late it wakes is compared: without clients; with three screens that
subscribe; with a client that floods; with one that sends without newlines; with one that asks and never reads.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from synth.control.commands import Command, CommandHandler
from synth.control.parameters import PARAMETERS
from synth.io.client import Client
from synth.io.server import Server

PERIOD_S = 128 / 48_000

SCREEN = """
import sys
from synth.io.client import Client
with Client(sys.argv[1]) as client:
    client.subscribe()
    print("ready", flush=True)
    sys.stdin.read()
"""
SENDER = """
import socket, sys
ours = socket.socket(socket.AF_UNIX)
ours.connect(sys.argv[1])
ours.sendall(b'{"command": "hello", "protocol": 1}\\n')
print("ready", flush=True)
while True:
    ours.sendall(%s)
"""
LOADS = {
    "none": [],
    "three screens": [SCREEN] * 3,
    "a flood of commands": [SENDER % """b'{"command": "set", "parameter": "x", "value": 0.5}\\n' * 1000"""],
    "a flood of nonsense": [SENDER % "b'nonsense\\n' * 1000"],
    "no newlines": [SENDER % "b'x' * 2**20"],
    "asks and never reads": [SENDER % """b'{"command": "parameters", "id": 1}\\n' * 1000"""],
}


class TrivialEngine(CommandHandler):
    """Keeps the parameters; a status like the engine's, in which something changes every time."""

    def __init__(self) -> None:
        self.values = {parameter.name: parameter.default for parameter in PARAMETERS}
        self.arrived_s: list[float] = []

    def handle(self, command: Command) -> Mapping[str, Any]:
        if command.name == "point":
            self.arrived_s.append(time.monotonic())
        elif command.name == "set":
            self.values[command["parameter"]] = command["value"]
        return {}

    def status(self) -> Mapping[str, Any]:
        now_s = time.monotonic()
        notes = [{"channel": 0, "key": key, "x": now_s % 1, "y": 0.5, "level_db": -now_s % 60} for key in range(16)]
        return {"parameters": dict(self.values), "notes": notes, "levels": {"peak_dbfs": [-now_s % 60, -3.0]}}


def wake_ups(seconds: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """How late a thread wakes that wants to wake every period, seconds."""
    late: list[float] = []

    def run() -> None:
        due_s = time.monotonic()
        end_s = due_s + seconds
        while due_s < end_s:
            due_s += PERIOD_S
            time.sleep(max(due_s - time.monotonic(), 0.0))
            late.append(time.monotonic() - due_s)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return np.array(late)


def touch_to_command_ms(path: Path, engine: TrivialEngine, n_touches: int) -> dict[str, float]:
    """From `Client.send` to `CommandHandler.handle`, a touch every 8 ms."""
    sent_s = []
    with Client(path) as client:
        engine.arrived_s.clear()
        for n in range(n_touches):
            sent_s.append(time.monotonic())
            client.send("point", x=n / n_touches, y=0.5, touching=True)
            time.sleep(0.008)
        client.request("ping")
    took_ms = 1000.0 * (np.array(engine.arrived_s[:n_touches]) - np.array(sent_s))
    return {"median": float(np.median(took_ms)), "worst": float(took_ms.max())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        engine = TrivialEngine()
        path = Path(folder) / "engine.sock"
        with Server(engine, path):
            for load, programs in LOADS.items():
                processes = [
                    subprocess.Popen(
                        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
                    )
                    for code in programs
                ]
                for process in processes:
                    assert process.stdout is not None
                    process.stdout.readline()
                cpu_s, wall_s = time.process_time(), time.monotonic()
                late = wake_ups(args.seconds)
                share = (time.process_time() - cpu_s) / (time.monotonic() - wall_s)
                touch = touch_to_command_ms(path, engine, round(args.seconds * 50))
                for process in processes:
                    process.kill()
                    process.communicate()
                rows.append(
                    {
                        "load": load,
                        "late_ms": {
                            "median": 1000.0 * float(np.median(late)),
                            "p999": 1000.0 * float(np.quantile(late, 0.999)),
                        },
                        "later_than_a_period": int((late > PERIOD_S).sum()),
                        "wake_ups": len(late),
                        "process_share": share,
                        "touch_ms": touch,
                    }
                )
    if args.json:
        print(json.dumps({"rows": rows}))
        return
    print(
        f"{'load':22} {'late median':>12} {'p99.9':>9} {'> 2.67 ms':>10} {'of a core':>10} {'touch median, worst':>22}"
    )
    for row in rows:
        late_ms, touch = row["late_ms"], row["touch_ms"]
        print(
            f"{row['load']:22} {late_ms['median']:9.2f} ms {late_ms['p999']:6.2f} ms "
            f"{row['later_than_a_period']:4} /{row['wake_ups']:5} {100 * row['process_share']:8.1f} % "
            f"{touch['median']:8.2f} ms, {touch['worst']:6.2f} ms"
        )


if __name__ == "__main__":
    main()
