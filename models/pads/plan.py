"""Which notes a set of pads has, which of them are the same note, and how long and how large it will be.

A set is what the original's settings describe: a list of instruments for each corner, and a pad for every combination.
Its pads share notes: one in a corner needs nothing but that corner's instrument, and one on an edge only two. What lies
inside has all four, with bilinear weights. The original's weights fall to 0 at a distance of 1 from a corner, so 32 of
its 81 cells inside had three instruments or fewer, and the notes were fewer (`original_distinct`).
"""

from __future__ import annotations

import itertools
import math
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from synth.control.corners import N_CORNERS, Corner
from synth.errors import TetradError
from synth.pads.pad_header import SUFFIX, PadSpec

Four = tuple[str, str, str, str]
ORIGINAL_PITCHES = tuple(range(24, 84, 4))
"""The 15 of the original's large set."""
MOST_PADS = 65_536
NORMALISE = ("pad", "note", "none")
DECODERS = ("harmonic", "wavenet")
WAVENET_RATE_HZ = 16_000
LARGEST_SETTINGS = 1 << 20
_CORNER_KEYS = tuple(corner.name.lower() for corner in Corner)


@dataclass(frozen=True)
class PadSet:
    """Pads to render. corners: the instruments for NW, NE, SW, SE; every combination is a pad. The rest as the options
    of `tetrad pads render`. Raises TetradError for values out of bounds."""

    corners: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]
    resolution: int = 9
    pitches: tuple[int, ...] = ORIGINAL_PITCHES
    velocity: int = 100
    seconds: float = 4.0
    rate: int = 48_000
    seed: int = 0
    normalise: str = "pad"
    decoder: str = "harmonic"

    def __post_init__(self) -> None:
        if len(self.corners) != N_CORNERS or not all(self.corners) or self.n_pads > MOST_PADS:
            raise TetradError(
                f"{[len(names) for names in self.corners]} instruments were given for the corners; expected one at "
                f"least for each of {', '.join(_CORNER_KEYS)}, and at most {MOST_PADS} combinations"
            )
        if not 0.5 <= self.seconds <= 60.0:
            raise TetradError(f"notes of {self.seconds} s were asked for; expected 0.5 to 60")
        for name, value, known in (("normalise", self.normalise, NORMALISE), ("decoder", self.decoder, DECODERS)):
            if value not in known:
                raise TetradError(f"{name} is {value!r}; expected one of {', '.join(known)}")
        self.spec(self.combinations()[0], "")  # its bounds

    @property
    def n_pads(self) -> int:
        return math.prod(len(names) for names in self.corners)

    @property
    def rate_hz(self) -> int:
        """Of the rows: the WaveNet decoder has its own."""
        return self.rate if self.decoder == "harmonic" else WAVENET_RATE_HZ

    @property
    def row_samples(self) -> int:
        return round(self.seconds * self.rate_hz)

    def combinations(self) -> list[Four]:
        """Names NW, NE, SW, SE of every pad, in the order in which they are made."""
        return [(nw, ne, sw, se) for nw, ne, sw, se in itertools.product(*self.corners)]

    def spec(self, corners: Four, model_id: str) -> PadSpec:
        """The description of one pad."""
        return PadSpec(
            name="+".join(corners),
            corners=corners,
            pitches=self.pitches,
            resolution=self.resolution,
            sample_rate_hz=self.rate_hz,
            row_samples=self.row_samples,
            velocity=self.velocity,
            decoder=self.decoder,
            seed=self.seed,
            model_id=model_id,
            normalisation=self.normalise,
            source="rendered by `tetrad pads render`",
        )

    @property
    def n_rows(self) -> int:
        """In all pads together."""
        return self.n_pads * self.spec(self.combinations()[0], "").n_rows

    @property
    def n_bytes(self) -> int:
        """Of all pads' samples."""
        return self.n_rows * self.row_samples * 2


CellKey = tuple[Any, ...]


def cell_key(corners: Four, resolution: int, y: int, x: int) -> CellKey:
    """What a cell's notes depend on: two cells with one key sound alike.

    On an edge or in a corner: the instruments and their weights (in units of 1 / (resolution - 1)^2), wherever they
    stand. Inside: all four and the place.
    """
    last = resolution - 1
    if 0 < x < last and 0 < y < last:
        return (*corners, y, x)
    weights: Counter[str] = Counter()
    shares = ((last - x) * y, x * y, (last - x) * (last - y), x * (last - y))
    for name, weight in zip(corners, shares, strict=True):
        weights[name] += weight
    return tuple(sorted((name, weight) for name, weight in weights.items() if weight))


