"""The library: the instruments that ship with Tetrad and the player's own, by name.

An instrument's name is what patches know it by, and its file's name; it stays. What players see and change is the
display name (`synth.instruments.labels`). The last directory is the player's; only that is written.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from synth.control.json_document import brief
from synth.errors import TetradError
from synth.instruments.format import SUFFIX, Instrument, read_instrument, write_instrument
from synth.instruments.labels import Label, change_label, check_display_name, check_tags, read_labels
from synth.paths import shipped_instruments_dir, user_instruments_dir
from synth.trash import Trash, Why

PICTURE_SUFFIX = ".png"
TRASH_NAME = "trash"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")


class Library:
    """Directories of `*.tetrad-instrument` files; of two with one name, the later directory's counts."""

    def __init__(self, directories: Sequence[Path] | None = None) -> None:
        """Look into `directories`, by default the shipped ones and then the player's, which may replace them."""
        self.directories = tuple(directories or (shipped_instruments_dir(), user_instruments_dir()))

    @property
    def own_folder(self) -> Path:
        """Where the player's instruments are. May not exist yet."""
        return self.directories[-1]

    def paths(self) -> dict[str, Path]:
        """File of each instrument by name, sorted."""
        found = {
            path.name.removesuffix(SUFFIX): path
            for directory in self.directories
            for path in directory.glob(f"*{SUFFIX}")
            if not path.name.startswith(".")
        }
        return dict(sorted(found.items()))

    def names(self) -> list[str]:
        return list(self.paths())

    def path(self, name: str) -> Path:
        """File of the instrument `name`; a TetradError offers the nearest names."""
        paths = self.paths()
        if name in paths:
            return paths[name]
        places = " and ".join(str(d) for d in self.directories)
        if not paths:
            raise TetradError(f"no instrument {name!r}: there are none in {places}; reinstall tetrad, or add some")
        near = difflib.get_close_matches(name, paths, n=3, cutoff=0.4) or [n for n in paths if name.lower() in n][:3]
        hint = f"did you mean {', '.join(near)}?" if near else "`tetrad instruments list` shows all"
        raise TetradError(f"no instrument is called {brief(name)}; {hint}")

    def load(self, name: str) -> Instrument:
        """Read an instrument. Raises TetradError for an unknown name or a damaged file."""
        return read_instrument(self.path(name))

    def own_path(self, name: str) -> Path:
        """Where a player's instrument of that name lies, or would lie."""
        return self.own_folder / f"{name}{SUFFIX}"

    def picture(self, name: str) -> Path | None:
        """The picture of what was understood when the instrument was made, if there is one."""
        path = self.path(name)
        picture = path.with_name(name + PICTURE_SUFFIX)
        return picture if picture.is_file() else None

    # Changes. Each raises TetradError, and then nothing has changed.

    def rename(self, name: str, display_name: str) -> Label:
        """An instrument is shown under another name from now on; patches go on knowing it by `name`."""
        self.path(name)
        return change_label(self.own_folder, name, display_name=check_display_name(display_name))

    def tag(self, name: str, tags: tuple[str, ...]) -> Label:
        """An instrument has these tags from now on."""
        self.path(name)
        return change_label(self.own_folder, name, tags=check_tags(tags))

    def favour(self, name: str, favourite: bool) -> Label:
        """An instrument is one of the player's favourites, or no longer."""
        self.path(name)
        return change_label(self.own_folder, name, favourite=favourite)

    def remove(self, name: str) -> None:
        """An instrument of the player's goes into the trash, with its picture; `restore` brings it back."""
        path = self.path(name)
        if path.parent != self.own_folder:
            raise TetradError(f"{name} comes with Tetrad and can't be removed; one of your own was expected; tag it")
        self._trash().take(path, name)

    def restore(self, name: str | None = None) -> str:
        """Bring back what was removed last; with a name, the newest of that name, which may have been replaced.

        An instrument that has its name by now goes into the trash for it. Gives the name.
        """
        trash = self._trash()
        found = [
            file
            for file in trash.files()[::-1]
            if (file.why is Why.REMOVED if name is None else file.label == name) and is_name(file.label)
        ]
        if not found:
            what = "nothing was removed" if name is None else f"there is no instrument {brief(name)} in the trash"
            raise TetradError(f"{what}; a removed instrument was expected; `tetrad instruments list` shows all")
        file = found[0]
        read_instrument(file.path)
        path = self.own_path(file.label)
        if path.exists():
            trash.keep_copy(path, file.label)
        trash.give_back(file, path)
        return file.label

    def keep_replaced(self, name: str) -> None:
        """An instrument of the player's is about to be replaced: a copy of it goes into the trash."""
        path = self.own_path(name)
        if path.exists():
            self._trash().keep_copy(path, name)

    def export(self, name: str, path: Path) -> Path:
        """One file with everything, what the player calls it included; `path` may be a folder. Replaces nothing."""
        target = path / f"{name}{SUFFIX}" if path.is_dir() else path
        if os.path.lexists(target):
            raise TetradError(f"{target} exists; the name of a new file was expected; choose another")
        if not target.name.endswith(SUFFIX):
            raise TetradError(f"{target.name} was given; a name that ends in {SUFFIX} was expected; add that")
        instrument = self.load(name)
        label = read_labels(self.own_folder).get(name, Label())
        if label.display_name is not None:
            instrument = dataclasses.replace(instrument, display_name=label.display_name)
        if label.tags is not None:
            instrument = dataclasses.replace(instrument, tags=label.tags)
        write_instrument(instrument, target)
        return target

    def free_name(self, name: str) -> str:
        """The name itself where nobody has it, or `name-2` and so on."""
        taken, number, free = self.paths(), 1, name
        while free in taken:
            number += 1
            free = f"{name[:44]}-{number}"
        return free

    def make_own_folder(self) -> Path:
        """The player's folder, made where there is none yet. Raises TetradError."""
        try:
            self.own_folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TetradError(
                f"the library {self.own_folder} can't be made ({error.strerror}); a folder of one's own was expected; "
                "set TETRAD_HOME to a place that can"
            ) from error
        return self.own_folder

    def _trash(self) -> Trash:
        return Trash(self.own_folder / TRASH_NAME, SUFFIX, (PICTURE_SUFFIX,))


def is_name(text: str) -> bool:
    """May an instrument be called so?"""
    return _NAME.fullmatch(text) is not None


def check_name(text: str) -> str:
    """Raises TetradError for what can't be an instrument's name."""
    if not is_name(text):
        raise TetradError(f"the name {brief(text)} can't be used; small letters, digits and hyphens go, at most 48")
    return text


def name_from(text: str) -> str:
    """A name made of any text: `Opa's Piano (1)` is `opa-s-piano-1`; `instrument` where nothing is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].strip("-") or "instrument"
