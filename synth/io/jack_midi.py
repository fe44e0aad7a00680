"""MIDI in from JACK with the time of every event. The only file of the instrument that imports jack (JACK-Client).

JACK gives each event its sample within the block in which it is to be played; rtmidi loses it, so here JACK's own
library is asked. `frame` of a message is that sample on the server's clock. A stream on the same server (jack_audio)
that notes the server's clock at the start of its block knows exactly where in the block an event belongs, whatever the
threads do.

**The callback** (`_process`, on JACK's real-time thread, every block) is a C function: it copies what has come into
rings, and rings a bell, a pipe that is never waited for. No Python: it would wait for the interpreter lock, and by that
the server of a busy instrument lost 26 blocks in 11 minutes, where one beside it lost 11. A thread of ours hears the
bell and puts the messages into the queue.
"""

import contextlib
import ctypes
import os
import threading

import jack
import numpy as np

from synth.errors import TetradError
from synth.io.jack_library import (
    JACK,
    address,
    end_client,
    frame_time,
    open_client,
    port_get_buffer,
    set_callback,
    words,
)
from synth.io.midi_queue import QUEUE_CAPACITY, MessageQueue, PortMessage
from synth.jit import cfunc, njit
from synth.native import (
    Int64Array,
    Layout,
    address_of,
    count,
    foreign,
    load_acquire,
    now_ns,
    set_count,
    store_release,
    system_words,
    view_of,
)

CLIENT_NAME = "tetrad-midi"
FRAMES_PER_ROUND = 1 << 32
MOST_PORTS = 64
"""Open at once, and one of our own."""
_BYTES = 1 << 16
"""Of messages that wait: 1,024 of 64 bytes each, or one of system exclusive of 64 KiB."""

_WRITTEN, _READ, _BYTES_WRITTEN, _BYTES_READ, _DROPPED = range(5)
_ARRIVED = np.dtype(
    [
        ("connection", np.int64),
        ("time_ns", np.int64),  # of `time.perf_counter_ns`
        ("frame", np.int64),  # of JACK's clock
        ("n_bytes", np.int64),
    ]
)
_EVENT = np.dtype([("offset", np.uint32), ("n_bytes", np.uint64), ("data", np.int64)], align=True)
"""A jack_midi_event_t."""
_BELL = np.dtype([("write", np.int64), ("pipe", np.int64)])
"""The C library's function, and what it writes to."""
_MEMORY = Layout(
    jack=JACK,
    ports=np.int64,
    connections=np.int64,
    event=_EVENT,
    arrived=_ARRIVED,
    contents=np.uint8,
    counts=np.int64,
    rate_hz=np.float64,
    system=np.int64,
    bell=_BELL,
)
_memory = _MEMORY.unpack
_event_count = foreign("u4(i8)")
_event_get = foreign("i4(i8, i8, u4)")
_write = foreign("i8(i4, i8, i8)")
_bytes = view_of(np.uint8)


@njit("i8(i8, i8)")
def frames_between(earlier, later):  # type: ignore[no-untyped-def]
    """Samples from one frame of the server's clock to another, -2**31..2**31 - 1, across the end of its 32 bits."""
    half = FRAMES_PER_ROUND // 2
    return (later - earlier + half) % FRAMES_PER_ROUND - half


@cfunc("i4(u4, i8)")
def _process(n_samples, data):  # type: ignore[no-untyped-def]
    """JACK's process callback."""
    jack, ports, connections, event, arrived, contents, counts, rate_hz, system, bell = _memory(data)
    begin = np.int64(frame_time(jack[0].jack_last_frame_time, (jack[0].client,)))
    n_before = n_written = counts[_WRITTEN]
    n_bytes = counts[_BYTES_WRITTEN]
    for place in range(ports.shape[0]):
        connection = load_acquire(connections, place)
        if connection == 0:
            continue
        buffer = port_get_buffer(jack[0].jack_port_get_buffer, (ports[place], n_samples))
        for i in range(_event_count(jack[0].jack_midi_get_event_count, (buffer,))):
            if _event_get(jack[0].jack_midi_event_get, (address_of(event), buffer, i)) != 0:
                break
            size = np.int64(event[0].n_bytes)
            if (
                n_written - load_acquire(counts, _READ) >= arrived.shape[0]
                or n_bytes + size - load_acquire(counts, _BYTES_READ) > contents.shape[0]
            ):
                store_release(counts, _DROPPED, counts[_DROPPED] + 1)
                continue
            frame = (begin + np.int64(event[0].offset)) % FRAMES_PER_ROUND
            now = np.int64(frame_time(jack[0].jack_frame_time, (jack[0].client,)))
            one = arrived[n_written % arrived.shape[0]]
            one.connection = connection
            one.time_ns = now_ns(system) - np.int64(frames_between(frame, now) / rate_hz[0] * 1e9)
            one.frame = frame
            one.n_bytes = size
            message = _bytes(event[0].data, size)
            for k in range(size):
                contents[(n_bytes + k) % contents.shape[0]] = message[k]
            n_bytes += size
            n_written += 1
    if n_written > n_before:
        counts[_BYTES_WRITTEN] = n_bytes
        store_release(counts, _WRITTEN, n_written)
        _write(bell[0].write, (bell[0].pipe, address_of(contents), 1))
    return 0


