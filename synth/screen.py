"""The touchscreen beside the engine: a program of its own, started with it, and again when it breaks down.

It is found by its module's name alone: this package knows nothing of it, and it is a client like all others. When the
player closes it (exit status 0) the engine ends too; when it ends otherwise it is started again, at most
MOST_STARTS times in STARTS_WITHIN_S.
"""

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

MODULE = "ui"
MODULE_VARIABLE = "TETRAD_SCREEN"
"""Of the environment: another module in its place."""
SOCKET_VARIABLE = "TETRAD_SOCKET"
DRM_FOLDER = Path("/dev/dri")
MOST_STARTS = 3
"""Again, after the first."""
STARTS_WITHIN_S = 60.0
ENDS_WITHIN_S = 3.0


def why_no_screen(environment: Mapping[str, str] = os.environ, drm_folder: Path = DRM_FOLDER) -> str:
    """Why no screen can be shown here, in words; empty: it can. A window needs X or Wayland; without them the screen
    needs a graphics card that this user may open."""
    module = environment.get(MODULE_VARIABLE, MODULE)
    if importlib.util.find_spec(module) is None:
        return f"the package {module} is missing; a whole installation has it; install Tetrad again"
    if _has_desktop(environment):
        return ""
    cards = sorted(drm_folder.glob("card*"))
    if any(os.access(card, os.R_OK | os.W_OK) for card in cards):
        return ""
    if cards:
        return f"{cards[0]} may not be opened; join the group video, or start from a desktop"
    return "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set, and there is no graphics card)"


class Screen:
    """The program and its restarts. One thread calls `look` some times a second; `close` ends it.

    say: is told, in words, what happens to it.
    """

    def __init__(
        self,
        socket: Path,
        say: Callable[[str], object],
        *,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """Starts it. socket: where it finds the engine."""
        module = environment.get(MODULE_VARIABLE, MODULE)
        self._command = [sys.executable, "-m", module, "--socket", str(socket)]
        if not _has_desktop(environment):
            self._command.append("--fullscreen")  # a bare graphics card has no windows
        self._environment = {**environment, SOCKET_VARIABLE: str(socket)}
        self._say = say
        self._restarts_s: list[float] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._start()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def look(self) -> bool:
        """Start it again if it has broken down. True when the player has closed it."""
        status = None if self._process is None else self._process.poll()
        if status is None:
            return False
        self._process = None
        if status == 0:
            return True
        now_s = time.monotonic()
        self._restarts_s = [at_s for at_s in self._restarts_s if now_s - at_s < STARTS_WITHIN_S]
        words = f"the screen broke down ({_ended(status)})"
        if len(self._restarts_s) >= MOST_STARTS:
            self._say(f"{words} {MOST_STARTS + 1} times within a minute and stays off; the sound goes on; start again")
            return False
        self._restarts_s.append(now_s)
        self._say(f"{words}; it is started again")
        self._start()
        return False

    def close(self) -> None:
        """End it, if it runs."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _start(self) -> None:
        try:
            # In a session of its own: Ctrl-C in the engine's terminal is the engine's, which ends the screen itself.
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdin=subprocess.DEVNULL, start_new_session=True
            )
        except OSError as error:
            self._say(f"the screen does not start ({error.strerror}); room for a process was expected; end another")


def _has_desktop(environment: Mapping[str, str]) -> bool:
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def _ended(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"
