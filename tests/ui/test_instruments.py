"""The page of instruments with a real engine and a real window: found, put into corners, imported, removed, undone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.listening import wait_until
from tests.ui.engine import EngineProcess
from tests.ui.screen import Screen, Seen

RATE_HZ = 48_000
NewScreen = Callable[..., Screen]


@pytest.fixture
def sounds(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The player's home folder, with a recording in it that is one, and one that is none."""
    monkeypatch.setenv("HOME", str(home))
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    harmonics = sum(np.sin(2.0 * np.pi * 220.0 * k * t) / k for k in range(1, 9))
    envelope = np.minimum(t / 0.05, 1.0) * np.minimum((2.0 - t) / 0.3, 1.0)
    soundfile.write(home / "my horn A3.wav", 0.15 * harmonics * envelope, RATE_HZ)
    (home / "日本語 🎻 ..x.wav").write_bytes(b"no sound")
    return home


def instruments(engine: EngineProcess) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in engine.client.request("instruments")["instruments"]}


def rows(screen: Screen, kind: str = "InstrumentRow") -> list[Seen]:
    return screen.widgets(**{"class": kind})


def test_an_instrument_is_found_and_put_into_a_corner(engine: EngineProcess, screen: Screen) -> None:
    screen.connected().show("instruments")
    chip = screen.find(**{"class": "Chip"}).place
    for _ in range(8):
        if screen.widgets(text="reed"):
            break
        screen.panel.swipe((0.6, chip[1]), (0.2, chip[1]), 0.3)
    screen.tap(text="reed")
    screen.tap(text="Bassoon")
    screen.tap(**{"class": "CornerButton", "corner": "se"})
    engine.client.wait_for(lambda status: status["corners"]["se"]["instrument"] == "bassoon", 60.0)
    screen.wait_for_mirror("corners", lambda corners: corners["se"]["instrument"] == "bassoon")
    wait_until(lambda: screen.widgets(**{"class": "CornerButton", "corner": "se", "active": True}), "the corner's sign")
    screen.tap(icon="star", text="")
    wait_until(lambda: any(one["favourite"] for one in instruments(engine).values()), "a favourite")


def test_a_recording_becomes_an_instrument_which_is_removed_and_comes_back(
    engine: EngineProcess, sounds: Path, new_screen: NewScreen
) -> None:
    before = set(instruments(engine))
    screen = new_screen().connected()
    screen.show("instruments")
    screen.tap(text="Add")
    screen.tap(text="my horn A3.wav")
    screen.tap(text="Add it")
    wait_until(lambda: [job["state"] for job in screen.mirror("import_jobs")][-1:] == ["done"], "the import's end")
    (name,) = set(instruments(engine)) - before
    screen.tap(text="my horn A3.wav")
    screen.tap(text="Show it")
    screen.tap(**{"class": "CornerButton", "corner": "nw"})
    engine.client.wait_for(lambda status: status["corners"]["nw"]["instrument"] == name, 60.0)
    assert Path(instruments(engine)[name]["picture"]).is_file()
    # Its last buttons are below the picture.
    for _ in range(6):
        if screen.widgets(text="Remove"):
            break
        screen.panel.swipe((0.75, 0.85), (0.75, 0.3), 0.3)
    screen.tap(text="Remove")
    wait_until(lambda: name not in instruments(engine), "the removal")
    screen.tap(text="Undo")
    wait_until(lambda: name in instruments(engine), "what was removed")
    assert screen.troubles == []


def test_what_is_no_sound_is_refused_in_words(engine: EngineProcess, sounds: Path, new_screen: NewScreen) -> None:
    screen = new_screen(size=(480, 800)).connected()
    screen.show("instruments")
    screen.tap(icon="plus")
    wait_until(lambda: len(rows(screen, "FileRow")) >= 2, "the files")
    engine.client.request("instrument_import", paths=[str(sounds / "日本語 🎻 ..x.wav")])
    # The jobs of the tests before are in the list too.
    wait_until(lambda: "failed" in [job["state"] for job in screen.mirror("import_jobs")], "the import's end")
    (job,) = (job for job in screen.mirror("import_jobs") if job["state"] == "failed")
    screen.tap(icon="back")
    screen.tap(icon="loop")
    wait_until(lambda: any(job["words"][:40] in words for words in screen.texts()), "the refusal")


@pytest.mark.long
def test_the_page_outlives_the_engine(engine: EngineProcess, screen: Screen) -> None:
    screen.connected().show("instruments")
    wait_until(lambda: len(rows(screen)) > 3, "instruments")
    engine.end()
    screen.wait_for_mirror("connection", lambda state: state == "connecting")
    screen.tap(text="Bassoon")
    screen.tap(**{"class": "CornerButton", "corner": "sw"})
    screen.tap(text="Listen")
    screen.tap(icon="mic")
    wait_until(lambda: "The engine is not there" in screen.texts(), "words")
    screen.tap(text="Start")
    engine.start()
    screen.connected()
    wait_until(lambda: "Record notes" in screen.texts(), "words of the input")
    screen.tap(icon="back")
    screen.tap(**{"class": "CornerButton", "corner": "sw"})
    engine.client.connect(30.0)
    engine.client.wait_for(lambda status: status["corners"]["sw"]["instrument"] == "bassoon", 60.0)
