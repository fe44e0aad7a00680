"""Values as words and back, controllers, groups: what the page of the sound decides without a window."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.control.midi_settings import MidiSettings
from synth.control.parameters import PARAMETERS, Parameter, parameter_named
from synth.errors import TetradError
from ui.pages.sound.groups import GROUPS, MORE, Room, columns_of, group_of, grouped, screens
from ui.texts import text
from ui.typed_values import range_words, value_of_text
from ui.values import name_words, value_words
from ui.widgets.controllers import controllers, without_controllers

parameters = st.sampled_from(PARAMETERS)
travels = st.floats(0.0, 1.0)


@given(parameters, travels)
def test_the_travel_of_a_value_is_where_the_value_came_from(parameter: Parameter, travel: float) -> None:
    value = parameter.from_travel(travel)
    again = parameter.to_travel(value)
    assert 0.0 <= again <= 1.0
    if parameter.curve == "step":
        assert parameter.from_travel(again) == value
    else:
        # A cubic's travel near 0 is the third root of what was rounded away beside a minimum of its own size.
        assert again == pytest.approx(travel, abs=1e-5)
        assert parameter.from_travel(again) == pytest.approx(value, rel=1e-9, abs=1e-9)


@given(parameters, st.floats(allow_nan=False, allow_infinity=False))
def test_a_value_beyond_the_range_has_the_travel_of_its_end(parameter: Parameter, value: float) -> None:
    assert parameter.to_travel(value) == parameter.to_travel(parameter.clamp(value))
    assert parameter.to_travel(parameter.minimum) == 0.0
    assert parameter.to_travel(parameter.maximum) == 1.0


@given(parameters, travels)
def test_what_is_written_can_be_typed(parameter: Parameter, travel: float) -> None:
    value = parameter.from_travel(travel)
    typed = value_of_text(parameter, value_words(parameter, value))
    assert value_words(parameter, typed) == value_words(parameter, value)
    assert abs(typed - value) <= max(0.006 * abs(value), 0.06)


@pytest.mark.parametrize(
    ("name", "words", "value"),
    [
        ("attack", "250ms", 0.25),
        ("attack", " 1,5 S ", 1.5),
        ("attack", "2", 2.0),
        ("attack", "99", 10.0),
        ("volume", "-12", -12.0),
        ("detune", "+.5 cents", 0.5),
        ("play_mode", "MONO", 1.0),
        ("unison", "3 voices", 3.0),
        ("unison", "1 voice", 1.0),
        ("unison", "2.6", 3.0),
        ("reverb", "0.4", 0.4),
        ("reverb", "1", 1.0),
        ("reverb", "40", 0.4),
        ("reverb", "40 %", 0.4),
        ("reverb", "0.5 %", 0.005),
        ("velocity_curve", "-25 %", -0.25),
    ],
)
def test_what_people_type_is_understood(name: str, words: str, value: float) -> None:
    assert value_of_text(parameter_named(name), words) == value


@pytest.mark.parametrize(
    ("name", "words"), [("attack", "soon"), ("attack", "3 dB"), ("volume", ""), ("volume", "5 ms"), ("play_mode", "1")]
)
def test_what_means_nothing_is_refused_with_what_was_expected(name: str, words: str) -> None:
    parameter = parameter_named(name)
    with pytest.raises(TetradError) as refused:
        value_of_text(parameter, words)
    assert range_words(parameter) in str(refused.value)


@given(parameters, st.text(max_size=20))
def test_any_text_is_a_value_or_is_refused(parameter: Parameter, words: str) -> None:
    try:
        value = value_of_text(parameter, words)
    except TetradError:
        return
    assert parameter.minimum <= value <= parameter.maximum
    assert math.isfinite(value)


def test_an_unknown_parameter_has_words_all_the_same() -> None:
    assert name_words("reverb_colour") == "Reverb colour"
    assert all(f"{parameter.name}" != name_words(parameter.name) for parameter in PARAMETERS)


def test_every_parameter_stands_in_one_group_and_the_finger_in_none() -> None:
    groups = grouped(PARAMETERS)
    names = [parameter.name for parameters in groups.values() for parameter in parameters]
    assert sorted([*names, "x", "y"]) == sorted(parameter.name for parameter in PARAMETERS)
    assert MORE not in groups
    assert all(text(f"sound.group.{name}") for name in (*GROUPS, MORE))


def test_a_new_parameter_finds_its_group_and_a_strange_one_stands_in_more() -> None:
    new = [replace(PARAMETERS[2], name=name) for name in ("reverb_colour", "attack_curve", "wobble")]
    groups = grouped([*PARAMETERS, *new])
    assert new[0] in groups["effects"]
    assert new[1] in groups["envelope"]
    assert groups[MORE] == [new[2]]
    assert group_of("levelling") == MORE  # whole words, not the beginnings of longer ones


@given(
    st.dictionaries(st.sampled_from([*GROUPS, MORE]), st.integers(1, 40), min_size=1),
    st.floats(0.0, 400.0),
    st.integers(1, 4),
)
def test_every_group_is_on_one_screen_and_only_what_fits_shares_one(
    counts: dict[str, int], height_mm: float, columns: int
) -> None:
    room = Room(height_mm, columns)
    found = screens(counts, room)
    assert [group for screen in found for group in screen] == list(counts)
    for screen in found:
        assert len(screen) == 1 or sum(room.needs_mm(group, counts[group]) for group in screen) <= height_mm + 1e-6


def test_larger_screens_show_more_faders_beside_each_other() -> None:
    assert columns_of(245, 3.2) == 1  # 320x240
    assert columns_of(678, 5.19) == 2  # 800x480
    assert columns_of(1084, 8.31) == 2  # 1280x720, the same millimetres
    assert columns_of(1700, 9.0) == 3
    assert columns_of(2400, 9.0) == 4


def test_controllers_are_the_tables_own_but_for_those_that_were_given_away() -> None:
    settings = MidiSettings(assignments={74: "reverb", 20: "reverb", 21: "attack", 73: "none"}).to_json()
    found = controllers(PARAMETERS, settings)
    assert found["reverb"] == [20, 74, 91]
    assert found["attack"] == [21]
    assert "brightness" not in found
    assert found["detune"] == [94]


@given(parameters, st.dictionaries(st.sampled_from([20, 21, 74, 93]), st.sampled_from(["none", "reverb", "attack"])))
def test_forgetting_leaves_a_parameter_without_controllers_and_the_others_with_theirs(
    parameter: Parameter, assignments: dict[int, str]
) -> None:
    before = MidiSettings(assignments=assignments).to_json()
    after = without_controllers(parameter, before)
    MidiSettings.from_json(after)  # the engine takes it
    had, has = controllers(PARAMETERS, before), controllers(PARAMETERS, after)
    assert parameter.name not in has
    for name in (had.keys() | has.keys()) - {parameter.name}:
        # What it had taken from the table's own owner goes back there.
        back = {parameter_named(name).midi_cc} & set(had.get(parameter.name, []))
        assert set(has.get(name, [])) == set(had.get(name, [])) | back
