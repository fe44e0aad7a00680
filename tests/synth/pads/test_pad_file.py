"""The pad format: what is written is read, what is damaged is refused in one line, half-written pads go on."""

import json
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synth.errors import TetradError
from synth.pads.pad_file import Pad, PadWriter
from synth.pads.pad_header import PREFACE, PadSpec, header_bytes

SPEC = PadSpec(
    name="test",
    corners=("north-west", "north-east", "south-west", "süd-ost"),
    pitches=(36, 60),
    resolution=3,
    sample_rate_hz=48_000,
    row_samples=500,
    velocity=100,
    decoder="harmonic",
    seed=7,
)
PLACES = [(y, x, p) for y in range(3) for x in range(3) for p in range(2)]


def note(y: int, x: int, p: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    n = 300 + 10 * (y * 3 + x) + p
    return (0.5 * np.sin(np.arange(n) * (0.01 + 0.001 * n))).astype(np.float32)


def write_pad(path: Path) -> Path:
    with PadWriter(path, SPEC) as writer:
        for place in reversed(PLACES):
            writer.write(*place, note(*place), loop=(50, 150), release_start=200)
        return writer.finish()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    pad = Pad.open(write_pad(tmp_path / "a.tetrad-pad"))
    assert pad.spec == SPEC
    for y, x, p in PLACES:
        expected = np.rint(note(y, x, p) * 32767.0)
        np.testing.assert_array_equal(pad.note(y, x, p), expected)
        assert pad.row(y, x, p)[1:4] == (50, 150, 200)
        assert not pad.samples[y, x, p, expected.size :].any()
    pad.check_samples()
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.tetrad-pad"]
    assert header_bytes(SPEC) % 4096 == 0


def test_the_same_notes_give_the_same_bytes(tmp_path: Path) -> None:
    first = write_pad(tmp_path / "a.tetrad-pad").read_bytes()
    with PadWriter(tmp_path / "b.tetrad-pad", SPEC) as writer:
        for place in PLACES:
            writer.write(*place, note(*place), loop=(50, 150), release_start=200)
        writer.finish()
    assert (tmp_path / "b.tetrad-pad").read_bytes() == first


def test_a_half_written_pad_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.tetrad-pad"
    with PadWriter(path, SPEC) as writer:
        for place in PLACES[:7]:
            writer.write(*place, note(*place), loop=(50, 150), release_start=200)
    # The last line was cut off as the power went, and the second row's samples had not reached the disk.
    rows = tmp_path / "a.tetrad-pad.partial.rows"
    rows.write_bytes(rows.read_bytes()[:-9])
    with (tmp_path / "a.tetrad-pad.partial").open("r+b") as file:
        file.seek(header_bytes(SPEC) + 1000 + 20)
        file.write(b"\xff\xff")
    with PadWriter(path, SPEC) as writer:
        assert writer.missing() == [PLACES[1], *PLACES[6:]]
        assert writer.has(*PLACES[0])
        with pytest.raises(TetradError, match="lacks 13 of 18 rows, first the row of cell x 0, y 0 and pitch 60"):
            writer.finish()
    with PadWriter(path, SPEC) as writer:
        for place in writer.missing():
            writer.write(*place, note(*place), loop=(50, 150), release_start=200)
        writer.finish()
    assert path.read_bytes() == write_pad(tmp_path / "b.tetrad-pad").read_bytes()


def test_another_pad_of_that_name_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.tetrad-pad"
    with PadWriter(path, SPEC) as writer:
        writer.write(0, 0, 0, note(0, 0, 0))
    with PadWriter(path, replace(SPEC, seed=8)) as writer:
        assert len(writer.missing()) == 18


def test_two_writers_at_once_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tetrad-pad"
    with PadWriter(path, SPEC), pytest.raises(TetradError, match="being written by another process"):
        PadWriter(path, SPEC)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"samples": np.zeros(501, np.int16)}, "501 samples; expected 1 to 500"),
        ({"samples": np.zeros(0, np.int16)}, "has 0 samples"),
        ({"samples": np.zeros(9, np.int16), "loop": (3, 10)}, "loop from 3 to 10"),
        ({"samples": np.zeros(9, np.int16), "loop": (3, 6), "release_start": 5}, "release from 5"),
        ({"samples": np.zeros(9, np.int16), "release_start": 10}, "release from 10"),
        ({"samples": np.full(9, np.nan)}, "not finite"),
    ],
)
def test_rows_that_do_not_fit_are_refused(tmp_path: Path, row: dict[str, object], words: str) -> None:
    with PadWriter(tmp_path / "a.tetrad-pad", SPEC) as writer, pytest.raises(TetradError, match=words):
        writer.write(0, 0, 0, **row)  # type: ignore[arg-type]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TetradError, match="cannot write"):
        PadWriter(tmp_path / "nowhere" / "a.tetrad-pad", SPEC)


