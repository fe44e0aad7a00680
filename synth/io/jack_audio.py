"""Sound out through a JACK server (or PipeWire in its place). Not through PortAudio, which cannot survive the server's
end: it waits ten minutes for it while it closes a stream.

A client whose server has died is left alone for good, neither closed nor collected: libjack has freed what is behind it
as soon as another client was opened, and closing it then crashes. A few kilobytes for every death of a server.
"""

from typing import Any, NamedTuple

import numpy as np

from synth.errors import TetradError
from synth.io.block_renderer import BlockRenderer

HOST_API = "JACK Audio Connection Kit"
CLIENT_NAME = "Tetrad"
_left_alone: list[Any] = []


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
        self._dead = self._ending = False
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
        self._outputs: list[Any] = []
        self._block = np.zeros((self.block_size, 2), np.float32)
        self._client.set_process_callback(self._process)
        self._client.set_blocksize_callback(self._resize)
        self._client.set_xrun_callback(self._count_xrun)
        self._client.set_shutdown_callback(self._shut_down)

    def start(self) -> None:
        """Sound from here on; ports that cannot be connected are left to the player's patchbay."""
        self._client.activate()
        # Only an active client's ports can be connected, so others see them from here on.
        self._outputs = [self._client.outports.register(f"out_{side}") for side in ("left", "right")]
        speakers = self._client.get_ports(is_audio=True, is_input=True, is_physical=True)
        for output, speaker in zip(self._outputs, speakers, strict=False):
            self._client.connect(output, speaker)

    def silence(self) -> None:
        """A server that wakes from a freeze gets silence: another thread renders."""
        self._ending = True

    def close(self) -> None:
        """The end, also of a stream that has died."""
        if self._dead:
            import jack

            self._client._ptr = jack._ffi.NULL  # or its finaliser would close it
            _left_alone.append(self._client)
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

    def _process(self, frames: int) -> None:
        if not self._outputs:
            return
        if frames != len(self._block):
            self._resize(frames)
        if self._ending:
            self._block.fill(0.0)
        else:
            self._renderer.render(self._block)
        for side, output in enumerate(self._outputs):
            output.get_array()[:] = self._block[:, side]

    def _resize(self, frames: int) -> None:
        """The server has changed its block size, which it announces outside its real-time thread."""
        self.block_size = frames
        self._block = np.zeros((frames, 2), np.float32)

    def _count_xrun(self, _delay_us: float) -> None:
        self._renderer.underflows += 1

    def _shut_down(self, _status: object, _reason: str) -> None:
        self._dead = True
