"""What is played, in the conductor's thread: MIDI, clients' events, arpeggiator, gestures, scores -> engine events.

A `Performance` (synth.live): `LiveEngine` calls `events` every 2 ms or when something came. Other threads hand in what
they have by `run`, and find what happened here in queues: `moved` (parameters that MIDI moved), `programs`,
`midi_changed`, `retuned`, `gestures`. Nothing here waits, and no queue grows without bound.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from synth.control.arpeggiator import Arpeggiator
from synth.control.clock import Clock
from synth.control.events import (
    Event,
    ProgramChange,
    SessionEvent,
    SetParameter,
    SetTuning,
)
from synth.control.gesture import Gesture, GestureRecorder
from synth.control.gesture_player import GesturePlayer, LoopMode
from synth.control.midi_inputs import MidiInputs
from synth.control.midi_settings import MidiSettings
from synth.control.parameters import NOTE_LENGTHS, parameter_named
from synth.control.tuning import Tuning
from synth.errors import TetradError
from synth.live import Performance, SampleAt

MOST_WAITING = 4096
MOST_MOVED = 1024
DELAY_STEP = 0.001
"""Of the delay's time: a smaller change of the tempo leaves it, lest a clock's jitter be heard as vibrato."""

Action = Callable[[int], Iterable[Event]]
"""Something to do in the conductor's thread at a sample; gives the events that come of it."""


class Message(Protocol):
    """A MIDI message, and when it arrived on `time.perf_counter`'s clock."""

    @property
    def time_s(self) -> float: ...
    @property
    def data(self) -> bytes: ...
    @property
    def port(self) -> str:
        """Name of where it came from: registered parameters and held keys are a port's own."""

    @property
    def frame(self) -> int | None:
        """Its place on JACK's clock, where it is known."""


class MessageSource(Protocol):
    """Where messages come from: MIDI ports, a terminal."""

    def take(self) -> Sequence[Message]:
        """All messages since the last call, oldest first; never blocks."""

    def lost(self) -> Sequence[str]:
        """Ports that went away since the last call: their keys go up."""


