"""The player's patches and those that come with Tetrad, by name and by number.

The bank is a folder of patch files, its index (`patch_index`) and its trash (`patch_trash`); the shipped patches lie in
a folder of their own that is only read. A name is there once, whatever its case: the player's patch of a shipped one's
name stands in its place, and gives the place back when it is removed.

Nothing is lost. A patch that is replaced or removed goes into the trash. A damaged file is named in `warnings` and
stays untouched. Each step leaves whole files: a patch is written before the index names it, and kept in the trash
before it is replaced, so what a power cut leaves is at worst a patch under another number.

All patches are in memory (128 of them take 0.6 MB), so finding one takes microseconds. Any thread may read: it sees the
bank before a change or after it, and never waits. Changes wait for the disk, and for each other.
"""

import contextlib
import difflib
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from synth.control.kept_files import file_stem, free_path, set_aside
from synth.control.patch import MOST_NAME, SUFFIX, Patch, lacking, read_document, write_patch
from synth.control.patch_index import PatchIndex, key_of, read_index
from synth.control.patch_trash import Discarded, PatchTrash, Why
from synth.errors import TetradError
from synth.files import remove_leftovers
from synth.paths import user_data_dir

INDEX_NAME, TRASH_NAME = ".numbers.json", "trash"


def shipped_patches_dir() -> Path:
    """Patches that come with Tetrad, read-only."""
    return Path(__file__).resolve().parent.parent / "shipped_patches"


def user_patches_dir() -> Path:
    """The player's patches. May not exist yet."""
    return user_data_dir() / "patches"


@dataclass(frozen=True)
class BankEntry:
    """A patch of the bank. number: bank * 128 + program; lacks: parameters that its file, an older version's, does not
    have, so that they have their defaults."""

    number: int
    patch: Patch
    path: Path
    shipped: bool
    lacks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.patch.name


class _File(NamedTuple):
    patch: Patch
    path: Path
    lacks: tuple[str, ...]


