"""Which pairs of instruments a surface needs paths for: those along its four edges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from synth.control.corners import EDGE_CORNERS, Corner, Edge


class Pair(NamedTuple):
    """Two instruments, names in the order of the alphabet, and what their sound is (`synth.instruments.duplicates`)."""

    first: str
    second: str
    first_id: str
    second_id: str

    def __str__(self) -> str:
        return f"{self.first} + {self.second}"


class Sounding(Protocol):
    """What stands in a corner: an instrument, prepared or not, as far as pairs go."""

    @property
    def name(self) -> str: ...
    @property
    def sound_id(self) -> str: ...


def pair_of(one: Sounding, other: Sounding) -> Pair:
    """The pair of two instruments of different names, in whatever order."""
    first, second = sorted((one, other), key=lambda instrument: instrument.name)
    return Pair(first.name, second.name, first.sound_id, second.sound_id)


def surface_pairs(corners: Mapping[Corner, Sounding | None]) -> list[Pair]:
    """The pairs along the edges, each once, in the order of `Edge`. A silent corner (None) has none, and neither has
    an edge with one instrument at both of its ends."""
    pairs = []
    for edge in Edge:
        one, other = (corners.get(corner) for corner in EDGE_CORNERS[edge])
        if one is not None and other is not None and one.name != other.name:
            pairs.append(pair_of(one, other))
    return list(dict.fromkeys(pairs))
