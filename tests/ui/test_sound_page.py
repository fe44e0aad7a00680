"""The page of the sound: a real screen, touched; a real engine, or a stand-in where its answers are made up."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from synth.control.parameters import PARAMETERS, parameter_named
from tests.listening import wait_until
from tests.ui.engine import EngineProcess
from tests.ui.screen import Screen, Seen
from tests.ui.stand_in import StandIn
from ui.values import value_words


def on_sound_page(screen: Screen, group: str = "") -> Screen:
    screen.connected()
    screen.show("sound")
    screen.find(**{"class": "EnvelopeCurve"})
    if group:
        screen.tap(**{"class": "TouchButton", "text": group})
    return screen


def cell(screen: Screen, name: str, kind: str = "Fader") -> Seen:
    return screen.find(**{"class": kind, "name": name})


def parameter(screen: Screen, name: str) -> float:
    value: float = screen.mirror("parameters")[name]
    return value


def px(screen: Screen, across: float, up: float = 0.0) -> tuple[float, float]:
    """Of a way in pixels, for the panel."""
    width, height = screen.size
    return across / width, -up / height


def swipe(screen: Screen, place: tuple[float, float], across_px: float, up_px: float = 0.0) -> None:
    right, down = px(screen, across_px, up_px)
    screen.panel.swipe(place, (place[0] + right, place[1] + down), 0.3)


def test_a_fader_sets_the_engine_and_the_engine_moves_the_fader(engine: EngineProcess, screen: Screen) -> None:
    on_sound_page(screen, "Effects")
    seen = cell(screen, "reverb")
    swipe(screen, seen.place, seen.size_px[0] * 0.4)
    screen.wait_for_mirror("parameters", lambda values: 0.2 < values["reverb"] < 0.41)
    wait_until(lambda: "Undo reverb" in " ".join(screen.texts()), "words of the undo button")

    def follows() -> bool:  # a slow screen may still send what the finger did
        engine.client.send("set", parameter="reverb", value=0.87)
        return "87 %" in screen.texts()

    wait_until(follows, "the fader at what another client set")
    screen.tap(icon="undo")
    screen.wait_for_mirror("parameters", lambda values: values["reverb"] != pytest.approx(0.87, abs=0.01))


def test_two_fingers_move_two_faders_and_a_double_tap_is_the_default(engine: EngineProcess, screen: Screen) -> None:
    on_sound_page(screen, "Effects")
    places = [cell(screen, name).place for name in ("delay_feedback", "reverb_damping")]
    fingers = [screen.panel.put(*place) for place in places]
    for step in range(1, 21):
        time.sleep(0.02)
        for finger, (x, y) in zip(fingers, places, strict=True):
            screen.panel.move(finger, x + step * 0.005, y)
    screen.panel.lift_all()
    screen.wait_for_mirror("parameters", lambda values: values["delay_feedback"] > 0.55)
    screen.wait_for_mirror("parameters", lambda values: values["reverb_damping"] > 0.65)
    for _ in range(2):
        screen.panel.tap(*places[0], held_s=0.03)
        time.sleep(0.06)
    screen.wait_for_mirror("parameters", lambda values: values["delay_feedback"] == 0.4)
    assert parameter(screen, "reverb_damping") > 0.65


def test_handles_of_the_envelope_are_dragged_by_a_finger_each(engine: EngineProcess, screen: Screen) -> None:
    on_sound_page(screen)
    places = {name: screen.find(**{"class": "Handle", "name": name}).place for name in ("attack", "decay", "release")}
    fingers = {name: screen.panel.put(*places[name]) for name in ("decay", "release")}
    for step in range(1, 21):
        time.sleep(0.02)
        screen.panel.move(fingers["decay"], places["decay"][0] + step * 0.003, places["decay"][1] + step * 0.01)
        screen.panel.move(fingers["release"], places["release"][0] - step * 0.002, places["release"][1])
    wait_until(lambda: any("Sustain -" in text and "Release" in text for text in screen.texts()), "values in words")
    screen.panel.lift_all()
    screen.wait_for_mirror("parameters", lambda values: values["sustain"] < -10.0 and values["decay"] > 0.3)
    screen.wait_for_mirror("parameters", lambda values: values["release"] < 0.7)
    assert parameter(screen, "attack") == 0.0
    swipe(screen, places["attack"], 40.0)
    screen.wait_for_mirror("parameters", lambda values: values["attack"] > 0.1)
    decay = screen.find(**{"class": "Handle", "name": "decay"}).place
    for _ in range(2):
        screen.panel.tap(*decay, held_s=0.03)
        time.sleep(0.06)
    screen.wait_for_mirror("parameters", lambda values: (values["decay"], values["sustain"]) == (0.0, 0.0))


def test_choices_and_counts(engine: EngineProcess, screen: Screen) -> None:
    on_sound_page(screen, "Playing")
    screen.tap(**{"class": "TouchButton", "text": "legato"})
    screen.wait_for_mirror("parameters", lambda values: values["play_mode"] == 2.0)
    screen.tap(icon="plus")
    screen.wait_for_mirror("parameters", lambda values: values["unison"] == 2.0)
    screen.tap(**{"class": "TouchButton", "text": "Time"})
    screen.tap(**{"class": "TouchButton", "text": "1/16"})
    screen.tap(**{"class": "TouchButton", "text": "1/8T"})
    screen.wait_for_mirror("parameters", lambda values: values["arp_rate"] == 5.0)


def test_a_long_press_offers_a_value_to_type_and_midi_learn(engine: EngineProcess, screen: Screen) -> None:
    on_sound_page(screen, "Timbre")
    place = cell(screen, "brightness").place
    screen.panel.tap(*place, held_s=0.9)
    screen.tap(**{"class": "TouchButton", "text": "MIDI learn"})
    screen.wait_for_mirror("midi", lambda midi: midi["learning"] == "brightness")
    wait_until(
        lambda: any("Brightness" in text and "controller" in text for text in screen.texts()), "what it waits for"
    )
    screen.tap(**{"class": "TouchButton", "text": "Cancel"})
    screen.wait_for_mirror("midi", lambda midi: not midi["learning"])
    assert "CC 74" in screen.texts()
    screen.panel.tap(*place, held_s=0.9)
    screen.tap(**{"class": "TouchButton", "text": "Forget CC 74"})
    wait_until(lambda: "CC 74" not in screen.texts(), "no controller beside it")
    assert screen.mirror("midi_settings")["assignments"] == {"74": "none"}
    assert parameter(screen, "brightness") == 0.0


def test_at_most_sixty_commands_a_second_and_the_last_value_always(stand_in: StandIn, screen: Screen) -> None:
    on_sound_page(screen, "Effects")
    x, y = cell(screen, "reverb").place
    finger = screen.panel.put(x, y)
    came: list[float] = []
    for step in range(1, 201):
        time.sleep(0.003)
        screen.panel.move(finger, x + step * 0.001, y)
    screen.panel.lift_all()
    shown: list[str] = []

    def settled() -> bool:
        shown[:] = [
            text for text in screen.texts() if text == value_words(parameter_named("reverb"), stand_in.values["reverb"])
        ]
        came[:] = [command["value"] for command in stand_in.named("set")]
        return bool(came) and came[-1] > 0.3 and bool(shown)

    wait_until(settled, "the last value on both sides")
    assert came == sorted(came)
    assert len(came) < 110  # 200 movements


def test_a_wish_is_shown_though_the_engine_says_otherwise_and_yields_to_it(stand_in: StandIn, screen: Screen) -> None:
    on_sound_page(screen, "Effects")
    x, y = cell(screen, "reverb").place
    stand_in.more_status = {"parameters": {**stand_in.values, "reverb": 0.11}}
    wait_until(lambda: "11 %" in screen.texts(), "what the engine says")
    finger = screen.panel.put(x, y)
    screen.panel.drag(finger, (x + 0.2, y), 0.3)
    wait_until(lambda: stand_in.named("set"), "a command")
    wait_until(lambda: "11 %" not in screen.texts(), "the finger's wish")
    time.sleep(0.5)  # many statuses that say 0.11
    assert "11 %" not in screen.texts()
    screen.panel.lift_all()
    wait_until(lambda: "11 %" in screen.texts(), "what the engine says, again")


def test_a_new_parameter_appears_by_itself(
    stand_in: StandIn, new_screen: Callable[..., Screen], monkeypatch: pytest.MonkeyPatch
) -> None:
    template = parameter_named("reverb")
    new = [replace(template, name=name, midi_cc=None) for name in ("reverb_colour", "wobble")]
    monkeypatch.setattr("synth.io.server.PARAMETERS", (*PARAMETERS, *new))
    screen = on_sound_page(new_screen(), "Effects")
    wait_until(lambda: "Reverb colour" in screen.texts(), "the new parameter beside its kin")
    screen.tap(**{"class": "TouchButton", "text": "More"})
    swipe(screen, cell(screen, "wobble").place, 100.0)
    # This screen is older than the engine, and its client sends no command that it can't check.
    wait_until(lambda: any("no parameter 'wobble'" in words for words in screen.texts()), "the refusal")


@pytest.mark.parametrize(
    "size",
    [
        (800, 480),
        pytest.param((480, 800), marks=pytest.mark.long),
        pytest.param((1280, 720), marks=pytest.mark.long),
        (320, 240),
    ],
)
def test_every_group_can_be_reached_and_touched(
    size: tuple[int, int], stand_in: StandIn, new_screen: Callable[..., Screen]
) -> None:
    screen = on_sound_page(new_screen(size=size))
    kinds = ("Fader", "Choice", "Stepper")
    seen: set[Any] = set()
    chips = ["Envelope", "Levels", "Pitch", "Timbre", "Playing", "Effects", "Time"]
    for chip in chips if size != (320, 240) else chips[:4]:
        screen.tap(**{"class": "TouchButton", "text": chip})
        wait_until(
            lambda chip=chip: screen.find(**{"class": "TouchButton", "text": chip}).known["active"],  # type: ignore[misc]
            f"{chip} as the group that is shown",
        )
        cells = [one for kind in kinds for one in screen.widgets(**{"class": kind})]
        seen |= {one.known["name"] for one in cells}
        for one in cells:
            least_px = {480: 46, 720: 74, 240: 0}[min(size)]
            assert one.size_px[1] >= least_px, one.known
    if size != (320, 240):
        assert seen == {one.name for one in PARAMETERS} - {"x", "y"}
    else:
        before = screen.widgets(**{"class": "Fader"})[0]
        swipe(screen, screen.find(**{"class": "Fader", "name": before.known["name"]}).place, 0.0, 60.0)
        screen.tap(**{"class": "TouchButton", "text": "Levels"})
        assert not stand_in.named("set")
