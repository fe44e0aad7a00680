"""Where patches go that were removed or replaced: a folder, from which each can come back.

A file is `000012-removed-00003-glass-morning.json`: a running number that rises (the clock of a board without a battery
does not), why it is here, the number that the patch had, and its file's name.
"""

import contextlib
import os
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from synth.control.kept_files import file_stem
from synth.control.patch import SUFFIX, Patch, read_patch
from synth.errors import TetradError
from synth.files import atomic_write_bytes

MOST_FILES, MOST_BYTES = 1000, 256 * 1024 * 1024
"""Beyond them the oldest go."""
_NAME = re.compile(rf"(\d{{6,}})-(removed|replaced)-(\d{{5}})-(.+){re.escape(SUFFIX)}")


class Why(StrEnum):
    """Why a patch is in the trash."""

    REMOVED = "removed"
    REPLACED = "replaced"


@dataclass(frozen=True)
class Discarded:
    """A patch in the trash; number: that it had in the bank."""

    path: Path
    order: int
    why: Why
    number: int
    patch: Patch


class PatchTrash:
    """The folder; made when it is needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def take(self, path: Path, number: int) -> None:
        """Move a removed patch's file here. Raises TetradError, and then it is where it was."""
        target = self._target(Why.REMOVED, number, path.stem)
        try:
            path.rename(target)
        except OSError as error:
            raise TetradError(f"cannot move {path} into {self.folder}: {error.strerror}; check the disk") from error
        self._prune()

    def keep_copy(self, path: Path, number: int) -> None:
        """Keep what a patch's file holds, since it is about to be replaced. Raises TetradError."""
        target = self._target(Why.REPLACED, number, path.stem)
        try:
            # A second name for the same content: it costs no space, so even a full disk can't refuse it.
            os.link(path, target)
            self._sync()
        except OSError:  # a file system without links, such as a memory stick's
            try:
                atomic_write_bytes(target, path.read_bytes())
            except OSError as error:
                raise TetradError(f"cannot copy {path} into {self.folder}: {error.strerror}; check the disk") from error
        self._prune()

    def contents(self) -> list[Discarded]:
        """What can come back, newest first; damaged files are left out."""
        found = []
        for order, why, number, path in self._files():
            with contextlib.suppress(TetradError):
                found.append(Discarded(path, order, why, number, read_patch(path)))
        return found[::-1]

    def _sync(self) -> None:
        """The folder's new entry is on the disk before what it was copied from is replaced."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _target(self, why: Why, number: int, stem: str) -> Path:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TetradError(f"cannot make the folder {self.folder}: {error.strerror}; check the disk") from error
        files = self._files()
        order = files[-1][0] + 1 if files else 1
        return self.folder / f"{order:06d}-{why}-{number:05d}-{file_stem(stem)}{SUFFIX}"

    def _files(self) -> list[tuple[int, Why, int, Path]]:
        found = ((_NAME.fullmatch(path.name), path) for path in self.folder.glob(f"*{SUFFIX}"))
        return sorted((int(m[1]), Why(m[2]), int(m[3]), path) for m, path in found if m is not None)

    def _prune(self) -> None:
        paths = [path for *_, path in self._files()]
        with contextlib.suppress(OSError):  # too much in the trash is no reason to stop anybody
            sizes = [path.stat().st_size for path in paths]
            while len(paths) > MOST_FILES or (len(paths) > 1 and sum(sizes) > MOST_BYTES):
                paths.pop(0).unlink()
                sizes.pop(0)
