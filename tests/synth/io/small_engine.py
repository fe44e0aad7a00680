"""A handler for the server's tests, and a client that knows nothing but sockets."""

import concurrent.futures
import json
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synth.control.commands import Command, CommandHandler
from synth.control.parameters import PARAMETERS
from synth.errors import TetradError

LIMIT_S = 60.0
"""Longer than anything takes here, on any machine; a test that waits so long has failed."""


class SmallEngine(CommandHandler):
    """Keeps every parameter and the keys that are down. corner and keep take their time: until `finish` is called."""

    def __init__(self) -> None:
        self.values = {parameter.name: parameter.default for parameter in PARAMETERS}
        self.keys: list[tuple[int, int]] = []
        self.commands: list[Command] = []
        self.more_status: dict[str, Any] = {}
        self.slow: list[concurrent.futures.Future[Any]] = []
        self.thread: threading.Thread | None = None

    def handle(self, command: Command) -> Mapping[str, Any] | concurrent.futures.Future[Any] | Any:
        self.thread = threading.current_thread()
        self.commands.append(command)
        match command.name:
            case "set":
                self.values[command["parameter"]] = command["value"]
            case "point":
                self.values.update(x=command["x"], y=command["y"])
            case "note_on":
                self.keys.append((command["channel"], command["key"]))
            case "note_off":
                self.keys.remove((command["channel"], command["key"]))
            case "instruments":
                return {"instruments": [{"name": f"日本語 {n}", "family": "🎻"} for n in range(5000)]}
            case "corner":
                self.slow.append(concurrent.futures.Future())
                return self.slow[-1]
            case "patch_load":
                raise TetradError(f"there is no patch {command['name']!r}; save one first")
            case "undo":
                return 1 / 0  # type: ignore[return-value]
            case "redo":
                return self._redo()
            case "midi_settings":
                return {"settings": command["settings"], "nan": float("nan")}
        return {}

    async def _redo(self) -> dict[str, Any]:
        return {"redone": "volume"}

    def status(self) -> Mapping[str, Any]:
        return {"parameters": dict(self.values), "voices": {"sounding": len(self.keys)}, **self.more_status}

    def names(self) -> list[str]:
        """Names of the commands that came, in order."""
        return [command.name for command in self.commands]


class RawClient:
    """Lines over a socket."""

    def __init__(self, path: Path, *, hello: bool = True) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(LIMIT_S)
        try:
            self.socket.connect(str(path))
        except OSError:
            self.socket.close()
            raise
        self._file = self.socket.makefile("rb")
        self.first = self.read()
        if hello:
            self.write({"command": "hello", "protocol": 1, "id": 0})
            assert self.read() == {"type": "reply", "id": 0, "result": {}}

    def write(self, message: Mapping[str, Any] | bytes) -> None:
        self.socket.sendall(message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n")

    def read(self) -> dict[str, Any]:
        """The next message. Fails at the end of the connection."""
        line = self._file.readline()
        assert line.endswith(b"\n"), f"the connection ended with {line!r}"
        message: dict[str, Any] = json.loads(line)
        return message

    def read_end(self) -> bytes:
        """Everything up to the end of the connection."""
        try:
            return self._file.read()
        except ConnectionResetError:
            return b""

    def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a command; statuses and notices before it are passed over."""
        self.write({**message, "id": 77})
        while True:
            answer = self.read()
            if answer.get("id") == 77:
                return answer

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def __enter__(self) -> "RawClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def wait_until(condition: Any, what: str) -> None:
    """Poll until `condition()` is true."""
    end = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen in {LIMIT_S:g} s"
        time.sleep(0.005)
