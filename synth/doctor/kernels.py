"""Compiled kernels: the first start makes them, for up to a minute, and the later ones read them."""

import os
from pathlib import Path

import numba

from synth import jit
from synth.doctor.check import Check, ok, warn


def checks(folder: Path | None = None) -> list[Check]:
    """folder: where numba keeps them, by default the one that the engine uses."""
    name = "compiled kernels"
    assert jit.njit  # it is what tells numba where
    place = Path(numba.config.CACHE_DIR) if folder is None else folder
    files = [path for path in place.rglob("*.nbc")] if place.is_dir() else []
    size_mb = sum(path.stat().st_size for path in files) / 1e6
    there = next(parent for parent in (place, *place.absolute().parents) if parent.is_dir())
    if files:
        return [ok(name, f"{len(files)} in {size_mb:.1f} MB, in {place}")]
    if not os.access(there, os.W_OK | os.X_OK):
        return [
            warn(
                name,
                f"none, and {place} can't be written: every start compiles, for up to a minute",
                "make that folder writable, or set NUMBA_CACHE_DIR to one that is",
            )
        ]
    return [warn(name, f"none yet in {place}: the next start compiles, for up to a minute", "start Tetrad once")]
