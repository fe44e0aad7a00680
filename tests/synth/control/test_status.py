"""Status as differences: whoever applies them has what was sent."""

import json
import random
from typing import Any

import numpy as np
import pytest

from synth.control.events import Dimension
from synth.control.status import NOTICES, STATUS, difference, merged, normalised, problems


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [  # the test cases of RFC 7396, appendix A, whose outcome is an object
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patches_are_those_of_the_standard(
    target: dict[str, Any], patch: dict[str, Any], result: dict[str, Any]
) -> None:
    before = repr(target)
    assert merged(target, patch) == result
    assert repr(target) == before


def random_status(rng: random.Random, depth: int = 0) -> dict[str, Any]:
    def value() -> Any:
        if depth < 3 and rng.random() < 0.3:
            return random_status(rng, depth + 1)
        return rng.choice([0, 1, True, False, "a", "b", [1], [0, "a"], 0.5, []])

    return {name: value() for name in "abcd" if rng.random() < 0.7}


def test_any_status_becomes_any_other_by_its_difference() -> None:
    rng = random.Random(11)
    before = random_status(rng)
    for _ in range(3000):
        after = random_status(rng)
        back = merged(before, difference(before, after))
        assert json.dumps(back, sort_keys=True) == json.dumps(after, sort_keys=True)
        assert difference(after, after) == {}
        before = after


def test_true_and_one_are_not_the_same() -> None:
    assert difference({"a": 1}, {"a": True}) == {"a": True}


def test_a_status_is_plain_json_without_null() -> None:
    assert normalised(
        {
            "a": None,
            "b": {"c": None, "d": np.float32(0.1), "e": float("nan")},
            "f": (1, None, float("inf"), np.int32(5)),
            "g": 1 / 3,
            "h": np.array([0.5, 1.5]),
            "i": np.float64(2.0),
            "j": Dimension.BEND,
        }
    ) == {"b": {"d": 0.1}, "f": [1, None, None, 5], "g": 0.333333, "h": [0.5, 1.5], "i": 2.0, "j": "bend"}


def test_problems_are_named() -> None:
    good = {
        "parameters": {"x": 0.5, "anything": 1},
        "corners": {"nw": {"instrument": "flute"}},
        "levels": {"peak_dbfs": [-1.0, -2.0]},
        "patch": {"edited": True},
    }
    assert problems(good) == []
    assert problems({}) == []
    bad = {
        "parameters": {"x": "left"},
        "corners": {"nw": "flute"},
        "voices": {"sounding": True, "many": 5},
        "weather": "fine",
        "patch": {"edited": 1},
    }
    assert problems(bad) == [
        "status parameters.x is 'left'; a number was expected",
        "status corners.nw is 'flute'; an object was expected",
        "status voices.sounding is True; a whole number was expected",
        "status voices.many is not in the table; add it there",
        "status weather is not in the table; add it there",
        "status patch.edited is 1; a flag was expected",
    ]


def test_the_tables_name_nothing_twice() -> None:
    assert len({entry.path for entry in STATUS}) == len(STATUS)
    assert len({notice.name for notice in NOTICES}) == len(NOTICES)
