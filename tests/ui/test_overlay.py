"""What others turn is shown, what this screen set is not; and it is seen on a real screen beside a real engine."""

import math
from collections.abc import Callable

import pytest

from tests.listening import wait_until
from tests.ui.engine import EngineProcess
from tests.ui.screen import Screen
from ui.texts import text
from ui.turned import MANY, MOST_CARDS, SHOWN_S, Card, Turned

CORNER = {"instrument": "flute", "display_name": "Flute", "family": "wind", "wanted": ""}


class Clockwork:
    """What this screen sent, and when."""

    def __init__(self) -> None:
        self.sent: dict[str, float] = {}

    def own_s(self, what: str) -> float:
        return self.sent.get(what, -math.inf)


@pytest.fixture
def own() -> Clockwork:
    return Clockwork()


@pytest.fixture
def turned(own: Clockwork) -> Turned:
    turned = Turned(own.own_s, "screen")
    turned.take_parameters({"attack": 0.0, "decay": 0.0, "x": 0.0}, 0.0)
    turned.take_corners({"nw": CORNER}, 0.0)
    turned.take_patch("First", 0, 0.0)
    return turned


def names(cards: list[Card]) -> list[str]:
    return [card.name for card in cards]


def test_nothing_is_shown_of_the_first_status(turned: Turned) -> None:
    assert turned.cards(0.0) == []


def test_a_change_is_shown_for_a_moment(turned: Turned) -> None:
    turned.take_parameters({"attack": 0.5, "decay": 0.0, "x": 0.0}, 10.0)
    assert [(card.name, card.value) for card in turned.cards(10.0)] == [("attack", 0.5)]
    assert turned.cards(10.0 + SHOWN_S) == []


def test_a_finger_is_not_shown(turned: Turned) -> None:
    turned.take_parameters({"attack": 0.0, "decay": 0.0, "x": 0.7}, 10.0)
    turned.take_notice({"parameter": "x", "value": 0.3, "by": "midi"}, 10.0)
    assert turned.cards(10.0) == []


def test_what_this_screen_set_is_not_shown(turned: Turned, own: Clockwork) -> None:
    own.sent["attack"] = 9.9
    turned.take_parameters({"attack": 0.5, "decay": 0.1, "x": 0.0}, 10.0)
    assert names(turned.cards(10.0)) == ["decay"]
    turned.take_parameters({"attack": 0.6, "decay": 0.1, "x": 0.0}, 10.5)
    assert names(turned.cards(10.5)) == ["decay", "attack"], "somebody else's, half a second after our own"


@pytest.mark.parametrize("by", ["screen", "patch"])
def test_the_engines_word_on_who_did_it_counts(turned: Turned, by: str) -> None:
    turned.take_notice({"parameter": "attack", "value": 0.5, "by": by}, 10.0)
    assert turned.cards(10.0) == []
    turned.take_notice({"parameter": "attack", "value": 0.6, "by": "midi"}, 10.1)
    assert [(card.value, card.by) for card in turned.cards(10.1)] == [(0.6, "midi")]
    turned.take_parameters({"attack": 0.0, "decay": 9.0, "x": 0.0}, 10.2)
    assert names(turned.cards(10.2)) == ["attack"], "an engine that tells is not guessed at"


def test_notices_that_mean_nothing_are_survived(turned: Turned) -> None:
    for data in ({}, {"parameter": 3, "value": 1.0}, {"parameter": "attack", "value": True}, {"parameter": "attack"}):
        turned.take_notice(data, 10.0)
    assert turned.cards(10.0) == []


def test_the_last_few_knobs_stay_in_their_places(turned: Turned) -> None:
    for number in range(MOST_CARDS + 1):
        turned.take_notice({"parameter": f"p{number}", "value": 0.0, "by": "board"}, 10.0)
    turned.take_notice({"parameter": "p2", "value": 1.0, "by": "board"}, 10.1)
    assert [(card.name, card.value) for card in turned.cards(10.1)] == [("p1", 0.0), ("p2", 1.0), ("p3", 0.0)]


