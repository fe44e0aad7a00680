"""The board's firmware in simavr, built once and driven step by step: `Board.command` takes the lines of runner.c."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "hardware" / "firmware"
CYCLES_PER_MS = 16_000
DEBIAN_PACKAGES = "gcc-avr avr-libc binutils-avr libsimavr-dev libelf-dev gcc make"


@dataclass(frozen=True)
class State:
    """A STATE frame: what hardware/PROTOCOL.md says of its fields."""

    sequence: int
    host_sequence: int
    encoders: tuple[int, ...]
    switch_levels: int
    switch_edges: tuple[int, ...]
    knobs: tuple[int, ...]
    uptime_ms: int


def make(folder: Path, *targets: str) -> subprocess.CompletedProcess[str]:
    """Runs `make` in a folder; an AssertionError with its words when it fails or says a warning."""
    done = subprocess.run(["make", "-s", "-C", folder, *targets], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"make {' '.join(targets)} in {folder}: {done.stderr}"
    assert "warning" not in done.stderr, done.stderr
    return done


def build(folder: Path) -> tuple[Path, Path]:
    """Compiles firmware and runner into a folder and returns the runner's and the firmware's paths."""
    if shutil.which("avr-gcc") is None or not Path("/usr/include/simavr").exists():
        raise AssertionError(f"avr-gcc or simavr is missing; install the Debian packages {DEBIAN_PACKAGES}.")
    make(FIRMWARE, f"BUILD={folder}")
    make(ROOT / "tests" / "hardware", f"BUILD={folder}")
    return folder / "runner", folder / "tetrad_board.elf"


def crc16(data: bytes) -> int:
    """CRC-16/IBM-3740, bit by bit: a second reading beside the firmware's and the host's."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


def frame(sequence: int, kind: int, fields: bytes = b"") -> bytes:
    """A frame of the wire, its zero included."""
    payload = bytes((sequence, kind)) + fields
    payload += struct.pack("<H", crc16(payload))
    blocks = payload.split(b"\0")
    return b"".join(bytes((len(block) + 1,)) + block for block in blocks) + b"\0"


def payloads(wire: bytes) -> list[bytes]:
    """Payloads of whole frames, their CRC taken off; an AssertionError where one is wrong."""
    found = []
    for coded in wire.split(b"\0")[:-1]:
        payload, at = b"", 0
        while at < len(coded):
            payload += coded[at + 1 : at + coded[at]]
            at += coded[at]
            payload += b"\0" if at < len(coded) else b""
        assert at == len(coded), f"a COBS block points beyond its frame: {coded.hex(' ')}"
        assert struct.unpack("<H", payload[-2:])[0] == crc16(payload[:-2]), f"wrong CRC: {coded.hex(' ')}"
        found.append(payload[:-2])
    return found


def state_of(payload: bytes) -> State:
    """The fields of a STATE's payload."""
    sequence, _, host, *rest = struct.unpack("<BBB4HB8B6HH", payload)
    return State(sequence, host, tuple(rest[:4]), rest[4], tuple(rest[5:13]), tuple(rest[13:19]), rest[19])


class Runner:
    """runner.c with the firmware. link: the serial line is a pseudo-terminal there, and time goes by the clock."""

    def __init__(self, runner: Path, firmware: Path, link: Path | None = None) -> None:
        command = [runner, firmware, *([link] if link is not None else [])]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        # simavr itself first says what it loaded.
        while (line := self._read()) != "ok":
            assert line.startswith("Loaded"), line

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.communicate("quit\n", timeout=10)

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def command(self, line: str) -> list[str]:
        """Sends a line to the runner and returns the words of its answer; an AssertionError when it is an error."""
        return self.commands([line])[0]

    def commands(self, lines: Sequence[str]) -> list[list[str]]:
        """The same of several that are sent at once, so that by the clock they have one moment."""
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{line}\n" for line in lines))
        self._process.stdin.flush()
        answers = []
        for line in lines:
            answer = self._read().split(" ")
            assert answer[0] == "ok", f"{line}: {' '.join(answer)}"
            answers.append(answer[1:])
        return answers


class Board(Runner):
    """A board that runs when told to: `with Board(runner, firmware) as board`."""

    _rest = b""

    def run(self, ms: float) -> list[bytes]:
        """Lets so many milliseconds pass and returns the payloads of the frames that were sent."""
        self.command(f"run {ms}")
        return self.received()

    def received(self) -> list[bytes]:
        """Payloads of the frames that became whole since the last call."""
        wire = self._rest + bytes.fromhex("".join(self.command("received")))
        whole = wire.rfind(b"\0") + 1
        self._rest = wire[whole:]
        return payloads(wire[:whole])

    def send(self, wire: bytes) -> None:
        """Puts bytes on the line to the board."""
        self.command(f"send {wire.hex()}")

    def states(self, ms: float) -> list[State]:
        """STATEs of the next so many milliseconds."""
        return [state_of(payload) for payload in self.run(ms) if payload[1] == 2]

    def state(self, ms: float = 300) -> State:
        """The last STATE after so many milliseconds; 300 hold at least one heartbeat."""
        return self.states(ms)[-1]
