"""What an engine and its supervisor say to each other (`synth.play_supervisor`), and the engine's end of it."""

import os
import shlex
import socket
import threading
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import NamedTuple

LINK_VARIABLE = "TETRAD_SUPERVISOR"
"""Of the environment: number of the inherited socket."""
AGAIN_VARIABLE = "TETRAD_AGAIN"
"""The engine is started again after a break-down: what sounded last counts, not what the command line says of it."""


class Ready(NamedTuple):
    """The engine plays. board: as `tetrad play --board` takes it. socket: where clients find it."""

    screen: bool
    board: str
    socket: Path


def ready_line(ready: Ready) -> bytes:
    """For the supervisor."""
    return shlex.join(["ready", str(int(ready.screen)), ready.board, str(ready.socket)]).encode() + b"\n"


def read_ready(line: bytes) -> Ready | None:
    """None for another line."""
    try:
        word, screen, board, path = shlex.split(line.decode())
    except ValueError:
        return None
    return Ready(screen == "1", board, Path(path)) if word == "ready" else None


class SupervisorLink:
    """The engine's end."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.set_inheritable(False)  # a worker that outlives us must not hold it open

    def ready(self, ready: Ready, say: Callable[[str], object], ended: Callable[[], object]) -> None:
        """Tell that it plays. say: is told what the supervisor says, ended: that it is gone, both by another thread."""
        threading.Thread(target=self._listen, args=(say, ended), name="supervisor", daemon=True).start()
        self._socket.sendall(ready_line(ready))

    def _listen(self, say: Callable[[str], object], ended: Callable[[], object]) -> None:
        with self._socket.makefile("r", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                say(line.rstrip("\n"))
        ended()


def supervisor_link(environment: MutableMapping[str, str] = os.environ) -> SupervisorLink | None:
    """None where nobody supervises. Takes it out of the environment: it is not for our own children."""
    number = environment.pop(LINK_VARIABLE, "")
    return SupervisorLink(int(number)) if number.isdecimal() else None
