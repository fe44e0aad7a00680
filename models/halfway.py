"""Half-way between two corners there must be one note, at the pitch of the key: measured over pairs of instruments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from models.pitch_check import estimate_pitch_hz
from synth.command import progress
from synth.frames import pitch_to_hz
from synth.instruments.fidelity import NORTH, render_note
from synth.instruments.format import Instrument
from synth.instruments.spread import spread_evenly
from synth.voices.decoder import Decoder

HELD_S, TOTAL_S = 1.5, 1.6


@dataclass(frozen=True)
class HalfWay:
    """`cents` is the distance from the key, NaN where the estimator finds no pitch; `confidence` 0..1 is its own."""

    north_west: str
    north_east: str
    key: int
    cents: float
    confidence: float


def common_key(one: Instrument, other: Instrument) -> int:
    """The middle of the keys that both were recorded at; between the two ranges where they don't meet."""
    low = max(one.notes[0].pitch, other.notes[0].pitch)
    high = min(one.notes[-1].pitch, other.notes[-1].pitch)
    return round((low + high) / 2)


def half_way(instruments: Sequence[Instrument], decoder: Decoder, n_pairs: int | None = None) -> list[HalfWay]:
    """Play every pair's common key half-way between two northern corners, and estimate the pitch of what sounds.

    `n_pairs` takes that many of the pairs, evenly spread.
    """
    found = []
    pairs = list(combinations(instruments, 2))
    chosen = [pairs[i] for i in spread_evenly(len(pairs), n_pairs)]
    for one, other in progress(chosen, description="half-way", unit="pair"):
        key = common_key(one, other)
        sound = render_note([one, other, one, other], NORTH, key, 100, HELD_S, TOTAL_S, decoder)
        expected_hz = float(pitch_to_hz(key))
        found_hz, confidence = estimate_pitch_hz(sound, near_hz=expected_hz)
        cents = float(1200.0 * np.log2(found_hz / expected_hz)) if found_hz > 0.0 else float("nan")
        found.append(HalfWay(one.name, other.name, key, cents, confidence))
    return found


def summary(results: Sequence[HalfWay]) -> dict[str, object]:
    """Share of pairs within 5 cents of the key, and which ones are not. A sound without a pitch is not."""
    error = np.array([abs(r.cents) for r in results])
    good = error <= 5.0
    return {
        "within_5_cents": float(good.mean()),
        "p95_cents": float(np.nanpercentile(error, 95)),
        "n_pairs": len(results),
        "worst": [
            f"{r.north_west}/{r.north_east} key {r.key}: {r.cents:+.1f} (confidence {r.confidence:.2f})"
            for r, ok in zip(results, good, strict=True)
            if not ok
        ],
    }
