"""The real host between a simulated board on a pseudo-terminal and the real engine."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_host.events import Knob, Switch
from firmware_host.lamps import BRIGHT, duty
from firmware_host.simulate import PtyBoard
from synth.control.corners import Corner
from tests.listening import wait_until
from tests.ui.engine import WITH_US, EngineProcess

LIMIT_S = 30.0


class HostProcess:
    """`python -m firmware_host`; what it says is in a file."""

    def __init__(self, folder: Path, *arguments: str, stdin: int = subprocess.DEVNULL) -> None:
        self._said = folder / "said"
        environment = {**os.environ, "TETRAD_HOME": str(folder)}
        with self._said.open("w") as file:
            self.process = subprocess.Popen(
                [*WITH_US, sys.executable, "-m", "firmware_host", *arguments],
                env=environment,
                stdin=stdin,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        return self._said.read_text(encoding="utf-8")

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(LIMIT_S) == 0


@pytest.fixture
def board(tmp_path: Path) -> Iterator[PtyBoard]:
    with PtyBoard(link_path=tmp_path / "port") as board:
        yield board


@pytest.fixture
def host(engine: EngineProcess, board: PtyBoard, tmp_path: Path) -> Iterator[HostProcess]:
    """Connected to both: the light of the loaded patch has come."""
    engine.client.request("patch_load", number=0)
    host = HostProcess(tmp_path, "--port", str(board.link_path), "--socket", str(engine.socket))
    wait_until(lambda: board.simulated.leds[0] == duty(BRIGHT), "the first light")
    yield host
    host.close()


def play(engine: EngineProcess, board: PtyBoard, detents: int, reading: int, release: float, button: int) -> None:
    """One of each control: the corner north-east, the knob release (to an end of its way), a patch."""
    client = engine.client
    before = client.request("status")["corners"]["ne"]["instrument"]
    board.do(lambda simulated: simulated.turn(Corner.NE, 4 * detents))
    client.wait_for(lambda status: status["focus"]["target"] == "ne", LIMIT_S)
    board.do(lambda simulated: simulated.press(Corner.NE))
    board.do(lambda simulated: simulated.release(Corner.NE))
    client.wait_for(lambda status: status["corners"]["ne"]["instrument"] != before, LIMIT_S)
    board.do(lambda simulated: simulated.knob(Knob.RELEASE, reading))
    client.wait_for(lambda status: status["parameters"]["release"] == release, LIMIT_S)
    client.request("set", parameter="release", value=1.0)
    board.do(lambda simulated: simulated.press(Switch.PATCH_1 + button))
    board.do(lambda simulated: simulated.release(Switch.PATCH_1 + button))
    client.wait_for(lambda status: status["patch"]["number"] == button, LIMIT_S)
    wait_until(lambda: board.simulated.leds[button] == duty(BRIGHT), "the loaded patch's light")


@pytest.mark.slow
def test_turns_knobs_and_buttons_reach_the_engine_also_after_replugging(
    engine: EngineProcess, board: PtyBoard, host: HostProcess
) -> None:
    def presented(words: str, *, well: bool) -> None:
        """The engine tells all screens so."""
        engine.client.wait_for(
            lambda status: any(
                one["name"] == "board" and words in one["words"] and one["well"] is well
                for one in status["server"]["presented"]
            ),
            LIMIT_S,
        )

    play(engine, board, 2, 1023, 10.0, 1)
    presented("Tetrad board at", well=True)
    board.unplug()
    wait_until(lambda: "the board is gone" in host.said(), "the words for an unplugged board")
    presented("is not there", well=False)
    board.plug_in()
    wait_until(lambda: board.simulated.leds[1] == duty(BRIGHT), "light after replugging")
    play(engine, board, -2, 0, 0.05, 2)


@pytest.mark.slow
def test_it_waits_for_an_engine_and_ends_with_its_parent(board: PtyBoard, tmp_path: Path) -> None:
    (tmp_path / "board.toml").write_text("colour = 'red'\nbrightness = 0.0\n")
    host = HostProcess(
        tmp_path,
        "--port",
        str(board.link_path),
        "--socket",
        str(tmp_path / "nowhere"),
        "--with-parent",
        stdin=subprocess.PIPE,
    )
    shown: set[tuple[int, ...]] = set()

    def goes_round() -> bool:
        shown.add(board.simulated.leds)
        return len(shown) >= 4

    wait_until(goes_round, "the light that goes round")
    assert "the board's settings are as by default" in host.said()
    assert "'colour' is unknown; port, brightness, audition, knobs, reversed were expected" in host.said()
    assert str(tmp_path / "nowhere") in host.said()
    assert board.simulated.brightness == 255
    assert host.process.stdin is not None
    host.process.stdin.close()
    assert host.process.wait(LIMIT_S) == 0
