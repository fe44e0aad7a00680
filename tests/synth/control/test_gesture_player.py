"""A gesture is played as it was, in its time or the clock's, and gives way to a finger."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from synth.control.clock import Clock
from synth.control.events import Event, SetParameter, Transport, TransportKind
from synth.control.gesture import Gesture
from synth.control.gesture_player import TAKE_OVER_S, TOUCH_S, GesturePlayer, LoopMode
from synth.errors import TetradError
from synth.surface_path import PathPoint

RATE = 48_000
FRAME = 384
RAMP = Gesture((PathPoint(0.0, 0.0, 1.0), PathPoint(2.0, 1.0, 0.0)))


def curve(events: Sequence[Event], name: str) -> NDArray[np.float64]:
    """float64 [n, 2]: second and value of one parameter's movements."""
    moves = [event for event in events if isinstance(event, SetParameter)]
    assert len(moves) == len(events)
    return np.array([(event.time_samples / RATE, event.value) for event in moves if event.name == name])


def play(
    seconds: float, mode: LoopMode, gesture: Gesture = RAMP, *, speed: float = 1.0, mirrored: bool = False
) -> NDArray[np.float64]:
    player = GesturePlayer(Clock(RATE), 0.0, 1.0)
    player.play(gesture, 0, mode, speed=speed, mirrored=mirrored)
    return curve(player.advance(round(seconds * RATE)), "x")


def test_it_moves_both_parameters_every_frame() -> None:
    player = GesturePlayer(Clock(RATE), 0.0, 1.0)
    player.play(RAMP, 96)
    events = player.advance(96 + 4 * FRAME)
    assert [(event.time_samples, event.name) for event in events if isinstance(event, SetParameter)] == [
        (96 + i * FRAME, name) for i in range(4) for name in ("x", "y")
    ]
    assert player.advance(96 + 4 * FRAME) == []
    assert len(player.advance(96 + 4 * FRAME + 1)) == 2


def test_it_does_not_matter_how_often_it_is_asked() -> None:
    played = []
    for stride in (96, 777, 400_000):
        player = GesturePlayer(Clock(RATE), 0.7, 0.1)
        player.play(RAMP, 50, LoopMode.BEATS, speed=0.7)
        events: list[Event] = []
        for horizon in range(0, 400_000, stride):
            events += player.advance(horizon)
        events += player.advance(400_000)
        played.append(events)
    assert played[0] == played[1] == played[2]


def test_once_ends_at_its_end_and_stays() -> None:
    player = GesturePlayer(Clock(RATE), 0.0, 1.0)
    player.play(RAMP, 0, LoopMode.ONCE)
    x = curve(player.advance(10 * RATE), "x")
    assert np.allclose(x[:-1, 1], x[:-1, 0] / 2.0, atol=1e-9)
    assert x[-1, 1] == 1.0
    assert x[-1, 0] == pytest.approx(2.0, abs=0.009)
    assert not player.playing


def test_free_goes_round_and_the_seam_is_a_glide() -> None:
    x = play(7.0, LoopMode.FREE)
    inner = x[(x[:, 0] % 2.0) > 0.06]
    assert np.allclose(inner[:, 1], (inner[:, 0] % 2.0) / 2.0, atol=1e-6)
    assert np.abs(np.diff(x[:, 1])).max() < 0.3  # 1.0 would be the jump from end to beginning
    assert len(x) == pytest.approx(875, abs=1)


def test_mirrored_goes_there_and_back_without_a_seam() -> None:
    x = play(8.0, LoopMode.FREE, mirrored=True)
    assert np.allclose(x[:, 1], np.abs((x[:, 0] + 2.0) % 4.0 - 2.0) / 2.0, atol=1e-6)
    once = play(9.0, LoopMode.ONCE, mirrored=True)
    assert once[-1, 1] == 0.0
    assert once[-1, 0] == pytest.approx(4.0, abs=0.009)


@pytest.mark.parametrize("speed", [0.05, 0.5, 3.0, 20.0])
def test_speed(speed: float) -> None:
    x = play(1.9 / speed, LoopMode.FREE, speed=speed)
    assert np.allclose(x[:, 1], x[:, 0] * speed / 2.0, atol=1e-6)


@pytest.mark.parametrize("speed", [0.0, -1.0, 21.0, float("nan"), float("inf")])
def test_an_impossible_speed_is_refused(speed: float) -> None:
    with pytest.raises(TetradError, match=r"speed of a gesture is .*0\.05 to 20"):
        GesturePlayer(Clock(RATE)).play(RAMP, 0, speed=speed)


