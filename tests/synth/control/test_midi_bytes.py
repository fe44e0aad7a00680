"""What a raw MIDI wire carries: every kind of message, and everything that goes wrong on one."""

import pytest

from benchmarks.midi_fuzz import FAILURES, Sounding, messages_of, run
from synth.control.events import NoteOn, SustainPedal
from synth.control.midi_bytes import MOST_EXCLUSIVE_BYTES, MidiParser


def fed(text: str) -> list[str]:
    """Messages of hexadecimal bytes, fed at once; the same must come of feeding them one by one."""
    stream = bytes.fromhex(text)
    at_once = MidiParser().feed(stream)
    parser = MidiParser()
    one_by_one = [message for byte in stream for message in parser.feed(bytes((byte,)))]
    assert at_once == one_by_one
    return [message.hex(" ") for message in at_once]


@pytest.mark.parametrize(
    "message",
    [
        "80 3c 40",
        "90 3c 64",
        "9f 00 00",
        "a3 3c 10",
        "b0 40 7f",
        "c5 09",
        "d2 33",
        "e0 00 40",
        "f0 7e 7f 09 01 f7",
        "f0 f7",
        "f1 25",
        "f2 10 02",
        "f3 07",
        "f6",
        "f8",
        "fa",
        "fb",
        "fc",
        "fe",
        "ff",
    ],
)
def test_every_kind_of_message_comes_through_and_leaves_the_next_alone(message: str) -> None:
    assert fed(message) == [message]
    assert fed(f"{message} 90 3c 64 {message} 80 3c 00") == [message, "90 3c 64", message, "80 3c 00"]


@pytest.mark.parametrize(
    ("wire", "messages"),
    [
        # Running status.
        ("90 3c 64 40 64 43 00", ["90 3c 64", "90 40 64", "90 43 00"]),
        ("c0 01 02 03", ["c0 01", "c0 02", "c0 03"]),
        ("d4 01 02 e4 03 04 05 06", ["d4 01", "d4 02", "e4 03 04", "e4 05 06"]),
        # Real-time bytes inside messages, between them, and in system exclusive.
        ("90 3c f8 64", ["f8", "90 3c 64"]),
        ("90 f8 3c fe 64 fa 40 f8 64", ["f8", "fe", "90 3c 64", "fa", "f8", "90 40 64"]),
        ("f0 01 f8 02 f7", ["f8", "f0 01 02 f7"]),
        ("f2 10 ff 02", ["ff", "f2 10 02"]),
        # Undefined real-time bytes change nothing.
        ("90 3c f9 64 fd 40 64", ["90 3c 64", "90 40 64"]),
        # System common ends running status.
        ("90 3c 64 f6 40 64", ["90 3c 64", "f6"]),
        ("90 3c 64 f3 07 40 64", ["90 3c 64", "f3 07"]),
        ("90 3c 64 f4 40 64", ["90 3c 64"]),
        ("90 3c 64 f5 40 64 90 41 64", ["90 3c 64", "90 41 64"]),
        ("90 3c 64 f0 01 f7 40 64", ["90 3c 64", "f0 01 f7"]),
        ("90 3c 64 f7 40 64", ["90 3c 64"]),
        # What is incomplete is dropped, what follows is not.
        ("90 3c 80 3c 00", ["80 3c 00"]),
        ("f2 10 90 3c 64", ["90 3c 64"]),
        ("f0 01 02 90 3c 64", ["90 3c 64"]),
        ("f0 01 f0 02 f7", ["f0 02 f7"]),
        # A wire that is joined in the middle.
        ("3c 64 40", []),
        ("64 90 3c 64", ["90 3c 64"]),
    ],
)
def test_wires(wire: str, messages: list[str]) -> None:
    assert fed(wire) == messages


@pytest.mark.parametrize(("n_data", "kept"), [(0, 1), (406, 1), (65_534, 1), (65_535, 0), (1_000_000, 0)])
def test_system_exclusive_is_kept_to_a_limit_and_its_end_is_always_found(n_data: int, kept: int) -> None:
    parser = MidiParser()
    messages = parser.feed(b"\xf0" + bytes(n_data) + b"\xf7\x90\x3c\x64")
    assert len(messages) == kept + 1
    assert messages[-1] == b"\x90\x3c\x64"
    assert [len(message) for message in messages[:-1]] == [n_data + 2] * kept
    assert MOST_EXCLUSIVE_BYTES == 65_536


def test_a_seeded_share_of_the_fuzz() -> None:
    """`python -m benchmarks.midi_fuzz` runs 100,000 streams; this is every kind of stream some hundred times."""
    counts = run(n_streams=1_500, n_bytes=150_000, seed=4)
    assert counts["streams"] == 1_500
    assert counts["notes"] > 3_000
    assert {name: counts[name] for name in FAILURES} == dict.fromkeys(FAILURES, 0)


def test_what_the_fuzz_compares_with_is_right_and_can_fail() -> None:
    assert messages_of(bytes.fromhex("40 90 3c f8 64 40 64 f6 40 f0 01 f7 c0 05 06")) == (
        [b"\x90\x3c\x64", b"\x90\x40\x64", b"\xf6", b"\xf0\x01\xf7", b"\xc0\x05", b"\xc0\x06"],
        [b"\xf8"],
    )
    sounding = Sounding()
    sounding.take(SustainPedal(0, 1, down=True))
    sounding.take(NoteOn(0, 1, 60, 1))
    assert sounding.notes == {(1, 60)}
