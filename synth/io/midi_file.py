"""Standard MIDI files as one list of messages in seconds. mido writes them; `midi_track` reads what strangers wrote."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import mido

from synth.control.json_document import read_bounded
from synth.errors import TetradError
from synth.files import atomic_write_bytes
from synth.io.midi_track import TrackEvent, read_track

DEFAULT_TEMPO_US_PER_BEAT = 500_000  # 120 beats a minute, until a file says otherwise
MOST_BYTES = 8 * 1024 * 1024
"""Of a file: an orchestra's hour has 1 MB; at three bytes an event this is 360 MB of events in memory."""
LONGEST_S = 4 * 3600.0
"""More stereo of 24 bits does not fit into a WAV file; 30 bytes of MIDI can ask for a century."""
HEAD_BYTES = 14
_EXPECTED = "a complete standard MIDI file was expected; fetch or export it again"


class TimedMessage(NamedTuple):
    """A MIDI message of one to three bytes (system exclusive: more), and when it is due, in seconds from the start."""

    time_s: float
    data: bytes


def read_midi_file(path: Path | str) -> list[TimedMessage]:
    """All messages of all tracks in order of time; messages of one time stay in the order of their tracks.

    Tempo changes in any track hold for all of them (formats 0 and 1), and time is exact: it is summed in whole
    numbers of microseconds times ticks. Meta events are left out. Raises TetradError when the file is missing,
    empty, truncated, of another format, longer than LONGEST_S, or has no message.
    """
    kind, division, tracks = _parse(Path(path))
    if kind == 2:
        raise TetradError(
            f"{path} is a MIDI file of format 2 (songs side by side); format 0 or 1 was expected; export it again"
        )
    tick_us, ticks_per_unit = _division(path, division)
    messages = []
    elapsed = ticks = 0  # elapsed: microseconds times ticks_per_unit
    for event in sorted(_events(path, tracks), key=lambda event: event.ticks):
        elapsed += (event.ticks - ticks) * tick_us
        ticks = event.ticks
        if event.data:
            messages.append(TimedMessage(elapsed / (1_000_000 * ticks_per_unit), event.data))
        elif division > 0:  # a time-code division knows no beats
            tick_us = event.tempo_us
    if not messages:
        raise TetradError(f"{path} holds no notes; a MIDI file with at least one was expected; choose another")
    if messages[-1].time_s > LONGEST_S:
        raise TetradError(
            f"{path} lasts {messages[-1].time_s / 3600.0:,.0f} hours; at most {LONGEST_S / 3600.0:.0f} were expected; "
            "cut it, or export it again"
        )
    return messages


def write_midi_file(path: Path | str, messages: list[TimedMessage]) -> None:
    """Write `messages`, in order of time, as a MIDI file of format 0 with ticks of half a millisecond. Atomic."""
    ticks_per_beat = 1000
    track = mido.MidiTrack()
    now_ticks = 0
    for message in messages:
        due_ticks = round(message.time_s * 1_000_000 / DEFAULT_TEMPO_US_PER_BEAT * ticks_per_beat)
        track.append(mido.Message.from_bytes(message.data, time=due_ticks - now_ticks))
        now_ticks = due_ticks
    buffer = io.BytesIO()
    mido.MidiFile(type=0, ticks_per_beat=ticks_per_beat, tracks=[track]).save(file=buffer)
    atomic_write_bytes(path, buffer.getvalue())


def overlapping_notes(messages: list[TimedMessage]) -> int:
    """The largest number of keys that are down at one moment."""
    held: set[tuple[int, int]] = set()
    most = 0
    for _, data in messages:
        if len(data) == 3 and data[0] & 0xE0 == 0x80:  # note-off 0x80 or note-on 0x90
            key = (data[0] & 0x0F, data[1])
            if data[0] & 0x10 and data[2]:
                held.add(key)
            else:
                held.discard(key)
            most = max(most, len(held))
    return most


def _parse(path: Path) -> tuple[int, int, list[bytes]]:
    """Format, division of time, and the tracks."""
    content = read_bounded(path, MOST_BYTES, "a standard MIDI file")
    if not content:
        raise TetradError(f"{path} is empty; {_EXPECTED}")
    if content[:4] != b"MThd":
        kind = "a RIFF file (perhaps .rmi)" if content[:4] == b"RIFF" else f"something that begins with {content[:4]!r}"
        raise TetradError(f"{path} is {kind}, not a MIDI file; {_EXPECTED}")
    if len(content) < HEAD_BYTES:
        raise TetradError(f"{path} is cut off: it has {len(content)} bytes; {_EXPECTED}")
    tracks = _tracks(path, content)
    return int.from_bytes(content[8:10]), int.from_bytes(content[12:14], signed=True), tracks


def _tracks(path: Path, content: bytes) -> list[bytes]:
    """The chunks that are tracks, as many as are declared; others, of later standards, are passed over."""
    n_tracks = int.from_bytes(content[10:12])
    tracks: list[bytes] = []
    position = 0
    while position + 8 <= len(content) and (len(tracks) < n_tracks or position == 0):
        kind, length = content[position : position + 4], int.from_bytes(content[position + 4 : position + 8])
        start, position = position + 8, position + 8 + length
        if position > len(content):
            missing, number = position - len(content), len(tracks) + (kind == b"MTrk")
            raise TetradError(f"{path} is cut off: {missing} bytes are missing from track {number}; {_EXPECTED}")
        if kind == b"MTrk":
            tracks.append(content[start:position])
        elif start == 8 and length < 6:
            raise TetradError(f"{path} has a head of {length} bytes; {_EXPECTED}")
    if len(tracks) < n_tracks:
        found = len(tracks)
        raise TetradError(f"{path} is cut off: it holds {found} of the {n_tracks} tracks that it declares; {_EXPECTED}")
    return tracks


def _events(path: Path | str, tracks: list[bytes]) -> Iterator[TrackEvent]:
    for number, track in enumerate(tracks, start=1):
        try:
            yield from read_track(track)
        except ValueError as error:
            raise TetradError(f"{path}: track {number} cannot be read ({error}); {_EXPECTED}") from error


def _division(path: Path | str, division: int) -> tuple[int, int]:
    """First tick's length as microseconds / units: (500000, ticks per beat), or for a time code (1000000, ticks/s)."""
    if division > 0:
        return DEFAULT_TEMPO_US_PER_BEAT, division
    frames_per_s, ticks_per_frame = -(division >> 8), division & 0xFF
    if frames_per_s not in {24, 25, 29, 30} or ticks_per_frame == 0:
        raise TetradError(
            f"{path} divides time by {division}; ticks per beat or a time code were expected; export again"
        )
    if frames_per_s == 29:  # stands for 30000 / 1001 frames a second
        return 1_001_000, 30 * ticks_per_frame
    return 1_000_000, frames_per_s * ticks_per_frame
