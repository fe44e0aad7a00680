"""MIDI in from the system's ports. The only file that imports rtmidi.

Two systems carry MIDI on Linux: ALSA's sequencer, where `/dev/snd/seq` exists, and JACK, where a server runs. They are
named explicitly, because rtmidi's own choice fails where only the second is there. `MidiPorts` is all of them, as they
come and go; for JACK it prefers `jack_midi`, which keeps the events' time.

The callback (`MidiInput._receive`, on rtmidi's thread) does one thing: it stamps the bytes with the time of their
arrival and appends them to a bounded queue. When the queue is full the message is dropped and counted.
"""

import contextlib
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import rtmidi

from synth.errors import TetradError
from synth.io.midi_queue import QUEUE_CAPACITY, ArrivedMessage, MessageQueue, PortMessage

__all__ = [
    "QUEUE_CAPACITY",
    "ArrivedMessage",
    "MidiInput",
    "MidiPort",
    "MidiPorts",
    "PortMessage",
    "choose_inputs",
    "input_ports",
    "lasting_name",
    "working_apis",
]

CLIENT_NAME = "tetrad"
ALSA_SEQUENCER = Path("/dev/snd/seq")
API_NAMES = {rtmidi.API_LINUX_ALSA: "ALSA", rtmidi.API_UNIX_JACK: "JACK", rtmidi.API_MACOSX_CORE: "CoreMIDI"}
LOOK_PERIOD_S = 1.0
RETRY_S = 5.0
"""Between two attempts to reach a MIDI system that is not there."""
# What ALSA's devices are called a second time in JACK: by PipeWire, by a2jmidid, by jackd's own driver.
BRIDGED = ("Midi-Bridge:", "a2j:", "a2j_bridge:", "alsa_midi:", "alsa_pcm:", "system:midi")


class MidiPort(NamedTuple):
    """A port that sends MIDI."""

    api: int
    number: int
    name: str

    def __str__(self) -> str:
        return f"{API_NAMES.get(self.api, self.api)}: {self.name}"


class MidiInput:
    """One open MIDI input with its queue. `port` None opens a port of our own that others can connect to."""

    def __init__(self, api: int, port: MidiPort | None = None, queue: MessageQueue | None = None) -> None:
        self._queue = queue or MessageQueue()
        self._midi_in = _open_client(api)
        self._midi_in.ignore_types(sysex=False, timing=False, active_sense=True)
        self.name = str(port)
        if port is None:
            self.name = f"{API_NAMES.get(api, api)}: {CLIENT_NAME}:in (connect a controller to it)"
        self._midi_in.set_callback(self._receive)
        try:
            if port is None:
                self._midi_in.open_virtual_port("in")
            else:
                self._midi_in.open_port(port.number, "in")
        except (rtmidi.RtMidiError, OSError) as error:
            raise TetradError(
                f"the MIDI port {port} does not open ({error}); plug it in again, or choose another"
            ) from error

    @property
    def dropped(self) -> int:
        """Messages lost because nobody emptied the queue."""
        return self._queue.dropped

    @property
    def high_water(self) -> int:
        """The most messages that were waiting at once."""
        return self._queue.high_water

    def take(self) -> list[PortMessage]:
        """All messages that arrived since the last call, oldest first."""
        return self._queue.take()

    def close(self) -> None:
        """Disconnect. The queue keeps what it holds."""
        self._midi_in.cancel_callback()
        self._midi_in.close_port()
        self._midi_in.delete()

    def _receive(self, message_and_delta: tuple[list[int], float], _data: Any = None) -> None:
        self._queue.put(PortMessage(time.perf_counter(), bytes(message_and_delta[0]), self.name))


class MidiSystem(Protocol):
    """A system that carries MIDI, with a port of our own; `jack_midi.JackMidiInput` is one. One thread calls it."""

    alive: bool
    """False when it has to be made anew."""
    name: str
    """Of our own port."""

    def sources(self) -> list[str]:
        """Names of the ports that send MIDI."""

    def connect(self, source: str) -> None:
        """Raises TetradError when the source can't be listened to."""

    def disconnect(self, source: str) -> None: ...

    def close(self) -> None: ...


