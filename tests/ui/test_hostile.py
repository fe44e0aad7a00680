"""What nobody would do on purpose: names, lists, statuses, windows and fingers beyond all measure, in a real screen.

`new_screen` fails every test whose screen had an exception or an error in its log.
"""

import random
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from benchmarks.monkey import let_loose
from tests.listening import wait_until
from tests.ui.engine import EngineProcess
from tests.ui.screen import Screen
from tests.ui.stand_in import CORNERS, StandIn, instrument, refuse
from tests.ui.touches import Panel

PAGES = ("play", "instruments", "sound", "patches", "settings")
STRANGE = "日本語 🎻 ..//x"
LONG = "Glass" * 60
SECTIONS: tuple[str, ...] = (
    "parameters",
    "corners",
    "notes",
    "voices",
    "levels",
    "patch",
    "clock",
    "gesture",
    "recording",
    "imports",
)
SECTIONS += ("input", "grid", "midi", "tuning", "audio", "health", "server", "point")
NewScreen = Callable[..., Screen]


def is_tuned(screen: Screen, words: str) -> bool:
    """A status with this tuning has arrived."""
    return bool(screen.mirror("tuning")["name"] == words)


def is_on(screen: Screen, page: str) -> bool:
    """It shows this page."""
    return bool(screen.ask("page") == page)


def see_all(screen: Screen) -> None:
    """Every page comes, with something on it."""
    for page in PAGES:
        screen.show(page)
        wait_until(lambda: len(screen.texts()) > 0, f"words on {page}")
        assert screen.troubles == []


@pytest.mark.parametrize("name", [STRANGE, LONG, "[b]x[/b] {0} %s \\n & <", "\u202eabc\u0000\u200b"])
def test_names_of_any_kind_are_shown(name: str, stand_in: StandIn, new_screen: NewScreen) -> None:
    stand_in.answers["instruments"] = {
        "instruments": [instrument(name, family=name, tags=[name], author=name, source=name), instrument("flute")]
    }
    stand_in.answers["patches"] = {"patches": [{"name": name, "number": n, "tags": [name]} for n in range(3)]}
    stand_in.more_status = {
        "corners": {corner: {"instrument": name, "display_name": name, "family": name} for corner in CORNERS},
        "patch": {"name": name, "number": 1, "edited": True, "sounding": "edited", "undo": name, "redo": name},
        "tuning": {"name": name},
        "audio": {"device": name, "state": "running", "words": name},
    }
    screen = new_screen().connected()
    see_all(screen)
    width, height = screen.ask("window")["size"]
    for one in screen.widgets():
        left, bottom, right, top = one.known["rectangle"]
        assert -1 <= left <= right <= width + 1
        assert -1 <= bottom <= top <= height + 1
    stand_in.server.notify("warning", words=name)
    see_all(screen)


@pytest.mark.slow
def test_five_thousand_instruments_and_patches(stand_in: StandIn, new_screen: NewScreen) -> None:
    stand_in.answers["instruments"] = {
        "instruments": [instrument(f"instrument {n:04d}", tags=[f"tag {n % 300}"]) for n in range(5000)]
    }
    stand_in.answers["patches"] = {
        "patches": [{"name": f"patch {n:04d}", "number": n, "tags": []} for n in range(5000)]
    }
    screen = new_screen().connected()
    screen.show("instruments")
    wait_until(lambda: any("0001" in words for words in screen.texts()), "the first of the instruments")
    assert len(screen.widgets()) < 600  # only what is seen has widgets
    for _ in range(3):
        screen.panel.swipe((0.5, 0.85), (0.5, 0.2), 0.1)
    screen.show("patches")
    wait_until(lambda: any("patch 000" in words for words in screen.texts()), "the first of the patches")
    assert len(screen.widgets()) < 600
    screen.panel.swipe((0.5, 0.85), (0.5, 0.2), 0.1)
    see_all(screen)


def test_a_patch_that_names_what_is_not_there_is_said(stand_in: StandIn, new_screen: NewScreen) -> None:
    words = "there is no instrument 'theremin'; the corner is silent"
    stand_in.answers["patch_load"] = {"warnings": [words]}
    stand_in.more_status = {"corners": {**CORNERS, "nw": {"instrument": "", "wanted": "theremin"}}}
    screen = new_screen().connected()
    see_all(screen)
    stand_in.server.notify("warning", words=words)
    wait_until(lambda: any("theremin" in one for one in screen.texts()), "the words")


def test_every_command_refused(stand_in: StandIn, new_screen: NewScreen) -> None:
    for command in ("parameters", "instruments", "patches", "imports", "midi_settings", "devices", "tunings"):
        stand_in.answers[command] = refuse("not today")
    screen = new_screen().connected()
    see_all(screen)
    assert screen.alive


def odd_statuses() -> dict[str, Mapping[str, Any]]:
    """Statuses of engines that lost their mind, by what is odd in them."""
    chance = random.Random(11)
    odd: tuple[Any, ...] = (
        "x",
        -1,
        1e200,
        True,
        [],
        {},
        [None, "x", {}],
        {"state": [], "name": {}, "peak_dbfs": "loud"},
    )
    statuses: dict[str, Mapping[str, Any]] = {f"all {value!r}": dict.fromkeys(SECTIONS, value) for value in odd}
    for number in range(6):
        statuses[f"mixed {number}"] = {name: chance.choice(odd) for name in SECTIONS if chance.random() < 0.8}
    statuses["lists"] = {
        "levels": {"peak_dbfs": [], "rms_dbfs": ["x"]},
        "notes": [
            {"key": 60, "x": 9.0, "y": -9.0, "level_db": "loud", "spectrum_db": ["x", None, 1e30]},
            7,
            {"key": 1e9},
        ],
        "midi": {"ports": [1, None, {"a": []}]},
        "input": {"state": "never heard of", "takes": [1, None, {}, {"seconds": "long"}]},
    }
    statuses["states nobody knows"] = {
        "gesture": {"state": "flying"},
        "audio": {"state": "molten"},
        "patch": {"sounding": "?", "number": -5},
        "imports": {"step": "dream", "share": 77.0},
        "voices": {"sounding": -3, "limit": 10**12},
        "unknown": {"section": [1, 2]},
    }
    return statuses


