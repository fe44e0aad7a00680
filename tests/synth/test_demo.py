"""The demo piece is one that can be played: every key goes up again, and the finger visits every corner."""

import subprocess
import sys
from pathlib import Path

from synth import demo
from synth.control.corners import PLACES
from synth.io.midi_file import overlapping_notes, read_midi_file
from synth.surface_path import position_at


def test_every_key_that_goes_down_goes_up() -> None:
    held: dict[tuple[int, int], int] = {}
    messages = demo.messages()
    for _, data in messages:
        key = (data[0] & 0x0F, data[1])
        if data[0] & 0xF0 == 0x90:
            assert 1 <= data[2] <= 127
            held[key] = held.get(key, 0) + 1
        elif data[0] & 0xF0 == 0x80:
            held[key] -= 1
            assert held[key] >= 0
    assert not any(held.values())
    assert [message.time_s for message in messages] == sorted(message.time_s for message in messages)
    assert 40.0 <= messages[-1].time_s <= 60.0
    assert 6 <= overlapping_notes(messages) <= 16


def test_the_finger_rests_in_every_corner_and_ends_in_the_middle() -> None:
    points = demo.finger_path()
    visited = {(point.x, point.y) for point in points}
    assert visited >= set(PLACES.values())
    assert position_at(points, 1000.0) == (0.5, 0.5)


def test_it_can_be_had_as_a_midi_file(tmp_path: Path) -> None:
    path = tmp_path / "four_rooms.mid"
    subprocess.run([sys.executable, "-m", "synth.demo", str(path)], check=True)
    written, ours = read_midi_file(path), demo.messages()
    assert len(written) == len(ours)
    assert max(abs(a.time_s - b.time_s) for a, b in zip(written, ours, strict=True)) <= 0.000_25
