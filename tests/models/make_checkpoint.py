"""Write TensorFlow checkpoints byte by byte, right and wrong ones; only the CRC is shared with what reads them."""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import google_crc32c
import numpy as np
import numpy.typing as npt

TYPES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "float16": 19}


def varint(value: int) -> bytes:
    """Seven bits to a byte, lowest first; a negative number as 64 bits, as protocol buffers have it."""
    value &= (1 << 64) - 1
    groups = []
    while True:
        value, low = value >> 7, value & 0x7F
        groups.append(low | (0x80 if value else 0))
        if not value:
            return bytes(groups)


def number(tag: int, value: int) -> bytes:
    """A protocol buffer's integer field."""
    return varint(tag << 3) + varint(value)


def message(tag: int, content: bytes) -> bytes:
    """A protocol buffer's field of bytes or another message."""
    return varint(tag << 3 | 2) + varint(len(content)) + content


def masked_crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def block(items: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Entries that share nothing with the key before but for every second, and one restart point per two of them."""
    content, restarts, before = b"", [], None
    for key, value in items:
        shared = 0
        if before is None:
            restarts.append(len(content))
        else:
            while shared < min(len(key), len(before)) and key[shared] == before[shared]:
                shared += 1
        content += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key if before is None else None
    return content + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))


def table_of_blocks(blocks: Iterable[bytes], compression: int = 0) -> bytes:
    """A table file of finished blocks; the index names each block by its number."""
    data, handles = b"", []
    for i, content in enumerate(blocks):
        handles.append((b"%06d" % i, varint(len(data)) + varint(len(content))))
        data += _with_trailer(content, compression)
    meta = varint(len(data)) + varint(len(block([])))
    data += _with_trailer(block([]), 0)
    index = block(handles)
    footer = meta + varint(len(data)) + varint(len(index))
    return data + _with_trailer(index, 0) + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def table(items: Mapping[bytes, bytes], per_block: int = 5) -> bytes:
    """A table file of `items`, sorted, with at most `per_block` of them in a block."""
    listed = sorted(items.items())
    return table_of_blocks(block(listed[i : i + per_block]) for i in range(0, len(listed), per_block))


def _with_trailer(content: bytes, compression: int) -> bytes:
    content += bytes([compression])
    return content + masked_crc(content)


@dataclass
class Checkpoint:
    """What to write: the values, and what the index shall say otherwise than the truth."""

    values: dict[str, npt.NDArray[np.generic]]
    n_shards: int = 1
    header: bytes | None = None
    fields: dict[str, bytes] = field(default_factory=dict)
    """Protocol buffer fields to add to a variable's entry; of a field that is there twice, the last one counts."""

    def write(self, prefix: Path) -> Path:
        """Write the index and the data files, variables dealt out to the files in turn. Returns `prefix`."""
        shards = [b""] * self.n_shards
        items = {b"": number(1, self.n_shards) + message(3, number(1, 1)) if self.header is None else self.header}
        for i, (name, value) in enumerate(self.values.items()):
            shard, content = i % self.n_shards, value.tobytes()
            shape = b"".join(message(2, number(1, size)) for size in value.shape)
            entry = number(1, TYPES[value.dtype.name]) + message(2, shape) + number(3, shard)
            entry += number(4, len(shards[shard])) + number(5, len(content)) + b"\x35" + masked_crc(content)
            items[name.encode()] = entry + self.fields.get(name, b"")
            shards[shard] += content
        prefix.parent.mkdir(parents=True, exist_ok=True)
        prefix.with_name(f"{prefix.name}.index").write_bytes(table(items))
        for shard, content in enumerate(shards):
            prefix.with_name(f"{prefix.name}.data-{shard:05d}-of-{self.n_shards:05d}").write_bytes(content)
        return prefix
