"""Writing files so that a reader sees the old content or the new, never a part of either."""

import contextlib
import errno
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from synth.errors import TetradError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_SUCH_CALL = (errno.EINVAL, errno.ENOTSUP)
"""What file systems that can't sync a folder answer (FAT through FUSE, some network disks)."""
_LEFTOVER = re.compile(r"\..+\.(\d+)-[0-9a-f]{8}\.part(\..*)?")
_LIVING_S = 3600.0
"""A temporary file this old is nobody's, though a process of its writer's number lives: numbers come again."""
_writing: set[Path] = set()
"""Temporary files of this process that are being written now."""


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
    _writing.add(temporary)
    try:
        yield temporary
        _sync(temporary, os.O_RDWR)
        temporary.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        if error.filename is not None and os.fspath(error.filename) not in {os.fspath(temporary), os.fspath(target)}:
            raise  # the block's own trouble with another file
        raise TetradError(_refusal(path, error)) from error
    finally:
        with contextlib.suppress(OSError):  # a disk that fails so far; `remove_leftovers` takes it at the start
            temporary.unlink(missing_ok=True)
        _writing.discard(temporary)


def sync_folder(folder: Path) -> None:
    """What was made, renamed and removed in a folder is on the disk when this returns. Raises OSError."""
    try:
        _sync(folder, os.O_RDONLY)
    except OSError as error:
        if error.errno not in _NO_SUCH_CALL:
            raise


def make_folder(folder: Path) -> None:
    """A folder, and those that it lies in, where they are missing. Raises TetradError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TetradError(f"cannot make the folder {folder}: {_reason(folder.parent, error)}") from error


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of writers in `folder` (not below it) that were killed, or whose disk failed.

    The number of the writer's process is in the name: where it lives, the file stays for an hour.
    """
    for path in folder.glob(".*.part*"):
        named = _LEFTOVER.fullmatch(path.name)
        if named is None or path in _writing:
            continue
        with contextlib.suppress(OSError):  # another process was faster, or may and we may not
            # Either way: the clock of a board without a battery goes back at a power cut.
            if not _is_another(int(named[1])) or abs(time.time() - path.stat().st_mtime) > _LIVING_S:
                path.unlink()


def remove_leftovers_below(folder: Path) -> None:
    """The same in a folder and in those within it, two deep: all that a player's data have."""
    for place in (folder, *folder.glob("*/"), *folder.glob("*/*/")):
        remove_leftovers(place)


def _is_another(process: int) -> bool:
    """Another process of this number lives."""
    if process == os.getpid():
        return False  # what this one writes is in `_writing`: an earlier process had our number
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # it is another user's
    return True


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
    return f"cannot write {path}: {_reason(directory, error)}"


def _reason(directory: Path, error: OSError) -> str:
    if is_full(error):
        return f"{_full_or_limited(directory, error)}; room for it was expected; make some, and try again"
    what = error.strerror or str(error)
    if error.errno == errno.EIO:
        return f"{what}; a disk that works was expected; save on another, and check this one"
    if error.errno == errno.EROFS:
        return f"{what}; a writable directory was expected; the disk may be damaged, or its switch set to read-only"
    return f"{what}; a writable directory was expected; change the rights of {directory} or name another place"


def _full_or_limited(directory: Path, error: OSError) -> str:
    try:
        return full_words(directory)
    except OSError:  # a folder that is not there, or a disk that does not even tell this
        return error.strerror or str(error)
