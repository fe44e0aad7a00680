"""Even steps: from how far apart the places of a path sound to where the finger's places are."""

from __future__ import annotations

import numpy as np

from synth.frames import Float32Array, Float64Array
from synth.grid.pair_path import N_WARP

LEAST_SHARE = 0.02
"""Of the mean step, what the smallest counts as: so that a path stands still nowhere, and equal ends have a path."""


def steps_db(mels: Float32Array, weights: Float64Array) -> Float64Array:
    """From each place to the next: mean over bands, and over frames by their weights, of the difference in dB.

    mels: float32 [P, F, 80]; weights: float64 [F], their sum is 1. float64 [P - 1].
    """
    differences = np.abs(np.diff(mels, axis=0)).mean(axis=2, dtype=np.float64)
    return np.asarray(differences @ weights)


def even_warp(places: Float64Array, steps: Float64Array) -> Float32Array:
    """u at s = 0, 1/32, ..., 1 such that equal steps of s are equal sums of `steps`: float32 [33], from 0 to 1.

    places: float64 [P], from 0 to 1, rising. steps: float64 [P - 1], between them, 0 or more. The density of steps is
    taken as constant between two places.
    """
    mean = float(steps.mean())
    if mean <= 0.0:
        return np.linspace(0.0, 1.0, N_WARP, dtype=np.float32)
    way = np.concatenate([[0.0], np.cumsum(np.maximum(steps, LEAST_SHARE * mean))])
    warp = np.interp(np.linspace(0.0, way[-1], N_WARP), way, places).astype(np.float32)
    warp[0], warp[-1] = 0.0, 1.0
    return warp


def evenness(steps: Float64Array) -> float:
    """Largest over mean step: 1 at best; 1 too for a path along which nothing changes."""
    mean = float(steps.mean())
    return float(steps.max()) / mean if mean > 0.0 else 1.0
