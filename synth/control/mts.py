"""The MIDI Tuning Standard (MIDI 1.0, CA-020, CA-021, RP-020): system exclusive messages to tunings.

| message | what |
|---|---|
| 7E id 08 01, 7E id 08 04 | bulk dump of 128 pitches; 04 with a bank |
| 7F id 08 02, 7E or 7F id 08 07 | single keys; 07 with a bank |
| 7E or 7F id 08 08, 09 | the twelve notes of every octave, in one or two bytes each |
| 7E id 08 05, 06 | the same as a dump, with bank, name and checksum |

7F is real time: notes that sound move. 7E is for notes to come. Every device number is ours. Dump requests (00, 03) and
all else are ignored, and so is a message of a wrong length or checksum: half a tuning is worse than the old one.
"""

from functools import reduce
from typing import NamedTuple

from synth.control.events import N_KEYS
from synth.control.tuning import Tuning, TuningBank

_REAL_TIME, _NON_REAL_TIME, _TUNING = 0x7F, 0x7E, 0x08
_NO_CHANGE = b"\x7f\x7f\x7f"
_NAME_LENGTH = 16
_CHANNEL_MASK_LENGTH = 3


class Retuning(NamedTuple):
    """The tuning that is heard has changed."""

    tuning: Tuning
    moves_sounding: bool


def receive(message: bytes, bank: TuningBank) -> Retuning | None:
    """Carries out a system exclusive message, F0 to F7, on the bank; None when what is heard stays as it is."""
    head, body = message[:5], message[5:-1]
    if len(head) < 5 or message[-1] != 0xF7 or head[1] not in (_REAL_TIME, _NON_REAL_TIME) or head[3] != _TUNING:
        return None
    if any(byte > 127 for byte in message[1:-1]):
        return None
    real_time, kind = head[1] == _REAL_TIME, head[4]
    if not real_time and kind in (0x01, 0x04, 0x05, 0x06):
        return _dump(kind, body, message, bank)
    if kind == 0x07 or (kind == 0x02 and real_time):
        return _single_keys(body if kind == 0x07 else b"\0" + body, bank, real_time)
    if kind in (0x08, 0x09):
        return _octave(kind, body, bank, real_time)
    return None


def checksum(content: bytes) -> int:
    """Of a dump: all bytes between F0 and the checksum itself, exclusive-or, 0..127."""
    return reduce(lambda a, b: a ^ b, content, 0) & 0x7F


def _dump(kind: int, body: bytes, message: bytes, bank: TuningBank) -> Retuning | None:
    if kind == 0x01:
        body = b"\0" + body  # the one without a bank means bank 0
    place, rest = body[:2], body[2:]
    n_values = {0x05: 12, 0x06: 24}.get(kind, 3 * N_KEYS)
    if len(rest) != _NAME_LENGTH + n_values + 1 or checksum(message[1:-2]) != message[-2]:
        return None
    name = rest[:_NAME_LENGTH].decode("ascii").strip("\0 ") or "MIDI tuning"
    name = "".join(letter if letter.isprintable() else "?" for letter in name)
    values = rest[_NAME_LENGTH:-1]
    if kind in (0x05, 0x06):
        tuning = Tuning.of_octave(name, _octave_cents(values))
    else:
        changed = {key: _pitch(values[3 * key : 3 * key + 3]) for key in range(N_KEYS)}
        pitches = {key: pitch for key, pitch in changed.items() if pitch is not None}
        tuning = Tuning(name, bank.at(place[0], place[1]).with_pitches(pitches).pitches)
    return Retuning(tuning, False) if bank.store(place[0], place[1], tuning) else None


def _single_keys(body: bytes, bank: TuningBank, real_time: bool) -> Retuning | None:
    """body: bank, program, number of changes, then key and pitch of each."""
    if len(body) < 3 or len(body) != 3 + 4 * body[2]:
        return None
    changes = [body[start : start + 4] for start in range(3, len(body), 4)]
    pitches = {change[0]: pitch for change in changes if (pitch := _pitch(change[1:])) is not None}
    tuning = bank.at(body[0], body[1]).with_pitches(pitches)
    return Retuning(tuning, real_time) if bank.store(body[0], body[1], tuning) else None


def _octave(kind: int, body: bytes, bank: TuningBank, real_time: bool) -> Retuning | None:
    """body: three bytes of channels, of which one must be set (all channels are tuned alike), then 12 notes."""
    mask, values = body[:_CHANNEL_MASK_LENGTH], body[_CHANNEL_MASK_LENGTH:]
    if len(values) != (12 if kind == 0x08 else 24) or not any(mask):
        return None
    tuning = Tuning.of_octave("MIDI octave tuning", _octave_cents(values))
    bank.store(*bank.selected, tuning)
    return Retuning(tuning, real_time)


def _octave_cents(values: bytes) -> list[float]:
    """12 bytes: cents, 64 for none. 24: 14 bits, the coarse half first, 8,192 steps of the 100 cents up and down."""
    if len(values) == 12:
        return [float(value - 64) for value in values]
    pairs = zip(values[::2], values[1::2], strict=True)
    return [((coarse << 7 | fine) - 8192) * 100.0 / 8192.0 for coarse, fine in pairs]


def _pitch(data: bytes) -> float | None:
    """Semitone, then 14 bits of a semitone, the coarse half first; None for "no change"."""
    return None if data == _NO_CHANGE else data[0] + (data[1] << 7 | data[2]) / 16384.0
