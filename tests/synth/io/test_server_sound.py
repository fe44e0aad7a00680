"""A client in another process plays a real engine through the socket, and OSC moves the finger."""

import socket
import subprocess
import sys
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pythonosc.udp_client import SimpleUDPClient

from synth.control.command_events import events_of
from synth.control.commands import Command, CommandHandler
from synth.control.events import Event
from synth.control.status import problems
from synth.io.client import Client
from synth.io.server import Server
from synth.voices.engine import Engine
from tests.synth.io.small_engine import LIMIT_S, wait_until
from tests.synth.voices.engine_parts import engine, instrument, sine_level_db, steady

ROOT = Path(__file__).resolve().parents[3]

PLAYER = """
import sys
from synth.io.client import Client
with Client(sys.argv[1]) as client:
    client.send("note_on", key=69, velocity=100)
    client.request("point", x=0.0, y=1.0)
    print("plays", flush=True)
    sys.stdin.read()
"""


class Player(CommandHandler):
    """What comes is carried out by whoever renders."""

    def __init__(self, played: Engine) -> None:
        self.engine = played
        self.events: deque[Event] = deque()

    def handle(self, command: Command) -> Mapping[str, Any]:
        self.events.extend(events_of(command, 0) or ())
        return {}

    def status(self) -> Mapping[str, Any]:
        return {"voices": {"sounding": self.engine.status()["voices"]}}

    def level_db(self, frequency_hz: float) -> float:
        """Level of a sine in the next 0.4 s of sound, after 0.2 s for everything to settle."""
        while self.events:
            self.engine.push(self.events.popleft())
        self.engine.render(9600)
        return sine_level_db(self.engine.render(19_200)[:, 0], frequency_hz)


def test_a_note_and_a_finger_from_outside_are_heard(tmp_path: Path) -> None:
    west = instrument(steady({1: -20.0}, pitch=69), name="west")
    east = instrument(steady({3: -20.0}, pitch=69), name="east")
    handler = Player(engine(west, east, west, east))
    with Server(handler, tmp_path / "engine.sock", osc_port=0) as server, Client(server.path) as watcher:
        watcher.subscribe()
        command = [sys.executable, "-c", PLAYER, str(server.path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == "plays\n"
            assert handler.level_db(440.0) > -50.0
            assert handler.level_db(1320.0) < handler.level_db(440.0) - 40.0
            status = watcher.wait_for(lambda status: status["voices"]["sounding"] == 1)
            assert problems(status) == []
            assert server.osc_address is not None
            osc = SimpleUDPClient(*server.osc_address)
            osc.send_message("/tetrad/point", [1.0, 0.0])
            wait_until(lambda: handler.events, "the finger's way")
            assert handler.level_db(1320.0) > -50.0
            assert handler.level_db(440.0) < handler.level_db(1320.0) - 40.0
            program.communicate(timeout=LIMIT_S)
        wait_until(lambda: handler.events, "the letting go of the key")
        handler.level_db(440.0)
        assert handler.level_db(1320.0) < -100.0
        watcher.wait_for(lambda status: status["voices"]["sounding"] == 0)
        close(osc)


def close(client: SimpleUDPClient) -> None:
    udp_socket: socket.socket = client._sock
    udp_socket.close()
