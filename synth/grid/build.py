"""Making the paths of all pairs of some instruments: what is there stays, the rest is made wherever there are cores."""

from __future__ import annotations

import functools
import itertools
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from synth import __version__
from synth.errors import TetradError
from synth.grid.compute import pair_path
from synth.grid.pair_file import Identity, read_pair_header
from synth.grid.pair_path import PairPath
from synth.grid.store import GridStore
from synth.instruments.duplicates import content_hash
from synth.instruments.encoder import Encoder
from synth.instruments.format import Instrument, read_header, read_instrument
from synth.instruments.library import Library
from synth.jobs import run_jobs
from synth.voices.decoder import Decoder

MADE = f"tetrad grid build {__version__}"
"""In every file. Nothing of the time or the machine: the same instruments and networks give the same bytes."""
_KEPT_INSTRUMENTS = 8


class PairWork(NamedTuple):
    """What a worker needs for one pair, wherever it is: the two instruments' files, 0.1 to 0.4 MB each."""

    first: str
    second: str
    first_file: bytes
    second_file: bytes


@dataclass(frozen=True)
class BuildPlan:
    """`files` of the instruments by name; `todo` are pairs without a usable path, and `replaced` those of them that
    other networks have made one for; `n_there` pairs have one."""

    files: Mapping[str, Path]
    todo: tuple[tuple[str, str], ...]
    n_there: int
    replaced: tuple[tuple[str, str], ...] = field(default=())


def plan_build(library: Library, names: Sequence[str], store: GridStore, model_id: str, *, rebuild: bool) -> BuildPlan:
    """Which pairs of the instruments called `names` are to be made, in the order of the alphabet.

    Raises TetradError for unknown names, fewer than two, an instrument that was made with other networks than
    `model_id`, and, without `rebuild`, for paths that were.
    """
    files: dict[str, Path] = {}
    identities: list[Identity] = []
    for name in sorted(set(names)):
        one = identify(library.path(name))
        if one.name not in files:
            identities.append(one)
        files[one.name] = library.path(name)
    if len(files) < 2:
        raise TetradError(f"{len(files)} instruments were given; two at least were expected for a pair; name more")
    for one in identities:
        if one.model_id != model_id:
            raise TetradError(
                f"{one.name} was made with network {one.model_id}; {model_id} was expected, which plays; make the "
                "instrument again from its recordings, or leave it out"
            )
    todo, replaced = [], []
    for one, other in itertools.combinations(sorted(identities), 2):
        if store.find(one.name, other.name, one.sound_id, other.sound_id, model_id) is None:
            todo.append((one.name, other.name))
            found = _model_of(store.path_of(one.name, other.name))
            if found not in (None, model_id):
                replaced.append((one.name, other.name))
                if not rebuild:
                    raise TetradError(
                        f"{store.folder} has paths that were made with network {found}; {model_id} was expected, which "
                        "plays; make them again with `tetrad grid build --rebuild`"
                    )
    n_there = len(files) * (len(files) - 1) // 2 - len(todo)
    return BuildPlan(files, tuple(todo), n_there, tuple(replaced))


def build_pairs(
    plan: BuildPlan,
    store: GridStore,
    *,
    workers: int | None = None,
    dask: str | None = None,
    on_pair: Callable[[PairPath, int], None],
) -> float:
    """Make the plan's paths and write each as it is done; `on_pair` gets it and its bytes on disk. Returns seconds.

    What is written stays whatever happens then. Raises TetradError: see `synth.jobs.run_jobs`.
    """

    def keep(index: int, path: PairPath) -> None:
        on_pair(path, store.write(path, MADE))

    began_s = time.perf_counter()
    run_jobs(make_path, pair_works(plan.files, plan.todo), on_result=keep, workers=workers, dask=dask)
    return time.perf_counter() - began_s


def pair_works(files: Mapping[str, Path], pairs: Iterable[tuple[str, str]]) -> Iterator[PairWork]:
    """One by one; the files of 48 instruments, which are kept, are some 10 MB."""
    read = functools.cache(lambda name: files[name].read_bytes())
    for first, second in pairs:
        yield PairWork(first, second, read(first), read(second))


def make_path(work: PairWork) -> PairPath:
    """The path of one pair, with the networks of this machine; see `synth.grid.compute`."""
    return pair_path(*instruments_of(work), *networks())


def instruments_of(work: PairWork) -> tuple[Instrument, Instrument]:
    """The two, read in a worker."""
    return _instrument(work.first, work.first_file), _instrument(work.second, work.second_file)


@functools.cache
def networks() -> tuple[Decoder, Encoder]:
    """Those of this machine, opened once in a process."""
    return Decoder(), Encoder()


def identify(path: Path) -> Identity:
    """Who an instrument is, from its file's description alone. Raises TetradError."""
    header = read_header(path)
    return Identity(str(header["name"]), content_hash(header), str(header["model_id"]))


def _model_of(path: Path) -> str | None:
    """Which networks made a file; None where there is none, or a damaged one, which is simply made again."""
    try:
        return str(read_pair_header(path)["model_id"])
    except (TetradError, FileNotFoundError):
        return None


@functools.lru_cache(_KEPT_INSTRUMENTS)
def _instrument(name: str, content: bytes) -> Instrument:
    """Read from the bytes of its file; a worker meets the same one many times in a row."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.tetrad-instrument"
        path.write_bytes(content)
        return read_instrument(path)
