"""The whole instrument at full speed: is nothing lost, stuck or broken after two hours?

    python -m benchmarks.device_soak --minutes 120 --log soak.jsonl

`tetrad play` with its touchscreen (on an X server without a screen) and a board's host (on a simulated board), as it
starts them itself. At once and at random: keys, wheels and pedals by MIDI bytes on a DIN line, up to five fingers,
encoders, knobs and buttons, the cable pulled out, and a script that sets, saves, loads, renames, removes, undoes,
changes corners, records gestures and imports sung notes. Beside it a trivial callback of its own is the control for
lost blocks. After every minute all is let go, and looked at; a JSON line of it is added to the log, from which
`--summarize` makes the report of a soak that was cut off. Exit status 1: a limit was broken.
"""

import argparse
import contextlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.jack_server import jack_server
from benchmarks.soaking.control import Control
from benchmarks.soaking.costs import Memory, processes, stolen_s
from benchmarks.soaking.hands import Fingers, Hand, Keyboard, Player
from benchmarks.soaking.ledger import Ledger
from benchmarks.soaking.report import broken, markdown, report
from benchmarks.soaking.script import Script, silence
from benchmarks.soaking.window import Window, WindowGoneError
from firmware_host.simulate import PtyBoard
from synth.command import stop_signals
from synth.errors import TetradError
from tests.ui.display import Display
from tests.ui.engine import WITH_US

ROOT = Path(__file__).resolve().parents[1]
START_WITHIN_S = 180.0
"""The very first start compiles for a minute, on a quiet machine."""
END_WITHIN_S = 60.0
NOTES_END_WITHIN_S = 10.0
BROKE_DOWN = re.compile(r"broke down|does not start")
"""What `synth.companion` says of a screen or a board's host."""


