"""An X server without a screen, and its mouse."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from types import TracebackType

import pytest

from tests.ui.engine import WITH_US

SIDE_PX = 1280
"""Both ways: windows of 1280x720 and of 480x800 fit."""


class Display:
    """Xvfb on the first number that is free; a context manager. name: for DISPLAY. command: in front of Xvfb."""

    def __init__(self, command: Sequence[str] = ()) -> None:
        if shutil.which("Xvfb") is None or shutil.which("xdotool") is None:
            pytest.fail("Xvfb or xdotool is missing; `make test` installs them (Debian packages xvfb, xdotool)")
        reading, writing = os.pipe()
        screen = f"{SIDE_PX}x{SIDE_PX}x24"
        try:
            self._server = subprocess.Popen(
                [*WITH_US, *command, "Xvfb", "-displayfd", str(writing), "-screen", "0", screen, "-nolisten", "tcp"],
                stderr=subprocess.DEVNULL,
                pass_fds=(writing,),
            )
        finally:
            os.close(writing)
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        if not number:
            self._server.wait()
            pytest.fail("Xvfb did not start")
        self.name = f":{number}"

    def mouse(self, *words: str | float) -> None:
        """xdotool's commands: `mouse("mousemove", 10, 20, "mousedown", 1)`, from the top left of the display."""
        command = ["xdotool", *(str(round(word)) if isinstance(word, float) else str(word) for word in words)]
        subprocess.run(command, env={**os.environ, "DISPLAY": self.name}, check=True, timeout=30)

    def __enter__(self) -> "Display":
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._server.terminate()
        self._server.wait(20)
