"""Where the pairs' paths lie: the folder `grid` among the player's own data, one file a pair.

A path is found by the two instruments' names, and is only given away when their sounds and the networks are those that
it was made with. What was made with other sounds counts as missing (an instrument was replaced; the path is computed
again), what was made with other networks is refused with both identities and the command that rebuilds it.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from synth.errors import TetradError
from synth.grid.pair_file import SUFFIX, Identity, pair_name, read_pair, read_pair_header, write_pair
from synth.grid.pair_path import PairPath
from synth.paths import user_data_dir

MOST_KEPT = 64
"""Paths kept in memory: at most 60 KB each with bends, 4 KB without."""
_MOST_REMARKS = 64


def user_grid_dir() -> Path:
    """Where the player's paths lie; see `synth.paths.user_data_dir`. May not exist yet."""
    return user_data_dir() / "grid"


class Summary(NamedTuple):
    """What a folder holds: usable files, their bytes, their notes and how many of those bend; pairs by the networks
    that they were made with; and a line for each damaged file."""

    n_pairs: int
    size_bytes: int
    n_notes: int
    n_bent: int
    by_model: dict[str, int]
    problems: tuple[str, ...]


class GridStore:
    """The paths in a folder. Any thread may call; a file is read when its pair is first asked for."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or user_grid_dir()
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[tuple[int, int, int], PairPath]] = OrderedDict()
        self._said: set[str] = set()
        self._remarks: list[str] = []

    def path_of(self, first: str, second: str) -> Path:
        """File of a pair, there or not, whichever is named first. TetradError for what are no two names."""
        return self.folder / pair_name(first, second)

    def find(self, first: str, second: str, first_id: str, second_id: str, model_id: str) -> PairPath | None:
        """The path of a pair in either order, or None when there is none that is made of these sounds and networks.

        One of other networks, a damaged file, and names that no instrument can have are remarked on: see
        `take_remarks`. Never raises.
        """
        if first == second:
            return None
        if first > second:
            first, second, first_id, second_id = second, first, second_id, first_id
        try:
            path = self._read(self.path_of(first, second))
        except TetradError as error:
            self._remark(str(error))
            return None
        if path is None:
            return None
        if path.model_id != model_id:
            self._remark(
                f"The path from {first} to {second} was made with network {path.model_id}, but {model_id} was "
                "expected; the straight line is played; run `tetrad grid build --rebuild`."
            )
            return None
        return path if (path.first_id, path.second_id) == (first_id, second_id) else None

    def write(self, path: PairPath, made: str = "by hand") -> int:
        """Keep a path, in place of what there was for its pair; makes the folder. Returns bytes.

        TetradError when it can't be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TetradError(
                f"{self.folder} can't be made ({error.strerror}); a folder for the grid was expected; name another"
            ) from error
        return write_pair(path, self.folder, made)

    def missing(self, instruments: Iterable[Identity]) -> list[tuple[Identity, Identity]]:
        """Pairs, each and all in the order of the alphabet, that `find` would not give. Reads every file that is there.

        Instruments of different networks are no pair.
        """
        ordered = sorted(set(instruments))
        return [
            (one, other)
            for one, other in itertools.combinations(ordered, 2)
            if one.name != other.name
            and one.model_id == other.model_id
            and self.find(one.name, other.name, one.sound_id, other.sound_id, one.model_id) is None
        ]

    def names(self) -> list[tuple[str, str]]:
        """The pairs that have a file, in the order of the alphabet; nothing is read."""
        stems = (file.name.removesuffix(SUFFIX).split("+") for file in self.folder.glob(f"[!.]*{SUFFIX}"))
        return sorted((parts[0], parts[1]) for parts in stems if len(parts) == 2 and all(parts))

    def summary(self) -> Summary:
        """What the folder holds; reads every file in it."""
        n_pairs = size = n_notes = n_bent = 0
        by_model: dict[str, int] = {}
        problems = []
        for file in sorted(self.folder.glob(f"[!.]*{SUFFIX}")):
            try:
                header = read_pair_header(file)
                size += file.stat().st_size
            except (TetradError, FileNotFoundError) as error:
                problems.append(str(error))
                continue
            n_pairs += 1
            n_notes += len(header["notes"])
            n_bent += sum(bent for _, _, bent in header["notes"])
            by_model[header["model_id"]] = by_model.get(header["model_id"], 0) + 1
        return Summary(n_pairs, size, n_notes, n_bent, dict(sorted(by_model.items())), tuple(problems))

    def take_remarks(self) -> list[str]:
        """What there was to say since the last call, each thing once in the life of this store."""
        with self._lock:
            remarks, self._remarks = self._remarks, []
        return remarks

    def _read(self, file: Path) -> PairPath | None:
        """From memory while the file is the same; None where there is none."""
        try:
            found = file.stat()
        except OSError:
            return None
        stamp = found.st_ino, found.st_size, found.st_mtime_ns
        with self._lock:
            kept = self._kept.get(file.name)
            if kept is not None and kept[0] == stamp:
                self._kept.move_to_end(file.name)
                return kept[1]
        path = read_pair(file)
        with self._lock:
            self._kept[file.name] = stamp, path
            self._kept.move_to_end(file.name)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return path

    def _remark(self, text: str) -> None:
        with self._lock:
            if text not in self._said and len(self._said) < _MOST_REMARKS:
                self._said.add(text)
                self._remarks.append(text)
