"""Measure the morph paths of the 40 pairs: the engine's, without its grid, and three baselines, in one run."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from models.dataset.reader import NoteSet
from models.morph import paths
from models.morph.envelopes import ATTACK_DB, BEGIN_DB, blended_onset_s, envelope_correlation, onset_s
from models.morph.likeness import EncodeNote, FamilyConfidence, Listener, RealNotes, mean_of
from models.morph.measures import MIDDLE, N_POINTS, PathMeasures, measure_path
from models.morph.pairs import Pair, fixed_pairs
from models.morph.picture import write_path_picture
from models.morph.summary import GESTURE_METHODS, GestureMeasures, PairMeasures, summarise
from models.ship import TABLE
from synth.command import progress
from synth.errors import TetradError
from synth.frames import Float32Array, Float64Array, pitch_to_hz
from synth.grid.compute import identity, pair_path
from synth.grid.pair_path import PairPath
from synth.grid.store import GridStore
from synth.instruments.encoder import Encoder
from synth.instruments.format import Instrument, Note
from synth.instruments.library import Library
from synth.instruments.notes import SourceNote
from synth.paths import shipped_instruments_dir
from synth.voices.decoder import Decoder
from synth.voices.prepared_path import PreparedPath, flipped

DIAGONAL_EVERY = 4
"""Every fourth pair is measured once more along the diagonal, with the instruments of the next pair beside it."""


class FindPath(Protocol):
    """Where a pair's path of the grid comes from."""

    def __call__(self, one: Instrument, other: Instrument) -> PairPath:
        """The path between two instruments of different names, given in any order."""


class GridPaths:
    """A pair's path from a folder of the grid where that has it, else computed here (1 to 2 s) and kept in memory."""

    def __init__(self, store: GridStore, decoder: Decoder, encoder: Encoder) -> None:
        self._store, self._decoder, self._encoder = store, decoder, encoder
        self._made: dict[tuple[str, ...], PairPath] = {}

    def __call__(self, one: Instrument, other: Instrument) -> PairPath:
        first, second = identity(one), identity(other)
        found = self._store.find(first.name, second.name, first.sound_id, second.sound_id, self._decoder.model_id)
        if found is not None:
            return found
        key = tuple(sorted((one.name, other.name)))
        if key not in self._made:
            self._made[key] = pair_path(one, other, self._decoder, self._encoder)
        return self._made[key]


class Recordings:
    """The recordings that the shipped instruments were made of."""

    def __init__(self, note_set: NoteSet, table: Path = TABLE) -> None:
        self._note_set = note_set
        self._origins = {entry["name"]: entry["from"] for entry in tomllib.loads(table.read_text())["instrument"]}

    def origin(self, instrument: Instrument) -> str:
        """Name of the note set's instrument. Raises TetradError for one that the table doesn't have."""
        if instrument.name not in self._origins:
            raise TetradError(
                f"{instrument.name} is not in {TABLE.name}; the recordings of a shipped one were expected"
            )
        return str(self._origins[instrument.name])

    def group(self, instrument: Instrument) -> str:
        """What sounds like this instrument in the note set is of this group."""
        notes = self._note_set.examples(instrument=self.origin(instrument))
        return notes[0].group if notes else ""

    def note(self, instrument: Instrument, note: Note) -> SourceNote:
        """The recording of one of its notes. Raises TetradError when the set doesn't have it."""
        origin = self.origin(instrument)
        for example in self._note_set.examples(instrument=origin, velocity=note.velocity):
            if example.pitch == note.pitch:
                return SourceNote(self._note_set.audio_48k(example.name), note.pitch, note.velocity, None)
        raise TetradError(
            f"the note set has no note of {origin} at pitch {note.pitch}, velocity {note.velocity}, which "
            f"{instrument.name} was made of; expected the set it was made from; run `make instruments` again"
        )


