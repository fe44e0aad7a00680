"""A reader sees the old file or the new one, whatever happens to the writer."""

import contextlib
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from synth.errors import TetradError
from synth.files import atomic_path, atomic_write_bytes


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "patch.json"
    atomic_write_bytes(path, b"one")
    atomic_write_bytes(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["patch.json"]


def test_rights_are_those_of_an_ordinary_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        atomic_write_bytes(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_an_error_in_the_block_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"old")
    seen = []
    with contextlib.suppress(RuntimeError), atomic_path(path) as temporary:
        temporary.write_bytes(b"half")
        seen = list(tmp_path.iterdir())
        raise RuntimeError
    assert {found.suffix for found in seen} == {".wav"}
    assert len(seen) == 2
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.wav"]


def test_a_killed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"old")
    code = (
        "import sys, time\nfrom synth.files import atomic_path\n"
        "with atomic_path(sys.argv[1]) as temporary:\n"
        " temporary.write_bytes(b'half')\n print('half written', flush=True)\n time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half written\n"
        process.send_signal(signal.SIGKILL)
    assert path.read_bytes() == b"old"


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    atomic_write_bytes(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(TetradError, match=r"there is no directory .*/nowhere; create it"):
        atomic_write_bytes(tmp_path / "nowhere" / "a", b"")


def test_a_directory_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(TetradError, match="is a directory"):
        atomic_write_bytes(tmp_path, b"")


def test_a_device_is_not_replaced() -> None:
    with pytest.raises(TetradError, match="is a device"):
        atomic_write_bytes("/dev/null", b"")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_an_unwritable_directory_is_one_line(tmp_path: Path) -> None:
    """As root every directory is writable, so the writer becomes somebody else first."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    for directory in [tmp_path, *tmp_path.parents[:-1]]:
        if directory.owner() == Path.home().owner() and os.access(directory, os.W_OK):
            directory.chmod(directory.stat().st_mode | 0o055)
        if directory.name.startswith("pytest-of-"):
            break
    code = (
        "import os, sys\nfrom synth.errors import TetradError\nfrom synth.files import atomic_write_bytes\n"
        "if os.getuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: atomic_write_bytes(sys.argv[1], b'new')\n"
        "except TetradError as error: print(error)\n"
    )
    path = locked / "a.wav"
    result = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert result.stdout.startswith(f"cannot write {path}: Permission denied; a writable directory was expected")
    assert result.stdout.count("\n") == 1
    assert list(locked.iterdir()) == []


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    """A file size limit stands in for the full disk: the kernel refuses the write either way."""
    code = (
        "import resource, signal, sys\n"
        "from synth.errors import TetradError\nfrom synth.files import atomic_write_bytes\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: atomic_write_bytes(sys.argv[1], bytes(5000))\n"
        "except TetradError as error: print(error)\n"
    )
    path = tmp_path / "a"
    result = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert result.stdout.startswith(f"cannot write {path}: ")
    assert list(tmp_path.iterdir()) == []
