"""Version 2 of the instrument file: ratios, phases, residuals, unpitched notes and tags."""

import dataclasses
import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from synth.errors import TetradError
from synth.frames import HOP, N_PARTIALS
from synth.instruments.format import SUFFIX, Instrument, Note, read_header, read_instrument, write_instrument
from synth.instruments.header import MOST_RESIDUAL_SAMPLES
from synth.instruments.residual_codec import decode_residuals, encode_residuals, exponent_of, quantise_residual
from tests.synth.instruments.test_format import change_header, make_note, rewrite


def full_notes() -> tuple[Note, ...]:
    """All four fields; none; an unpitched one with a residual alone, louder than full scale."""
    rng = np.random.default_rng(4)
    soft = quantise_residual((0.01 * rng.standard_normal(30 * HOP)).astype(np.float32), 2.0**-20)
    loud = quantise_residual((0.9 * rng.standard_normal(5000)).astype(np.float32), 2.0**-12)
    all_four = dataclasses.replace(
        make_note(48, 60, 30, 1),
        ratios=np.exp(rng.uniform(-1.0, 5.0, N_PARTIALS)).astype(np.float32),
        phases=rng.integers(0, 256, N_PARTIALS).astype(np.uint8),
        residual=soft,
    )
    return (
        all_four,
        make_note(48, 100, 30, 2),
        dataclasses.replace(make_note(60, 9, 47, 3), residual=loud, pitched=False),
    )


@pytest.fixture
def instrument() -> Instrument:
    return Instrument(
        name="bell",
        display_name="Bell",
        family="mallet",
        sustains=False,
        author="a test",
        licence="CC0-1.0",
        source="random numbers",
        model_id="0123456789abcdef",
        notes=full_notes(),
        tags=("metal", "Gl\u00f6ckchen"),
    )


@pytest.fixture
def path(tmp_path: Path, instrument: Instrument) -> Path:
    path = tmp_path / f"bell{SUFFIX}"
    assert write_instrument(instrument, path) == path.stat().st_size
    return path


def test_round_trip_is_exact(path: Path, instrument: Instrument, tmp_path: Path) -> None:
    back = read_instrument(path)
    assert back.tags == instrument.tags
    assert read_header(path)["version"] == 2
    for found, wanted in zip(back.notes, instrument.notes, strict=True):
        for field in dataclasses.fields(Note):
            np.testing.assert_array_equal(getattr(found, field.name), getattr(wanted, field.name), field.name)
    write_instrument(back, tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_version_1_is_written_while_it_can_hold_the_instrument(instrument: Instrument, tmp_path: Path) -> None:
    plain = dataclasses.replace(instrument, notes=instrument.notes[1:2], tags=())
    for number, (changed, version) in enumerate(
        [
            (plain, 1),
            (dataclasses.replace(plain, tags=("x",)), 2),
            (dataclasses.replace(plain, notes=(dataclasses.replace(plain.notes[0], pitched=False),)), 2),
        ]
    ):
        write_instrument(changed, tmp_path / str(number))
        assert read_header(tmp_path / str(number))["version"] == version
        assert read_header(tmp_path / str(number))["tags"] == list(changed.tags)


def test_a_residual_on_a_coarser_grid_is_smaller() -> None:
    noise = (0.2 * np.random.default_rng(5).standard_normal(48_000)).astype(np.float32)
    fine, coarse = quantise_residual(noise, 2.0**-20), quantise_residual(noise, 2.0**-10)
    assert np.abs(fine - noise).max() <= 2.0 ** (exponent_of(noise) - 16)
    assert 2.0**-12 < np.abs(coarse - noise).max() <= 2.0**-11
    sizes = [len(encode_residuals([x])) for x in (fine, coarse)]
    assert sizes[1] < sizes[0] - 48_000 * 4 / 8  # the grids are 5 bits apart, of which FLAC must find at least 4
    (back,) = decode_residuals(encode_residuals([coarse]), [48_000], [exponent_of(coarse)])
    np.testing.assert_array_equal(back, coarse)


def test_a_residual_of_silence_comes_back() -> None:
    silence = np.zeros(4000, np.float32)
    (back,) = decode_residuals(encode_residuals([silence]), [4000], [exponent_of(silence)])
    np.testing.assert_array_equal(back, silence)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pitched", 1),
        ("has_ratios", "yes"),
        ("has_phases", None),
        ("n_residual", 30 * HOP + 1),
        ("n_residual", -1),
        ("n_residual", 10**12),
        ("residual_exponent", 7),
        ("residual_exponent", float("nan")),
    ],
)
def test_strange_notes_are_refused(path: Path, key: str, value: object) -> None:
    notes = read_header(path)["notes"]
    notes[0][key] = value
    change_header(path, notes=notes)
    with pytest.raises(TetradError, match="NaN" if str(value) == "nan" else key.partition("_")[2] or key):
        read_instrument(path)