def measure_morphs(
    note_set: NoteSet,
    decoder: Decoder,
    *,
    library: Library | None = None,
    encode: EncodeNote | None = None,
    family_confidence: FamilyConfidence | None = None,
    find_path: FindPath | None = None,
    limit: int | None = None,
    most_real: int | None = None,
    pictures: Path | None = None,
) -> dict[str, Any]:
    """Measure the fixed pairs (at most `limit`, evenly spread) -> "morph" of `tetrad model evaluate --json`.

    `note_set` holds the recordings of the shipped instruments (of `library`), and the real notes that middles are
    compared with (at most `most_real` per key). Without `encode` and `family_confidence` what needs them is NaN,
    without `find_path` "ours" has no paths of the grid but all else that `evenness` brings.
    `pictures` is a folder for a picture of each pair. About 10 s for a pair on one core.
    """
    found = measure_pairs(
        note_set,
        decoder,
        fixed_pairs(limit),
        library=library or Library([shipped_instruments_dir()]),
        recordings=Recordings(note_set),
        encode=encode,
        family_confidence=family_confidence,
        find_path=find_path,
        most_real=most_real,
        pictures=pictures,
    )
    return summarise(found)


def measure_pairs(
    note_set: NoteSet,
    decoder: Decoder,
    pairs: Sequence[Pair],
    *,
    library: Library,
    recordings: Recordings,
    encode: EncodeNote | None = None,
    family_confidence: FamilyConfidence | None = None,
    find_path: FindPath | None = None,
    most_real: int | None = None,
    pictures: Path | None = None,
) -> list[PairMeasures]:
    """Measure any pairs; see `measure_morphs`. The results are in the order of `pairs`."""
    cache: dict[int, RealNotes] = {}

    def real_notes(key: int) -> RealNotes:
        if key not in cache:
            cache.clear()
            cache[key] = RealNotes(note_set, key, most_real)
        return cache[key]

    listener = Listener(real_notes, encode, family_confidence)
    results: dict[int, PairMeasures] = {}
    order = sorted(range(len(pairs)), key=lambda i: pairs[i].key)  # real notes are read once for a key
    for i in progress(order, description="morphing", unit="pair"):
        beside = pairs[(i + 1) % len(pairs)] if i % DIAGONAL_EVERY == 0 and len(pairs) > 1 else None
        results[i] = _measure_pair(pairs[i], beside, decoder, library, recordings, listener, find_path, pictures)
    return [results[i] for i in range(len(pairs))]


def _measure_pair(
    pair: Pair,
    beside: Pair | None,
    decoder: Decoder,
    library: Library,
    recordings: Recordings,
    listener: Listener,
    find_path: FindPath | None,
    pictures: Path | None,
) -> PairMeasures:
    key = pair.key
    ends = [library.load(pair.west), library.load(pair.east)]
    grid = _grid(find_path, ends)
    notes = [min(end.notes, key=lambda n: (abs(n.pitch - key), -n.velocity)) for end in ends]
    velocity = notes[0].velocity
    silent = paths.NoDecoder()
    steps = np.linspace(0.0, 1.0, N_POINTS)
    at_east = dict.fromkeys(GESTURE_METHODS, steps) | {"ours": _warped(steps, grid, ends, key, velocity)}
    measured = [paths.measured_instrument(end, key, decoder) for end in ends]
    recorded = [recordings.note(end, note) for end, note in zip(ends, notes, strict=True)]
    ours = paths.play(ends, key, velocity, decoder, grid=grid)
    corners = [
        paths.as_in_the_corner(r, n, key, ours[place]) for r, n, place in zip(recorded, notes, (0, -1), strict=True)
    ]
    sounds = {
        "ours": ours,
        "straight": paths.play(ends, key, velocity, decoder, evenness=0.0),
        "crossfade": paths.crossfaded(corners[0], corners[1]),
        "snap": paths.snapped(ends, key, velocity, decoder),
        "measured_blend": paths.play(measured, key, velocity, silent),
    }
    if pictures is not None:
        write_path_picture(pictures / f"{pair.west}-{pair.east}-{key}.png", sounds, pair)

    places = [paths.EDGE[0], paths.EDGE[MIDDLE], paths.EDGE[-1]]
    west, middle, east = paths.play(ends, key, velocity, decoder, places, whole=True, grid=grid)
    corners = [paths.as_in_the_corner(r, n, key, end) for r, n, end in zip(recorded, notes, (west, east), strict=True)]
    middles = {
        "ours": middle,
        "straight": paths.play(ends, key, velocity, decoder, [places[1]], whole=True, evenness=0.0)[0],
        "crossfade": paths.crossfaded(corners[0], corners[1])[MIDDLE],
        "measured_blend": paths.play(measured, key, velocity, silent, [places[1]], whole=True)[0],
    }
    groups = [recordings.group(end) for end in ends]
    half_way = dict.fromkeys(middles, 0.5) | {"ours": float(at_east["ours"][MIDDLE])}
    heard = {name: listener.listen(sound, half_way[name], notes, groups, key) for name, sound in middles.items()}
    heard["ends"] = mean_of([listener.listen(end, x, notes, groups, key) for end, x in ((west, 0.0), (east, 1.0))])
    return PairMeasures(
        pair=pair,
        sustaining=sum(end.sustains for end in ends),
        paths={name: measure_path(sound, key) for name, sound in sounds.items()},
        middles=heard,
        gestures=_gestures(sounds, at_east, float(pitch_to_hz(key))) if sum(end.sustains for end in ends) == 1 else {},
        diagonal={}
        if beside is None
        else _diagonal(ends, measured, beside, key, velocity, decoder, library, find_path),
    )


