"""The 16 channels of a MIDI input: who is heard, who manages whom, and what each channel's notes get of their own.

A channel's pitch and the dimensions of its notes (NoteExpression) are computed from what its controllers say now, and
what differs from what was last said becomes an event. So a zone's manager, a new bend range, a reset and an input that
is pulled out all take the same way, and nothing is said twice.
"""

import math
from collections.abc import Iterable, Sequence

from synth.control.events import (
    N_CHANNELS,
    Dimension,
    Event,
    NoteExpression,
    NoteOff,
    PitchBend,
    ResetControllers,
)
from synth.control.midi_settings import MOST_BEND_SEMITONES, MidiSettings, Route, Target, dimension_limit
from synth.control.registered import RegisteredParameters

PERCUSSION_CHANNEL = 9
_WHEEL, _EXPRESSION = 1, 11


class Channel:
    """What one channel has said, and what the engine was told of it."""

    def __init__(self) -> None:
        self.held: set[int] = set()
        """Keys that are down."""
        self.pressed: set[int] = set()
        """Keys with a polyphonic pressure above 0."""
        self.coarse: dict[int, int] = {}
        """Last value of the controllers 0..31."""
        self.bank = 0
        self.used = False
        """Whether anything came since it was let go."""
        self.told_semitones = 0.0
        self.told: dict[Dimension, float] = {}
        self.rest()

    def rest(self) -> None:
        """As reset-all-controllers leaves it (RP-015)."""
        self.bend = 0.0  # -1..1
        self.pressure = 0.0  # 0..1
        self.slide = 0.0  # -1..1
        self.coarse.pop(_WHEEL, None)
        self.coarse.pop(_EXPRESSION, None)


