"""`python -m synth`: the engine as a process with data and a socket of its own; started, killed, made to hang."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGTERM, Signals
from types import TracebackType
from typing import Any

from synth.io.client import Client, State

START_WITHIN_S = 60.0
WITH_US = ("setpriv", "--pdeathsig", "TERM")
"""In front of a command (util-linux): it ends with its parent. Tests that are stopped leave no engine behind."""


class EngineProcess:
    """A context manager that ends it.

    home: its data; the socket is `home / "s"`. arguments: of `python -m synth`, by default without a sound card.
    """

    def __init__(self, home: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self.home, self.socket = home, home / "s"
        self._arguments = arguments or ("--audio", "null")
        self._environment = {**(os.environ if environment is None else environment)}
        self._environment |= {"TETRAD_HOME": str(home), "TETRAD_SOCKET": str(self.socket)}
        self._program: subprocess.Popen[str] | None = None
        self._client: Client | None = None
        self._first: dict[str, Any] = {}

    def start(self) -> None:
        """Start it, again after `kill`; returns when it plays."""
        # No paths in the background: that is a core for minutes, and other tests are of it.
        command = [*WITH_US, sys.executable, "-m", "synth", "--osc", "-1", "--no-refine", *self._arguments]
        self._program = subprocess.Popen(command, env=self._environment, stdout=subprocess.PIPE, text=True)
        assert self._program.stdout is not None
        for line in self._program.stdout:
            if line.startswith("Playing"):
                return
        raise AssertionError(f"the engine ended with {self._program.wait()} before it played")

    @property
    def client(self) -> Client:
        """A client of it beside the screen, with status 30 times a second; made when it is first asked for."""
        if self._client is None or self._client.state is State.CLOSED:
            self._client = Client(self.socket, name="test")
            self._client.connect(START_WITHIN_S)
            self._client.subscribe(30.0)
        return self._client

    def as_at_first(self) -> None:
        """Silent, with the bank's first patch and a first start's sound; started again where it was killed. The
        screen's memory is empty."""
        if not self.alive:
            self.start()
        self.tell(SIGCONT)
        (self.home / "ui.toml").unlink(missing_ok=True)
        client = self.client
        client.wait_for(lambda status: bool(status["corners"]), START_WITHIN_S)
        if not self._first:
            status = client.request("status")
            self._first = {name: status[name] for name in ("corners", "parameters")}
            return
        client.request("panic")
        client.request("gesture_stop")
        client.request("gesture_clear")
        client.request("patch_load", number=0, timeout_s=START_WITHIN_S)
        for corner, known in self._first["corners"].items():
            client.request("corner", corner=corner, instrument=known["instrument"], timeout_s=START_WITHIN_S)
        client.request("set_many", values=self._first["parameters"])
        client.wait_for(lambda status: not status["notes"], START_WITHIN_S)

    @property
    def pid(self) -> int:
        """Number of its process."""
        assert self._program is not None
        return self._program.pid

    @property
    def alive(self) -> bool:
        """It runs."""
        return self._program is not None and self._program.poll() is None

    def tell(self, number: Signals) -> None:
        """SIGSTOP makes it hang, SIGCONT go on."""
        assert self._program is not None
        self._program.send_signal(number)

    def kill(self) -> None:
        """End it as a crash does. Not on a JACK server, which would wait for it."""
        self._end(SIGKILL)

    def end(self) -> None:
        """End it as a player does."""
        self._end(SIGTERM)

    def _end(self, number: Signals) -> None:
        if self._program is None:
            return
        self._program.send_signal(SIGCONT)
        self._program.send_signal(number)
        self._program.communicate(timeout=START_WITHIN_S)
        self._program = None

    def __enter__(self) -> "EngineProcess":
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if self._client is not None:
            self._client.close()
        self.end()
