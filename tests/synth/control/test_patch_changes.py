"""Differences between patches lead from one to the other, and hold nothing else."""

import random

from synth.control.corners import Corner
from synth.control.patch import Patch
from synth.control.patch_changes import Change, Part, applied, differences, merged
from tests.synth.control.test_patch import random_patch


def test_differences_lead_there_and_back() -> None:
    dice = random.Random(3)
    for _ in range(200):
        a, b = random_patch(dice), random_patch(dice)
        changes = differences(a, b)
        assert applied(a, changes) == b
        assert applied(b, [change.reversed() for change in changes]) == a
        assert differences(a, a) == ()
        assert all(change.before != change.after for change in changes)


def test_differences_are_only_what_differs() -> None:
    a = Patch()
    b = a.with_values({"reverb": 0.5}).with_corner(Corner.SE, "oboe").with_texts(name="Other")
    assert differences(a, b) == (
        Change(Part.CORNER, Corner.SE, "choir", "oboe"),
        Change(Part.PARAMETER, "reverb", 0.0, 0.5),
        Change(Part.NAME, "", "Init", "Other"),
    )


def test_two_edits_become_one() -> None:
    dice = random.Random(4)
    for _ in range(100):
        a, b, c = (random_patch(dice) for _ in range(3))
        assert applied(a, merged(differences(a, b), differences(b, c))) == c
    a, b = random_patch(dice), random_patch(dice)
    assert merged(differences(a, b), differences(b, a)) == ()
