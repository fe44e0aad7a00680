"""MIDI channel messages to engine events. Bytes in, events out; no port is opened here.

The map takes one complete message (status byte and data bytes), as every MIDI library delivers it; running status and
real-time bytes are the business of whoever reads the wire. It keeps only what the MIDI 1.0 specification makes a
receiver keep: per channel, the selected registered parameter and the bend range that RPN 0 sets.
"""

import math
from collections.abc import Callable, Sequence

from synth.control.events import (
    N_CHANNELS,
    AllNotesOff,
    AllSoundOff,
    ChannelLevel,
    Event,
    ModWheel,
    NoteOff,
    NoteOn,
    Pan,
    PitchBend,
    ResetControllers,
    SetParameter,
    SustainPedal,
)
from synth.control.parameters import BY_MIDI_CC

DEFAULT_BEND_RANGE_SEMITONES = 2.0
_NO_RPN = 0x3FFF
_BEND_RANGE_RPN = 0


def controller_db(value: int, unity: int) -> float:
    """Level of a MIDI volume controller 0..127: `40 log10(value / unity)` dB (General MIDI 2), at least -120."""
    return max(40.0 * math.log10(value / unity), -120.0) if value > 0 else -120.0


_RESET = 121
_CONTROLLERS: dict[int, Callable[[int, int, int], Event]] = {
    1: lambda time, channel, value: ModWheel(time, channel, value / 127.0),
    # General MIDI's power-up volume is 100: a score that never sets it plays at 0 dB.
    7: lambda time, channel, value: ChannelLevel(time, channel, volume_db=controller_db(value, unity=100)),
    10: lambda time, channel, value: Pan(time, channel, max(value - 64, -63) / 63.0),
    11: lambda time, channel, value: ChannelLevel(time, channel, expression_db=controller_db(value, unity=127)),
    64: lambda time, channel, value: SustainPedal(time, channel, value >= 64),
    120: lambda time, channel, value: AllSoundOff(time, channel),
    _RESET: lambda time, channel, value: ResetControllers(time, channel),
    # 124 to 127 change the mode, which implies all notes off.
    **dict.fromkeys(range(123, 128), lambda time, channel, value: AllNotesOff(time, channel)),
}


class MidiMap:
    """The state of one MIDI input, and the translation of its messages."""

    def __init__(self, bend_range_semitones: float = DEFAULT_BEND_RANGE_SEMITONES) -> None:
        self._bend_range = [float(bend_range_semitones)] * N_CHANNELS
        self._bend = [0.0] * N_CHANNELS  # -1..1
        self._rpn = [_NO_RPN] * N_CHANNELS

    def events(self, message: Sequence[int], time_samples: int) -> list[Event]:
        """Events of one message (1 to 3 bytes as whole numbers 0..255) at a time; [] for what the engine ignores.

        Malformed messages (no status byte, too short, a data byte above 127) give []: a bad cable stops no music.
        """
        if len(message) < 3 or not 0x80 <= message[0] < 0xF0 or any(byte > 127 for byte in message[1:]):
            return []
        kind, channel = message[0] & 0xF0, message[0] & 0x0F
        first, second = int(message[1]), int(message[2])
        result: list[Event] = []
        if kind == 0x90 and second > 0:
            result = [NoteOn(time_samples, channel, first, second)]
        elif kind in (0x80, 0x90):
            result = [NoteOff(time_samples, channel, first)]
        elif kind == 0xB0:
            result = self._controller(first, second, channel, time_samples)
        elif kind == 0xE0:
            # The two halves are scaled apart, so that both ends, 0 and 16,383, reach the full range.
            offset = (second << 7 | first) - 8192
            self._bend[channel] = offset / 8191.0 if offset > 0 else offset / 8192.0
            result = [self._bend_event(channel, time_samples)]
        return result

    def _bend_event(self, channel: int, time_samples: int) -> Event:
        return PitchBend(time_samples, channel, self._bend[channel] * self._bend_range[channel])

    def _controller(self, controller: int, value: int, channel: int, time: int) -> list[Event]:
        if controller in _CONTROLLERS:
            if controller == _RESET:
                self._bend[channel] = 0.0
                self._rpn[channel] = _NO_RPN
            return [_CONTROLLERS[controller](time, channel, value)]
        if controller in (6, 38, 98, 99, 100, 101):
            return self._registered_parameter(controller, value, channel, time)
        if controller in BY_MIDI_CC:
            parameter = BY_MIDI_CC[controller]
            return [SetParameter(time, parameter.name, parameter.from_travel(value / 127.0))]
        return []

    def _registered_parameter(self, controller: int, value: int, channel: int, time: int) -> list[Event]:
        if controller in (98, 99):
            self._rpn[channel] = _NO_RPN  # a non-registered parameter is selected instead
        elif controller == 101:
            self._rpn[channel] = (self._rpn[channel] & 0x7F) | value << 7
        elif controller == 100:
            self._rpn[channel] = (self._rpn[channel] & 0x3F80) | value
        elif self._rpn[channel] == _BEND_RANGE_RPN:
            semitones = math.floor(self._bend_range[channel])
            cents = round(100.0 * (self._bend_range[channel] - semitones))
            semitones, cents = (value, cents) if controller == 6 else (semitones, value)
            self._bend_range[channel] = min(semitones + cents / 100.0, 96.0)
            return [self._bend_event(channel, time)]
        return []
