"""Undo, redo and compare: every edit can be taken back, and no way through the editor loses the edited patch."""

import functools
import random

import pytest

from synth.control.corners import Corner
from synth.control.parameters import PARAMETERS
from synth.control.patch import Patch
from synth.control.patch_changes import Change, Part, applied
from synth.control.patch_editor import MOST_EDITS, PatchEditor
from synth.errors import TetradError
from tests.synth.control.test_patch import gesture, random_patch


def random_edit(dice: random.Random, editor: PatchEditor, now_s: float) -> tuple[Change, ...]:
    kind = dice.randrange(7)
    if kind == 0:
        return editor.set_corner(dice.choice(list(Corner)), dice.choice(("flute", "oboe", "choir", None)), now_s)
    if kind == 1:
        return editor.set_midi({"bend_range_semitones": dice.randrange(3)}, now_s)
    if kind == 2:
        return editor.set_tuning(dice.choice((None, {"name": dice.choice("ab")})), now_s)
    if kind == 3:
        return editor.set_gesture(dice.choice((None, gesture(1, dice.choice((0.2, 0.4))))), now_s)
    if kind == 4:
        return editor.load(random_patch(dice))
    values = {p.name: p.from_travel(dice.random()) for p in dice.sample(PARAMETERS, dice.choice((1, 1, 1, 2, 5)))}
    return editor.set_many(values, now_s)


@pytest.mark.parametrize("seed", range(20))
def test_undo_and_redo_go_through_every_state(seed: int) -> None:
    """Edits two seconds apart against a plain list of states."""
    dice = random.Random(seed)
    editor = PatchEditor(random_patch(dice))
    states, at = [(editor.patch, editor.stored)], 0
    for step in range(200):
        move = dice.random()
        if move < 0.3:
            editor.undo()
            at = max(at - 1, 0)
        elif move < 0.5:
            editor.redo()
            at = min(at + 1, len(states) - 1)
        else:
            before = (editor.patch, editor.stored)
            random_edit(dice, editor, 2.0 * step)
            if (editor.patch, editor.stored) != before:  # a knob set to where it stood is no edit
                states = [*states[: at + 1], (editor.patch, editor.stored)]
                at += 1
        assert (editor.patch, editor.stored) == states[at]
        assert (editor.undoable is None) == (at == 0)
        assert (editor.redoable is None) == (at == len(states) - 1)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_sent_keeps_an_engine_in_step(seed: int) -> None:
    """A mirror that only ever applies what the methods give sounds like the editor, whatever the order of things."""
    dice = random.Random(100 + seed)
    editor = PatchEditor(random_patch(dice))
    mirror, now_s = editor.sounding, 0.0
    for _ in range(300):
        now_s += dice.choice((0.01, 0.3, 2.0))
        edit = functools.partial(random_edit, dice, editor, now_s)
        changes = dice.choice(
            (
                edit,
                lambda: editor.play({"x": dice.random(), "y": dice.random()}),
                editor.undo,
                editor.redo,
                editor.compare,
                lambda: editor.saved(editor.patch),
                lambda: editor.saved(editor.patch.with_texts(name=dice.choice("ABC"))),
            )
        )()
        assert all(change.before != change.after for change in changes)
        mirror = applied(mirror, changes)
        assert mirror == editor.sounding
        assert editor.comparing or editor.sounding == editor.patch


@pytest.mark.parametrize("seed", range(20))
def test_all_the_way_back_and_forth(seed: int) -> None:
    """With merging: undoing everything gives the beginning, redoing everything the end."""
    dice = random.Random(200 + seed)
    first = random_patch(dice)
    editor, now_s = PatchEditor(first), 0.0
    for _ in range(200):
        now_s += dice.choice((0.01, 0.3, 0.9, 2.0))
        random_edit(dice, editor, now_s)
    last = editor.patch
    steps = 0
    while editor.undoable is not None:
        editor.undo()
        steps += 1
    assert editor.patch == first
    assert 0 < steps <= 200
    while editor.redoable is not None:
        editor.redo()
    assert editor.patch == last


