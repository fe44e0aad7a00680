"""The arpeggiator: held keys become a pattern of notes in time with a Clock.

States. *Off* (arp_mode off): every event passes, the very objects in their order, and the held keys are only watched.
*Idle*: on, no key is held and nothing sounds. *Running*: from the first key until, after the last, the last note ended.

With a foreign clock the steps lie on its beats: a first key plays at once if the step nearest to it has begun, else it
waits for that step. By our own tempo the steps begin with the first key. The pattern is played by sample times, so it
does not depend on how often `advance` is called; what comes too late happens at once.

Notes keep their keys' channels and velocities, so the bends and pressures of MPE reach the notes of their own finger.
The pedals hold the pattern instead of the notes. One thread uses an Arpeggiator.
"""

import bisect
import math
import random
import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from synth.control.clock import Clock, beats_of
from synth.control.events import (
    AllNotesOff,
    AllSoundOff,
    ChannelEvent,
    Event,
    NoteOff,
    NoteOn,
    ResetControllers,
    SetParameter,
    SostenutoPedal,
    SustainPedal,
)
from synth.control.held_keys import HeldKey, HeldKeys
from synth.control.parameters import parameter_named

CHORD_WINDOW_S = 0.03
"""The fingers of one chord come down within that time; in mode `chord` they all belong to the first step."""
SAME_STEP_S = 0.02
"""A sequencer that starts so soon after a step began means that step: no stutter."""
_NEVER = sys.maxsize
_KEYS_AND_PEDALS = (NoteOn, NoteOff, SustainPedal, SostenutoPedal)
_CHANNEL_MODES = (AllNotesOff, AllSoundOff, ResetControllers)


class ArpNote(NamedTuple):
    """A note of the pattern."""

    channel: int
    key: int
    velocity: int

    @property
    def place(self) -> tuple[int, int]:
        return self.channel, self.key


Step = tuple[ArpNote, ...]


def steps_of(mode: str, keys: Sequence[HeldKey], octaves: int) -> list[Step]:
    """One round of the pattern; notes above key 127 are left out.

    mode: a name of arp_mode but `off`; `random` gives what there is to choose from. keys: as played. octaves: 1..4.
    """
    ordered = list(keys) if mode == "as played" else sorted(keys, key=lambda held: (held.key, held.channel))
    by_octave = [
        [ArpNote(held.channel, held.key + shift, held.velocity) for held in ordered if held.key + shift <= 127]
        for shift in range(0, 12 * octaves, 12)
    ]
    if mode == "chord":
        return [tuple(notes) for notes in by_octave if notes]
    steps: list[Step] = [(note,) for notes in by_octave for note in notes]
    if mode == "down":
        return steps[::-1]
    return steps + steps[-2:0:-1] if mode == "up-down" else steps