class Stage:
    """Everything between the players and the engine. See the top of this file for who may call what.

    sources: of MIDI messages. scores: performances that are played along. channels_of_ports: see MidiInputs.
    """

    def __init__(
        self,
        sample_rate_hz: int,
        sources: Sequence[MessageSource] = (),
        scores: Sequence[Performance] = (),
        *,
        channels_of_ports: Mapping[str, frozenset[int]] | None = None,
        seed: int = 0,
    ) -> None:
        self.clock = Clock(sample_rate_hz)
        self.moved: deque[tuple[str, float]] = deque(maxlen=MOST_MOVED)
        """(parameter, value) that MIDI moved; a gesture's movements are not here."""
        self.programs: deque[int] = deque(maxlen=MOST_WAITING)
        """Numbers of patches that program changes asked for."""
        self.midi_changed: deque[MidiSettings] = deque(maxlen=MOST_MOVED)
        """Settings with what a controller was learned for."""
        self.retuned: deque[Tuning] = deque(maxlen=MOST_MOVED)
        """Tunings that came by MIDI."""
        self.gestures: deque[Gesture] = deque(maxlen=MOST_MOVED)
        """Gestures whose recording ended."""
        self.messages = 0
        """MIDI messages taken."""
        self.dropped = 0
        """Events and actions that found no room."""
        self.wake: Callable[[], None] = lambda: None
        """Called when something was handed in: `LiveEngine.wake`."""
        self._inbox: deque[Action] = deque()
        self._sources = tuple(sources)
        self._midi = MidiInputs(channels_of_ports=channels_of_ports)
        self._scores = tuple(scores)
        self._arpeggiator = Arpeggiator(self.clock, seed)
        self._recorder = GestureRecorder(sample_rate_hz)
        self._player = GesturePlayer(self.clock)
        self._delay_sync = 0
        self._delay_s = 0.0
        self._now = 0
        self._latest = 0

    # Any thread.

    def run(self, action: Action) -> None:
        """Have the conductor do something; what does not find room is counted, and raised as a TetradError."""
        if len(self._inbox) >= MOST_WAITING:
            self.dropped += 1
            raise TetradError(
                f"{MOST_WAITING} things wait to be played already; the engine is behind; send less, or wait"
            )
        self._inbox.append(action)
        self.wake()

    def set_midi(self, settings: MidiSettings) -> None:
        """Every port understands MIDI like this from now on."""

        def action(sample: int) -> Iterable[Event]:
            return self._midi.use(settings, sample)

        self.run(action)

    def learn(self, parameter: str | None) -> None:
        """The next controller of any port sets this parameter; None: never mind."""

        def action(_: int) -> Iterable[Event]:
            self._midi.learn(parameter)
            return ()

        self.run(action)

    def set_tuning(self, tuning: Tuning) -> None:
        """Every key has this pitch from now on, in sounding notes too."""

        def action(sample: int) -> Iterable[Event]:
            self._midi.tunings.play(tuning)
            return [SetTuning(sample, tuning.pitches, moves_sounding=True)]

        self.run(action)

    def touching(self, down: bool) -> None:
        """A finger rests on a surface, or has left it."""

        def action(sample: int) -> Iterable[Event]:
            if down:
                self._player.hold()
            else:
                self._player.let_go(sample)
            return ()

        self.run(action)

    def record_gesture(self) -> None:
        """The finger's way from now on is kept."""

        def action(sample: int) -> Iterable[Event]:
            self._player.stop()
            self._recorder.start(sample)
            return ()

        self.run(action)

    def play_gesture(self, gesture: Gesture, mode: LoopMode, speed: float, mirrored: bool) -> None:
        """The finger goes a way."""

        def action(sample: int) -> Iterable[Event]:
            self._player.play(gesture, sample, mode, speed=speed, mirrored=mirrored)
            return ()

        self.run(action)

    def stop_gesture(self) -> None:
        """Ends a recording (`gestures` has it then) or a playing."""

        def action(sample: int) -> Iterable[Event]:
            self._player.stop()
            self._end_recording(sample)
            return ()

        self.run(action)

    def panic(self) -> None:
        """Every sound ends at once, and nothing begins by itself."""

        def action(sample: int) -> Iterable[Event]:
            self._player.stop()
            return self._midi.panic(sample)

        self.run(action)

    @property
    def recording_gesture(self) -> bool:
        return self._recorder.recording

    @property
    def playing_gesture(self) -> bool:
        return self._player.playing

    def clock_status(self) -> dict[str, Any]:
        """Tempo and beat now; see `synth.control.status`."""
        now = self._now
        follows = self.clock.follows(now)
        return {
            "tempo_bpm": self.clock.tempo_bpm(now),
            "source": "midi" if follows else "own",
            "beat": self.clock.beat_at(now),
            "running": bool(self.clock.running) if follows else True,
        }

    # The conductor's thread.

    def events(self, horizon_samples: int, sample_at: SampleAt) -> Sequence[Event]:
        """See `synth.live.Performance`.

        What players do keeps its order: nothing is due before what was done before it. A key is due some ms after it
        was struck; an arpeggiator that was switched on meanwhile let it go before it began, and it never ended.
        """
        now = self._now
        self._latest = max(self._latest, now)
        fresh: list[Event] = []
        while self._inbox:
            fresh += self._inbox.popleft()(self._latest)
        from_midi = self._from_midi(sample_at)
        self._note_moves(from_midi)
        fresh += from_midi
        for score in self._scores:
            fresh += score.events(horizon_samples, sample_at)
        self.clock.feed(fresh)
        self._recorder.feed(fresh)
        self._player.feed(fresh)
        due = self._arpeggiator.feed(event for event in fresh if not isinstance(event, SessionEvent))
        due += self._arpeggiator.advance(horizon_samples)
        due += self._player.advance(horizon_samples)
        due += self._delay_in_time(fresh, now)
        if self._recorder.is_full(now):
            self._end_recording(now)
        self._now = horizon_samples
        return due

    def _from_midi(self, sample_at: SampleAt) -> list[Event]:
        events: list[Event] = []
        before = self._midi.settings
        for source in self._sources:
            for message in source.take():
                self.messages += 1
                self._latest = max(self._latest, sample_at(message.time_s, message.frame))
                events += self._midi.events(message.port, message.data, self._latest)
            for port in source.lost():
                events += self._midi.lost(port, self._latest)
        if self._midi.settings is not before:
            self.midi_changed.append(self._midi.settings)
        return events

    def _note_moves(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, SetParameter):
                self.moved.append((event.name, event.value))
            elif isinstance(event, ProgramChange):
                self.programs.append(event.bank * 128 + event.program)
            elif isinstance(event, SetTuning):
                self.retuned.append(self._midi.tunings.current)

    def _end_recording(self, sample: int) -> None:
        if self._recorder.recording:
            self.gestures.append(self._recorder.stop(sample))

    def _delay_in_time(self, events: Iterable[Event], now: int) -> list[Event]:
        """The delay's time, where it is a note length and the tempo or the length has changed."""
        for event in events:
            if isinstance(event, SetParameter) and event.name == "delay_sync":
                self._delay_sync = int(event.value)
                self._delay_s = 0.0
        if self._delay_sync == 0:
            return []
        wanted_s = self.clock.seconds_of(NOTE_LENGTHS[self._delay_sync - 1], now)
        wanted_s = parameter_named("delay_time").clamp(wanted_s)
        if abs(wanted_s - self._delay_s) <= DELAY_STEP * wanted_s:
            return []
        self._delay_s = wanted_s
        return [SetParameter(now, "delay_time", wanted_s)]
