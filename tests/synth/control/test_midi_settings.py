"""The MIDI part of a patch: what is written is read, and nothing else is."""

import json
from typing import Any

import pytest

from synth.control.midi_settings import MidiSettings, Route, Target, can_be_assigned
from synth.errors import TetradError

FULL = MidiSettings(
    channels=frozenset({0, 9, 15}),
    assignments={21: "reverb", 1: "none"},
    bend_range_semitones=12.5,
    mpe_bend_range_semitones=24.0,
    pressure=Route(Target.LEVEL, -1.0),
    mpe_bend=Route(Target.X, 0.25),
    lower_members=7,
    upper_members=7,
    ignore_percussion=True,
    program_changes=False,
)


@pytest.mark.parametrize("settings", [MidiSettings(), FULL])
def test_what_is_written_is_read(settings: MidiSettings) -> None:
    assert MidiSettings.from_json(json.loads(json.dumps(settings.to_json()))) == settings


def test_the_form_is_the_documented_one() -> None:
    content = FULL.to_json()
    assert content["channels"] == [1, 10, 16]
    assert content["assignments"] == {"1": "none", "21": "reverb"}
    assert content["pressure"] == {"target": "level", "depth": -1.0}
    assert MidiSettings.from_json({}) == MidiSettings()
    assert MidiSettings().to_json()["channels"] == "omni"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "an object was expected"),
        ({"chanels": "omni"}, "unknown key 'chanels'; the nearest is \"channels\""),
        ({"channels": [0]}, "from 1 to 16"),
        ({"channels": [True]}, "from 1 to 16"),
        ({"channels": "all"}, "from 1 to 16"),
        ({"assignments": {"20": "revreb"}}, "There is no parameter 'revreb'"),
        ({"assignments": {"20": 7}}, "a parameter's name was expected"),
        ({"assignments": {"64": "x"}}, "Controller 64 has an assignment"),
        ({"assignments": {"128": "x"}}, "Controller 128"),
        ({"assignments": {"-1": "x"}}, "a number such as"),
        ({"assignments": {"²": "x"}}, "a number such as"),
        ({"assignments": 3}, "an object of controllers"),
        ({"bend_range_semitones": 97}, "from 0 to 96"),
        ({"bend_range_semitones": float("nan")}, "from 0 to 96"),
        ({"mpe_bend_range_semitones": "2"}, "from 0 to 96"),
        ({"pressure": {"target": "z"}}, "The target of pressure is 'z'"),
        ({"pressure": {"target": ["x"]}}, "The target of pressure"),
        ({"pressure": {"target": "pitch"}}, "only mpe_bend can go there"),
        ({"pressure": {"depth": 2}}, "from -1 to 1"),
        ({"pressure": {"deph": 1}}, 'the nearest is "depth"'),
        ({"pressure": "x"}, "an object was expected"),
        ({"lower_members": 8, "upper_members": 7}, "at most 14 together"),
        ({"lower_members": 2.0}, "a whole number from 0 to 15"),
        ({"ignore_percussion": 1}, "true or false"),
    ],
)
def test_everything_else_is_one_clear_line(content: Any, message: str) -> None:
    with pytest.raises(TetradError) as caught:
        MidiSettings.from_json(content)
    assert message in str(caught.value)


def test_what_midi_needs_itself_is_not_to_be_assigned() -> None:
    free = [controller for controller in range(-1, 130) if can_be_assigned(controller)]
    assert len(free) == 128 - 5 - 6 - 8
    assert {0, 6, 32, 38, 64, 96, 101, 120, 127}.isdisjoint(free)
