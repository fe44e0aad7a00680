"""Random and adversarial bytes through the MIDI parser and the map: what a raw wire can bring, and more.

Each stream is cut at random and fed to a parser, its messages to a map, the map's events to a model of what sounds.
Checked:
- nothing raises;
- the messages are those that a second reading of the bytes finds: by regular expressions over the whole stream,
  where the parser goes byte by byte. So no valid note is lost, and none is made up;
- after all-sound-off on every channel, or after the input was let go, nothing sounds in the model.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from synth.control import events as ev
from synth.control.midi_bytes import MOST_EXCLUSIVE_BYTES, MidiParser
from synth.control.midi_map import MidiMap
from synth.control.midi_settings import MidiSettings, Route, Target
from synth.control.mts import checksum

ALL_SOUND_OFF = b"".join(bytes((0xB0 | channel, 120, 0)) for channel in range(16))
STREAMS_PER_MAP = 50
HUGE_STREAM_EVERY = 20_000
FAILURES = ("exceptions", "lost_or_made_up", "stuck")


@dataclass
class Sounding:
    """What of (channel, key) an instrument would be playing: a note-on starts it, keys and both pedals hold it."""

    notes: set[tuple[int, int]] = field(default_factory=set)
    down: set[tuple[int, int]] = field(default_factory=set)
    caught: set[tuple[int, int]] = field(default_factory=set)
    pedal: set[int] = field(default_factory=set)
    sostenuto: set[int] = field(default_factory=set)

    def take(self, event: ev.Event) -> None:
        """Carries out an event."""
        if not isinstance(event, ev.ChannelEvent):
            return
        channel = event.channel
        match event:
            case ev.NoteOn():
                self.notes.add((channel, event.key))
                self.down.add((channel, event.key))
            case ev.NoteOff():
                self.down.discard((channel, event.key))
            case ev.AllNotesOff():
                self.down = _without(self.down, channel)
            case ev.AllSoundOff():
                self.down, self.notes = _without(self.down, channel), _without(self.notes, channel)
            case ev.SustainPedal():
                (self.pedal.add if event.down else self.pedal.discard)(channel)
            case ev.SostenutoPedal():
                self._sostenuto(channel, event.down)
            case ev.ResetControllers():
                self.pedal.discard(channel)
                self._sostenuto(channel, down=False)
            case _:
                return
        of_channel = {note for note in self.notes if note[0] == channel}
        if channel not in self.pedal:
            self.notes -= of_channel - self.down - self.caught

    def _sostenuto(self, channel: int, down: bool) -> None:
        if down and channel not in self.sostenuto:
            self.caught |= {note for note in self.down if note[0] == channel}
        elif not down:
            self.caught = _without(self.caught, channel)
        (self.sostenuto.add if down else self.sostenuto.discard)(channel)


def _without(notes: set[tuple[int, int]], channel: int) -> set[tuple[int, int]]:
    return {note for note in notes if note[0] != channel}


def messages_of(stream: bytes) -> tuple[list[bytes], list[bytes]]:
    """The messages of a whole stream, by MIDI 1.0: (all but real-time ones, real-time ones)."""
    real_time = [bytes((byte,)) for byte in stream if byte >= 0xF8 and byte not in (0xF9, 0xFD)]
    segments = re.findall(rb"[\x80-\xf7][\x00-\x7f]*", re.sub(rb"[\xf8-\xff]", b"", stream))
    messages = []
    for segment, following in zip(segments, [*segments[1:], b""], strict=True):
        status, data = segment[:1], segment[1:]
        if status < b"\xf0":
            length = 1 if b"\xc0" <= status < b"\xe0" else 2
            messages += [status + bytes(part) for part in re.findall(b".{%d}" % length, data, re.DOTALL)]
        elif status == b"\xf0" and following[:1] == b"\xf7" and len(segment) < MOST_EXCLUSIVE_BYTES:
            messages.append(segment + b"\xf7")
        elif status in (b"\xf1", b"\xf2", b"\xf3", b"\xf6"):
            length = {b"\xf2": 2, b"\xf6": 0}.get(status, 1)
            messages += [status + data[:length]] if len(data) >= length else []
    return messages, real_time


def run(n_streams: int, n_bytes: int, seed: int) -> dict[str, float]:
    """Feed so many streams of so many bytes in all -> counts; of FAILURES there must be none."""
    chance = random.Random(seed)
    counts = dict.fromkeys(("streams", "bytes", "messages", "notes", *FAILURES), 0)
    midi_map, sounding = MidiMap(MidiSettings()), Sounding()
    began_s = time.perf_counter()
    for index in range(n_streams):
        if index % STREAMS_PER_MAP == 0:
            midi_map, sounding = MidiMap(_settings(chance)), Sounding()
        left = n_streams - index
        length = max(round((n_bytes - counts["bytes"]) / left * 2.0 * chance.random()), 1)
        kind = _huge if index % HUGE_STREAM_EVERY == HUGE_STREAM_EVERY // 2 else chance.choice(KINDS)
        stream = kind(chance, length)
        counts["streams"] += 1
        counts["bytes"] += len(stream)
        try:
            _one(stream, chance, midi_map, sounding, counts)
        except Exception:  # noqa: BLE001  (any at all is what is looked for)
            counts["exceptions"] += 1
    return {**counts, "seconds": round(time.perf_counter() - began_s, 1)}


def _one(stream: bytes, chance: random.Random, midi_map: MidiMap, sounding: Sounding, counts: dict[str, int]) -> None:
    parser = MidiParser()
    whole = stream + ALL_SOUND_OFF
    messages: list[bytes] = []
    events: list[ev.Event] = []
    for part in _cut(stream, chance):
        messages += parser.feed(part)
    for message in messages:
        events += midi_map.events(message, 0)
    for event in events:
        sounding.take(event)
    if chance.random() < 0.5:
        ending = midi_map.let_go(0)
        for event in ending:
            sounding.take(event)
        counts["stuck"] += len(sounding.notes)
    for message in parser.feed(ALL_SOUND_OFF):
        messages.append(message)
        for event in midi_map.events(message, 0):
            sounding.take(event)
    counts["stuck"] += len(sounding.notes)
    wanted, wanted_real_time = messages_of(whole)
    found = [message for message in messages if message[0] < 0xF8]
    notes = [event for event in events if isinstance(event, ev.NoteOn)]
    played = [m for m in wanted if m[0] & 0xF0 == 0x90 and m[2] > 0]
    as_played = [bytes((0x90 | note.channel, note.key, note.velocity)) for note in notes]
    wrong = found != wanted or [m for m in messages if m[0] >= 0xF8] != wanted_real_time or as_played != played
    counts["lost_or_made_up"] += wrong
    counts["messages"] += len(messages)
    counts["notes"] += len(notes)


def _cut(stream: bytes, chance: random.Random) -> Iterator[bytes]:
    start = 0
    while start < len(stream):
        end = start + chance.choice((1, 1, 2, 3, 7, 64, 100_000))
        yield stream[start:end]
        start = end


def _settings(chance: random.Random) -> MidiSettings:
    def route() -> Route:
        return Route(
            chance.choice([Target.NONE, Target.X, Target.Y, Target.VIBRATO, Target.LEVEL]), chance.uniform(-1, 1)
        )

    lower = chance.choice((0, 0, 5, 15))
    return MidiSettings(
        pressure=route(),
        poly_pressure=route(),
        mpe_pressure=route(),
        mpe_slide=route(),
        mpe_bend=chance.choice([Route(Target.PITCH), route()]),
        lower_members=lower,
        upper_members=chance.choice((0, 3, 9)) if lower < 6 else 0,
        assignments={chance.choice((1, 7, 20, 66, 74)): chance.choice(("x", "reverb", "none"))},
    )


def _uniform(chance: random.Random, length: int) -> bytes:
    return chance.randbytes(length)


def _statuses(chance: random.Random, length: int) -> bytes:
    return bytes(chance.choices((*range(0x80, 0x100), 0, 127), k=length))


def _running(chance: random.Random, length: int) -> bytes:
    """Notes under running status, now and then another status, with real-time bytes anywhere."""
    stream = bytearray()
    while len(stream) < length:
        if chance.random() < 0.2:
            stream.append(chance.choice((0x80, 0x90, 0x90, 0xB0, 0xE0)) | chance.randrange(16))
        stream += chance.randbytes(2).translate(_TO_DATA)
        if chance.random() < 0.3:
            stream.insert(chance.randrange(len(stream) + 1), chance.choice((0xF8, 0xFE, 0xFF, 0xF9, 0xFA)))
    return bytes(stream)


def _exclusive(chance: random.Random, length: int) -> bytes:
    """System exclusive that ends, or does not, or is cut by another status; some of it tunings."""
    stream = bytearray()
    while len(stream) < length:
        if chance.random() < 0.3:
            kind = chance.choice((1, 2, 4, 5, 6, 7, 8, 9))
            n = {1: 401, 4: 402, 5: 30, 6: 42, 8: 15, 9: 27}.get(kind, 8)
            head = bytes((chance.choice((0x7E, 0x7F)), 0x7F, 8, kind))
            body = head + chance.randbytes(n).translate(_TO_DATA)
            stream += b"\xf0" + body + bytes((checksum(body),)) * (kind in (1, 4, 5, 6)) + b"\xf7"
        else:
            stream += b"\xf0" + chance.randbytes(chance.randrange(60)).translate(_TO_DATA)
            stream += chance.choice((b"\xf7", b"", b"\xf8\xf7", b"\x90\x40\x40", b"\xf0", b"\xf6"))
    return bytes(stream)


def _controllers(chance: random.Random, length: int) -> bytes:
    """Pedals, resets, registered parameters with zones and tunings, and notes among them."""
    stream = bytearray()
    while len(stream) < length:
        controller = chance.choice((0, 6, 6, 32, 38, 64, 64, 66, 74, 96, 97, 98, 100, 101, 121, 123, 126, 1, 7, 33, 20))
        value = chance.choice((0, 0, 1, 3, 6, 15, 16, 64, 127))
        channel = chance.choice((0, 0, 15, chance.randrange(16)))
        stream += bytes((0xB0 | channel, controller, value))
        if chance.random() < 0.5:
            stream += bytes((chance.choice((0x80, 0x90, 0x90, 0xA0, 0xE0)) | chance.randrange(16),))
            stream += chance.randbytes(2).translate(_TO_DATA)
    return bytes(stream)


def _damaged(chance: random.Random, length: int) -> bytes:
    """A good stream with bytes changed, left out and put in."""
    stream = bytearray(_running(chance, length) if chance.random() < 0.5 else _controllers(chance, length))
    for _ in range(1 + len(stream) // 20):
        place = chance.randrange(len(stream))
        stream[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        if not stream:
            break
    return bytes(stream)


def _huge(chance: random.Random, _length: int) -> bytes:
    """System exclusive at the limit of what is kept, a byte below and above it."""
    n = MOST_EXCLUSIVE_BYTES - 2 + chance.choice((-1, 0, 1, 5000))
    return b"\x90\x40\x40\xf0" + chance.randbytes(n).translate(_TO_DATA) + b"\xf7\x90\x41\x41"


_TO_DATA = bytes(byte & 0x7F for byte in range(256))
KINDS: tuple[Callable[[random.Random, int], bytes], ...] = (
    _uniform,
    _statuses,
    _running,
    _exclusive,
    _controllers,
    _damaged,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=100_000, help="(default %(default)s)")
    parser.add_argument("--bytes", type=int, default=10_000_000, help="of all together (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(default %(default)s)")
    args = parser.parse_args()
    result = run(args.streams, args.bytes, args.seed)
    print(json.dumps(result))
    raise SystemExit(any(result[name] for name in FAILURES))


if __name__ == "__main__":
    main()
