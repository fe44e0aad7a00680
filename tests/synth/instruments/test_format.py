"""The instrument file: what goes in comes out, and what is wrong with a file is said in one line."""

import contextlib
import dataclasses
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from synth.errors import TetradError
from synth.frames import ROW_WIDTH, Z_DIM
from synth.instruments.format import (
    DETAIL_STEP,
    SUFFIX,
    Instrument,
    Note,
    read_header,
    read_instrument,
    write_instrument,
)
from synth.instruments.header import content_hash
from synth.instruments.library import Library


def make_note(pitch: int, velocity: int, n_frames: int, seed: int) -> Note:
    rng = np.random.default_rng(seed)
    steps = rng.integers(-127, 128, (n_frames, ROW_WIDTH))
    return Note(
        pitch=pitch,
        velocity=velocity,
        tuning_cents=-3.25,
        inharmonicity=2e-4,
        z=rng.standard_normal((-(-n_frames // 4), Z_DIM)).astype(np.float16).astype(np.float32),
        detail=(steps * DETAIL_STEP).astype(np.float32),
        loudness_db=rng.uniform(-60.0, -20.0, n_frames).astype(np.float16).astype(np.float32),
        loop_start=5,
        loop_end=20,
        release_start=25,
    )


@pytest.fixture
def instrument() -> Instrument:
    return Instrument(
        name="probe",
        display_name="Probe",
        family="reed",
        sustains=True,
        author="a test",
        licence="CC0-1.0",
        source="random numbers",
        model_id="0123456789abcdef",
        notes=(make_note(48, 60, 30, 1), make_note(48, 100, 30, 2), make_note(60, 100, 47, 3)),
    )


@pytest.fixture
def path(tmp_path: Path, instrument: Instrument) -> Path:
    path = tmp_path / f"probe{SUFFIX}"
    assert write_instrument(instrument, path) == path.stat().st_size
    return path


def rewrite(path: Path, member: str, content: bytes) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members[member] = content
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def change_header(path: Path, **values: object) -> None:
    with zipfile.ZipFile(path) as archive:
        header = json.loads(archive.read("instrument.json"))
    rewrite(path, "instrument.json", json.dumps(header | values).encode())


def test_round_trip_is_exact(path: Path, instrument: Instrument) -> None:
    back = read_instrument(path)
    for field in dataclasses.fields(Instrument):
        if field.name != "notes" and field.init:
            assert getattr(back, field.name) == getattr(instrument, field.name)
    assert instrument.sound_id == back.sound_id == content_hash(read_header(path))
    louder = dataclasses.replace(back.notes[0], loudness_db=back.notes[0].loudness_db + 1.0)
    assert dataclasses.replace(back, notes=(louder, *back.notes[1:])).sound_id != back.sound_id
    assert len(back.notes) == 3
    for found, wanted in zip(back.notes, instrument.notes, strict=True):
        for field in dataclasses.fields(Note):
            np.testing.assert_array_equal(getattr(found, field.name), getattr(wanted, field.name), field.name)


def test_the_same_instrument_gives_the_same_bytes(path: Path, instrument: Instrument, tmp_path: Path) -> None:
    again = tmp_path / "again"
    write_instrument(instrument, again)
    assert again.read_bytes() == path.read_bytes()


def test_detail_is_kept_in_half_decibels_and_clipped(instrument: Instrument, tmp_path: Path) -> None:
    note = dataclasses.replace(instrument.notes[0], detail=np.full((30, ROW_WIDTH), 0.3, np.float32))
    note.detail[0] = 1000.0
    write_instrument(dataclasses.replace(instrument, notes=(note,)), tmp_path / "x")
    back = read_instrument(tmp_path / "x").notes[0].detail
    assert np.all(back[0] == 63.5)
    assert np.all(back[1:] == 0.5)


@pytest.mark.parametrize("keep", [0, 10, 200, 0.5, 0.99])
def test_truncated_files_are_refused(path: Path, keep: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if isinstance(keep, float) else keep])
    with pytest.raises(TetradError, match="truncated or of another format"):
        read_instrument(path)


def test_a_zip_of_the_future_is_refused(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 6] = 95  # the zip version that is needed to read the first member: 9.5
    path.write_bytes(bytes(content))
    with pytest.raises(TetradError, match="truncated or of another format"):
        read_instrument(path)


def test_every_single_byte_error_is_noticed_or_harmless(path: Path) -> None:
    content = path.read_bytes()
    reference = read_instrument(path)
    for position in np.random.default_rng(0).integers(0, len(content), 300):
        damaged = bytearray(content)
        damaged[position] ^= 0x40
        path.write_bytes(bytes(damaged))
        with contextlib.suppress(TetradError):
            back = read_instrument(path)  # a time stamp or the like
            np.testing.assert_array_equal(back.notes[2].detail, reference.notes[2].detail)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"version": 3}, "version 3"),
        ({"version": True}, "version True"),
        ({"version": 2}, "tags"),
        ({"format": "tetrad-patch"}, "tetrad-patch"),
        ({"extra": 1}, "extra"),
        ({"sample_rate_hz": 44100}, "44100"),
        ({"family": "kazoo"}, "kazoo"),
        ({"notes": []}, "1 to"),
        ({"sha256": {}}, "checksum"),
        ({"display_name": "x" * 1000}, "display_name"),
    ],
)
def test_strange_headers_are_refused(path: Path, values: dict[str, object], word: str) -> None:
    change_header(path, **values)
    with pytest.raises(TetradError, match=word):
        read_instrument(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("pitch", 128), ("velocity", 0), ("loop_end", 29), ("release_start", 31), ("n_frames", 10**9), ("pitch", "60")],
)
def test_strange_notes_are_refused(path: Path, key: str, value: object) -> None:
    notes = read_header(path)["notes"]
    notes[0][key] = value
    change_header(path, notes=notes)
    with pytest.raises(TetradError, match=key.partition("_")[0]):
        read_instrument(path)


def test_nan_is_refused_even_with_the_right_checksum(instrument: Instrument, tmp_path: Path) -> None:
    instrument.notes[1].z[2, 3] = np.nan
    write_instrument(instrument, tmp_path / "nan")
    with pytest.raises(TetradError, match="NaN"):
        read_instrument(tmp_path / "nan")


def test_a_missing_file_and_a_zip_of_something_else_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(TetradError, match="No such file"):
        read_instrument(tmp_path / "none")
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.writestr("readme", "hello")
    with pytest.raises(TetradError, match="no readable description"):
        read_instrument(tmp_path / "zip")


def test_library_offers_the_nearest_names(path: Path, instrument: Instrument) -> None:
    library = Library([path.parent])
    assert library.names() == ["probe"]
    assert library.load("probe").display_name == "Probe"
    with pytest.raises(TetradError, match="did you mean probe"):
        library.load("prob")
    with pytest.raises(TetradError, match="instruments list"):
        library.load("xylophone-of-doom")


def test_the_players_instrument_replaces_a_shipped_one(path: Path, instrument: Instrument, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    write_instrument(dataclasses.replace(instrument, display_name="Mine"), own / path.name)
    assert Library([path.parent, own]).load("probe").display_name == "Mine"


def test_an_empty_library_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(TetradError, match=str(tmp_path)):
        Library([tmp_path]).load("flute")
