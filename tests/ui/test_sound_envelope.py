"""The envelope's geometry: handles and values, the curve and the engine's own envelope."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.control.parameters import parameter_named
from synth.voices.envelope import envelope_gain
from ui.pages.sound.envelope_shape import ATTACK, DECAY, HANDLES, MOVES, RELEASE, START, EnvelopeShape

NAMES = ("position", "attack", "decay", "sustain", "release")
PARAMETERS = {name: parameter_named(name) for name in NAMES}
SHAPE = EnvelopeShape(109.0, 76.0, 366.0, 336.0, 47.0, PARAMETERS)
travels = st.floats(0.0, 1.0)
envelopes = st.fixed_dictionaries({name: travels.map(PARAMETERS[name].from_travel) for name in NAMES})
audible = st.just(0.0) | st.floats(1e-3, 1.0)
"""Times of at least 10 ns: what lies below is lost in the rounding of pixels."""
heard = st.fixed_dictionaries({name: audible.map(PARAMETERS[name].from_travel) for name in NAMES})


@given(envelopes, st.sampled_from(HANDLES))
def test_a_handle_that_is_put_where_it_is_changes_nothing(values: dict[str, float], handle: str) -> None:
    again = SHAPE.values_at(handle, *SHAPE.place(handle, values), values)
    assert tuple(again) == MOVES[handle]
    for name, value in again.items():
        assert PARAMETERS[name].to_travel(value) == pytest.approx(PARAMETERS[name].to_travel(values[name]), abs=1e-5)


@given(envelopes, st.sampled_from(HANDLES), st.floats(-2000, 2000), st.floats(-2000, 2000))
def test_wherever_a_finger_goes_the_values_are_in_their_ranges(
    values: dict[str, float], handle: str, x: float, y: float
) -> None:
    for name, value in SHAPE.values_at(handle, x, y, values).items():
        assert PARAMETERS[name].minimum <= value <= PARAMETERS[name].maximum


@given(envelopes)
def test_no_two_handles_lie_on_each_other_and_all_on_the_drawing(values: dict[str, float]) -> None:
    places = [SHAPE.place(handle, values) for handle in HANDLES]
    for one, other in itertools.combinations(places, 2):
        assert math.dist(one, other) >= SHAPE.touch - 1e-6
    half = SHAPE.touch / 2.0
    for x, y in places:
        assert SHAPE.left + half - 1e-6 <= x <= SHAPE.left + SHAPE.width - half + 1e-6
        assert SHAPE.bottom + half - 1e-6 <= y <= SHAPE.bottom + SHAPE.height - half + 1e-6


@given(heard)
def test_the_curve_is_the_engines_envelope(values: dict[str, float]) -> None:
    """Every point until the key is let go is what synth/voices/envelope.py gives at the time that its place means."""
    first, attack_end = SHAPE.start_lane[0], SHAPE.place(ATTACK, values)[0]
    # Where a time is 0 the level jumps, and both ends of the jump are drawn.
    held = [point for point in SHAPE.curve(values)[1:-2] if point[0] > first and point[0] != attack_end]
    for x, y in held:
        if x < attack_end:
            seconds = SHAPE.values_at(ATTACK, x, 0.0, values)["attack"]
        else:
            seconds = values["attack"] + SHAPE.values_at(DECAY, x, 0.0, values)["decay"]
        gain = envelope_gain(seconds, values["attack"], values["decay"], values["sustain"])
        level_db = 20.0 * math.log10(gain) if gain > 0.0 else -60.0
        drawn_db = PARAMETERS["sustain"].from_travel((y - SHAPE.low) / (SHAPE.high - SHAPE.low))
        assert drawn_db == pytest.approx(max(level_db, -60.0), abs=0.5)


@given(envelopes)
def test_the_curve_goes_from_left_to_right_and_ends_at_the_releases_handle(values: dict[str, float]) -> None:
    points = SHAPE.curve(values)
    assert all(a[0] <= b[0] + 1e-6 for a, b in itertools.pairwise(points))
    assert points[-1] == (SHAPE.place(RELEASE, values)[0], SHAPE.low)
    assert SHAPE.place(DECAY, values)[1] == pytest.approx(points[-2][1])


def test_five_milliseconds_and_ten_seconds_can_both_be_aimed_at() -> None:
    at_rest = {name: parameter.default for name, parameter in PARAMETERS.items()}
    first = SHAPE.place(ATTACK, at_rest)[0]
    short = SHAPE.place(ATTACK, {**at_rest, "attack": 0.005})[0] - first
    long = SHAPE.place(ATTACK, {**at_rest, "attack": 10.0})[0] - first
    assert short >= 5.0
    assert long <= 120.0


def test_an_engine_without_the_start_position_has_the_other_handles() -> None:
    parameters = {name: parameter for name, parameter in PARAMETERS.items() if name != "position"}
    shape = EnvelopeShape(0.0, 0.0, 400.0, 300.0, 47.0, parameters)
    assert START not in shape.handles
    assert len(shape.handles) == 3
