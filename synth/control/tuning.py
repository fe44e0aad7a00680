"""A tuning: the pitch of every key, and the tunings that MIDI can choose among.

Pitches are semitones on MIDI's scale: 69.0 is 440 Hz, and 60.5 lies a quarter tone above middle C.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from synth.control.events import N_KEYS
from synth.control.json_document import brief, nearest
from synth.errors import TetradError

LOWEST_PITCH, HIGHEST_PITCH = -12.0, 140.0
"""What SetTuning takes: 4 Hz to 26.6 kHz."""
EQUAL_PITCHES = tuple(float(key) for key in range(N_KEYS))
MOST_NAME_LENGTH = 200


def pitch_of_hz(frequency_hz: float) -> float:
    """Semitones of a frequency above 0."""
    return 69.0 + 12.0 * math.log2(frequency_hz / 440.0)


@dataclass(frozen=True)
class Tuning:
    """A name of up to 200 characters, and 128 pitches in semitones; outside -12..140 they become the nearest end.

    Raises TetradError when there are not 128, or one is no finite number.
    """

    name: str = "12 equal steps"
    pitches: tuple[float, ...] = EQUAL_PITCHES

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or len(self.name) > MOST_NAME_LENGTH:
            raise TetradError(f"A tuning is called {brief(self.name)}; up to {MOST_NAME_LENGTH} letters were expected.")
        if len(self.pitches) != N_KEYS:
            raise TetradError(f"A tuning of {len(self.pitches)} keys was given; {N_KEYS} were expected.")
        for key, pitch in enumerate(self.pitches):
            if isinstance(pitch, bool) or not isinstance(pitch, int | float) or not math.isfinite(pitch):
                raise TetradError(f"The pitch of key {key} is {brief(pitch)}; a number of semitones was expected.")
        clamped = tuple(min(max(float(pitch), LOWEST_PITCH), HIGHEST_PITCH) for pitch in self.pitches)
        object.__setattr__(self, "pitches", clamped)

    @classmethod
    def of_octave(cls, name: str, cents: Sequence[float]) -> Self:
        """Every octave alike: the deviations of C, C#, ..., B from equal steps, 12 numbers of cents."""
        return cls(name, tuple(key + cents[key % 12] / 100.0 for key in range(N_KEYS)))

    def with_pitches(self, pitches: Mapping[int, float]) -> Self:
        """With some keys' pitches replaced, key 0..127 -> semitones."""
        return type(self)(self.name, tuple(pitches.get(key, pitch) for key, pitch in enumerate(self.pitches)))

    def to_json(self) -> dict[str, Any]:
        """{"name": str, "pitches": [128 numbers]}"""
        return {"name": self.name, "pitches": list(self.pitches)}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Raises TetradError for anything that to_json would not give."""
        if not isinstance(value, Mapping):
            raise TetradError(f"A tuning is {brief(value)}; an object was expected; correct it.")
        for key in value:
            if key not in ("name", "pitches"):
                raise TetradError(
                    f"A tuning has the unknown key {brief(key)}; {nearest(str(key), ('name', 'pitches'))}; correct it."
                )
        pitches = value.get("pitches", EQUAL_PITCHES)
        if not isinstance(pitches, list | tuple):
            raise TetradError(f"The pitches of a tuning are {brief(pitches)}; a list of {N_KEYS} was expected.")
        return cls(value.get("name", cls.name), tuple(pitches))


class TuningBank:
    """The tunings that MIDI chooses among by program and bank, each 0..127, and the one that is heard.

    The first, program 0 of bank 0, is heard at the beginning: twelve equal steps, or what `play` put there. One bank
    serves all ports. It keeps at most MOST of them.
    """

    MOST = 256

    def __init__(self) -> None:
        self._tunings = {(0, 0): Tuning()}
        self.selected = (0, 0)
        """Bank and program."""

    @property
    def current(self) -> Tuning:
        """What is heard."""
        return self._tunings[self.selected]

    def play(self, tuning: Tuning) -> None:
        """A patch or a player brings a tuning: it becomes the first, and is heard."""
        self.selected = (0, 0)
        self._tunings[self.selected] = tuning

    def at(self, bank: int, program: int) -> Tuning:
        """A tuning of the bank; twelve equal steps where nothing is."""
        return self._tunings.get((bank, program), Tuning())

    def store(self, bank: int, program: int, tuning: Tuning) -> bool:
        """Keeps a tuning; whether it is the one that is heard. When MOST are kept already, a further one is refused."""
        place = (bank, program)
        if place in self._tunings or len(self._tunings) < self.MOST:
            self._tunings[place] = tuning
        return place == self.selected

    def select(self, bank: int, program: int) -> bool:
        """Chooses what is heard; False, and nothing happens, where no tuning is."""
        if (bank, program) not in self._tunings:
            return False
        self.selected = (bank, program)
        return True
