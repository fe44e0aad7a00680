"""The fixed list of 40 pairs of shipped instruments, `pairs.csv`, and the rule by which it was drawn.

Drawn once, before anything was measured, by `choose_pairs` with seed 3 from the 32 instruments that shipped then, and
never touched since: a pair stays however it sounds. Candidates are all pairs with a key that both were recorded at
(so that the baselines use the same recordings), played at the one nearest to middle C. They are taken in a shuffled
order: 10 pairs of two instruments that decay, 15 of one that decays and one that sustains, 15 of two that sustain; each
time the first of those whose two families have met least often so far and whose instruments were used least.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from synth.errors import TetradError
from synth.instruments.format import Instrument
from synth.instruments.spread import spread_evenly

TABLE = Path(__file__).with_name("pairs.csv")
PAIRS_OF_KIND = (10, 15, 15)
"""By the number of the two that sustain: 0, 1, 2."""
MIDDLE_KEY = 60


@dataclass(frozen=True)
class Pair:
    """Two instruments by name, the path runs from `west` to `east`, and the MIDI note that is played."""

    west: str
    east: str
    key: int


def fixed_pairs(limit: int | None = None) -> list[Pair]:
    """The list, or at most `limit` of it, evenly spread."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        pairs = [Pair(row["west"], row["east"], int(row["key"])) for row in csv.DictReader(file)]
    return [pairs[i] for i in spread_evenly(len(pairs), limit)]


def common_recorded_key(one: Instrument, other: Instrument) -> int | None:
    """The key nearest to middle C that both were recorded at, the lower of two; None if there is none."""
    keys = {note.pitch for note in one.notes} & {note.pitch for note in other.notes}
    return min(keys, key=lambda key: (abs(key - MIDDLE_KEY), key), default=None)


def choose_pairs(
    instruments: Sequence[Instrument], seed: int, of_kind: tuple[int, int, int] = PAIRS_OF_KIND
) -> list[Pair]:
    """Draw pairs by the rule above; raises TetradError when there are too few candidates of a kind."""
    candidates: list[list[tuple[Instrument, Instrument, int]]] = [[], [], []]
    for one, other in combinations(sorted(instruments, key=lambda i: i.name), 2):
        key = common_recorded_key(one, other)
        if key is not None:
            candidates[one.sustains + other.sustains].append((one, other, key))
    rng = np.random.default_rng(seed)
    met: Counter[tuple[str, ...]] = Counter()
    used: Counter[str] = Counter()
    chosen = []
    for wanted, found in zip(of_kind, candidates, strict=True):
        if wanted > len(found):
            raise TetradError(f"{wanted} pairs were asked for; only {len(found)} of that kind have a key in common")
        waiting = [found[i] for i in rng.permutation(len(found))]
        for _ in range(wanted):
            best = min(
                waiting, key=lambda c: (met[_families(c[0], c[1])], used[c[0].name] + used[c[1].name])
            )  # the first of equals
            waiting.remove(best)
            met[_families(best[0], best[1])] += 1
            used.update((best[0].name, best[1].name))
            chosen.append(Pair(best[0].name, best[1].name, best[2]))
    return chosen


def _families(one: Instrument, other: Instrument) -> tuple[str, ...]:
    return tuple(sorted((one.family, other.family)))
