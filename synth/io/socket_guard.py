"""The engine's place in the file system: one engine a socket, the owner's alone, whatever the last one left behind."""

import contextlib
import errno
import fcntl
import os
import socket
import stat
import struct
from pathlib import Path

from synth.control.address import check_socket_path
from synth.errors import TetradError


class GuardedSocket:
    """A listening UNIX socket at `path`: mode 0600, in a folder that is made 0700 where it does not exist.

    Who holds the lock on PATH.lock is the engine. The kernel lets go of it when the process ends, by kill -9 too, so a
    socket without the lock is stale and is removed; the lock file itself stays, for removing it would be a race.
    Raises TetradError when another engine runs there, when the path is something else, and when it can't be written.
    """

    def __init__(self, path: Path) -> None:
        check_socket_path(path)
        self.path = path
        try:
            _make_folder(path.parent)
            self._lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise TetradError(_cannot(path, error)) from error
        try:
            self._take_lock()
            _remove_stale(path)
            self.socket = _listen(path)
        except BaseException:
            os.close(self._lock)
            raise
        self._made = path.lstat().st_ino

    def _take_lock(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._lock, 32, 0).decode("ascii", errors="replace").strip()
            raise _another_engine(self.path, f" (process {holder})" if holder.isdigit() else "") from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode("ascii"), 0)

    def close(self) -> None:
        """Stop listening, remove the socket (unless somebody put another there), let go of the lock."""
        self.socket.close()
        with contextlib.suppress(FileNotFoundError):
            if self.path.lstat().st_ino == self._made:
                self.path.unlink()
        os.close(self._lock)


def is_ours(connection: socket.socket) -> bool:
    """Whether the process at the other end runs as our user, or as root (SO_PEERCRED, unix(7))."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _process, user, _group = struct.unpack("3i", credentials)
    return user in (0, os.geteuid())


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    # In a folder that others may write to, and that does not keep them from each other's files (the sticky bit), they
    # could put a socket of their own in the place of ours.
    others_write = status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX
    if others_write or status.st_uid not in (0, os.geteuid()):
        raise TetradError(
            f"{folder} can be written to by others (mode {stat.S_IMODE(status.st_mode):o}, user {status.st_uid}); "
            "a folder of the player's alone was expected; `chmod 700` it, or name another by TETRAD_SOCKET"
        )


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise TetradError(f"{path} is there and is no socket; nothing or a socket was expected; move it away")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()  # nobody listens: it was left by an engine that was killed
            return
        except OSError as error:
            raise TetradError(_cannot(path, error)) from error
    raise _another_engine(path, "")


def _listen(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        listening.bind(str(path))
        path.chmod(0o600)  # before anybody can connect, which needs the listening of the next line
        listening.listen(16)
    except OSError as error:
        listening.close()
        raise TetradError(_cannot(path, error)) from error
    return listening


def _another_engine(path: Path, holder: str) -> TetradError:
    return TetradError(
        f"another engine is running{holder} and listens at {path}; one was expected; "
        "stop it, or give this one another TETRAD_SOCKET"
    )


def _cannot(path: Path, error: OSError) -> str:
    return (
        f"cannot listen at {path}: {error.strerror or error}; a folder that can be written to was expected; "
        "name another by TETRAD_SOCKET"
    )