def test_many_at_once_are_no_knobs(turned: Turned) -> None:
    values = {f"p{number}": 0.0 for number in range(MANY)}
    turned.take_parameters(values, 10.0)
    turned.take_parameters(dict.fromkeys(values, 1.0), 10.1)
    assert turned.cards(10.1) == []


def test_an_instrument_is_shown_when_it_is_wanted_and_not_again(turned: Turned, own: Clockwork) -> None:
    turned.take_corners({"nw": {**CORNER, "wanted": "cello"}}, 10.0)
    assert [(card.kind, card.name, card.other) for card in turned.cards(10.0)] == [("corner", "nw", "cello")]
    turned.take_corners({"nw": {**CORNER, "instrument": "cello"}}, 20.0)
    assert turned.cards(20.0) == []
    own.sent["corner.nw"] = 29.0
    turned.take_corners({"nw": {**CORNER, "wanted": "harp"}}, 30.0)
    assert turned.cards(30.0) == []


def test_what_is_browsed_is_shown_until_it_is_taken_or_given_up(turned: Turned) -> None:
    turned.take_focus({"target": "nw", "by": "board", "instrument": "cello"})
    turned.take_focus({"target": "nw", "by": "board", "instrument": "harp"})
    assert [(card.kind, card.name, card.other, card.by) for card in turned.cards(99.0)] == [
        ("browsed", "nw", "harp", "board")
    ]
    turned.take_focus({"target": "nw", "by": "board"})
    assert turned.cards(99.0) == []
    turned.take_focus({"target": "se", "by": "board", "instrument": "harp"})
    turned.connected()
    assert turned.cards(99.0) == []


def test_another_patch_takes_the_place_of_its_knobs(turned: Turned, own: Clockwork) -> None:
    turned.take_parameters({"attack": 0.5, "decay": 0.0, "x": 0.0}, 10.0)
    turned.take_patch("Second", 1, 10.0)
    turned.take_parameters({"attack": 0.6, "decay": 0.0, "x": 0.0}, 10.1)
    assert [(card.kind, card.name, card.number) for card in turned.cards(10.1)] == [("patch", "Second", 1)]
    own.sent["patch_load"] = 19.5
    turned.take_patch("Third", 2, 20.0)
    assert turned.cards(20.0) == []


def test_another_engine_moved_nothing(turned: Turned) -> None:
    turned.connected()
    turned.take_parameters({"attack": 0.9}, 10.0)
    turned.take_patch("Other", 3, 10.0)
    assert turned.cards(10.0) == []


def test_a_knob_elsewhere_is_seen_large(engine: EngineProcess, new_screen: Callable[..., Screen]) -> None:
    """Another client turns a knob: its name, its value with its unit. A touch goes through to what lies below."""
    screen = new_screen().connected()
    wait_until(lambda: screen.mirror("table"), "the table of parameters")
    engine.client.request("set", parameter="attack", value=0.012)
    card = screen.find(**{"class": "ChangeCard"})
    said = screen.texts()
    assert "Attack" in said
    assert "12 ms" in said
    assert card.size_px[1] >= 90.0
    wait_until(lambda: not screen.widgets(**{"class": "ChangeCard"}), "the end of the moment")

    engine.client.request("focus", corner="ne", instrument="electric-grand")
    wait_until(lambda: "Electric Grand" in screen.texts(), "the name of what an encoder is turned to")
    assert text("overlay.browsed", corner=text("corner.ne")) in screen.texts()
    engine.client.request("focus")
    wait_until(lambda: not screen.widgets(**{"class": "ChangeCard"}), "its end")

    engine.client.request("patch_load", name="Cathedral")
    wait_until(lambda: "Cathedral" in screen.texts(), "the patch's name")
    assert "Patch 0.7" in screen.texts()
