"""The library: the instruments that ship with Tetrad and the player's own, by name."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from synth.errors import TetradError
from synth.instruments.format import SUFFIX, Instrument, read_instrument
from synth.paths import shipped_instruments_dir, user_instruments_dir


class Library:
    """Directories of `*.tetrad-instrument` files; of two with one name, the later directory's counts."""

    def __init__(self, directories: Sequence[Path] | None = None) -> None:
        """Look into `directories`, by default the shipped ones and then the player's, which may replace them."""
        self.directories = tuple(directories or (shipped_instruments_dir(), user_instruments_dir()))

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
        raise TetradError(f"no instrument is called {name!r}; {hint}")

    def load(self, name: str) -> Instrument:
        """Read an instrument. Raises TetradError for an unknown name or a damaged file."""
        return read_instrument(self.path(name))
