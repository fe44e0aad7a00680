"""The play page as a player has it: a real screen, a real engine, fingers."""

from collections.abc import Callable

import pytest

from tests.listening import wait_until
from tests.ui.engine import EngineProcess
from tests.ui.screen import Screen
from ui.pages.play.held_keys import SURFACE_KEY


def sounding(engine: EngineProcess) -> set[int]:
    """Keys that sound, as the engine tells."""
    return {note["key"] for note in engine.client.status.get("notes", [])}


def at(screen: Screen, x: float, y: float) -> tuple[float, float]:
    """Where on the panel a place of the surface is, x from west and y from south, 0..1 of the widget."""
    left, bottom, right, top = screen.find(**{"class": "Surface"}).known["rectangle"]
    width, height = screen.size
    return (left + x * (right - left)) / (width - 1), 1.0 - (bottom + y * (top - bottom)) / (height - 1)


def test_a_first_touch_sounds_moves_the_point_and_ends(engine: EngineProcess, screen: Screen) -> None:
    screen.connected()
    assert sounding(engine) == set()
    finger = screen.panel.put(*at(screen, 0.3, 0.6))
    wait_until(lambda: sounding(engine) == {SURFACE_KEY}, "a note")
    engine.client.wait_for(lambda status: status["point"]["touching"], 10.0)
    screen.panel.drag(finger, at(screen, 1.0, 1.0), 0.3)
    engine.client.wait_for(lambda s: s["parameters"]["x"] == 1.0 and s["parameters"]["y"] == 1.0, 10.0)
    screen.panel.lift(finger)
    wait_until(lambda: sounding(engine) == set(), "silence")
    engine.client.wait_for(lambda status: not status["point"]["touching"], 10.0)


def test_a_touch_only_moves_what_sounds_already(engine: EngineProcess, screen: Screen) -> None:
    screen.connected()
    engine.client.send("note_on", key=48)
    screen.wait_for_mirror("notes", bool)
    screen.panel.swipe(at(screen, 0.2, 0.5), at(screen, 0.8, 0.5), 0.3)
    engine.client.wait_for(lambda status: status["parameters"]["x"] > 0.75, 10.0)
    assert sounding(engine) == {48}


def test_leaving_the_page_lets_go(engine: EngineProcess, screen: Screen) -> None:
    screen.connected()
    screen.panel.put(*at(screen, 0.5, 0.5))
    wait_until(lambda: sounding(engine) == {SURFACE_KEY}, "a note")
    screen.panel.unplug()  # the finger's end will never be told
    screen.show("sound")
    wait_until(lambda: sounding(engine) == set(), "silence")
    engine.client.wait_for(lambda status: not status["point"]["touching"], 10.0)


def test_latch_keeps_the_touched_note(engine: EngineProcess, screen: Screen) -> None:
    screen.connected()
    screen.tap(**{"class": "BarButton", "icon": "latch"})
    wait_until(lambda: screen.find(icon="latch", **{"class": "BarButton"}).known["active"], "latch")
    screen.panel.swipe(at(screen, 0.2, 0.5), at(screen, 0.4, 0.5), 0.2)
    engine.client.wait_for(lambda status: not status["point"]["touching"], 10.0)
    assert sounding(engine) == {SURFACE_KEY}
    screen.tap(**{"class": "BarButton", "icon": "latch"})
    wait_until(lambda: sounding(engine) == set(), "silence")


def test_several_fingers_play_keys_and_slide(engine: EngineProcess, screen: Screen) -> None:
    screen.connected()
    left, bottom, right, top = screen.find(**{"class": "Keyboard"}).known["rectangle"]

    def low(share: float) -> tuple[float, float]:
        return (left + share * (right - left)) / 799.0, 1.0 - (bottom + 0.1 * (top - bottom)) / 479.0

    first, second = screen.panel.put(*low(0.02)), screen.panel.put(*low(0.98))
    wait_until(lambda: len(sounding(engine)) == 2, "two notes")
    lowest, highest = sorted(sounding(engine))
    assert lowest == 48
    screen.panel.drag(first, low(0.5), 0.4)
    wait_until(lambda: sounding(engine) >= {highest} and lowest not in sounding(engine), "the slide")
    screen.panel.lift(first, second)
    wait_until(lambda: sounding(engine) == set(), "silence")


@pytest.mark.parametrize("size", [(800, 480), (320, 240)])
def test_a_corner_gets_another_instrument_from_its_wheel(
    size: tuple[int, int], engine: EngineProcess, new_screen: Callable[..., Screen]
) -> None:
    screen = new_screen(size=size).connected()
    screen.wait_for_mirror("corners", lambda corners: corners["ne"]["instrument"])
    before = screen.mirror("corners")["ne"]["instrument"]
    _, bottom, right, top = screen.find(corner="ne", **{"class": "CornerPlate"}).known["rectangle"]
    badge = (right - (top - bottom) / 2.0, (bottom + top) / 2.0)
    screen.panel.tap(badge[0] / (size[0] - 1), 1.0 - badge[1] / (size[1] - 1))
    screen.find(**{"class": "WheelRow"})
    rows = [row for row in screen.widgets(**{"class": "WheelRow"}) if row.known["name"]]
    wheel = screen.find(**{"class": "WheelFace"}).known["rectangle"]
    middle = (wheel[1] + wheel[3]) / 2.0
    row = min(
        rows,
        key=lambda one: abs(abs((one.known["rectangle"][1] + one.known["rectangle"][3]) / 2 - middle) - one.size_px[1]),
    )
    screen.panel.tap(*row.place)
    engine.client.wait_for(
        lambda status: status.get("corners", {}).get("ne", {}).get("instrument", before) != before, 30.0
    )
    assert engine.client.status["corners"]["ne"]["display_name"] == row.known["name"]
    assert sounding(engine) == set(), "the tap on the corner played nothing"


def test_a_long_press_on_a_corner_tells_of_its_instrument(engine: EngineProcess, screen: Screen) -> None:
    screen.connected()
    screen.wait_for_mirror("corners", lambda corners: corners["nw"]["instrument"])
    left, bottom, _, top = screen.find(corner="nw", **{"class": "CornerPlate"}).known["rectangle"]
    place = ((left + (top - bottom) / 2.0) / 799.0, 1.0 - (bottom + top) / 2.0 / 479.0)
    screen.panel.tap(*place, held_s=1.0)
    wait_until(lambda: any(words.startswith("Licence:") for words in screen.texts()), "what is known of it")
    assert sounding(engine) == set()


def test_a_gesture_is_recorded_looped_and_cleared(engine: EngineProcess, screen: Screen) -> None:
    screen.connected()
    screen.tap(**{"class": "BarButton", "icon": "edit"})
    screen.wait_for_mirror("gesture", lambda gesture: gesture["state"] == "recording")
    screen.panel.swipe(at(screen, 0.1, 0.1), at(screen, 0.9, 0.9), 0.5)
    screen.tap(**{"class": "BarButton", "text": "Done"})
    screen.wait_for_mirror("gesture", lambda gesture: gesture["state"] == "ready" and gesture["length_s"] > 0.3)
    screen.tap(**{"class": "BarButton", "text": "Loop"})
    screen.wait_for_mirror("gesture", lambda gesture: gesture["state"] == "playing")
    places: set[float] = set()

    def moved() -> bool:
        places.add(round(screen.mirror("point")["x"], 2))
        return len(places) > 4

    wait_until(moved, "the point to go its way by itself")
    screen.tap(**{"class": "BarButton", "text": "Clear"})
    screen.wait_for_mirror("gesture", lambda gesture: gesture["state"] == "empty")
