"""MIDI in from the system's ports. The only file that imports rtmidi.

Two systems carry MIDI on Linux: ALSA's sequencer, where `/dev/snd/seq` exists, and JACK, where a server runs. They are
named explicitly, because rtmidi's own choice fails where only the second is there.

The callback (`MidiInput._receive`, on rtmidi's thread) does one thing: it stamps the bytes with the time of their
arrival and appends them to a bounded queue. When the queue is full the message is dropped and counted.
"""

import contextlib
import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import rtmidi

from synth.errors import TetradError

CLIENT_NAME = "tetrad"
QUEUE_CAPACITY = 1024  # messages; a dense controller sends some 1,000 a second, and the reader looks every few ms
ALSA_SEQUENCER = Path("/dev/snd/seq")
API_NAMES = {rtmidi.API_LINUX_ALSA: "ALSA", rtmidi.API_UNIX_JACK: "JACK", rtmidi.API_MACOSX_CORE: "CoreMIDI"}


class MidiPort(NamedTuple):
    """A port that sends MIDI."""

    api: int
    number: int
    name: str

    def __str__(self) -> str:
        return f"{API_NAMES.get(self.api, self.api)}: {self.name}"


class ArrivedMessage(NamedTuple):
    """One complete MIDI message, and when it arrived on `time.perf_counter`'s clock, in seconds."""

    time_s: float
    data: bytes


class MidiInput:
    """One open MIDI input with its queue. `port` None opens a port of our own that others can connect to."""

    def __init__(self, api: int, port: MidiPort | None = None) -> None:
        self._queue: deque[ArrivedMessage] = deque()
        self.dropped = 0
        """Messages lost because nobody emptied the queue."""
        self.high_water = 0
        """The most messages that were waiting at once."""
        self._midi_in = _open_client(api)
        self._midi_in.ignore_types(sysex=True, timing=True, active_sense=True)
        self._midi_in.set_callback(self._receive)
        try:
            if port is None:
                self._midi_in.open_virtual_port("in")
                self.name = f"{API_NAMES.get(api, api)}: {CLIENT_NAME}:in (connect a controller to it)"
            else:
                self._midi_in.open_port(port.number, "in")
                self.name = str(port)
        except (rtmidi.RtMidiError, OSError) as error:
            raise TetradError(
                f"the MIDI port {port} does not open ({error}); plug it in again, or choose another"
            ) from error

    def take(self) -> list[ArrivedMessage]:
        """All messages that arrived since the last call, oldest first."""
        messages = []
        while self._queue:
            messages.append(self._queue.popleft())
        return messages

    def close(self) -> None:
        """Disconnect. The queue keeps what it holds."""
        self._midi_in.cancel_callback()
        self._midi_in.close_port()
        self._midi_in.delete()

    def _receive(self, message_and_delta: tuple[list[int], float], _data: Any = None) -> None:
        waiting = len(self._queue)
        if waiting >= QUEUE_CAPACITY:
            self.dropped += 1
            return
        self._queue.append(ArrivedMessage(time.perf_counter(), bytes(message_and_delta[0])))
        self.high_water = max(self.high_water, waiting + 1)


def working_apis() -> list[int]:
    """The MIDI systems that run on this machine, ALSA first."""
    working = []
    for api in rtmidi.get_compiled_api():
        if api == rtmidi.API_LINUX_ALSA and not ALSA_SEQUENCER.exists():
            continue
        try:
            _open_client(api).delete()
        except TetradError:
            continue
        working.append(api)
    return working


def input_ports() -> list[MidiPort]:
    """Every port of another program or device that sends MIDI."""
    ports = []
    for api in working_apis():
        client = _open_client(api)
        names = client.get_ports()
        client.delete()
        # ALSA's "Midi Through" is a cable from nowhere, and our own ports are ours.
        ports += [
            MidiPort(api, index, name)
            for index, name in enumerate(names)
            if "midi through" not in name.lower() and not name.startswith(CLIENT_NAME)
        ]
    return ports


def choose_inputs(wanted: str | None) -> list[MidiPort]:
    """All ports when `wanted` is None, else the one whose name holds `wanted`. Raises TetradError when none does."""
    ports = input_ports()
    if wanted is None:
        return ports
    fitting = [port for port in ports if wanted.lower() in str(port).lower()]
    if fitting:
        return fitting[:1]
    there = "; ".join(map(str, ports)) or "none at all"
    raise TetradError(f"no MIDI input is called {wanted!r}; a part of a name was expected; there are: {there}")


def _open_client(api: int) -> Any:
    os.environ.setdefault("JACK_NO_START_SERVER", "1")  # asking whether a server runs must not start one
    try:
        with _quiet_stderr():
            return rtmidi.MidiIn(api, name=CLIENT_NAME)
    except (rtmidi.RtMidiError, OSError) as error:
        raise TetradError(
            f"{API_NAMES.get(api, api)} carries no MIDI here ({error}); start it, or play without"
        ) from error


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """ALSA and JACK print half a page to stderr when they are not there; what matters is in the exception."""
    sys.stderr.flush()
    saved = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
