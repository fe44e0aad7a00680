"""Which paths the edges of each voice's surface have, and how they go over into others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from synth.control.corners import EDGE_CORNERS, N_EDGES, Edge
from synth.frames import Float32Array
from synth.grid.pair_path import N_WARP
from synth.voices.prepared import PreparedInstrument
from synth.voices.prepared_path import PreparedPath, flipped
from synth.voices.segments import Int64Array, Records
from synth.voices.voice import FREE, N_EDGE_SOURCES

_STRAIGHT = np.linspace(0.0, 1.0, N_WARP, dtype=np.float32)
_BEGINS = np.array([EDGE_CORNERS[edge][0] for edge in Edge])
_ENDS = np.array([EDGE_CORNERS[edge][1] for edge in Edge])


class Edges:
    """The paths that are known, and what of them the voices of `bank` (VOICE [S]) read.

    An edge has the path of the two instruments that its voice has in its corners, if that is known and was made for
    just these sounds; else it is straight. A change while a note sounds takes `fade_samples`, linearly, in the warp as
    in the bend; one that comes during a change waits for its end.
    """

    def __init__(self, bank: Records, fade_samples: int, paths: Iterable[PreparedPath] = ()) -> None:
        self._bank = bank
        self._fade_samples = fade_samples
        self._known = {(path.first, path.second): path for path in paths}
        self._numbers: dict[int, PreparedPath] = {}
        self._next = 0
        self.with_bends: list[tuple[int, int]] = []
        """(edge, or edge that was, and the number of its path): all that a voice may have that bend."""
        bank["path"] = -1

    def put(self, first: str, second: str, path: PreparedPath | None) -> None:
        """The path between two instruments, by their names in the order of the alphabet; None: a straight line. Voices
        that sound have it after the next `refresh`."""
        if path is None:
            self._known.pop((first, second), None)
        else:
            self._known[first, second] = path

    def bends(self, number: int) -> Float32Array:
        """The table of a path that is in `with_bends`, float32 [N, 7, 8, 16]."""
        return self._numbers[number].bends

    def begin(self, v: int, instruments: Mapping[int, PreparedInstrument]) -> None:
        """Chooses the paths of slot v for its instruments, its key and its velocity, all at once."""
        bank = self._bank
        bank["path_fading"][v] = 0
        bank["path"][v] = -1
        bank["curved"][v] = 0
        if self._known:
            bank["warp"][v] = _STRAIGHT
            for edge in range(N_EDGES):
                number, flip = self._wanted(v, edge, instruments)
                self._choose(v, edge, number, flip)
            bank["curved"][v] = (bank["path"][v] >= 0).any()
            for edge, number in enumerate(bank["path"][v, :N_EDGES].tolist()):
                # `_find_bends` looks at all voices, for 80 us, which a chord has not.
                if number >= 0 and self._numbers[number].bends.size and (edge, number) not in self.with_bends:
                    self.with_bends = sorted([*self.with_bends, (edge, number)])

    def refresh(self, time: int, instruments: Mapping[int, PreparedInstrument]) -> int | None:
        """Ends the changes that are over at sample `time`, begins those that wait, and says when the next one ends."""
        bank = self._bank
        sounding = bank["state"] != FREE
        if not self._known and not bank["curved"][sounding].any():
            return None
        over = (bank["path_fading"] == 1) & (bank["path_start"] + self._fade_samples <= time)
        bank["path_fading"][over] = 0
        bank["path"][:, N_EDGES:][over] = -1
        for slot in np.flatnonzero(sounding):
            v = int(slot)
            for edge in np.flatnonzero(bank["path_fading"][v] == 0):
                self._renew(v, int(edge), time, instruments)
            bank["curved"][v] = (bank["path"][v] >= 0).any()
        self._find_bends()
        ends = bank["path_start"][(bank["path_fading"] == 1) & sounding[:, None]]
        return int(ends.min()) + self._fade_samples if ends.size else None

    def _renew(self, v: int, edge: int, time: int, instruments: Mapping[int, PreparedInstrument]) -> None:
        """Begins a change of slot v's edge, if it has not the path that it should have."""
        bank = self._bank
        number, flip = self._wanted(v, edge, instruments)
        now = int(bank["path"][v, edge])
        moved = bank["path_pitch"][v, edge] != bank["source_pitch"][v, EDGE_CORNERS[Edge(edge)][0]]
        if number == now and not (moved and number >= 0) and (number < 0 or flip == bank["path_flip"][v, edge]):
            return
        if not bank["curved"][v]:
            bank["warp"][v] = _STRAIGHT
            bank["curved"][v] = 1
        for name in ("path", "path_flip", "path_note", "path_weight", "warp"):
            bank[name][v, N_EDGES + edge] = bank[name][v, edge]
        self._choose(v, edge, number, flip)
        bank["path_fading"][v, edge] = 1
        bank["path_start"][v, edge] = time

    def _wanted(self, v: int, edge: int, instruments: Mapping[int, PreparedInstrument]) -> tuple[int, bool]:
        """Number of the path that an edge of slot v should have (-1: straight), and whether it runs the other way."""
        has = self._bank["instrument"][v]
        begins, ends = instruments[int(has[_BEGINS[edge]])], instruments[int(has[_ENDS[edge]])]
        flip = begins.name > ends.name
        one, other = (ends, begins) if flip else (begins, ends)
        path = self._known.get((one.name, other.name))
        if path is None or (path.first_id, path.second_id) != (one.sound_id, other.sound_id):
            return -1, False
        for number, known in self._numbers.items():
            if known is path:
                return number, flip
        self._numbers[self._next] = path
        self._next += 1
        return self._next - 1, flip

    def _choose(self, v: int, edge: int, number: int, flip: bool) -> None:
        bank = self._bank
        pitch = int(bank["source_pitch"][v, _BEGINS[edge]])
        bank["path"][v, edge], bank["path_flip"][v, edge] = number, flip
        bank["path_pitch"][v, edge] = pitch
        if number < 0:
            bank["warp"][v, edge] = _STRAIGHT
            return
        choice = self._numbers[number].choose(pitch, int(bank["velocity"][v]))
        bank["warp"][v, edge] = flipped(choice.warp) if flip else choice.warp
        bank["path_note"][v, edge] = choice.notes[0], choice.notes[-1]
        bank["path_weight"][v, edge] = choice.weights[0], choice.weights[1] if len(choice.weights) > 1 else 0.0

    def _find_bends(self) -> None:
        bank = self._bank
        numbers: Int64Array = bank["path"][bank["state"] != FREE]
        found = {(e, int(n)) for e in range(N_EDGE_SOURCES) for n in np.unique(numbers[:, e]) if n >= 0}
        used = {number for _, number in found}
        self._numbers = {number: path for number, path in self._numbers.items() if number in used}
        self.with_bends = sorted((e, n) for e, n in found if self._numbers[n].bends.size)
