"""A disk that fails: within a block the n-th operation on files below a folder is refused, as the kernel would.

Counted are what opens a file for writing, writes, cuts, syncs, renames, links, removes and makes folders: what Python
does through `os`, `open` and `pathlib` (native libraries go their own way: for them `limited_size`). A refused write
takes half of its bytes before, as a full disk does. Syncs are counted and not carried out: they take milliseconds
each, and the tests' machine keeps its power.
"""

import builtins
import contextlib
import errno
import io
import os
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

FULL, BROKEN = errno.ENOSPC, errno.EIO
_TAKES_ROOM = {"open", "write", "pwrite", "mkdir", "link", "fsync", "fdatasync", "ftruncate", "rename", "replace"}
"""What a full disk may refuse; it still removes."""
_BY_NAME = ("open", "mkdir", "link", "rename", "replace", "unlink", "remove", "rmdir")
_BY_DESCRIPTOR = ("write", "pwrite", "ftruncate", "fsync", "fdatasync")


class Disk:
    """at: which operation fails, from 0; None: none. lasting: all after it fail, too, until `mend`.

    operations: what was done so far, such as "replace current.json".
    """

    def __init__(self, folder: Path, at: int | None = None, number: int = FULL, *, lasting: bool = False) -> None:
        self.operations: list[str] = []
        self.failed = False
        self._folder = os.path.realpath(folder)
        self._at, self._number, self._lasting = at, number, lasting
        self._open, self._real_open = io.open, os.open
        self._patches = contextlib.ExitStack()

    def mend(self) -> None:
        """It works again."""
        self._at = None

    def takes(self, name: str, path: object) -> bool:
        """Counts an operation, and gives whether the disk does it."""
        if not isinstance(path, (str, os.PathLike)) or not os.path.realpath(os.fspath(path)).startswith(self._folder):
            return True
        number = len(self.operations)
        self.operations.append(f"{name} {Path(path).name}")
        if self._at is None or number < self._at or (number > self._at and not self._lasting):
            return True
        if self._number == FULL and name not in _TAKES_ROOM:
            return True
        self.failed = True
        return False

    def check(self, name: str, path: object) -> None:
        """Raises the OSError of the operation that fails."""
        if not self.takes(name, path):
            raise OSError(self._number, os.strerror(self._number), path)

    def __enter__(self) -> "Disk":
        for name in _BY_NAME:
            self._patches.enter_context(patch.object(os, name, self._by_name(name, getattr(os, name))))
        for name in _BY_DESCRIPTOR:
            self._patches.enter_context(patch.object(os, name, self._by_descriptor(name, getattr(os, name))))
        self._patches.enter_context(patch.object(io, "open", self._opened))
        self._patches.enter_context(patch.object(builtins, "open", self._opened))
        return self

    def __exit__(self, *_: object) -> None:
        self._patches.close()

    def _by_name(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *arguments: Any, **named: Any) -> Any:
            reads_only = name == "open" and not arguments[0] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if not reads_only:
                self.check(name, arguments[0] if name in ("link", "rename", "replace") else path)
            return real(path, *arguments, **named)

        return call

    def _by_descriptor(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(descriptor: int, *arguments: Any) -> Any:
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            if not self.takes(name, path):
                raise OSError(self._number, os.strerror(self._number))
            return None if name in ("fsync", "fdatasync") else real(descriptor, *arguments)

        return call

    def _opened(self, file: Any, mode: str = "r", buffering: int = -1, *arguments: Any, **named: Any) -> Any:
        if not set(mode) & set("wax+") or isinstance(file, int):
            return self._open(file, mode, buffering, *arguments, **named)
        raw = _File(self, os.fspath(file), mode.replace("b", "").replace("t", ""))
        if buffering == 0:
            return raw
        buffered: Any = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, *arguments, **named)


class _File(io.FileIO):
    def __init__(self, disk: Disk, path: str, mode: str) -> None:
        disk.check("open", path)
        self._disk, self._path = disk, path
        super().__init__(path, mode)

    def write(self, data: Any) -> int:
        if not self._disk.takes("write", self._path):
            if self._disk._number == FULL:
                super().write(memoryview(data)[: len(data) // 2])
            raise OSError(self._disk._number, os.strerror(self._disk._number))
        return super().write(data) or 0

    def truncate(self, size: int | None = None) -> int:
        self._disk.check("ftruncate", self._path)
        return super().truncate(size)


@contextlib.contextmanager
def limited_size(most_bytes: int) -> Iterator[None]:
    """No file of this process may grow beyond this: a write there is refused by the kernel (EFBIG), a library's too."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
