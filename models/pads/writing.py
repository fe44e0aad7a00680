"""The pads of a set while they are made: which rows are wanted, where they go, and what is copied instead.

A note that an earlier pad of the set has is copied from there: no other store is needed, and what was finished before
an interruption is found again in the pads themselves (and in the half-written ones, see `synth.pads.pad_file`). Pads
are begun in order and finished in order, so that the pad to copy from is always whole.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from models.pads.job import Job, Named, RenderedRow
from models.pads.plan import CellKey, PadSet, cell_key, cells, first_pads
from synth.errors import TetradError
from synth.grid.pair_path import PairPath
from synth.pads.pad_file import Pad, PadWriter
from synth.pads.pad_header import PadSpec
from synth.voices.apart import MOST_PLACES, SpotNote

Place = tuple[int, int, int]
"""y, x and the index of the pitch."""


PathsOf = Callable[[Sequence[Named]], tuple[PairPath, ...]]
"""The paths of four corners' pairs, as many as there are."""


def no_paths(corners: Sequence[Named]) -> tuple[PairPath, ...]:
    """Straight lines."""
    return ()


class _Cell(NamedTuple):
    """Of a pad of the set, by its number."""

    pad: int
    y: int
    x: int


class SetWriting:
    """Call `jobs` for the work, `take` with each result, in any order, and `finish`.

    paths: where the pads go, in the order of `pads.combinations()`. A pad that is there already, with the same
    description, is left as it is; another one is replaced. whole_groups: of a group of notes that belong into one job
    all are made again when one is missing (their sound depends on the group).
    """

    def __init__(
        self,
        pads: PadSet,
        paths: Sequence[Path],
        instruments: Mapping[str, Named],
        *,
        model_id: str,
        gain: float | None,
        most_notes: int,
        whole_groups: bool = False,
        paths_of: PathsOf = no_paths,
        on_row: Callable[[int], object] = lambda n: None,
    ) -> None:
        self._pads, self._paths, self._instruments = pads, paths, instruments
        self._model_id, self.gain = model_id, gain
        self._most_notes, self._whole_groups = most_notes, whole_groups
        self._on_row = on_row
        self._paths_of = paths_of
        self._combinations = pads.combinations()
        self._writers: dict[int, PadWriter] = {}
        self._due: dict[int, int] = {}
        self._begun = 0
        self._next_to_finish = 0
        self._asked: list[tuple[int, tuple[Place, ...]]] = []
        self._first = first_pads(self._combinations, pads.resolution)
        self._done = [self._is_there(number) for number in range(len(paths))]
        self.n_rendered = self.n_copied = 0

    def close(self) -> None:
        """Half-written pads stay for the next time."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def jobs(self) -> Iterator[Job]:
        """What has to be rendered, pad by pad. Read it as it is worked on: it opens the pads."""
        for number in range(len(self._combinations)):
            self._begun = number + 1
            if self._done[number]:
                self._due[number] = 0
                self._on_row(self.spec(number).n_rows)
                self._finish_pads()
                continue
            writer = PadWriter(self._paths[number], self.spec(number))
            self._writers[number] = writer
            groups = [
                group for group in self._groups(self._own(number)) if not all(writer.has(*place) for place in group)
            ]
            if not self._whole_groups:
                groups = self._groups([place for group in groups for place in group if not writer.has(*place)])
            self._due[number] = len(groups)
            kept = self.spec(number).n_rows - len(writer.missing())
            self._on_row(kept)
            for group in groups:
                self._asked.append((number, group))
                yield self._job(number, group)
            self._finish_pads()

    def take(self, index: int, rows: Sequence[RenderedRow]) -> None:
        """The rows of job `index`, in the order of its notes."""
        number, places = self._asked[index]
        writer = self._writers[number]
        for place, row in zip(places, rows, strict=True):
            writer.write(*place, row.samples, loop=row.loop, release_start=row.release_start)
        self.n_rendered += len(rows)
        self._on_row(len(rows))
        self._due[number] -= 1
        self._finish_pads()

    def _own(self, number: int) -> list[Place]:
        """The rows of a pad that no earlier pad has."""
        n, corners = self._pads.resolution, self._combinations[number]
        own = [(y, x) for y, x in cells(n) if self._first[cell_key(corners, n, y, x)] == number]
        return [(y, x, pitch) for y, x in own for pitch in range(len(self._pads.pitches))]

    def _groups(self, places: Sequence[Place]) -> list[tuple[Place, ...]]:
        """In jobs of whole cells, as far as they go, of at most `most_notes` and MOST_PLACES places."""
        groups: list[list[Place]] = []
        for place in places:
            last = groups[-1] if groups else []
            n_cells = len({(y, x) for y, x, _ in [*last, place]})
            room = self._most_notes - self._most_notes % min(len(self._pads.pitches), self._most_notes)
            if not groups or len(last) >= room or n_cells > MOST_PLACES:
                groups.append([])
            groups[-1].append(place)
        return [tuple(group) for group in groups]

    def _job(self, number: int, group: Sequence[Place]) -> Job:
        last = self._pads.resolution - 1
        notes = tuple(SpotNote(x / last, y / last, self._pads.pitches[pitch]) for y, x, pitch in group)
        nw, ne, sw, se = (self._instruments[name] for name in self._combinations[number])
        pads = self._pads
        spec = self.spec(number)
        stream = number * spec.n_rows + spec.row_number(*group[0])
        job = Job((nw, ne, sw, se), notes, pads.velocity, pads.seconds, pads.rate_hz, pads.seed, self.gain, stream)
        return dataclasses.replace(job, paths=self._paths_of(job.corners))

    def _finish_pads(self) -> None:
        while self._next_to_finish < self._begun and self._due.get(self._next_to_finish) == 0:
            number = self._next_to_finish
            if not self._done[number]:
                writer = self._writers.pop(number)
                with writer:
                    self._copy(number, writer)
                    writer.finish()
                self._done[number] = True
            self._next_to_finish += 1

    def _copy(self, number: int, writer: PadWriter) -> None:
        """Rows that earlier pads have, from there."""
        n, corners = self._pads.resolution, self._combinations[number]
        elsewhere: dict[CellKey, _Cell] = {}
        sources: dict[int, Pad] = {}
        for y, x, pitch in writer.missing():
            key = cell_key(corners, n, y, x)
            if key not in elsewhere:
                elsewhere[key] = self._find(key)
            source = elsewhere[key]
            if source.pad not in sources:
                sources[source.pad] = Pad.open(self._paths[source.pad])
            pad = sources[source.pad]
            row = pad.row(source.y, source.x, pitch)
            samples = pad.note(source.y, source.x, pitch)
            loop = row.loop_start, row.loop_end
            writer.write(y, x, pitch, samples, loop=loop, release_start=row.release_start)
            self.n_copied += 1
            self._on_row(1)

    def _find(self, key: CellKey) -> _Cell:
        number = self._first[key]
        n, corners = self._pads.resolution, self._combinations[number]
        return next(_Cell(number, y, x) for y, x in cells(n) if cell_key(corners, n, y, x) == key)

    def _is_there(self, number: int) -> bool:
        path = self._paths[number]
        if not path.exists():
            return False
        try:
            return Pad.open(path).spec == self.spec(number)
        except TetradError:
            return False  # damaged, or something else: it is made anew

    def spec(self, number: int) -> PadSpec:
        """The description of a pad. It tells the gain and the sounds, so that a pad of others is not taken for it."""
        corners = self._combinations[number]
        ids = ", ".join(self._instruments[name].sound_id[:12] for name in corners)
        spec = self._pads.spec(corners, self._model_id)
        level = "each note" if self.gain is None else f"{20.0 * math.log10(self.gain):.2f} dB"
        normalisation = f"{self._pads.normalise}: {level}"
        paths = self._paths_of(tuple(self._instruments[name] for name in corners))
        grid = hashlib.sha256(b"".join(note.warp.tobytes() + note.bend.tobytes() for p in paths for note in p.notes))
        ways = f"{len(paths)} paths {grid.hexdigest()[:12]}" if paths else "straight"
        return dataclasses.replace(spec, normalisation=normalisation, source=f"{spec.source}; sounds {ids}; {ways}")
