"""Sound out: a stream that outlives its device.

States of an AudioOutput. *Playing*: the device asks for blocks. *Waiting*: it has disappeared (it says so itself, or
asked for nothing for STALLED_S); a thread goes on rendering at the pace of the clock, so that notes end, arpeggios
go on and a recording has no hole, and another looks for the device by name once a second. Then *playing* again. What a
player should know is said in words once, by `say`.

`use` goes over to another device or block size in the middle of all this. The old one is closed first, for ALSA gives
a card to one stream at a time; meanwhile the clock asks for blocks, as while waiting, and what was there before comes
back where the new one does not open. NO_DEVICE is the clock for good: `--audio null`.
"""

import contextlib
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple, Protocol

from synth.errors import TetradError
from synth.io import jack_audio
from synth.io.block_renderer import AudioHealth, BlockRenderer
from synth.io.jack_audio import JackStream
from synth.io.null_audio import NullOutput, NullStream, Pump
from synth.io.scheduling import NO_HURRY
from synth.io.sound_cards import OutputDevice, PortAudioStream, choose_output, output_devices, scan_again, settle
from synth.native import Source

__all__ = ["NO_DEVICE", "AudioHealth", "AudioOutput", "NullOutput", "OutputDevice", "choose_output", "settle"]

NO_DEVICE = OutputDevice(-1, "no device", "null")
"""Takes the sound at the pace of the clock and throws it away."""

LOOK_PERIOD_S = 0.1
SEARCH_PERIOD_S = 1.0
STALLED_S = 5.0
USE_WITHIN_S = 60.0
"""For a change of device: two drivers that hang while they are closed, opened and started."""


class _Stream(Protocol):
    block_size: int

    def start(self) -> None: ...
    def silence(self) -> None:
        """From here on the device gets silence, should it ask again: another thread renders."""

    def close(self) -> None: ...
    @property
    def active(self) -> bool: ...
    @property
    def latency_s(self) -> float: ...


class _Wish(NamedTuple):
    """Another device or block size that was asked for."""

    device: OutputDevice
    block_size: int
    done: "Future[None]"


