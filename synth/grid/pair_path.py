"""The common vocabulary of the grid: a path between two instruments, for every pitch and velocity of either.

The straight line between two embeddings, `(1 - u) z_first + u z_second`, is where a path starts from. A path adds what
makes it worth playing: `warp` says at which u the finger's place s is, so that equal steps of s are equal steps of what
is heard, and `bend` is added to the line's embedding where the line leaves what the network knows. The embedding at
step i of N_STEPS is the line at `warp` there plus the bend there; the ends are the instruments themselves, exactly.

Attack and release of unlike instruments are brought together by the engine itself, from each note's own landmarks
(`synth.voices.prepared`), so a path does not depend on when a key is let go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from synth.errors import TetradError
from synth.frames import Z_DIM, Float32Array

N_STEPS = 9
"""Points of a path with an embedding of their own, ends included: u = 0, 1/8, ..., 1."""
N_INNER = N_STEPS - 2
N_WARP = 33
"""Nodes of `warp`, at s = 0, 1/32, ..., 1; linear between them."""
BEND_TIMES_S = (0.0, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048)
"""Since the onset; a bend is linear between them and stays as it is after the last."""


class NotePath(NamedTuple):
    """The path for one pitch and velocity, both MIDI numbers.

    warp: float32 [33], u at s = i/32, from 0 to 1 exactly, never falling. bend: float32 [7, 8, 16], what is added to z
    at u = 1/8, ..., 7/8 (linear between, 0 at the ends) and at BEND_TIMES_S; all zeros where the line needs none.
    """

    pitch: int
    velocity: int
    warp: Float32Array
    bend: Float32Array


@dataclass(frozen=True)
class PairPath:
    """From instrument `first` (u = 0) to `second` (u = 1), names in the order of the alphabet.

    first_id, second_id: what their sound is (`synth.instruments.duplicates`), so that a changed instrument is noticed.
    model_id: of the networks (as in an instrument's file). notes: in the order of pitch, then velocity, at least one.
    Raises TetradError for arrays of other shapes, a warp that falls or misses its ends, or values that are not finite.
    """

    first: str
    second: str
    first_id: str
    second_id: str
    model_id: str
    notes: tuple[NotePath, ...]

    def __post_init__(self) -> None:
        where = f"the path from {self.first} to {self.second}"
        if not self.first < self.second:
            raise TetradError(f"{where} has its ends in this order; the alphabet's was expected; exchange them")
        places = [(note.pitch, note.velocity) for note in self.notes]
        if not places or places != sorted(set(places)):
            raise TetradError(f"{where} has notes {places}; one at least, each once, in order of pitch was expected")
        for note in self.notes:
            check_note_path(note, where)


def check_note_path(note: NotePath, where: str) -> None:
    """Raises TetradError, which begins with `where`, for a path that can't be played."""
    shapes = note.warp.shape, note.bend.shape
    if shapes != ((N_WARP,), (N_INNER, len(BEND_TIMES_S), Z_DIM)):
        raise TetradError(f"{where} has arrays of {shapes} at pitch {note.pitch}; build it again")
    if not (np.isfinite(note.warp).all() and np.isfinite(note.bend).all()):
        raise TetradError(f"{where} has values that are no numbers at pitch {note.pitch}; build it again")
    if note.warp[0] != 0.0 or note.warp[-1] != 1.0 or np.diff(note.warp).min() < 0.0:
        raise TetradError(f"{where} does not go from 0 to 1 at pitch {note.pitch}; build it again")


def straight(pitch: int, velocity: int) -> NotePath:
    """The straight line, which is what a pair has that nobody computed."""
    warp = np.linspace(0.0, 1.0, N_WARP, dtype=np.float32)
    return NotePath(pitch, velocity, warp, np.zeros((N_INNER, len(BEND_TIMES_S), Z_DIM), np.float32))