class Instrument:
    """`tetrad play` with screen and board; a context manager that ends it as a player does, and takes down how.

    home: of its data. arguments: more of `tetrad play`. pin: cores for `taskset`, or "".
    """

    def __init__(self, home: Path, arguments: Sequence[str], environment: dict[str, str], pin: str = "") -> None:
        self.socket = home / "s"
        self.crashes: list[str] = []
        self._said_path, self._read_bytes = home / "said", 0
        pinned = ["taskset", "-c", pin] if pin else []
        command = [*WITH_US, *pinned, sys.executable, "-m", "synth.cli", "play", "--headless", "--screen", "--fresh"]
        command += ["--osc", "-1", "--socket", str(self.socket), *arguments]
        with self._said_path.open("w") as said:
            self._program = subprocess.Popen(
                command, env={**os.environ, **environment}, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        self.pid = self._program.pid
        self._ended = False

    @property
    def alive(self) -> bool:
        return self._program.poll() is None

    def new_crashes(self) -> list[str]:
        """Since the last call: an end that nobody wished, tracebacks, screens and hosts that broke down."""
        with self._said_path.open("rb") as said:
            said.seek(self._read_bytes)
            words = said.read()
        self._read_bytes += len(words)
        text = words.decode(errors="replace")
        self.crashes += [line for line in text.splitlines() if BROKE_DOWN.search(line)]
        if "Traceback (most recent call last)" in text:
            self.crashes.append(text[text.index("Traceback (most recent call last)") :][:3000])
        if not self.alive and not self._ended:
            self._ended = True
            self.crashes.append(f"the engine ended with {self._program.returncode}: {text[-1000:]}")
        found, self.crashes = self.crashes, []
        return found

    def end(self) -> None:
        """As by Ctrl-C; what is wrong with its end is among the next `new_crashes`."""
        if self._ended or not self.alive:
            return
        beside = processes(self.pid)
        self._program.terminate()
        try:
            self._program.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._program.kill()
            self._program.wait()
            self.crashes.append(f"the engine did not end in {END_WITHIN_S:g} s")
        self._ended = True
        if self._program.returncode != 0:
            self.crashes.append(f"the engine ended with {self._program.returncode}")
        left = [part for part, process in beside.items() if Path(f"/proc/{process}").exists()]
        self.crashes += [f"the {part} was left behind by the engine" for part in left]

    def __enter__(self) -> "Instrument":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


class Soak:
    """All that plays, and all that looks. `minute` is one row of the log."""

    def __init__(self, instrument: Instrument, script: Script, window: Window, hands: Sequence[Player], control: Control):
        self.instrument, self.script, self.window, self.control = instrument, script, window, control
        self.players: list[Player] = [*hands, script]
        self._began_s = time.monotonic()
        self._before = self._counts()

    def minute(self, seconds: float, stopping: threading.Event, memory: Memory, ledger: Ledger, hand: Hand) -> dict[str, Any]:
        """Everybody plays for so long; then all is let go, and looked at."""
        began_s, stolen = time.monotonic(), stolen_s()
        troubles = self._play(seconds, stopping)
        played_s = time.monotonic() - began_s
        after = self._counts()
        change = {name: after[name] - self._before[name] for name in after}
        if hand.holds:  # such a press has saved what sounded under any of the board's numbers
            ledger.maybe_overwritten()
            hand.holds = 0
        troubles += self._let_go()
        stuck, lost = self._look(ledger, troubles)
        self._before = self._counts()  # what is lost while nobody plays is no minute's
        crashes = [*self.instrument.new_crashes(), *self._screens_troubles()]
        return {
            "row": "minute",
            "at_s": round(time.monotonic() - self._began_s, 1),
            "seconds": round(played_s, 1),
            "done": {name[5:]: count for name, count in change.items() if name.startswith("done ") and count},
            "crashes": crashes,
            "stuck_notes": stuck,
            "lost_patches": lost,
            "troubles": troubles,
            "blocks": change["control blocks"],
            "lost_blocks": {"ours": change["underflows"], "control": change["control lost"]},
            "late_frames": change["late_frames"],
            "lost_segments": change["lost_segments"],
            "dropped_events": change["dropped_events"],
            "midi_dropped": change["midi dropped"],
            "frames_per_s": None if played_s <= 0.0 else round(change["frames shown"] / played_s, 1),
            "memory_mb": memory.medians(),
            "patches": len(ledger.patches),
            "stolen_s": round(stolen_s() - stolen, 3),
            "load": round(os.getloadavg()[0], 2),
        }

    def _play(self, seconds: float, stopping: threading.Event) -> list[str]:
        over = threading.Event()
        with ThreadPoolExecutor(len(self.players)) as pool:
            playing = [pool.submit(player.play, over) for player in self.players]
            end_s = time.monotonic() + seconds
            while time.monotonic() < end_s and not stopping.is_set() and self.instrument.alive:
                time.sleep(0.1)
            over.set()
        return [f"{type(one.exception()).__name__}: {one.exception()}" for one in playing if one.exception() is not None]

    def _let_go(self) -> list[str]:
        troubles = []
        for player in self.players:
            try:
                player.let_go()
            except TetradError as error:
                troubles.append(f"nothing could be let go: {error}")
        return troubles

    def _look(self, ledger: Ledger, troubles: list[str]) -> tuple[list[Any], list[str]]:
        """Notes that are stuck, and patches that are lost."""
        stuck: list[Any] = []
        lost: list[str] = []
        try:
            stuck = silence(self.script, NOTES_END_WITHIN_S)
            if stuck:
                self.script.client.request("panic")
            listed = self.script.client.request("patches", timeout_s=END_WITHIN_S)["patches"]
            lost = ledger.lost(row["name"] for row in listed)
        except TetradError as error:
            troubles.append(f"the engine could not be asked: {error}")
        troubles += self.script.troubles
        self.script.troubles = []
        return stuck, lost

    def _counts(self) -> Counter[str]:
        """Whatever only grows, engine, control and players."""
        counts: Counter[str] = Counter()
        with contextlib.suppress(TetradError):  # the engine has ended: told as a crash
            status = self.script.client.request("status", timeout_s=END_WITHIN_S)
            health = status["health"]
            for name in ("underflows", "late_frames", "lost_segments", "dropped_events"):
                counts[name] = health[name]
            counts["midi dropped"] = status["midi"]["dropped"]
        with contextlib.suppress(WindowGoneError):
            counts["frames shown"] = len(self.window.ask("frames"))
        control = self.control.counts()
        counts["control blocks"], counts["control lost"] = control["blocks"], control["lost"]
        for player in self.players:
            counts.update({f"done {name}": count for name, count in player.counts.items()})
        return counts

    def _screens_troubles(self) -> list[str]:
        return []


def main() -> int:
    return 0


if __name__ == "__main__":
    sys.exit(main())
