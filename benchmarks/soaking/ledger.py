"""What an engine has acknowledged, and whether it is still so: patches by their reader, imports by the list."""

import threading
from collections.abc import Iterable
from pathlib import Path

from synth.control.patch import SUFFIX, Patch, read_patch
from synth.control.patch_bank import PatchBank
from synth.errors import TetradError
from synth.instruments.library import Library


class Ledger:
    """Patches by name with the mark that the last save gave them (a tag), and imported instruments by name.

    home: the engine's data. A patch's file that changes though nobody has saved it is lost, too. Any thread.
    """

    def __init__(self, home: Path) -> None:
        self._folder, self._instruments_folder = home / "patches", home / "instruments"
        self._lock = threading.Lock()
        self._marks: dict[str, str] = {}
        self._seen: dict[str, Patch] = {}  # name -> what the file held at the last look
        self._instruments: list[str] = []
        self.saves = 0

    def saved(self, name: str, mark: str) -> None:
        """The engine said that it has saved this."""
        with self._lock:
            self._marks[name] = mark
            self._seen.pop(name, None)
            self.saves += 1

    def renamed(self, name: str, new_name: str) -> None:
        """It said that it has renamed it."""
        with self._lock:
            self._marks[new_name] = self._marks.pop(name)
            self._seen.pop(name, None)

    def removed(self, name: str) -> None:
        """It said that it is in the trash."""
        with self._lock:
            del self._marks[name]
            self._seen.pop(name, None)

    def imported(self, name: str) -> None:
        """It said that this instrument is there."""
        with self._lock:
            self._instruments.append(name)

    def instrument_removed(self, name: str) -> None:
        """It said that this one is in the trash."""
        with self._lock:
            self._instruments.remove(name)

    def maybe_overwritten(self) -> None:
        """Somebody without a mark may have saved over any of them: what is there now counts."""
        with self._lock:
            self._seen.clear()
            self._marks = dict.fromkeys(self._marks, "")

    @property
    def patches(self) -> list[str]:
        """Names, the oldest save first."""
        with self._lock:
            return list(self._marks)

    @property
    def instruments(self) -> list[str]:
        """Imported and not removed, the oldest first."""
        with self._lock:
            return list(self._instruments)

    def lost(self, listed: Iterable[str]) -> list[str]:
        """What is missing, damaged or another's, a line each, while nobody saves. listed: what `patches` answers.

        Each loss is told once: after that it is forgotten.
        """
        with self._lock:
            listed = set(listed)
            words = []
            found: dict[str, Patch] = {}
            for path in sorted(self._folder.glob(f"*{SUFFIX}")):
                if path.name.startswith("."):  # the bank's index
                    continue
                try:
                    patch = read_patch(path)
                except TetradError as error:
                    words.append(f"{path.name} can't be read: {error}")
                    continue
                found[patch.name] = patch
            for name, mark in list(self._marks.items()):
                problem = _problem(name, mark, found.get(name), self._seen.get(name), listed)
                if problem:
                    words.append(problem)
                    del self._marks[name]
            self._seen = {name: found[name] for name in self._marks}
            return words

    def lost_at_the_end(self) -> list[str]:
        """The same of all that a next start would read: bank and library. The engine has ended."""
        bank = PatchBank(self._folder)
        words = [f"at the next start: {warning}" for warning in bank.warnings]
        words += self.lost(entry.name for entry in bank.entries())
        library = Library([self._instruments_folder])
        for name in self.instruments:
            try:
                library.load(name)
            except TetradError as error:
                words.append(f"instrument {name}: {error}")
        return words


def _problem(name: str, mark: str, patch: Patch | None, before: Patch | None, listed: set[str]) -> str:
    """What is wrong with one patch; "" when nothing is."""
    if patch is None:
        return f"patch {name}: no file holds it"
    if name not in listed:
        return f"patch {name}: the engine does not list it"
    if mark and mark not in patch.tags:
        return f"patch {name}: what was saved as {mark} is gone; its tags are {', '.join(patch.tags) or 'none'}"
    if before is not None and before != patch:
        return f"patch {name}: it changed, and nobody saved it"
    return ""