@pytest.mark.parametrize("seed", range(20))
def test_edits_that_share_some_of_what_they_move_stay_in_order(seed: int) -> None:
    """Few parameters, in overlapping sets, all within a second: the place where merging could go wrong."""
    dice = random.Random(300 + seed)
    first = Patch()
    editor = PatchEditor(first)
    names = ("attack", "decay", "reverb", "delay")
    for step in range(60):
        values = {name: dice.random() / 2 for name in dice.sample(names, dice.randint(1, 3))}
        editor.set_many(values, 0.1 * step)
        if step == 40:
            last = editor.patch
            while editor.undoable:
                editor.undo()
            assert editor.patch == first
            while editor.redoable:
                editor.redo()
            assert editor.patch == last
    steps = [editor.patch]
    while editor.undoable:
        editor.undo()
        steps.append(editor.patch)
    assert steps[-1] == first
    for expected in steps[-2::-1]:
        editor.redo()
        assert editor.patch == expected


def test_a_swept_knob_is_one_edit() -> None:
    editor = PatchEditor()
    for step in range(100):
        editor.set("reverb", step / 100, 10.0 + 0.05 * step)
    editor.set("reverb", 1.0, 10.0 + 99 * 0.05 + 1.0)  # a whole second after the last: an edit of its own
    editor.undo()
    assert editor.patch.value("reverb") == 0.99
    editor.undo()
    assert editor.patch == Patch()
    assert editor.undoable is None


def test_a_knob_in_each_hand_is_two_edits() -> None:
    editor = PatchEditor()
    for step in range(1, 101):
        editor.set("attack", step / 10, 0.02 * step)
        editor.set("decay", step / 20, 0.02 * step + 0.01)
    assert (editor.patch.value("attack"), editor.patch.value("decay")) == (10.0, 5.0)
    editor.undo()
    assert (editor.patch.value("attack"), editor.patch.value("decay")) == (10.0, 0.0)
    editor.undo()
    assert editor.patch == Patch()
    assert editor.undoable is None


def test_a_path_over_both_axes_is_one_edit() -> None:
    editor = PatchEditor()
    for step in range(50):
        editor.set("x" if step % 2 else "y", step / 50, 0.01 * step)
    editor.undo()
    assert editor.patch == Patch()


def test_a_knob_that_came_back_is_no_edit() -> None:
    editor = PatchEditor()
    editor.set("reverb", 0.5, 0.0)
    editor.set("reverb", 0.0, 0.1)
    assert editor.undoable is None
    assert not editor.dirty


def test_an_undo_ends_a_sweep() -> None:
    editor = PatchEditor()
    editor.set("reverb", 0.2, 0.0)
    editor.set("delay", 0.2, 0.1)
    editor.undo()
    editor.set("reverb", 0.4, 0.2)
    editor.undo()
    assert editor.patch.value("reverb") == 0.2


def test_playing_is_no_edit() -> None:
    editor = PatchEditor()
    editor.set("reverb", 0.3, 0.0)
    editor.saved(editor.patch)
    assert editor.play({"x": 0.9, "y": 0.1}) == (
        Change(Part.PARAMETER, "x", 0.5, 0.9),
        Change(Part.PARAMETER, "y", 0.5, 0.1),
    )
    assert not editor.dirty
    editor.undo()
    assert editor.patch.value("reverb") == 0.0
    assert (editor.patch.value("x"), editor.patch.value("y")) == (0.9, 0.1)
    editor.set("x", 0.2)
    editor.redo()
    assert editor.dirty


def test_a_wrong_program_change_costs_nothing() -> None:
    editor = PatchEditor(Patch(name="Mine"))
    editor.set("reverb", 0.8)
    edited = editor.patch
    editor.load(Patch(name="Other").with_values({"reverb": 0.1}))
    assert not editor.dirty
    assert editor.stored.name == "Other"
    editor.undo()
    assert editor.patch == edited
    assert editor.stored.name == "Mine"
    assert editor.dirty


def test_compare_goes_there_and_back() -> None:
    editor = PatchEditor(Patch(name="Mine"))
    editor.set("reverb", 0.8)
    editor.set_corner(Corner.NW, "oboe")
    edited = editor.patch
    changes = editor.compare()
    assert {change.key for change in changes} == {"reverb", Corner.NW}
    assert editor.sounding == editor.stored == Patch(name="Mine")
    assert editor.patch == edited
    editor.compare()
    assert editor.sounding == edited


