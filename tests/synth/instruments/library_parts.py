"""Libraries of a player's for tests: real instruments, small ones."""

import dataclasses
from functools import cache
from pathlib import Path

from synth.instruments.format import SUFFIX, Instrument, read_instrument, write_instrument
from synth.instruments.library import Library
from synth.paths import shipped_instruments_dir


@cache
def small_instrument(name: str = "mine", display_name: str = "Mine", notes: int = 1) -> Instrument:
    """The first notes of a shipped flute under another name."""
    flute = read_instrument(shipped_instruments_dir() / f"flute{SUFFIX}")
    return dataclasses.replace(
        flute, name=name, display_name=display_name, author="A. Player", source="a test", notes=flute.notes[:notes]
    )


def put(library: Library, name: str, display_name: str = "Mine", notes: int = 1, *, picture: bool = False) -> Path:
    """An instrument into the player's folder."""
    library.own_folder.mkdir(parents=True, exist_ok=True)
    path = library.own_path(name)
    write_instrument(small_instrument(name, display_name, notes), path)
    if picture:
        path.with_name(f"{name}.png").write_bytes(b"a picture")
    return path


def own_library(folder: Path) -> Library:
    return Library((shipped_instruments_dir(), folder / "instruments"))
