"""What a folder holds that could become an instrument, and where such folders are. No Kivy here.

Names may be of any bytes, and a folder may be unreadable, gone, or have a hundred thousand files.
"""

import os
import re
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import NamedTuple

SUFFIXES = {
    "sound": (".wav", ".flac", ".aiff", ".aif", ".ogg", ".mp3"),
    "sfz": (".sfz",),
    "sound_font": (".sf2", ".sf3"),
    "instrument": (".tetrad-instrument",),
}
"""What the engine imports; it looks into the files, so a wrong one here is only refused in words."""
MOST_ENTRIES = 20_000
REMOVABLE = ("/media", "/run/media", "/mnt")


class Kind(StrEnum):
    """Of an item."""

    FOLDER = "folder"
    SOUND = "sound"
    SFZ = "sfz"
    SOUND_FONT = "sound_font"
    INSTRUMENT = "instrument"


class Item(NamedTuple):
    """Something in a folder. name: as it can be shown. sayable: its path is text, so the engine can be told."""

    name: str
    path: str
    kind: Kind
    sayable: bool


class Listing(NamedTuple):
    """A folder's items, folders first. trouble: a text's key and its value, why there are none or not all; or None."""

    folder: str
    items: tuple[Item, ...]
    trouble: tuple[str, str] | None = None

    @property
    def sounds(self) -> int:
        """Recordings, which can be the notes of one instrument."""
        return sum(item.kind is Kind.SOUND for item in self.items)


class Place(NamedTuple):
    """A folder to begin at. key: of its text, "" where its name says it."""

    key: str
    name: str
    path: str


def shown(name: str) -> str:
    """A file's name in letters that can be shown: other bytes, and what would break the line, become a sign."""
    words = os.fsencode(name).decode("utf-8", errors="replace")
    return "".join(letter if letter.isprintable() else "�" for letter in words)


def is_sayable(path: str) -> bool:
    """Is it UTF-8, as the protocol's lines are?"""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def kind_of(name: str) -> Kind | None:
    """Of a file, by its suffix; None for what no instrument is made of."""
    small = name.lower()
    return next((Kind(kind) for kind, suffixes in SUFFIXES.items() if small.endswith(suffixes)), None)


def read_folder(folder: str) -> Listing:
    """What can be gone into or chosen; hidden files are left out. Never raises: what is wrong is `trouble`."""
    try:
        with os.scandir(folder) as entries:
            looked_at = list(islice(entries, MOST_ENTRIES + 1))
    except OSError as error:
        return Listing(folder, (), ("instruments.unreadable", error.strerror or str(error)))
    except ValueError as error:  # a path with a zero byte in it
        return Listing(folder, (), ("instruments.unreadable", str(error)))
    items = [item for item in map(_item, looked_at[:MOST_ENTRIES]) if item is not None]
    items.sort(key=lambda item: (item.kind is not Kind.FOLDER, natural(item.name)))
    trouble = None
    if len(looked_at) > MOST_ENTRIES:
        trouble = ("instruments.too_many_files", str(MOST_ENTRIES))
    elif not items:
        trouble = ("instruments.nothing_there", "")
    return Listing(folder, tuple(items), trouble)


def natural(name: str) -> list[tuple[int, int, str]]:
    """An order in which "take 9" comes before "take 10"."""
    parts = re.split(r"(\d{1,18})", name.casefold())
    return [(0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, part) for part in parts if part]


def places(home: Path, removable: tuple[str, ...] = REMOVABLE) -> list[Place]:
    """Home, music, and the folders of what is plugged in now."""
    found = [Place("instruments.home", "", str(home))]
    music = home / "Music"
    if music.is_dir():
        found.append(Place("instruments.music", "", str(music)))
    for root in removable:
        found += [Place("", shown(os.path.basename(path)), path) for path in _sticks(root)]  # noqa: PTH119  (any bytes)
    return found


def _sticks(root: str) -> list[str]:
    """Folders below a place where media are mounted: root/STICK, or root/USER/STICK."""
    found = []
    for path in _folders(root):
        if os.path.ismount(path) or root == "/mnt":
            found.append(path)
            continue
        found += [inner for inner in _folders(path) if os.path.ismount(inner)]
    return found


def _folders(root: str) -> list[str]:
    try:
        with os.scandir(root) as entries:
            return sorted(entry.path for entry in entries if not entry.name.startswith(".") and entry.is_dir())
    except OSError:
        return []  # there are no media of this kind, or they are somebody else's


def _item(entry: os.DirEntry[str]) -> Item | None:
    if entry.name.startswith("."):
        return None
    try:
        is_folder = entry.is_dir()
        kind = Kind.FOLDER if is_folder else kind_of(entry.name) if entry.is_file() else None
    except OSError:  # a link that leads round and round
        return None
    if kind is None:
        return None
    return Item(shown(entry.name), entry.path, kind, is_sayable(entry.path))