def test_statuses_with_fields_missing_unknown_and_wrong(stand_in: StandIn, new_screen: NewScreen) -> None:
    screen = new_screen().connected()
    for page in PAGES:
        stand_in.only_status = None
        screen.show(page)
        for words, status in odd_statuses().items():
            stand_in.only_status = {**status, "tuning": {"name": words}}
            wait_until(partial(is_tuned, screen, words), f"{page}: {words}")
            assert screen.troubles == [], f"{page}: {words}"
    stand_in.only_status = None
    wait_until(lambda: screen.mirror("patch")["name"] == "First", "an honest status")
    see_all(screen)


LISTS = {
    "parameters": "parameters",
    "instruments": "instruments",
    "patches": "patches",
    "imports": "imports",
    "midi_settings": "settings",
    "devices": "outputs",
    "tunings": "tunings",
}
"""Commands that ask for a list -> where it is in the answer."""


@pytest.mark.parametrize(
    "odd",
    [
        "nothing",
        [1, None, {}, {"name": 7}, []],
        *(pytest.param(odd, marks=pytest.mark.long) for odd in (None, "x", {"a": 1})),
    ],
)
def test_lists_of_any_kind(odd: object, stand_in: StandIn, new_screen: NewScreen) -> None:
    for command, key in LISTS.items():
        stand_in.answers[command] = {} if odd == "nothing" else {key: odd}
    screen = new_screen().connected()
    see_all(screen)


@pytest.mark.parametrize(
    ("size", "rotation"),
    [
        ((320, 240), 0),
        ((800, 480), 90),
        pytest.param((240, 320), 0, marks=pytest.mark.long),
        pytest.param((320, 240), 270, marks=pytest.mark.long),
    ],
)
def test_small_and_turned_windows(
    size: tuple[int, int], rotation: int, stand_in: StandIn, new_screen: NewScreen
) -> None:
    screen = new_screen(size=size, rotation=rotation).connected()
    see_all(screen)
    for page in PAGES:  # the way to every page can be touched
        screen.tap(**{"class": "RailButton", "page": page})
        wait_until(partial(is_on, screen, page), page)
    stand_in.commands.clear()
    screen.tap(**{"class": "RailButton", "page": "play"})
    screen.panel.swipe(screen.find(**{"class": "Surface"}).place, (0.5, 0.4), 0.2)
    stand_in.wait_for("point")


def test_ten_fingers(stand_in: StandIn, screen: Screen) -> None:
    screen.connected()
    x, y = screen.find(**{"class": "Surface"}).place
    fingers = [screen.panel.put(x - 0.2 + 0.04 * n, y - 0.1 + 0.02 * n) for n in range(10)]
    for step in range(20):
        for n, finger in enumerate(fingers):
            screen.panel.move(finger, x - 0.2 + 0.04 * n, y + 0.01 * (step - 10))
    stand_in.wait_for("point")
    screen.panel.lift_all()
    wait_until(lambda: not stand_in.keys, "all keys up")
    see_all(screen)


def held(stand_in: StandIn, screen: Screen) -> Panel:
    """A finger that rests on the surface and has made its note."""
    screen.connected()
    screen.panel.put(*screen.find(**{"class": "Surface"}).place)
    wait_until(lambda: stand_in.keys or any(one["touching"] for one in stand_in.named("point")), "a touch")
    return screen.panel


def let_go(stand_in: StandIn) -> bool:
    """No key is down, and the last that was said of the finger is that it is gone."""
    points = stand_in.named("point")
    return not stand_in.keys and not (points and points[-1]["touching"])


def test_a_finger_of_an_unplugged_panel_is_let_go_with_the_page(stand_in: StandIn, screen: Screen) -> None:
    held(stand_in, screen).unplug()
    screen.show("sound")
    wait_until(lambda: let_go(stand_in), "the key's going up")
    see_all(screen)


def test_a_finger_of_an_unplugged_panel_is_let_go_with_the_screen(stand_in: StandIn, screen: Screen) -> None:
    held(stand_in, screen).unplug()
    screen.close()
    assert screen.troubles == []
    # Of a client that is gone the server lets go the keys: it says so to the engine.
    wait_until(lambda: not stand_in.keys, "the key's going up")


@pytest.mark.long
def test_a_finger_outlives_its_engine(home: Path, engine: EngineProcess, screen: Screen) -> None:
    screen.connected()
    finger = screen.panel.put(*screen.find(**{"class": "Surface"}).place)
    engine.kill()
    screen.wait_for_mirror("connection", lambda state: state != "connected")
    screen.panel.drag(finger, (0.6, 0.3), 0.3)
    engine.start()
    screen.connected()
    screen.panel.lift_all()
    screen.panel.tap(*screen.find(**{"class": "Surface"}).place)
    wait_until(lambda: not engine.client.status.get("notes"), "silence")
    see_all(screen)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_some_seconds_of_anything(seed: int, engine: EngineProcess, screen: Screen) -> None:
    assert let_loose(screen.connected(), engine, random.Random(seed), 4.0) > 0
