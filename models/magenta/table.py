"""A sorted table of byte strings: the file format of a TensorFlow checkpoint's index, which LevelDB defined.

    file    blocks ..., each followed by its compression (1 byte) and masked CRC-32C (4 bytes)
            footer of 48 bytes: handles of the meta block and of the index block, zeros, magic number (8 bytes)
    handle  offset and size of a block, two varints
    block   entries ..., offsets of the restart points (4 bytes each), their number (4 bytes)
    entry   length shared with the key before, length of the rest, length of the value: varints; rest; value

The values of the index block are the handles of the blocks that hold the table. (LevelDB, doc/table_format.md.)
All numbers are little-endian. Nothing in the file is believed before it is checked.
"""

from __future__ import annotations

from collections.abc import Iterator

import google_crc32c

MAGIC = bytes.fromhex("57fb808b247547db")
FOOTER_BYTES = 48
TRAILER_BYTES = 5
MAX_KEY_BYTES = 1024
"""NSynth's longest name has 42 bytes. Keys share their beginnings, so that a small file could hold huge ones."""
_MAX_VARINT_BYTES = 10


class DamagedError(Exception):
    """What is wrong with the bytes, as the end of a sentence that begins with the file's name."""


def read_table(data: bytes) -> dict[bytes, bytes]:
    """The whole content of a table file, in the order of its keys. Raises DamagedError."""
    if data[-len(MAGIC) :] != MAGIC or len(data) < FOOTER_BYTES:
        raise DamagedError("does not end as an index does (it is cut short, or is something else)")
    footer = data[-FOOTER_BYTES:]
    _, _, position = _handle(footer, 0)  # of the meta block, which TensorFlow leaves empty
    offset, size, _ = _handle(footer, position)
    content: dict[bytes, bytes] = {}
    last = None
    for _, handle in _entries(_block(data, offset, size)):
        offset, size, _ = _handle(handle, 0)
        for key, value in _entries(_block(data, offset, size)):
            # A table may not say the same twice; this also ends a file whose handles all name one block.
            if last is not None and key <= last:
                raise DamagedError("has its keys out of order")
            content[key] = value
            last = key
    return content


def unmask(masked: int) -> int:
    """A CRC-32C as it was before it was stored; LevelDB turns and shifts it, since data may hold CRCs themselves."""
    turned = (masked - 0xA282EAD8) & 0xFFFFFFFF
    return (turned >> 17 | turned << 15) & 0xFFFFFFFF


def _block(data: bytes, offset: int, size: int) -> bytes:
    if offset + size + TRAILER_BYTES > len(data) - FOOTER_BYTES:
        raise DamagedError(f"names a block of {size} bytes at {offset}, past its end")
    block, compression = data[offset : offset + size], data[offset + size]
    stored = int.from_bytes(data[offset + size + 1 : offset + size + TRAILER_BYTES], "little")
    if google_crc32c.value(data[offset : offset + size + 1]) != unmask(stored):
        raise DamagedError(f"has a wrong checksum for the block at {offset}")
    if compression != 0:
        raise DamagedError(f"holds a compressed block (kind {compression}), which TensorFlow does not write")
    return block


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    n_restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (n_restarts + 1)
    if end < 0:
        raise DamagedError(f"has a block of {len(block)} bytes with {n_restarts} restart points")
    position, key = 0, b""
    while position < end:
        shared, position = _varint(block, position)
        n_rest, position = _varint(block, position)
        n_value, position = _varint(block, position)
        if shared > len(key) or shared + n_rest > MAX_KEY_BYTES or position + n_rest + n_value > end:
            raise DamagedError(f"has an entry that does not fit its block (byte {position})")
        key = key[:shared] + block[position : position + n_rest]
        position += n_rest
        yield key, block[position : position + n_value]
        position += n_value


def _handle(data: bytes, position: int) -> tuple[int, int, int]:
    """Offset and size of a block, and the position after the handle."""
    offset, position = _varint(data, position)
    size, position = _varint(data, position)
    return offset, size, position


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number in groups of seven bits, lowest first, and the position after it."""
    value = 0
    for i, byte in enumerate(data[position : position + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            return value, position + i + 1
    raise DamagedError(f"has a number that does not end (byte {position} of a block)")