def cells(resolution: int) -> Iterator[tuple[int, int]]:
    """y and x of every cell, in the order of the file."""
    return itertools.product(range(resolution), range(resolution))


def first_pads(combinations: Sequence[Four], resolution: int) -> dict[CellKey, int]:
    """Every key of the set, and the number of the first pad that has it."""
    first: dict[CellKey, int] = {}
    for number, corners in enumerate(combinations):
        for y, x in cells(resolution):
            first.setdefault(cell_key(corners, resolution, y, x), number)
    return first


def distinct_notes(pads: PadSet) -> int:
    """How many notes have to be made: each once, though it may stand in many pads."""
    combinations, n = pads.combinations(), pads.resolution
    first = first_pads(combinations, n)
    made = sum(
        first[cell_key(corners, n, y, x)] == number for number, corners in enumerate(combinations) for y, x in cells(n)
    )
    return made * len(pads.pitches)


def original_distinct(pads: PadSet) -> int:
    """How many the original's pipeline would make: a corner at a distance of 1 or more from a cell has no weight there
    (get_weights in its audio/workdir/utils.py)."""
    last = pads.resolution - 1
    places = {Corner.NW: (last, 0), Corner.NE: (last, last), Corner.SW: (0, 0), Corner.SE: (0, last)}
    total = 0
    for y, x in cells(pads.resolution):
        near = [corner for corner, (cy, cx) in places.items() if (y - cy) ** 2 + (x - cx) ** 2 < last**2]
        total += math.prod(len(pads.corners[corner]) for corner in near)
    return total * len(pads.pitches)


def read_settings(path: Path, given: Mapping[str, Any]) -> PadSet:
    """A set from a TOML file, with what was `given` on the command line before it.

        corners = {nw = ["brass"], ne = ["flute"], sw = ["marimba"], se = ["strings"]}
        resolution = 9
        pitches = [24, 28, 32]

    and, if wanted, velocity, seconds, rate, seed, normalise and decoder. An unknown key is an error.
    """
    try:
        if path.stat().st_size > LARGEST_SETTINGS:
            raise TetradError(f"{path} has over {LARGEST_SETTINGS} bytes; the settings of a set were expected")
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise TetradError(
            f"cannot read {path}: {reason}; a TOML file with the settings of a set was expected"
        ) from error
    known = [field.name for field in fields(PadSet)]
    unknown = sorted(set(values) - set(known))
    if unknown or "corners" not in values:
        raise TetradError(
            f"{path} has {'the unknown ' + ', '.join(unknown) if unknown else 'no corners'}; expected "
            f"{', '.join(known)}; correct the file"
        )
    corners = values.pop("corners")
    if not isinstance(corners, dict) or set(corners) != set(_CORNER_KEYS) or not all(map(_is_names, corners.values())):
        raise TetradError(
            f"{path}: corners are {str(corners)[:80]}; expected lists of names for {', '.join(_CORNER_KEYS)}"
        )
    for key, kind in (("resolution", int), ("velocity", int), ("rate", int), ("seed", int), ("normalise", str)):
        _check_kind(path, values, key, kind)
    _check_kind(path, values, "decoder", str)
    if isinstance(values.get("seconds"), int):
        values["seconds"] = float(values["seconds"])
    _check_kind(path, values, "seconds", float)
    pitches = values.get("pitches", [])
    if not isinstance(pitches, list) or not all(isinstance(pitch, int) for pitch in pitches):
        raise TetradError(f"{path}: pitches are {str(pitches)[:80]}; expected a list of MIDI numbers")
    if "pitches" in values:
        values["pitches"] = tuple(pitches)
    lists = tuple(tuple(corners[key]) for key in _CORNER_KEYS)
    try:
        return PadSet(lists, **(values | dict(given)))  # type: ignore[arg-type]
    except TetradError as error:
        raise TetradError(f"{path}: {error}") from error


def file_name(corners: Sequence[str]) -> str:
    """Of a pad in the folder of a set."""
    return "+".join(corners) + SUFFIX


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) for name in value)


def _check_kind(path: Path, values: Mapping[str, Any], key: str, kind: type) -> None:
    if key in values and (not isinstance(values[key], kind) or isinstance(values[key], bool)):
        raise TetradError(f"{path}: {key} is {values[key]!r:.60}; expected {'a text' if kind is str else 'a number'}")
