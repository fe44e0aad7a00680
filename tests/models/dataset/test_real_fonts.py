"""The two fonts of Debian, where they are installed: presets, the split's independence, and a few notes."""

import itertools
import json
import struct
from pathlib import Path

import numpy as np
import pytest

from models.dataset import soundfont
from models.dataset.build import build_note_set
from models.dataset.general_midi import HELD_OUT_PROGRAMS, PROGRAMS, program_of_preset
from models.dataset.notes import limit_notes, plan_instruments
from models.dataset.reader import NoteSet

INSTALLED = {font.key: Path(path) for font in soundfont.KNOWN_FONTS for path in font.paths if Path(path).exists()}
pytestmark = pytest.mark.skipif(len(INSTALLED) < 2, reason="fluid-soundfont-gm or musescore-general-soundfont missing")


@pytest.fixture(scope="module")
def fonts():
    return [soundfont.read_sound_font(path) for path in soundfont.default_font_paths()]


def test_both_fonts_have_every_program(fonts):
    plans = plan_instruments(fonts)
    numbers = {key: {p.preset.number for p in plans if p.font.key == key and p.preset.bank == 0} for key in INSTALLED}
    assert numbers == {"fluid": set(PROGRAMS), "musescore": set(PROGRAMS) - {0, 1, 3}}  # pianos: see KNOWN_FONTS
    assert len({plan.name for plan in plans}) == len(plans) > 280
    assert {plan.font.licence for plan in plans} == {"MIT", "MIT, parts public domain or CC0"}
    assert all(plan.font.package.startswith(("fluid-soundfont-gm ", "musescore-general-")) for plan in plans)
    names = [plan.name for plan in plans]
    assert "fluid_000_acoustic_grand_piano" in names
    assert "musescore_025b016_mandolin" in names


def test_limited_plans_spread_over_both_fonts(fonts):
    plans = limit_notes(plan_instruments(fonts), 20)
    assert sum(len(plan.strikes) for plan in plans) == 20
    assert {plan.font.key for plan in plans} == {"fluid", "musescore"}


def _samples_by_program(path):
    """Program -> names of the samples that its presets in all banks play (SoundFont 2.04, section 7)."""
    data = path.read_bytes()
    at = data.rindex(b"pdta") + 4
    chunks = {}
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        chunks[name] = data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    phdr = list(struct.iter_unpack("<20sHHHIII", chunks[b"phdr"]))
    inst = list(struct.iter_unpack("<20sH", chunks[b"inst"]))
    shdr = [row[0].split(b"\0")[0] for row in struct.iter_unpack("<20sIIIIIBbHH", chunks[b"shdr"])]
    bags = {name: [bag[0] for bag in struct.iter_unpack("<HH", chunks[name])] for name in (b"pbag", b"ibag")}
    generators = {name: list(struct.iter_unpack("<HH", chunks[name])) for name in (b"pgen", b"igen")}

    def amounts(kind, start, end, operator):
        bag, gen = bags[kind + b"bag"], generators[kind + b"gen"]
        return [amount for op, amount in gen[bag[start] : bag[end]] if op == operator]

    of_instrument = [
        {shdr[i] for i in amounts(b"i", first[1], after[1], 53)} for first, after in itertools.pairwise(inst)
    ]
    by_program: dict[int, set[bytes]] = {}
    for first, after in itertools.pairwise(phdr):
        if program_of_preset(first[2], first[1], first[0].split(b"\0")[0].decode()) is not None:
            played = by_program.setdefault(first[1], set())
            played.update(*(of_instrument[i] for i in amounts(b"p", first[3], after[3], 41)))
    return by_program


@pytest.mark.parametrize("key", ["fluid", "musescore"])
def test_held_out_programs_share_no_sample_with_training_programs(key):
    samples = _samples_by_program(INSTALLED[key])
    assert set(samples) == set(PROGRAMS)
    assert all(samples.values())
    training = set().union(*(names for program, names in samples.items() if program not in HELD_OUT_PROGRAMS))
    shared = {program: len(samples[program] & training) for program in sorted(HELD_OUT_PROGRAMS)}
    shared = {program: n for program, n in shared.items() if n}
    assert shared == ({91: 1} if key == "fluid" else {})  # as the comment at HELD_OUT_PROGRAMS says


def test_a_few_real_notes(tmp_path):
    build_note_set(tmp_path / "notes", [INSTALLED["fluid"]], jobs=1, limit=5)
    notes = NoteSet.open(tmp_path / "notes")
    fonts = json.loads((tmp_path / "notes" / "manifest.json").read_text())["settings"]["fonts"]
    assert [font["licence"] for font in fonts] == ["MIT"]
    assert len(notes) == 5
    for example in notes:
        audio = notes.audio_48k(example.name)
        assert np.abs(audio).max() == pytest.approx(example.peak)
        assert example.peak > 1e-3
        held, end = np.abs(audio[: 3 * 48_000]).max(), np.abs(audio[-480:]).max()
        assert end < 0.3 * held
