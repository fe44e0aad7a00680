"""The screen as a process: started with a window, asked what it shows, touched where that is."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from tests.listening import wait_until
from tests.ui.display import Display
from tests.ui.touches import Panel, free_udp_port

END_WITHIN_S = 30.0


@dataclass(frozen=True)
class Seen:
    """A widget as it is seen. known: class, text, rectangle (left, bottom, right, top; px of the turned window, what
    scrolls cuts off left out), and what else it has of icon, name, disabled, active, page, corner, id."""

    known: Mapping[str, Any]

    @property
    def place(self) -> tuple[float, float]:
        """Its middle, for a panel's finger."""
        x, y = self.known["touch"]
        return x, y

    @property
    def text(self) -> str:
        """What it says; "" for a widget without words."""
        text = self.known.get("text", "")
        return text if isinstance(text, str) else ""

    @property
    def size_px(self) -> tuple[float, float]:
        """Width and height of what is seen of it."""
        left, bottom, right, top = self.known["rectangle"]
        return right - left, top - bottom


class Screen:
    """`python -m ui`, by way of tests/ui/screen_program.py.

    home: of the player's data, beside the engine's socket (`home / "s"`). size: before it is turned. display: an X
    server; without one the window is drawn in memory (SDL's offscreen driver). panel: ten fingers for it.
    """

    def __init__(
        self,
        home: Path,
        *,
        size: tuple[int, int] = (800, 480),
        rotation: int = 0,
        theme: str = "",
        fps: int = 60,
        display: Display | None = None,
        command: tuple[str, ...] = (),
    ) -> None:
        self.home, self.size, self.display = home, size, display
        port = free_udp_port()
        self.panel = Panel(port)
        self._report = home / f"screen-{port}.json"
        self._log = home / f"screen-{port}.log"
        self._known_troubles: list[str] = []
        self._command = [*command, sys.executable, "-m", "tests.ui.screen_program", "--socket", str(home / "s")]
        self._command += ["--size", f"{size[0]}x{size[1]}", "--rotation", str(rotation), "--fps", str(fps)]
        self._command += ["--tuio", f"127.0.0.1:{port}", *(["--theme", theme] if theme else [])]
        self._program: subprocess.Popen[str] | None = None
        self.ready_s = 0.0
        """From the start of the process to the first frame."""

    def start(self) -> None:
        """Start it; returns with its first frame."""
        began_s = time.monotonic()
        self.launch()
        self.ready_s = self._read()["ready"] - began_s

    def launch(self) -> None:
        """Start it, and wait for nothing."""
        environment = {**os.environ, "TETRAD_HOME": str(self.home), "TETRAD_SCREEN_REPORT": str(self._report)}
        environment |= {"KIVY_HOME": str(self.home / "kivy"), "PYTHONUNBUFFERED": "1"}
        # The tests may run in Kivy's own setting, or in a desktop's.
        for name in ("SDL_VIDEODRIVER", "DISPLAY", "WAYLAND_DISPLAY", "KIVY_NO_CONSOLELOG"):
            environment.pop(name, None)
        if self.display is None:
            environment["SDL_VIDEODRIVER"] = "offscreen"
        else:
            environment |= {"SDL_VIDEODRIVER": "x11", "DISPLAY": self.display.name, "LIBGL_ALWAYS_SOFTWARE": "1"}
        with self._log.open("w") as log:
            self._program = subprocess.Popen(
                self._command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )

    def ask(self, question: str, **values: Any) -> Any:
        """The answer to a question of screen_program.Window."""
        assert self._program is not None
        assert self._program.stdin is not None
        self._program.stdin.write(json.dumps({"ask": question, **values}) + "\n")
        self._program.stdin.flush()
        answer = self._read()
        assert "failed" not in answer, answer["failed"]
        return answer["answer"]

    def mirror(self, name: str) -> Any:
        """What its mirror says."""
        return self.ask("mirror", name=name)

    def wait_for_mirror(self, name: str, holds: Callable[[Any], object]) -> None:
        """Until a property of the mirror is so."""
        wait_until(lambda: holds(self.mirror(name)), f"mirror.{name} as wanted")

    def connected(self) -> "Screen":
        """Itself, once it hears the engine."""
        self.wait_for_mirror("connection", lambda state: state == "connected")
        self.wait_for_mirror("parameters", bool)
        return self

    def widgets(self, **known: Any) -> list[Seen]:
        """What is seen, of what has these values: `widgets(text="Save")`, `widgets(**{"class": "Tile"})`."""
        seen = [Seen(one) for one in self.ask("widgets")]
        return [one for one in seen if all(one.known.get(name) == value for name, value in known.items())]

    def resting(self, **known: Any) -> list[Seen]:
        """The widgets that have these values; waits for one, and until none moves: they may be about to be laid out,
        or scroll on after a swipe."""
        found: list[Seen] = []

        def look() -> bool:
            before = [one.known["rectangle"] for one in found]
            found[:] = self.widgets(**known)
            return bool(found) and [one.known["rectangle"] for one in found] == before

        wait_until(look, f"a widget with {known} at rest on the screen")
        return found

    def find(self, **known: Any) -> Seen:
        """The topmost of them."""
        return self.resting(**known)[-1]

    def texts(self) -> list[str]:
        """All words that are seen, from the bottom to the top of the layers."""
        return [one.text for one in self.widgets() if one.text]

    def tap(self, **known: Any) -> None:
        """A finger taps the widget that has these values."""
        self.panel.tap(*self.find(**known).place)

    def click(self, **known: Any) -> None:
        """The mouse of the X server does."""
        assert self.display is not None, "a screen without X has no mouse"
        across, down = self.find(**known).place
        window = self.ask("window")
        x = window["left"] + across * (self.size[0] - 1)
        y = window["top"] + down * (self.size[1] - 1)
        self.display.mouse("mousemove", x, y, "mousedown", 1, "sleep", 0.06, "mouseup", 1)

    def show(self, page: str) -> None:
        """Go to a page without touching."""
        self.ask("show", page=page)
        assert self.ask("page") == page

    def picture(self, path: Path) -> Path:
        """Of the window, as a PNG file."""
        self.ask("picture", path=str(path))
        return path

    def image(self) -> Image.Image:
        """Of the window, RGB."""
        with Image.open(self.picture(self.home / "seen.png")) as picture:
            return picture.convert("RGB")

    def frames(self) -> list[float]:
        """When frames were shown since the last question, s of the monotonic clock."""
        times: list[float] = self.ask("frames")
        return times

    @property
    def alive(self) -> bool:
        """It runs."""
        return self._program is not None and self._program.poll() is None

    @property
    def pid(self) -> int:
        """Number of its process."""
        assert self._program is not None
        return self._program.pid

    @property
    def troubles(self) -> list[str]:
        """Exceptions, errors of the log, and a wrong end, up to now."""
        if self.alive:
            return list(self.ask("troubles"))
        return self._known_troubles

    def close(self) -> None:
        """End it as closing its window does, and take down what went wrong."""
        self.panel.unplug()
        if self._program is None:
            return
        program = self._program
        try:
            program.communicate(timeout=END_WITHIN_S)  # the end of its input ends it
        except subprocess.TimeoutExpired:
            program.send_signal(signal.SIGKILL)
            program.communicate()
            self._known_troubles.append(f"the screen did not end in {END_WITHIN_S:g} s")
        if self._report.exists():
            self._known_troubles += json.loads(self._report.read_text())
        if program.returncode != 0:
            self._known_troubles.append(f"the screen ended with {program.returncode}: {self._log.read_text()[-3000:]}")
        self._program = None

    def _read(self) -> dict[str, Any]:
        assert self._program is not None
        assert self._program.stdout is not None
        line = self._program.stdout.readline()
        if not line:
            status = self._program.wait()
            raise AssertionError(f"the screen ended with {status}: {self._log.read_text()[-3000:]}")
        message: dict[str, Any] = json.loads(line)
        return message
