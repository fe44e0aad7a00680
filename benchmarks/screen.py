"""The touch screen in a real window: how soon a touch is a command, frames, costs, start and memory.

    python -m benchmarks.screen [--json]

The window is 800x480 on an X server without a screen (Xvfb), drawn by software; screen and X server have one core, the
engine, its JACK server and this program another. Fingers are TUIO packets to the screen's process. A socket between
screen and engine writes down when commands pass.
"""

import argparse
import contextlib
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.jack_server import jack_server
from benchmarks.screen_wire import Wire, cpu_s, memory_mb
from synth.io.client import Client, ClientError
from tests.ui.display import Display
from tests.ui.engine import EngineProcess
from tests.ui.screen import Screen

VOICES = 16
TOUCHES = 240
BLOCK = 256
SETTLE_S = 2.0
STARTS = 5
GOALS = {
    "touch to command, median": (20.0, "ms"),
    "touch to command, worst": (40.0, "ms"),
    "frames, a finger moves": (25.0, "1/s"),
    "frames, a finger rests": (25.0, "1/s"),
    "blocks lost beside the screen": (0.0, ""),
    "idle": (5.0, "% of a core"),
    "start to touch, median": (3.0, "s"),
    "memory, pss": (250.0, "MB"),
}
AT_LEAST = {"frames, a finger moves", "frames, a finger rests"}


class Place:
    """Where screens of the benchmark are: their data, X server, core, and the socket that they are given.

    pin: cores for `taskset`. command: what a screen is started with.
    """

    def __init__(self, home: Path, display: Display, pin: str) -> None:
        self.home, self.display = home, display
        self.command = ("taskset", "-c", pin)

    @contextlib.contextmanager
    def screen(self) -> Iterator[Screen]:
        """A screen, and its end."""
        screen = Screen(self.home, display=self.display, command=self.command)
        try:
            screen.start()
            yield screen
        finally:
            screen.close()
        if screen.troubles:
            raise SystemExit("\n".join(screen.troubles))


def hold(client: Client) -> None:
    """16 notes that sound until `panic`."""
    client.send("panic")
    for n in range(VOICES):
        client.send("note_on", key=36 + 3 * n, velocity=60 + 3 * n, channel=n)
    try:
        client.wait_for(lambda status: status["voices"]["sounding"] == VOICES, 30.0)
    except ClientError:
        voices = client.status["voices"]
        raise SystemExit(
            f"{voices['sounding']} of {VOICES} notes sound, for the engine's governor allows {voices['limit']}: blocks "
            "or frames come late on this machine now; end what else runs, and measure again"
        ) from None


def touch_delays_ms(screen: Screen, wire: Wire, touches: int) -> list[float]:
    """From a finger's packet to the first command of it on the socket, for fingers that come at any time."""
    chance = random.Random(7)
    area = screen.find(**{"class": "Surface"}).place
    delays: list[float] = []
    for _ in range(touches):
        seen = len(wire.passed)
        began_s = time.monotonic()
        finger = screen.panel.put(area[0] + chance.uniform(-0.2, 0.2), area[1] + chance.uniform(-0.2, 0.2))
        end_s = began_s + 2.0
        first = None
        while first is None and time.monotonic() < end_s:
            time.sleep(0.001)
            came = [one for one in wire.passed[seen:] if one.command.get("command") in ("point", "note_on")]
            first = came[0] if came else None
        if first is None:
            raise SystemExit("a touch on the surface sent no command in 2 s")
        delays.append(1000.0 * (first.time_s - began_s))
        time.sleep(chance.uniform(0.02, 0.08))
        screen.panel.lift(finger)
        time.sleep(chance.uniform(0.05, 0.12))
    return delays


def frames_per_second(screen: Screen, seconds: float, work: Callable[[float], object]) -> float:
    """Frames that were shown while `work(seconds)` was done."""
    screen.frames()
    began_s = time.monotonic()
    work(seconds)
    took_s = time.monotonic() - began_s
    return len(screen.frames()) / took_s


def moving(screen: Screen) -> Callable[[float], None]:
    """A finger on the surface that never rests."""
    x, y = screen.find(**{"class": "Surface"}).place

    def work(seconds: float) -> None:
        finger = screen.panel.put(x, y)
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            for dx, dy in ((0.25, 0.2), (-0.25, 0.2), (-0.25, -0.2), (0.25, -0.2)):
                screen.panel.drag(finger, (x + dx, y + dy), 0.5)
        screen.panel.lift(finger)

    return work


def resting(screen: Screen) -> Callable[[float], None]:
    """A finger on the surface that rests."""
    x, y = screen.find(**{"class": "Surface"}).place

    def work(seconds: float) -> None:
        finger = screen.panel.put(x, y)
        time.sleep(seconds)
        screen.panel.lift(finger)

    return work


def lost_blocks(client: Client) -> int:
    """Blocks that came too late, since the engine's start."""
    return int(client.request("status", timeout_s=30.0)["health"]["underflows"])