class JackMidiInput:
    """A client with one input port for each source, and one of its own that others may connect to.

    Raises TetradError where no server runs. queue: where the messages go. server: its name, None for the usual one.
    ignored: beginnings of the names of ports that are no sources.
    """

    def __init__(
        self, queue: MessageQueue | None = None, server: str | None = None, ignored: tuple[str, ...] = ()
    ) -> None:
        self._client = open_client(CLIENT_NAME, server)
        self.queue = queue or MessageQueue()
        """Where the messages wait."""
        self.alive = True
        """False after the server has gone: close this one and make another."""
        self._ignored = (f"{self._client.name}:", *ignored)
        self._counts: Int64Array = np.zeros(5, np.int64)
        self._n_dropped = 0
        # A port once made stays, at its place, for whoever comes next: the callback may be at it. To the callback it is
        # open while its place has a connection's number, and each connection has another one.
        self._ports: list[jack.MidiPort] = []
        self._addresses: Int64Array = np.zeros(1 + MOST_PORTS, np.int64)
        self._connections: Int64Array = np.zeros(1 + MOST_PORTS, np.int64)
        self._last_connection = 0
        self._names: dict[int, str] = {}
        self._free: list[int] = []
        self._places: dict[str, int] = {}
        self._arrived = np.empty(QUEUE_CAPACITY, _ARRIVED)
        self._contents = np.empty(_BYTES, np.uint8)
        for array in (self._arrived, self._contents):
            array.fill(0)  # so that no page is new to the callback
        self._bell_reader, self._bell_writer = os.pipe()
        os.set_blocking(self._bell_writer, False)
        bell = np.zeros(1, _BELL)
        bell["write"] = ctypes.cast(ctypes.CDLL(None).write, ctypes.c_void_p).value
        bell["pipe"] = self._bell_writer
        self._memory = _MEMORY.pack(
            jack=words(self._client),
            ports=self._addresses,
            connections=self._connections,
            event=np.zeros(1, _EVENT),
            arrived=self._arrived,
            contents=self._contents,
            counts=self._counts,
            rate_hz=np.array([self._client.samplerate], np.float64),
            system=system_words(),
            bell=bell,
        )
        self._draining = threading.Lock()
        self._ending = False
        self._reader = threading.Thread(target=self._read, name="JACK MIDI", daemon=True)
        own = self._register("in")
        self.name = f"JACK: {self._ports[own].name} (connect a controller to it)"
        self._listen(own, self.name)
        self._client.set_shutdown_callback(self._gone)
        set_callback(self._client, "process", _process, self._memory.address)
        self._reader.start()
        self._client.activate()

    @property
    def block_frame(self) -> int:
        """The server's clock at the start of the block that it plays now, 0..2**32 - 1; any thread inside a block."""
        return int(self._client.last_frame_time)

    def sources(self) -> list[str]:
        """Names of all ports of others that send MIDI."""
        if not self.alive:
            return []
        ports = self._client.get_ports(is_midi=True, is_output=True)
        return [port.name for port in ports if not port.name.startswith(self._ignored)]

    def connect(self, source: str) -> None:
        """Listens to a source too. Raises TetradError when it is not there any more, or too many are."""
        if not self._free and len(self._ports) > MOST_PORTS:
            raise TetradError(f"the MIDI port JACK: {source} is one too many; up to {MOST_PORTS} were expected")
        try:
            if not self._free:
                self._free.append(self._register(f"in_{len(self._ports) + 1}"))
            self._client.connect(source, self._ports[self._free[-1]])
        except jack.JackError as error:
            raise TetradError(f"the MIDI port JACK: {source} does not open ({error}); connect it again") from error
        self._places[source] = self._free.pop()
        self._listen(self._places[source], f"JACK: {source}")

    def disconnect(self, source: str) -> None:
        """Listens to a source no more, and nothing of it comes after this; one that is not connected is no matter."""
        place = self._places.pop(source, None)
        if place is None:
            return
        connection = int(self._connections[place])
        set_count(self._connections, place, 0)
        if self.alive:
            self._ports[place].disconnect()
        self._drain()
        with self._draining:
            del self._names[connection]  # what a callback that was at it may still bring is of nobody
        self._free.append(place)

    def close(self) -> None:
        """Disconnect. The queue keeps what it holds."""
        for place in range(len(self._ports)):
            set_count(self._connections, place, 0)
        end_client(self._client, not self.alive, self._memory)
        self._ending = True
        with contextlib.suppress(BlockingIOError):  # full: it rings in any case
            os.write(self._bell_writer, b"!")
        self._reader.join()
        self._drain()
        os.close(self._bell_writer)
        os.close(self._bell_reader)

    def _gone(self, _status: object, _reason: str) -> None:
        self.alive = False

    def _register(self, name: str) -> int:
        """Another port; its place."""
        self._ports.append(self._client.midi_inports.register(name))
        place = len(self._ports) - 1
        self._addresses[place] = address(self._ports[place]._ptr)
        return place

    def _listen(self, place: int, name: str) -> None:
        self._last_connection += 1
        self._names[self._last_connection] = name
        set_count(self._connections, place, self._last_connection)

    def _read(self) -> None:
        while not self._ending:
            os.read(self._bell_reader, 4096)
            self._drain()

    def _drain(self) -> None:
        """What has come goes into the queue."""
        with self._draining:
            first, end = int(self._counts[_READ]), int(count(self._counts, _WRITTEN))
            at = int(self._counts[_BYTES_READ])
            for connection, time_ns, frame, n_bytes in (
                self._arrived[i % QUEUE_CAPACITY].item() for i in range(first, end)
            ):
                place = at % _BYTES
                data = self._contents[place : place + n_bytes].tobytes()
                data += self._contents[: n_bytes - len(data)].tobytes()
                at += n_bytes
                name = self._names.get(connection)
                if name is not None:
                    self.queue.put(PortMessage(time_ns * 1e-9, data, name, frame))
            set_count(self._counts, _BYTES_READ, at)
            set_count(self._counts, _READ, end)
            n_dropped = int(count(self._counts, _DROPPED))
            self.queue.dropped += n_dropped - self._n_dropped
            self._n_dropped = n_dropped
