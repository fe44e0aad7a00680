"""What a service manager hears: a real datagram socket, and a real engine of which a part hangs."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from synth.notify import ServiceManager
from tests.ui.engine import WITH_US

WITHIN_S = 60.0


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(WITHIN_S)
        yield listener


def test_a_manager_hears_each_message(manager: socket.socket) -> None:
    service = ServiceManager({"NOTIFY_SOCKET": manager.getsockname()})
    assert service.listens
    service.status("getting ready")
    service.ready("plays; no device")
    service.stopping()
    assert [manager.recv(1000) for _ in range(3)] == [
        b"STATUS=getting ready\n",
        b"READY=1\nSTATUS=plays; no device\n",
        b"STOPPING=1\nSTATUS=stopping\n",
    ]


def test_a_manager_in_the_abstract_name_space_is_heard_too() -> None:
    name = f"tetrad-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        listener.settimeout(WITHIN_S)
        ServiceManager({"NOTIFY_SOCKET": f"@{name}"}).ready("plays")
        assert listener.recv(1000) == b"READY=1\nSTATUS=plays\n"


def test_without_a_manager_nothing_is_said() -> None:
    service = ServiceManager({"WATCHDOG_USEC": "1"})
    assert not service.listens
    service.ready("plays")
    service.alive(1)


def test_a_manager_that_has_gone_does_not_end_the_sound(tmp_path: Path) -> None:
    ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).ready("plays")


def heard(manager: socket.socket) -> int:
    """How many messages are waiting."""
    count = 0
    manager.setblocking(False)
    try:
        while manager.recv(1000):
            count += 1
    except BlockingIOError:
        return count
    return count


def test_life_is_said_only_when_every_part_has_moved(manager: socket.socket) -> None:
    service = ServiceManager({"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "1"})
    service.alive(1, 1)
    assert heard(manager) == 1
    service.alive(2, 1)
    service.alive(1, 2)
    service.alive(1, 1)
    assert heard(manager) == 0
    service.alive(2, 2)
    assert heard(manager) == 1


def test_life_is_not_said_more_often_than_is_asked_for(manager: socket.socket) -> None:
    service = ServiceManager({"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": str(4 * 3600 * 10**6)})
    for beat in range(100):
        service.alive(beat)
    assert heard(manager) == 1


@pytest.mark.parametrize(
    "watchdog",
    [{}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}],
    ids=["none", "odd", "another process's"],
)
def test_without_a_watchdog_of_ours_life_is_not_said(manager: socket.socket, watchdog: dict[str, str]) -> None:
    ServiceManager({"NOTIFY_SOCKET": manager.getsockname(), **watchdog}).alive(1)
    assert heard(manager) == 0


# The engine itself on a machine without a sound card. The part of it that the standard input names stands still, until
# the line "go on".
HANGING = """
import sys, threading
import synth.play
from synth.cli import main
from synth.io.server import Server
from synth.live import LiveEngine
synth.play.settle = lambda wanted, rate_hz: None
free = {"conductor": threading.Event(), "server": threading.Event()}
def let_hang(owner, method, part):
    work = getattr(owner, method)
    def hanging(self):
        free[part].wait()
        work(self)
    setattr(owner, method, hanging)
    free[part].set()
let_hang(LiveEngine, "_conduct", "conductor")
let_hang(Server, "_tick", "server")
def obey():
    for line in sys.stdin:
        for part, event in free.items():
            (event.clear if line.strip() == part else event.set)()
        print(line, end="", flush=True)
threading.Thread(target=obey, daemon=True).start()
sys.exit(main(["play", "--headless", "--osc", "-1", "--no-refine"]))
"""
PLAYS = b"READY=1\nSTATUS=plays; null: no device\n"
LIVES = b"WATCHDOG=1\n"


@pytest.mark.slow
def test_an_engine_tells_that_it_plays_and_is_silent_while_a_part_of_it_hangs(
    manager: socket.socket, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "TETRAD_HOME": str(tmp_path / "home"),
        "TETRAD_SOCKET": str(tmp_path / "s"),
        "NOTIFY_SOCKET": manager.getsockname(),
        "WATCHDOG_USEC": "400000",
    }
    with hanging_engine([*WITH_US, sys.executable, "-c", HANGING], environment) as tell:
        said = [manager.recv(1000)]
        while said.count(LIVES) < 3:
            said.append(manager.recv(1000))
        assert said == [b"STATUS=getting ready\n", PLAYS, LIVES, LIVES, LIVES]
        for part in ("conductor", "server"):
            tell(part)
            heard_later = [*iter(lambda: quiet_within(manager, 1.0), True)]
            # What had moved before it hung may still be said, once; the manager would have waited for 0.4 s.
            assert len(heard_later) <= 2
            manager.settimeout(WITHIN_S)
            tell("go on")
            assert manager.recv(1000) == LIVES
    while manager.recv(1000) != b"STOPPING=1\nSTATUS=stopping\n":
        pass


@contextlib.contextmanager
def hanging_engine(command: list[str], environment: dict[str, str]) -> Iterator[Callable[[str], None]]:
    """Gives what tells it to hang and to go on; ends it with SIGTERM, as a manager does."""
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as engine:
        tell, said = engine.stdin, engine.stdout
        assert tell is not None
        assert said is not None

        def obeyed(word: str) -> None:
            tell.write(f"{word}\n")
            tell.flush()
            while (line := said.readline()) != f"{word}\n":
                assert line, "the engine has ended"

        try:
            yield obeyed
            engine.terminate()
            tell.close()
            said.read()
            assert engine.wait(WITHIN_S) == 0
        finally:
            engine.kill()


def quiet_within(manager: socket.socket, seconds: float) -> bool:
    """Whether nothing comes for so long."""
    manager.settimeout(seconds)
    try:
        manager.recv(1000)
    except TimeoutError:
        return True
    return False
