"""The engine in real time: a conductor thread keeps it ahead of the audio callback and feeds it what is played.

One event's way: a key on a controller -> a MIDI port stamps the bytes and wakes the conductor thread -> the performance
makes events of them, due a constant lead after the moment -> `Engine.advance` computes the control frames up to
the lead past the callback's clock -> the sound card calls `LiveEngine.source`, a C function, which renders the next
block from finished frames. The constant lead turns the threads' jitter into a small, even delay: two notes are as far
apart in the sound as they were under the fingers.

The callback knows nothing of Python and waits for no lock. What it has to say to the conductor is in counters and a
ring of stamps (synth.native): which sample each block began with, and when.
"""

import gc
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from synth.control.events import Event
from synth.errors import TetradError
from synth.frames import Float32Array
from synth.jit import cfunc, njit
from synth.native import (
    NO_FRAME,
    SOURCE,
    Int64Array,
    Layout,
    Player,
    Source,
    call_source,
    load_acquire,
    set_count,
    sleep_us,
    store_release,
    system_words,
)
from synth.timebase import Timebase
from synth.voices.engine import Engine

SHORTEST_LEAD_SAMPLES = 256
"""5.3 ms. Frames that the callback found missing in 12 s, per lead, with both cores busy: see synth/README.md."""
CONDUCTOR_PERIOD_S = 0.002
IN_STEP_PERIOD_S = 0.0001
"""Of a conductor that is waited for."""
_IN_STEP_SLEEP_US = 50
WAKING_S = 0.001
"""From a message's arrival until the conductor has taken it; what takes longer is played late, not earlier."""
SWITCH_INTERVAL_S = 0.0005
"""After which a thread must let go of the interpreter, so that the conductor never waits for the others' 5 ms."""

FRAMES_PER_ROUND = 1 << 32  # of JACK's clock

STAMP = np.dtype([("time_ns", np.int64), ("clock", np.int64), ("n_samples", np.int64), ("frame", np.int64)])
"""A block was asked for at `time_ns` (perf_counter_ns), from sample `clock` on; `frame` on JACK's clock, or -1."""
STAMP_PLACES = 256
"""0.7 s of 128-sample blocks. Of more that a conductor in trouble finds, the older ones are nothing to it."""
_SAFE_PLACES = STAMP_PLACES // 2  # of the latest; farther back the callback may be writing

# Counters of the callback: stamps written, the largest block.
_STAMPS, _LARGEST = range(2)
# Counters of the conductor: samples computed, 1 while it runs, 1 where it is waited for.
_ADVANCED, _CONDUCTING, _IN_STEP = range(3)
_MEMORY = Layout(called=np.int64, conducted=np.int64, stamps=STAMP, clock=np.int64, source=np.int64, system=np.int64)
_memory = _MEMORY.unpack


@cfunc(SOURCE)
def _play_block(data, out_at, n_samples, time_ns, frame):  # type: ignore[no-untyped-def]
    called, conducted, stamps, clock, source, system = _memory(data)
    written = called[_STAMPS]
    stamp = stamps[written % STAMP_PLACES]
    stamp.time_ns, stamp.clock, stamp.n_samples, stamp.frame = time_ns, clock[0], n_samples, frame
    if n_samples > called[_LARGEST]:
        store_release(called, _LARGEST, n_samples)
    store_release(called, _STAMPS, written + 1)
    end = clock[0] + n_samples
    if load_acquire(conducted, _IN_STEP):
        while load_acquire(conducted, _CONDUCTING) and load_acquire(conducted, _ADVANCED) < end:
            sleep_us(system, _IN_STEP_SLEEP_US)
    call_source(source[0], (source[1], out_at, n_samples, time_ns, frame))


@njit()
def _take_stamps(called, stamps, taken, out):  # type: ignore[no-untyped-def]
    """Copies what came after the first `taken` stamps to out, STAMP [256], at most the latest _SAFE_PLACES. Returns how
    many there are by now."""
    written = load_acquire(called, _STAMPS)
    first = max(taken, written - _SAFE_PLACES)
    for i in range(first, written):
        out[i - first] = stamps[i % STAMP_PLACES]
    return written


class SampleAt(Protocol):
    """Tells the sample at which something is due."""

    def __call__(self, time_s: float, frame: int | None = None) -> int:
        """time_s: its moment, on `time.perf_counter`'s clock; frame: on JACK's, 0..2**32 - 1, where it is known."""


class Performance(Protocol):
    """What is played: called by the conductor thread alone."""

    def events(self, horizon_samples: int, sample_at: SampleAt) -> Sequence[Event]:
        """All events that became known since the last call, those that are due before the horizon at least; never
        blocks. An event that is due in the engine's past happens at once."""


