"""What the board's host costs, and how soon a knob reaches the engine: real host, real engine, simulated board.

    python -m benchmarks.board_host [--seconds 40]

Prints one JSON object. cpu_percent, of one core (the simulated board, which is in this process, not counted), and
states_per_s that the board sent, while one hand turns an encoder at 20 detents a second, one sweeps a knob from end to
end in half a second, and both at once; a quarter of the time each. knob_to_notice_ms (median, p99, worst): from the
hand's movement, through board, host and engine, back to another client, which is told of the moved parameter at once.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from firmware_host.events import Knob
from firmware_host.simulate import PtyBoard
from synth.io.client import Client

COUNT_S = 0.0125
"""Between two counts of the encoder; four are a detent."""
HAND_APART_S = 0.05
"""Between two timed movements: notices of one parameter come at most 30 times a second."""


def cpu_s(process: int) -> float:
    """Time that a process's threads have used, to the nanosecond; 10 ms, as in its stat, are a fifth of 1 % of 5 s."""
    threads = Path(f"/proc/{process}/task").iterdir()
    return sum(1e-9 * int((thread / "schedstat").read_text().split()[0]) for thread in threads)


def cost(board: PtyBoard, process: int, seconds: float, *, encoder: bool, knob: bool) -> dict[str, float]:
    """Of a board that moves all the time."""
    before_s, started_s, frames, n_frames = cpu_s(process), time.monotonic(), board.simulated._sequence, 0
    while (elapsed_s := time.monotonic() - started_s) < seconds:
        if knob:
            reading = round(abs(elapsed_s % 1.0 - 0.5) * 2046)
            board.do(lambda simulated, to=reading: simulated.knob(Knob.ATTACK, to))
        if encoder:
            board.do(lambda simulated, at=elapsed_s: simulated.turn(0, 1 if at % 2.0 < 1.0 else -1))
        time.sleep(COUNT_S)
        n_frames += (board.simulated._sequence - frames) % 256
        frames = board.simulated._sequence
    percent = 100.0 * (cpu_s(process) - before_s) / elapsed_s
    return {"cpu_percent": round(percent, 2), "states_per_s": round(n_frames / elapsed_s, 1)}


def measure(seconds: float, home: Path) -> dict[str, object]:
    """Three quarters of the time for the cost, one for single movements."""
    environment = {**os.environ, "TETRAD_HOME": str(home), "TETRAD_SOCKET": str(home / "s")}
    told: list[float] = []

    def notice(name: str, data: object) -> None:
        if name == "parameter_changed" and isinstance(data, dict) and data["parameter"] == "volume":
            told.append(time.monotonic())

    engine = subprocess.Popen([sys.executable, "-m", "synth", "--audio", "null", "--osc", "-1"], env=environment)
    with PtyBoard() as board:
        host = subprocess.Popen([sys.executable, "-m", "firmware_host", "--port", board.device], env=environment)
        client = Client(home / "s", name="benchmark", on_notice=notice)
        try:
            client.connect(60.0)
            client.subscribe(10.0)
            client.wait_for(lambda status: status["server"]["clients"] >= 2, 60.0)
            while not any(board.simulated.leds):
                time.sleep(0.05)
            for reading in (0, 1023):  # past the parameter's value: the knob takes hold
                board.do(lambda simulated, to=reading: simulated.knob(Knob.VOLUME, to))
                time.sleep(0.5)
            quarter_s = seconds / 4.0
            costs = {
                "encoder": cost(board, host.pid, quarter_s, encoder=True, knob=False),
                "knob": cost(board, host.pid, quarter_s, encoder=False, knob=True),
                "both": cost(board, host.pid, quarter_s, encoder=True, knob=True),
            }
            delays_ms = []
            for number in range(int(quarter_s / HAND_APART_S)):
                told.clear()
                moved_s = time.monotonic()
                board.do(lambda simulated, to=200 + 7 * (number % 100): simulated.knob(Knob.VOLUME, to))
                time.sleep(HAND_APART_S)
                if told:
                    delays_ms.append(1000.0 * (told[0] - moved_s))
        finally:
            client.close()
            for process in (host, engine):
                process.terminate()
                process.wait()
    delays_ms.sort()
    return {
        **costs,
        "knob_to_notice_ms": {
            "n": len(delays_ms),
            "median": round(delays_ms[len(delays_ms) // 2], 2),
            "p99": round(delays_ms[int(len(delays_ms) * 0.99)], 2),
            "worst": round(delays_ms[-1], 2),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=40.0, metavar="N", help="of measuring (default 40)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        print(json.dumps(measure(args.seconds, Path(home))))


if __name__ == "__main__":
    main()
