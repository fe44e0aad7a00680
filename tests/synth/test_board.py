"""The board's host as a program beside the engine: `tetrad play --board`."""

import os
import sys
from pathlib import Path

import pytest

from synth.board import ANY, BoardHost, why_no_board_host
from tests.listening import wait_until
from tests.ui.engine import EngineProcess

SMALL_HOST = """
import pathlib, sys
pathlib.Path(__file__).with_name("started").write_text(" ".join(sys.argv[1:]))
print("no serial port is there", flush=True)
sys.stdin.read()
pathlib.Path(__file__).with_name("ended").touch()
"""


@pytest.mark.parametrize(("port", "arguments"), [("/dev/ttyUSB3", " --port /dev/ttyUSB3"), (ANY, "")])
def test_what_the_host_says_is_passed_on_and_it_ends_with_us(tmp_path: Path, port: str, arguments: str) -> None:
    (tmp_path / "small_host.py").write_text(SMALL_HOST)
    environment = {**os.environ, "TETRAD_BOARD": "small_host", "PYTHONPATH": str(tmp_path)}
    said: list[str] = []
    host = BoardHost(port, Path("/somewhere/s"), said.append, environment=environment)
    wait_until(lambda: said, "the host's words")
    assert said == ["Board: no serial port is there"]
    assert (tmp_path / "started").read_text() == f"--with-parent --socket /somewhere/s{arguments}"
    assert (host.look(), host.running) == (False, True)
    host.close()
    assert (host.look(), host.running) == (False, False)


def test_a_missing_package_is_said() -> None:
    assert why_no_board_host() == ""
    assert why_no_board_host({"TETRAD_BOARD": "nobody_wrote_this"}).startswith("the package nobody_wrote_this is miss")


@pytest.mark.slow
def test_tetrad_play_starts_it_and_it_ends_even_with_an_engine_that_was_killed(tmp_path: Path) -> None:
    def log() -> list[str]:
        return [line["words"] for line in engine.client.request("log")["lines"]]

    with EngineProcess(tmp_path, "--audio", "null", "--board", "sim") as engine:
        engine.start()
        wait_until(lambda: any("Board: simulated board at /dev/pts/" in words for words in log()), "the board")
        wait_until(lambda: any("Board: connected to tetrad" in words for words in log()), "the board's engine")
        (host,) = hosts(engine.pid)
        engine.kill()
        wait_until(lambda: not Path(f"/proc/{host}").exists(), "the host's end")


def hosts(engine: int) -> list[int]:
    """Process numbers of the hosts that an engine has started."""
    children = Path(f"/proc/{engine}/task/{engine}/children").read_text().split()
    command = (sys.executable, "-m", "firmware_host")
    return [int(one) for one in children if tuple(Path(f"/proc/{one}/cmdline").read_text().split("\0")[:3]) == command]
