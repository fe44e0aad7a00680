"""The events of one track of a standard MIDI file, read from its bytes; every number is bounded before it is used.

A track is delta time, event, delta time, event. Times and lengths are in groups of seven bits, of which the standard
(Standard MIDI Files 1.0) allows four; a reader without that bound takes 25 s for a "number" of 300 KB.
"""

from collections.abc import Iterator
from typing import NamedTuple

_MOST_GROUPS = 4
_META, _EXCLUSIVE, _ESCAPE = 0xFF, 0xF0, 0xF7
_TEMPO, _TEMPO_BYTES = 0x51, 3
_SYSTEM_DATA_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1}


class TrackEvent(NamedTuple):
    """ticks: from the track's start. data: a MIDI message, b"" for a tempo. tempo_us: of a beat, 0 for a message."""

    ticks: int
    data: bytes
    tempo_us: int = 0


def read_track(track: bytes) -> Iterator[TrackEvent]:
    """Channel messages, system exclusive and tempos, in order; all else is left out. Raises ValueError in words."""
    place = ticks = status = 0
    while place < len(track):
        delta, place = _number(track, place)
        ticks += delta
        if _byte(track, place) >= 0x80:
            status, place = track[place], place + 1
        elif not 0x80 <= status < _EXCLUSIVE:
            raise ValueError(f"data without a status at byte {place}")
        if status in (_META, _EXCLUSIVE, _ESCAPE):
            kind = _byte(track, place) if status == _META else 0
            length, place = _number(track, place + (status == _META))
            body, place = _slice(track, place, length), place + length
            if kind == _TEMPO:
                if length != _TEMPO_BYTES:
                    raise ValueError(f"a tempo of {length} bytes")
                yield TrackEvent(ticks, b"", int.from_bytes(body))
            elif status == _EXCLUSIVE and body.endswith(b"\xf7"):  # what goes on in later packets is left out
                if max(body[:-1], default=0) >= 0x80:
                    raise ValueError(f"a status inside system exclusive before byte {place}")
                yield TrackEvent(ticks, b"\xf0" + body)
            continue
        n_data = _SYSTEM_DATA_BYTES.get(status, 0) if status >= _EXCLUSIVE else 1 if status & 0xE0 == 0xC0 else 2
        data, place = _slice(track, place, n_data), place + n_data
        if max(data, default=0) >= 0x80:
            raise ValueError(f"a status where data was expected, before byte {place}")
        if status < _EXCLUSIVE:
            yield TrackEvent(ticks, bytes((status,)) + data)


def _byte(track: bytes, place: int) -> int:
    return _slice(track, place, 1)[0]


def _slice(track: bytes, place: int, length: int) -> bytes:
    part = track[place : place + length]
    if len(part) < length:
        raise ValueError("it ends in the middle of an event")
    return part


def _number(track: bytes, place: int) -> tuple[int, int]:
    """A number in groups of seven bits, highest first, and the place after it."""
    value = 0
    for i, byte in enumerate(_slice(track, place, 1) + track[place + 1 : place + _MOST_GROUPS]):
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + i + 1
    raise ValueError(f"a number at byte {place} that does not end")