class RtmidiSystem:
    """A MIDI system through rtmidi: an open input for each source, and a client that only looks what there is."""

    def __init__(self, api: int, queue: MessageQueue) -> None:
        self._api, self._queue = api, queue
        self._inputs: dict[str, MidiInput] = {}
        self._own = MidiInput(api, None, queue)
        self._looker = _open_client(api)
        self.name = self._own.name
        self.alive = True

    def sources(self) -> list[str]:
        """Names of the ports that send MIDI."""
        names = [port.name for port in _ports_of(self._api, self._looker)]
        # A client whose JACK server has gone sees no ports for ever, and can't be asked whether it has.
        self.alive = bool(names) or self._api != rtmidi.API_UNIX_JACK
        return names

    def connect(self, source: str) -> None:
        """Raises TetradError when the source does not open."""
        for port in _ports_of(self._api, self._looker):
            if port.name == source:
                self._inputs[source] = MidiInput(self._api, port, self._queue)
                return
        raise TetradError(f"the MIDI port {source} has gone before it opened; plug it in again")

    def disconnect(self, source: str) -> None:
        """Listens to a source no more."""
        self._inputs.pop(source).close()

    def close(self) -> None:
        """Closes all ports."""
        for midi_input in (*self._inputs.values(), self._own):
            midi_input.close()
        self._looker.delete()


