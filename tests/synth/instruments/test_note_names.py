"""Keys, velocities and takes from names: alone, and read together as those of a folder."""

import random

import pytest

from synth.instruments.note_names import HIGHEST_KEY, LOWEST_KEY, parse, parse_range, read_names

NAMES = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]


@pytest.mark.parametrize(
    ("stem", "pitch", "velocity", "take"),
    [
        ("name_60", 60, None, None),
        ("60", 60, None, None),
        ("name-060-090", 60, 90, None),
        ("name_60_v90", 60, 90, None),
        ("name-C#4-v90", 61, 90, None),
        ("Piano Db3 ff", 49, 112, None),
        ("Piano.ff.Db3", 49, 112, None),
        ("A4vH", 69, 120, None),
        ("A4vL", 69, 40, None),
        ("name_f#3_mf_rr2", 54, 80, 2),
        ("flute-c4-take2", 60, None, 2),
        ("Bb-1", 10, None, None),
        ("C-2", 0, None, None),  # below MIDI with C4 = 60, so C3 = 60 is meant
        ("Piano-C-4", 60, None, None),  # an octave -4 there is not
        ("cello_As3_1_pianissimo_arco", 58, 33, 1),
        ("violin_A3_mezzo-forte", 57, 80, None),
        ("Piano_C3_60", 60, None, None),  # C3 is key 60 here
        ("ff/flute_60", 60, 112, None),
        ("soft/C#3", 49, 49, None),
        ("bass_synthetic_068-049-025", 49, 25, None),
        # What only looks like a note.
        ("Bass", None, None, None),
        ("E-Piano 2", None, None, None),
        ("Ab initio 7", None, None, None),
        ("TR-808", None, None, None),
        ("D50 Fantasia", None, None, None),
        ("kick 01", None, None, None),
        ("Loop 120 bpm", None, None, None),
        ("mix b2b", None, None, None),
        ("Grand Piano", None, None, None),
        ("Violin.arco.ff.C6B6", None, 112, None),
        ("x_200", None, None, None),
        ("", None, None, None),
    ],
)
def test_one_name(stem: str, pitch: int | None, velocity: int | None, take: int | None) -> None:
    assert parse(stem)[1:] == (pitch, velocity, take)


@pytest.mark.parametrize(
    ("stems", "pitches", "velocities"),
    [
        ([f"E-Piano 2 {n}" for n in ("C3", "D3", "C4")], [48, 50, 60], [None] * 3),
        (["piano_C3_60", "piano_E3_64", "piano_C4_72"], [60, 64, 72], [None] * 3),
        (["take_1_60", "take_1_64", "take_1_67"], [60, 64, 67], [None] * 3),
        (["Juno 60 pad", "Juno 60 lead", "Juno 60 bass"], [None] * 3, [None] * 3),
        (["Kick 1", "Kick 2", "Kick 3"], [None] * 3, [None] * 3),
        ([f"Kick {i:02d}" for i in range(1, 31)], [None] * 30, [None] * 30),
        (["x_60_30", "x_60_60", "x_60_90"], [60] * 3, [30, 60, 90]),
        (["p_48_30", "p_48_90", "p_60_30", "p_60_90"], [48, 48, 60, 60], [30, 90, 30, 90]),
        (["p_48_1", "p_48_2", "p_52_1"], [48, 48, 52], [None] * 3),
        (["sound24", "sound28", "sound84"], [24, 28, 84], [None] * 3),
        (["GrandPianoC4", "GrandPianoF#4"], [60, 66], [None] * 2),
        (["x C-2", "x C-1", "x C5"], [0, 12, 84], [None] * 3),
        (["x C-1", "x C0", "x C5"], [0, 12, 72], [None] * 3),
        (["Piano-C-1", "Piano-D-2", "Piano-C-3"], [24, 38, 48], [None] * 3),
        (["piano/C3", "forte/C3"], [48, 48], [49, 96]),
        (["soft/piano C3", "soft/piano C4"], [48, 60], [49, 49]),
        (["01 Violin G3", "02 Violin A3", "03 Violin B3"], [55, 57, 59], [None] * 3),
        (["flute_60", "flute_62", "flute_64_90", "odd"], [60, 62, 64, None], [None, None, 90, None]),
        (["A4v1", "A4v2", "A4v3", "A4v4"], [69] * 4, [16, 48, 79, 111]),
        (["A4v30", "A4v110"], [69] * 2, [30, 110]),
    ],
)
def test_a_folder_is_read_as_a_whole(stems: list[str], pitches: list[int | None], velocities: list[int | None]) -> None:
    readings, _ = read_names(stems)
    assert [r.pitch for r in readings] == pitches
    assert [r.velocity for r in readings] == velocities


def test_another_octave_convention_is_said() -> None:
    _, remarks = read_names(["piano_C3_60", "piano_E3_64"])
    assert remarks == ["the numbers beside the note names say that C3 is key 60"]
    assert read_names(["piano_C4_60", "piano_E4_64"])[1] == []


def test_what_is_left_is_the_name() -> None:
    assert parse("Big Horn C#4 v90 rr2").name == "Big Horn"
    assert parse("C4").name == ""


def test_a_row_of_notes_tells_its_range() -> None:
    assert parse_range("Violin.arco.ff.C4B4") == (60, 71)
    assert parse_range("flute C4-C5") == (60, 72)
    assert parse_range("flute C4") is None
    assert parse_range("B4C4") is None


@pytest.mark.parametrize(
    "pattern", ["{name}_{key}", "{name}-{key:03d}-{velocity:03d}", "{name} {note}", "{note}v{velocity}", "{key} {name}"]
)
@pytest.mark.parametrize("name", ["Flute", "E-Piano 2", "Bass", "Ab initio 7", "Juno-106", "mp strings"])
def test_whole_keyboards_come_back(pattern: str, name: str) -> None:
    keys = list(range(LOWEST_KEY, HIGHEST_KEY + 1, 3))
    velocities = [40 + key % 3 * 40 for key in range(len(keys))]
    stems = [
        pattern.format(name=name, key=key, velocity=velocity, note=f"{NAMES[key % 12]}{key // 12 - 1}")
        for key, velocity in zip(keys, velocities, strict=True)
    ]
    readings, remarks = read_names(stems)
    assert [r.pitch for r in readings] == keys
    if "velocity" in pattern:
        assert [r.velocity for r in readings] == velocities
    assert remarks == []


def test_any_names_are_read() -> None:
    chance = random.Random(11)
    pieces = [
        *NAMES,
        *"0123456789-_ #b./()vp",
        "rr",
        "ff",
        "v12",
        "60",
        "127",
        "999",
        "C4",
        "\0",
        "ä",
        "♯",
        "take",
        "²",
        "٣",
    ]
    for _ in range(3000):
        stems = ["".join(chance.choices(pieces, k=chance.randrange(14))) for _ in range(chance.randrange(1, 6))]
        readings, _ = read_names(stems)
        assert len(readings) == len(stems)
        for reading in readings:
            assert reading.pitch is None or 0 <= reading.pitch <= 127
            assert reading.velocity is None or 1 <= reading.velocity <= 127
            assert reading.round_robin is None or 0 <= reading.round_robin <= 999
        for stem in stems:
            parse_range(stem)