def test_the_finger_stays_where_it_is_while_comparing() -> None:
    editor = PatchEditor(Patch(name="Mine"))
    editor.set("reverb", 0.8)
    editor.play({"x": 0.9})
    editor.compare()
    assert editor.sounding == Patch(name="Mine").with_values({"x": 0.9})
    editor.play({"x": 0.3})
    assert editor.comparing
    assert editor.sounding.value("x") == 0.3
    assert editor.sounding.value("reverb") == 0.0


@pytest.mark.parametrize("what", ["edit", "undo", "redo", "load", "saved"])
def test_whatever_is_done_while_comparing_is_done_to_the_edited_patch(what: str) -> None:
    editor = PatchEditor(Patch(name="Mine"))
    editor.set("reverb", 0.8, 0.0)
    edited = editor.patch
    editor.compare()
    sounded = editor.sounding
    changes = {
        "edit": lambda: editor.set("delay", 0.5, 5.0),
        "undo": editor.undo,
        "redo": editor.redo,
        "load": lambda: editor.load(Patch(name="Other")),
        "saved": lambda: editor.saved(editor.patch),
    }[what]()
    assert not editor.comparing
    assert applied(sounded, changes) == editor.patch == editor.sounding
    expected = {"edit": edited.with_values({"delay": 0.5}), "undo": Patch(name="Mine"), "load": Patch(name="Other")}
    assert editor.patch == expected.get(what, edited)


def test_storing_under_another_name_is_a_step_that_keeps_names_and_contents_together() -> None:
    editor = PatchEditor(Patch(name="A"))
    editor.set("reverb", 0.8)
    editor.saved(editor.patch.with_texts(name="B", tags=["new"]))
    assert (editor.patch.name, editor.patch.tags, editor.stored.name, editor.dirty) == ("B", ("new",), "B", False)
    editor.load(Patch(name="C"))
    editor.undo()
    assert (editor.patch.name, editor.stored.name, editor.dirty) == ("B", "B", False)
    editor.undo()
    assert (editor.patch.name, editor.stored.name, editor.dirty) == ("A", "A", True)


def test_undoing_a_load_does_not_bring_back_an_older_stored_patch() -> None:
    editor = PatchEditor(Patch(name="Other"))
    editor.load(Patch(name="Mine"))
    editor.set("reverb", 0.8)
    editor.saved(editor.patch)
    editor.load(Patch(name="Third"))
    editor.undo()
    assert editor.stored.value("reverb") == 0.8
    assert not editor.dirty
    while editor.undoable:
        editor.undo()
    editor.redo()
    assert editor.patch.name == "Mine"
    assert editor.stored.value("reverb") == 0.8  # what is on disk


def test_what_means_nothing_changes_nothing() -> None:
    editor = PatchEditor(Patch(name="Mine"))
    editor.set("reverb", 0.8)
    before, undoable = editor.patch, editor.undoable
    for wrong in (
        lambda: editor.set("revreb", 1.0),
        lambda: editor.set("reverb", float("nan")),
        lambda: editor.set_many({"x": 0.1, "y": float("inf")}),
        lambda: editor.set_corner(Corner.NW, "\n"),
        lambda: editor.set_midi({"a": {1, 2}}),
        lambda: editor.set_midi({"a": 1}),
        lambda: editor.set_tuning({"pitches": []}),
        lambda: editor.set_gesture({}),
        lambda: editor.set_texts(name="x" * 100),
        lambda: editor.play({"z": 0.5}),
    ):
        with pytest.raises(TetradError):
            wrong()
    assert (editor.patch, editor.undoable) == (before, undoable)


def test_the_history_is_bounded() -> None:
    editor = PatchEditor()
    for step in range(MOST_EDITS + 100):
        editor.set("tempo", 30.0 + step % 200, 2.0 * step)
    steps = 0
    while editor.undoable:
        editor.undo()
        steps += 1
    assert steps == MOST_EDITS
    assert editor.patch.value("tempo") == 30.0 + 99
