"""The real host between a simulated board on a pseudo-terminal and the real engine."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware_host.lamps import BRIGHT, GLOWING, duty
from firmware_host.simulate import PtyBoard
from firmware_host.simulated_board import SimulatedBoard
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


@pytest.fixture(scope="module")
def shared_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    with EngineProcess(tmp_path_factory.mktemp("home")) as engine:
        engine.start()
        yield engine


@pytest.fixture
def engine(shared_engine: EngineProcess) -> EngineProcess:
    shared_engine.as_at_first()
    return shared_engine


@pytest.fixture
def board(tmp_path: Path) -> Iterator[PtyBoard]:
    with PtyBoard(link_path=tmp_path / "port") as board:
        yield board


@pytest.fixture
def host(engine: EngineProcess, board: PtyBoard, tmp_path: Path) -> Iterator[HostProcess]:
    """Connected to both: the light of the loaded patch has come."""
    host = HostProcess(tmp_path, "--port", str(board.link_path), "--socket", str(engine.socket))
    wait_until(lambda: board.simulated.leds[0] in SHINING, "the first light")
    yield host
    host.close()


SHINING = (duty(BRIGHT), duty(GLOWING))


def by_hand(board: PtyBoard, *moves: Callable[[SimulatedBoard], object]) -> None:
    for move in moves:
        board.do(move)


@pytest.mark.slow
def test_turns_knobs_and_buttons_reach_the_engine_also_after_replugging(
    engine: EngineProcess, board: PtyBoard, host: HostProcess
) -> None:
    def corner(status: dict) -> str:  # type: ignore[type-arg]
        instrument: str = status["corners"]["ne"]["instrument"]
        return instrument

    for time in range(2):
        if time:
            board.unplug()
            wait_until(lambda: "the board is gone" in host.said(), "the words for an unplugged board")
            board.plug_in()
            wait_until(lambda: board.simulated.leds[0] in SHINING, "light after replugging")
        before = corner(engine.client.request("status"))
        by_hand(board, lambda simulated: simulated.turn(Corner.NE, 8 if time == 0 else -8))
        engine.client.wait_for(lambda status: status["focus"]["target"] == "ne", LIMIT_S)
        by_hand(board, lambda simulated: simulated.press(Corner.NE), lambda simulated: simulated.release(Corner.NE))
        engine.client.wait_for(lambda status, was=before: corner(status) != was, LIMIT_S)  # type: ignore[misc]
        for reading in (0, 1023):
            by_hand(board, lambda simulated, to=reading: simulated.knob(4, to))  # type: ignore[misc]
            wait_until(lambda: not board.simulated.due(0.0), "the state's being sent")
        engine.client.wait_for(lambda status: status["parameters"]["release"] == 10.0, LIMIT_S)
        engine.client.request("set", parameter="release", value=1.0)
        button = 5 + time
        by_hand(board, lambda simulated, at=button: simulated.press(at))  # type: ignore[misc]
        by_hand(board, lambda simulated, at=button: simulated.release(at))  # type: ignore[misc]
        engine.client.wait_for(lambda status, at=button: status["patch"]["number"] == at - 4, LIMIT_S)  # type: ignore[misc]
        wait_until(lambda at=button: board.simulated.leds[at - 4] == duty(BRIGHT), "the loaded patch's light")  # type: ignore[misc]


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
    wait_until(lambda: shown.add(board.simulated.leds) or len(shown) >= 4, "the light that goes round")
    assert "the board's settings are as by default" in host.said()
    assert "'colour' is unknown; port, brightness, audition, knobs, reversed were expected" in host.said()
    assert str(tmp_path / "nowhere") in host.said()
    assert board.simulated.brightness == 255
    assert host.process.stdin is not None
    host.process.stdin.close()
    assert host.process.wait(LIMIT_S) == 0