class Channels:
    """State of all channels under `settings`."""

    def __init__(self, settings: MidiSettings) -> None:
        self._states = [Channel() for _ in range(N_CHANNELS)]
        self.registered = RegisteredParameters()
        self._read(settings)
        self.set_bend_ranges(range(N_CHANNELS))

    def __getitem__(self, channel: int) -> Channel:
        return self._states[channel]

    def use(self, settings: MidiSettings, time: int) -> list[Event]:
        """Other settings. Channels that are not heard any more, or whose zone changes, are let go."""
        before, heard, managers = self.settings, self.heard, self._managers
        self._read(settings)
        changed: Iterable[int] = [
            channel
            for channel in range(N_CHANNELS)
            if (heard[channel], managers[channel]) != (self.heard[channel], self._managers[channel])
        ]
        events = self.let_go(changed, time)
        ranges = (settings.bend_range_semitones, settings.mpe_bend_range_semitones)
        if ranges != (before.bend_range_semitones, before.mpe_bend_range_semitones):
            changed = range(N_CHANNELS)
        self.set_bend_ranges(changed)
        return events + self.expression(range(N_CHANNELS), time)

    def set_bend_ranges(self, channels: Iterable[int]) -> None:
        """The settings' ranges, whatever RPN 0 said."""
        for channel in channels:
            member = self.is_member(channel)
            self.registered.set_bend_range(
                channel, self.settings.mpe_bend_range_semitones if member else self.settings.bend_range_semitones
            )

    def in_zone(self, channel: int) -> bool:
        """Whether a channel is a manager or a member."""
        return self._managers[channel] is not None

    def is_member(self, channel: int) -> bool:
        """Whether a channel has a manager above it."""
        return self._managers[channel] not in (None, channel)

    def addressed(self, channel: int) -> Sequence[int]:
        """The channels that a message is for: a manager's is for its whole zone."""
        return (channel, *self.zones.members(channel)) if self._managers[channel] == channel else (channel,)

    def siblings(self, channel: int) -> Sequence[int]:
        """All members of a member's zone."""
        manager = self._managers[channel]
        return () if manager is None else self.zones.members(manager)

    def poly_route(self, channel: int) -> Route:
        """Where a key's own pressure goes."""
        return self.settings.mpe_pressure if self.in_zone(channel) else self.settings.poly_pressure

    def reset(self, channels: Sequence[int], time: int) -> list[Event]:
        """What RP-015 resets. Volume, pan, bank and registered parameters stay."""
        events: list[Event] = []
        for channel in channels:
            state, dimension = self[channel], self.poly_route(channel).dimension
            state.rest()
            self.registered.deselect(channel)
            events.append(ResetControllers(time, channel))
            state.told_semitones = 0.0  # the engine does this of itself
            # Whether it also forgets the dimensions is its business: they are said again, whatever they are.
            state.told = dict.fromkeys(state.told, math.nan)
            if dimension is not None:
                events += [NoteExpression(time, channel, key, dimension, 0.0) for key in sorted(state.pressed)]
            state.pressed.clear()
        return events + self.expression(channels, time)

    def let_go(self, channels: Iterable[int], time: int) -> list[Event]:
        """Keys go up, pedals and controllers to rest, of those channels that were used."""
        used = [channel for channel in channels if self[channel].used]
        events: list[Event] = []
        for channel in used:
            events += [NoteOff(time, channel, key) for key in sorted(self[channel].held)]
            self[channel].held.clear()
            self[channel].used = False
        events += self.reset(used, time)
        return events + self.expression(range(N_CHANNELS), time)  # a manager's members may not have been used

    def expression(self, channels: Iterable[int], time: int, *, pitch_always: bool = False) -> list[Event]:
        """What has changed of the channels' pitch and dimensions; with pitch_always the pitch even if it has not."""
        events: list[Event] = []
        for channel in channels:
            state = self[channel]
            semitones, dimensions = self._own(channel)
            manager = self._managers[channel]
            if manager is not None and manager != channel:
                managed_semitones, managed = self._own(manager)
                semitones += managed_semitones
                for dimension, value in managed.items():
                    dimensions[dimension] = dimensions.get(dimension, 0.0) + value
            semitones = min(max(semitones, -MOST_BEND_SEMITONES), MOST_BEND_SEMITONES)
            if semitones != state.told_semitones or pitch_always:
                state.told_semitones = semitones
                events.append(PitchBend(time, channel, semitones))
            for dimension in sorted(dimensions.keys() | state.told.keys()):
                value = dimension_limit(dimension, dimensions.get(dimension, 0.0))
                if value != state.told.get(dimension, 0.0):
                    state.told[dimension] = value
                    events.append(NoteExpression(time, channel, None, dimension, value))
        return events

    def _read(self, settings: MidiSettings) -> None:
        self.settings, self.zones = settings, settings.zones
        self._managers = [self.zones.manager_of(channel) for channel in range(N_CHANNELS)]
        self.heard = [self._is_heard(channel, manager) for channel, manager in enumerate(self._managers)]

    def _is_heard(self, channel: int, manager: int | None) -> bool:
        wanted = self.settings.channels
        if self.settings.ignore_percussion and channel == PERCUSSION_CHANNEL and manager is None:
            return False
        return wanted is None or (channel if manager is None else manager) in wanted

    def _own(self, channel: int) -> tuple[float, dict[Dimension, float]]:
        """Semitones and dimensions that a channel's own controllers ask for."""
        state, settings = self[channel], self.settings
        semitones = self.registered.tuning_semitones(channel)
        gestures = [(settings.pressure, state.pressure)]
        if self.in_zone(channel):
            gestures = [(settings.mpe_pressure, state.pressure), (settings.mpe_slide, state.slide)]
        if self.is_member(channel) and settings.mpe_bend.target != Target.PITCH:
            gestures.append((settings.mpe_bend, state.bend))
        else:
            semitones += state.bend * self.registered.bend_range_semitones(channel)
        dimensions: dict[Dimension, float] = {}
        for route, travel in gestures:
            if route.dimension is not None:
                dimensions[route.dimension] = dimensions.get(route.dimension, 0.0) + route.value(travel)
        return semitones, dimensions
