"""A path between two instruments made ready for the engine: its bends in one table, and which of them a key uses."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from synth.frames import FRAME_RATE_HZ, Z_DIM, Float32Array
from synth.grid.pair_path import BEND_TIMES_S, N_INNER, PairPath
from synth.voices.prepared import MOST_CHOICES, neighbours

BEND_FRAMES = np.array(BEND_TIMES_S) * FRAME_RATE_HZ
"""Control frames since the onset at which a bend is given; float64 [8]."""


class PathChoice(NamedTuple):
    """For a key and velocity: places in the table of bends with weights that sum to 1, and the warp, float32 [33]."""

    notes: tuple[int, ...]
    weights: tuple[float, ...]
    warp: Float32Array


class PreparedPath:
    """Build one where a path is loaded, never in the audio thread. first, second, first_id, second_id, model_id: as in
    `synth.grid.pair_path.PairPath`. bends: float32 [N, 7, 8, 16], of its notes one after another; N is 0 where all are
    zero."""

    def __init__(self, path: PairPath) -> None:
        self.first, self.second = path.first, path.second
        self.first_id, self.second_id = path.first_id, path.second_id
        self.model_id = path.model_id
        bends = np.stack([note.bend for note in path.notes]).astype(np.float32)
        self.bends: Float32Array = np.ascontiguousarray(bends if bends.any() else bends[:0])
        self._warps = [np.asarray(note.warp, np.float32) for note in path.notes]
        self._by_pitch: dict[int, dict[int, int]] = {}
        for place, note in enumerate(path.notes):
            self._by_pitch.setdefault(note.pitch, {})[note.velocity] = place
        self._choices: dict[tuple[int, int], PathChoice] = {}

    def choose(self, pitch: int, velocity: int) -> PathChoice:
        """The path for a pitch and a velocity, MIDI numbers: between the two neighbouring pitches, linear in semitones,
        and at each of the nearest velocity. Outside the computed pitches, the nearest."""
        if (pitch, velocity) not in self._choices:
            if len(self._choices) >= MOST_CHOICES:
                self._choices.clear()
            self._choices[pitch, velocity] = self._choose(pitch, velocity)
        return self._choices[pitch, velocity]

    def _choose(self, pitch: int, velocity: int) -> PathChoice:
        notes: list[int] = []
        weights: list[float] = []
        for near, weight in neighbours(sorted(self._by_pitch), pitch):
            layers = self._by_pitch[near]
            notes.append(layers[min(layers, key=lambda layer: (abs(layer - velocity), layer))])
            weights.append(weight)
        warp = sum(np.float32(weight) * self._warps[place] for place, weight in zip(notes, weights, strict=True))
        warp = np.asarray(warp, np.float32)
        warp[-1] = 1.0  # whatever the weights' rounding makes of it
        return PathChoice(tuple(notes), tuple(weights), warp)


def flipped(warp: Float32Array) -> Float32Array:
    """The same way from its other end: a warp float32 [33], u at s, to 1 - u at 1 - s."""
    return np.asarray(np.float32(1.0) - warp[::-1], np.float32)


def no_bends() -> Float32Array:
    """A table of no bends, float32 [0, 7, 8, 16]."""
    return np.zeros((0, N_INNER, len(BEND_TIMES_S), Z_DIM), np.float32)