class AudioOutput:
    """A running stereo float32 stream, fed by a source, in which no Python runs. Use it as a context manager."""

    def __init__(
        self,
        device: OutputDevice,
        source: Source,
        *,
        sample_rate_hz: int,
        block_size: int = 0,
        say: Callable[[str], object] | None = None,
    ) -> None:
        """Opens the device; `with` starts it. Raises TetradError when the device refuses rate or format.

        `block_size` 0 takes blocks as the device has them: to cut them smaller would call back in bursts. One that
        the device refuses becomes the device's. `say` is called with each notice, from threads of ours; without one
        they go to stderr.
        """
        self._device = device
        self._sample_rate_hz = sample_rate_hz
        self._wanted_block = block_size
        self._say = say if say is not None else _to_stderr
        self._renderer = BlockRenderer(source, sample_rate_hz)
        self.notices: tuple[str, ...] = ()
        """All that was said."""
        self.waiting = False
        """Whether the device has disappeared and is waited for."""
        self._latency_s = 0.0
        self._stopping = threading.Event()
        self._wish: _Wish | None = None
        self._wishing = threading.Lock()
        self._watcher = threading.Thread(target=self._watch, name="audio device", daemon=True)
        self._stream: _Stream | None = self._open(device)

    def __enter__(self) -> "AudioOutput":
        if self._stream is not None:
            self._stream.start()
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._watcher.join(2 * STALLED_S)  # a driver that hangs may hold it
        if self._stream is not None:
            self._stream.close()

    @property
    def active(self) -> bool:
        """Whether blocks are asked for, by the device or while it is waited for."""
        return self._watcher.is_alive()

    @property
    def device(self) -> OutputDevice:
        """Where the sound goes, or went before it disappeared."""
        return self._device

    @property
    def wanted_block(self) -> int:
        """Length of a block that was asked for, in samples; 0: the device's own."""
        return self._wanted_block

    @property
    def latency_s(self) -> float:
        """The way from the callback to the loudspeaker, as the driver tells it."""
        return self._latency_s

    def use(self, device: OutputDevice, block_size: int) -> None:
        """Goes over to a device, or to another length of blocks (0: the device's own), within some tenths of a second.

        Any thread but the audio's own. Raises TetradError, in words, when it does not open or start; what was there
        before plays on then.
        """
        wish = _Wish(device, block_size, Future())
        with self._wishing:
            if self._wish is not None:
                raise TetradError("another device is being opened; one change at a time is expected; wait a moment")
            self._wish = wish
        if not self._watcher.is_alive():
            self._wish = None
            raise TetradError("the audio output has ended; a running one was expected; start again")
        try:
            wish.done.result(USE_WITHIN_S)
        except TimeoutError:
            raise TetradError(
                f"{device} did not open within {USE_WITHIN_S:g} s; a driver may hang; plug it in again"
            ) from None

    def recent_shares(self) -> list[float]:
        """Time of the last blocks as shares of what they last, at most 64, in no order: what a Governor asks for."""
        return self._renderer.recent_shares()

    def health(self) -> AudioHealth:
        """The counters so far."""
        return self._renderer.health()

    def _open(self, device: OutputDevice) -> _Stream:
        stream: _Stream
        if device == NO_DEVICE:
            stream = NullStream(self._renderer, sample_rate_hz=self._sample_rate_hz, block_size=self._wanted_block)
        elif device.is_jack:
            stream = JackStream(self._renderer, self._sample_rate_hz)
        else:
            stream = PortAudioStream(device, self._renderer, self._sample_rate_hz, self._wanted_block)
        if self._wanted_block and stream.block_size not in (0, self._wanted_block):
            self._notice(f"{device} does not take blocks of {self._wanted_block} samples; it has its own")
        self._latency_s = stream.latency_s
        self._renderer.another_stream()
        return stream

    def _notice(self, words: str) -> None:
        if words not in self.notices[-1:]:  # a search tells of one trouble once
            self.notices = (*self.notices, words)
            self._say(words)

    def _notice_once(self, words: str) -> None:
        if words not in self.notices:
            self._notice(words)

    def _watch(self) -> None:
        blocks, silent_s = -1, 0.0
        while not self._stopping.wait(LOOK_PERIOD_S):
            stream, renderer = self._stream, self._renderer
            moves = renderer.blocks != blocks or renderer.rendering
            blocks, silent_s = renderer.blocks, 0.0 if moves else silent_s + LOOK_PERIOD_S
            if isinstance(stream, PortAudioStream) and stream.hurried is False:
                self._notice_once(NO_HURRY)
            if self._wish is not None:
                self._go_over()
                blocks, silent_s = -1, 0.0
            elif stream is None or not stream.active or silent_s > STALLED_S:
                self._lost()
                blocks, silent_s = -1, 0.0
        self._refuse_wish()

    def _go_over(self) -> None:
        """To the device and the block size that `use` asks for, or back to what was there."""
        wish, old = self._wish, self._stream
        assert wish is not None
        before = self._device, self._wanted_block
        self._stream = None
        pump_block, closed = 256, True
        if old is not None:
            pump_block = old.block_size or pump_block
            old.silence()
            closed = _in_time(old.close)  # before the clock asks for blocks: one thread at a time renders
        with Pump(self._renderer, sample_rate_hz=self._sample_rate_hz, block_size=pump_block):
            stream, trouble = self._opened(wish.device, wish.block_size, scan=closed)
        if stream is not None and not _in_time(stream.start):
            trouble = TetradError(f"{wish.device} does not start; one that plays was expected; choose another")
            stream.silence()
            _in_time(stream.close)
            stream = None
        if stream is None:
            with Pump(self._renderer, sample_rate_hz=self._sample_rate_hz, block_size=pump_block):
                stream, _ = self._opened(*before, scan=closed)
            if stream is not None and not _in_time(stream.start):
                stream.silence()
                stream = None
        self._stream = stream  # where there is none, it is waited for from here on
        self._wish = None
        if trouble is not None:
            wish.done.set_exception(trouble)
        else:
            self.waiting = False
            wish.done.set_result(None)

    def _opened(
        self, device: OutputDevice, block_size: int, *, scan: bool
    ) -> tuple[_Stream | None, TetradError | None]:
        """A stream that has not started, or why there is none. From here on it is what is looked for. scan: look what
        is plugged in by now, which no stream of PortAudio's outlives."""
        self._device, self._wanted_block = device, block_size
        try:
            if scan and not device.is_jack and device != NO_DEVICE:
                scan_again()
            return self._open(self._there(device)), None
        except TetradError as error:
            return None, error
        except Exception as error:  # noqa: BLE001  (libraries raise what they like; the old device must come back)
            return None, TetradError(f"{device} does not open ({error}); a free output was expected; choose another")

    def _there(self, device: OutputDevice) -> OutputDevice:
        """A device by its name: its number may be another by now."""
        if device == NO_DEVICE:
            return device
        same = [one for one in output_devices() if one[1:3] == device[1:3]]
        if not same:
            raise TetradError(f"{device} has gone; one that is plugged in was expected; plug it in, or choose another")
        self._device = same[0]
        return same[0]

    def _refuse_wish(self) -> None:
        """Nobody looks after it any more."""
        wish, self._wish = self._wish, None
        if wish is not None:
            wish.done.set_exception(TetradError("the audio output ends; a running one was expected; start again"))

    def _lost(self) -> None:
        """Wait for the device, and take it again."""
        self.waiting = True
        self._renderer.losses += 1
        self._notice(f"{self._device} has gone; it is waited for, and the playing goes on unheard")
        old, self._stream = self._stream, None
        pump_block = (old.block_size if old is not None else 0) or 256
        if old is not None:
            old.silence()
        while self._stream is None and not self._stopping.is_set():
            with Pump(self._renderer, sample_rate_hz=self._sample_rate_hz, block_size=pump_block):
                if old is not None:
                    _in_time(old.close)
                    old = None
                found = self._search()
            if found is None:
                return  # it is time to stop, or to go over to another device
            if not _in_time(found.start):
                self._notice(f"{self._device} does not start again; it is waited for")
                found.silence()
                old = found
                continue
            self._stream = found
            self.waiting = False
            self._notice(f"{self._device} is back")

    def _search(self) -> _Stream | None:
        """The device's stream as soon as it can be opened; None when something else is to be done."""
        while not self._stopping.wait(SEARCH_PERIOD_S) and self._wish is None:
            try:
                if not self._device.is_jack:
                    scan_again()
                elif jack_audio.find_server() is None:
                    continue
                same = [device for device in output_devices() if device[1:3] == self._device[1:3]]
                if same:
                    return self._open(same[0])
            except Exception as error:  # noqa: BLE001  (libraries raise what they like; the search goes on)
                self._notice(str(error))
        return None


def _in_time(action: Callable[[], None]) -> bool:
    """Whether a driver did something without complaint within STALLED_S; one that hangs over it is left alone."""
    done = threading.Event()

    def act() -> None:
        with contextlib.suppress(Exception):  # drivers raise what they like; that it was not done says enough
            action()
            done.set()

    thread = threading.Thread(target=act, name="audio driver", daemon=True)
    thread.start()
    thread.join(STALLED_S)
    return done.is_set()


def _to_stderr(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
