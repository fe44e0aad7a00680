"""Zip archives from strangers: no more is read or decompressed than was asked for.

`zipfile` believes what an archive says of itself: of a member packed by LZMA it unpacks all that there is, whatever
size is declared (75 KB made 640 MB of memory), and it makes an object for each of any number of members.
"""

from __future__ import annotations

import lzma
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MOST_BYTES = 256 * 1024 * 1024
"""Of an archive: 512 notes of a minute, as an instrument may hold at most, are 110 MB before they are compressed."""
_MOST_DIRECTORY_BYTES = 16 * 1024
"""An instrument has at most 7 members, which take 450 bytes."""
_END = struct.Struct("<4s4H2LH")
_END_MARK, _ZIP64_MARK, _LOCAL_MARK = b"PK\x05\x06", b"PK\x06\x07", b"PK\x03\x04"
_ZIP64_LOCATOR_BYTES = 20
_LOCAL = struct.Struct("<4s5H3L2H")
_LZMA_HEAD_BYTES = 4
_LZMA_MEMORY_BYTES = 64 * 1024 * 1024
"""For the dictionary, whose size is the archive's choice, up to 4 GB; xz's highest preset takes 64 MiB, ours 8."""


@contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """A regular file's archive, without a comment. Raises OSError, BadZipFile, NotImplementedError or ValueError."""
    # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("not an ordinary file")
        if status.st_size > MOST_BYTES:
            raise ValueError(f"larger than {MOST_BYTES // 2**20} MiB")
        file.seek(max(status.st_size - _END.size - _ZIP64_LOCATOR_BYTES, 0))
        tail = file.read(_END.size + _ZIP64_LOCATOR_BYTES)
        if len(tail) < _END.size or tail.startswith(_ZIP64_MARK):
            raise zipfile.BadZipFile("no end of an archive")
        mark, *_, directory_bytes, _, comment_bytes = _END.unpack(tail[-_END.size :])
        if mark != _END_MARK or comment_bytes or directory_bytes > _MOST_DIRECTORY_BYTES:
            raise zipfile.BadZipFile("no end of an archive, or too large a directory")
        with zipfile.ZipFile(file) as archive:
            yield archive


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The bytes of a member, exactly as many as it declares. Raises ValueError, lzma.LZMAError or zlib.error."""
    file = archive.fp
    assert file is not None
    file.seek(info.header_offset)
    head = file.read(_LOCAL.size)
    if len(head) < _LOCAL.size or not head.startswith(_LOCAL_MARK) or info.flag_bits & 1:
        raise ValueError("not where the directory says, or encrypted")
    *_, name_bytes, extra_bytes = _LOCAL.unpack(head)
    file.seek(name_bytes + extra_bytes, os.SEEK_CUR)
    data = _unpacked(file.read(min(info.compress_size, MOST_BYTES)), info)
    if len(data) != info.file_size or zlib.crc32(data) != info.CRC:
        raise ValueError("not of its size, or its CRC-32 is wrong")
    return data


def _unpacked(packed: bytes, info: zipfile.ZipInfo) -> bytes:
    """At most a byte more than is declared, which tells that it is too much."""
    most = info.file_size + 1
    match info.compress_type:
        case zipfile.ZIP_STORED:
            return packed
        case zipfile.ZIP_DEFLATED:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, most)
        case zipfile.ZIP_LZMA:
            # The five bytes of properties, then what the older format .lzma has and a zip has not: the size, unknown.
            properties = packed[_LZMA_HEAD_BYTES : _LZMA_HEAD_BYTES + 5]
            alone = properties + b"\xff" * 8 + packed[_LZMA_HEAD_BYTES + 5 :]
            return lzma.LZMADecompressor(lzma.FORMAT_ALONE, _LZMA_MEMORY_BYTES).decompress(alone, most)
        case other:
            raise ValueError(f"compressed by method {other}")
