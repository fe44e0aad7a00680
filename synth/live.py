"""The engine in real time: a conductor thread keeps it ahead of the audio callback and feeds it what is played.

One event's way: a key on a controller -> a MIDI port stamps the bytes and wakes the conductor thread -> the performance
makes events of them, due a constant lead after the moment -> `Engine.advance` computes the control frames up to
the lead past the callback's clock -> the audio callback calls `LiveEngine.render_into`, which renders the next block
from finished frames. The constant lead turns the threads' jitter into a small, even delay: two notes are as far apart
in the sound as they were under the fingers.
"""

import gc
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from synth.control.events import Event
from synth.errors import TetradError
from synth.timebase import Timebase
from synth.voices.engine import Engine

SHORTEST_LEAD_SAMPLES = 256
"""5.3 ms. Frames that the callback found missing in 12 s, per lead, with both cores busy: see synth/README.md."""
CONDUCTOR_PERIOD_S = 0.002
WAKING_S = 0.001
"""From a message's arrival until the conductor has taken it; what takes longer is played late, not earlier."""
SWITCH_INTERVAL_S = 0.0005
"""After which a thread must let go of the interpreter, so that the callback never waits for the others' 5 ms."""

FRAMES_PER_ROUND = 1 << 32  # of JACK's clock


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
    """Runs an engine's control half in a thread. Use it as a context manager around the audio stream.

    While it runs, garbage collection is frozen and off: a collection would stop the callback for tens of ms.
    in_step: the callback waits for the conductor instead of going on without its frames. For tests on a server that
    waits, and for rendering through a stream: what is heard is then the offline rendering, sample for sample.
    """

    def __init__(self, engine: Engine, performance: Performance, *, in_step: bool = False) -> None:
        self._engine = engine
        self._performance = performance
        self._in_step = in_step
        self._timebase = Timebase(engine.sample_rate_hz, time.perf_counter(), engine.clock_samples)
        self._clock_samples = engine.clock_samples
        self._largest_block = 0
        self._latest_event = 0
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._advanced = threading.Event()
        self._switch_interval_s = sys.getswitchinterval()
        self._frame_offset: int | None = None  # from JACK's clock to ours
        self._thread = threading.Thread(target=self._run, name="conductor", daemon=True)
        self.block_frame: Callable[[], int | None] = lambda: None
        """JACK's clock at the start of the block that is played now, where the stream is on a JACK server."""
        self.failure: BaseException | None = None
        """What ended the conductor thread, if it was not `stop`."""
        self.advanced_samples = engine.clock_samples
        """What the control half has computed so far."""

    def __enter__(self) -> "LiveEngine":
        gc.collect()
        gc.freeze()
        gc.disable()
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._wake.set()
        self._advanced.set()
        self._thread.join()
        sys.setswitchinterval(self._switch_interval_s)
        gc.enable()
        gc.unfreeze()

    def wake(self) -> None:
        """Something to play has arrived: any thread."""
        self._wake.set()

    def render_into(self, out: NDArray[np.float32]) -> None:
        """The audio callback's only call: the next block, float32 [n, 2]."""
        n = out.shape[0]
        clock = self._engine.clock_samples
        self._timebase.block(time.perf_counter(), clock, n)
        self._clock_samples = clock
        frame = self.block_frame()
        self._frame_offset = None if frame is None else clock - frame
        self._largest_block = max(self._largest_block, n)
        if self._in_step:
            self._wait_for_frames(clock + n)
        self._engine.render_into(out)

    @property
    def block_samples(self) -> int:
        """The largest block that was asked for; 0 before the first."""
        return self._largest_block

    @property
    def lead_samples(self) -> int:
        """How far the conductor is ahead: two of the largest blocks that were asked for, and at least 5.3 ms."""
        return max(SHORTEST_LEAD_SAMPLES, 2 * self._largest_block)

    def _wait_for_frames(self, end_samples: int) -> None:
        while self.advanced_samples < end_samples and self._thread.is_alive() and not self._stopping.is_set():
            self._advanced.clear()
            self._wake.set()
            if self.advanced_samples < end_samples:
                self._advanced.wait(0.1)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._conduct()
                self._wake.wait(CONDUCTOR_PERIOD_S)
                self._wake.clear()
        except BaseException as error:  # noqa: BLE001  (kept for the main thread, which looks at `failure`)
            self.failure = error

    def _conduct(self) -> None:
        horizon = self._clock_samples + self._largest_block + self.lead_samples
        for event in self._performance.events(horizon, self.sample_at):
            self._engine.push(event)
        self._engine.advance(horizon)
        self.advanced_samples = horizon
        self._advanced.set()

    def now_samples(self, time_s: float) -> float:
        """The sample that is rendered at a moment of `time.perf_counter`'s clock."""
        return self._timebase.sample_at(time_s)

    def sample_at(self, time_s: float, frame: int | None = None) -> int:
        """See `SampleAt`. The same constant after every moment; what comes later never gets an earlier sample."""
        ahead = self._largest_block + self.lead_samples
        offset = self._frame_offset
        if frame is not None and offset is not None:
            # Our clock has no end, JACK's goes round: of all samples that the frame may be, the nearest to now.
            rounds = round((self._clock_samples - frame - offset) / FRAMES_PER_ROUND)
            now: float = frame + offset + rounds * FRAMES_PER_ROUND
        else:
            now = self._timebase.sample_at(time_s)
        # A stream that stands still stamps no blocks: then time does not go on either.
        now = min(max(now, self._clock_samples - ahead), self._clock_samples + 2 * self._largest_block)
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
