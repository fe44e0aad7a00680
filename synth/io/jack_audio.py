"""Sound out and in through a JACK server (or PipeWire in its place). Not through PortAudio, which cannot survive the
server's end: it waits ten minutes for it while it closes a stream.
"""

from typing import Any, NamedTuple

import numpy as np

from synth.errors import TetradError
from synth.io.block_renderer import BlockRenderer, count_underflow, render_block
from synth.io.input_ring import InputRing, done, interrupted, put_channel, room_for
from synth.io.jack_library import (
    JACK,
    address,
    block_size,
    end_client,
    frame_time,
    library,
    open_client,
    port_get_buffer,
    set_callback,
    words,
)
from synth.jit import cfunc, njit
from synth.native import Int64Array, Layout, Table, address_of, load_acquire, now_ns, set_count, system_words, view_of

HOST_API = "JACK Audio Connection Kit"
CLIENT_NAME = "Tetrad"
INPUT_CLIENT_NAME = "Tetrad input"

_LONGEST_BLOCK = 8192
"""JACK's own limit."""
_PLAYING, _ENDING = range(2)
_MEMORY = Layout(jack=JACK, ports=np.int64, state=np.int64, block=(np.float32, 2), renderer=np.int64)
_memory = _MEMORY.unpack
_INPUT_MEMORY = Layout(jack=JACK, ports=np.int64, ring=np.int64, n_channels=np.int64)
_input_memory = _INPUT_MEMORY.unpack
_XRUN_MEMORY = Layout(jack=JACK, told_ns=np.int64, rate_hz=np.float64, system=np.int64, counter=np.int64)
"""told_ns: when the server last said that a block was late; 0: never."""
_xrun_memory = _XRUN_MEMORY.unpack
_samples = view_of(np.float32)


@cfunc("i4(u4, i8)")
def _process(n_samples, data):  # type: ignore[no-untyped-def]
    """JACK's process callback; see `block_renderer` for what happens here."""
    jack, ports, state, block, renderer = _memory(data)
    if not load_acquire(state, _PLAYING) or n_samples > block.shape[0]:
        return 0
    n = np.int64(n_samples)
    if load_acquire(state, _ENDING):
        block[:n] = np.float32(0.0)
    else:
        frame = np.int64(frame_time(jack[0].jack_last_frame_time, (jack[0].client,)))
        render_block(renderer[0], address_of(block), n, frame)
    for channel in range(2):
        out = _samples(port_get_buffer(jack[0].jack_port_get_buffer, (ports[channel], n)), n)
        for i in range(n):
            out[i] = block[i, channel]
    return 0


@cfunc("i4(u4, i8)")
def _take(n_samples, data):  # type: ignore[no-untyped-def]
    """JACK's process callback of an input; see `input_ring` for what happens here."""
    jack, ports, ring, n_channels = _input_memory(data)
    n = np.int64(n_samples)
    if ports[0] == 0:  # before its ports are there
        return 0
    at = room_for(ring[0], n)
    if at >= 0:
        for channel in range(n_channels[0]):
            source_at = port_get_buffer(jack[0].jack_port_get_buffer, (ports[channel], n))
            put_channel(ring[0], at, channel, source_at, n, 1)
        done(ring[0], n)
    return 0


@njit()
def _is_another(data):  # type: ignore[no-untyped-def]
    """Whether a block was late of which the server has not told yet. It tells once for each client that was late, ours
    or not, and once more when it was late itself: what comes within half a block is of one (JACK2: within 0.02 ms)."""
    jack, told_ns, rate_hz, system, _ = _xrun_memory(data)
    length_ns = block_size(jack[0].jack_get_buffer_size, (jack[0].client,)) / rate_hz[0] * 1e9
    now = now_ns(system)
    another = told_ns[0] == 0 or now - told_ns[0] > length_ns / 2
    told_ns[0] = now
    return another


@cfunc("i4(i8)")
def _count_underflow(data):  # type: ignore[no-untyped-def]
    """JACK's xrun callback."""
    if _is_another(data):
        count_underflow(_xrun_memory(data)[4][0])
    return 0


@cfunc("i4(i8)")
def _count_interruption(data):  # type: ignore[no-untyped-def]
    """JACK's xrun callback of an input."""
    if _is_another(data):
        interrupted(_xrun_memory(data)[4][0])
    return 0


def _xruns_of(client: Any, counter: Int64Array) -> Table:
    """What an xrun callback works on. counter: words of a renderer or a ring."""
    return _XRUN_MEMORY.pack(
        jack=words(client),
        told_ns=np.zeros(1, np.int64),
        rate_hz=np.array([client.samplerate], np.float64),
        system=system_words(),
        counter=counter,
    )


class JackServer(NamedTuple):
    """What a running server offers."""

    name: str
    """Of the client that owns the first loudspeakers, `system` as a rule."""
    sample_rate_hz: int
    block_size: int
    capture_name: str
    """Of the client that owns the first microphones or lines."""
    n_captures: int
    """Its inputs; 0 where the server has none of its own, and other programs may still be connected."""


