"""Fingers on the surface, by a clock of the tests' own."""

import itertools
import math
import random

import pytest

from ui.pages.play.touches import (
    LEAST_PERIOD_S,
    SILENT_S,
    Glide,
    Point,
    Touches,
    approach,
    pixel_of,
    share_of,
)


def swipe(touches: Touches, number: object, way: list[tuple[float, float, float]]) -> list[Point]:
    """A finger goes through places (s, x, y): down at the first, then on; gives what was sent."""
    sent = [touches.down(number, way[0][1], way[0][2], way[0][0])]
    sent += [touches.move(number, x, y, s) for s, x, y in way[1:]]
    return [point for point in sent if point is not None]


def flick(touches: Touches, x: float, y: float, speed_x: float, speed_y: float) -> float:
    """A finger that leaves in motion; gives the time then."""
    way = [(0.01 * i, x + speed_x * 0.01 * i, y + speed_y * 0.01 * i) for i in range(11)]
    swipe(touches, 1, way)
    assert touches.up(1, 0.1).point == pytest.approx((way[-1][1], way[-1][2], False))
    return 0.1


def rest(touches: Touches, now_s: float) -> list[Point]:
    """Sixty frames a second until nothing moves any more."""
    sent = []
    for _ in range(600):
        now_s += 1.0 / 60.0
        point = touches.step(now_s)
        if point is not None:
            sent.append(point)
        if not touches.restless:
            return sent
    raise AssertionError("it never came to rest")


def test_the_first_finger_leads_and_says_when_it_is_gone() -> None:
    touches = Touches()
    assert touches.down(1, 0.2, 0.3, 0.0) == Point(0.2, 0.3, True)
    assert touches.down(2, 0.9, 0.9, 0.1) is None
    assert touches.move(2, 0.8, 0.8, 0.2) is None
    assert touches.move(1, 0.4, 0.5, 0.3) == Point(0.4, 0.5, True)
    assert touches.up(2, 0.4).point is None
    ending = touches.up(1, 2.0)
    assert (ending.point, ending.led, ending.tap) == (Point(0.4, 0.5, False), True, False)
    assert len(touches) == 0


def test_the_next_finger_takes_over() -> None:
    touches = Touches()
    touches.down(1, 0.2, 0.3, 0.0)
    touches.down(2, 0.9, 0.8, 0.1)
    assert touches.up(1, 1.0).point == Point(0.9, 0.8, True)
    assert touches.move(2, 0.7, 0.8, 1.1) == Point(0.7, 0.8, True)
    assert touches.up(2, 3.0).point == Point(0.7, 0.8, False)


def test_a_quick_mouse_sends_no_more_than_200_points_a_second_and_none_is_lost() -> None:
    touches = Touches()
    way = [(i / 1000.0, i / 1000.0, 0.5) for i in range(1000)]
    sent = swipe(touches, 1, way)
    assert len(sent) <= 1.0 / LEAST_PERIOD_S + 1
    assert touches.restless == (sent[-1].x != way[-1][1])
    last = touches.step(1.2)
    assert last is None or last == Point(way[-1][1], 0.5, True)
    assert not touches.restless


def test_a_resting_finger_sends_nothing() -> None:
    touches = Touches()
    touches.down(1, 0.5, 0.5, 0.0)
    assert all(touches.step(frame / 60.0) is None for frame in range(1, 300))


def test_a_flick_goes_on_and_comes_to_rest() -> None:
    touches = Touches()
    end_s = flick(touches, 0.2, 0.5, 1.0, 0.0)
    sent = rest(touches, end_s)
    xs = [point.x for point in sent]
    assert xs == sorted(xs)
    assert xs[-1] == pytest.approx(0.3 + 1.0 * 0.3, abs=0.02)  # friction: 0.3 s times its speed
    assert not any(point.touching for point in sent)
    steps = [b - a for a, b in itertools.pairwise(xs[:-1])]
    assert steps == sorted(steps, reverse=True), "it becomes slower and slower"


def test_a_flick_stops_at_an_edge_and_does_not_come_back() -> None:
    touches = Touches()
    sent = rest(touches, flick(touches, 0.6, 0.6, 3.0, 2.0))
    assert sent[-1] == Point(1.0, 1.0, False)
    assert all(0.0 <= value <= 1.0 for point in sent for value in point[:2])


def test_a_finger_that_stopped_before_it_left_does_not_flick() -> None:
    touches = Touches()
    swipe(touches, 1, [(0.01 * i, 0.05 * i, 0.5) for i in range(10)])
    touches.up(1, 0.5)
    assert touches.glide is None


