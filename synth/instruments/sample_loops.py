"""What a sampler once wrote into a WAV or FLAC file: the loop and the key (the `smpl` chunk)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

_MOST_CHUNKS = 256
_SMPL = struct.Struct("<9I")
"""Manufacturer, product, sample period, unity note, pitch fraction, SMPTE format and offset, loops, data's size."""
_LOOP = struct.Struct("<6I")
"""Name, type (0 forward, 1 back and forth, 2 backward), first sample, last sample, fraction, play count."""


class SampleWord(NamedTuple):
    """loop: first sample and the first after it. keycenter: MIDI key. None where the file does not say."""

    loop: tuple[int, int] | None = None
    keycenter: int | None = None


def sample_word(path: Path) -> SampleWord:
    """Loop and key of a WAV, or of a FLAC that has kept its WAV's chunks (`flac --keep-foreign-metadata`); empty for
    other files, for damaged ones (whoever reads the sound will say so) and where the file has none.

    Source: `smpl` in Multimedia Data Standards Update, April 15, 1994 (Microsoft).
    """
    try:
        with path.open("rb") as file:
            chunk = _smpl_chunk(file)
    except OSError:
        return SampleWord()
    if chunk is None or len(chunk) < _SMPL.size:
        return SampleWord()
    fields = _SMPL.unpack_from(chunk)
    keycenter = fields[3] if 0 < fields[3] <= 127 else None  # 0 is what writers without an idea of the key leave
    if fields[7] == 0 or len(chunk) < _SMPL.size + _LOOP.size:
        return SampleWord(None, keycenter)
    _, _, start, last, _, _ = _LOOP.unpack_from(chunk, _SMPL.size)
    return SampleWord((start, last + 1) if start < last else None, keycenter)


def _smpl_chunk(file: BinaryIO) -> bytes | None:
    head = file.read(12)
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return _riff(file)
    if head[:4] == b"fLaC":
        return _flac(file)
    return None


def _riff(file: BinaryIO) -> bytes | None:
    for _ in range(_MOST_CHUNKS):
        header = file.read(8)
        if len(header) < 8:
            return None
        size = struct.unpack("<I", header[4:])[0]
        if header[:4] == b"smpl":
            return file.read(min(size, _SMPL.size + _LOOP.size))
        file.seek(size + size % 2, 1)
    return None


def _flac(file: BinaryIO) -> bytes | None:
    file.seek(4)
    for _ in range(_MOST_CHUNKS):
        header = file.read(4)
        if len(header) < 4:
            return None
        size = int.from_bytes(header[1:], "big")
        if header[0] & 0x7F == 2 and size >= 12:  # an application's block; "riff" is one chunk of the WAV
            block = file.read(12)
            if block[:8] == b"riffsmpl":
                return file.read(min(size - 12, _SMPL.size + _LOOP.size))
            file.seek(size - 12, 1)
        else:
            file.seek(size, 1)
        if header[0] & 0x80:
            return None
    return None