class MidiPorts:
    """Every MIDI input there is, as they come and go: a thread looks for them each second.

    wanted: only the first port whose name holds it, whenever it is there; None: all. Each system has a port of our own.
    chosen: only the ports of these names, as `there` has them; None: as `wanted` says. `choose` changes it.
    queue: where the messages go, to share one with other inputs. exact_jack: JACK's events keep their time, which takes
    JACK-Client and JACK's library; where they are missing, rtmidi serves, and the messages have no `frame`.
    Use take(), then lost(): a port that was pulled out is named once, and its notes are to be let go.
    """

    def __init__(
        self,
        wanted: str | None = None,
        queue: MessageQueue | None = None,
        *,
        chosen: Sequence[str] | None = None,
        exact_jack: bool = True,
    ) -> None:
        self.queue = queue or MessageQueue()
        """Where the messages of all ports wait."""
        self._wanted = None if wanted is None else wanted.lower()
        self._chosen = None if chosen is None else frozenset(map(lasting_name, chosen))
        self.on_change: Callable[[tuple[str, ...]], object] = lambda _names: None
        """Called with `names` when they have changed, in the thread that looks."""
        self._exact_jack = exact_jack
        self._systems: dict[int, MidiSystem] = {}
        self._retry_at_s: dict[int, float] = {}
        self._connected: dict[tuple[int, str], str] = {}
        self._names: tuple[str, ...] = ()
        self._there: tuple[str, ...] = ()
        self._looking = threading.Lock()
        self.problems: tuple[str, ...] = ()
        """One line for each port that is there and can't be listened to."""
        self._stopping = threading.Event()
        self._look()
        self._thread = threading.Thread(target=self._run, name="midi-ports", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Messages lost because nobody emptied the queue."""
        return self.queue.dropped

    @property
    def high_water(self) -> int:
        """The most messages that were waiting at once."""
        return self.queue.high_water

    @property
    def names(self) -> tuple[str, ...]:
        """The ports that are listened to, without our own."""
        return self._names

    @property
    def there(self) -> tuple[str, ...]:
        """All ports that send MIDI, listened to or not."""
        return self._there

    @property
    def choice(self) -> frozenset[str] | None:
        """What `choose` was given; None: all, or the one that was wanted at the start."""
        return self._chosen

    def choose(self, names: Sequence[str] | None) -> None:
        """From now on listen to the ports of these names, also to those that come later; None: to all. What a port has
        sounding is let go when it is listened to no more. Any thread; it takes some ms for each port."""
        self._wanted = None
        self._chosen = None if names is None else frozenset(map(lasting_name, names))
        self._look()

    @property
    def own_names(self) -> tuple[str, ...]:
        """Our own ports, to which a controller can be connected."""
        return tuple(system.name for system in tuple(self._systems.values()))

    def take(self) -> list[PortMessage]:
        """All messages that arrived since the last call, each port's oldest first."""
        return self.queue.take()

    def lost(self) -> list[str]:
        """Ports that have disappeared, by the names that their messages had; call it after `take`."""
        return self.queue.lost()

    def close(self) -> None:
        """Stop looking and disconnect. The queue keeps what it holds."""
        self._stopping.set()
        self._thread.join()
        for system in self._systems.values():
            system.close()

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_PERIOD_S):
            self._look()

    def _look(self) -> None:
        """Brings what is connected in line with what is there and with what is wanted."""
        with self._looking:
            before = self._names
            self._connect_wanted()
        if self._names != before:
            self.on_change(self._names)

    def _is_wanted(self, full_name: str) -> bool:
        if self._chosen is not None:
            return lasting_name(full_name) in self._chosen
        return self._wanted is None or self._wanted in full_name.lower()

    def _connect_wanted(self) -> None:
        for api in rtmidi.get_compiled_api():
            self._renew(api)
        there = {(api, name) for api, system in self._systems.items() for name in system.sources()}
        for place, full_name in list(self._connected.items()):
            if place not in there or not self._is_wanted(full_name):
                self._disconnect(*place)
        problems = []
        for api, name in sorted(there - self._connected.keys()):
            full_name = str(MidiPort(api, 0, name))
            if not self._is_wanted(full_name) or (self._wanted is not None and self._connected):
                continue
            try:
                self._systems[api].connect(name)
            except TetradError as error:
                problems.append(str(error))
            else:
                self._connected[api, name] = full_name
        self._names, self.problems = tuple(self._connected.values()), tuple(problems)
        self._there = tuple(str(MidiPort(api, 0, name)) for api, name in sorted(there))

    def _renew(self, api: int) -> None:
        """Opens a system that is not open, or whose server has gone."""
        system = self._systems.get(api)
        if (system is not None and system.alive) or time.monotonic() < self._retry_at_s.get(api, 0.0):
            return
        self._retry_at_s[api] = time.monotonic() + RETRY_S
        if system is not None:
            for place in [place for place in self._connected if place[0] == api]:
                self._disconnect(*place)
            self.queue.lose(system.name)
            del self._systems[api]
            system.close()
        with contextlib.suppress(TetradError):  # not there; it is asked again
            self._systems[api] = self._open_system(api)

    def _disconnect(self, api: int, name: str) -> None:
        self._systems[api].disconnect(name)
        self.queue.lose(self._connected.pop((api, name)))

    def _open_system(self, api: int) -> MidiSystem:
        if api == rtmidi.API_LINUX_ALSA and not ALSA_SEQUENCER.exists():
            raise TetradError("there is no ALSA sequencer (/dev/snd/seq); load the kernel's snd-seq, or use JACK")
        if api == rtmidi.API_UNIX_JACK and self._exact_jack:
            try:
                from synth.io.jack_midi import JackMidiInput
            except (ImportError, OSError):  # JACK-Client, or the library that it opens, is not installed
                self._exact_jack = False
            else:
                bridged = BRIDGED if rtmidi.API_LINUX_ALSA in self._systems else ()
                return JackMidiInput(self.queue, ignored=(f"{CLIENT_NAME}:", *bridged))
        return RtmidiSystem(api, self.queue)


def lasting_name(full_name: str) -> str:
    """A port's name without what ALSA numbers anew each time it is plugged in: `... MIDI 1 20:0`."""
    return re.sub(r" \d+:\d+$", "", full_name)


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
        ports += _ports_of(api, client)
        client.delete()
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


def _ports_of(api: int, client: Any) -> list[MidiPort]:
    # ALSA's "Midi Through" is a cable from nowhere, and our own ports are ours.
    return [
        MidiPort(api, index, name)
        for index, name in enumerate(client.get_ports())
        if "midi through" not in name.lower() and not name.startswith(CLIENT_NAME)
    ]


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