def test_while_a_gesture_waits_nothing_glides() -> None:
    touches = Touches()
    swipe(touches, 1, [(0.01 * i, 0.05 * i, 0.5) for i in range(10)])
    touches.up(1, 0.09, may_glide=False)
    assert not touches.restless


def test_a_new_finger_ends_a_glide() -> None:
    touches = Touches()
    flick(touches, 0.2, 0.2, 1.0, 1.0)
    assert touches.glide is not None
    assert touches.down(2, 0.9, 0.1, 0.15) == Point(0.9, 0.1, True)
    assert touches.glide is None


def test_two_taps_at_one_place_centre_and_two_apart_do_not() -> None:
    touches = Touches()
    touches.down(1, 0.1, 0.9, 0.0)
    assert touches.up(1, 0.1)[2:] == (True, False)
    touches.down(2, 0.11, 0.9, 0.2)
    assert touches.up(2, 0.3)[2:] == (True, True)
    assert rest(touches, 0.3)[-1] == Point(0.5, 0.5, False)
    touches.down(3, 0.1, 0.9, 2.0)
    assert touches.up(3, 2.1).tap
    touches.down(4, 0.6, 0.9, 2.2)
    assert not touches.up(4, 2.3).double_tap
    touches.down(5, 0.6, 0.9, 4.0)
    assert not touches.up(5, 4.1).double_tap, "too late for the second one"


def test_a_finger_of_an_unplugged_panel_gives_way() -> None:
    touches = Touches()
    touches.down(1, 0.1, 0.1, 0.0)
    assert touches.down(2, 0.9, 0.9, SILENT_S + 1.0) == Point(0.9, 0.9, True)
    assert 1 not in touches
    assert touches.up(1, SILENT_S + 2.0).point is None
    assert touches.up(2, SILENT_S + 3.0).point == Point(0.9, 0.9, False)


def test_losing_all_fingers_ends_the_touch() -> None:
    touches = Touches()
    assert touches.lose_all() is None
    touches.down(1, 0.3, 0.4, 0.0)
    touches.down(2, 0.5, 0.5, 0.0)
    assert touches.lose_all() == Point(0.3, 0.4, False)
    assert len(touches) == 0


def test_both_axes_are_one_function() -> None:
    assert share_of(100.0, 100.0, 800.0, 20.0) == 0.0
    assert share_of(900.0, 100.0, 800.0, 20.0) == 1.0
    assert share_of(500.0, 100.0, 800.0, 20.0) == pytest.approx(0.5)
    for share in (0.0, 0.25, 1.0):
        assert share_of(pixel_of(share, 30.0, 480.0, 20.0), 30.0, 480.0, 20.0) == pytest.approx(share)
    assert 0.0 <= share_of(5.0, 0.0, 10.0, 20.0) <= 1.0, "a surface smaller than its own edges"


def test_a_glide_is_friction() -> None:
    assert approach(0.0, 1.0, 0.3, 0.3) == pytest.approx(1.0 - math.exp(-1.0))
    glide = Glide((0.5, 0.5), (0.5, 2.0), 0.3, 10.0)
    assert glide.at(10.0) == (0.5, 0.5)
    assert glide.at(9.0) == (0.5, 0.5), "a clock of before"
    assert glide.at(20.0) == (0.5, 1.0)


def test_whatever_ten_fingers_do_every_touch_ends_and_all_points_are_on_the_surface() -> None:
    draw = random.Random(7)
    touches, down, now_s, touching = Touches(), set[int](), 0.0, False
    for _ in range(20_000):
        now_s += draw.expovariate(100.0)
        number = draw.randrange(10)
        x, y = draw.random(), draw.random()
        point = None
        if draw.random() < 0.6:
            point = touches.move(number, x, y, now_s)
        elif number in down:
            down.discard(number)
            point = touches.up(number, now_s).point
        elif draw.random() < 0.9:
            down.add(number)
            point = touches.down(number, x, y, now_s)
        else:
            point = touches.step(now_s)
        if point is not None:
            assert 0.0 <= point.x <= 1.0
            assert 0.0 <= point.y <= 1.0
            touching = point.touching
        if not touches:
            assert not touching, "the engine would wait for a finger that is gone"


def test_a_tap_may_tremble_but_not_move() -> None:
    touches = Touches(154.0, 86.0)
    swipe(touches, 1, [(0.0, 0.5, 0.5), (0.05, 0.505, 0.5)])  # 0.8 mm
    assert touches.up(1, 0.1).tap
    swipe(touches, 2, [(5.0, 0.5, 0.5), (5.05, 0.55, 0.5)])  # 7.7 mm
    assert not touches.up(2, 5.1).tap
