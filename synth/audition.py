"""Hearing an instrument before it goes anywhere: one note beside the playing, without a corner, a patch or an undo.

An engine of its own plays the note in a thread (`Audition.play`), faster than it sounds, into a buffer; a C function
behind the source (`Audition.mixed`) adds what is ready to each block. It allocates nothing and waits for nobody: what
is not ready in time comes later, and what is not wanted any more fades out within FADE_S. Who moves which counter is
written beside them; contents are there before their counters (synth.native).

The sum of both is cut off at full scale; what is recorded and kept is the playing alone.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from synth.control.events import NoteOff, NoteOn, SetParameter
from synth.errors import TetradError
from synth.jit import cfunc
from synth.native import (
    SOURCE,
    Int64Array,
    Layout,
    Source,
    call_source,
    count,
    load_acquire,
    set_count,
    stereo_view,
    store_release,
)
from synth.voices.decoder import Decoder
from synth.voices.engine import Engine
from synth.voices.prepared import PreparedInstrument

LENGTH_S = 2.5
HELD_S = 1.5
"""The key is down for so long."""
END_FADE_S = 0.3
FADE_S = 0.01
USUAL_KEY = 60
_CHUNK_SAMPLES = 512
_ENDS_WITHIN_S = 0.5
"""A sound that was stopped: after a fade and a block. Longer only where no block is asked for."""

# Counters of Python's side: auditions so far, samples of this one that are ready, and that there will be, the last
# audition that is not wanted any more.
_ROUND, _READY, _LENGTH, _STOPPED = range(4)
# Counters of the callback: the audition that it plays, samples of it that were played, the last one that is over.
_PLAYED_ROUND, _PLAYED, _OVER = range(3)
_MEMORY = Layout(
    told=np.int64, heard=np.int64, gain=np.float32, step=np.float32, sound=(np.float32, 2), source=np.int64
)
_memory = _MEMORY.unpack


@cfunc(SOURCE)
def _play_and_mix(data, out_at, n_samples, time_ns, frame):  # type: ignore[no-untyped-def]
    told, heard, gain, step, sound, source = _memory(data)
    call_source(source[0], (source[1], out_at, n_samples, time_ns, frame))
    this = load_acquire(told, _ROUND)
    if this == heard[_OVER]:
        return
    if this != heard[_PLAYED_ROUND]:
        heard[_PLAYED_ROUND], heard[_PLAYED], gain[0] = this, 0, np.float32(1.0)
    out = stereo_view(out_at, n_samples)
    stopping = load_acquire(told, _STOPPED) >= this
    at = heard[_PLAYED]
    n = min(n_samples, load_acquire(told, _READY) - at)
    for i in range(n):
        if stopping:
            gain[0] = max(gain[0] - step[0], np.float32(0.0))
        for channel in range(2):
            both = out[i, channel] + gain[0] * sound[at + i, channel]
            out[i, channel] = min(max(both, np.float32(-1.0)), np.float32(1.0))
    heard[_PLAYED] = at + n
    if at + n >= load_acquire(told, _LENGTH) or (stopping and (gain[0] <= 0.0 or n < n_samples)):
        store_release(heard, _OVER, this)


class Audition:
    """One sound at a time beside a source. Any thread may call; the methods never wait for a sound."""

    def __init__(self, sample_rate_hz: int, decoder: Callable[[], Decoder] = Decoder) -> None:
        """decoder: makes the network; it is made when it is first needed, in the thread that uses it."""
        self.sample_rate_hz = sample_rate_hz
        self._make_decoder = decoder
        self._decoder: Decoder | None = None
        self._told: Int64Array = np.zeros(4, np.int64)
        self._heard: Int64Array = np.zeros(3, np.int64)
        self._sound = np.zeros((round(LENGTH_S * sample_rate_hz), 2), np.float32)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="audition")
        self._lock = threading.Lock()  # guards what follows
        self._wanted = 0
        self._name = ""

    def mixed(self, source: Source) -> Source:
        """The source, with what is auditioned added to it. Once."""
        memory = _MEMORY.pack(
            told=self._told,
            heard=self._heard,
            gain=np.ones(1, np.float32),
            step=np.full(1, 1.0 / (FADE_S * self.sample_rate_hz), np.float32),
            sound=self._sound,
            source=source.words(),
        )
        return Source(_play_and_mix.address, memory.address, (memory, source, _play_and_mix))

    @property
    def name(self) -> str:
        """Of the instrument that sounds or is about to; empty: none."""
        rendered, over = count(self._told, _ROUND), count(self._heard, _OVER)
        with self._lock:
            return self._name if self._wanted > rendered or rendered > over else ""

    def play(
        self, instrument: PreparedInstrument, key: int | None = None, velocity: int = 100, volume_db: float = 0.0
    ) -> "Future[int]":
        """A note of an instrument sounds, in place of what was auditioned before. key: MIDI, by default the recorded
        one nearest to middle C. The future is done when its first sound is ready, and holds the key."""
        began: Future[int] = Future()
        with self._lock:
            self._wanted += 1
            wanted, self._name = self._wanted, instrument.name
            set_count(self._told, _STOPPED, wanted - 1)
        chosen = usual_key(instrument) if key is None else key
        self._worker.submit(self._render, wanted, instrument, chosen, velocity, volume_db, began)
        return began

    def stop(self) -> None:
        """What is auditioned fades out."""
        with self._lock:
            self._name = ""
            set_count(self._told, _STOPPED, self._wanted)

    def close(self) -> None:
        """Ends the thread."""
        self.stop()
        self._worker.shutdown(wait=True)

    # In the thread.

    def _render(
        self,
        wanted: int,
        instrument: PreparedInstrument,
        key: int,
        velocity: int,
        volume_db: float,
        began: "Future[int]",
    ) -> None:
        try:
            self._render_wanted(wanted, instrument, key, velocity, volume_db, began)
        except BaseException as error:  # noqa: BLE001  (whoever waits for `began` is told)
            if not began.done():
                began.set_exception(error)
        if not began.done():
            began.set_result(key)  # another one was wanted before this began

    def _render_wanted(
        self,
        wanted: int,
        instrument: PreparedInstrument,
        key: int,
        velocity: int,
        volume_db: float,
        began: "Future[int]",
    ) -> None:
        if self._decoder is None:
            self._decoder = self._make_decoder()
        rate = self.sample_rate_hz
        engine = Engine([instrument] * 4, self._decoder, sample_rate_hz=rate, n_voices=1, warm_up=False)
        engine.push(SetParameter(0, "volume", volume_db))
        engine.push(NoteOn(0, 0, key, velocity))
        engine.push(NoteOff(round(HELD_S * rate), 0, key))
        if not self._wait_for_end():
            raise TetradError(
                "nothing takes the sound; a running audio output was expected; look at the audio settings"
            )
        length = self._sound.shape[0]
        set_count(self._told, _READY, 0)
        set_count(self._told, _LENGTH, length)
        set_count(self._told, _ROUND, wanted)
        for first in range(0, length, _CHUNK_SAMPLES):
            if self._is_stopped(wanted):
                return
            chunk = engine.render(min(_CHUNK_SAMPLES, length - first))
            self._sound[first : first + len(chunk)] = chunk * self._end_fade(first, len(chunk))
            set_count(self._told, _READY, first + len(chunk))
            if not began.done():
                began.set_result(key)

    def _end_fade(self, first: int, n: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        """Gain of samples `first` to `first + n`, float32 [n, 1]."""
        left = (self._sound.shape[0] - first - np.arange(n)) / (END_FADE_S * self.sample_rate_hz)
        return np.minimum(left, 1.0).astype(np.float32)[:, None]

    def _is_stopped(self, wanted: int) -> bool:
        return int(count(self._told, _STOPPED)) >= wanted

    def _wait_for_end(self) -> bool:
        """Of what sounded before: the callback is to let go of the buffer. False where it does not."""
        end_s = time.monotonic() + _ENDS_WITHIN_S
        while count(self._told, _ROUND) != count(self._heard, _OVER):
            if time.monotonic() > end_s:
                return False
            time.sleep(0.002)
        return True


def usual_key(instrument: PreparedInstrument) -> int:
    """The recorded key that is nearest to middle C."""
    return min(instrument.pitches, key=lambda pitch: (abs(pitch - USUAL_KEY), pitch))