def _gestures(
    sounds: Mapping[str, Float32Array], at_east: Mapping[str, Float64Array], f0_hz: float
) -> dict[str, GestureMeasures]:
    """Whether a pluck and a bow meet as one gesture, with the grid and without; see `models.morph.envelopes`.

    at_east: by method, how far between the ends each of the 21 sounds is made, 0..1.
    """
    found = {}
    for name in GESTURE_METHODS:
        west, east = sounds[name][0], sounds[name][-1]
        placed = list(zip(sounds[name], at_east[name], strict=True))
        errors_s = []
        for below_db in (BEGIN_DB, ATTACK_DB):
            ends_s = onset_s(west, below_db), onset_s(east, below_db)
            errors_s.append(max(abs(onset_s(sound, below_db) - blended_onset_s(*ends_s, u)) for sound, u in placed))
        alike = [envelope_correlation(sound, west, east, u, f0_hz) for sound, u in placed]
        found[name] = GestureMeasures(float(errors_s[0]), float(errors_s[1]), float(min(alike)))
    return found


def _diagonal(
    ends: Sequence[Instrument],
    measured: Sequence[Instrument],
    beside: Pair,
    key: int,
    velocity: int,
    decoder: Decoder,
    library: Library,
    find_path: FindPath | None,
) -> dict[str, PathMeasures]:
    """From north-west to south-east, with the instruments of another pair in the other corners."""
    others = [library.load(beside.west), library.load(beside.east)]
    plain = [paths.measured_instrument(other, key, decoder) for other in others]
    found = {}
    around = [ends[0], others[0], ends[1], others[1]]  # the order in which the edges follow each other
    grid = _grid(find_path, [*around, around[0]])
    for name, (west, east), (north, south), net, evenness in (
        ("ours", ends, others, decoder, 1.0),
        ("straight", ends, others, decoder, 0.0),
        ("measured_blend", measured, plain, paths.NoDecoder(), 0.0),
    ):
        sounds = paths.play(
            [west, north, south, east], key, velocity, net, paths.DIAGONAL, grid=grid, evenness=evenness
        )
        found[name] = measure_path(sounds, key)
    return found


def _warped(
    steps: Float64Array, grid: Sequence[PairPath], ends: Sequence[Instrument], key: int, velocity: int
) -> Float64Array:
    """How far between two ends the finger's places `steps`, 0..1, are by their path, if there is one."""
    if not grid:
        return steps
    (path,) = grid
    warp = PreparedPath(path).choose(key, velocity).warp
    if path.first != ends[0].name:
        warp = flipped(warp)
    return np.interp(steps, np.linspace(0.0, 1.0, warp.size), warp)


def _grid(find_path: FindPath | None, around: Sequence[Instrument]) -> list[PairPath]:
    """The paths from each instrument to the next; those of one name have none."""
    if find_path is None:
        return []
    pairs = {tuple(sorted((one.name, other.name))): (one, other) for one, other in itertools.pairwise(around)}
    return [find_path(one, other) for names, (one, other) in pairs.items() if names[0] != names[1]]
