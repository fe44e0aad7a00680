"""A knob never makes its parameter jump."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_host.takeover import MEETS_WITHIN, Takeover

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
TRAVEL = st.floats(0.0, 1.0)


@UNHURRIED
@given(TRAVEL, st.lists(st.one_of(st.tuples(st.just("knob"), TRAVEL), st.tuples(st.just("patch"), TRAVEL))))
def test_a_parameter_moves_only_by_a_knob_that_holds_or_meets_it(
    first: float, happenings: list[tuple[str, float]]
) -> None:
    """The parameter never goes farther in one move than the knob did, and what separates the two when they meet."""
    takeover, knob, parameter = Takeover(), first, None
    takeover.knob_is(first)
    for what, travel in happenings:
        if what == "patch":
            parameter = travel
            takeover.parameter_is(travel)
            continue
        told = takeover.moved(travel)
        if told is None:
            assert parameter is None or abs(travel - parameter) > MEETS_WITHIN
        else:
            assert parameter is not None
            assert told == travel
            assert abs(told - parameter) <= abs(travel - knob) + MEETS_WITHIN
            parameter = told
        knob = travel


@UNHURRIED
@given(TRAVEL, TRAVEL, st.lists(TRAVEL, min_size=1))
def test_once_it_holds_it_holds(knob: float, value: float, moves: list[float]) -> None:
    takeover = Takeover()
    takeover.knob_is(knob)
    takeover.parameter_is(value)
    takeover.moved(0.0)
    takeover.moved(1.0)  # past every value
    assert takeover.holds
    assert [takeover.moved(move) for move in moves] == moves


def test_a_patch_lets_it_go_and_the_old_place_takes_hold_again() -> None:
    takeover = Takeover()
    takeover.knob_is(0.3)
    assert takeover.moved(0.4) is None  # nobody knows yet where the parameter is
    takeover.parameter_is(0.405)
    assert takeover.moved(0.5) == 0.5
    takeover.parameter_is(0.9)
    assert [takeover.moved(travel) for travel in (0.6, 0.8, 0.95, 0.2)] == [None, None, 0.95, 0.2]
    takeover.parameter_is(None)
    assert takeover.moved(0.25) is None
    takeover.parameter_is(0.25)
    takeover.knob_is(0.7)
    assert not takeover.holds
