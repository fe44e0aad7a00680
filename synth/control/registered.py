"""Registered parameters (RPN) of the 16 channels: selection, data entry, increment and decrement.

MIDI 1.0, with CA-021 and RP-018 for how increment and decrement step. Non-registered parameters (NRPN) are selected
and then ignored, so that their data does no harm.
"""

from enum import IntEnum

from synth.control.events import N_CHANNELS
from synth.control.midi_settings import MOST_BEND_SEMITONES


class Registered(IntEnum):
    """What a parameter number means."""

    BEND_RANGE = 0
    FINE_TUNING = 1
    COARSE_TUNING = 2
    TUNING_PROGRAM = 3
    TUNING_BANK = 4
    MPE_ZONE = 6


DATA_MSB, DATA_LSB, INCREMENT, DECREMENT = 6, 38, 96, 97
NRPN_LSB, NRPN_MSB, RPN_LSB, RPN_MSB = 98, 99, 100, 101
CONTROLLERS = frozenset({DATA_MSB, DATA_LSB, INCREMENT, DECREMENT, NRPN_LSB, NRPN_MSB, RPN_LSB, RPN_MSB})
_NONE = 0x3FFF
_CENTRE = 0x2000
_KNOWN = frozenset(Registered)


class RegisteredParameters:
    """Each channel's selected parameter and the 14-bit values of all; values outlive reset-all-controllers (RP-015)."""

    def __init__(self) -> None:
        self._selected = [_NONE] * N_CHANNELS
        self._values = [dict.fromkeys(Registered, 0) for _ in range(N_CHANNELS)]
        for values in self._values:
            values[Registered.FINE_TUNING] = values[Registered.COARSE_TUNING] = _CENTRE

    def deselect(self, channel: int) -> None:
        """No parameter is selected: data entry does nothing."""
        self._selected[channel] = _NONE

    def controller(self, channel: int, controller: int, value: int) -> Registered | None:
        """Carries out one of CONTROLLERS with a value 0..127; the parameter whose value it set, if any."""
        selected = self._selected[channel]
        if controller in (NRPN_LSB, NRPN_MSB):
            self.deselect(channel)
        elif controller == RPN_MSB:
            self._selected[channel] = selected & 0x7F | value << 7
        elif controller == RPN_LSB:
            self._selected[channel] = selected & 0x3F80 | value
        elif selected in _KNOWN:
            parameter = Registered(selected)
            values = self._values[channel]
            if controller == DATA_MSB:
                values[parameter] = value << 7  # a coarse half sets the fine one to 0
            elif controller == DATA_LSB:
                values[parameter] = values[parameter] & 0x3F80 | value
            else:
                values[parameter] = _stepped(parameter, values[parameter], 1 if controller == INCREMENT else -1)
            return parameter
        return None

    def most_significant(self, channel: int, parameter: Registered) -> int:
        """The coarse half of a value, 0..127."""
        return self._values[channel][parameter] >> 7

    def bend_range_semitones(self, channel: int) -> float:
        """Semitones and cents of RPN 0, 0..96."""
        value = self._values[channel][Registered.BEND_RANGE]
        return min((value >> 7) + (value & 0x7F) / 100.0, MOST_BEND_SEMITONES)

    def set_bend_range(self, channel: int, semitones: float) -> None:
        """As if RPN 0 had said so."""
        cents = round(100.0 * semitones)
        self._values[channel][Registered.BEND_RANGE] = cents // 100 << 7 | cents % 100

    def tuning_semitones(self, channel: int) -> float:
        """Fine (RPN 1: 8,192 steps a semitone, up and down) and coarse tuning (RPN 2: semitones) together, -65..64."""
        values = self._values[channel]
        fine = (values[Registered.FINE_TUNING] - _CENTRE) / _CENTRE
        return fine + (values[Registered.COARSE_TUNING] >> 7) - 64


def _stepped(parameter: Registered, value: int, step: int) -> int:
    """RP-018: the bend range steps by cents, the fine tuning by its least bit, the others by whole numbers."""
    if parameter == Registered.BEND_RANGE:
        cents = min(max((value >> 7) * 100 + (value & 0x7F) + step, 0), round(100 * MOST_BEND_SEMITONES))
        return cents // 100 << 7 | cents % 100
    if parameter == Registered.FINE_TUNING:
        return min(max(value + step, 0), 0x3FFF)
    return min(max((value >> 7) + step, 0), 127) << 7