class PatchBank:
    """The bank in `folder`, by default the player's, which is made when there is none.

    Methods that change something raise TetradError, and then nothing has changed.
    """

    def __init__(self, folder: Path | None = None, shipped: Path | None = None) -> None:
        self.folder = folder or user_patches_dir()
        self._shipped_folder = shipped or shipped_patches_dir()
        self._trash = PatchTrash(self.folder / TRASH_NAME)
        self._lock = threading.Lock()
        self._warnings: tuple[str, ...] = ()
        self._index = PatchIndex()
        self._shipped: dict[str, _File] = {}
        self._own: dict[str, _File] = {}
        # What readers see: replaced as a whole, never changed.
        self._by_key: dict[str, BankEntry] = {}
        self._by_number: dict[int, BankEntry] = {}
        self.rescan()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the bank, one line each, since it was read last."""
        return self._warnings

    def rescan(self) -> None:
        """Read the folders anew: files may have been put there, or mended. Never raises for what lies there."""
        with self._changing():
            self._warnings = ()
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                self._warn(f"cannot make the folder {self.folder}: {error.strerror}; patches can't be saved there")
            remove_leftovers(self.folder)
            self._shipped = self._read_folder(self._shipped_folder)
            self._own = self._read_folder(self.folder)
            self._index = self._read_index()
            self._publish()

    def entries(self, text: str = "", tag: str = "") -> list[BankEntry]:
        """Patches by rising number. text: words, all in name, author, tags or instruments; tag: one of its."""
        words = text.casefold().split()
        return [
            entry
            for _, entry in sorted(self._by_number.items())
            if (not tag or tag.casefold() in (own.casefold() for own in entry.patch.tags))
            and all(word in _searched(entry.patch) for word in words)
        ]

    def tags(self) -> list[str]:
        """Every tag that a patch has, sorted."""
        return sorted({tag for entry in self._by_key.values() for tag in entry.patch.tags}, key=str.casefold)

    def at(self, number: int) -> BankEntry | None:
        """The patch of a number; None where there is none."""
        return self._by_number.get(number)

    def find(self, name: str) -> BankEntry | None:
        """The patch of a name, whatever its case; None where there is none."""
        return self._by_key.get(key_of(name.strip()))

    def named(self, name: str) -> BankEntry:
        """The patch of a name; a TetradError offers the nearest names."""
        entry = self.find(name)
        if entry is None:
            near = difflib.get_close_matches(key_of(name), self._by_key, n=3, cutoff=0.4)
            hint = ", ".join(self._by_key[key].name for key in near)
            remedy = f"did you mean {hint}?" if near else "`patches` lists all"
            raise TetradError(f"no patch is called {name!r}; the name of one was expected; {remedy}")
        return entry

    def save(self, patch: Patch, number: int | None = None) -> BankEntry:
        """Put a patch into the bank. One of its name is replaced, and stays in the trash.

        number: that it is to have, by default the one of its name or the lowest that is free. A patch that has it
        gets the number that is free by this.
        """
        with self._changing():
            return self._save(patch, number, keep=True)

    def rename(self, name: str, new_name: str) -> BankEntry:
        """Give a patch of the player's another name; its number stays."""
        with self._changing():
            entry = self._own_entry(name, "renamed")
            patch = entry.patch.with_texts(name=new_name)
            other = self.find(patch.name)
            if other is not None and key_of(other.name) != key_of(entry.name):
                raise TetradError(f"there is a patch {other.name} already; a new name was expected; choose another")
            # In its place first, so that at every moment there is one whole file of it; then the file's name follows.
            write_patch(entry.path, patch)
            self._index.rename(entry.name, patch.name)
            del self._own[key_of(entry.name)]
            path = entry.path
            if file_stem(patch.name) != file_stem(entry.name):
                path = free_path(self.folder, file_stem(patch.name), SUFFIX)
                try:
                    entry.path.rename(path)
                except OSError as error:
                    self._warn(f"{entry.path} keeps its name: {error.strerror}")
                    path = entry.path
            self._own[key_of(patch.name)] = _File(patch, path, ())
            self._publish()
            return self.named(patch.name)

    def tag(self, name: str, tags: Iterable[str]) -> BankEntry:
        """Give a patch other tags. A shipped one is copied into the player's bank for it."""
        with self._changing():
            return self._save(self.named(name).patch.with_texts(tags=tags), None, keep=False)

    def move(self, name: str, number: int) -> BankEntry:
        """Give a patch another number; who has that one gets this one's."""
        with self._changing():
            entry = self.named(name)
            index = self._index.copy()
            index.move(entry.name, number)
            index.write(self.folder / INDEX_NAME)
            self._index = index
            self._publish()
            return self.named(name)

    def remove(self, name: str) -> None:
        """Put a patch of the player's into the trash; `restore` brings it back."""
        with self._changing():
            entry = self._own_entry(name, "removed")
            self._trash.take(entry.path, entry.number)
            del self._own[key_of(entry.name)]
            if key_of(entry.name) not in self._shipped:
                self._index.drop(entry.name)
            self._publish()

    def restore(self, name: str | None = None) -> BankEntry:
        """Bring back from the trash what was removed last; with a name, the newest of that name there.

        It gets its number again where that is free. A patch of its name goes into the trash for it, so doing this
        twice is as if nothing had been done.
        """
        with self._changing():
            found = [
                discarded
                for discarded in self._trash.contents()
                if (discarded.why is Why.REMOVED if name is None else key_of(discarded.patch.name) == key_of(name))
            ]
            if not found:
                what = "nothing was removed" if name is None else f"there is no patch {name!r} in the trash"
                raise TetradError(f"{what}; a removed patch was expected; `patches` lists those that are there")
            return self._bring_back(found[0])

    def discarded(self) -> list[Discarded]:
        """What is in the trash, newest first."""
        return self._trash.contents()

    def import_file(self, path: Path | str) -> BankEntry:
        """Copy a patch file into the bank. Where another sound has its name, it becomes `Glass (2)`."""
        patch = Patch.from_json(read_document(path), str(path))
        with self._changing():
            present = self.find(patch.name)
            if present is not None and present.patch == patch:
                return present
            return self._save(patch.with_texts(name=_free_name(patch.name, self._by_key)), None, keep=True)

    def export_file(self, name: str, path: Path | str) -> Path:
        """Write a patch of the bank as `export_patch` does."""
        return self.export_patch(self.named(name).patch, path)

    def export_patch(self, patch: Patch, path: Path | str) -> Path:
        """Write any patch to a file of its own, or into a folder; gives the file's path. Replaces nothing."""
        target = Path(path)
        if target.is_dir():
            target = target / f"{file_stem(patch.name)}{SUFFIX}"
        if target.exists():
            raise TetradError(f"{target} exists; the name of a new file was expected; choose another")
        write_patch(target, patch)
        return target

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """One change at a time. Where a disk fails half-way, what is in memory follows what is on the disk: a file that
        has its place already, while the disk would not confirm it, would else be saved a second time beside itself."""
        with self._lock:
            try:
                yield
            except TetradError as error:
                if isinstance(error.__cause__, OSError):
                    self._follow_disk()
                raise

    # What follows is called with the lock held.

    def _follow_disk(self) -> None:
        said = self._warnings
        there = self._read_folder(self.folder)
        paths = {file.path for file in there.values()}
        unread = {key: file for key, file in self._own.items() if file.path.exists() and file.path not in paths}
        self._own = {**unread, **there}  # a disk that does not even read must not take the patches from memory
        self._publish()
        self._warnings = said

    def _save(self, patch: Patch, number: int | None, *, keep: bool) -> BankEntry:
        index = self._index.copy()
        if number is None:
            number = index.number_or_next(patch.name)
        else:
            index.move(patch.name, number)
        key = key_of(patch.name)
        present = self._own.get(key)
        path = present.path if present else free_path(self.folder, file_stem(patch.name), SUFFIX)
        if present and keep and present.patch != patch:
            self._trash.keep_copy(path, number)
        write_patch(path, patch)
        self._own[key] = _File(patch, path, ())
        self._index = index
        self._publish()
        return self._by_key[key]

    def _bring_back(self, discarded: Discarded) -> BankEntry:
        patch = discarded.patch
        holder = self._by_number.get(discarded.number)
        is_free = holder is None and self._index.number(patch.name) is None
        entry = self._save(patch, discarded.number if is_free else None, keep=True)
        try:
            discarded.path.unlink()
        except OSError as error:
            self._warn(f"{discarded.path} stays in the trash: {error.strerror}")
        return entry

    def _own_entry(self, name: str, done: str) -> BankEntry:
        entry = self.named(name)
        if entry.shipped:
            raise TetradError(
                f"{entry.name} comes with Tetrad and can't be {done}; one of your own was expected; save it under "
                "another name first"
            )
        return entry

    def _read_folder(self, folder: Path) -> dict[str, _File]:
        found: dict[str, _File] = {}
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            if path.name.startswith("."):
                continue
            try:
                document = read_document(path)
                patch = Patch.from_json(document, str(path))
            except TetradError as error:
                self._warn(f"skipped a damaged patch, which stays as it is: {error}")
                continue
            if key_of(patch.name) in found:
                other = found[key_of(patch.name)].path.name
                patch = patch.with_texts(name=_free_name(patch.name, found))
                self._warn(f"{path} and {other} have one name; the former is called {patch.name} here; rename it")
            found[key_of(patch.name)] = _File(patch, path, lacking(document))
        return found

    def _read_index(self) -> PatchIndex:
        path = self.folder / INDEX_NAME
        try:
            return read_index(path)
        except TetradError as error:
            try:
                kept = f"it is kept as {set_aside(path)}"
            except OSError as second:
                kept = f"it can't be set aside either ({second.strerror})"
            self._warn(f"the patches' numbers are new, by name: {error}; {kept}")
            return PatchIndex()

    def _publish(self) -> None:
        """Give every patch a number, write the index if it has changed, and let the readers see it all."""
        by_key: dict[str, BankEntry] = {}
        for files, shipped in ((self._shipped, True), (self._own, False)):
            for key, file in files.items():
                try:
                    number = self._index.number_or_next(file.patch.name)
                except TetradError as error:
                    self._warn(f"{file.path} is left out: {error}")
                    continue
                by_key[key] = BankEntry(number, file.patch, file.path, shipped, file.lacks)
        self._by_key, self._by_number = by_key, {entry.number: entry for entry in by_key.values()}
        path = self.folder / INDEX_NAME
        try:
            if self.folder.is_dir() and (not path.exists() or read_index(path) != self._index):
                self._index.write(path)
        except TetradError as error:  # the patches themselves are safe, and numbered until the end of this process
            self._warn(f"the patches' numbers could not be stored: {error}")

    def _warn(self, warning: str) -> None:
        self._warnings = (*self._warnings, warning)


def _searched(patch: Patch) -> str:
    return " ".join((patch.name, patch.author, *patch.tags, *(corner or "" for corner in patch.corners))).casefold()


def _free_name(name: str, taken: Iterable[str]) -> str:
    """`name`, or `name (2)` and so on: the first whose key is not in `taken`."""
    keys, number, free = set(taken), 1, name
    while key_of(free) in keys:
        number += 1
        ending = f" ({number})"
        free = name[: MOST_NAME - len(ending)].rstrip() + ending
    return free
