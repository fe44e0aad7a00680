"""Tunings: by the MIDI Tuning Standard's bytes, and as a part of a patch."""

import json
from typing import Any

import pytest

from synth.control.events import SetTuning
from synth.control.midi_map import MidiMap
from synth.control.midi_settings import MidiSettings
from synth.control.mts import checksum
from synth.control.tuning import EQUAL_PITCHES, Tuning, TuningBank
from synth.errors import TetradError

NAME = b"Quarter tones   "
QUARTERS = b"".join(bytes((key // 2, 64 * (key % 2), 0)) for key in range(128))


def dump(kind: int, head: bytes, values: bytes, name: bytes = NAME) -> bytes:
    content = bytes((0x7E, 0x10, 0x08, kind)) + head + name + values
    return b"\xf0" + content + bytes((checksum(content),)) + b"\xf7"


def pitches(midi: MidiMap, message: bytes, moves_sounding: bool) -> tuple[float, ...]:
    (event,) = midi.events(message, 5)
    assert isinstance(event, SetTuning)
    assert event.time_samples == 5
    assert event.moves_sounding == moves_sounding
    return event.pitches


def test_a_bulk_dump_of_the_selected_program_is_heard() -> None:
    message = dump(0x01, b"\x00", QUARTERS)
    assert len(message) == 408
    bank = TuningBank()
    midi = MidiMap(MidiSettings(), bank)
    assert pitches(midi, message, moves_sounding=False) == tuple(key / 2 for key in range(128))
    assert bank.current.name == "Quarter tones"


def test_a_bulk_dump_is_exact_to_its_fourteen_bits() -> None:
    values = bytearray(QUARTERS)
    values[3 * 69 : 3 * 69 + 3] = bytes((69, 0, 1))
    values[3 * 70 : 3 * 70 + 3] = b"\x7f\x7f\x7f"  # no change
    heard = pitches(MidiMap(MidiSettings()), dump(0x04, b"\x00\x00", bytes(values)), moves_sounding=False)
    assert heard[69] == 69 + 1 / 16384
    assert heard[70] == 70.0


def test_programs_and_banks_are_chosen_by_rpns_3_and_4() -> None:
    midi = MidiMap(MidiSettings())
    assert midi.events(dump(0x01, b"\x05", QUARTERS), 5) == []
    assert midi.events(dump(0x05, b"\x02\x05", bytes([64] * 11 + [54])), 5) == []
    for message in ("b0 65 00", "b0 64 03"):
        assert midi.events(bytes.fromhex(message), 5) == []
    assert pitches(midi, bytes.fromhex("b0 06 05"), moves_sounding=False)[10] == 5.0
    midi.events(bytes.fromhex("b0 64 04"), 5)
    assert pitches(midi, bytes.fromhex("b0 06 02"), moves_sounding=False)[59] == pytest.approx(58.9)
    assert midi.events(bytes.fromhex("b0 06 03"), 5) == []  # there is none
    midi.events(bytes.fromhex("b0 64 03"), 5)
    midi.events(bytes.fromhex("b0 61 00"), 5)
    assert pitches(MidiMap(MidiSettings()), dump(0x01, b"\0", QUARTERS), False)[3] == 1.5


@pytest.mark.parametrize(
    ("message", "moves_sounding"),
    [
        ("f0 7f 7f 08 02 00 02 3c 3c 20 00 45 45 00 01 f7", True),
        ("f0 7f 7f 08 07 00 00 02 3c 3c 20 00 45 45 00 01 f7", True),
        ("f0 7e 7f 08 07 00 00 02 3c 3c 20 00 45 45 00 01 f7", False),
    ],
)
def test_single_keys(message: str, moves_sounding: bool) -> None:
    heard = pitches(MidiMap(MidiSettings()), bytes.fromhex(message), moves_sounding)
    assert [key for key in range(128) if heard[key] != key] == [60, 69]
    assert (heard[60], heard[69]) == (60.25, 69 + 1 / 16384)


@pytest.mark.parametrize(("first", "moves_sounding"), [("7e", False), ("7f", True)])
def test_octave_tunings_in_one_and_two_bytes(first: str, moves_sounding: bool) -> None:
    one = bytes.fromhex(f"f0 {first} 7f 08 08 03 7f 7f") + bytes([64, 0, 127] + [64] * 9) + b"\xf7"
    heard = pitches(MidiMap(MidiSettings()), one, moves_sounding)
    assert heard[48:52] == pytest.approx([48.0, 48.36, 50.63, 51.0])
    two = bytes.fromhex(f"f0 {first} 7f 08 09 03 7f 7f") + bytes([64, 0, 0, 0, 127, 127] + [64, 0] * 9) + b"\xf7"
    heard = pitches(MidiMap(MidiSettings()), two, moves_sounding)
    assert heard[60:64] == pytest.approx([60.0, 60.0, 62 + 8191 / 8192, 63.0])
    assert pitches(MidiMap(MidiSettings()), dump(0x06, b"\0\0", bytes([64, 0] * 11 + [96, 0])), False)[11] == 11.5


GOOD_DUMP = dump(0x01, b"\x00", QUARTERS)


@pytest.mark.parametrize(
    "message",
    [
        GOOD_DUMP[:-2] + bytes((GOOD_DUMP[-2] ^ 1,)) + b"\xf7",
        GOOD_DUMP[:100] + bytes((GOOD_DUMP[100] ^ 4,)) + GOOD_DUMP[101:],
        GOOD_DUMP[:-3] + b"\xf7",
        bytes.fromhex("f0 7e 7f 08 00 00 f7"),  # a request
        bytes.fromhex("f0 7e 7f 08 03 00 00 f7"),
        bytes.fromhex("f0 7f 7f 08 02 00 02 3c 3c 20 00 f7"),  # two are announced, one is there
        bytes.fromhex("f0 7e 7f 08 02 00 01 3c 3c 20 00 f7"),  # not real time
        bytes.fromhex("f0 7f 7f 08 02 f7"),
        bytes.fromhex("f0 7e 7f 08 01 f7"),
        bytes.fromhex("f0 7f 7f 08 08 00 00 00 40 40 40 40 40 40 40 40 40 40 40 41 f7"),  # for no channel
        bytes.fromhex("f0 7f 7f 08 08 03 7f 7f 40 40 40 f7"),
        bytes.fromhex("f0 7d 7f 08 02 00 01 3c 3c 20 00 f7"),
        bytes.fromhex("f0 7f 7f 08 02 00 01 3c 3c 20 00"),  # no end
        bytes.fromhex("f0 7f"),
    ],
)
def test_what_is_damaged_or_not_for_us_changes_nothing(message: bytes) -> None:
    bank = TuningBank()
    assert MidiMap(MidiSettings(), bank).events(message, 0) == []
    assert bank.current == Tuning()


def test_single_changes_start_from_what_a_patch_brought_and_the_bank_is_bounded() -> None:
    bank = TuningBank()
    bank.play(Tuning("flat", tuple(key - 0.5 for key in range(128))))
    heard = pitches(MidiMap(MidiSettings(), bank), bytes.fromhex("f0 7f 7f 08 02 00 01 3c 3c 00 00 f7"), True)
    assert heard[59:62] == (58.5, 60.0, 60.5)
    for number in range(1000):
        bank.store(number // 128, number % 128, Tuning(str(number)))
    assert bank.at(7, 100) == Tuning()
    assert bank.at(1, 0) == Tuning("128")
    assert len([n for n in range(1000) if bank.at(n // 128, n % 128).name == str(n)]) == TuningBank.MOST


def test_what_is_written_is_read_and_nothing_else() -> None:
    tuning = Tuning("a", tuple(key + 0.25 for key in range(128)))
    assert Tuning.from_json(json.loads(json.dumps(tuning.to_json()))) == tuning
    assert Tuning.from_json({}) == Tuning("12 equal steps", EQUAL_PITCHES)
    assert Tuning("far", (*[0.0] * 127, 999.0)).pitches[127] == 140.0
    bad: list[Any] = [
        3,
        {"pitchs": []},
        {"pitches": [1.0]},
        {"pitches": "x" * 128},
        {"pitches": ["x"] * 128},
        {"pitches": [float("nan")] * 128},
        {"pitches": [True] * 128},
        {"name": 3},
        {"name": "x" * 300},
    ]
    for content in bad:
        with pytest.raises(TetradError):
            Tuning.from_json(content)
