"""Each control of the board changes the real engine, and nothing else of it."""

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from firmware_host import lamps
from firmware_host.browse import FORGOTTEN_AFTER_S, in_order
from firmware_host.events import STUCK_S, Knob, Switch
from firmware_host.messages import State
from firmware_host.panel import FOCUS_S, LOOK_EVERY_S, Panel
from firmware_host.settings import BoardSettings
from synth.control.corners import Corner
from synth.control.parameters import parameter_named
from tests.firmware_host.hand import Hand
from tests.listening import wait_until
from tests.ui.engine import EngineProcess

LIMIT_S = 30.0


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def panel(engine: EngineProcess, said: list[str]) -> Iterator[Panel]:
    with_engine = opened(engine.socket, said)
    yield with_engine
    with_engine.close()
    assert with_engine.engine.failure is None


@pytest.fixture
def hand(panel: Panel) -> Hand:
    return Hand(panel)


def opened(socket: Path, said: list[str], settings: BoardSettings | None = None) -> Panel:
    """A panel that knows the engine."""
    panel = Panel(settings or BoardSettings(), said.append, socket)
    panel.start()
    wait_until(lambda: panel.ready, "the panel's knowing the engine")
    return panel


def status_of(engine: EngineProcess) -> dict[str, Any]:
    return engine.client.request("status")


def value(engine: EngineProcess, parameter: str) -> float:
    """After all that was sent by others before (commands of several clients meet in the engine)."""
    found: float = status_of(engine)["parameters"][parameter]
    return found


def settle(hand: Hand) -> None:
    """Until the engine has taken what the panel sent, and the panel what the engine said of it."""
    hand.panel.engine.request("ping")


def test_a_turn_browses_and_a_push_takes(engine: EngineProcess, hand: Hand) -> None:
    choices = in_order(engine.client.request("instruments")["instruments"])
    before = status_of(engine)["corners"]
    names = [choice.name for choice in choices]
    place = names.index(before["nw"]["instrument"])
    wanted = choices[place + 3] if place + 3 < len(choices) else choices[place - 3]
    hand.turn(Corner.NW, 3 if place + 3 < len(choices) else -3)
    settle(hand)
    status = status_of(engine)
    assert status["focus"]["target"] == "nw"
    assert (status["focus"]["by"], status["focus"]["instrument"]) == ("board", wanted.name)
    assert status["corners"] == before  # browsing alone changes nothing
    hand.press(Switch.PUSH_NW)
    engine.client.wait_for(lambda status: status["corners"]["nw"]["instrument"] == wanted.name, LIMIT_S)
    assert "instrument" not in status_of(engine)["focus"]
    after = status_of(engine)["corners"]
    assert [after[corner] for corner in ("ne", "sw", "se")] == [before[corner] for corner in ("ne", "sw", "se")]
    hand.wait(FOCUS_S + 0.1)
    settle(hand)
    assert "target" not in status_of(engine)["focus"]


def test_it_wants_to_be_looked_at_when_time_brings_something(hand: Hand) -> None:
    hand.now_s = 100.1  # LEDs blink at 100.25
    assert hand.panel.rest_s(hand.now_s) == pytest.approx(0.15)
    hand.down(Switch.PATCH_1)
    assert hand.panel.rest_s(hand.now_s) == LOOK_EVERY_S
    hand.up(Switch.PATCH_1)
    hand.turn(Corner.NE, 1)  # at 100.5: what it is turned to is heard at 100.75, and the LEDs blink then
    hand.wait(0.1)
    assert hand.panel.rest_s(hand.now_s) == pytest.approx(0.15)
    hand.turn(Corner.NE, 1)  # at 100.8, so that it is heard at 101.05, behind the next blink
    assert hand.panel.rest_s(hand.now_s) == pytest.approx(0.2)
    assert hand.panel.rest_s(101.03) == pytest.approx(LOOK_EVERY_S)


