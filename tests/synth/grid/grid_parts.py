"""Paths made from a seed."""

import numpy as np

from synth.frames import Z_DIM
from synth.grid.pair_path import BEND_TIMES_S, N_INNER, N_WARP, NotePath, PairPath


def note_path(pitch: int, velocity: int, seed: int, bent: bool = False) -> NotePath:
    """A warp that rises by random steps, and a random bend or none."""
    rng = np.random.default_rng(seed)
    way = np.concatenate([[0.0], np.cumsum(rng.uniform(0.01, 1.0, N_WARP - 1))])
    warp = (way / way[-1]).astype(np.float32)
    bend = np.zeros((N_INNER, len(BEND_TIMES_S), Z_DIM), np.float32)
    if bent:
        bend = rng.standard_normal(bend.shape).astype(np.float32)
    return NotePath(pitch, velocity, warp, bend)


def pair_path(first: str = "cello", second: str = "flute", n_notes: int = 4, model_id: str = "model") -> PairPath:
    """A path of `n_notes` notes a fourth apart, every other one of them bent."""
    notes = tuple(note_path(40 + 5 * i, 100, i, bent=i % 2 == 1) for i in range(n_notes))
    return PairPath(first, second, f"id of {first}", f"id of {second}", model_id, notes)
