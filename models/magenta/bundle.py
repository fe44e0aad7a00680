"""TensorFlow checkpoints of the second format, read without TensorFlow.

A checkpoint PREFIX is the files `PREFIX.index`, a table (table.py) from a variable's name to where its values lie, and
`PREFIX.data-00000-of-0000N`, which hold the values one after the other. The table's values are protocol buffers
(messages.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt
from google.protobuf.message import DecodeError

from models.magenta.messages import parse
from models.magenta.table import MAGIC, DamagedError, read_table, unmask
from synth.errors import TetradError

MAX_INDEX_BYTES = 1 << 20
"""The index of NSynth's network with averages and Adam's slots, four times 374 variables, has 64 kB."""
MAX_SHARDS = 99_999
MAX_DIMENSIONS = 254
"""TensorFlow's own limit."""
FORMAT_VERSION = 1
DT_FLOAT = 1
_TYPE_NAMES = {
    1: "float32",
    2: "float64",
    3: "int32",
    7: "string",
    9: "int64",
    10: "bool",
    14: "bfloat16",
    19: "float16",
}


@dataclass(frozen=True)
class Entry:
    """Where one variable's values lie, as the index says it; `Bundle.read` is what checks it."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    masked_crc32c: int
    is_sliced: bool


@dataclass(frozen=True)
class Bundle:
    """An opened checkpoint: the names of its variables, and their values on demand."""

    prefix: Path
    n_shards: int
    entries: dict[str, Entry]

    def read(self, name: str) -> npt.NDArray[np.float32]:
        """The values of one variable; a TetradError names what is wrong with it."""
        entry = self.entries[name]
        if entry.is_sliced:
            raise self._error(f"has {name} in slices (a partitioned variable)", "save it in one piece")
        if entry.dtype != DT_FLOAT:
            raise self._error(
                f"has {name} as {_TYPE_NAMES.get(entry.dtype, f'type {entry.dtype}')}", "expected float32"
            )
        if min(entry.shape, default=0) < 0 or entry.size != 4 * math.prod(entry.shape):
            raise self._error(f"gives {name}, {list(entry.shape)}, {entry.size} bytes", "fetch the checkpoint again")
        if not 0 <= entry.shard < self.n_shards:
            raise self._error(f"has {name} in file {entry.shard} of {self.n_shards}", "fetch the checkpoint again")
        content = self._bytes(name, entry)
        if google_crc32c.value(content) != unmask(entry.masked_crc32c):
            raise self._error(f"has a wrong checksum for {name}", "fetch the checkpoint again")
        values = np.frombuffer(content, "<f4").reshape(entry.shape).astype(np.float32)
        if not np.isfinite(values).all():
            raise self._error(f"has values in {name} that are not numbers", "its training went astray; take another")
        return values

    def _bytes(self, name: str, entry: Entry) -> bytes:
        path = _with_suffix(self.prefix, f".data-{entry.shard:05d}-of-{self.n_shards:05d}")
        if not path.is_file():
            raise TetradError(f"{path} is missing; it belongs to {self.prefix}.index; put its files side by side")
        n_bytes = path.stat().st_size
        if entry.offset < 0 or entry.offset + entry.size > n_bytes:
            raise TetradError(
                f"{path} has {n_bytes} bytes, but {name} lies at {entry.offset} with {entry.size}; "
                "it is cut short or belongs to another checkpoint; fetch it again"
            )
        with path.open("rb") as file:
            file.seek(entry.offset)
            return file.read(entry.size)

    def _error(self, found: str, remedy: str) -> TetradError:
        return TetradError(f"checkpoint {self.prefix} {found}; {remedy}")


def open_bundle(prefix: Path) -> Bundle:
    """Read a checkpoint's index. `prefix` is what TensorFlow calls the checkpoint's path; its `.index` will do, too."""
    if prefix.suffix == ".index":
        prefix = prefix.with_suffix("")
    path = _with_suffix(prefix, ".index")
    if not path.is_file():
        raise TetradError(_why_no_index(prefix))
    n_bytes = path.stat().st_size
    if n_bytes > MAX_INDEX_BYTES:
        raise TetradError(
            f"{path} has {n_bytes} bytes; an index of at most {MAX_INDEX_BYTES} was expected; fetch it again"
        )
    try:
        table = read_table(path.read_bytes())
        n_shards = _n_shards(table.pop(b"", b""))
        # Keys with a leading zero byte are pieces of partitioned variables, which have an entry by their name as well.
        entries = {key.decode(): _entry(value) for key, value in table.items() if not key.startswith(b"\0")}
    except (DamagedError, UnicodeDecodeError, DecodeError) as error:
        said = str(error) if isinstance(error, DamagedError) else "has entries that are no descriptions of variables"
        raise TetradError(
            f"{path} {said}; the index of a TensorFlow checkpoint was expected; fetch it again"
        ) from error
    return Bundle(prefix, n_shards, entries)


def _with_suffix(prefix: Path, suffix: str) -> Path:
    """`prefix` with something appended; its own last dot, as in model.ckpt-200000, is part of its name."""
    return prefix.with_name(prefix.name + suffix) if prefix.name else prefix / suffix


def _why_no_index(prefix: Path) -> str:
    if prefix.is_dir():
        inside = sorted(path.stem for path in prefix.glob("*.index"))[:3]
        hint = f"name {' or '.join(str(prefix / name) for name in inside)}" if inside else "it holds none"
        return f"{prefix} is a directory; the prefix of a checkpoint was expected, as in model.ckpt-200000; {hint}"
    if prefix.is_file():
        with prefix.open("rb") as file:
            file.seek(max(prefix.stat().st_size - len(MAGIC), 0))
            if file.read() == MAGIC:
                return (
                    f"{prefix} is a checkpoint of TensorFlow's first format (one file); an .index file was expected; "
                    "restore and save it with TensorFlow 1.0 or later"
                )
        return f"{prefix} is not a checkpoint; the prefix of one was expected, as in model.ckpt-200000"
    return f"there is no {prefix}.index; the prefix of a TensorFlow checkpoint was expected, as in model.ckpt-200000"


def _n_shards(value: bytes) -> int:
    header: Any = parse("Header", value)
    if header.endianness != 0:
        raise DamagedError("was written on a big-endian machine, which is not read here")
    if header.version.min_consumer > FORMAT_VERSION:
        raise DamagedError(f"is of format {header.version.min_consumer}, newer than {FORMAT_VERSION}")
    if not 0 < header.num_shards <= MAX_SHARDS:
        raise DamagedError(f"has {header.num_shards} data files")
    return int(header.num_shards)


def _entry(value: bytes) -> Entry:
    entry: Any = parse("Entry", value)
    if len(entry.shape.dim) > MAX_DIMENSIONS:
        raise DamagedError(f"has a variable of {len(entry.shape.dim)} dimensions")
    return Entry(
        int(entry.dtype),
        tuple(int(dim.size) for dim in entry.shape.dim) if not entry.shape.unknown_rank else (-1,),
        int(entry.shard_id),
        int(entry.offset),
        int(entry.size),
        int(entry.crc32c),
        bool(entry.slices),
    )
