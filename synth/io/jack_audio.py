"""Sound out through a JACK server (or PipeWire in its place). Not through PortAudio, which cannot survive the server's
end: it waits ten minutes for it while it closes a stream.

A client whose server has died is left alone for good, neither closed nor collected: libjack has freed what is behind it
as soon as another client was opened, and closing it then crashes. A few kilobytes for every death of a server.
"""

from typing import Any, NamedTuple

import numpy as np

from synth.errors import TetradError
from synth.io.block_renderer import BlockRenderer, count_underflow, render_block
from synth.jit import cfunc
from synth.native import Layout, address_of, foreign, load_acquire, set_count, view_of

HOST_API = "JACK Audio Connection Kit"
CLIENT_NAME = "Tetrad"
_left_alone: list[Any] = []

_LONGEST_BLOCK = 8192
"""JACK's own limit."""
_PLAYING, _ENDING = range(2)
JACK = np.dtype(
    [
        # addresses: of libjack's functions, and of what they are called with
        ("port_get_buffer", np.int64),
        ("last_frame_time", np.int64),
        ("client", np.int64),
        ("ports", np.int64, (2,)),
    ]
)
_MEMORY = Layout(jack=JACK, state=np.int64, block=(np.float32, 2), renderer=np.int64)
_memory = _MEMORY.unpack
_port_get_buffer = foreign("i8(i8, u4)")
_last_frame_time = foreign("u4(i8)")
_samples = view_of(np.float32)


@cfunc("i4(u4, i8)")
def _process(n_samples, data):  # type: ignore[no-untyped-def]
    """JACK's process callback; see `block_renderer` for what happens here."""
    jack, state, block, renderer = _memory(data)
    if not load_acquire(state, _PLAYING) or n_samples > block.shape[0]:
        return 0
    n = np.int64(n_samples)
    if load_acquire(state, _ENDING):
        block[:n] = np.float32(0.0)
    else:
        render_block(
            renderer[0], address_of(block), n, np.int64(_last_frame_time(jack[0].last_frame_time, (jack[0].client,)))
        )
    for channel in range(2):
        out = _samples(_port_get_buffer(jack[0].port_get_buffer, (jack[0].ports[channel], n)), n)
        for i in range(n):
            out[i] = block[i, channel]
    return 0


@cfunc("i4(i8)")
def _count_xrun(renderer):  # type: ignore[no-untyped-def]
    count_underflow(renderer)
    return 0


def _address(pointer: Any) -> int:
    """Of a cffi function or pointer of JACK-Client's library."""
    import jack

    return int(jack._ffi.cast("uintptr_t", pointer))


class JackServer(NamedTuple):
    """What a running server offers."""

    name: str
    """Of the client that owns the first loudspeakers, `system` as a rule."""
    sample_rate_hz: int
    block_size: int


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
        name = speakers[0].name.rpartition(":")[0] if speakers else "server"
        return JackServer(name, int(client.samplerate), int(client.blocksize))
    finally:
        client.close()


def library() -> Any:
    """JACK-Client, silenced: libjack tells stderr of every server that is not there. None without libjack."""
    try:
        import jack
    except OSError:
        return None
    jack.set_error_function(_say_nothing)
    jack.set_info_function(_say_nothing)
    return jack


def _say_nothing(_message: str) -> None:
    """What libjack would print."""


class JackStream:
    """A client with two outputs, connected to the first two loudspeakers."""

    def __init__(self, renderer: BlockRenderer, sample_rate_hz: int) -> None:
        """Raises TetradError when no server runs, or one of another rate."""
        self._renderer = renderer
        self._sample_rate_hz = sample_rate_hz
        self._dead = False
        jack = library()
        if jack is None:
            raise TetradError("libjack is missing; a JACK server was asked for; install it, or choose another output")
        try:
            self._client = jack.Client(CLIENT_NAME, no_start_server=True)
        except jack.JackError as error:
            raise TetradError(f"no JACK server answers ({error}); a running one was expected; start it") from error
        self.block_size = int(self._client.blocksize)
        found_hz = int(self._client.samplerate)
        if found_hz != sample_rate_hz:
            self._client.close()
            raise TetradError(
                f"the JACK server runs at {found_hz} Hz; {sample_rate_hz} Hz was expected; start it with -r "
                f"{sample_rate_hz}, or start again to play at its rate"
            )
        self._jack = np.zeros(1, JACK)
        self._jack["port_get_buffer"] = _address(jack._lib.jack_port_get_buffer)
        self._jack["last_frame_time"] = _address(jack._lib.jack_last_frame_time)
        self._jack["client"] = _address(self._client._ptr)
        self._state = np.zeros(2, np.int64)
        self._memory = _MEMORY.pack(
            jack=self._jack,
            state=self._state,
            block=np.zeros((_LONGEST_BLOCK, 2), np.float32),
            renderer=renderer.words,
        )
        self._set_callback("process", _process.address, self._memory.address)
        self._set_callback("xrun", _count_xrun.address, renderer.memory.address)
        self._client.set_blocksize_callback(self._resize)
        self._client.set_shutdown_callback(self._shut_down)

    def _set_callback(self, name: str, function: int, data: int) -> None:
        """Has libjack call a C function, where JACK-Client offers a Python one."""
        import jack

        kind = {"process": "JackProcessCallback", "xrun": "JackXRunCallback"}[name]
        setter = getattr(jack._lib, f"jack_set_{name}_callback")
        if setter(self._client._ptr, jack._ffi.cast(kind, function), jack._ffi.cast("void*", data)) != 0:
            raise TetradError(f"the JACK server takes no {name} callback; it was expected to; start the server again")

    def start(self) -> None:
        """Sound from here on; ports that cannot be connected are left to the player's patchbay."""
        self._client.activate()
        # Only an active client's ports can be connected, so others see them from here on.
        outputs = [self._client.outports.register(f"out_{side}") for side in ("left", "right")]
        self._jack["ports"] = [_address(output._ptr) for output in outputs]
        set_count(self._state, _PLAYING, 1)
        speakers = self._client.get_ports(is_audio=True, is_input=True, is_physical=True)
        for output, speaker in zip(outputs, speakers, strict=False):
            self._client.connect(output, speaker)

    def silence(self) -> None:
        """A server that wakes from a freeze gets silence: another thread renders."""
        set_count(self._state, _ENDING, 1)

    def close(self) -> None:
        """The end, also of a stream that has died."""
        if self._dead:
            import jack

            self._client._ptr = jack._ffi.NULL  # or its finaliser would close it
            _left_alone.append((self._client, self._memory, self._renderer))
        else:
            self._client.deactivate()
            self._client.close()

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