class Arpeggiator:
    """Feed it what is played (after the clock was fed with it), then take the notes that are due."""

    def __init__(self, clock: Clock, seed: int = 0) -> None:
        """seed: of the mode `random`; the same playing gives the same notes."""
        self._clock = clock
        self._chance = random.Random(seed)
        names = ("arp_mode", "arp_rate", "arp_octaves", "arp_gate", "arp_hold")
        self._settings = {name: parameter_named(name).default for name in names}
        self._held = HeldKeys()
        self._waiting: list[ChannelEvent] = []  # by time
        self._after_first_step: dict[tuple[int, int], NoteOff] = {}
        self._sounding: dict[tuple[int, int], int] = {}  # -> sample of the end, _NEVER: with the next step
        self._now = 0  # everything before is done
        self._jumps = clock.jumps
        self._followed = False
        self._origin_beat = 0.0  # of the steps
        self._next_beat: float | None = None  # of the next step; None: idle
        self._not_before = 0
        self._last_step: Step = ()
        self._last_beat = -math.inf
        self._last_sample = -clock.sample_rate_hz
        self._index = 0
        self._chord_open_until = -1  # keys that come by then still join the step that sounds

    @property
    def mode(self) -> str:
        """A name of arp_mode."""
        return parameter_named("arp_mode").choices[int(self._settings["arp_mode"])]

    def feed(self, events: Iterable[Event]) -> list[Event]:
        """What goes on to the engine at once: all but the keys and pedals that the pattern is made of."""
        passed: list[Event] = []
        for event in events:
            if isinstance(event, SetParameter) and event.name in self._settings:
                passed.append(event)
                passed += self._set(event)
            elif self.mode == "off":
                passed.append(event)
                if isinstance(event, _KEYS_AND_PEDALS + _CHANNEL_MODES):
                    self._held.apply(event)
            elif isinstance(event, _KEYS_AND_PEDALS):
                bisect.insort(self._waiting, event, key=lambda waiting: waiting.time_samples)
            else:
                passed.append(event)
                if isinstance(event, _CHANNEL_MODES):
                    bisect.insort(self._waiting, event, key=lambda waiting: waiting.time_samples)
        return passed

    def advance(self, horizon_samples: int) -> list[Event]:
        """The pattern's NoteOn and NoteOff before a sample that were not given yet, by time."""
        self._keep_to_the_clock()
        notes: list[Event] = []
        while True:
            end = min(self._sounding.values(), default=_NEVER)
            key = self._waiting[0].time_samples if self._waiting else _NEVER
            step = self._step_due()
            due = min(end, key, step)
            if due >= horizon_samples:
                break
            self._now = max(self._now, due)
            if due == end:
                notes += self._end([place for place, sample in self._sounding.items() if sample == end])
            elif due == key:
                notes += self._apply(self._waiting.pop(0))
            else:
                notes += self._play_step()
        self._now = max(self._now, horizon_samples)
        return notes

    # Parameters.

    def _set(self, event: SetParameter) -> list[Event]:
        was_off = self.mode == "off"
        result: list[Event] = []
        if not was_off:  # what waits belongs to the time before
            for waiting in self._waiting:
                result += self._apply(waiting)
            self._waiting.clear()
        self._settings[event.name] = event.value
        match event.name:
            case "arp_mode" if was_off and self.mode != "off":
                result += self._switch_on(event.time_samples)
            case "arp_mode" if self.mode == "off" and not was_off:
                result += self._switch_off(event.time_samples)
            case "arp_hold":
                self._held.latch = self.mode != "off" and event.value > 0.0
            case "arp_rate" if self._next_beat is not None:
                self._put_on_grid(self._origin_beat)
        return result

    def _switch_on(self, sample: int) -> list[Event]:
        """What sounds in the engine becomes the pattern."""
        at = max(sample, self._now)
        result: list[Event] = []
        for channel, (sustained, sostenuto) in enumerate(zip(self._held.sustained, self._held.sostenuto, strict=True)):
            if sustained:
                result.append(SustainPedal(at, channel, False))
            if sostenuto:
                result.append(SostenutoPedal(at, channel, False))
        result += [NoteOff(at, held.channel, held.key) for held in self._held.keys]
        self._held.latch = self._settings["arp_hold"] > 0.0
        if self._held.keys:
            self._start(at)
        return result

    def _switch_off(self, sample: int) -> list[Event]:
        """Silence; keys that are down say nothing until they are struck again, pedals that are down work again."""
        self._now = max(self._now, sample)
        result = self._end(list(self._sounding))
        self._held.latch = False
        self._let_go_after_first_step()
        self._held.fingers_only()
        self._next_beat = None
        pedals = [SustainPedal(self._now, channel, True) for channel, down in enumerate(self._held.sustained) if down]
        return [*result, *pedals]

    # Keys.

    def _apply(self, event: ChannelEvent) -> list[Event]:
        """A key or a pedal, at its time or, if that is over, at once."""
        self._now = max(self._now, event.time_samples)
        if isinstance(event, NoteOff) and self._next_beat is not None and not self._last_step:
            self._after_first_step[event.channel, event.key] = event  # a short touch before its step is heard, too
            return []
        begins_anew = isinstance(event, NoteOn) and not self._held.keys
        begins_anew |= self._held.apply(event)
        if begins_anew:
            self._last_step, self._index = (), 0
        if isinstance(event, AllSoundOff | AllNotesOff):
            return self._end([place for place in self._sounding if place[0] == event.channel])
        if not isinstance(event, NoteOn):
            return []
        self._after_first_step.pop((event.channel, event.key), None)
        if self._next_beat is None:
            self._start(self._now)
        elif self.mode == "chord" and self._now <= self._chord_open_until and self._last_step:
            late = ArpNote(event.channel, event.key, event.velocity)
            end = self._sounding.get(self._last_step[0].place)
            if end is not None and late.place not in self._sounding:
                self._last_step = (*self._last_step, late)
                self._sounding[late.place] = end
                return [NoteOn(self._now, *late)]
        return []

    def _let_go_after_first_step(self) -> None:
        for event in self._after_first_step.values():
            self._held.apply(event)
        self._after_first_step.clear()

    def _end(self, places: Sequence[tuple[int, int]]) -> list[Event]:
        for place in places:
            del self._sounding[place]
        return [NoteOff(self._now, *place) for place in places]

    # Steps.

    def _start(self, sample: int) -> None:
        """The pattern begins with its first key."""
        self._last_step, self._index, self._last_beat = (), 0, -math.inf
        self._not_before = sample
        beat = self._clock.beat_at(sample)
        self._origin_beat = 0.0 if self._clock.follows(sample) else beat
        length = self._length_beats()
        self._next_beat = self._origin_beat + math.floor((beat - self._origin_beat) / length + 0.5) * length

    def _length_beats(self) -> float:
        return beats_of(parameter_named("arp_rate").choices[int(self._settings["arp_rate"])])

    def _step_due(self) -> int:
        if self._next_beat is None:
            return _NEVER
        return max(self._clock.sample_at(self._next_beat), self._not_before)

    def _keep_to_the_clock(self) -> None:
        """After a jump of the beats, or when a foreign clock begins to count, the steps lie on its beats."""
        follows = self._clock.follows(self._now)
        if self._clock.jumps != self._jumps:
            self._jumps = self._clock.jumps
            self._origin_beat, self._last_beat = 0.0, -math.inf
            if self._next_beat is not None:
                length = self._length_beats()
                self._next_beat = math.ceil(self._clock.jumped_to_beat / length - 1e-6) * length
                same_s = (self._clock.sample_at(self._next_beat) - self._last_sample) / self._clock.sample_rate_hz
                if abs(same_s) < SAME_STEP_S:
                    self._last_beat = self._next_beat
                    self._next_beat += length
        elif follows and not self._followed and self._next_beat is not None:
            self._put_on_grid(0.0)
        self._followed = follows

    def _put_on_grid(self, origin_beat: float) -> None:
        """The next step is the first of the grid that is neither over nor played."""
        self._origin_beat = origin_beat
        length = self._length_beats()
        steps = math.ceil((self._clock.beat_at(self._now) - origin_beat) / length - 1e-6)
        if origin_beat + steps * length <= self._last_beat + 1e-6:
            steps += 1
        self._next_beat = origin_beat + steps * length

    def _play_step(self) -> list[Event]:
        beat = self._next_beat
        assert beat is not None  # or no step were due
        length = self._length_beats()
        step = self._choose()
        fresh = not self._last_step
        ends_before = list(self._sounding)
        ends_after: list[tuple[int, int]] = []
        if step and self._settings["arp_gate"] >= 1.0:  # tied: the next note is there before the last one goes
            struck = {note.place for note in step}
            ends_after = [place for place in ends_before if place not in struck]
            ends_before = [place for place in ends_before if place in struck]
        result = self._end(ends_before)
        gate = self._settings["arp_gate"]
        end = _NEVER
        if gate < 1.0:
            end = max(self._clock.sample_at(self._clock.beat_at(self._now) + gate * length), self._now + 1)
        result += [NoteOn(self._now, *note) for note in step]
        result += self._end(ends_after)
        self._sounding.update((note.place, end) for note in step)
        self._last_beat, self._last_sample = beat, self._now
        self._let_go_after_first_step()
        if step:
            self._last_step = step
            if fresh:
                self._chord_open_until = self._now + round(CHORD_WINDOW_S * self._clock.sample_rate_hz)
            passed = math.floor((beat - self._origin_beat) / length + 1e-6)
            self._next_beat = self._origin_beat + (passed + 1) * length
            if self._clock.sample_at(self._next_beat) <= self._now:  # time went on without us: no burst of old steps
                self._put_on_grid(self._origin_beat)
        else:
            self._next_beat = None
        return result

    def _choose(self) -> Step:
        """The step that follows the last one, also in a pattern that has changed since; () without keys."""
        steps = steps_of(self.mode, self._held.keys, int(self._settings["arp_octaves"]))
        if not steps:
            return ()
        last = [note.place for note in self._last_step]
        if self.mode == "random":
            others = [step for step in steps if [note.place for note in step] != last]
            return self._chance.choice(others or steps)
        if last and self.mode == "chord":
            self._index += 1
        elif last:
            same = [i for i, step in enumerate(steps) if [note.place for note in step] == last]
            # A step that has gone left its place to the one after it.
            self._index = min(same, key=lambda i: abs(i - self._index)) + 1 if same else self._index
        else:
            self._index = 0
        self._index %= len(steps)
        return steps[self._index]
