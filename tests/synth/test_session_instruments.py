"""The library through the engine's commands: imports by a real worker beside a playing engine, names, tags, trash."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from synth.control.status import NOTICE_NAMES, problems
from synth.errors import TetradError
from synth.instruments.format import SUFFIX, read_instrument
from synth.instruments.library import Library
from synth.voices.decoder import Decoder
from tests.listening import wait_until
from tests.synth.instruments.library_parts import own_library, put
from tests.synth.instruments.recordings import write_tone
from tests.synth.test_session import Player, level_db

TETRAD_FILES = {".library.json", ".library.lock"}


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder()


@pytest.fixture
def player(tmp_path: Path, decoder: Decoder) -> Iterator[Player]:
    player = Player(tmp_path, decoder, own_library(tmp_path))
    yield player
    player.session.close()


@pytest.fixture
def library(player: Player) -> Library:
    return player.session.loader.library


def imported(player: Player, number: int) -> dict[str, Any]:
    """The import when it is over."""

    def job() -> dict[str, Any]:
        return next(job for job in player.do("imports")["imports"] if job["number"] == number)

    wait_until(lambda: job()["state"] not in ("waiting", "running"), "the import")
    return job()


def names(player: Player, **wanted: Any) -> list[str]:
    return [row["name"] for row in player.do("instruments", **wanted)["instruments"]]


def test_a_recording_becomes_a_corner_while_the_engine_plays(player: Player, tmp_path: Path) -> None:
    path = write_tone(tmp_path / "box_57.wav", 57)
    player.do("note_on", key=57)
    number = player.do("instrument_import", paths=[str(path)], corner="nw", tags=["wood"], display_name="The Box")[
        "number"
    ]
    assert problems(player.status()) == []
    job = imported(player, number)
    assert job["state"] == "done", job["words"]
    assert (job["instrument"], job["share"]) == ("box", 1.0)
    assert job["words"].startswith("The Box: 1 note")
    assert names(player, search="the box") == ["box"]
    corner = player.status()["corners"]["nw"]
    assert (corner["instrument"], corner["display_name"]) == ("box", "The Box")
    assert level_db(player.play(0.5)) > -50.0
    told = [notice for notice, _ in player.notices]
    assert set(told) <= NOTICE_NAMES
    assert "instruments_changed" in told
    states = [data["state"] for notice, data in player.notices if notice == "import_changed"]
    assert states[0] == "waiting"
    assert states[-1] == "done"
    assert "running" in states
    assert problems(player.status()) == []
    shown = player.do("instrument_show", name="box")
    assert Path(shown["picture"]).is_file()
    assert [note["pitch"] for note in shown["notes"]] == [57]
    player.do("undo")
    assert player.status()["corners"]["nw"]["instrument"] != "box"


def test_a_bad_source_is_said_and_nothing_is_added(player: Player, library: Library, tmp_path: Path) -> None:
    path = tmp_path / "text_60.wav"
    path.write_text("no sound")
    before = names(player)
    job = imported(player, player.do("instrument_import", paths=[str(path)])["number"])
    assert job["state"] == "failed"
    assert "text_60.wav" in job["words"]
    assert names(player) == before
    assert set(os.listdir(library.own_folder)) <= TETRAD_FILES
    with pytest.raises(TetradError, match="there is no"):
        player.do("instrument_import", paths=[str(tmp_path / "none.wav")])
    with pytest.raises(TetradError, match="there is no"):
        player.do("instrument_import", paths=["x" * 4000])
    with pytest.raises(TetradError, match="1 to 512 go"):
        player.do("instrument_import", paths=[])


def test_an_import_is_cancelled_in_the_middle(player: Player, library: Library, tmp_path: Path) -> None:
    paths = [str(write_tone(tmp_path / f"long_{key}.wav", key, 4.0)) for key in range(40, 70, 2)]
    number = player.do("instrument_import", paths=paths)["number"]
    wait_until(lambda: player.status()["imports"].get("step") in ("listen", "build"), "the import under way")
    assert player.do("import_cancel") == {"cancelled": [number]}
    assert imported(player, number)["state"] == "cancelled"
    wait_until(lambda: set(os.listdir(library.own_folder)) <= TETRAD_FILES, "no half-written file")
    with pytest.raises(TetradError, match="no import is under way"):
        player.do("import_cancel")


def test_a_replaced_instrument_sounds_anew_in_its_corner(player: Player, library: Library, tmp_path: Path) -> None:
    put(library, "mine", "First")
    player.do("corner", corner="ne", instrument="mine")
    assert player.status()["corners"]["ne"]["display_name"] == "First"
    first = player.session.loader.kept("mine")
    theirs = put(Library([tmp_path / "theirs"]), "mine", "Second", notes=2)
    job = imported(player, player.do("instrument_import", paths=[str(theirs)], name="mine", replace=True)["number"])
    assert job["state"] == "done", job["words"]
    assert player.session.loader.kept("mine") is not first
    assert player.status()["corners"]["ne"]["display_name"] == "Second"
    again = imported(player, player.do("instrument_import", paths=[str(theirs)])["number"])
    assert (again["state"], again["duplicate"]) == ("failed", "mine")
    assert player.do("instrument_restore", name="mine") == {"name": "mine"}
    assert player.status()["corners"]["ne"]["display_name"] == "First"


def test_renaming_and_tagging_are_seen_at_once_and_patches_keep_sounding(player: Player, library: Library) -> None:
    put(library, "mine")
    player.do("corner", corner="sw", instrument="mine")
    player.do("patch_save", name="With mine")
    wait_until(lambda: "corner_changed" in [notice for notice, _ in player.notices], "the corner's notice")
    player.notices.clear()
    player.do("instrument_rename", name="mine", display_name="Grandmother")
    player.do("instrument_tag", name="mine", tags=["family"])
    player.do("instrument_favourite", name="flute")
    assert [notice for notice, _ in player.notices] == ["instruments_changed"] * 3
    assert player.status()["corners"]["sw"]["display_name"] == "Grandmother"
    assert names(player, tag="family") == ["mine"]
    assert names(player, favourites=True) == ["flute"]
    assert "mine" not in names(player, family="string")
    player.do("corner", corner="sw", instrument="flute")
    assert player.do("patch_load", name="With mine")["warnings"] == []
    assert player.status()["corners"]["sw"]["instrument"] == "mine"


def test_what_is_removed_sounds_on_and_comes_back(player: Player, library: Library, tmp_path: Path) -> None:
    put(library, "mine", "Mine")
    player.do("corner", corner="nw", instrument="mine")
    player.do("instrument_remove", name="mine")
    assert "mine" not in names(player)
    assert player.status()["corners"]["nw"]["instrument"] == "mine"
    player.do("note_on", key=60)
    assert level_db(player.play(0.3)) > -60.0
    with pytest.raises(TetradError, match="no instrument is called 'mine'"):
        player.do("corner", corner="ne", instrument="mine")
    with pytest.raises(TetradError, match="comes with Tetrad"):
        player.do("instrument_remove", name="flute")
    assert player.do("instrument_restore") == {"name": "mine"}
    assert "mine" in names(player)
    exported = Path(player.do("instrument_export", name="mine", path=str(tmp_path))["path"])
    assert exported == tmp_path / f"mine{SUFFIX}"
    assert read_instrument(exported).display_name == "Mine"


def test_what_another_process_does_to_the_library_is_seen_within_seconds(player: Player, library: Library) -> None:
    def told() -> bool:
        player.session.settle()
        return "instruments_changed" in [notice for notice, _ in player.notices]

    path = put(library, "mine", "First")
    wait_until(told, "a new instrument")
    player.do("corner", corner="ne", instrument="mine")
    for change in (
        lambda: put(library, "mine", "Second", notes=2),
        lambda: library.rename("mine", "Third"),
        lambda: path.rename(path.with_name("gone")),
    ):
        player.notices.clear()
        change()
        wait_until(told, "a change")
        if path.exists():
            wanted = "Third" if library.own_folder.joinpath(".library.json").exists() else "Second"
            assert player.status()["corners"]["ne"]["display_name"] == wanted
    assert "mine" not in names(player)
    assert player.status()["corners"]["ne"]["instrument"] == "mine"
    player.notices.clear()
    player.do("instrument_favourite", name="flute")
    player.session.imports.watch._looked_s = 0.0
    player.session.settle()
    player.do("instruments")
    assert [notice for notice, _ in player.notices] == ["instruments_changed"]  # what it did itself is no news


def test_closing_the_session_ends_an_import(tmp_path: Path, decoder: Decoder) -> None:
    player = Player(tmp_path, decoder, own_library(tmp_path))
    paths = [str(write_tone(tmp_path / f"long_{key}.wav", key, 4.0)) for key in range(40, 70, 2)]
    player.do("instrument_import", paths=paths)
    wait_until(lambda: player.status()["imports"].get("step") in ("find", "listen", "build"), "the import under way")
    player.session.close()
    folder = tmp_path / "instruments"  # which a slow machine has not come to yet
    assert not folder.exists() or set(os.listdir(folder)) <= TETRAD_FILES
