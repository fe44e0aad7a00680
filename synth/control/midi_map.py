"""MIDI messages to events. Bytes in, events out; no port is opened here.

A map is the state of one input. It takes one complete message at a time (status byte and data bytes; `midi_bytes` makes
them of a raw wire). What a channel's notes get of their own is `midi_channels`' business, the numbers that RPNs set are
`registered`'s, tunings `mts`'s.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from synth.control.events import (
    N_CHANNELS,
    AllNotesOff,
    AllSoundOff,
    ChannelLevel,
    Event,
    ModWheel,
    NoteExpression,
    NoteOff,
    NoteOn,
    Pan,
    ProgramChange,
    SetParameter,
    SetTuning,
    SostenutoPedal,
    SustainPedal,
    Transport,
    TransportKind,
)
from synth.control.midi_channels import Channels
from synth.control.midi_settings import (
    BEND_RANGE_SEMITONES,
    NO_PARAMETER,
    MidiSettings,
    can_be_assigned,
    dimension_limit,
)
from synth.control.mpe import LOWER_MANAGER, MEMBER_BEND_RANGE_SEMITONES, UPPER_MANAGER
from synth.control.mts import Retuning, receive
from synth.control.parameters import BY_MIDI_CC, parameter_named
from synth.control.registered import CONTROLLERS as REGISTERED_CONTROLLERS
from synth.control.registered import DATA_MSB, Registered, RegisteredParameters
from synth.control.tuning import TuningBank

__all__ = ["MidiMap", "MidiSettings", "controller_db"]

_BANK_MSB, _WHEEL, _BANK_LSB, _SUSTAIN, _SOSTENUTO, _SLIDE = 0, 1, 32, 64, 66, 74
_ALL_SOUND_OFF, _RESET, _LOCAL_CONTROL = 120, 121, 122
_TRANSPORT = {
    0xF8: TransportKind.CLOCK,
    0xFA: TransportKind.START,
    0xFB: TransportKind.CONTINUE,
    0xFC: TransportKind.STOP,
}
_EXCLUSIVE, _SONG_POSITION, _SYSTEM_RESET = 0xF0, 0xF2, 0xFF
# Left out by a map without settings: what the callers of before don't know.


def controller_db(value: float, unity: int) -> float:
    """Level of a MIDI volume controller 0..127: `40 log10(value / unity)` dB (General MIDI 2), at least -120."""
    return max(40.0 * math.log10(value / unity), -120.0) if value > 0 else -120.0


_CONTROLLERS: dict[int, Callable[[int, int, float], Event]] = {
    _WHEEL: lambda time, channel, value: ModWheel(time, channel, value / 127.0),
    # General MIDI's power-up volume is 100: a score that never sets it plays at 0 dB.
    7: lambda time, channel, value: ChannelLevel(time, channel, volume_db=controller_db(value, unity=100)),
    10: lambda time, channel, value: Pan(time, channel, max(value - 64.0, -63.0) / 63.0),
    11: lambda time, channel, value: ChannelLevel(time, channel, expression_db=controller_db(value, unity=127)),
    _SUSTAIN: lambda time, channel, value: SustainPedal(time, channel, value >= 64),
    _SOSTENUTO: lambda time, channel, value: SostenutoPedal(time, channel, value >= 64),
}


class MidiMap:
    """The state of one MIDI input, and the translation of its messages.

    tunings: the bank that several inputs share.
    """

    def __init__(self, settings: MidiSettings | None = None, tunings: TuningBank | None = None) -> None:
        self._channels = Channels(settings or MidiSettings())
        self._tunings = tunings or TuningBank()
        self.learning: str | None = None
        """The parameter that the next controller is assigned to."""
        self._by_kind: dict[int, Callable[[int, int, int, int], list[Event]]] = {
            0x80: self._note_off,
            0x90: self._note_on,
            0xA0: self._poly_pressure,
            0xB0: self._controller,
            0xC0: self._program_change,
            0xD0: self._channel_pressure,
            0xE0: self._bend,
        }

    @property
    def settings(self) -> MidiSettings:
        """With what was learned and what MPE configuration messages said."""
        return self._channels.settings

    def use(self, settings: MidiSettings, time_samples: int) -> list[Event]:
        """Other settings from now on. Notes of channels that are not heard any more, or whose zone changes, end."""
        return self._channels.use(settings, time_samples)

    def learn(self, parameter_name: str | None) -> None:
        """The next controller that moves is assigned to a parameter, or to "none"; None: no more.

        A controller that the parameter was learned to before is freed. Raises TetradError for an unknown parameter.
        """
        if parameter_name is not None and parameter_name != NO_PARAMETER:
            parameter_named(parameter_name)
        self.learning = parameter_name

    def events(self, message: Sequence[int], time_samples: int) -> list[Event]:
        """Events of one message (whole numbers 0..255) at a time; [] for what the instrument ignores.

        Malformed messages (no status byte, too short, a data byte above 127) give []: a bad cable stops no music.
        """
        if not message or message[0] < 0x80:
            return []
        if message[0] >= _EXCLUSIVE:
            result = self._system(message, time_samples)
        else:
            result = self._channel_message(message, time_samples)
        return result

    def panic(self, time_samples: int) -> list[Event]:
        """Silence, and every controller at rest, on all channels."""
        events: list[Event] = []
        for channel in range(N_CHANNELS):
            self._channels[channel].held.clear()
            events.append(AllSoundOff(time_samples, channel))
        return events + self._channels.reset(range(N_CHANNELS), time_samples)

    def let_go(self, time_samples: int) -> list[Event]:
        """The input is gone: its keys go up, its pedals and controllers to rest. Empty if nothing had come from it."""
        return self._channels.let_go(range(N_CHANNELS), time_samples)

    def _system(self, message: Sequence[int], time: int) -> list[Event]:
        status = message[0]
        if status in _TRANSPORT:
            return [Transport(time, _TRANSPORT[status])]
        if status == _SYSTEM_RESET:
            self._channels.registered = RegisteredParameters()
            self._channels.set_bend_ranges(range(N_CHANNELS))
            return self.panic(time)
        if status == _SONG_POSITION and len(message) == 3 and max(message[1:]) < 0x80:
            return [Transport(time, TransportKind.POSITION, int(message[2]) << 7 | int(message[1]))]
        if status == _EXCLUSIVE:
            return _tuned(receive(bytes(message), self._tunings), time)
        return []

    def _channel_message(self, message: Sequence[int], time: int) -> list[Event]:
        kind, channel = message[0] & 0xF0, message[0] & 0x0F
        n_data = 1 if kind in (0xC0, 0xD0) else 2
        if len(message) <= n_data or any(byte > 127 for byte in message[1:]) or not self._channels.heard[channel]:
            return []
        self._channels[channel].used = True
        return self._by_kind[kind](channel, int(message[1]), int(message[2]) if n_data == 2 else 0, time)

    def _note_on(self, channel: int, key: int, velocity: int, time: int) -> list[Event]:
        if velocity == 0:
            return self._note_off(channel, key, velocity, time)
        self._channels[channel].held.add(key)
        return [NoteOn(time, channel, key, velocity)]

    def _note_off(self, channel: int, key: int, _velocity: int, time: int) -> list[Event]:
        self._channels[channel].held.discard(key)
        return [NoteOff(time, channel, key)]

    def _poly_pressure(self, channel: int, key: int, value: int, time: int) -> list[Event]:
        route = self._channels.poly_route(channel)
        if route.dimension is None or self._channels.is_member(channel):
            return []  # a member's note is pressed by channel pressure, and MPE forbids this message there
        pressed = self._channels[channel].pressed
        (pressed.add if value else pressed.discard)(key)
        amount = dimension_limit(route.dimension, route.value(value / 127.0))
        return [NoteExpression(time, channel, key, route.dimension, amount)]

    def _program_change(self, channel: int, program: int, _unused: int, time: int) -> list[Event]:
        if not self.settings.program_changes or self._channels.is_member(channel):
            return []  # a zone's patch is chosen on its manager
        return [ProgramChange(time, channel, self._channels[channel].bank, program)]

    def _channel_pressure(self, channel: int, value: int, _unused: int, time: int) -> list[Event]:
        self._channels[channel].pressure = value / 127.0
        return self._channels.expression(self._channels.addressed(channel), time)

    def _bend(self, channel: int, fine: int, coarse: int, time: int) -> list[Event]:
        # The two halves are scaled apart, so that both ends, 0 and 16,383, reach the full range.
        offset = (coarse << 7 | fine) - 8192
        self._channels[channel].bend = offset / 8191.0 if offset > 0 else offset / 8192.0
        return self._channels.expression(self._channels.addressed(channel), time, pitch_always=True)

    def _controller(self, channel: int, controller: int, value: int, time: int) -> list[Event]:
        state = self._channels[channel]
        if controller >= _ALL_SOUND_OFF:
            return self._channel_mode(controller, channel, time)
        if controller in REGISTERED_CONTROLLERS:
            parameter = self._channels.registered.controller(channel, controller, value)
            return [] if parameter is None else self._registered(parameter, controller, channel, time)
        if controller == _BANK_MSB:
            state.bank = value << 7
        elif controller == _BANK_LSB:
            state.bank = state.bank & 0x3F80 | value
        elif controller == _SLIDE and self._channels.in_zone(channel):
            state.slide = max((value - 64) / 63.0, -1.0)
            return self._channels.expression(self._channels.addressed(channel), time)
        else:
            return self._learn(controller, time) + self._moved(controller, value, channel, time)
        return []

    def _moved(self, controller: int, value: int, channel: int, time: int) -> list[Event]:
        """A controller as the player assigned it, else with its usual meaning, else as the parameter table says."""
        exact, assignments, coarse = float(value), self.settings.assignments, self._channels[channel].coarse
        if controller < 32:
            coarse[controller] = value
        elif controller < 64 and controller not in assignments:
            # The fine half of a controller 32 below, 1/128 of its step: its top step ends at 127, as a coarse one does.
            controller -= 32
            if controller not in coarse:
                return []
            exact = min(coarse[controller] + value / 128.0, 127.0)
        if controller in _CONTROLLERS and controller not in assignments:
            return [_CONTROLLERS[controller](time, c, exact) for c in self._channels.addressed(channel)]
        default = BY_MIDI_CC[controller].name if controller in BY_MIDI_CC else NO_PARAMETER
        name = assignments.get(controller, default)
        if name == NO_PARAMETER:
            return []
        return [SetParameter(time, name, parameter_named(name).from_travel(exact / 127.0))]

    def _learn(self, controller: int, time: int) -> list[Event]:
        name = self.learning
        if name is None or not can_be_assigned(controller):
            return []
        self.learning = None
        kept = {cc: other for cc, other in self.settings.assignments.items() if other != name or name == NO_PARAMETER}
        settings = replace(self.settings, assignments={**kept, controller: name})
        events = self._channels.use(settings, time)
        # What the controller did until now must not stay behind: notes on a pedal, a vibrato.
        if controller in (_WHEEL, _SOSTENUTO):
            events += [_CONTROLLERS[controller](time, channel, 0.0) for channel in range(N_CHANNELS)]
        return events

    def _channel_mode(self, controller: int, channel: int, time: int) -> list[Event]:
        channels = self._channels.addressed(channel)
        if controller == _RESET:
            return self._channels.reset(channels, time)
        if controller == _LOCAL_CONTROL:
            return []  # there is no keyboard of our own to cut off
        kind = AllSoundOff if controller == _ALL_SOUND_OFF else AllNotesOff  # 124 to 127 imply all notes off
        for addressed in channels:
            self._channels[addressed].held.clear()
        return [kind(time, addressed) for addressed in channels]

    def _registered(self, parameter: Registered, controller: int, channel: int, time: int) -> list[Event]:
        """A registered parameter of a channel has a new value."""
        channels, registered = self._channels, self._channels.registered
        if parameter == Registered.MPE_ZONE:
            return self._configure_zone(channel, time) if controller == DATA_MSB else []
        if parameter in (Registered.TUNING_PROGRAM, Registered.TUNING_BANK):
            program = registered.most_significant(channel, Registered.TUNING_PROGRAM)
            bank = registered.most_significant(channel, Registered.TUNING_BANK)
            there = self._tunings.select(bank, program)
            return _tuned(Retuning(self._tunings.current, moves_sounding=False) if there else None, time)
        if parameter == Registered.BEND_RANGE and channels.is_member(channel):  # one member's range is that of all
            semitones = registered.bend_range_semitones(channel)
            for member in channels.siblings(channel):
                registered.set_bend_range(member, semitones)
            return channels.expression(channels.siblings(channel), time)
        always = parameter == Registered.BEND_RANGE
        return channels.expression(channels.addressed(channel), time, pitch_always=always)

    def _configure_zone(self, manager: int, time: int) -> list[Event]:
        """The MPE Configuration Message; elsewhere than on a manager's channel, or of 16 members, it means nothing."""
        channels, registered = self._channels, self._channels.registered
        n_members = registered.most_significant(manager, Registered.MPE_ZONE)
        if manager not in (LOWER_MANAGER, UPPER_MANAGER) or n_members >= N_CHANNELS:
            return []
        zones = channels.zones.configured(manager, n_members)
        settings = replace(self.settings, lower_members=zones.lower, upper_members=zones.upper)
        events = channels.use(settings, time)
        # The message sets the ranges to those of the standard, whatever they were.
        registered.set_bend_range(manager, BEND_RANGE_SEMITONES)
        for member in zones.members(manager):
            registered.set_bend_range(member, MEMBER_BEND_RANGE_SEMITONES)
        return events + channels.expression(range(N_CHANNELS), time)


def _tuned(change: Retuning | None, time: int) -> list[Event]:
    return [] if change is None else [SetTuning(time, change.tuning.pitches, change.moves_sounding)]
