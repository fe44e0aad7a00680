"""One engine a socket: stale ones, live ones, and everything else that may lie at a path."""

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from synth.errors import TetradError
from synth.io.server import Server
from synth.io.socket_guard import GuardedSocket, is_ours
from tests.synth.io.small_engine import RawClient, SmallEngine

ROOT = Path(__file__).resolve().parents[3]

ENGINE = """
import sys, time
from pathlib import Path
from synth.errors import TetradError
from synth.io.server import Server
from tests.synth.io.small_engine import SmallEngine
try:
    with Server(SmallEngine(), Path(sys.argv[1])):
        print("ready", flush=True)
        time.sleep(600)
except TetradError as error:
    print(error, flush=True)
"""


def engine_process(path: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", ENGINE, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)


def test_the_socket_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "run" / "engine.sock"
    before = os.umask(0)
    try:
        with Server(SmallEngine(), path):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_ISSOCK(path.stat().st_mode)
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            assert stat.S_IMODE(path.with_name("engine.sock.lock").stat().st_mode) == 0o600
    finally:
        os.umask(before)
    assert [entry.name for entry in path.parent.iterdir()] == ["engine.sock.lock"]


def test_a_second_engine_is_told_that_another_runs_and_the_first_plays_on(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    with Server(SmallEngine(), path), RawClient(path) as client:
        with pytest.raises(TetradError, match=rf"another engine is running \(process {os.getpid()}\)"):
            Server(SmallEngine(), path).start()
        with engine_process(path) as other:
            assert other.stdout is not None
            assert "another engine is running" in other.stdout.readline()
        assert client.ask({"command": "ping"})["type"] == "reply"
    with Server(SmallEngine(), path), RawClient(path):
        pass


def test_two_engines_that_start_at_once_are_one(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    processes = [engine_process(path) for _ in range(3)]
    try:
        words = []
        for process in processes:
            assert process.stdout is not None
            words.append(process.stdout.readline())
        assert words.count("ready\n") == 1
        assert sum("another engine is running" in one for one in words) == 2
    finally:
        for process in processes:
            with process:
                process.kill()


def test_a_socket_that_a_killed_engine_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    with engine_process(path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGKILL)
    assert path.exists()
    with Server(SmallEngine(), path), RawClient(path) as client:
        assert client.ask({"command": "ping"})["type"] == "reply"


def test_a_live_socket_of_a_program_without_the_lock_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as foreign:
        foreign.bind(str(path))
        foreign.listen()
        with pytest.raises(TetradError, match="another engine is running"):
            GuardedSocket(path)
        assert path.exists()


def test_a_file_at_the_path_is_never_removed(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    path.write_text("a player's notes")
    with pytest.raises(TetradError, match="is no socket"):
        GuardedSocket(path)
    assert path.read_text() == "a player's notes"
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TetradError, match="is no socket"):
        GuardedSocket(path)


def test_a_socket_that_somebody_put_in_place_of_ours_is_not_removed(tmp_path: Path) -> None:
    guard = GuardedSocket(tmp_path / "engine.sock")
    guard.path.rename(tmp_path / "kept so that its number is not used again")
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(guard.path))
        guard.close()
        assert guard.path.exists()


def test_a_path_that_does_not_do_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(TetradError, match=r"has \d+ bytes; at most 107 fit; set TETRAD_SOCKET"):
        GuardedSocket(tmp_path / ("x" * 120))
    (tmp_path / "file").write_text("")
    with pytest.raises(TetradError, match="cannot listen at"):
        GuardedSocket(tmp_path / "file" / "engine.sock")
    with pytest.raises(TetradError, match="cannot listen at"):
        GuardedSocket(Path("/proc/engine.sock"))
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(TetradError, match="can be written to by others"):
        GuardedSocket(shared / "engine.sock")
    shared.chmod(0o1777)  # as the folder for temporary files is
    GuardedSocket(shared / "engine.sock").close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_somebody_else_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    with Server(SmallEngine(), path):
        path.chmod(0o666)
        for folder in (tmp_path, *tmp_path.parents):
            if folder != Path("/") and not folder.stat().st_mode & 0o001:
                folder.chmod(folder.stat().st_mode | 0o011)
        code = (
            "import os, socket, sys; os.setuid(12345); s = socket.socket(socket.AF_UNIX); "
            "s.connect(sys.argv[1]); s.settimeout(60)\n"
            "try: print(len(s.recv(100)))\n"
            "except ConnectionResetError: print(0)"
        )
        result = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
        assert result.stdout == "0\n"
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert is_ours(ours)
