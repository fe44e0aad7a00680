"""Keeping a player's files: names that are free, and damaged ones set aside."""

import os
import unicodedata
from pathlib import Path

_MOST_STEM_BYTES = 100  # file systems take 255, and a temporary file adds some thirty to the name


def file_stem(name: str) -> str:
    """A name's form for file names: `Glass Morning!` is `glass-morning`; letters of every script stay."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    stem = "-".join("".join(c if c.isalnum() else " " for c in plain).split())
    return stem.encode()[:_MOST_STEM_BYTES].decode(errors="ignore").rstrip("-") or "patch"


def free_path(folder: Path, stem: str, suffix: str) -> Path:
    """`stem.suffix` in the folder, or `stem-2.suffix` and so on: a name that nothing has yet, a broken link neither."""
    number, path = 1, folder / f"{stem}{suffix}"
    while os.path.lexists(path):
        number += 1
        path = folder / f"{stem}-{number}{suffix}"
    return path


def set_aside(path: Path) -> Path:
    """Rename a damaged file so that it stays and its place is free; gives its new name. Raises OSError."""
    aside = free_path(path.parent, f"{path.stem}.damaged", f"{path.suffix}.old")
    path.rename(aside)
    return aside
