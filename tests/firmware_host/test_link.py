"""The link and a simulated board, through pseudo-terminals and the real pyserial. No test asserts how long it took."""

import errno
import os
import pty
import time
import tty
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from firmware_host.hand import moves
from firmware_host.link import Condition, Link
from firmware_host.messages import Brightness, Diagnostics, DiagnosticsRequest, Hello, Leds, Message, NameBoard, State
from firmware_host.ports import PortInfo, why_not_open
from firmware_host.simulate import PtyBoard
from tests.firmware_host.waiting import wait_until


class Heard:
    """What a link's callbacks were called with, in order."""

    def __init__(self) -> None:
        self.boards: list[Hello] = []
        self.states: list[State] = []
        self.messages: list[Message] = []
        self.words: list[tuple[Condition, str]] = []

    def link(
        self, port: str | None = None, find: Callable[[], list[PortInfo]] = list, board_id: int | None = None
    ) -> Link:
        return Link(
            port,
            find=find,
            on_board=self.boards.append,
            on_state=self.states.append,
            on_message=self.messages.append,
            on_condition=lambda condition, words: self.words.append((condition, words)),
            board_id=board_id,
        )

    def said(self, condition: Condition, part: str) -> bool:
        return any(said is condition and part in words for said, words in self.words)


def has_leds(board: PtyBoard, wanted: Leds) -> bool:
    return board.simulated.leds == wanted.levels


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def stranger() -> Iterator[tuple[int, str]]:
    """Master and name of a pseudo-terminal with something else at the other end."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    os.close(slave)
    os.close(master)


def test_a_named_port_is_greeted_and_its_states_come(heard: Heard) -> None:
    with PtyBoard(name="left", board_id=7) as board, heard.link(board.device) as link:
        assert link.wait(10.0)
        assert (link.device, link.hello and link.hello.board_id) == (board.device, 7)
        board.do(lambda simulated: simulated.turn(2, -4))
        wait_until(lambda: bool(heard.states) and heard.states[-1].encoders == (0, 0, 65532, 0))
        assert isinstance(heard.messages[0], Hello)
    assert heard.said(Condition.CONNECTED, "left at")
    assert heard.words[-1][0] is Condition.CLOSED
    assert link.failure is None


def test_leds_reach_the_board_and_a_board_that_started_anew(heard: Heard) -> None:
    with PtyBoard() as board, heard.link(board.device) as link:
        link.want(Leds((255, 1, 2, 3)))
        link.want(Brightness(40))
        assert link.wait(10.0)
        for _ in range(2):
            wait_until(lambda: (board.simulated.leds, board.simulated.brightness) == ((255, 1, 2, 3), 40))
            heard.boards.clear()
            board.do(lambda simulated: simulated.reset(time.monotonic()))
            wait_until(lambda: heard.boards)


def test_leds_are_sent_again_until_the_board_has_them_on_a_noisy_line(heard: Heard) -> None:
    with PtyBoard(noise=0.05, seed=3) as board, heard.link(board.device) as link:
        assert link.wait(20.0)
        for level in range(20):
            wanted = Leds((level, 0, 0, level))
            link.want(wanted)
            wait_until(partial(has_leds, board, wanted))
        wait_until(lambda: link.counts["crc"] > 0)


def test_a_board_is_named_and_asked_how_it_fares(heard: Heard) -> None:
    with PtyBoard() as board, heard.link(board.device) as link:
        link.send(NameBoard(9, "stage"))
        link.send(DiagnosticsRequest())
        wait_until(lambda: any(isinstance(message, Diagnostics) for message in heard.messages))
        wait_until(lambda: heard.boards[-1].name == "stage" and heard.boards[-1].board_id == 9)


def test_it_is_found_among_other_ports_by_its_hello(heard: Heard, stranger: tuple[int, str]) -> None:
    with PtyBoard() as board:
        ports = [PortInfo(stranger[1], usb=(0x1A86, 0x7523)), PortInfo(board.device)]
        with heard.link(find=lambda: ports) as link:
            assert link.wait(20.0)
            assert link.device == board.device


def test_it_comes_back_after_unplugging(heard: Heard, tmp_path: Path) -> None:
    name = tmp_path / "board"
    with PtyBoard(moves("wait 0.3\nunplug 0.5\nturn nw 2"), link_path=name) as board, heard.link(str(name)) as link:
        assert link.wait(10.0)
        wait_until(lambda: heard.said(Condition.LOOKING, "unplugged"))
        wait_until(lambda: len(heard.boards) >= 2 and heard.states[-1].encoders == (8, 0, 0, 0))
        assert link.condition is Condition.CONNECTED
        assert board.done.wait(10.0)
    assert link.failure is None


def test_it_is_found_under_another_name_after_replugging(heard: Heard) -> None:
    with PtyBoard() as board, heard.link(find=lambda: [PortInfo(board.device)] if board.device else []) as link:
        assert link.wait(10.0)
        board.unplug()
        wait_until(lambda: link.condition is Condition.LOOKING)
        board.plug_in()
        assert link.wait(10.0)
        assert link.device == board.device


def test_a_board_that_falls_silent_is_lost(heard: Heard) -> None:
    with PtyBoard() as board, heard.link(board.device) as link:
        assert link.wait(10.0)
        board.do(lambda simulated: wait_until(lambda: heard.said(Condition.LOOKING, "said nothing for 1 s")))
        assert link.wait(10.0)


def test_two_boards_are_refused_in_words_until_one_is_chosen(heard: Heard) -> None:
    with PtyBoard(board_id=1, name="left") as left, PtyBoard(board_id=2, name="right") as right:
        ports = [PortInfo(left.device), PortInfo(right.device)]
        with heard.link(find=lambda: ports):
            wait_until(lambda: heard.said(Condition.REFUSED, "2 boards answer"))
            assert heard.said(Condition.REFUSED, f"{right.device} (right, number 2)")
            assert not heard.boards
        with heard.link(find=lambda: ports, board_id=2) as link:
            assert link.wait(10.0)
            assert link.device == right.device


@pytest.mark.parametrize(
    ("version", "remedy"), [((0, 9), "flash its firmware anew"), ((2, 3), "update Tetrad, which is older")]
)
def test_another_protocol_is_named_with_the_remedy(heard: Heard, version: tuple[int, int], remedy: str) -> None:
    with PtyBoard(protocol=version) as board, heard.link(board.device):
        wait_until(lambda: heard.said(Condition.REFUSED, remedy))
        assert heard.said(Condition.REFUSED, f"speaks protocol {version[0]}.{version[1]}; 1.0 was expected")
    assert not heard.boards


@pytest.mark.parametrize(
    ("sends", "words"),
    [
        (b"$GPGGA,123519,4807.038,N,01131.000,E*47\r\n", "it seems to be a GPS receiver"),
        (b"\xfe\x90\x3c\x64", "it seems to be a MIDI instrument"),
        (b"login: ", "it is something else"),
        (b"", "is silent"),
    ],
)
def test_a_port_that_is_something_else_is_said(
    heard: Heard, stranger: tuple[int, str], sends: bytes, words: str
) -> None:
    master, device = stranger
    with heard.link(device) as link:
        wait_until(lambda: bool(os.read(master, 100)))  # it was greeted, so it is open
        os.write(master, sends)
        wait_until(lambda: heard.said(Condition.LOOKING, words))
        assert link.device is None


def test_no_port_and_no_such_port_are_said(heard: Heard, tmp_path: Path) -> None:
    with heard.link():
        wait_until(lambda: heard.said(Condition.LOOKING, "no serial port is there"))
    with heard.link(str(tmp_path / "nothing")):
        wait_until(lambda: heard.said(Condition.LOOKING, "nothing is not there"))


def test_a_port_in_use_is_said(heard: Heard) -> None:
    with PtyBoard() as board, Link(board.device) as first:
        assert first.wait(10.0)
        with heard.link(board.device):
            wait_until(lambda: heard.said(Condition.LOOKING, "is used by another program"))


def test_a_port_without_permission_names_group_and_rule(tmp_path: Path) -> None:
    words = why_not_open(str(tmp_path / "ttyUSB0"), PermissionError(errno.EACCES, "Permission denied"))
    assert "usermod -aG dialout" in words
    assert "udev rule" in words


def test_what_a_callback_raises_is_kept_and_the_board_read_on() -> None:
    states: list[State] = []

    def fail(_: Hello) -> None:
        raise RuntimeError("a defect")

    with PtyBoard() as board, Link(board.device, on_board=fail, on_state=states.append) as link:
        wait_until(lambda: bool(states))
        assert str(link.failure) == "a defect"
