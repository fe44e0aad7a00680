"""Where patches go that were removed or replaced: the bank's trash (`synth.trash`).

A file is `000012-removed-00003-glass-morning.json`: after why it is here comes the number that the patch had, and its
file's name.
"""

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path

from synth.control.kept_files import file_stem
from synth.control.patch import SUFFIX, Patch, read_patch
from synth.errors import TetradError
from synth.trash import Trash, Why

__all__ = ["Discarded", "PatchTrash", "Why"]

_LABEL = re.compile(r"(\d{5})-.+")


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
        self._trash = Trash(folder, SUFFIX)

    def take(self, path: Path, number: int) -> None:
        """Move a removed patch's file here. Raises TetradError, and then it is where it was."""
        self._trash.take(path, _label(path, number))

    def keep_copy(self, path: Path, number: int) -> None:
        """Keep what a patch's file holds, since it is about to be replaced. Raises TetradError."""
        self._trash.keep_copy(path, _label(path, number))

    def contents(self) -> list[Discarded]:
        """What can come back, newest first; damaged files are left out."""
        found = []
        for file in self._trash.files():
            label = _LABEL.fullmatch(file.label)
            if label is not None:
                with contextlib.suppress(TetradError):
                    found.append(Discarded(file.path, file.order, file.why, int(label[1]), read_patch(file.path)))
        return found[::-1]


def _label(path: Path, number: int) -> str:
    return f"{number:05d}-{file_stem(path.stem)}"
