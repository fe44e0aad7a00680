"""The touchscreen beside the engine: a program of its own, started with it, and again when it breaks down.

It is found by its module's name alone: this package knows nothing of it, and it is a client like all others. When the
player closes it (exit status 0) the engine ends too; when it ends otherwise it is started again (`synth.companion`).
"""

import importlib.util
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from synth.companion import Companion

MODULE = "ui"
MODULE_VARIABLE = "TETRAD_SCREEN"
"""Of the environment: another module in its place."""
SOCKET_VARIABLE = "TETRAD_SOCKET"
DRM_FOLDER = Path("/dev/dri")


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


class Screen(Companion):
    """The program and its restarts; `look` is true when the player has closed it.

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
        command = [sys.executable, "-m", module, "--with-parent", "--socket", str(socket)]
        if not _has_desktop(environment):
            command.append("--fullscreen")  # a bare graphics card has no windows
        super().__init__("the screen", command, {**environment, SOCKET_VARIABLE: str(socket)}, say)


def _has_desktop(environment: Mapping[str, str]) -> bool:
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
