"""Parsers with the faults that the fuzzer looks for, to see that it finds them; one is good."""

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

from synth.errors import TetradError

LIMIT_S = 1.0
Case = Callable[[], None]


def _good(_: random.Random, folder: Path) -> Case:
    (folder / "x").write_bytes(b"x")
    return lambda: _discard((folder / "x").read_bytes())


def _refuses(_: random.Random, folder: Path) -> Case:
    def read() -> None:
        raise TetradError(f"{folder} is refused")

    return read


def _raises(_: random.Random, folder: Path) -> Case:
    return lambda: _discard(folder.name[99])


def _dies(_: random.Random, __: Path) -> Case:
    return lambda: os._exit(3)


def _writes(_: random.Random, folder: Path) -> Case:
    return lambda: _discard((folder / "y").write_bytes(b"y"))


def _renames(_: random.Random, folder: Path) -> Case:
    (folder / "x").write_bytes(b"x")
    return lambda: _discard((folder / "x").rename(folder / "y"))


def _looks_outside(_: random.Random, folder: Path) -> Case:
    return lambda: _discard((folder / ".." / "outside.wav").read_bytes())


def _slow(_: random.Random, __: Path) -> Case:
    return lambda: time.sleep(1.5 * LIMIT_S)


def _hangs(_: random.Random, __: Path) -> Case:
    return lambda: time.sleep(600.0)


def _discard(_: object) -> None:
    return


PARSERS: dict[str, Callable[[random.Random, Path], Case]] = {
    "a good": _good,
    "b refuses": _refuses,
    "c raises": _raises,
    "d dies": _dies,
    "e writes": _writes,
    "f renames": _renames,
    "g looks outside": _looks_outside,
    "h slow": _slow,
    "i hangs": _hangs,
}
