"""Scala's files: pitches worked out by hand, and the number of every line that is wrong."""

from pathlib import Path

import pytest

from synth.control.scala import parse_mapping, parse_scale, read_tuning
from synth.errors import TetradError

TWELVE = "! equal.scl\n!\n12 equal steps\n 12\n!\n" + "".join(f" {100 * n}.0\n" for n in range(1, 12)) + " 2/1\n"
JUST = "just\n7\n9/8\n5/4 third\n4/3\n3/2\n5/3\n15/8 ! remark\n2\n"
WHITE_KEYS = "! white\n12\n0\n127\n60\n69\n440.0\n7\n0\nx\n1\nx\n2\n3\nx\n4\nx\n5\nx\n6\n"


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_twelve_equal_steps_are_the_usual_tuning(tmp_path: Path) -> None:
    tuning = read_tuning(write(tmp_path, "a.scl", TWELVE))
    assert tuning.pitches == pytest.approx(range(128), abs=1e-9)
    assert tuning.name == "12 equal steps"


def test_ratios_cents_and_whole_numbers() -> None:
    scale = parse_scale(JUST, "just.scl")
    assert scale.cents == pytest.approx([203.910, 386.314, 498.045, 701.955, 884.359, 1088.269, 1200.0], abs=1e-3)
    assert scale.at(0) == 0.0
    assert scale.at(-1) == pytest.approx(1088.269 - 1200.0, abs=1e-3)
    assert scale.at(9) == pytest.approx(1200.0 + 386.314, abs=1e-3)
    assert parse_scale("x\n2\n-5.0\n1200.\n", "x").cents == (-5.0, 1200.0)


def test_a_mapping_puts_seven_notes_on_the_white_keys(tmp_path: Path) -> None:
    """A above middle C is 440 Hz and the scale's sixth note, 5/3 above its first: middle C is 264 Hz."""
    scale, mapping = write(tmp_path, "just.scl", JUST), write(tmp_path, "white.kbm", WHITE_KEYS)
    tuning = read_tuning(scale, mapping)
    assert tuning.name == "just, white"
    middle_c = 69.0 - 8.84359
    assert tuning.pitches[69] == pytest.approx(69.0)
    assert tuning.pitches[60] == pytest.approx(middle_c, abs=1e-4)
    assert tuning.pitches[62] == pytest.approx(middle_c + 2.0391, abs=1e-4)
    assert tuning.pitches[61] == tuning.pitches[60]  # a black key plays the white one below
    assert tuning.pitches[48] == pytest.approx(middle_c - 12.0, abs=1e-4)
    assert tuning.pitches[71] == pytest.approx(middle_c + 10.88269, abs=1e-4)
    assert tuning.pitches[72] == pytest.approx(middle_c + 12.0, abs=1e-4)


def test_a_mapping_without_keys_is_linear_and_has_limits(tmp_path: Path) -> None:
    """Bohlen-Pierce: 13 steps of a twelfth, from key 60 at 300 Hz, on keys 48 to 72 only."""
    steps = "".join(f"{1901.955 * n / 13:.6f}\n" for n in range(1, 14))
    scale = write(tmp_path, "bp.scl", f"Bohlen-Pierce\n13\n{steps}")
    tuning = read_tuning(scale, write(tmp_path, "bp.kbm", "0\n48\n72\n60\n60\n300.\n13\n"))
    at_60 = tuning.pitches[60]
    assert 440.0 * 2 ** ((at_60 - 69) / 12) == pytest.approx(300.0)
    assert tuning.pitches[61] - at_60 == pytest.approx(1.46304, abs=1e-4)
    assert at_60 - tuning.pitches[48] == pytest.approx(12 * 1.46304, abs=1e-3)
    assert (tuning.pitches[47], tuning.pitches[73]) == (47.0, 73.0)
    degrees = "".join(f"{n}\n" for n in range(13))
    mapped = read_tuning(scale, write(tmp_path, "bp13.kbm", f"13\n48\n72\n60\n60\n300.\n13\n{degrees}"))
    assert mapped.pitches == pytest.approx(tuning.pitches)  # it begins anew at the twelfth, not at the octave
    wide = read_tuning(write(tmp_path, "wide.scl", "wide\n1\n50/1\n"))
    assert (wide.pitches[0], wide.pitches[127]) == (-12.0, 140.0)


