"""The screen as a program beside the engine, with a small one in its place."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from synth.companion import MOST_STARTS
from synth.screen import Screen, why_no_screen
from tests.listening import wait_until

SMALL_SCREEN = """
import os, pathlib, sys, time
home = pathlib.Path(__file__).parent
with (home / "starts").open("a") as file:
    file.write(" ".join(sys.argv[1:]) + " " + os.environ["TETRAD_SOCKET"] + "\\n")
while not (home / "status").exists():
    time.sleep(0.02)
os._exit(int((home / "status").read_text()))
"""


class SmallScreen:
    """A program that ends with the status that a test says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "small_screen.py").write_text(SMALL_SCREEN)
        paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.environment = {
            **os.environ,
            "TETRAD_SCREEN": "small_screen",
            "PYTHONPATH": os.pathsep.join(paths),
            "DISPLAY": ":77",
        }

    def starts(self) -> list[str]:
        file = self.folder / "starts"
        return file.read_text().splitlines() if file.exists() else []

    def end(self, status: int) -> None:
        (self.folder / "status").write_text(str(status))


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallScreen:
    monkeypatch.syspath_prepend(str(tmp_path))
    return SmallScreen(tmp_path)


def looked_until(screen: Screen, condition: Callable[[], object], what: str) -> bool:
    """Whether `look` said, before the condition came, that the player had closed it."""
    closed = False

    def look() -> bool:
        nonlocal closed
        closed = closed or screen.look()
        return closed or bool(condition())

    wait_until(look, what)
    return closed


def test_it_gets_the_socket_and_closed_by_the_player_it_says_so(small: SmallScreen) -> None:
    said: list[str] = []
    screen = Screen(Path("/somewhere/s"), said.append, environment=small.environment)
    wait_until(small.starts, "its start")
    assert small.starts() == ["--with-parent --socket /somewhere/s /somewhere/s"]
    assert screen.running
    assert not screen.look()
    bare = Screen(Path("/s"), said.append, environment={**small.environment, "DISPLAY": ""})
    wait_until(lambda: len(small.starts()) == 2, "the start on a bare card")
    assert small.starts()[1] == "--with-parent --socket /s --fullscreen /s"
    bare.close()
    small.end(0)
    assert looked_until(screen, lambda: False, "its end")
    assert said == []
    screen.close()


def test_one_that_breaks_down_is_started_again_and_not_for_ever(small: SmallScreen) -> None:
    said: list[str] = []
    small.end(3)
    screen = Screen(Path("/somewhere/s"), said.append, environment=small.environment)
    assert not looked_until(screen, lambda: len(said) > MOST_STARTS, "the end of the trying")
    assert len(small.starts()) == MOST_STARTS + 1
    assert said[0] == "the screen broke down (status 3); it is started again"
    assert "stays off" in said[-1]
    assert not screen.look()
    assert not screen.running


def test_it_ends_with_the_engine(small: SmallScreen) -> None:
    screen = Screen(Path("/somewhere/s"), print, environment=small.environment)
    wait_until(small.starts, "its start")
    screen.close()
    assert not screen.running
    screen.close()


def test_why_there_is_none_is_said(tmp_path: Path) -> None:
    assert why_no_screen({"TETRAD_SCREEN": "nobody_wrote_this"}).startswith("the package nobody_wrote_this is missing")
    here = {"TETRAD_SCREEN": "synth"}
    assert "there is no display" in why_no_screen(here, tmp_path)
    assert why_no_screen({**here, "DISPLAY": ":0"}, tmp_path) == ""
    assert why_no_screen({**here, "WAYLAND_DISPLAY": "wayland-0"}, tmp_path) == ""
    card = tmp_path / "card0"
    card.touch()
    assert why_no_screen(here, tmp_path) == ""
    if os.geteuid() != 0:  # root may open everything
        card.chmod(0)
        assert "join the group video" in why_no_screen(here, tmp_path)


@pytest.mark.slow
def test_tetrad_play_shows_it_and_ends_when_the_player_closes_it(small: SmallScreen) -> None:
    home = {"TETRAD_HOME": str(small.folder / "home"), "TETRAD_SOCKET": str(small.folder / "s")}
    command = [sys.executable, "-m", "synth.cli", "play", "--audio", "null", "--osc", "-1", "--no-refine"]
    with subprocess.Popen(
        command,
        env={**small.environment, **home},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as program:
        wait_until(small.starts, "the screen's start", 300.0)
        small.end(0)
        output, _ = program.communicate(timeout=120)
    assert program.returncode == 0
    assert "The demo" not in output  # whoever has a screen can play
    assert "Played" in output
    assert len(small.starts()) == 1
    without = subprocess.run(
        [*command, "--seconds", "0.2"],
        env={**{k: v for k, v in small.environment.items() if k != "DISPLAY"}, **home, "TETRAD_SCREEN": "not_there"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert "No screen: the package not_there is missing" in without.stdout
