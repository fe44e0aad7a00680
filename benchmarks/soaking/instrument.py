"""`tetrad play` with screen and board as a soak starts it: ended as a player does, and its crashes told."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.soaking.costs import processes
from tests.ui.engine import WITH_US

ROOT = Path(__file__).resolve().parents[2]
END_WITHIN_S = 60.0
BROKE_DOWN = re.compile(r"broke down|does not start")
"""What `synth.companion` says of a screen or a board's host."""
TRACEBACK = "Traceback (most recent call last)"
MOST_WORDS = 3000


class Instrument:
    """`tetrad play` with screen and board; a context manager that ends it as a player does, and takes down how.

    home: of its data. arguments: more of `tetrad play`. pin: cores for `taskset`, or "".
    """

    def __init__(self, home: Path, arguments: Sequence[str], environment: Mapping[str, str], pin: str = "") -> None:
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
        if TRACEBACK in text:
            self.crashes.append(text[text.index(TRACEBACK) :][:MOST_WORDS])
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
