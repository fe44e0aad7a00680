"""The demo: a short piece of our own and a finger's way over the surface, both as data.

"Four Rooms", 16 bars in A minor at 84 beats a minute, 48 seconds: bass, four-part pads, broken chords and a melody. The
finger visits the four corners, four bars each, and comes to rest in the middle. Written for Tetrad, licence as
the rest (Apache-2.0). As a MIDI file, to render it with other instruments:

    python -m synth.demo four_rooms.mid
"""

import sys
from typing import NamedTuple

from synth.io.midi_file import TimedMessage, write_midi_file
from synth.surface_path import PathPoint

TITLE = "Four Rooms"
VOLUME_DB = 0.0
"""The engine's volume for it: it has fewer voices than the default leaves room for."""
BEAT_S = 60.0 / 84.0
BAR_S = 4.0 * BEAT_S
BASS, PAD, ARPEGGIO, MELODY = range(4)  # MIDI channels
# Channel -> (CC7 volume 0..127, where 100 is 0 dB; CC10 pan 0..127, 64 in the middle).
MIX = {BASS: (96, 64), PAD: (76, 52), ARPEGGIO: (72, 88), MELODY: (104, 60)}


class Bar(NamedTuple):
    """A bar's harmony: bass key, pad keys from low to high, and the keys that the arpeggio walks through."""

    bass: int
    pad: tuple[int, int, int, int]
    arpeggio: tuple[int, int, int, int]


AM9 = Bar(45, (52, 55, 59, 60), (69, 76, 79, 83))
FMAJ9 = Bar(41, (53, 55, 57, 60), (69, 72, 79, 81))
CMAJ9 = Bar(48, (52, 55, 59, 62), (67, 74, 76, 83))
G6 = Bar(43, (50, 55, 59, 64), (67, 71, 74, 79))
DM9 = Bar(38, (53, 57, 60, 64), (69, 72, 74, 81))
E7SUS = Bar(40, (52, 57, 59, 62), (69, 71, 76, 81))
EM7 = Bar(40, (50, 55, 59, 64), (67, 71, 76, 79))
G13 = Bar(43, (53, 57, 59, 64), (69, 71, 76, 79))
BARS = (AM9, FMAJ9, CMAJ9, G6, AM9, FMAJ9, DM9, E7SUS, FMAJ9, G6, EM7, AM9, DM9, G13, CMAJ9, CMAJ9)

# (bar from 0, beat from 0, length in beats, key, velocity)
TUNE = (
    (4, 0.0, 1.5, 76, 78), (4, 1.5, 0.5, 79, 70), (4, 2.0, 2.0, 83, 88),
    (5, 0.0, 1.0, 81, 80), (5, 1.0, 1.0, 79, 72), (5, 2.0, 2.0, 76, 78),
    (6, 0.0, 1.5, 77, 80), (6, 1.5, 0.5, 76, 68), (6, 2.0, 1.0, 74, 74), (6, 3.0, 1.0, 72, 70),
    (7, 0.0, 3.0, 71, 84), (7, 3.0, 1.0, 74, 72),
    (8, 0.0, 1.5, 76, 86), (8, 1.5, 0.5, 77, 76), (8, 2.0, 1.0, 79, 88), (8, 3.0, 1.0, 84, 96),
    (9, 0.0, 2.5, 83, 98), (9, 2.5, 0.5, 81, 82), (9, 3.0, 1.0, 79, 82),
    (10, 0.0, 1.5, 79, 88), (10, 1.5, 0.5, 76, 76), (10, 2.0, 2.0, 74, 82),
    (11, 0.0, 3.5, 76, 86),
    (12, 0.0, 1.0, 77, 82), (12, 1.0, 1.0, 76, 76), (12, 2.0, 1.0, 74, 76), (12, 3.0, 1.0, 72, 72),
    (13, 0.0, 1.5, 74, 80), (13, 1.5, 0.5, 76, 70), (13, 2.0, 2.0, 71, 74),
    (14, 0.0, 6.0, 72, 72),
)  # fmt: skip

_CORNERS = {"NW": (0.0, 1.0), "NE": (1.0, 1.0), "SE": (1.0, 0.0), "SW": (0.0, 0.0)}


def messages() -> list[TimedMessage]:
    """The piece as MIDI messages in order of time; at one time, keys go up before keys go down."""
    timed = [
        TimedMessage(0.0, bytes((0xB0 | channel, controller, value)))
        for channel, levels in MIX.items()
        for controller, value in zip((7, 10), levels, strict=True)
    ]
    for channel, begin, length, key, velocity in _notes():
        timed.append(TimedMessage(begin * BEAT_S, bytes((0x90 | channel, key, velocity))))
        timed.append(TimedMessage((begin + length) * BEAT_S, bytes((0x80 | channel, key, 0))))
    return sorted(timed, key=lambda message: (message.time_s, message.data[0] & 0xF0 == 0x90))


def finger_path() -> tuple[PathPoint, ...]:
    """NW, NE, SE, SW, four bars each: two bars in a corner, two on the way to the next; then to the middle."""
    points = []
    for number, (x, y) in enumerate(_CORNERS.values()):
        points += [PathPoint(4 * number * BAR_S, x, y), PathPoint((4 * number + 2) * BAR_S, x, y)]
    return (*points, PathPoint(15 * BAR_S, 0.5, 0.5))


def _notes() -> list[tuple[int, float, float, int, int]]:
    """(channel, begin in beats, length in beats, key, velocity) of every note."""
    notes = [(MELODY, 4.0 * bar + beat, length, key, velocity) for bar, beat, length, key, velocity in TUNE]
    last = len(BARS) - 1
    for number, bar in enumerate(BARS):
        begin = 4.0 * number
        swell = 58 + 3 * min(number, 8) - 4 * max(number - 12, 0)  # louder to the middle, softer to the end
        length = 6.0 if number == last else 3.9
        notes += [(PAD, begin, length, key, swell) for key in bar.pad]
        if number == last:
            notes.append((BASS, begin, 6.0, bar.bass, 70))
        else:
            notes += [(BASS, begin, 2.4, bar.bass, 84), (BASS, begin + 2.5, 1.4, bar.bass + 12, 66)]
        if 2 <= number < last:
            order = (0, 1, 2, 3, 2, 1, 2, 1) if number % 2 == 0 else (0, 2, 1, 3, 1, 2, 3, 2)
            accents = (12, 0, 4, 0, 8, 0, 4, 0)
            notes += [
                (ARPEGGIO, begin + 0.5 * step, 0.75, bar.arpeggio[place], swell - 8 + accent)
                for step, (place, accent) in enumerate(zip(order, accents, strict=True))
            ]
    # The ending: the last chord, note by note, upwards.
    notes += [
        (ARPEGGIO, 4.0 * last + 0.5 * step, 4.0, key, 56 - 3 * step) for step, key in enumerate((67, 72, 76, 79, 83))
    ]
    return notes


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m synth.demo FILE.mid")
    write_midi_file(sys.argv[1], messages())
