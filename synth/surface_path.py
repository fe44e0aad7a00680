"""A way over the surface in time: the file format `tetrad-path`, and where the finger is at a moment.

    {"format": "tetrad-path", "version": 1,
     "points": [{"time_s": 0, "x": 0, "y": 0}, {"time_s": 8, "x": 1, "y": 0.5}]}

Times rise; x (west to east) and y (south to north) are 0..1; between points the finger moves in a straight line, before
the first it waits there, after the last it stays.
"""

import itertools
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from synth.control.json_document import brief, parse_json, read_bounded
from synth.errors import TetradError

FORMAT, VERSION = "tetrad-path", 1
MOST_BYTES = 16 * 1024 * 1024
"""Five minutes of a gesture, 37,500 points, have 1.7 MB."""


class PathPoint(NamedTuple):
    """The finger is at (x, y) at a time in seconds."""

    time_s: float
    x: float
    y: float


def position_at(points: Sequence[PathPoint], time_s: float) -> tuple[float, float]:
    """Where the finger is, (x, y), each 0..1."""
    times, xs, ys = zip(*points, strict=True)
    return float(np.interp(time_s, times, xs)), float(np.interp(time_s, times, ys))


def read_path(path: Path | str) -> tuple[PathPoint, ...]:
    """Read a path file. Raises TetradError for anything that is not exactly as described above."""
    expected = f"a {FORMAT} file of version {VERSION}"
    content = parse_json(read_bounded(path, MOST_BYTES, expected), str(path), expected)
    return path_points(content, str(path))


def path_points(content: object, where: str) -> tuple[PathPoint, ...]:
    """The points of a path's document. Raises TetradError, which begins with `where`, for anything else."""
    expected = f"a {FORMAT} file of version {VERSION} was expected; correct it"
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise TetradError(f'{where} does not say "format": "{FORMAT}"; {expected}')
    if content.get("version") != VERSION:
        raise TetradError(f"{where} is of version {brief(content.get('version'))}; {expected}, or take a newer Tetrad")
    _check_keys(content, {"format", "version", "points"}, where)
    rows = content["points"]
    if not isinstance(rows, list) or not rows:
        raise TetradError(f"{where} has no points; a list of at least one was expected; add one")
    points = tuple(_point(row, f"{where}, point {number}") for number, row in enumerate(rows, start=1))
    for number, (before, after) in enumerate(itertools.pairwise(points), start=2):
        if after.time_s <= before.time_s:
            raise TetradError(
                f"{where}, point {number} is at {after.time_s:g} s, not after {before.time_s:g} s; "
                "rising times were expected; put the points in order"
            )
    return points


def _point(row: object, where: str) -> PathPoint:
    if not isinstance(row, dict):
        raise TetradError(f'{where} is {brief(row)}; {{"time_s": ..., "x": ..., "y": ...}} was expected; correct it')
    _check_keys(row, {"time_s", "x", "y"}, where)
    return PathPoint(
        _number(row["time_s"], f"{where}, time_s", math.inf),
        _number(row["x"], f"{where}, x"),
        _number(row["y"], f"{where}, y"),
    )


def _number(value: object, where: str, highest: float = 1.0) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    # A whole number beyond the largest float can't be made one.
    if not is_number or not 0.0 <= value <= min(highest, sys.float_info.max):  # type: ignore[operator]
        limits = "of 0 or more" if highest == math.inf else f"from 0 to {highest:g}"
        raise TetradError(f"{where} is {brief(value)}; a number {limits} was expected; correct it")
    return float(value)  # type: ignore[arg-type]


def _check_keys(found: Mapping[str, object], expected: set[str], where: str) -> None:
    wrong = sorted(set(found) ^ expected)
    if wrong:
        what = "is missing" if wrong[0] in expected else "is not known"
        raise TetradError(f'{where}: "{wrong[0]}" {what}; {", ".join(sorted(expected))} were expected; correct it')
