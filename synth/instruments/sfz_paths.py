"""The files that an SFZ file names, and none outside its folder."""

from __future__ import annotations

import re
from pathlib import Path

from synth.errors import TetradError

_MOST_PARTS = 64
_MOST_LISTED = 20_000
"""Entries of one folder that are compared without regard to case; more are found by their exact name only."""


class LibraryFolder:
    """A library's folder. Its files are found as on the systems where most libraries were made: either slash, and upper
    and lower case as one."""

    def __init__(self, folder: Path) -> None:
        self.path = folder.resolve()
        self._listings: dict[Path, dict[str, str]] = {}

    def find(self, base: Path, name: str) -> Path | None:
        """The regular file that `name` means, seen from `base` (resolved, inside the folder); None where there is none.
        Raises TetradError where the name is absolute or leads out of the folder, be it by a link."""
        parts = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name) or len(parts) > _MOST_PARTS:
            raise TetradError(
                f"the SFZ points outside its folder ({name[:200]!r}); expected paths that begin in it; correct them"
            )
        here = base
        for part in parts:
            if part in {"", "."}:
                continue
            here = here.parent if part == ".." else self._entry(here, part)
            if not self._holds(here):
                raise TetradError(
                    f"the SFZ points outside its folder ({name[:200]!r} seen from {base.name}/, beyond "
                    f"{self.path.name}/); add the folder of the whole library, and name the SFZ by --instrument"
                )
        try:
            real = here.resolve(strict=True)
            is_file = real.is_file()
        except (OSError, RuntimeError, ValueError):  # not there, a loop of links, a name that no file system takes
            return None
        if not self._holds(real):
            raise TetradError(
                f"the SFZ points outside its folder ({name[:200]!r} is a link out of it); copy the file in"
            )
        return real if is_file else None

    def _holds(self, path: Path) -> bool:
        return path == self.path or self.path in path.parents

    def _entry(self, directory: Path, name: str) -> Path:
        if directory not in self._listings:
            try:
                entries = sorted(entry.name for entry in directory.iterdir())
            except (OSError, ValueError):  # no directory, or one that can't be read: nothing is found in it
                entries = []
            listed = {entry.casefold(): entry for entry in entries[:_MOST_LISTED]}
            self._listings[directory] = listed | {entry: entry for entry in entries}
        listing = self._listings[directory]
        return directory / listing.get(name, listing.get(name.casefold(), name))
