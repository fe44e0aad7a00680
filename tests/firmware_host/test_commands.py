"""`tetrad board`: each command as a process, with a simulated board."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from firmware_host.events import Knob
from firmware_host.flash import BAUD, OLD_BAUD, only_port
from firmware_host.ports import PortInfo
from firmware_host.simulate import PtyBoard
from firmware_host.walk import DETENTS, Step, steps
from synth.control.corners import Corner
from synth.errors import TetradError
from tests.listening import wait_until

# As the console script does, which finds the command by its entry point.
PROGRAM = """
import sys
from synth.command import LazyParser, add_commands
from synth.errors import TetradError
parser = LazyParser()
add_commands(parser, {"board": "firmware_host.commands:BoardCommand"})
args = parser.parse_args()
try:
    sys.exit(args.run(args))
except TetradError as error:
    sys.exit(f"error: {error}")
"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", PROGRAM, "board", *arguments]


def run(home: Path, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TETRAD_HOME": str(home)} | ({} if path is None else {"PATH": path})
    return subprocess.run(command(*arguments), env=environment, capture_output=True, text=True, timeout=60, check=False)


def follow(board: PtyBoard, step: Step) -> None:
    """What the step asks for."""
    match step.control:
        case Corner() as corner:
            board.do(lambda simulated: simulated.turn(corner, 4 * DETENTS))
        case Knob() as knob:
            for reading in (0, 1023):
                board.do(lambda simulated, to=reading: simulated.knob(knob, to))  # type: ignore[misc]
                wait_until(lambda to=reading: sent_knob(board, knob) == to, "the knob's being sent")  # type: ignore[misc]
        case switch:
            if step.led is not None:
                lit = tuple(255 if led == step.led else 0 for led in range(4))
                wait_until(lambda: board.simulated.leds == lit, "the button's light")
            board.do(lambda simulated: simulated.press(switch))


def sent_knob(board: PtyBoard, knob: Knob) -> int | None:
    """Where a knob was in the last STATE that the board sent."""
    sent = board.simulated._sent
    return None if sent is None else sent.knobs[knob]


@pytest.mark.slow
def test_the_walk_passes_a_right_board(tmp_path: Path) -> None:
    with (
        PtyBoard() as board,
        subprocess.Popen(
            command("test", "--port", board.device),
            env={**os.environ, "TETRAD_HOME": str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
        ) as program,
    ):
        assert program.stdout is not None
        said = []
        by_instruction = {step.instruction: step for step in steps()}
        for line in program.stdout:
            said.append(line.strip())
            step = by_instruction.get(said[-1])
            if step is None:
                continue
            follow(board, step)
        assert program.wait(30) == 0
    assert said[-1] == "Every control is right."
    assert any(line.startswith("DIAGNOSTICS") for line in said)


@pytest.mark.slow
def test_the_walk_names_what_does_not_come(tmp_path: Path) -> None:
    with PtyBoard() as board:
        result = run(tmp_path, "test", "--port", board.device, "--patience", "0.05")
    assert result.returncode == 1
    assert result.stdout.count("nothing came of: ") == len(steps())
    assert f"{len(steps())} remarks" in result.stdout


@pytest.mark.slow
def test_a_monitor_shows_and_keeps_what_can_be_decoded_later(tmp_path: Path) -> None:
    capture = tmp_path / "capture.txt"
    with PtyBoard() as board:
        live = run(tmp_path, "monitor", "--port", board.device, "--capture", str(capture), "--seconds", "1.5")
    assert live.returncode == 0
    decoded = run(tmp_path, "monitor", "--decode", str(capture))
    assert decoded.returncode == 0
    for text in (live.stdout, decoded.stdout):
        assert "> " in text
        assert "GREETING protocol_major=1" in text
        assert "HELLO protocol_major=1" in text
        assert "STATE host_sequence=" in text
    assert "# > GREETING: " in decoded.stdout
    missing = run(tmp_path, "monitor", "--decode", str(tmp_path / "none"))
    assert missing.returncode == 1
    assert "none can't be read (No such file or directory)" in missing.stderr
    kept = capture.read_bytes()
    again = run(tmp_path, "monitor", "--port", "/dev/null", "--capture", str(capture), "--seconds", "0.1")
    assert again.returncode == 1
    assert "capture.txt can't be written (File exists); name another file" in again.stderr
    assert capture.read_bytes() == kept


@pytest.mark.slow
def test_a_simulated_board_follows_its_script(tmp_path: Path) -> None:
    script = tmp_path / "hand.txt"
    script.write_text("turn nw 1\nknob attack 0.5\n")
    link = tmp_path / "port"
    result = run(tmp_path, "simulate", "--script", str(script), "--link", str(link), "--seconds", "0.5")
    assert result.returncode == 0
    assert f"tetrad play --board {link}" in result.stdout
    assert result.stdout.count("kind='turn'") == 4
    script.write_text("dance\n")
    refused = run(tmp_path, "simulate", "--script", str(script))
    assert refused.returncode == 1
    assert "line 1 of the hand's script is 'dance'" in refused.stderr


AVRDUDE = """#!/bin/sh
echo "$@" > {said}
exit {status}
"""


@pytest.mark.slow
@pytest.mark.parametrize("status", [0, 3])
def test_flashing_calls_avrdude(tmp_path: Path, status: int) -> None:
    (tmp_path / "bin").mkdir()
    program, said, firmware = tmp_path / "bin" / "avrdude", tmp_path / "said", tmp_path / "board.hex"
    program.write_text(AVRDUDE.format(said=said, status=status))
    program.chmod(0o755)
    firmware.write_text(":00000001FF\n")
    path = f"{tmp_path / 'bin'}:/usr/bin:/bin"
    old = ["--old-bootloader"] if status else []
    result = run(tmp_path, "flash", "--port", "/dev/ttyUSB7", "--hex", str(firmware), *old, path=path)
    baud = OLD_BAUD if status else BAUD
    expected = f"-c arduino -p atmega328p -P /dev/ttyUSB7 -b {baud} -D -U flash:w:{firmware}:i"
    assert said.read_text().strip() == expected
    assert (result.returncode == 0) is (status == 0)
    if status:
        assert "avrdude ended with status 3" in result.stderr
        assert "without --old-bootloader" in result.stderr
    missing = run(tmp_path, "flash", "--hex", str(tmp_path / "none.hex"), path=path)
    assert "none.hex; a built one was expected; run: make -C hardware/firmware" in missing.stderr
    no_tool = run(tmp_path, "flash", path=str(tmp_path))
    assert "sudo apt install avrdude" in no_tool.stderr


def test_the_port_to_flash_is_the_only_nano() -> None:
    nano, gps = PortInfo("/dev/ttyUSB0", usb=(0x1A86, 0x7523)), PortInfo("/dev/ttyACM0", usb=(0x1546, 0x01A7))
    assert only_port([gps, nano]) == "/dev/ttyUSB0"
    with pytest.raises(TetradError, match="0 ports look like a Nano's \\(found: /dev/ttyACM0\\)"):
        only_port([gps])
    with pytest.raises(TetradError, match="0 ports look like a Nano's \\(found: none\\)"):
        only_port([])
    with pytest.raises(TetradError, match="2 ports look like a Nano's"):
        only_port([nano, PortInfo("/dev/ttyUSB1", usb=(0x0403, 0x6001))])
