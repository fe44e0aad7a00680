"""Where the socket is."""

import stat
from pathlib import Path

import pytest

from synth.control.address import check_socket_path, socket_path
from synth.errors import TetradError


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TETRAD_SOCKET", "TETRAD_HOME"):
        monkeypatch.delenv(name, raising=False)
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=stat.S_IRWXU)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))


def test_it_is_in_the_runtime_folder(tmp_path: Path) -> None:
    assert socket_path() == tmp_path / "runtime" / "tetrad" / "engine.sock"


def test_data_of_ones_own_have_a_socket_of_their_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    paths = set()
    for home in ("a", "b", "b" * 200):
        monkeypatch.setenv("TETRAD_HOME", str(tmp_path / home))
        paths.add(socket_path())
        assert len(socket_path().name) == len("engine-01234567.sock")
    assert len(paths) == 3
    monkeypatch.setenv("TETRAD_SOCKET", "here.sock")
    assert socket_path() == Path("here.sock")


def test_without_a_login_session_there_is_a_place_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert socket_path().is_absolute()
    check_socket_path(socket_path())


def test_a_path_too_long_for_a_socket_is_refused_by_its_bytes() -> None:
    check_socket_path(Path("/" + "x" * 106))
    for path in ("/" + "x" * 107, "/" + "日" * 36):
        with pytest.raises(TetradError, match=r"has 10[89] bytes; at most 107 fit"):
            check_socket_path(Path(path))