class LiveEngine:
    """Runs an engine's control half in a thread. Use it as a context manager around the audio stream, which gets
    `source`; `render_into` is the same for Python threads.

    While it runs, garbage collection is frozen and off: a collection would stop the conductor for tens of ms.
    in_step: the callback waits for the conductor instead of going on without its frames. For tests on a server that
    waits, and for rendering through a stream: what is heard is then the offline rendering, sample for sample.
    """

    def __init__(self, engine: Engine, performance: Performance, *, in_step: bool = False) -> None:
        self._engine = engine
        self._performance = performance
        self._period_s = IN_STEP_PERIOD_S if in_step else CONDUCTOR_PERIOD_S
        self._timebase = Timebase(engine.sample_rate_hz, time.perf_counter(), engine.clock_samples)
        self._called: Int64Array = np.zeros(2, np.int64)
        self._conducted: Int64Array = np.array([engine.clock_samples, 0, in_step], np.int64)
        self._stamps = np.zeros(STAMP_PLACES, STAMP)
        self._stamped = np.zeros(STAMP_PLACES, STAMP)  # the conductor's copy
        self._n_taken = 0
        memory = _MEMORY.pack(
            called=self._called,
            conducted=self._conducted,
            stamps=self._stamps,
            clock=engine.clock,
            source=engine.source.words(),
            system=system_words(),
        )
        self.source = Source(_play_block.address, memory.address, (memory, engine.source, _play_block))
        """What the sound card calls."""
        self._play = Player(self.source)
        self._clock_samples = engine.clock_samples  # as of the last stamp
        self._latest_event = 0
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._switch_interval_s = sys.getswitchinterval()
        self._frame_offset: int | None = None  # from JACK's clock to ours
        self._thread = threading.Thread(target=self._run, name="conductor", daemon=True)
        self.rounds = 0
        """Of the conductor's work; one that hangs stays."""
        self.failure: BaseException | None = None
        """What ended the conductor thread, if it was not `stop`."""

    def __enter__(self) -> "LiveEngine":
        gc.collect()
        gc.freeze()
        gc.disable()
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        set_count(self._conducted, _CONDUCTING, 1)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._wake.set()
        self._thread.join()
        sys.setswitchinterval(self._switch_interval_s)
        gc.enable()
        gc.unfreeze()

    def wake(self) -> None:
        """Something to play has arrived: any thread."""
        self._wake.set()

    def render_into(self, out: Float32Array, frame: int = NO_FRAME) -> None:
        """The next block, float32 [n, 2], in this thread. frame: JACK's clock at its first sample, if known."""
        self._play(out, time.perf_counter_ns(), frame)

    @property
    def advanced_samples(self) -> int:
        """What the control half has computed so far."""
        return int(self._conducted[_ADVANCED])

    @property
    def block_samples(self) -> int:
        """The largest block that was asked for; 0 before the first."""
        return int(self._called[_LARGEST])

    def forget_blocks(self) -> None:
        """The sound goes another way from here on, whose blocks may be shorter: the next one tells. Any thread; the
        callback, which moves the same counter, only ever moves it up to what it has just seen."""
        set_count(self._called, _LARGEST, 0)

    @property
    def lead_samples(self) -> int:
        """How far the conductor is ahead: two of the largest blocks that were asked for, and at least 5.3 ms."""
        return max(SHORTEST_LEAD_SAMPLES, 2 * self.block_samples)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._conduct()
                self.rounds += 1
                self._wake.wait(self._period_s)
                self._wake.clear()
        except BaseException as error:  # noqa: BLE001  (kept for the main thread, which looks at `failure`)
            self.failure = error
        finally:
            set_count(self._conducted, _CONDUCTING, 0)

    def _conduct(self) -> None:
        self._follow()
        # Never back: with shorter blocks the lead shrinks.
        horizon = max(self._clock_samples + self.block_samples + self.lead_samples, self.advanced_samples)
        for event in self._performance.events(horizon, self.sample_at):
            self._engine.push(event)
        self._engine.advance(horizon)
        set_count(self._conducted, _ADVANCED, horizon)

    def _follow(self) -> None:
        """Takes the callback's stamps."""
        n_before = self._n_taken
        self._n_taken = int(_take_stamps(self._called, self._stamps, n_before, self._stamped))
        fresh = self._stamped[: min(self._n_taken - n_before, _SAFE_PLACES)].tolist()
        for time_ns, clock, n_samples, frame in fresh:
            self._timebase.block(time_ns * 1e-9, clock, n_samples)
            self._clock_samples = clock
            self._frame_offset = None if frame == NO_FRAME else clock - frame

    def now_samples(self, time_s: float) -> float:
        """The sample that is rendered at a moment of `time.perf_counter`'s clock; any thread."""
        return self._timebase.sample_at(time_s)

    def sample_at(self, time_s: float, frame: int | None = None) -> int:
        """See `SampleAt`. The same constant after every moment; what comes later never gets an earlier sample. The
        conductor's thread only."""
        ahead = self.block_samples + self.lead_samples
        offset = self._frame_offset
        if frame is not None and offset is not None:
            # Our clock has no end, JACK's goes round: of all samples that the frame may be, the nearest to now.
            rounds = round((self._clock_samples - frame - offset) / FRAMES_PER_ROUND)
            now: float = frame + offset + rounds * FRAMES_PER_ROUND
        else:
            now = self._timebase.sample_at(time_s)
        # A stream that stands still stamps no blocks: then time does not go on either.
        now = min(max(now, self._clock_samples - ahead), self._clock_samples + 2 * self.block_samples)
        due = round(now + ahead + WAKING_S * self._engine.sample_rate_hz)
        self._latest_event = max(self._latest_event, due, 0)
        return self._latest_event


class LoopedScore:
    """Events that begin again `gap_s` after their last, for ever. A Performance."""

    def __init__(self, events: Sequence[Event], sample_rate_hz: int, gap_s: float = 3.0) -> None:
        if not events:
            raise TetradError("a score without events cannot be looped; at least one was expected; choose another")
        self._events = events
        self._length_samples = events[-1].time_samples + round(gap_s * sample_rate_hz)
        self._next = 0
        self._round = 0

    def events(self, horizon_samples: int, sample_at: SampleAt | None = None) -> list[Event]:
        """Events before a sample that were not given yet, moved to their round's place in time."""
        del sample_at
        due: list[Event] = []
        while True:
            event = self._events[self._next]
            at_samples = event.time_samples + self._round * self._length_samples
            if at_samples >= horizon_samples:
                return due
            due.append(replace(event, time_samples=at_samples))
            self._next += 1
            if self._next == len(self._events):
                self._next = 0
                self._round += 1