def find_server() -> JackServer | None:
    """The server that JACK_DEFAULT_SERVER names, or the default one; None when none runs. Starts none. 10 ms or so."""
    jack = library()
    if jack is None:
        return None
    try:
        client = jack.Client("Tetrad looks around", no_start_server=True)
    except jack.JackError:
        return None
    try:
        speakers = client.get_ports(is_audio=True, is_input=True, is_physical=True)
        captures = client.get_ports(is_audio=True, is_output=True, is_physical=True)
        name, capture_name = (ports[0].name.rpartition(":")[0] if ports else "server" for ports in (speakers, captures))
        return JackServer(name, int(client.samplerate), int(client.blocksize), capture_name, len(captures))
    finally:
        client.close()


class JackStream:
    """A client with two outputs, connected to the first two loudspeakers."""

    def __init__(self, renderer: BlockRenderer, sample_rate_hz: int) -> None:
        """Raises TetradError when no server runs, or one of another rate."""
        self._renderer = renderer
        self._sample_rate_hz = sample_rate_hz
        self._dead = False
        self._client = open_client(CLIENT_NAME)
        self.block_size = int(self._client.blocksize)
        found_hz = int(self._client.samplerate)
        if found_hz != sample_rate_hz:
            self._client.close()
            raise TetradError(
                f"the JACK server runs at {found_hz} Hz; {sample_rate_hz} Hz was expected; start it with -r "
                f"{sample_rate_hz}, or start again to play at its rate"
            )
        self._ports = np.zeros(2, np.int64)
        self._state = np.zeros(2, np.int64)
        self._memory = _MEMORY.pack(
            jack=words(self._client),
            ports=self._ports,
            state=self._state,
            block=np.zeros((_LONGEST_BLOCK, 2), np.float32),
            renderer=renderer.words,
        )
        set_callback(self._client, "process", _process, self._memory.address)
        self._xruns = _xruns_of(self._client, renderer.words)
        set_callback(self._client, "xrun", _count_underflow, self._xruns.address)
        self._client.set_blocksize_callback(self._resize)
        self._client.set_shutdown_callback(self._shut_down)

    def start(self) -> None:
        """Sound from here on; ports that cannot be connected are left to the player's patchbay."""
        self._client.activate()
        # Only an active client's ports can be connected, so others see them from here on.
        outputs = [self._client.outports.register(f"out_{side}") for side in ("left", "right")]
        self._ports[:] = [address(output._ptr) for output in outputs]
        set_count(self._state, _PLAYING, 1)
        speakers = self._client.get_ports(is_audio=True, is_input=True, is_physical=True)
        for output, speaker in zip(outputs, speakers, strict=False):
            self._client.connect(output, speaker)

    def silence(self) -> None:
        """A server that wakes from a freeze gets silence: another thread renders."""
        set_count(self._state, _ENDING, 1)

    def close(self) -> None:
        """The end, also of a stream that has died."""
        end_client(self._client, self._dead, self._memory, self._xruns, self._renderer)

    @property
    def active(self) -> bool:
        """Whether the server lives."""
        return not self._dead

    @property
    def latency_s(self) -> float:
        """From the callback to the loudspeaker: one block at least; what the card adds, JACK-Client does not say."""
        return self.block_size / self._sample_rate_hz

    def _resize(self, frames: int) -> None:
        """The server has changed its block size, which it announces outside its real-time thread."""
        self.block_size = frames

    def _shut_down(self, _status: object, _reason: str) -> None:
        self._dead = True


class JackInput:
    """A client of its own with one or two inputs, connected to the first microphones or lines of the server."""

    def __init__(self, ring: InputRing) -> None:
        """Raises TetradError when no server runs, or one of another rate than the ring's."""
        self._ring = ring
        self._dead = False
        self._client = open_client(INPUT_CLIENT_NAME)
        found_hz = int(self._client.samplerate)
        if found_hz != ring.sample_rate_hz:
            self._client.close()
            raise TetradError(
                f"the JACK server runs at {found_hz} Hz; {ring.sample_rate_hz} Hz was expected; try again"
            )
        self._ports = np.zeros(2, np.int64)
        self._memory = _INPUT_MEMORY.pack(
            jack=words(self._client), ports=self._ports, ring=ring.words, n_channels=np.array([ring.channels], np.int64)
        )
        set_callback(self._client, "process", _take, self._memory.address)
        self._xruns = _xruns_of(self._client, ring.words)
        set_callback(self._client, "xrun", _count_interruption, self._xruns.address)
        self._client.set_shutdown_callback(self._shut_down)

    def start(self) -> None:
        """Sound from here on; what is connected is the server's affair, too: a patchbay may change it."""
        inputs = [self._client.inports.register(f"in_{channel + 1}") for channel in range(self._ring.channels)]
        self._ports[: len(inputs)] = [address(port._ptr) for port in inputs]
        self._client.activate()
        captures = self._client.get_ports(is_audio=True, is_output=True, is_physical=True)
        for port, capture in zip(inputs, captures, strict=False):
            self._client.connect(capture, port)

    def close(self) -> None:
        """The end, also of a stream that has died."""
        end_client(self._client, self._dead, self._memory, self._xruns, self._ring)

    @property
    def active(self) -> bool:
        """Whether the server lives."""
        return not self._dead

    def _shut_down(self, _status: object, _reason: str) -> None:
        self._dead = True
