"""The table of programs, the keys and the split."""

import itertools

import pytest

from models.dataset.general_midi import HELD_OUT_PROGRAMS, PROGRAMS, SOURCES, program_of_preset, slug
from synth.instruments.format import FAMILIES


def test_every_pitched_program_is_there():
    assert list(PROGRAMS) == list(range(115))
    assert {p.family for p in PROGRAMS.values()} == set(FAMILIES)
    assert {p.source for p in PROGRAMS.values()} <= set(SOURCES)
    assert len({slug(p.name) for p in PROGRAMS.values()}) == len(PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=lambda p: slug(p.name))
def test_keys_cover_the_range_in_steps_of_at_most_six(program):
    keys = program.keys
    assert 24 <= keys[0] == program.lowest
    assert keys[-1] == program.highest <= 100
    steps = {b - a for a, b in itertools.pairwise(keys)}
    assert steps <= {4, 5, 6}


def test_literal_programs():
    flute = PROGRAMS[73]
    assert (flute.name, flute.family, flute.source, flute.sustains) == ("Flute", "flute", "acoustic", True)
    assert flute.keys == (60, 65, 70, 75, 81, 86, 91, 96)
    assert not PROGRAMS[0].sustains


def test_held_out_programs_are_a_seventh_of_every_family():
    assert 0.12 < len(HELD_OUT_PROGRAMS) / len(PROGRAMS) < 0.18
    assert {PROGRAMS[number].family for number in HELD_OUT_PROGRAMS} == set(FAMILIES)


def test_presets_that_are_instruments():
    assert program_of_preset(0, 40, "Violin I") == PROGRAMS[40]
    mandolin = program_of_preset(16, 25, "Mandolin")
    assert mandolin is not None
    assert (mandolin.name, mandolin.lowest, mandolin.number, mandolin.family) == ("Mandolin", 55, 25, "guitar")
    detuned = program_of_preset(8, 4, "Detuned EP 1")
    assert detuned is not None
    assert (detuned.name, detuned.lowest) == ("Detuned EP 1", PROGRAMS[4].lowest)


@pytest.mark.parametrize(
    ("bank", "number", "name"),
    [(128, 0, "Standard"), (0, 115, "Woodblock"), (8, 118, "808 Tom"), (17, 40, "Violin Expr.")],
)
def test_presets_that_are_not(bank, number, name):
    assert program_of_preset(bank, number, name) is None


def test_variations_of_generaluser_gs():
    assert program_of_preset(120, 0, "Standard Drums") is None
    assert program_of_preset(128, 0, "Standard") is None
    choir = program_of_preset(13, 48, "Woodwind Choir")
    strings = program_of_preset(11, 1, "Piano & Str.-Sus")
    trombone = program_of_preset(1, 57, "Trombone 2")
    assert choir
    assert strings
    assert trombone
    assert (choir.name, choir.family, choir.sustains) == ("Woodwind Choir", "reed", True)
    assert strings.sustains
    assert trombone.family == "brass"
