"""A DIN socket's serial port, as a pseudo-terminal: bytes at their own speed, cables that are pulled out."""

import os
import pty
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from synth.io import din_midi
from synth.io.din_midi import BYTE_S, DinMidiInput
from synth.io.midi_queue import PortMessage
from tests.listening import wait_until


class Socket:
    """A pseudo-terminal behind a name that stays, as udev gives one."""

    def __init__(self, link: Path) -> None:
        self._link = link
        self._master, self._slave = pty.openpty()
        tty.setraw(self._master)
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(self._slave))

    def send(self, data: bytes) -> None:
        os.write(self._master, data)

    def unplug(self) -> None:
        os.close(self._slave)
        os.close(self._master)
        self._link.unlink()


@pytest.fixture
def link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(din_midi, "RETRY_S", 0.05)
    return tmp_path / "ttyMIDI"


@pytest.fixture
def din(link: Path) -> Iterator[DinMidiInput]:
    din = DinMidiInput(str(link))
    yield din
    din.close()


def collect(din: DinMidiInput, n: int) -> list[PortMessage]:
    messages: list[PortMessage] = []

    def enough() -> bool:
        messages.extend(din.queue.take())
        return len(messages) >= n

    wait_until(enough, f"{n} messages")
    return messages


def test_running_status_and_clocks_come_through_in_order(din: DinMidiInput, link: Path) -> None:
    socket = Socket(link)
    wait_until(lambda: din.problem is None, "the port's opening")
    socket.send(bytes.fromhex("90 3c 64 40 f8 64 fe f0 01 02 f7 c1 05"))
    messages = collect(din, 5)
    assert [message.data.hex(" ") for message in messages] == ["90 3c 64", "f8", "90 40 64", "f0 01 02 f7", "c1 05"]
    assert {message.port for message in messages} == {f"DIN: {link}"}
    times_s = [message.time_s for message in messages]
    assert times_s == sorted(times_s)
    assert pytest.approx(320e-6) == BYTE_S
    socket.unplug()


def test_what_was_read_together_came_one_byte_after_the_other(
    din: DinMidiInput, link: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = Socket(link)
    wait_until(lambda: din.problem is None, "the port's opening")
    monkeypatch.setattr(time, "perf_counter", lambda: 100.0)
    apart_s = []
    for _ in range(20):
        socket.send(bytes.fromhex("90 3c 64 40 64"))
        first, second = collect(din, 2)
        apart_s.append(second.time_s - first.time_s)
        assert second.time_s <= 100.0
    # Two bytes apart; less where the reader came between them.
    assert max(apart_s) == pytest.approx(2.0 * BYTE_S)
    assert min(apart_s) >= 0.0
    socket.unplug()


def test_a_cable_that_is_pulled_out_is_lost_and_found_again(din: DinMidiInput, link: Path) -> None:
    wait_until(lambda: "does not answer" in str(din.problem), "the first attempt")
    for _ in range(2):
        socket = Socket(link)
        wait_until(lambda: din.problem is None, "the port's opening")
        socket.send(b"\x90\x3c\x64\x40")
        assert collect(din, 1)[0].data == b"\x90\x3c\x64"
        socket.unplug()
        wait_until(lambda: din.queue.take() == [] and din.queue.lost() == [f"DIN: {link}"], "the loss")
        wait_until(lambda: din.problem is not None, "the reason")
        assert "ttyMIDI does not answer" in str(din.problem)


def test_an_instrument_that_stops_sensing_is_lost_until_it_plays_again(din: DinMidiInput, link: Path) -> None:
    socket = Socket(link)
    wait_until(lambda: din.problem is None, "the port's opening")
    socket.send(b"\x90\x3c\x64\xfe")
    collect(din, 1)
    wait_until(lambda: din.queue.take() == [] and din.queue.lost() == [f"DIN: {link}"], "the silence")
    socket.send(b"\x40\x64\x90\x41\x64")  # the status from before the silence holds no longer
    assert [message.data for message in collect(din, 1)] == [b"\x90\x41\x64"]
    assert din.queue.lost() == []
    assert din.problem is None
    socket.unplug()


def test_the_port_runs_at_31250_baud(din: DinMidiInput, link: Path) -> None:
    """Asked of the kernel with TCGETS2, whose structure ends with the two speeds as numbers."""
    import fcntl

    socket = Socket(link)
    wait_until(lambda: din.problem is None, "the port's opening")
    collect_from = bytearray(44)
    fcntl.ioctl(socket._slave, 0x802C542A, collect_from)
    assert [int.from_bytes(collect_from[place : place + 4], "little") for place in (36, 40)] == [31_250, 31_250]
    socket.unplug()