def test_in_time_it_is_the_nearest_whole_number_of_beats_long() -> None:
    gesture = Gesture((PathPoint(0.0, 0.0, 0.0), PathPoint(2.2, 1.0, 0.0)))  # 4.4 beats at 120 bpm: 4, or 2 s
    player = GesturePlayer(Clock(RATE), 0.0, 0.0)
    player.play(gesture, 4_800, LoopMode.BEATS)  # 0.2 beats late
    x = curve(player.advance(6 * RATE), "x")
    inner = x[(x[:, 0] > 0.1 + TAKE_OVER_S) & ((x[:, 0] % 2.0) > 0.06)]
    assert np.allclose(inner[:, 1], (inner[:, 0] % 2.0) / 2.0, atol=1e-6)
    # Begun 0.2 beats early it waits for its beat.
    player = GesturePlayer(Clock(RATE), 0.0, 0.0)
    player.play(gesture, 24_000 - 4_800, LoopMode.BEATS)
    x = curve(player.advance(2 * RATE), "x")
    assert np.all(x[x[:, 0] < 0.5, 1] == 0.0)
    assert x[-1, 1] == pytest.approx((x[-1, 0] - 0.5) / 2.0, abs=1e-6)


def test_it_follows_a_sequencer_and_begins_with_its_song() -> None:
    clock = Clock(RATE)
    player = GesturePlayer(clock, 0.0, 0.0)
    player.play(
        Gesture((PathPoint(0.0, 0.0, 0.0), PathPoint(2.0, 1.0, 0.0))), 24_000, LoopMode.BEATS
    )  # 4 beats, from 1
    events: list[Event] = []
    for pulse in range(600):  # 100 bpm: a lap is 2.4 s
        sample = 1_000 + 1_200 * pulse
        if pulse == 100:
            clock.feed([Transport(sample - 100, TransportKind.START)])
        events += player.advance(sample)
        clock.feed([Transport(sample, TransportKind.CLOCK)])
    x = curve(events, "x")
    song_s = x[:, 0] - (1_000 + 1_200 * 100) / RATE
    inner = (song_s > TAKE_OVER_S + 0.03) & (song_s % 2.4 > 0.06) & (song_s % 2.4 < 2.38)
    assert inner.sum() > 1_000
    assert np.abs(x[inner, 1] - (song_s[inner] % 2.4) / 2.4).max() < 0.005
    assert np.abs(np.diff(x[:, 1])).max() < 0.3


def test_it_takes_over_from_where_the_finger_is() -> None:
    player = GesturePlayer(Clock(RATE), 0.9, 0.1)
    player.play(RAMP, 0)
    events = player.advance(RATE)
    for name, begin, end in (("x", 0.9, 0.5), ("y", 0.1, 0.5)):
        moves = curve(events, name)
        assert moves[0, 1] == pytest.approx(begin)
        assert moves[-1, 1] == pytest.approx(end, abs=0.01)
        assert np.abs(np.diff(moves[:, 1])).max() < 0.06
        after = moves[moves[:, 0] > TAKE_OVER_S]
        assert np.allclose(after[:, 1], after[:, 0] / 2 if name == "x" else 1 - after[:, 0] / 2, atol=1e-6)


def test_a_touch_has_it_as_long_as_it_lasts_on_its_own_axis() -> None:
    player = GesturePlayer(Clock(RATE), 0.0, 1.0)
    player.play(RAMP, 0)
    before = player.advance(24_000)
    player.feed([SetParameter(24_000, "x", 0.9)])
    during = player.advance(24_000 + round(TOUCH_S * RATE))
    after = player.advance(2 * RATE)
    assert len(curve(before, "x")) == len(curve(before, "y")) == 63
    assert {event.name for event in during if isinstance(event, SetParameter)} == {"y"}
    x = curve(after, "x")
    assert x[0, 0] == pytest.approx(0.5 + TOUCH_S, abs=0.009)
    assert x[0, 1] == pytest.approx(0.9, abs=0.01)
    assert np.abs(np.diff(x[:, 1])).max() < 0.06
    late = x[x[:, 0] > 0.5 + TOUCH_S + TAKE_OVER_S + 0.01]
    assert np.allclose(late[:, 1], late[:, 0] / 2.0, atol=1e-6)


def test_a_finger_that_lies_still_has_it_until_it_is_lifted() -> None:
    player = GesturePlayer(Clock(RATE), 0.0, 1.0)
    player.play(RAMP, 0)
    player.hold()
    player.feed([SetParameter(10, "x", 0.25), SetParameter(10, "y", 0.25)])
    assert player.advance(60 * RATE) == []
    player.let_go(60 * RATE + 5)
    assert curve(player.advance(60 * RATE + 1_000), "y")[0, 1] == pytest.approx(0.25, abs=0.02)
    player.stop()
    assert not player.playing
    assert player.advance(100 * RATE) == []


def test_a_gesture_of_one_point_is_a_place() -> None:
    for mode in LoopMode:
        x = play(1.0, mode, Gesture((PathPoint(0.0, 0.75, 0.5),)))
        assert np.all((x[:, 1] >= 0.0) & (x[:, 1] <= 0.7500001))
        if mode != LoopMode.ONCE:
            assert x[-1, 1] == pytest.approx(0.75)
