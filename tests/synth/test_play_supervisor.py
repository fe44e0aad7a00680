"""`tetrad play` outlives its engine: with small programs in the places of engine and screen, and with the real one."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from synth.companion import MOST_STARTS
from synth.control.supervision import Ready, read_ready, ready_line
from synth.io.client import Client
from synth.play_supervisor import Supervisor
from tests.listening import wait_until

SMALL_ENGINE = """
import os, pathlib, sys, time
from synth.control.supervision import AGAIN_VARIABLE, Ready, supervisor_link
home = pathlib.Path(sys.argv[1])
with (home / "starts").open("a") as file:
    file.write(f"{os.getpid()} {os.environ.get(AGAIN_VARIABLE, '')}\\n")
link = supervisor_link()
if not (home / "refuses").exists():
    said = (home / "said").open("a")
    link.ready(Ready(True, "none", home / "s"), lambda words: print(words, file=said, flush=True), lambda: os._exit(0))
while not (home / "status").exists():
    time.sleep(0.02)
sys.exit(int((home / "status").read_text()))
"""
SMALL_SCREEN = """
import os, pathlib, sys
with pathlib.Path(__file__).with_name("screens").open("a") as file:
    file.write(f"{os.getpid()}\\n")
sys.stdin.read()
"""


class Small:
    """The supervisor in a thread, with a small engine and a small screen."""

    def __init__(self, home: Path) -> None:
        self.home, self.stopping, self.status = home, threading.Event(), -1
        (home / "engine.py").write_text(SMALL_ENGINE)
        (home / "small_screen.py").write_text(SMALL_SCREEN)
        self._supervisor = Supervisor([sys.executable, str(home / "engine.py"), str(home)])
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        self.status = self._supervisor.run(self.stopping.is_set)

    def lines(self, name: str) -> list[str]:
        return (self.home / name).read_text().splitlines() if (self.home / name).exists() else []

    def kill_engine(self, number: int) -> None:
        """The number-th, from 1, once it plays and the screen is there."""
        wait_until(lambda: len(self.lines("starts")) == number and self.lines("screens"), "an engine's start")
        os.kill(int(self.lines("starts")[-1].split()[0]), signal.SIGKILL)

    def ended(self) -> bool:
        self._thread.join(0.0)
        return not self._thread.is_alive()

    def end(self) -> None:
        self.stopping.set()
        self._thread.join(60.0)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Small]:
    root = str(Path(__file__).resolve().parents[2])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), root]))
    monkeypatch.setenv("TETRAD_SCREEN", "small_screen")
    small = Small(tmp_path)
    yield small
    small.end()


def lives(process: str) -> bool:
    return Path(f"/proc/{process}").exists()


def test_what_the_two_say_to_each_other_is_understood() -> None:
    for ready in (Ready(True, "any", Path("/a b/s")), Ready(False, "/dev/ttyUSB0", Path("/it's"))):
        assert read_ready(ready_line(ready)) == ready
    assert read_ready(b"something else") is None
    assert read_ready(b"\xff '") is None


def test_a_killed_engine_comes_back_and_the_screen_stays(small: Small, capfd: pytest.CaptureFixture[str]) -> None:
    small.start()
    small.kill_engine(1)
    wait_until(lambda: len(small.lines("starts")) == 2, "the engine's return")
    first, second = (line.split() for line in small.lines("starts"))
    assert (len(first), second[1:]) == (1, ["1"])  # the second is told that it goes on
    (screen,) = small.lines("screens")
    assert lives(screen)
    os.kill(int(screen), signal.SIGKILL)
    wait_until(lambda: small.lines("said"), "what happened to the screen, said to the engine")
    assert small.lines("said") == ["the screen broke down (signal 9); it is started again"]
    small.stopping.set()
    wait_until(small.ended, "the end")
    assert not any(lives(one) for one in (second[0], *small.lines("screens")))
    assert "The engine broke down (signal 9); it is started again with its sound." in capfd.readouterr().out


def test_it_gives_up_in_one_line_and_takes_the_screen_along(small: Small, capfd: pytest.CaptureFixture[str]) -> None:
    small.start()
    for number in range(1, MOST_STARTS + 2):
        small.kill_engine(number)
    wait_until(small.ended, "the giving up")
    assert small.status == 1
    assert len(small.lines("starts")) == MOST_STARTS + 1
    assert not lives(small.lines("screens")[0])
    words = capfd.readouterr().err
    assert "4 times within a minute and stays off; your sound is kept" in words
    assert words.count("\n") == 1


@pytest.mark.parametrize("status", [0, 1, 2])
def test_an_engine_that_ends_by_itself_or_never_played_is_not_started_again(small: Small, status: int) -> None:
    (small.home / "refuses").touch()
    (small.home / "status").write_text(str(status))
    small.start()
    wait_until(small.ended, "the end")
    assert small.status == status
    assert len(small.lines("starts")) == 1


@pytest.mark.slow
def test_tetrad_play_plays_on_after_a_kill_with_its_sound_and_ends_with_its_supervisor(tmp_path: Path) -> None:
    (tmp_path / "small_screen.py").write_text(SMALL_SCREEN)
    paths = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    own = {"TETRAD_HOME": str(tmp_path), "TETRAD_SOCKET": str(tmp_path / "s"), "TETRAD_SCREEN": "small_screen"}
    command = [sys.executable, "-m", "synth.cli", "play", "--fresh", "--audio", "null", "--osc", "-1", "--no-refine"]
    screens = tmp_path / "screens"
    program = subprocess.Popen(
        command,
        env={**os.environ, **own, "PYTHONPATH": paths, "DISPLAY": ":77"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    client = Client(tmp_path / "s", name="test")
    try:
        client.start()
        wait_until(lambda: client.connected and screens.exists(), "the engine", 300.0)
        client.request("set", parameter="reverb", value=0.25)
        wait_until((tmp_path / "current.json").exists, "the current patch on the disk")
        wait_until(lambda: b'"reverb": 0.25' in (tmp_path / "current.json").read_bytes(), "the newest one")
        children = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text().split()
        (engine,) = [one for one in children if "synth.cli" in Path(f"/proc/{one}/cmdline").read_text()]
        os.kill(int(engine), signal.SIGKILL)
        wait_until(lambda: not client.connected, "the end of the first engine")
        wait_until(lambda: client.connected, "the second engine", 300.0)
        assert client.request("status")["parameters"]["reverb"] == 0.25  # whatever --fresh said
    finally:
        client.close()
        program.kill()
        program.wait()
    (screen,) = screens.read_text().split()
    wait_until(lambda: not lives(screen), "the screen's end")
    wait_until(lambda: not (tmp_path / "s").exists(), "the second engine's end")
