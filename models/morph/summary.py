"""From the measures of the pairs to the object that `tetrad model evaluate --json` prints as "morph"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.morph.likeness import MiddleMeasures
from models.morph.measures import PathMeasures
from models.morph.pairs import Pair

METHODS = ("ours", "straight", "crossfade", "snap", "measured_blend")
BASELINES = METHODS[1:]
GESTURE_METHODS = ("ours", "straight")
WITHIN_CENTS = 5.0
WORSE_BY = 1.05
"""Less even than the straight line by more than this counts as worse."""
_MEASURES = ("evenness", "pitch_cents", "loudness_dip_lu", "largest_step_db", "largest_reversal")
_AS_GOOD = {
    "evenness": 0.01,
    "pitch_cents": 0.1,
    "loudness_error_lu": 0.05,
    "largest_step_db": 0.01,
    "largest_reversal": 0.001,
}
"""Lower is better in all of these; differences up to this don't count."""
_GESTURES = {"onset_error_s": 1.0, "attack_error_s": 1.0, "envelope_correlation": -1.0}
"""Measures of gestures; 1 where the largest is the worst, -1 where the smallest is."""
_MIDDLE = ("nearest_real_db", "embedding_distance", "family_confidence")


@dataclass(frozen=True)
class GestureMeasures:
    """Of the 21 points of a path, the worst: how far in seconds an onset, and the end of an attack, is from where the
    ends' blended one is, and the least correlation (-1..1) of an envelope with the blended one. NaN where a point is
    silent."""

    onset_error_s: float
    attack_error_s: float
    envelope_correlation: float


@dataclass(frozen=True)
class PairMeasures:
    """`paths` by method; `middles` likewise, and "ends" for the mean over the two corners. `gestures`, of pairs of one
    that sustains and one that decays, and `diagonal` may be empty."""

    pair: Pair
    sustaining: int
    paths: Mapping[str, PathMeasures]
    middles: Mapping[str, MiddleMeasures]
    gestures: Mapping[str, GestureMeasures]
    diagonal: Mapping[str, PathMeasures]


def summarise(pairs: Sequence[PairMeasures]) -> dict[str, Any]:
    """Medians over the pairs of every measure by method, the worst of them, and one row for each pair.

    `pitch_cents` is the largest distance on a path, `pitch_within_5_cents` the share of pairs that never leave that.
    `p90` is that of the evenness, and `less_even_than_straight` lists the pairs in which ours is by more than 5 %.
    `loudness_error_lu` is the dip or hump at the middle, whichever it is, `loudness_hump_lu` how much louder than its
    ends a middle is at worst. `better_than` is the share of pairs in which ours is better than a baseline, or as good.
    In the middle, snapping plays what the straight line plays, so dips are the same. Of `middle`, "ends" are the
    corners themselves: what a sound made of real notes reaches. `mixed_pairs` are of one that sustains and one that
    decays; the worst of the points of each pair is taken.
    """
    by_method = {name: _over(pairs, name, METHODS) for name in (*_MEASURES, "monotone_share")}
    by_method["loudness_error_lu"] = {method: np.abs(v) for method, v in by_method["loudness_dip_lu"].items()}
    result: dict[str, Any] = {name: _each(values, _median) for name, values in by_method.items()}
    result["worst"] = {name: _each(by_method[name], _largest) for name in _MEASURES}
    result["worst"]["monotone_share"] = _each(by_method["monotone_share"], lambda v: -_largest(-v))
    result["worst"]["loudness_hump_lu"] = _each(by_method["loudness_dip_lu"], lambda v: max(0.0, _largest(-v)))
    result["p90"] = {"evenness": _each(by_method["evenness"], lambda v: float(np.nanpercentile(v, 90)))}
    result["less_even_than_straight"] = [
        [p.pair.west, p.pair.east] for p in pairs if p.paths["ours"].evenness > WORSE_BY * p.paths["straight"].evenness
    ]
    result["pitch_within_5_cents"] = _each(by_method["pitch_cents"], lambda v: float((v <= WITHIN_CENTS).mean()))
    result["better_than"] = {
        baseline: {
            name: float((by_method[name]["ours"] <= by_method[name][baseline] + as_good).mean())
            for name, as_good in _AS_GOOD.items()
        }
        for baseline in BASELINES
    }
    result["middle"] = {
        name: {
            method: _median(np.array([getattr(p.middles[method], name) for p in pairs])) for method in pairs[0].middles
        }
        for name in _MIDDLE
    }
    diagonals = [p.diagonal for p in pairs if p.diagonal]
    result["diagonal"] = {
        name: {
            method: _median(np.array([getattr(d[method], name) for d in diagonals]))
            for method in ("ours", "straight", "measured_blend")
        }
        for name in ("evenness", "pitch_cents", "monotone_share")
    }
    mixed = [p.gestures for p in pairs if p.gestures]
    result["mixed_pairs"] = {
        "n": len(mixed),
    } | {
        name: {m: _spread(np.array([getattr(g[m], name) for g in mixed]), sign) for m in GESTURE_METHODS}
        for name, sign in _GESTURES.items()
    }
    result["n_pairs"], result["n_diagonals"] = len(pairs), len(diagonals)
    result["pairs"] = [_row(p) for p in pairs]
    return result


def _row(measured: PairMeasures) -> dict[str, Any]:
    row: dict[str, Any] = {
        "west": measured.pair.west,
        "east": measured.pair.east,
        "key": measured.pair.key,
        "sustaining": measured.sustaining,
    }
    for name in ("evenness", "pitch_cents", "loudness_dip_lu", "monotone_share"):
        row[name] = {method: round(getattr(path, name), 3) for method, path in measured.paths.items()}
    for name in _MIDDLE:
        row[name] = {method: round(getattr(middle, name), 3) for method, middle in measured.middles.items()}
    for name in _GESTURES:
        if measured.gestures:
            row[name] = {method: round(getattr(found, name), 4) for method, found in measured.gestures.items()}
    row["nearest_real"] = {method: middle.nearest_real for method, middle in measured.middles.items()}
    return row


def _over(pairs: Sequence[PairMeasures], name: str, methods: Sequence[str]) -> dict[str, np.ndarray]:
    return {method: np.array([getattr(p.paths[method], name) for p in pairs]) for method in methods}


def _each(values: Mapping[str, np.ndarray], of: Callable[[np.ndarray], float]) -> dict[str, float]:
    return {method: of(value) for method, value in values.items()}


def _spread(values: np.ndarray, sign: float) -> dict[str, float]:
    """Median and worst over the pairs; the worst is the largest for `sign` 1, the least for -1."""
    return {"median": _median(values), "worst": sign * _largest(sign * values)}


def _median(values: np.ndarray) -> float:
    """Of those that are numbers; NaN, which JSON shows as null, when none is."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def _largest(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.max()) if known.size else float("nan")
