"""What a touch changes in the MIDI settings: whatever comes of it, the engine takes it."""

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from synth.control.midi_settings import MidiSettings, Target
from synth.control.parameters import PARAMETERS
from ui.pages.settings import midi_model as model

DEFAULTS = MidiSettings().to_json()


def accepted(settings: model.Settings, change: dict[str, object]) -> MidiSettings:
    """The engine's own reading of the settings with a change."""
    return MidiSettings.from_json({**settings, **change})


@hypothesis_settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["lower_members", "upper_members"]), st.integers(-3, 20)), max_size=12))
def test_zones_make_room_for_each_other(touches: list[tuple[str, int]]) -> None:
    settings = dict(DEFAULTS)
    for name, members in touches:
        change = model.with_zone(settings, name, members)
        assert change[name] == min(max(members, 0), 15)
        accepted(settings, change)
        settings |= change


def test_a_zone_that_grows_takes_from_the_other_no_more_than_it_needs() -> None:
    settings = {**DEFAULTS, "lower_members": 7, "upper_members": 7}
    assert model.with_zone(settings, "lower_members", 9) == {"lower_members": 9, "upper_members": 5}
    assert model.with_zone(settings, "lower_members", 15) == {"lower_members": 15, "upper_members": 0}
    alone = {**DEFAULTS, "lower_members": 0, "upper_members": 15}
    assert model.with_zone(alone, "lower_members", 0) == {"lower_members": 0, "upper_members": 15}
    assert model.with_zone(alone, "lower_members", 1) == {"lower_members": 1, "upper_members": 13}


@pytest.mark.parametrize(
    ("chosen", "channels"), [((), None), ((3,), {2}), ((16, 1), {0, 15}), (tuple(range(1, 17)), None)]
)
def test_channels(chosen: tuple[int, ...], channels: set[int] | None) -> None:
    settings = accepted(DEFAULTS, model.with_channels(chosen))
    assert settings.channels == channels
    assert set(model.channels(settings.to_json())) == {one + 1 for one in channels or ()}


@pytest.mark.parametrize("route", [*model.PRESSURES, *model.MPE_ROUTES])
@pytest.mark.parametrize("target", model.TARGETS)
def test_every_target_that_is_offered_is_taken(route: str, target: str) -> None:
    change = model.with_route(DEFAULTS, route, to=target)
    assert getattr(accepted(DEFAULTS, change), route).target == Target(target)
    assert change[route]["depth"] == DEFAULTS[route]["depth"]


def test_depth_stays_within_its_range() -> None:
    for far, kept in ((-5.0, -1.0), (0.35, 0.35), (7.0, 1.0)):
        assert accepted(DEFAULTS, model.with_route(DEFAULTS, "pressure", far=far)).pressure.depth == kept


def test_controllers_are_the_tables_and_the_players() -> None:
    own = next(one for one in PARAMETERS if one.name == "attack").midi_cc
    assert own is not None
    assert model.controllers(DEFAULTS, PARAMETERS)["attack"] == [own]
    settings = {**DEFAULTS, **model.with_assignment(DEFAULTS, 20, "attack")}
    accepted(settings, {})
    assert model.controllers(settings, PARAMETERS)["attack"] == sorted([20, own])
    taken = {**settings, **model.with_assignment(settings, own, "reverb")}
    assert model.controllers(taken, PARAMETERS)["attack"] == [20]
    assert own in model.controllers(taken, PARAMETERS)["reverb"]


@hypothesis_settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["assign", "forget"]),
            st.sampled_from([one.name for one in PARAMETERS]),
            st.integers(0, 118),
        ),
        max_size=15,
    )
)
def test_after_any_touches_the_engine_takes_the_assignments(touches: list[tuple[str, str, int]]) -> None:
    settings = dict(DEFAULTS)
    for what, name, number in touches:
        if what == "assign":
            settings |= model.with_assignment(settings, model.next_assignable(number, 1), name)
        else:
            settings |= model.without(settings, name, PARAMETERS)
            assert name not in model.controllers(settings, PARAMETERS)
        accepted(settings, {})


def test_only_controllers_that_may_be_assigned_are_stepped_to() -> None:
    up, down = [1], [119]
    while (one := model.next_assignable(up[-1], 1)) != up[-1]:
        up.append(one)
    while (one := model.next_assignable(down[-1], -1)) != down[-1]:
        down.append(one)
    assert up == down[::-1]
    assert {6, 32, 38, 64, 96, 101}.isdisjoint(up)
    assert {2, 5, 7, 95, 102}.issubset(up)


@pytest.mark.parametrize("nothing", [None, {}, [], 3])
def test_no_settings_yet(nothing: object) -> None:
    assert model.known(nothing) == {}


def test_settings_of_another_engine_keep_what_is_new_and_lose_what_is_wrong() -> None:
    found = model.known({"channels": [2], "program_changes": 1, "bend_range_semitones": True, "future": {"a": 1}})
    assert found["future"] == {"a": 1}
    assert found["channels"] == [2]
    assert found["program_changes"] is True
    assert found["bend_range_semitones"] == 2.0
    assert model.known({"pressure": 5})["pressure"] == DEFAULTS["pressure"]
