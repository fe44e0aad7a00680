"""A pair's path on disk: what was written is read, and whatever was damaged is refused in one line."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from synth.errors import TetradError
from synth.grid.pair_file import (
    LARGEST_BEND,
    MOST_NOTES,
    _checksum,
    pair_name,
    quantised,
    read_pair,
    read_pair_header,
    write_pair,
)
from synth.grid.pair_path import PairPath
from tests.synth.grid.grid_parts import note_path, pair_path


def same(one: PairPath, other: PairPath) -> bool:
    texts = [dataclasses.replace(path, notes=path.notes[:1]) for path in (one, other)]
    if any(getattr(texts[0], key) != getattr(texts[1], key) for key in ("first", "second", "first_id", "model_id")):
        return False
    return len(one.notes) == len(other.notes) and all(
        (a.pitch, a.velocity) == (b.pitch, b.velocity)
        and np.array_equal(a.warp, b.warp)
        and np.array_equal(a.bend, b.bend)
        for a, b in zip(one.notes, other.notes, strict=True)
    )


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = pair_path()
    write_pair(path, tmp_path, "by a test")
    read = read_pair(tmp_path / "cello+flute.tetrad-pair")
    assert same(read, quantised(path))
    for before, after in zip(path.notes, read.notes, strict=True):
        assert np.abs(after.warp - before.warp).max() <= 0.5 / 65535 + 1e-7
        assert np.abs(after.bend - before.bend).max() <= 4.0 * 2.0**-11  # float16 of numbers below 4
        assert after.warp[0] == 0.0
        assert after.warp[-1] == 1.0
    assert read_pair_header(tmp_path / "cello+flute.tetrad-pair")["made"] == "by a test"


def test_quantising_twice_changes_nothing() -> None:
    once = quantised(pair_path())
    assert same(quantised(once), once)
    assert not same(once, pair_path())


def test_the_same_path_gives_the_same_bytes(tmp_path: Path) -> None:
    files = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        size = write_pair(pair_path(), tmp_path / name, "by a test")
        files.append((tmp_path / name / "cello+flute.tetrad-pair").read_bytes())
        assert len(files[-1]) == size
    assert files[0] == files[1]


def test_a_line_that_needs_no_bend_costs_nothing(tmp_path: Path) -> None:
    straight = [note_path(40 + i, 100, i) for i in range(16)]
    path = dataclasses.replace(pair_path(), notes=tuple(straight))
    plain = write_pair(path, tmp_path, "by a test")
    bent = write_pair(
        dataclasses.replace(path, notes=(straight[0]._replace(bend=note_path(40, 100, 0, True).bend), *straight[1:])),
        tmp_path,
        "by a test",
    )
    assert bent - plain == 2 * 7 * 8 * 16
    # 48 instruments are 1,128 pairs; 150 MB were allowed for all.
    assert 1128 * (plain + 16 * (bent - plain)) < 150e6


def test_a_name_belongs_to_two_instruments_in_any_order() -> None:
    assert pair_name("flute", "cello") == pair_name("cello", "flute") == "cello+flute.tetrad-pair"
    for first, second in (("cello", "cello"), ("../cello", "flute"), ("a+b", "c"), ("", "flute"), ("Cello", "flute")):
        with pytest.raises(TetradError, match="two instruments' names"):
            pair_name(first, second)


def rewritten(tmp_path: Path, **changes: object) -> Path:
    """A file whose description was changed, with a checksum that fits it."""
    write_pair(pair_path(), tmp_path, "by a test")
    file = tmp_path / "cello+flute.tetrad-pair"
    line, _, payload = file.read_bytes().partition(b"\n")
    header = json.loads(line) | changes
    header.pop("sha256")
    header["sha256"] = _checksum(header, payload)
    file.write_bytes(json.dumps(header).encode() + b"\n" + payload)
    return file


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "tetrad-pad"}, "of the format 'tetrad-pad'"),
        ({"version": 2}, "version 2; this release reads 1"),
        ({"version": "1"}, "version '1'"),
        ({"colour": "red"}, "unexpected or missing fields"),
        ({"first": "../../etc"}, "two names in the alphabet's order"),
        ({"first": "oboe"}, "two names in the alphabet's order"),
        ({"first": "bassoon"}, "bassoon\\+flute"),
        ({"model_id": 7}, "model_id 7"),
        ({"second_id": "x" * 201}, "1 to 200 characters"),
        ({"made": "one\nother"}, "1 to 200 characters"),
        ({"bend_times_s": [0.0]}, "bend_times_s"),
        ({"notes": []}, "no table of 1 to 256 notes"),
        ({"notes": [[40, 100, 0]] * (MOST_NOTES + 1)}, "no table of 1 to 256 notes"),
        ({"notes": [[40, 100, 2]]}, "no table"),
        ({"notes": [[True, 100, 0]]}, "no table"),
        ({"notes": [[40, 0, 0]]}, "no table"),
        ({"notes": [[45, 100, 0], [40, 100, 1], [50, 100, 0], [55, 100, 1]]}, "not in order"),
        ({"notes": [[40, 100, 0]]}, "bytes of numbers; 66 were expected"),
    ],
)
def test_a_description_that_says_something_else_is_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(TetradError, match=message) as caught:
        read_pair(rewritten(tmp_path, **changes))
    assert "\n" not in str(caught.value)


def test_numbers_that_are_no_path_are_refused(tmp_path: Path) -> None:
    file = rewritten(tmp_path)
    line, _, payload = file.read_bytes().partition(b"\n")
    header = json.loads(line)
    header.pop("sha256")
    for change, at, message in (
        (np.uint16(7), 0, "does not go from 0 to 1"),
        (np.uint16(65535), 2, "does not go from 0 to 1"),
        (np.float16(np.nan), 4 * 66, "bend beyond 100"),
        (np.float16(2.0 * LARGEST_BEND), 4 * 66, "bend beyond 100"),
    ):
        changed = payload[:at] + change.tobytes() + payload[at + 2 :]
        file.write_bytes(json.dumps(header | {"sha256": _checksum(header, changed)}).encode() + b"\n" + changed)
        with pytest.raises(TetradError, match=message):
            read_pair(file)


def test_no_damage_gets_through(tmp_path: Path) -> None:
    write_pair(pair_path(), tmp_path, "by a test")
    file = tmp_path / "cello+flute.tetrad-pair"
    content = file.read_bytes()
    rng = np.random.default_rng(0)
    damaged = [content[:n] for n in (0, 1, 100, len(content) - 1)] + [content + b"\0"]
    damaged += [rng.bytes(n) for n in (10, 5000)] + [b"[" * 70000, b"{}\n", b"[]\n", b"null\n"]
    for _ in range(200):
        at = int(rng.integers(len(content)))
        damaged.append(content[:at] + bytes([content[at] ^ int(rng.integers(1, 256))]) + content[at + 1 :])
    for data in damaged:
        file.write_bytes(data)
        with pytest.raises(TetradError) as caught:
            read_pair(file)
        assert "\n" not in str(caught.value)
    with pytest.raises(TetradError, match="cannot read"):
        read_pair(tmp_path / "missing.tetrad-pair")


def test_what_no_reader_would_take_is_not_written(tmp_path: Path) -> None:
    many = tuple(note_path(pitch, velocity, 0) for pitch in range(100) for velocity in (1, 64, 127))
    with pytest.raises(TetradError, match="at most 256"):
        write_pair(dataclasses.replace(pair_path(), notes=many), tmp_path, "by a test")
    with pytest.raises(TetradError, match="made ''"):
        write_pair(pair_path(), tmp_path, "")
    with pytest.raises(TetradError, match="there is no directory"):
        write_pair(pair_path(), tmp_path / "missing", "by a test")
    assert list(tmp_path.iterdir()) == []
