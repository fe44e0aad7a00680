"""Fast turning goes farther, and never astray."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_host.acceleration import MOST_STEPS, WINDOW_S, Acceleration, steps_per_detent

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
TURNS = st.lists(st.tuples(st.integers(-40, 40), st.floats(0.0, 0.5)), max_size=80)


@UNHURRIED
@given(st.floats(0.0, 1e4), st.floats(0.0, 1e4))
def test_the_faster_the_farther_within_bounds(one: float, other: float) -> None:
    slow, fast = sorted((one, other))
    assert 1.0 <= steps_per_detent(slow) <= steps_per_detent(fast) <= MOST_STEPS


@UNHURRIED
@given(TURNS)
def test_steps_have_the_sign_and_at_least_the_number_of_the_detents(turns: list[tuple[int, float]]) -> None:
    acceleration, now_s, remainder = Acceleration(), 0.0, 1.0
    for detents, after_s in turns:
        now_s += after_s
        steps = acceleration.steps(detents, now_s)
        assert steps * detents >= detents * detents
        assert abs(steps) <= abs(detents) * MOST_STEPS + remainder


@UNHURRIED
@given(st.lists(st.sampled_from([-1, 1]), max_size=100))
def test_slow_clicks_are_one_step_each_and_come_back(clicks: list[int]) -> None:
    acceleration = Acceleration()
    assert [acceleration.steps(click, number * WINDOW_S) for number, click in enumerate(clicks)] == clicks


def test_a_spin_goes_four_times_as_far() -> None:
    acceleration = Acceleration()
    steps = [acceleration.steps(1, 0.0125 * number) for number in range(80)]  # 80 detents a second
    assert steps[:2] == [1, 1]
    assert steps[40:] == [4] * 40
    assert acceleration.steps(-1, 1.0) == -1
