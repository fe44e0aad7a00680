"""The walk asks for every control once, and says what is wired wrong."""

import pytest

from firmware_host.events import Event, Knob, KnobMoved, KnobNoisy, Pressed, Stuck, Switch, Turned
from firmware_host.walk import DETENTS, Step, Walk, steps
from synth.control.corners import Corner


def done(step: Step) -> list[Event]:
    match step.control:
        case Corner() as corner:
            return [Turned(corner, 1)] * DETENTS
        case Knob() as knob:
            return [KnobMoved(knob, 0.4), KnobMoved(knob, 0.0), KnobMoved(knob, 0.7), KnobMoved(knob, 1.0)]
        case _:
            return [Pressed(step.control)]


def test_every_control_once() -> None:
    controls = [step.control for step in steps()]
    assert sorted(map(repr, controls)) == sorted(map(repr, [*Corner, *Switch, *Knob]))
    assert [step.led for step in steps() if step.led is not None] == [0, 1, 2, 3]


def test_a_right_board_has_no_remarks_and_no_step_ends_early() -> None:
    walk = Walk()
    for step in steps():
        *before, last = done(step)
        for event in before:
            assert walk.take(event) == ""
            assert walk.step is step or walk.step == step
        assert walk.take(last).endswith("right.")
    assert walk.step is None
    assert walk.remarks == []
    assert walk.take(Pressed(Switch.PATCH_1)) == ""


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Turned(Corner.NW, -1), "turns the wrong way; swap its outer wires, or write into board.toml: [reversed]"),
        (Turned(Corner.SE, 1), "that was the encoder bottom right, and the encoder top left was expected"),
        (Pressed(Switch.PATCH_3), "that was patch button 3, and the encoder top left was expected"),
        (KnobMoved(Knob.DECAY, 0.5), "that was the knob decay, and the encoder top left was expected"),
        (Stuck(Switch.PUSH_SW), "the push of the encoder bottom left is down all the time"),
        (KnobNoisy(Knob.VOLUME), "the knob volume trembles"),
    ],
)
def test_what_is_wrong_is_said_once(event: Event, words: str) -> None:
    walk = Walk()
    assert words in walk.take(event)
    assert walk.take(event) == ""
    assert len(walk.remarks) == 1
    assert walk.step == steps()[0]


def test_what_does_not_come_can_be_passed_over() -> None:
    walk = Walk()
    assert "nothing came of: Turn the encoder top left" in walk.skip()
    assert walk.step == steps()[1]