def test_keys_without_a_note_at_the_end_may_be_left_out() -> None:
    mapping = parse_mapping("5\n0\n127\n60\n60\n261.6\n2\n0\nX\n1\n", "m")
    assert mapping.degrees == (0, None, 1, None, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "ends after line 0; a description was expected"),
        ("name\n", "ends after line 1; the number of notes was expected"),
        ("name\nmany\n", "line 2: 'many' is not the number of notes"),
        ("name\n0\n", "line 2: '0' is not the number of notes"),
        ("name\n99999\n", "line 2: '99999' is not the number of notes"),
        ("! c\nname\n2\n! c\n3/2\n", "ends after line 5; note 2 of 2 was expected"),
        ("name\n1\n3/0\n", "line 3: '3/0' is no interval"),
        ("name\n1\n-3/2\n", "line 3: '-3/2' is no interval"),
        ("name\n1\n0\n", "line 3: '0' is no interval"),
        ("name\n1\nnan\n", "line 3: 'nan' is no interval"),
        ("name\n1\n1e3\n", "line 3: '1e3' is no interval"),
        ("name\n1\n\n", "line 3: '' is no interval"),
        ("name\n1\n9999999.0\n", "line 3: '9999999.0' is no interval"),
        ("name\n1\n2/1\n\n3/1\n", "line 5: '3/1' follows after all 1 notes"),
    ],
)
def test_a_bad_scale_is_one_line_with_its_number(text: str, message: str) -> None:
    with pytest.raises(TetradError) as caught:
        parse_scale(text, "a.scl")
    assert f"a.scl, {message}" in str(caught.value) or f"a.scl {message}" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("129\n", "line 1: '129' is not the size of the map"),
        ("0\n0\n128\n", "line 3: '128' is not the last key"),
        ("0\n60\n50\n60\n60\n440\n12\n", "line 5: the last key is 50, below the first, 60"),
        ("0\n0\n127\n60\n69\nA\n12\n", "line 6: 'A' is no frequency"),
        ("0\n0\n127\n60\n69\ninf\n12\n", "line 6: 'inf' is no frequency"),
        ("0\n0\n127\n60\n69\n-1\n12\n", "line 6: '-1' is no frequency"),
        ("0\n0\n127\n60\n69\n440\n", "ends after line 6; the degree of the octave was expected"),
        ("2\n0\n127\n60\n69\n440\n12\n0\ny\n", "line 9: 'y' is no degree"),
        ("1\n0\n127\n60\n69\n440\n12\n0\n1\n", "line 9: '1' follows after all 1 keys"),
    ],
)
def test_a_bad_mapping_is_one_line_with_its_number(text: str, message: str) -> None:
    with pytest.raises(TetradError) as caught:
        parse_mapping(text, "a.kbm")
    assert f"a.kbm, {message}" in str(caught.value) or f"a.kbm {message}" in str(caught.value)


def test_a_reference_key_needs_a_note_and_a_file_must_be_there(tmp_path: Path) -> None:
    scale = write(tmp_path, "just.scl", JUST)
    silent = write(tmp_path, "silent.kbm", WHITE_KEYS.replace("\n69\n", "\n61\n"))
    with pytest.raises(TetradError, match=r"silent.kbm gives key 61 the frequency 440 Hz, but no note"):
        read_tuning(scale, silent)
    with pytest.raises(TetradError, match="No such file"):
        read_tuning(tmp_path / "none.scl")
    (tmp_path / "big.scl").write_bytes(b"!" * 2_000_000)
    with pytest.raises(TetradError, match="larger than"):
        read_tuning(tmp_path / "big.scl")


def test_old_files_are_in_latin_letters(tmp_path: Path) -> None:
    path = tmp_path / "old.scl"
    path.write_bytes("Händel\n1\n2/1\n".encode("latin-1"))
    assert read_tuning(path).name == "Händel"
