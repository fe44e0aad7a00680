"""An engine that isn't one: the real server and protocol, with lists and statuses that a test makes up."""

import contextlib
import copy
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from synth.control.commands import Command, CommandHandler
from synth.control.parameters import PARAMETERS
from synth.errors import TetradError
from synth.io.server import Server
from tests.listening import wait_until

CORNERS = {
    name: {"instrument": instrument, "display_name": instrument.title(), "family": "other"}
    for name, instrument in (("nw", "flute"), ("ne", "cello"), ("sw", "piano"), ("se", "choir"))
}


class StandIn(CommandHandler):
    """Remembers every command; a key that is down is a note in its status.

    answers: command -> its result, or a function of the command that gives it. more_status: goes over the status.
    """

    def __init__(self) -> None:
        self.values = {parameter.name: parameter.default for parameter in PARAMETERS}
        self.keys: dict[tuple[int, int], None] = {}
        self.commands: list[Command] = []
        self.more_status: dict[str, Any] = {}
        self.only_status: Mapping[str, Any] | None = None
        self.server: Server
        self.came = threading.Event()
        self.answers: dict[str, Mapping[str, Any] | Callable[[Command], Mapping[str, Any]]] = {
            "instruments": {"instruments": [instrument(corner["instrument"]) for corner in CORNERS.values()]},  # type: ignore[arg-type]
            "patches": {"patches": [{"name": "First", "number": 0, "tags": [], "shipped": True}]},
            "imports": {"imports": []},
            "midi_settings": {"settings": {}},
        }

    def handle(self, command: Command) -> Mapping[str, Any]:
        self.commands.append(command)
        self.came.set()
        match command.name:
            case "set":
                self.values[command["parameter"]] = command["value"]
            case "set_many":
                self.values.update(command["values"])
            case "point":
                self.values.update(x=command["x"], y=command["y"])
            case "note_on":
                self.keys[command["channel"], command["key"]] = None
            case "note_off":
                self.keys.pop((command["channel"], command["key"]), None)
            case "panic":
                self.keys.clear()
        answer = self.answers.get(command.name, {})
        return answer(command) if callable(answer) else answer

    def status(self) -> Mapping[str, Any]:
        if self.only_status is not None:
            return self.only_status
        x, y = self.values["x"], self.values["y"]
        notes = [
            {"channel": channel, "key": key, "x": x, "y": y, "level_db": -12.0, "spectrum_db": [-20.0] * 8}
            for channel, key in list(self.keys)
        ]
        status = {
            "parameters": dict(self.values),
            "corners": copy.deepcopy(CORNERS),
            "voices": {"sounding": len(notes), "limit": 16, "most": 16, "stolen": 0},
            "notes": notes,
            "point": {"x": x, "y": y},
            "patch": {"name": "First", "number": 0, "edited": False, "sounding": "stored"},
            "gesture": {"state": "empty", "length_s": 0.0},
            "audio": {"device": "none", "state": "running", "sample_rate_hz": 48000, "block_samples": 128},
        }
        return {**status, **self.more_status}

    def named(self, name: str) -> list[Command]:
        """The commands of this name that came, in order."""
        return [command for command in list(self.commands) if command.name == name]

    def wait_for(self, name: str, count: int = 1) -> list[Command]:
        """Until so many commands of this name have come."""
        wait_until(lambda: len(self.named(name)) >= count, f"{count} of {name}")
        return self.named(name)


def instrument(name: str, **values: Any) -> dict[str, Any]:
    """An entry of the engine's list of instruments."""
    entry = {"name": name, "display_name": name, "family": "other", "notes": 3, "tags": [], "favourite": False}
    return {**entry, "shipped": True, **values}


def refuse(words: str) -> Callable[[Command], Mapping[str, Any]]:
    """An answer that is a refusal."""

    def answer(_: Command) -> Mapping[str, Any]:
        raise TetradError(words)

    return answer


@contextlib.contextmanager
def served(path: Path) -> Iterator[StandIn]:
    """A stand-in at a socket."""
    stand_in = StandIn()
    with Server(stand_in, path) as server:
        stand_in.server = server
        yield stand_in