def stolen_s() -> float:
    """What a virtual machine's host took from its cores since the start (proc(5), "steal"), in seconds."""
    return int(Path("/proc/stat").read_text().split()[8]) / os.sysconf("SC_CLK_TCK")


def idle_share(pid: int, seconds: float) -> float:
    """% of a core that a process uses."""
    before = cpu_s(pid)
    time.sleep(seconds)
    return 100.0 * (cpu_s(pid) - before) / seconds


def start_to_touch_s(place: Place, wire: Wire) -> float:
    """From the start of the program to the first command of a finger that taps all the time."""
    seen = len(wire.passed)
    screen = Screen(place.home, display=place.display, command=place.command)
    began_s = time.monotonic()
    screen.launch()
    try:
        while not any(one.command.get("command") in ("point", "note_on") for one in wire.passed[seen:]):
            screen.panel.tap(0.4, 0.45, 0.02)
            time.sleep(0.02)
            if time.monotonic() - began_s > 60.0:
                raise SystemExit("the screen took no touch in 60 s")
        first = next(one for one in wire.passed[seen:] if one.command.get("command") in ("point", "note_on"))
    finally:
        screen.close()
    return first.time_s - began_s


def measure(touches: int, seconds: float, screen_core: str, engine_core: str, block: int = BLOCK) -> dict[str, Any]:
    """All of it."""
    os.sched_setaffinity(0, {int(engine_core)})  # the engine and its server inherit it
    found: dict[str, Any] = {"load before": os.getloadavg()[0]}
    with (
        tempfile.TemporaryDirectory(prefix="tetrad-") as folder,
        jack_server(block, synchronous=False),
        Display(("taskset", "-c", screen_core)) as display,
    ):
        engine_home, home = Path(folder) / "engine", Path(folder) / "screen"
        engine_home.mkdir()
        home.mkdir()
        with EngineProcess(engine_home, "--audio", "jack", "--voices", str(VOICES)) as engine:
            engine.start()
            client = engine.client
            client.wait_for(lambda status: "voices" in status, 60.0)
            hold(client)
            time.sleep(SETTLE_S)
            before, stolen = lost_blocks(client), stolen_s()
            time.sleep(2.0 * seconds)
            found["blocks lost alone"] = lost_blocks(client) - before
            found["stolen from the cores meanwhile"] = f"{1000.0 * (stolen_s() - stolen):.0f} ms"
            place = Place(home, display, screen_core)
            with Wire(home / "s", engine.socket) as wire:
                with place.screen() as screen:
                    screen.connected()
                    time.sleep(SETTLE_S)
                    hold(client)
                    before, stolen = lost_blocks(client), stolen_s()
                    found["frames, a finger moves"] = frames_per_second(screen, seconds, moving(screen))
                    hold(client)
                    found["frames, a finger rests"] = frames_per_second(screen, seconds, resting(screen))
                    found["blocks lost beside the screen"] = lost_blocks(client) - before
                    found["stolen meanwhile"] = f"{1000.0 * (stolen_s() - stolen):.0f} ms"
                    found["blocks"] = round(2.0 * seconds * 48_000 / block)
                    hold(client)
                    delays = touch_delays_ms(screen, wire, touches)
                    found["touches"] = touches
                    found["touch to command, median"] = statistics.median(delays)
                    found["touch to command, 95 %"] = statistics.quantiles(delays, n=20)[-1]
                    found["touch to command, worst"] = max(delays)
                    client.send("panic")
                    time.sleep(6.0)  # what rings on, and the trail, have gone
                    found["idle"] = idle_share(screen.pid, 10.0)
                    memory = memory_mb(screen.pid)
                    found["memory, rss"], found["memory, pss"] = memory["rss"], memory["pss"]
                starts = [start_to_touch_s(place, wire) for _ in range(STARTS)]
                found["starts"] = starts
                found["start to touch, median"] = statistics.median(starts)
    found["load after"] = os.getloadavg()[0]
    return found


def table(found: dict[str, Any]) -> str:
    """Measured and asked, a line each."""
    lines = []
    for name, value in found.items():
        if isinstance(value, list):
            words = ", ".join(f"{one:.2f}" for one in value)
        else:
            words = f"{value:.1f}" if isinstance(value, float) else str(value)
        if name in GOALS:
            goal, unit = GOALS[name]
            reached = value >= goal if name in AT_LEAST else value <= goal
            words += f" {unit} ({'at least' if name in AT_LEAST else 'at most'} {goal:g}: {'yes' if reached else 'NO'})"
        lines.append(f"{name:32} {words}")
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--touches", type=int, default=TOUCHES, help="(default %(default)s)")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each count of frames (default %(default)s)")
    parser.add_argument("--screen-core", default="0", help="of screen and X server (default %(default)s)")
    parser.add_argument("--engine-core", default="1", help="of all else (default %(default)s)")
    parser.add_argument("--block", type=int, default=BLOCK, help="of the sound server, samples (default %(default)s)")
    args = parser.parse_args()
    found = measure(args.touches, args.seconds, args.screen_core, args.engine_core, args.block)
    print(json.dumps(found) if args.json else table(found))


if __name__ == "__main__":
    main()
