"""The engine in real time: a conductor thread keeps it ahead of the audio callback and feeds it what is played.

One event's way: a key on a controller -> `MidiInput._receive` stamps the bytes -> the conductor thread takes them
(every 2 ms), turns their time into a sample, LEAD later than the moment, and pushes engine events -> `Engine.advance`
computes the control frames up to LEAD past the callback's clock -> the audio callback calls `LiveEngine.render_into`,
which renders the next block from finished frames. The constant lead turns the thread's jitter into a small, even
delay: two notes are as far apart in the sound as they were under the fingers.
"""

import gc
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from synth.control.events import Event
from synth.control.midi_map import MidiMap
from synth.errors import TetradError
from synth.voices.engine import Engine

SHORTEST_LEAD_SAMPLES = 384  # 8 ms: one control frame
CONDUCTOR_PERIOD_S = 0.002


class Message(Protocol):
    """A MIDI message and when it arrived on `time.perf_counter`'s clock."""

    @property
    def time_s(self) -> float: ...
    @property
    def data(self) -> bytes: ...


class MessageSource(Protocol):
    """Where messages come from: a MIDI port, a terminal."""

    def take(self) -> Sequence[Message]:
        """All messages since the last call, oldest first; never blocks."""


class EventSource(Protocol):
    """Where engine events come from that know their own time: a score that is played along."""

    def events_before(self, time_samples: int) -> Sequence[Event]:
        """All events before a sample that were not given yet."""


class Stamp(NamedTuple):
    """At `time_s` (`time.perf_counter`) the engine was about to render `clock_samples`."""

    time_s: float
    clock_samples: int


class LiveEngine:
    """Runs an engine's control half in a thread. Use it as a context manager around the audio stream.

    While it runs, garbage collection is frozen and off: a collection would stop the callback for tens of ms.
    """

    def __init__(
        self, engine: Engine, messages: Sequence[MessageSource] = (), scores: Sequence[EventSource] = ()
    ) -> None:
        self._engine = engine
        self._messages = [(source, MidiMap()) for source in messages]
        self._scores = tuple(scores)
        self._stamp = Stamp(time.perf_counter(), engine.clock_samples)
        self._largest_block = 0
        self._latest_event = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="conductor", daemon=True)
        self.failure: BaseException | None = None
        """What ended the conductor thread, if it was not `stop`."""
        self.messages_taken = 0

    def __enter__(self) -> "LiveEngine":
        gc.collect()
        gc.freeze()
        gc.disable()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        gc.enable()
        gc.unfreeze()

    def render_into(self, out: NDArray[np.float32]) -> None:
        """The audio callback's only call: the next block, float32 [n, 2]."""
        self._stamp = Stamp(time.perf_counter(), self._engine.clock_samples)
        self._largest_block = max(self._largest_block, out.shape[0])
        self._engine.render_into(out)

    @property
    def lead_samples(self) -> int:
        """How far the conductor is ahead: two of the largest blocks that were asked for, and at least a frame."""
        return max(SHORTEST_LEAD_SAMPLES, 2 * self._largest_block)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._conduct()
                self._stopping.wait(CONDUCTOR_PERIOD_S)
        except BaseException as error:  # noqa: BLE001  (kept for the main thread, which looks at `failure`)
            self.failure = error

    def _conduct(self) -> None:
        horizon = self._stamp.clock_samples + self._largest_block + self.lead_samples
        for source, midi_map in self._messages:
            for message in source.take():
                self.messages_taken += 1
                for event in midi_map.events(message.data, self._sample_at(message.time_s)):
                    self._engine.push(event)
        for score in self._scores:
            for event in score.events_before(horizon):
                self._engine.push(event)
        self._engine.advance(horizon)

    def _sample_at(self, time_s: float) -> int:
        """The sample that a message of this moment is for; later messages never get an earlier one."""
        stamp = self._stamp
        since_samples = round((time_s - stamp.time_s) * self._engine.sample_rate_hz)
        # A stream that stands still stamps no blocks: then time does not go on either.
        since_samples = min(max(since_samples, -self.lead_samples), 2 * self._largest_block)
        taken_late = round(CONDUCTOR_PERIOD_S * self._engine.sample_rate_hz)
        due = stamp.clock_samples + self._largest_block + self.lead_samples + taken_late + since_samples
        self._latest_event = max(self._latest_event, due, 0)
        return self._latest_event


class LoopedScore:
    """Events that begin again `gap_s` after their last, for ever. As an EventSource for LiveEngine."""

    def __init__(self, events: Sequence[Event], sample_rate_hz: int, gap_s: float = 3.0) -> None:
        if not events:
            raise TetradError("a score without events cannot be looped; at least one was expected; choose another")
        self._events = events
        self._length_samples = events[-1].time_samples + round(gap_s * sample_rate_hz)
        self._next = 0
        self._round = 0

    def events_before(self, time_samples: int) -> list[Event]:
        """Events before a sample that were not given yet, moved to their round's place in time."""
        due: list[Event] = []
        while True:
            event = self._events[self._next]
            at_samples = event.time_samples + self._round * self._length_samples
            if at_samples >= time_samples:
                return due
            due.append(replace(event, time_samples=at_samples))
            self._next += 1
            if self._next == len(self._events):
                self._next = 0
                self._round += 1