def test_what_was_turned_to_is_forgotten_and_a_push_alone_takes_nothing(engine: EngineProcess, hand: Hand) -> None:
    before = status_of(engine)["corners"]
    hand.turn(Corner.SE, -2)
    hand.wait(FORGOTTEN_AFTER_S + 0.1)
    hand.press(Switch.PUSH_SE)
    hand.press(Switch.PUSH_NE)
    settle(hand)
    assert status_of(engine)["corners"] == before


def test_what_is_turned_to_is_heard_once_the_encoder_rests(engine: EngineProcess, hand: Hand) -> None:
    hand.turn(Corner.SW, 1)
    settle(hand)
    assert "instrument" not in status_of(engine)["audition"]
    hand.wait(0.3)
    engine.client.wait_for(lambda status: status["audition"]["instrument"], LIMIT_S)


@pytest.mark.parametrize("knob", list(Knob))
def test_a_knob_moves_its_parameter_over_its_whole_range(engine: EngineProcess, hand: Hand, knob: Knob) -> None:
    parameter = parameter_named(knob.name.lower())
    hand.move(knob, 0, 1023)  # past wherever the parameter is
    settle(hand)
    assert value(engine, parameter.name) == pytest.approx(parameter.maximum)
    assert status_of(engine)["focus"]["target"] == parameter.name
    hand.move(knob, 511)
    settle(hand)
    assert value(engine, parameter.name) == pytest.approx(parameter.from_travel((511 - 4) / 1015), rel=1e-4)
    hand.move(knob, 0)
    settle(hand)
    assert value(engine, parameter.name) == pytest.approx(parameter.minimum, abs=1e-6)


def test_a_recalled_patch_does_not_jump_when_a_knob_is_touched(engine: EngineProcess, hand: Hand) -> None:
    parameter = parameter_named("volume")
    hand.move(Knob.VOLUME, 0, 1023, 100)
    settle(hand)
    hand.press(Switch.PATCH_3)
    engine.client.wait_for(lambda status: status["patch"]["number"] == 2, LIMIT_S)
    stored = value(engine, "volume")
    place = round(4 + 1015 * parameter.to_travel(stored))
    assert place > 130  # or this test would not see a jump
    wait_until(lambda: hand.panel.ready, "the panel's reading of the patch")
    hand.move(Knob.VOLUME, 101, 103, 108, 120)
    settle(hand)
    assert value(engine, "volume") == stored
    hand.move(Knob.VOLUME, place + 40)
    settle(hand)
    assert value(engine, "volume") == pytest.approx(parameter.from_travel((place + 36) / 1015), abs=1e-3)


def test_another_client_takes_the_parameter_out_of_the_hand(engine: EngineProcess, hand: Hand) -> None:
    hand.move(Knob.SUSTAIN, 0, 1023)
    settle(hand)
    engine.client.request("set", parameter="sustain", value=-30.0)
    wait_until(lambda: hand.panel.holds(Knob.SUSTAIN) is False, "the knob's letting go")
    hand.move(Knob.SUSTAIN, 1015)
    settle(hand)
    assert value(engine, "sustain") == -30.0


def test_holding_saves_what_sounds_and_keeps_what_was_there(engine: EngineProcess, hand: Hand) -> None:
    before = {row["number"]: row["name"] for row in engine.client.request("patches")["patches"]}
    # The name of the copy is that of the patch which the panel's status names, five times a second.
    wait_until(lambda: hand.wait(0.0)[0] == lamps.duty(lamps.BRIGHT), "the light of the loaded patch")
    engine.client.request("set", parameter="brightness", value=1.25)
    hand.hold(Switch.PATCH_2)
    engine.client.wait_for(lambda status: status["patch"]["number"] == 1, LIMIT_S)
    after = {row["number"]: row["name"] for row in engine.client.request("patches")["patches"]}
    assert set(before.values()) < set(after.values())
    assert after[0] == before[0]
    assert after[1] == f"{before[0]} 2"
    hand.press(Switch.PATCH_1)
    engine.client.wait_for(lambda status: status["patch"]["number"] == 0, LIMIT_S)
    hand.press(Switch.PATCH_2)
    engine.client.wait_for(lambda status: status["patch"]["number"] == 1, LIMIT_S)
    assert value(engine, "brightness") == 1.25
    engine.client.request("patch_remove", name=after[1])


