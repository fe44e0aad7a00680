"""The settings on a real screen: what is touched arrives at the engine, and what the engine says is shown."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from synth.control.commands import BY_NAME, Command
from synth.control.midi_settings import MidiSettings
from synth.io.client import Client
from tests.listening import wait_until
from tests.ui.engine import EngineProcess
from tests.ui.screen import Screen, Seen
from tests.ui.stand_in import StandIn
from ui.pages.settings.page import SECTIONS
from ui.texts import text


@pytest.fixture
def settings(stand_in: StandIn) -> dict[str, Any]:
    """The MIDI settings of the stand-in, which takes changes as an engine does."""
    kept = MidiSettings().to_json()

    def answer(command: Command) -> Mapping[str, Any]:
        if command["settings"] is not None:
            kept.update(MidiSettings.from_json(command["settings"]).to_json())
            stand_in.server.notify("midi_settings_changed")
        return {"settings": dict(kept)}

    stand_in.answers["midi_settings"] = answer
    return kept


def open_section(screen: Screen, name: str) -> None:
    screen.tap(**{"class": "SectionButton", "text": text(f"settings.section.{name}")})
    wait_until(lambda: section_shown(screen) == name, f"the section {name}")


def section_shown(screen: Screen) -> str:
    """Of the one that is marked."""
    marked = screen.widgets(**{"class": "SectionButton", "active": True})
    names = {text(f"settings.section.{name}"): name for name in SECTIONS}
    return names.get(marked[0].text, "") if marked else ""


def highest(seen: list[Seen]) -> Seen:
    return max(seen, key=lambda one: one.known["rectangle"][3])


def test_a_zone_grows_by_a_touch_and_the_engine_knows(
    stand_in: StandIn, settings: dict[str, Any], screen: Screen
) -> None:
    screen.connected().show("settings")
    open_section(screen, "mpe")
    screen.find(text=text("settings.mpe.none"))
    wait_until(lambda: not highest(screen.widgets(icon="plus")).known["disabled"], "settings of the engine's")
    screen.panel.tap(*highest(screen.resting(icon="plus")).place)
    wait_until(lambda: settings["lower_members"] == 1, "a zone of one member")
    screen.find(text=text("settings.mpe.members", n=1))
    # What somebody else changes is shown too.
    settings["lower_members"] = 15
    stand_in.server.notify("midi_settings_changed")
    screen.find(text=text("settings.mpe.lower_is", first=2, last=16))


def test_the_board_is_as_its_own_program_says(stand_in: StandIn, screen: Screen) -> None:
    screen.connected().show("settings")
    open_section(screen, "board")
    screen.find(text=text("settings.board.none"))
    with Client(stand_in.server.path, name="board") as board:
        board.request("present", words="two boards were found; name one", well=False)
        screen.find(text="two boards were found; name one")
        board.request("present", words="Tetrad board at /dev/ttyUSB0")
        screen.find(text="Tetrad board at /dev/ttyUSB0")
    screen.find(text=text("settings.board.none"))


def test_a_device_is_chosen(stand_in: StandIn, new_screen: Callable[..., Screen]) -> None:
    assert "audio_use" in BY_NAME
    devices = [
        {"device": f"ALSA: card {n}", "name": f"card {n}", "host_api": "ALSA", "rate_hz": 48000, "in_use": n == 0}
        for n in (0, 1)
    ]
    stand_in.answers["audio_devices"] = {"devices": devices, "sample_rate_hz": 48000, "block_samples": 128}
    screen = new_screen(size=(480, 800)).connected()  # high enough to show the devices without scrolling
    screen.show("settings")
    screen.tap(**{"class": "TouchButton", "text": text("settings.audio.output", name="card 1", api="ALSA", rate=48000)})
    assert stand_in.wait_for("audio_use")[0]["device"] == "ALSA: card 1"


def test_health_says_what_the_status_says(stand_in: StandIn, screen: Screen) -> None:
    screen.connected().show("settings")
    open_section(screen, "health")
    screen.find(text=text("settings.verdict.good"))
    stand_in.more_status = {"health": {"underflows": 4, "block_share": 0.5}}
    screen.find(text=text("settings.verdict.underflows", n=4))
    screen.find(text=text("settings.health.share", n=50))


def test_the_theme_is_kept(stand_in: StandIn, new_screen: Callable[..., Screen]) -> None:
    screen = new_screen().connected()
    screen.show("settings")
    open_section(screen, "look")
    screen.tap(**{"class": "ThemePreview", "text": text("settings.theme.studio")})
    kept = screen.home / "ui.toml"
    wait_until(lambda: kept.exists() and 'theme = "studio"' in kept.read_text(), "the theme in the file")
    wait_until(lambda: screen.image().convert("L").resize((1, 1)).getpixel((0, 0)) > 150, "light on the screen")  # type: ignore[operator]


@pytest.mark.parametrize("size", [(320, 240), pytest.param((480, 800), marks=pytest.mark.long)])
def test_every_section_fits_the_width(
    stand_in: StandIn, settings: dict[str, Any], new_screen: Callable[..., Screen], size: tuple[int, int]
) -> None:
    stand_in.more_status = {"midi": {"learning": "reverb", "messages": 1234567}, "tuning": {"name": "日本語 " * 30}}
    screen = new_screen(size=size).connected()
    screen.show("settings")
    screen.find(**{"class": "SectionButton"})
    for name in SECTIONS:
        for _ in range(len(SECTIONS)):
            # The list of sections scrolls where it is narrow: on to the next one at the right.
            found = screen.widgets(**{"class": "SectionButton", "text": text(f"settings.section.{name}")})
            if found and found[0].size_px[0] > 20:
                break
            y = screen.widgets(**{"class": "SectionButton"})[0].place[1]
            screen.panel.swipe((0.9, y), (0.5, y), 0.3)
        open_section(screen, name)
        for one in screen.widgets():
            if one.text:
                left, _, right, _ = one.known["rectangle"]
                assert left >= 0, (name, one.text)
                assert right <= size[0], (name, one.text)
                assert one.known["size"][0] <= size[0], (name, one.text)


@pytest.mark.slow
def test_a_real_engine_is_heard_and_told(engine: EngineProcess, screen: Screen) -> None:
    screen.connected().show("settings")
    before_db = screen.mirror("parameters")["volume"]
    screen.panel.tap(*highest(screen.resting(icon="plus")).place)
    screen.wait_for_mirror("parameters", lambda values: values["volume"] == before_db + 1.0)
    open_section(screen, "about")
    screen.find(text=screen.mirror("engine"))
