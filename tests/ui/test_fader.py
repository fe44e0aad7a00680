"""What a finger on a fader means."""

from hypothesis import given
from hypothesis import strategies as st

from ui.widgets.fine_drag import FINE_FROM_MM, FINER, SLOP_MM, FineDrag


def drag(travel: float = 0.5, can_scroll: bool = False) -> FineDrag:
    return FineDrag(travel, 30.0, 5.0, 60.0, can_scroll)


def test_a_finger_that_rolls_is_no_drag() -> None:
    finger = drag()
    assert not finger.move(30.0 + SLOP_MM * 0.9, 5.0)
    assert (finger.state, finger.travel) == ("waiting", 0.5)


def test_the_value_does_not_jump_and_follows_the_whole_length() -> None:
    finger = drag(0.0)
    finger.move(30.0 + SLOP_MM, 5.0)
    assert finger.travel == 0.0
    finger.move(60.0 + SLOP_MM, 5.0)
    assert abs(finger.travel - 0.5) < 1e-9
    assert not finger.fine


def test_a_slow_screen_loses_no_more_of_a_drag_than_a_fast_one() -> None:
    fast, slow = drag(), drag()
    for step in range(1, 21):
        fast.move(30.0 - step, 5.0)
    slow.move(10.0, 5.0)
    assert abs(fast.travel - slow.travel) < 1e-9
    assert abs(slow.travel - (0.5 - (20.0 - SLOP_MM) / 60.0)) < 1e-9


def test_a_finger_far_across_is_ten_times_finer_and_coarse_again_when_it_comes_back() -> None:
    finger = drag(0.2)
    finger.move(30.0 + SLOP_MM, 5.0)
    finger.move(30.0 + SLOP_MM, 5.0 + FINE_FROM_MM + 0.5)
    assert finger.fine
    assert finger.travel == 0.2
    finger.move(36.0 + SLOP_MM, 5.0 + FINE_FROM_MM + 0.5)
    assert abs(finger.travel - (0.2 + 0.1 / FINER)) < 1e-9
    finger.move(36.0 + SLOP_MM, 5.0 + FINE_FROM_MM - 1.0)
    assert finger.fine  # a little nearer is no return
    finger.move(36.0 + SLOP_MM, 5.0)
    assert not bool(finger.fine)
    assert abs(finger.travel - (0.2 + 0.1 / FINER)) < 1e-9


def test_a_rest_in_a_drag_makes_it_fine_for_good_but_a_rest_before_it_does_not() -> None:
    before = drag()
    before.rest()
    before.move(40.0, 5.0)
    assert not before.fine
    finger = drag()
    finger.move(30.0 + SLOP_MM, 5.0)
    finger.rest()
    finger.move(36.0 + SLOP_MM, 5.0)
    assert finger.fine
    assert abs(finger.travel - (0.5 + 0.1 / FINER)) < 1e-9


def test_moving_across_first_scrolls_where_something_can_scroll() -> None:
    finger = drag(can_scroll=True)
    finger.move(30.0, 9.0)
    finger.move(50.0, 9.0)
    assert (finger.state, finger.travel) == ("scrolling", 0.5)
    fixed = drag()
    fixed.move(30.0, 9.0)
    fixed.move(36.0, 9.0)
    assert abs(fixed.travel - 0.6) < 1e-9


@given(st.floats(0.0, 1.0), st.lists(st.tuples(st.floats(-500, 500), st.floats(-500, 500), st.booleans()), max_size=40))
def test_wherever_a_finger_goes_the_travel_stays_inside(travel: float, places: list[tuple[float, float, bool]]) -> None:
    finger = drag(travel)
    for along, across, rests in places:
        finger.move(along, across)
        if rests:
            finger.rest()
        assert 0.0 <= finger.travel <= 1.0
        assert not finger.fine or finger.state == "dragging"
