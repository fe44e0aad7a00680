"""Fewer notes of too many, evenly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

MOST_NOTES = 512
Item = TypeVar("Item")


def thin(items: Sequence[Item], place: Callable[[Item], tuple[int, int]], most: int = MOST_NOTES) -> list[Item]:
    """At most `most` of the items, sorted by `place` (pitch 0..127, velocity): every pitch keeps as many layers as all
    can have, from its softest to its loudest; were there more pitches than places, those would be thinned evenly."""
    ordered = sorted(items, key=place)
    if len(ordered) <= most:
        return ordered
    pitches: dict[int, list[Item]] = {}
    for item in ordered:
        pitches.setdefault(place(item)[0], []).append(item)
    kept = evenly(sorted(pitches), most)
    # Layers are handed out one by one to the pitches that have fewest, so that no place is wasted on those with one.
    share = dict.fromkeys(kept, 1)
    left = most - len(kept)
    layer = 1
    while left > 0:
        wanting = [pitch for pitch in kept if len(pitches[pitch]) > layer]
        if not wanting:
            break
        for pitch in evenly(wanting, left):
            share[pitch] += 1
            left -= 1
        layer += 1
    return [item for pitch in kept for item in evenly(pitches[pitch], share[pitch])]


def evenly(items: Sequence[Item], count: int) -> list[Item]:
    """`count` of the items, first and last among them (of one, the middle); all where there are no more."""
    if len(items) <= count:
        return list(items)
    if count == 1:
        return [items[len(items) // 2]]
    return [items[round(i * (len(items) - 1) / (count - 1))] for i in range(count)]
