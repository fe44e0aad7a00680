"""Standard MIDI files as one list of messages in seconds. The bytes are mido's business, the times ours."""

import io
from pathlib import Path
from typing import Any, NamedTuple

import mido

from synth.errors import TetradError
from synth.files import atomic_write_bytes

DEFAULT_TEMPO_US_PER_BEAT = 500_000  # 120 beats a minute, until a file says otherwise
# What mido raises over bytes that are not what they should be: it has no exception of its own.
_MIDO_ERRORS = (ValueError, TypeError, LookupError, OverflowError, AttributeError, mido.KeySignatureError)


class TimedMessage(NamedTuple):
    """A MIDI message of one to three bytes (system exclusive: more), and when it is due, in seconds from the start."""

    time_s: float
    data: bytes


def read_midi_file(path: Path | str) -> list[TimedMessage]:
    """All messages of all tracks in order of time; messages of one time stay in the order of their tracks.

    Tempo changes in any track hold for all of them (formats 0 and 1), and time is exact: it is summed in whole
    numbers of microseconds times ticks. Meta events are left out. Raises TetradError when the file is missing,
    empty, truncated, of another format, or has no message.
    """
    file = _parse(Path(path))
    if file.type == 2:
        raise TetradError(
            f"{path} is a MIDI file of format 2 (songs side by side); format 0 or 1 was expected; export it again"
        )
    tick_us, ticks_per_unit = _division(path, file.ticks_per_beat)
    messages = []
    elapsed = 0  # microseconds times ticks_per_unit
    for message in mido.merge_tracks(file.tracks):
        elapsed += message.time * tick_us
        if message.type == "set_tempo":
            if file.ticks_per_beat > 0:  # a time-code division knows no beats
                tick_us = message.tempo
        elif not message.is_meta:
            messages.append(TimedMessage(elapsed / (1_000_000 * ticks_per_unit), bytes(message.bytes())))
    if not messages:
        raise TetradError(f"{path} holds no notes; a MIDI file with at least one was expected; choose another")
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


def _parse(path: Path) -> Any:
    expected = "a complete standard MIDI file was expected; fetch or export it again"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TetradError(f"cannot read {path}: {error.strerror}; a standard MIDI file was expected") from error
    if not content:
        raise TetradError(f"{path} is empty; {expected}")
    if content[:4] != b"MThd":
        kind = "a RIFF file (perhaps .rmi)" if content[:4] == b"RIFF" else f"something that begins with {content[:4]!r}"
        raise TetradError(f"{path} is {kind}, not a MIDI file; {expected}")
    _check_chunks(path, content, expected)
    try:
        return mido.MidiFile(path)
    except EOFError as error:
        raise TetradError(f"{path} ends in the middle of a track; {expected}") from error
    except (OSError, *_MIDO_ERRORS) as error:
        raise TetradError(f"{path} has a track that cannot be read ({error}); {expected}") from error


def _check_chunks(path: Path, content: bytes, expected: str) -> None:
    """Compare the lengths that the chunks declare with the file's own, which mido does only by running into the end."""
    n_tracks = int.from_bytes(content[10:12])
    position = found = 0
    while position + 8 <= len(content) and (found < n_tracks or position == 0):
        kind, length = content[position : position + 4], int.from_bytes(content[position + 4 : position + 8])
        position += 8 + length
        found += kind == b"MTrk"
        if position > len(content):
            missing = position - len(content)
            raise TetradError(f"{path} is cut off: {missing} bytes are missing from track {found}; {expected}")
    if found < n_tracks:
        raise TetradError(f"{path} is cut off: it holds {found} of the {n_tracks} tracks that it declares; {expected}")


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
