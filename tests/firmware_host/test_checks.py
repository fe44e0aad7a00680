"""What the doctor finds at a serial port: simulated boards on pseudo-terminals, and what is none."""

import os
import pty
import threading
import tty
from pathlib import Path

import pytest

from firmware_host.checks import ask, board, checks, counters
from firmware_host.messages import N_ENCODERS, Diagnostics
from firmware_host.ports import PortInfo
from firmware_host.settings import BoardSettings
from firmware_host.simulate import PtyBoard
from synth.doctor.check import Verdict

NANO = (0x1A86, 0x7523)


def diagnostics(bad: int = 0, overruns: int = 0, illegal: int = 0) -> Diagnostics:
    return Diagnostics(bad, 0, overruns, 0, (illegal,) + (0,) * (N_ENCODERS - 1), 210, 900)


def test_a_board_says_who_it_is_and_how_it_fares() -> None:
    with PtyBoard(name="left", board_id=7) as simulated:
        found = board(BoardSettings(), [PortInfo(simulated.device, usb=NANO)])
        assert [check.verdict for check in found] == [Verdict.OK, Verdict.OK]
        assert found[0].value.startswith("left, firmware ")
        assert f"LEDs at {simulated.device}" in found[0].value
        assert "0 frames damaged" in found[1].value


def test_no_board_is_needed_and_strangers_are_left_alone() -> None:
    master, slave = pty.openpty()
    os.set_blocking(master, False)
    [check] = board(BoardSettings(), [PortInfo(os.ttyname(slave))])
    assert check.verdict is Verdict.OK
    assert os.ttyname(slave) in check.value
    with pytest.raises(BlockingIOError):
        os.read(master, 1)
    os.close(slave)
    os.close(master)


def test_a_board_of_another_protocol() -> None:
    with PtyBoard(protocol=(2, 0)) as simulated:
        [check] = ask(simulated.device, [])
    assert check.verdict is Verdict.WARN
    assert "protocol 2.0" in check.value
    assert check.remedy == "update Tetrad, which is older than it"


def test_a_port_that_another_program_has() -> None:
    with PtyBoard() as simulated:
        import serial

        with serial.Serial(simulated.device, 250_000, exclusive=True):
            [check] = ask(simulated.device, [])
    assert check.verdict is Verdict.OK
    assert "used by another program" in check.value


def test_a_named_port_that_is_not_there(tmp_path: Path) -> None:
    [check] = ask(str(tmp_path / "ttyUSB9"), [])
    assert check.verdict is Verdict.WARN
    assert "is not there" in check.value
    assert "plug the board in" in check.remedy


def test_a_port_that_speaks_something_else() -> None:
    master, slave = pty.openpty()
    tty.setraw(slave)
    ended = threading.Event()

    def speak() -> None:  # what was said before a port was opened is not heard
        while not ended.wait(0.1):
            os.write(master, b"$GPGGA,092750.000,5321.6802,N\r\n")

    speaker = threading.Thread(target=speak)
    speaker.start()
    [check] = ask(os.ttyname(slave), [])
    ended.set()
    speaker.join()
    os.close(slave)
    os.close(master)
    assert check.verdict is Verdict.WARN
    assert "GPS" in check.value


def test_settings_with_an_error_do_not_end_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TETRAD_HOME", str(tmp_path))
    (tmp_path / "board.toml").write_text("brightness = 7\n")
    settings, *rest = checks()
    assert (settings.name, settings.verdict) == ("board settings", Verdict.FAIL)
    assert rest


@pytest.mark.parametrize(
    ("told", "verdict", "words"),
    [
        (None, "warn", "did not tell"),
        (diagnostics(), "ok", "busy 21 % at most, 900 bytes"),
        (diagnostics(bad=3), "ok", "5 frames damaged"),
        (diagnostics(overruns=1), "warn", "1 overruns"),
        (diagnostics(illegal=101), "warn", "encoder 1 made 101 impossible steps"),
    ],
)
def test_counters(told: Diagnostics | None, verdict: str, words: str) -> None:
    check = counters(told, {"lost": 2})
    assert check.verdict == verdict
    assert words in check.value
