"""What happened on the board: absolute states become turns, presses and moved knobs.

    reader = Reader()
    reader.read(state, now_s)    # the first one is a baseline: no events
    reader.read(state, now_s)    # [Turned(Corner.NW, 1), KnobMoved(Knob.ATTACK, 0.25)]
    reader.look(now_s)           # [Held(Switch.PATCH_1)]: time alone makes these

A state says where everything *is* (wrapping counters, levels), so one that was lost makes the next one tell more, and
nothing is counted twice. Time comes from the caller, in seconds of a clock that never goes back.

A switch is *up*, *down* (Pressed was said), *held* (for HELD_S; Held was said), *stuck* (for STUCK_S; Stuck was said,
and its release will not be), or *unknown* (down when the board was first seen: it counts once it has come up; after
STUCK_S it is said to be stuck too).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Protocol

from synth.control.corners import Corner

COUNTER_VALUES, EDGE_VALUES = 2**16, 2**8
HELD_S = 0.6
STUCK_S = 20.0
"""Nobody keeps a finger on a button for so long."""
HIGHEST_READING = 1023
END_READINGS = 4
"""This near to an end a knob is at its end: potentiometers and their references seldom reach the last steps."""
RESTING_READINGS = 1
"""A knob that went no farther than this from where it was last told has not moved; the board filters to 1.5 before."""
NOISY_REVERSALS, NOISY_WITHIN_S = 40, 1.0
"""A hand turns a knob back and forth some 10 times a second at the very most."""
NOISY_READINGS = 32
"""A noisy knob has moved when it went farther than this: 3 % of its way."""


class Switch(IntEnum):
    """A switch by its bit in `switch_levels`: the pushes of the encoders in the order of `Corner`, then the buttons."""

    PUSH_NW = 0
    PUSH_NE = 1
    PUSH_SW = 2
    PUSH_SE = 3
    PATCH_1 = 4
    PATCH_2 = 5
    PATCH_3 = 6
    PATCH_4 = 7


class Knob(IntEnum):
    """A knob by its index in `knobs`, called after the parameter that it sets unless `board.toml` says otherwise."""

    POSITION = 0
    ATTACK = 1
    DECAY = 2
    SUSTAIN = 3
    RELEASE = 4
    VOLUME = 5


@dataclass(frozen=True)
class Turned:
    """An encoder was turned by so many detents, clockwise above 0; never 0."""

    encoder: Corner
    detents: int


@dataclass(frozen=True)
class Pressed:
    """A switch went down."""

    switch: Switch


@dataclass(frozen=True)
class Held:
    """A switch has been down for HELD_S."""

    switch: Switch


@dataclass(frozen=True)
class Released:
    """A switch that was pressed came up. held: `Held` had been said."""

    switch: Switch
    held: bool


@dataclass(frozen=True)
class Stuck:
    """A switch has been down for STUCK_S; it is ignored until it has come up."""

    switch: Switch


@dataclass(frozen=True)
class KnobMoved:
    """A knob is at another place. value: 0 to 1 of its way, clockwise."""

    knob: Knob
    value: float


@dataclass(frozen=True)
class KnobNoisy:
    """A knob's reading went back and forth as no hand does; from now on it is read coarsely. Said once."""

    knob: Knob


Event = Turned | Pressed | Held | Released | Stuck | KnobMoved | KnobNoisy


class Reading(Protocol):
    """The part of the board's STATE that is read here.

    encoders: 4 counts, 0..65535. switch_levels: bit k is switch k, down. switch_edges: 8 counts, 0..255. knobs: 6
    readings, 0..1023.
    """

    @property
    def encoders(self) -> Sequence[int]: ...
    @property
    def switch_levels(self) -> int: ...
    @property
    def switch_edges(self) -> Sequence[int]: ...
    @property
    def knobs(self) -> Sequence[int]: ...