@pytest.mark.parametrize("cut", [5, 31, 500, 4096 + 7, -1, -1000])
def test_truncated_pads_are_refused(tmp_path: Path, cut: int) -> None:
    path = write_pad(tmp_path / "a.tetrad-pad")
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(TetradError, match=r"ends|is not a pad"):
        Pad.open(path)


def test_too_long_and_missing_pads_are_refused(tmp_path: Path) -> None:
    path = write_pad(tmp_path / "a.tetrad-pad")
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(TetradError, match="is too long"):
        Pad.open(path)
    with pytest.raises(TetradError, match="cannot read"):
        Pad.open(tmp_path / "b")
    with pytest.raises(TetradError, match="cannot read"):
        Pad.open(tmp_path)


def test_damaged_samples_are_found(tmp_path: Path) -> None:
    path = write_pad(tmp_path / "a.tetrad-pad")
    data = bytearray(path.read_bytes())
    data[header_bytes(SPEC) + 3 * 1000 + 10] ^= 1
    path.write_bytes(data)
    pad = Pad.open(path)
    with pytest.raises(TetradError, match="cell x 1, y 0 and pitch 60 does not match its checksum"):
        pad.check_samples()


def rewritten(path: Path, **changes: object) -> Path:
    """The pad with another description, with its checksum right: what a hostile writer would make."""
    data = path.read_bytes()
    size = header_bytes(SPEC)
    header = json.loads(data[PREFACE.size : size]) | changes
    header = {key: value for key, value in header.items() if value != "gone"}
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + PREFACE.size) % 4096)
    preface = PREFACE.pack(b"TETRAPAD", 1, PREFACE.size + len(text), zlib.crc32(text))
    path.write_bytes(preface + text + data[size:])
    return path


ROWS = [[300, 50, 150, 200, 0]] * 18


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rows": [*ROWS[:5], None, *ROWS[6:]]}, "the row of cell x 2, y 0 and pitch 60 is missing"),
        ({"rows": ROWS[1:]}, "describes 17 rows; expected 18"),
        ({"rows": [[501, 0, 0, 1, 0], *ROWS[1:]]}, "501 samples; expected 1 to 500"),
        ({"rows": [[300, 100, 90, 200, 0], *ROWS[1:]]}, "a loop from 100 to 90"),
        ({"rows": [[300, 0, 0, 1 << 60, 0], *ROWS[1:]]}, "is missing"),
        ({"row_samples": 501}, "ends early"),
        ({"row_samples": 10**30}, "row_samples is 1000"),
        ({"row_samples": True}, "row_samples is True"),
        ({"resolution": 33, "rows": ROWS}, "describes 18 rows; expected 2178"),
        ({"resolution": 1}, "resolution is 1"),
        ({"pitches": [60, 36]}, "rising"),
        ({"pitches": [[], {}]}, "rising"),
        ({"corners": ["a", "b"]}, "2 corners"),
        ({"corners": [1, 2, 3, 4]}, "corner 0 is 1"),
        ({"name": "two\nlines"}, "name is"),
        ({"version": 2}, "version 2"),
        ({"seed": "gone"}, "unexpected or missing fields: seed"),
        ({"colour": "red"}, "unexpected or missing fields: colour"),
    ],
)
def test_hostile_descriptions_are_refused(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    path = rewritten(write_pad(tmp_path / "a.tetrad-pad"), **changes)
    with pytest.raises(TetradError, match=words) as caught:
        Pad.open(path)
    assert "\n" not in str(caught.value)


def test_damaged_and_newer_descriptions_are_refused(tmp_path: Path) -> None:
    path = write_pad(tmp_path / "a.tetrad-pad")
    data = path.read_bytes()
    path.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    with pytest.raises(TetradError, match="checksum"):
        Pad.open(path)
    path.write_bytes(data[:8] + struct.pack("<I", 2) + data[12:])
    with pytest.raises(TetradError, match="version 2; 1 was expected; update tetrad"):
        Pad.open(path)
    path.write_bytes(data[:12] + struct.pack("<I", 1 << 31) + data[16:])
    with pytest.raises(TetradError, match="damaged"):
        Pad.open(path)
