"""The files of other people's networks and data sets, for `format_fuzz`.

Safetensors and TensorFlow's checkpoints, sound fonts as `tetrad model data` reads them. ONNX graphs
are read by ONNX Runtime, and only those that are installed."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.import_parsers import Case, sound_font
from benchmarks.mutation import mutated, mutated_text
from models.dataset.soundfont import read_sound_font
from models.magenta.bundle import open_bundle
from models.safetensors_file import read_safetensors
from tests.models.make_checkpoint import Checkpoint, block, table_of_blocks

_SAFE_WORDS = (
    "[",
    "{",
    "}",
    "[" * 2000,
    "F32",
    "BF16",
    "F64",
    "-1",
    "9" * 30,
    "1e9",
    '"data_offsets"',
    "null",
    '"\\ud800"',
)


def safetensors(chance: random.Random, folder: Path) -> Case:
    """A header whose length is right in half of the cases, and weights."""
    header = {"__metadata__": {"format": "test", "version": "1", "config": "{}"}}
    tensors = {f"w{i}": {"dtype": "F32", "shape": [4, 2], "data_offsets": [32 * i, 32 * i + 32]} for i in range(3)}
    text = json.dumps(header | tensors)
    body = np.arange(24, dtype="<f4").tobytes()
    if chance.random() < 0.6:
        text = mutated_text(text, chance, _SAFE_WORDS)
    encoded = text.encode("utf-8", "replace")
    data = struct.pack("<Q", len(encoded)) + encoded + body
    if chance.random() < 0.5:
        data = mutated(data, chance, head=16)
    (folder / "x.safetensors").write_bytes(data)

    def read() -> None:
        read_safetensors(folder / "x.safetensors", "test", 1)

    return read


@cache
def _entries() -> tuple[tuple[str, bytes], ...]:
    """Of an index, keys and protocol buffers, as `Checkpoint` writes them."""
    field = b"\x08\x01\x12\x08\x12\x02\x08\x04\x12\x02\x08\x02\x28\x20\x35\x00\x00\x00\x00"
    return ("", b"\x08\x01\x1a\x02\x08\x01"), ("a", field), ("b/c", field), ("b/d", field)


def checkpoints(chance: random.Random, folder: Path) -> Case:
    """An index whose blocks have right checksums and spoilt content, or the files' bytes spoilt."""
    values = {name: np.arange(8, dtype=np.float32).reshape(4, 2) for name in ("a", "b/c", "b/d")}
    prefix = Checkpoint(dict(values), n_shards=2).write(folder / "m.ckpt")
    index = folder / "m.ckpt.index"
    match chance.randrange(3):
        case 0:
            items = [(key.encode(), mutated(value, chance, head=8)) for key, value in _entries()]
            content = block(items)
            index.write_bytes(table_of_blocks([mutated(content, chance) if chance.random() < 0.5 else content]))
        case 1:
            fields = {chance.choice(list(values)): chance.randbytes(chance.randrange(1, 12))}
            Checkpoint(dict(values), n_shards=2, fields=fields).write(prefix)
        case _:
            path = chance.choice(sorted(folder.iterdir()))
            path.write_bytes(mutated(path.read_bytes(), chance, head=40))

    def read() -> None:
        bundle = open_bundle(prefix)
        for name in list(bundle.entries)[:5]:
            bundle.read(name)

    return read


def data_fonts(chance: random.Random, folder: Path) -> Case:
    data = sound_font()
    tables = max(data.find(b"pdta"), 0)
    spoilt = data[:tables] + mutated(data[tables:], chance) if chance.random() < 0.6 else mutated(data, chance)
    (folder / "x.sf2").write_bytes(spoilt)

    def read() -> None:
        read_sound_font(folder / "x.sf2")

    return read


PARSERS: dict[str, Callable[[random.Random, Path], Case]] = {
    "safetensors": safetensors,
    "checkpoints": checkpoints,
    "data_fonts": data_fonts,
}
