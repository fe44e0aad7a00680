"""The page of patches on a real screen, with a real engine's bank: what is touched is what the engine then has."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.listening import wait_until
from tests.ui.engine import EngineProcess
from tests.ui.screen import Screen, Seen
from tests.ui.stand_in import StandIn, refuse
from ui.texts import text


def patch_of(engine: EngineProcess) -> dict[str, Any]:
    found: dict[str, Any] = engine.client.request("status")["patch"]
    return found


def bank(engine: EngineProcess) -> dict[str, int]:
    return {entry["name"]: entry["number"] for entry in engine.client.request("patches")["patches"]}


def tile(screen: Screen, name: str) -> Seen:
    """The one that has this name in it."""
    screen.find(text=name, **{"class": "Label"})
    tiles = screen.widgets(**{"class": "Tile"})
    for label in screen.widgets(text=name, **{"class": "Label"}):  # the name of the loaded patch stands elsewhere, too
        x, y = label.known["rectangle"][0] + 1, label.known["rectangle"][1] + 1
        for one in tiles:
            left, bottom, right, top = one.known["rectangle"]
            if left <= x <= right and bottom <= y <= top:
                return one
    raise AssertionError(f"no tile has the name {name}")


@pytest.fixture
def page(engine: EngineProcess, new_screen: Callable[..., Screen]) -> Screen:
    screen = new_screen().connected()
    screen.show("patches")
    wait_until(lambda: "Four Rooms" in screen.texts(), "the bank's first page")
    return screen


def test_load_edit_undo_and_redo(engine: EngineProcess, page: Screen) -> None:
    assert page.widgets(icon="check") == []
    page.panel.tap(*tile(page, "Cathedral").place)
    wait_until(lambda: patch_of(engine)["name"] == "Cathedral", "Cathedral in the engine")
    wait_until(lambda: page.widgets(**{"class": "Icon", "name": "check"}), "the mark of the patch that sounds")
    before = engine.client.request("status")["parameters"]["attack"]

    engine.client.request("set", parameter="attack", value=0.5)
    wait_until(lambda: text("patches.edited") in page.texts(), "the word that it was edited")
    wait_until(lambda: text("patches.undo.what", what="attack") in page.texts(), "what undo takes back")
    page.panel.tap(*tile(page, "Continuo").place)  # over an edit, without a question
    wait_until(lambda: patch_of(engine)["name"] == "Continuo", "Continuo in the engine")
    page.tap(icon="undo")
    wait_until(lambda: patch_of(engine)["name"] == "Cathedral", "the patch of before")
    assert engine.client.request("status")["parameters"]["attack"] == 0.5, "the edit was not lost"
    page.tap(icon="undo")
    wait_until(lambda: engine.client.request("status")["parameters"]["attack"] == before, "the value as stored")
    wait_until(lambda: not page.find(**{"class": "TouchButton", "icon": "redo"}).known["disabled"], "the way forth")
    page.tap(icon="redo")
    wait_until(lambda: engine.client.request("status")["parameters"]["attack"] == 0.5, "the edit again")
    page.tap(icon="compare")
    wait_until(lambda: patch_of(engine)["sounding"] == "stored", "the stored patch's sound")
    wait_until(lambda: text("patches.compare.stored") in page.texts(), "the word that says so")


def test_save_as_new_and_over_and_remove_and_bring_back(engine: EngineProcess, page: Screen) -> None:
    page.panel.tap(*tile(page, "Four Rooms").place)
    wait_until(lambda: page.mirror("patch")["name"] == "Four Rooms", "Four Rooms")
    engine.client.request("set", parameter="attack", value=0.25)
    free = next(number for number in range(999) if number not in bank(engine).values())
    page.tap(text=text("patches.save"))
    page.tap(text=text("patches.save.new"))
    wait_until(lambda: bank(engine).get("Four Rooms (2)") == free, "a new patch at the next free number")
    wait_until(lambda: page.mirror("patch")["name"] == "Four Rooms (2)", "its name as the loaded one")
    wait_until(lambda: any("Four Rooms (2)" in words for words in page.texts()), "its tile on its page")

    engine.client.request("set", parameter="attack", value=0.75)
    wait_until(lambda: page.mirror("patch")["edited"], "the edit")
    page.tap(text=text("patches.save"))
    page.tap(text=text("patches.save.over", name="Four Rooms (2)"))
    wait_until(lambda: not patch_of(engine)["edited"], "the patch as saved")
    stored = next((engine.home / "patches").glob("four*.json"))
    assert json.loads(stored.read_text())["parameters"]["attack"] == 0.75

    page.tap(**{"class": "TouchButton", "icon": "edit"})
    page.tap(text=text("patches.remove"))
    wait_until(lambda: "Four Rooms (2)" not in bank(engine), "its removal")
    page.tap(text=text("patches.bring.back", name="Four Rooms (2)"))
    wait_until(lambda: bank(engine).get("Four Rooms (2)") == free, "its return to its number")


def test_a_program_change_is_shown_as_it_happens(engine: EngineProcess, page: Screen) -> None:
    """Another client loads a patch that is on another page of the grid."""
    last = max(bank(engine), key=lambda name: bank(engine)[name])
    assert last not in page.texts()
    engine.client.request("patch_load", name=last)
    wait_until(lambda: page.texts().count(last) == 2, "its page of the grid, and its name as the loaded one")
    assert page.widgets(**{"class": "ChangeCard"}) == []


def test_a_swipe_turns_the_page_and_loads_nothing(engine: EngineProcess, page: Screen) -> None:
    before = patch_of(engine)["name"]
    x, y = tile(page, "Continuo").place
    page.panel.swipe((x, y), (x - 0.4, y), 0.3)
    wait_until(lambda: "Continuo" not in page.texts(), "the second page")
    assert patch_of(engine)["name"] == before
    x, y = page.find(**{"class": "Tile"}).place
    page.panel.swipe((x - 0.4, y), (x, y), 0.3)
    wait_until(lambda: "Continuo" in page.texts(), "the first page")


def test_a_tag_and_a_patch_that_names_what_is_not_there(stand_in: StandIn, new_screen: Callable[..., Screen]) -> None:
    rows = [{"number": n, "name": f"Patch {n}", "tags": ["even" if n % 2 == 0 else "odd"]} for n in range(300)]
    rows += [{"number": 300, "name": "日本語 🎻 ..//x" + "y" * 300, "tags": None}, {"name": 7}, {}]
    stand_in.answers["patches"] = {"patches": rows}
    stand_in.answers["patch_load"] = {"name": "Patch 1", "number": 1, "warnings": ["there is no instrument 'viola'"]}
    screen = new_screen().connected()
    screen.show("patches")
    wait_until(lambda: "Patch 11" in screen.texts(), "the first page")
    assert text("patches.page", page=1, pages=26) in screen.texts()

    screen.tap(**{"class": "TouchButton", "icon": "tag"})
    screen.tap(text=text("patches.tag.count", tag="odd", n=150))
    wait_until(lambda: "Patch 23" in screen.texts() and "Patch 2" not in screen.texts(), "odd patches only")
    screen.panel.tap(*tile(screen, "Patch 1").place)
    assert stand_in.wait_for("patch_load")[0]["name"] == "Patch 1"
    wait_until(lambda: any("no instrument 'viola'" in words for words in screen.texts()), "the warning in words")

    stand_in.answers["patch_load"] = refuse("the file of Patch 3 is damaged; mend or remove it")
    screen.panel.tap(*tile(screen, "Patch 3").place)
    wait_until(lambda: any("is damaged" in words for words in screen.texts()), "the refusal in words")
    assert text("patches.loading") not in screen.texts()


@pytest.mark.parametrize("size", [(320, 240), (480, 800), (1280, 720)])
def test_tiles_and_buttons_are_in_reach(
    stand_in: StandIn, new_screen: Callable[..., Screen], size: tuple[int, int]
) -> None:
    stand_in.answers["patches"] = {"patches": [{"number": n, "name": f"Patch {n}"} for n in range(40)]}
    screen = new_screen(size=size).connected()
    screen.show("patches")
    wait_until(lambda: "Patch 0" in screen.texts(), "the first page")
    px_per_mm = max(min(max(size) / 154.0, min(size) / 86.0), 3.2)
    for seen in screen.widgets():
        if seen.known["class"] in ("Tile", "TouchButton"):
            assert min(seen.size_px) >= round(9.0 * px_per_mm) - 1, seen.known
