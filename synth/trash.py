"""A folder of files that were removed or replaced, from which each can come back.

A file is `000012-removed-glass-morning.json`: a running number that rises (the clock of a board without a battery does
not), why it is here, and what its owner calls it. Files that belong to it, such as a picture, have the same name but
for the suffix, and come and go with it.
"""

import contextlib
import os
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from synth.errors import TetradError
from synth.files import atomic_write_bytes, make_folder, sync_folder

MOST_FILES, MOST_BYTES = 1000, 256 * 1024 * 1024
"""Beyond them the oldest go."""


class Why(StrEnum):
    """Why a file is in the trash."""

    REMOVED = "removed"
    REPLACED = "replaced"


@dataclass(frozen=True)
class TrashedFile:
    """A file in the trash, with what its owner called it."""

    order: int
    why: Why
    label: str
    path: Path


class Trash:
    """The folder; made when it is needed. suffix: of its files; companions: suffixes of what goes along with them."""

    def __init__(self, folder: Path, suffix: str, companions: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self._suffix, self._companions = suffix, companions
        self._name = re.compile(rf"(\d{{6,}})-(removed|replaced)-(.+){re.escape(suffix)}")

    def take(self, path: Path, label: str) -> None:
        """Move a removed file here. Raises TetradError, and then it is where it was."""
        target = self._target(Why.REMOVED, label)
        try:
            path.rename(target)
        except OSError as error:
            raise TetradError(f"cannot move {path} into {self.folder}: {error.strerror}; check the disk") from error
        for companion in self._companions:
            with contextlib.suppress(OSError):  # there is none, or what it belongs to is safe without it
                self._beside(path, companion).rename(self._beside(target, companion))
        _settle(self.folder, path.parent)
        self._prune()

    def keep_copy(self, path: Path, label: str) -> None:
        """Keep what a file holds, since it is about to be replaced. Raises TetradError."""
        target = self._target(Why.REPLACED, label)
        try:
            self._copy(path, target)
        except OSError as error:
            raise TetradError(f"cannot copy {path} into {self.folder}: {error.strerror}; check the disk") from error
        for companion in self._companions:
            with contextlib.suppress(OSError, TetradError):
                self._copy(self._beside(path, companion), self._beside(target, companion))
        self._prune()

    def give_back(self, file: TrashedFile, path: Path) -> None:
        """Move a file out of the trash to `path`, which it replaces. Raises TetradError."""
        try:
            file.path.replace(path)
        except OSError as error:
            raise TetradError(f"cannot move {file.path} to {path}: {error.strerror}; check the disk") from error
        for companion in self._companions:
            with contextlib.suppress(OSError):
                self._beside(file.path, companion).replace(self._beside(path, companion))
        _settle(path.parent, self.folder)

    def files(self) -> list[TrashedFile]:
        """What is here, oldest first."""
        found = ((self._name.fullmatch(path.name), path) for path in self.folder.glob(f"*{self._suffix}"))
        files = [TrashedFile(int(m[1]), Why(m[2]), m[3], path) for m, path in found if m is not None]
        return sorted(files, key=lambda file: file.order)

    def _beside(self, path: Path, companion: str) -> Path:
        return path.with_name(path.name.removesuffix(self._suffix) + companion)

    def _copy(self, path: Path, target: Path) -> None:
        try:
            # A second name for the same content: it costs no space, so even a full disk can't refuse it.
            os.link(path, target)
            sync_folder(self.folder)
        except FileNotFoundError:
            raise
        except OSError:  # a file system without links, such as a memory stick's
            atomic_write_bytes(target, path.read_bytes())

    def _target(self, why: Why, label: str) -> Path:
        make_folder(self.folder)
        files = self.files()
        order = files[-1].order + 1 if files else 1
        return self.folder / f"{order:06d}-{why}-{label}{self._suffix}"

    def _prune(self) -> None:
        paths = [file.path for file in self.files()]
        with contextlib.suppress(OSError):  # too much in the trash is no reason to stop anybody
            sizes = [path.stat().st_size for path in paths]
            while len(paths) > MOST_FILES or (len(paths) > 1 and sum(sizes) > MOST_BYTES):
                path = paths.pop(0)
                path.unlink()
                for companion in self._companions:
                    self._beside(path, companion).unlink(missing_ok=True)
                sizes.pop(0)


def _settle(*folders: Path) -> None:
    """A move is on the disk before anybody is told of it."""
    for folder in folders:
        with contextlib.suppress(OSError):  # the file is whole in one of its two places, whatever the disk says
            sync_folder(folder)