def wrapped_difference(before: int, after: int, n_values: int) -> int:
    """By how much a wrapping counter of `n_values` values went on: the shortest way, -n_values/2 to n_values/2 - 1."""
    return (after - before + n_values // 2) % n_values - n_values // 2


def knob_value(reading: int) -> float:
    """A knob's place, 0 to 1, at a reading of 0 to 1023; exactly 0 and 1 near the ends."""
    share = (reading - END_READINGS) / (HIGHEST_READING - 2 * END_READINGS)
    return min(max(share, 0.0), 1.0)


class Detents:
    """Counts of one encoder as detents. counts: of the first reading, at rest; counts_per_detent: 1, 2 or 4.

    A detent is told when all but a quarter of its counts are passed, and taken back when it is gone back as far, so
    that an encoder which trembles by a count or two, wherever it stands, tells nothing.
    """

    def __init__(self, counts: int, counts_per_detent: int = 4) -> None:
        self._last, self._per_detent = counts, counts_per_detent
        self._enough = counts_per_detent - counts_per_detent // 4
        # The board counts from a detent on, so rests are where its counts can be divided.
        self._beyond = (counts + counts_per_detent // 2) % counts_per_detent - counts_per_detent // 2

    def read(self, counts: int) -> int:
        """Detents since they were told last, of a counter 0..65535 that wraps."""
        if counts == self._last:
            return 0
        self._beyond += wrapped_difference(self._last, counts, COUNTER_VALUES)
        self._last = counts
        if abs(self._beyond) < self._enough:
            return 0
        sign = 1 if self._beyond > 0 else -1
        detents = (abs(self._beyond) + self._per_detent - self._enough) // self._per_detent
        self._beyond -= sign * detents * self._per_detent
        return sign * detents


class _Is(Enum):
    UP = 0
    DOWN = 1
    HELD = 2
    STUCK = 3
    UNKNOWN = 4


@dataclass
class _SwitchState:
    switch: Switch
    edges: int
    is_: _Is
    since_s: float

    def read(self, edges: int, now_s: float) -> list[Event]:
        if edges == self.edges:
            return []
        passed = (edges - self.edges) % EDGE_VALUES
        self.edges = edges
        events: list[Event] = []
        for _ in range(passed):
            if self.is_ is _Is.UP:
                self.is_, self.since_s = _Is.DOWN, now_s
                events.append(Pressed(self.switch))
                continue
            if self.is_ in (_Is.DOWN, _Is.HELD):
                events.append(Released(self.switch, self.is_ is _Is.HELD))
            self.is_ = _Is.UP
        return events

    def look(self, now_s: float) -> list[Event]:
        down_s = now_s - self.since_s
        if self.is_ is _Is.DOWN and down_s >= HELD_S:
            self.is_ = _Is.HELD
            return [Held(self.switch)]
        if self.is_ in (_Is.HELD, _Is.UNKNOWN) and down_s >= STUCK_S:
            self.is_ = _Is.STUCK
            return [Stuck(self.switch)]
        return []


@dataclass
class _KnobState:
    knob: Knob
    told: int
    last: int
    rising: bool = True
    resting: int = RESTING_READINGS
    reversals_s: list[float] = field(default_factory=list)

    def read(self, reading: int, now_s: float) -> list[Event]:
        if reading == self.last:
            return []
        events: list[Event] = []
        rising = reading > self.last
        self.last = reading
        if rising is not self.rising:
            self.rising = rising
            events += self._reversed(now_s)
        value, told = knob_value(reading), knob_value(self.told)
        # An end is told however near the knob was to it: it must be reached.
        if abs(reading - self.told) > self.resting or (value != told and value in (0.0, 1.0)):
            self.told = reading
            if value != told:
                events.append(KnobMoved(self.knob, value))
        return events

    def _reversed(self, now_s: float) -> list[Event]:
        self.reversals_s = [at_s for at_s in self.reversals_s if now_s - at_s < NOISY_WITHIN_S] + [now_s]
        if self.resting == NOISY_READINGS or len(self.reversals_s) < NOISY_REVERSALS:
            return []
        self.resting = NOISY_READINGS
        return [KnobNoisy(self.knob)]


class Reader:
    """States of one board, one after the other. counts_per_detent: as its hello says.

    reversed_encoders, reversed_knobs: those that are wired the other way round.
    """

    def __init__(
        self,
        counts_per_detent: int = 4,
        *,
        reversed_encoders: frozenset[Corner] = frozenset(),
        reversed_knobs: frozenset[Knob] = frozenset(),
    ) -> None:
        self._per_detent = counts_per_detent
        self._reversed_encoders, self._reversed_knobs = reversed_encoders, reversed_knobs
        self._encoders: list[Detents] = []
        self._switches: list[_SwitchState] = []
        self._knobs: list[_KnobState] = []
        self._last: Reading | None = None

    @property
    def began(self) -> bool:
        """Whether there was a first state."""
        return bool(self._encoders)

    @property
    def touched(self) -> bool:
        """Whether a switch is not up: time alone may make an event of it."""
        return any(switch.is_ is not _Is.UP for switch in self._switches)

    @property
    def knobs(self) -> dict[Knob, float]:
        """Where each knob was told to be, 0 to 1; {} before the first state."""
        return {one.knob: knob_value(one.told) for one in self._knobs}

    def forget(self, counts_per_detent: int) -> None:
        """The board was away, or began anew: its next state is a baseline. What was pressed is never released."""
        self._per_detent = counts_per_detent
        self._encoders, self._switches, self._knobs = [], [], []

    def read(self, state: Reading, now_s: float) -> list[Event]:
        """What happened since the last state. now_s: when this one came."""
        if not self.began:
            self._encoders = [Detents(state.encoders[corner], self._per_detent) for corner in Corner]
            self._switches = [
                _SwitchState(one, state.switch_edges[one], _Is.UNKNOWN if _is_down(state, one) else _Is.UP, now_s)
                for one in Switch
            ]
            readings = [self._of_knob(knob, state) for knob in Knob]
            self._knobs = [_KnobState(knob, reading, reading) for knob, reading in zip(Knob, readings, strict=True)]
            self._last = state
            return []
        # A hand moves one thing at a time: what stayed as it was is not looked at (this is a fifth of the host's work).
        last, self._last = self._last, state
        events: list[Event] = []
        if last is None or state.encoders != last.encoders:
            for corner, encoder in zip(Corner, self._encoders, strict=True):
                detents = encoder.read(state.encoders[corner])
                if detents:
                    events.append(Turned(corner, -detents if corner in self._reversed_encoders else detents))
        if last is None or state.switch_edges != last.switch_edges:
            for switch in self._switches:
                events += switch.read(state.switch_edges[switch.switch], now_s)
        if last is None or state.knobs != last.knobs:
            for one in self._knobs:
                if last is None or state.knobs[one.knob] != last.knobs[one.knob]:
                    events += one.read(self._of_knob(one.knob, state), now_s)
        return events + self.look(now_s)

    def look(self, now_s: float) -> list[Event]:
        """What time alone brings: Held and Stuck. To be called some 20 times a second while a switch is `touched`."""
        return [event for switch in self._switches if switch.is_ is not _Is.UP for event in switch.look(now_s)]

    def _of_knob(self, knob: Knob, state: Reading) -> int:
        reading = state.knobs[knob]
        return HIGHEST_READING - reading if knob in self._reversed_knobs else reading


def _is_down(state: Reading, switch: Switch) -> bool:
    return bool(state.switch_levels >> switch & 1)
