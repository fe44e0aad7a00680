"""Writing files so that a reader sees the old content or the new, never a part of either."""

import contextlib
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from synth.errors import TetradError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def is_full(error: BaseException | None) -> bool:
    """Whether a disk, a quota or a limit on a file's size refused more."""
    return isinstance(error, OSError) and error.errno in _FULL


def full_words(folder: Path) -> str:
    """A full disk is named with the space that it has left."""
    return f"the disk of {folder} is full: {shutil.disk_usage(folder).free / 1e6:.1f} MB are free"


def atomic_write_bytes(path: Path | str, data: bytes) -> None:
    """Replace the content of `path` by `data`, or raise TetradError and leave `path` as it was."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        file.write(data)


@contextlib.contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Give the name of an empty temporary file beside `path`, which takes `path`'s place when the block ends.

    The temporary file keeps the suffix of `path` (libraries choose formats by it), lies in the same directory (so
    that the rename stays within one file system) and reaches the disk before the rename, and the rename before
    the block returns. When the block raises, the temporary file is removed and `path` stays as it was. A process
    that is killed leaves `path` as it was and a hidden `.NAME.*.part*` beside it.

    Raises TetradError when the directory is missing or not writable, when `path` is a directory or a device, or
    when the disk is full.
    """
    target = Path(os.path.realpath(path))  # through a symbolic link, which would be replaced itself otherwise
    _check_target(target, path)
    temporary = target.with_name(f".{target.stem}.{os.getpid()}-{secrets.token_hex(4)}.part{target.suffix}")
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise TetradError(_refusal(path, error)) from error
    try:
        yield temporary
        _sync(temporary, os.O_RDWR)
        temporary.replace(target)
        _sync(target.parent, os.O_RDONLY)
    except OSError as error:
        if error.filename is not None and os.fspath(error.filename) not in {os.fspath(temporary), os.fspath(target)}:
            raise  # the block's own trouble with another file
        raise TetradError(_refusal(path, error)) from error
    finally:
        temporary.unlink(missing_ok=True)


def _check_target(target: Path, as_given: Path | str) -> None:
    try:
        mode = target.stat().st_mode
    except OSError:
        return  # not there yet, or not to be reached: creating the temporary file tells
    if stat.S_ISDIR(mode):
        raise TetradError(f"{as_given} is a directory; a file name was expected; add one")
    if not stat.S_ISREG(mode):
        raise TetradError(f"{as_given} is a device or a pipe; a file that can be replaced was expected; name another")


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refusal(path: Path | str, error: OSError) -> str:
    directory = Path(path).parent
    if isinstance(error, FileNotFoundError):
        return f"cannot write {path}: there is no directory {directory}; create it, or name another"
    return (
        f"cannot write {path}: {error.strerror or error}; a writable directory was expected; "
        f"change the rights of {directory} or name another place"
    )
