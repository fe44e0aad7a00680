"""MIDI in from JACK with the time of every event. The only file of the instrument that imports jack (JACK-Client).

JACK gives each event its sample within the block in which it is to be played; rtmidi loses it, so here JACK's own
library is asked. `frame` of a message is that sample on the server's clock. A stream on the same server (jack_audio)
that notes the server's clock at the start of its block knows exactly where in the block an event belongs, whatever the
threads do.

The callback's contract (`_process`, on JACK's real-time thread, every block): it reads the open ports' buffers and
appends to a bounded queue; no lock, no file, no exception.
"""

import time

import jack

from synth.errors import TetradError
from synth.io.midi_queue import MessageQueue, PortMessage

CLIENT_NAME = "tetrad-midi"
FRAMES_PER_ROUND = 1 << 32


def frames_between(earlier: int, later: int) -> int:
    """Samples from one frame of the server's clock to another, -2**31..2**31 - 1, across the end of its 32 bits."""
    half = FRAMES_PER_ROUND // 2
    return (later - earlier + half) % FRAMES_PER_ROUND - half


class JackMidiInput:
    """A client with one input port for each source, and one of its own that others may connect to.

    Raises TetradError where no server runs. queue: where the messages go. server: its name, None for the usual one.
    ignored: beginnings of the names of ports that are no sources.
    """

    def __init__(
        self, queue: MessageQueue | None = None, server: str | None = None, ignored: tuple[str, ...] = ()
    ) -> None:
        # Asking for a server that is not there prints half a page otherwise.
        jack.set_error_function(_ignore)
        try:
            self._client = jack.Client(CLIENT_NAME, servername=server, no_start_server=True)
        except (jack.JackError, OSError) as error:
            raise TetradError(f"JACK carries no MIDI here ({error}); start it, or play without") from error
        self.queue = queue or MessageQueue()
        """Where the messages wait."""
        self._ignored = (f"{self._client.name}:", *ignored)
        self._rate_hz = self._client.samplerate
        # The callback reads this tuple, which is replaced whole. A port once made stays: the callback may be at it.
        self._open: tuple[tuple[jack.MidiPort, str], ...] = ()
        self._free: list[jack.MidiPort] = []
        self.alive = True
        """False after the server has gone: close this one and make another."""
        own = self._client.midi_inports.register("in")
        self.name = f"JACK: {own.name} (connect a controller to it)"
        self._open = ((own, self.name),)
        self._client.set_shutdown_callback(self._gone)
        self._client.set_process_callback(self._process)
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
        """Listens to a source too. Raises TetradError when it is not there any more."""
        try:
            if not self._free:
                number = len(self._client.midi_inports) + 1
                self._free.append(self._client.midi_inports.register(f"in_{number}"))
            self._client.connect(source, self._free[-1])
        except jack.JackError as error:
            raise TetradError(f"the MIDI port JACK: {source} does not open ({error}); connect it again") from error
        self._open = (*self._open, (self._free.pop(), f"JACK: {source}"))

    def disconnect(self, source: str) -> None:
        """Listens to a source no more; one that is not connected is no matter."""
        name = f"JACK: {source}"
        ending = [port for port, of in self._open if of == name]
        self._open = tuple((port, of) for port, of in self._open if of != name)
        for port in ending:
            if self.alive:
                port.disconnect()
            self._free.append(port)

    def close(self) -> None:
        """Disconnect. The queue keeps what it holds."""
        self._client.deactivate()
        self._client.close()

    def _gone(self, _status: object, _reason: str) -> None:
        self.alive = False

    def _process(self, _n_frames: int) -> None:
        client = self._client
        for port, name in self._open:
            for offset, data in port.incoming_midi_events():
                frame = (client.last_frame_time + offset) % FRAMES_PER_ROUND
                late_s = frames_between(frame, client.frame_time) / self._rate_hz
                self.queue.put(PortMessage(time.perf_counter() - late_s, bytes(data), name, frame))


def _ignore(_message: str) -> None:
    """What JACK would print says nothing that the exceptions don't."""
