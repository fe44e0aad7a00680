"""A recorded gesture is what was played, in few points; its file is a tetrad-path."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from synth.control.events import Event, NoteOn, SetParameter
from synth.control.gesture import LONGEST_S, TOLERANCE, Gesture, GestureRecorder
from synth.errors import TetradError
from synth.surface_path import PathPoint, read_path

RATE = 48_000
Moves = list[tuple[int, float, float]]


def record(moves: Moves, end: int, begin: int = 1_000, x: float = 0.5, y: float = 0.5) -> Gesture:
    """What is kept of movements at (samples after the beginning, x, y)."""
    recorder = GestureRecorder(RATE, x, y)
    recorder.start(begin)
    for sample, at_x, at_y in moves:
        recorder.feed([SetParameter(begin + sample, "x", at_x), SetParameter(begin + sample, "y", at_y)])
    return recorder.stop(begin + end)


def worst_distance(gesture: Gesture, moves: Moves) -> float:
    return max(max(abs(a - b) for a, b in zip(gesture.at(s / RATE), (x, y), strict=True)) for s, x, y in moves)


def test_a_straight_way_is_two_points() -> None:
    moves = [(i * 480, i / 200, 1.0 - i / 200) for i in range(201)]
    gesture = record(moves, 96_001, x=0.0, y=1.0)
    assert len(gesture.points) <= 3
    assert gesture.points[0] == PathPoint(0.0, 0.0, 1.0)
    assert worst_distance(gesture, moves) <= TOLERANCE
    assert gesture.length_s == pytest.approx(2.0, abs=0.009)


@pytest.mark.parametrize("seed", range(5))
def test_a_winding_way_is_kept_within_the_tolerance_in_few_points(seed: int) -> None:
    chance = np.random.default_rng(seed)
    phases, rates = chance.uniform(0, 6, 4), chance.uniform(0.2, 1.5, 4)
    moves = []
    sample = 0
    for _ in range(5_000):
        sample += int(chance.integers(380, 820))  # a touch screen, 60 to 125 Hz
        t = sample / RATE
        x = 0.5 + 0.24 * (np.sin(rates[0] * t + phases[0]) + np.sin(rates[1] * t + phases[1]))
        y = 0.5 + 0.24 * (np.sin(rates[2] * t + phases[2]) + np.sin(rates[3] * t + phases[3]))
        moves.append((sample, float(x), float(y)))
    gesture = record(moves, sample + 100)
    assert worst_distance(gesture, moves) <= TOLERANCE + 1e-9
    assert len(gesture.points) < 0.2 * len(moves)


def test_a_trembling_finger_keeps_every_corner() -> None:
    chance = np.random.default_rng(9)
    moves = [(500 * i, float(chance.random()), float(chance.random())) for i in range(1, 500)]
    gesture = record(moves, 250_000)
    assert worst_distance(gesture, moves) <= TOLERANCE + 1e-9
    assert len(gesture.points) >= 499


def test_a_finger_that_rests_and_jumps_rests_and_jumps() -> None:
    """Nothing comes while it rests; the way to the jump must not become a slope over the rest."""
    gesture = record([(0, 0.2, 0.2), (240_000, 0.9, 0.2)], 480_000)
    for time_s, x in ((0.0, 0.2), (2.5, 0.2), (4.98, 0.2), (5.01, 0.9), (9.99, 0.9)):
        assert gesture.at(time_s)[0] == pytest.approx(x, abs=TOLERANCE)
    assert gesture.length_s == pytest.approx(10.0)


def test_x_alone_leaves_y_where_it_was() -> None:
    recorder = GestureRecorder(RATE, 0.1, 0.7)
    recorder.feed([SetParameter(10, "y", 0.3), NoteOn(11), SetParameter(12, "volume", 0.0)])
    recorder.start(100)
    recorder.feed([SetParameter(4_900, "x", 0.8)])
    gesture = recorder.stop(48_100)
    assert gesture.at(0.0) == (0.1, 0.3)
    assert gesture.at(0.5) == (pytest.approx(0.8, abs=TOLERANCE), 0.3)
    assert not recorder.recording


def test_nothing_moved_is_a_place_for_the_time_it_took() -> None:
    gesture = record([], 96_000, x=0.3, y=0.4)
    assert gesture.length_s == pytest.approx(2.0)
    assert gesture.at(1.0) == (0.3, 0.4)
    assert record([], 0).length_s > 0.0


def test_five_minutes_are_the_end() -> None:
    recorder = GestureRecorder(RATE)
    recorder.start(0)
    end = round(LONGEST_S * RATE)
    for i in range(1, 400):
        recorder.feed([SetParameter(i * RATE, "x", (i * 0.37) % 1.0)])
    assert not recorder.is_full(end - 1)
    assert recorder.is_full(end)
    gesture = recorder.stop(400 * RATE)
    assert gesture.length_s <= LONGEST_S + 0.01
    assert gesture.at(299.5)[0] == pytest.approx((299 * 0.37) % 1.0, abs=TOLERANCE)
    assert len(gesture.points) < 700
    assert not recorder.is_full(500 * RATE)


def test_its_file_is_a_path_that_the_reader_takes(tmp_path: Path) -> None:
    chance = np.random.default_rng(2)
    sample, moves = 0, []
    for _ in range(300):
        sample += int(chance.integers(1, 3_000))
        moves.append((sample, float(chance.random()), float(chance.random())))
    gesture = record(moves, sample + 10)
    path = tmp_path / "gesture.json"
    path.write_text(json.dumps(gesture.to_json()))
    again = Gesture(read_path(path))
    assert worst_distance(again, moves) <= TOLERANCE + 1e-3
    assert again.length_s == pytest.approx(gesture.length_s, abs=1e-6)


def test_what_is_no_gesture_is_refused() -> None:
    with pytest.raises(TetradError, match="one or more, with rising times"):
        Gesture(())
    with pytest.raises(TetradError, match="one or more, with rising times"):
        Gesture((PathPoint(1.0, 0, 0), PathPoint(1.0, 0, 0)))
    with pytest.raises(TetradError, match="No gesture is being recorded"):
        GestureRecorder(RATE).stop(5)


@pytest.mark.parametrize("seed", range(6))
def test_no_order_of_events_breaks_the_recorder(seed: int) -> None:
    """Events of one time, times that go back, starts in the middle: the points rise and lie on the surface."""
    chance = np.random.default_rng(seed)
    recorder = GestureRecorder(RATE)
    recorder.start(5_000)
    sample = 4_000
    for _ in range(2_000):
        sample = max(sample + int(chance.integers(-2_000, 4_000)), 0)
        event: Event = SetParameter(sample, "xy"[chance.integers(2)], float(chance.uniform(-1.0, 2.0)))
        recorder.feed([event])
        if chance.random() < 0.001:
            recorder.start(sample)
    points = recorder.stop(max(sample - 1_000, 0)).points
    assert all(a.time_s < b.time_s for a, b in itertools.pairwise(points))
    assert all(0.0 <= value <= 1.0 for point in points for value in point[1:])
