"""The path file: straight lines between points, and a clear refusal of everything else."""

import json
from pathlib import Path

import pytest

from synth.errors import TetradError
from synth.surface_path import PathPoint, position_at, read_path

POINTS = [{"time_s": 1, "x": 0, "y": 1}, {"time_s": 3, "x": 1, "y": 0.5}]


def write(tmp_path: Path, **changes: object) -> Path:
    path = tmp_path / "path.json"
    path.write_text(json.dumps({"format": "tetrad-path", "version": 1, "points": POINTS, **changes}))
    return path


def test_the_finger_moves_in_straight_lines(tmp_path: Path) -> None:
    points = read_path(write(tmp_path))
    assert points == (PathPoint(1.0, 0.0, 1.0), PathPoint(3.0, 1.0, 0.5))
    assert position_at(points, 0.0) == (0.0, 1.0)
    assert position_at(points, 2.0) == (0.5, 0.75)
    assert position_at(points, 2.5) == (0.75, 0.625)
    assert position_at(points, 99.0) == (1.0, 0.5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "tetrad-patch"}, 'does not say "format": "tetrad-path"'),
        ({"version": 2}, "is of version 2; a tetrad-path file of version 1 was expected; correct it, or take a newer"),
        ({"points": []}, "has no points"),
        ({"pionts": []}, '"pionts" is not known; format, points, version were expected'),
        ({"points": [{"time_s": 0, "x": 0}]}, 'point 1: "y" is missing'),
        ({"points": [{"time_s": 0, "x": 0, "y": 0, "z": 0}]}, 'point 1: "z" is not known'),
        ({"points": [{"time_s": 0, "x": 1.5, "y": 0}]}, "point 1, x is 1.5; a number from 0 to 1 was expected"),
        ({"points": [{"time_s": -1, "x": 0, "y": 0}]}, "point 1, time_s is -1; a number of 0 or more"),
        ({"points": [{"time_s": 0, "x": "0", "y": 0}]}, "point 1, x is '0'"),
        ({"points": [{"time_s": 0, "x": True, "y": 0}]}, "point 1, x is True"),
        ({"points": [{"time_s": 0, "x": float("nan"), "y": 0}]}, "NaN is not a number of JSON"),
        ({"points": [[0, 0, 0]]}, r"point 1 is \[0, 0, 0\]"),
        ({"points": POINTS[::-1]}, "point 2 is at 1 s, not after 3 s"),
    ],
)
def test_anything_else_is_refused_in_words(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(TetradError, match=message):
        read_path(write(tmp_path, **changes))


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is not JSON"), (b"{", "is not JSON"), (b"\xff\xfe", "is not JSON"), (b"[]", "does not say")],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "path.json"
    path.write_bytes(content)
    with pytest.raises(TetradError, match=message):
        read_path(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TetradError, match=r"cannot read .*No such file"):
        read_path(tmp_path / "none.json")
