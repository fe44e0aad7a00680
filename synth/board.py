"""The encoder board's host beside the engine: a program of its own, found by its module's name alone.

It is a client like all others; what it says (a board that came or went, and why there is none) is told to everybody.
"""

import importlib.util
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from synth.companion import Companion

MODULE = "firmware_host"
MODULE_VARIABLE = "TETRAD_BOARD"
"""Of the environment: another module in its place."""
ANY, NONE = "any", "none"
"""Instead of a port: whichever a board is at; no board."""


def why_no_board_host(environment: Mapping[str, str] = os.environ) -> str:
    """Why the host can't be started here, in words; empty: it can."""
    module = environment.get(MODULE_VARIABLE, MODULE)
    if importlib.util.find_spec(module) is None:
        return f"the package {module} is missing; a whole installation has it; install Tetrad again"
    return ""


class BoardHost(Companion):
    """The host and its restarts. say: is told what it says, by a thread of its own, and what happens to it."""

    def __init__(
        self,
        port: str,
        socket: Path,
        say: Callable[[str], object],
        *,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """Starts it. port: a serial port, "sim" or ANY. socket: where it finds the engine."""
        module = environment.get(MODULE_VARIABLE, MODULE)
        command = [sys.executable, "-m", module, "--with-parent", "--socket", str(socket)]
        if port != ANY:
            command += ["--port", port]
        super().__init__("the board's host", command, environment, lambda words: say(f"Board: {words}"), speaks=True)