def test_two_buttons_turn_the_page_and_leds_follow_the_engine(engine: EngineProcess, hand: Hand) -> None:
    bright, glowing = lamps.duty(lamps.BRIGHT), lamps.duty(lamps.GLOWING)
    engine.client.request("patch_load", number=8)
    wait_until(lambda: hand.wait(0.0) == (bright, glowing, glowing, glowing), "the loaded patch's light")
    hand.down(Switch.PATCH_3)
    hand.down(Switch.PATCH_4)
    hand.up(Switch.PATCH_3)
    hand.up(Switch.PATCH_4)
    settle(hand)
    assert status_of(engine)["patch"]["number"] == 8  # a chord recalls nothing
    assert hand.wait(0.0) == (glowing,) * 4
    hand.press(Switch.PATCH_2)
    engine.client.wait_for(lambda status: status["patch"]["number"] == 13, LIMIT_S)
    wait_until(lambda: hand.wait(0.0) == (glowing, bright, glowing, glowing), "the light of patch 13")
    engine.client.request("set", parameter="detune", value=3.0)
    shown: set[int] = set()

    def blinks() -> bool:
        shown.add(hand.wait(0.05)[1])
        return shown == {bright, glowing}

    wait_until(blinks, "the blinking of an edited patch")


def test_after_the_board_was_away_nothing_jumps_and_nothing_is_pressed(engine: EngineProcess, hand: Hand) -> None:
    before = status_of(engine)
    hand.down(Switch.PATCH_4)
    hand.panel.lost()
    hand.panel.hello(4)
    hand.state = State(0, (400, 0, 9, 77), 0, (4,) * 8, (1023,) * 6, 0)
    hand.panel.state(hand.state, hand.now_s + 5.0)
    settle(hand)
    after = status_of(engine)
    assert (after["parameters"], after["corners"]) == (before["parameters"], before["corners"])
    assert after["patch"]["number"] == before["patch"]["number"]


def test_a_stuck_button_and_an_empty_place_are_said(hand: Hand, said: list[str]) -> None:
    hand.down(Switch.PATCH_1)
    hand.wait(0.1)
    hand.panel._buttons.forget()  # a hold would save, which is not what is looked at here
    hand.wait(STUCK_S)
    hand.wait(STUCK_S)
    assert len([words for words in said if "the switch patch 1 is down for long" in words]) == 1
    hand.panel._buttons.page = 4000
    hand.press(Switch.PATCH_2)
    assert "there is no patch 16001 under this button; hold it to save what sounds there" in said


def test_the_settings_say_what_a_knob_does(engine: EngineProcess, said: list[str]) -> None:
    settings = BoardSettings(
        knobs=MappingProxyType(dict(BoardSettings().knobs) | {Knob.POSITION: "reverb"}),
        reversed_knobs=frozenset({Knob.POSITION}),
    )
    panel = opened(engine.socket, said, settings)
    hand = Hand(panel)
    hand.move(Knob.POSITION, 1023, 0)
    settle(hand)
    assert value(engine, "reverb") == 1.0
    panel.close()


def test_it_outlives_the_engine(engine: EngineProcess, hand: Hand, said: list[str]) -> None:
    engine.kill()
    wait_until(lambda: not hand.panel.engine.connected, "the engine's end")
    hand.turn(Corner.NW, 2)
    hand.move(Knob.ATTACK, 0, 900)
    hand.press(Switch.PATCH_2)
    shown = {hand.wait(lamps.SEARCH_S) for _ in range(4)}
    assert len(shown) == 4  # a light goes round
    engine.start()
    wait_until(lambda: hand.panel.ready, "the panel's knowing the new engine")
    hand.move(Knob.ATTACK, 0, 1023)
    settle(hand)
    assert value(engine, "attack") == 10.0
    assert any("looking for it again" in words for words in said)