@pytest.mark.parametrize(
    "tags", ["metal", ["a"] * 2, [""], ["x" * 41], [str(i) for i in range(17)], [1], ["a\nb"], None]
)
def test_strange_tags_are_refused(path: Path, tags: object) -> None:
    change_header(path, tags=tags)
    with pytest.raises(TetradError, match="tags"):
        read_instrument(path)


def test_tags_that_no_reader_would_take_are_not_written(instrument: Instrument, tmp_path: Path) -> None:
    with pytest.raises(TetradError, match="tags"):
        write_instrument(dataclasses.replace(instrument, tags=("x" * 41,)), tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_all_residuals_together_are_bounded_before_they_are_decoded(path: Path) -> None:
    notes = read_header(path)["notes"]
    whole = notes[0] | {"n_frames": 7500, "n_residual": 7500 * HOP}
    many = [whole | {"pitch": pitch} for pitch in range(MOST_RESIDUAL_SAMPLES // (7500 * HOP) + 1)]
    change_header(path, notes=many)
    with pytest.raises(TetradError, match="n_residual"):
        read_instrument(path)


def with_checksum(path: Path, member: str, content: bytes) -> None:
    sums = read_header(path)["sha256"] | {member: hashlib.sha256(content).hexdigest()}
    with zipfile.ZipFile(path) as archive:
        header = json.loads(archive.read("instrument.json"))
    rewrite(path, member, content)
    rewrite(path, "instrument.json", json.dumps(header | {"sha256": sums}).encode())


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, -1.0, 1e6])
def test_a_strange_ratio_is_refused_even_with_the_right_checksum(path: Path, value: float) -> None:
    ratios = np.ones(N_PARTIALS, "<f4")
    ratios[7] = value
    with_checksum(path, "ratios.f32", ratios.tobytes())
    with pytest.raises(TetradError, match="times f0"):
        read_instrument(path)


@pytest.mark.parametrize(
    "content", [b"", b"fLaC", b"RIFF" * 100, b"\0" * 10_000, encode_residuals([np.ones(99, np.float32)])]
)
def test_another_residual_is_refused_even_with_the_right_checksum(path: Path, content: bytes) -> None:
    with_checksum(path, "residual.flac", content)
    with pytest.raises(TetradError, match="its residual"):
        read_instrument(path)


def test_a_damaged_flac_stream_is_refused_or_decoded_but_never_worse(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        stream = archive.read("residual.flac")
    lengths, exponents = [30 * HOP, 5000], [0, 2]
    rng = np.random.default_rng(6)
    refused = 0
    for _ in range(300):
        damaged = bytearray(stream)
        for position in rng.integers(0, len(stream) if rng.random() < 0.5 else 60, 3):
            damaged[position] = rng.integers(0, 256)
        try:
            back = decode_residuals(bytes(damaged), lengths, exponents)
        except TetradError:
            refused += 1
        else:
            assert [x.size for x in back] == lengths
    assert refused > 20
