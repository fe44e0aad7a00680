"""Compiled kernels: the first start makes them, for up to a minute, and the later ones read them."""

import os
from pathlib import Path

import synth.jit
from synth.doctor.check import Check, ok, warn

LAST = "live._play_block"
"""The kernel that an engine's start compiles last. This check, like every command, has compiled some of the others."""


def checks(folder: Path | None = None) -> list[Check]:
    """folder: where numba keeps them, by default the one that the engine uses."""
    return [compiled(synth.jit.cache_folder() if folder is None else folder)]


def compiled(folder: Path) -> Check:
    """Whether they are there, else whether the next start can keep them."""
    name = "compiled kernels"
    if any(folder.rglob(f"{LAST}-*.nbc")):
        files = list(folder.rglob("*.nbc"))
        return ok(name, f"{len(files)} in {sum(file.stat().st_size for file in files) / 1e6:.1f} MB, in {folder}")
    there = next(place for place in (folder, *folder.absolute().parents) if place.is_dir())
    if os.access(there, os.W_OK | os.X_OK):
        return warn(name, "the engine's are not there yet: its next start takes up to a minute", "start Tetrad once")
    return warn(
        name,
        f"none, and {folder} can't be written: every start takes up to a minute",
        "make that folder writable, or set NUMBA_CACHE_DIR to one that is",
    )
