"""Sound out: a stream that outlives its device.

States of an AudioOutput. *Playing*: the device asks for blocks. *Waiting*: it has disappeared (it says so itself, or
asked for nothing for STALLED_S); a thread goes on rendering at the pace of the clock, so that notes end, arpeggios
go on and a recording has no hole, and another looks for the device by name once a second. Then *playing* again. What a
player should know is said in words once, by `say`.
"""

import contextlib
import sys
import threading
from collections.abc import Callable
from typing import Protocol

from synth.io import jack_audio
from synth.io.block_renderer import AudioHealth, BlockRenderer
from synth.io.jack_audio import JackStream
from synth.io.null_audio import NullOutput, Pump
from synth.io.scheduling import NO_HURRY
from synth.io.sound_cards import OutputDevice, PortAudioStream, choose_output, output_devices, scan_again, settle
from synth.native import Source

__all__ = ["AudioHealth", "AudioOutput", "NullOutput", "OutputDevice", "choose_output", "settle"]

LOOK_PERIOD_S = 0.1
SEARCH_PERIOD_S = 1.0
STALLED_S = 5.0


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
    def latency_s(self) -> float:
        """The way from the callback to the loudspeaker, as the driver tells it."""
        return self._latency_s

    def recent_shares(self) -> list[float]:
        """Time of the last blocks as shares of what they last, at most 64, in no order: what a Governor asks for."""
        return self._renderer.recent_shares()

    def health(self) -> AudioHealth:
        """The counters so far."""
        return self._renderer.health()

    def _open(self, device: OutputDevice) -> _Stream:
        stream: _Stream
        if device.is_jack:
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
            if stream is None or not stream.active or silent_s > STALLED_S:
                self._lost()
                blocks, silent_s = -1, 0.0

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
                return
            if not _in_time(found.start):
                self._notice(f"{self._device} does not start again; it is waited for")
                found.silence()
                old = found
                continue
            self._stream = found
            self.waiting = False
            self._notice(f"{self._device} is back")

    def _search(self) -> _Stream | None:
        """The device's stream as soon as it can be opened; None when it is time to stop."""
        while not self._stopping.wait(SEARCH_PERIOD_S):
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
