"""What a sound font (SF2, SF3) says of its presets: names, keys, velocity layers. Not its sound.

Source: SoundFont Technical Specification 2.04 (Creative Technology, 2006), section 7, the nine tables called HYDRA.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from synth.errors import TetradError

MOST_TABLE_BYTES = 32 << 20
"""All tables of a font; those of the largest free General MIDI fonts have 3 MB."""
MOST_ZONES = 20_000
"""Of one preset, its instruments' counted each time; a piano with 16 layers of 88 keys in stereo has 2,816."""
_MOST_CHUNKS = 256
_KEY_RANGE, _VELOCITY_RANGE, _INSTRUMENT, _SAMPLE, _ROOT_KEY = 43, 44, 41, 53, 58
_TABLES: dict[bytes, list[tuple[str, str]]] = {
    b"phdr": [("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("reserved", "V12")],
    b"pbag": [("generator", "<u2"), ("modulator", "<u2")],
    b"pgen": [("kind", "<u2"), ("amount", "<u2")],
    b"inst": [("name", "S20"), ("bag", "<u2")],
    b"ibag": [("generator", "<u2"), ("modulator", "<u2")],
    b"igen": [("kind", "<u2"), ("amount", "<u2")],
    b"shdr": [
        ("name", "S20"),
        ("frames", "V20"),
        ("root", "u1"),
        ("correction", "i1"),
        ("link", "<u2"),
        ("type", "<u2"),
    ],
}
Table = npt.NDArray[Any]


@dataclass(frozen=True)
class Preset:
    name: str
    bank: int
    program: int

    def __str__(self) -> str:
        return f"{self.bank}:{self.program} {self.name}"


@dataclass(frozen=True)
class Zone:
    """Keys and velocities, lowest and highest, that one sample of a preset sounds for; `root` plays it as it is."""

    keys: tuple[int, int]
    velocities: tuple[int, int]
    root: int


@dataclass(frozen=True)
class SoundFont:
    """presets: by bank and program. author, licence: "" where the font does not say."""

    path: Path
    presets: tuple[Preset, ...]
    author: str
    licence: str
    _tables: dict[bytes, Table]
    _rows: dict[Preset, int]

    def zones(self, preset: Preset) -> list[Zone]:
        """Every sample of a preset with its range. Raises TetradError on a damaged or absurdly large preset."""
        try:
            return list(self._zones(self._rows[preset]))
        except IndexError as error:
            raise TetradError(
                f"{self.path}: its preset {preset} points outside the tables; fetch the file again"
            ) from error

    def _zones(self, row: int) -> Iterator[Zone]:
        count = 0
        for outer in _bags(self._tables, b"phdr", row):
            instrument = outer.get(_INSTRUMENT)
            if instrument is None:
                continue
            for inner in _bags(self._tables, b"inst", instrument):
                count += 1
                if count > MOST_ZONES:
                    raise TetradError(f"{self.path}: a preset has more than {MOST_ZONES:,} zones; take another")
                sample = inner.get(_SAMPLE)
                keys = _both(outer, inner, _KEY_RANGE)
                velocities = _both(outer, inner, _VELOCITY_RANGE)
                if sample is None or keys[0] > keys[1] or velocities[0] > velocities[1]:
                    continue
                root = inner.get(_ROOT_KEY, int(self._tables[b"shdr"]["root"][sample]))
                yield Zone(keys, velocities, root if root <= 127 else 60)  # 255 is the format's "no pitch"


def read_sound_font(path: Path) -> SoundFont:
    """The tables of an SF2 or SF3 file. Raises TetradError when it is none, or damaged."""
    if path.exists() and not path.is_file():  # opening a pipe that nobody writes to would wait for ever
        raise TetradError(f"{path} is not an ordinary file; expected a sound font (SF2 or SF3); name another")
    try:
        with path.open("rb") as file:
            texts, tables = _chunks(path, file, path.stat().st_size)
    except OSError as error:
        raise TetradError(f"{path} can't be read ({error.strerror}); expected a sound font (SF2 or SF3)") from error
    missing = sorted(name.decode() for name in _TABLES.keys() - tables.keys())
    if missing:
        raise TetradError(f"{path} lacks the tables {', '.join(missing)}; expected a whole sound font; fetch it again")
    rows: dict[Preset, int] = {}
    for row, header in enumerate(tables[b"phdr"][:-1]):  # the last is the end mark
        preset = Preset(_text(header["name"]), int(header["bank"]), int(header["program"]))
        if preset.bank <= 128 and preset.program <= 127:
            rows.setdefault(preset, row)
    if not rows:
        raise TetradError(f"{path} has no preset; expected a sound font with at least one")
    presets = tuple(sorted(rows, key=lambda preset: (preset.bank, preset.program)))
    return SoundFont(path, presets, texts.get(b"IENG", ""), texts.get(b"ICOP", ""), tables, rows)


def _chunks(path: Path, file: BinaryIO, size: int) -> tuple[dict[bytes, str], dict[bytes, Table]]:
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:12] != b"sfbk":
        raise TetradError(f"{path} begins with {head[:4]!r}; expected a sound font (SF2 or SF3)")
    texts: dict[bytes, str] = {}
    tables: dict[bytes, Table] = {}
    n_bytes = 0
    for _ in range(_MOST_CHUNKS):
        header = file.read(8)
        if len(header) < 8:
            break
        name, length = header[:4], struct.unpack("<I", header[4:])[0]
        if name == b"LIST":
            if file.read(4) == b"sdta":  # the samples: FluidSynth's business
                file.seek(length - 4 + length % 2, 1)
            continue  # of the others the members follow
        if file.tell() + length > size:
            raise TetradError(f"{path} breaks off in {name!r} at {size:,} bytes; fetch it again")
        if name in _TABLES:
            n_bytes += length
            dtype = np.dtype(_TABLES[name])
            if n_bytes > MOST_TABLE_BYTES or length % dtype.itemsize:
                raise TetradError(
                    f"{path}: its table {name.decode()} has {length:,} bytes, which can't be; fetch it again"
                )
            tables[name] = np.frombuffer(file.read(length), dtype)
        elif name in {b"IENG", b"ICOP"}:
            texts[name] = _text(file.read(min(length, 1024)))[:500]
            file.seek(max(length - 1024, 0), 1)
        else:
            file.seek(length, 1)
        file.seek(length % 2, 1)
    return texts, tables


def _bags(tables: dict[bytes, Table], kind: bytes, row: int) -> Iterator[dict[int, int]]:
    """Generators of each zone of a preset (b"phdr") or an instrument (b"inst"), the global zone's beneath them."""
    bags, generators, last = (b"pbag", b"pgen", _INSTRUMENT) if kind == b"phdr" else (b"ibag", b"igen", _SAMPLE)
    start, end = int(tables[kind]["bag"][row]), int(tables[kind]["bag"][row + 1])
    common: dict[int, int] = {}
    for bag in range(start, min(end, start + MOST_ZONES)):
        first, after = int(tables[bags]["generator"][bag]), int(tables[bags]["generator"][bag + 1])
        if after - first > 128:  # the format has 61 kinds, and each may come once
            raise IndexError
        own = {int(kind): int(amount) for kind, amount in tables[generators][first:after].tolist()}
        if bag == start and last not in own:
            common = own
        else:
            yield common | own


def _both(outer: dict[int, int], inner: dict[int, int], kind: int) -> tuple[int, int]:
    """Where two ranges overlap; a range is two bytes, the lowest first."""
    first, second = outer.get(kind, 0x7F00), inner.get(kind, 0x7F00)
    return max(first & 0xFF, second & 0xFF), min(first >> 8, second >> 8, 127)


def _text(data: bytes | Sequence[int]) -> str:
    text = bytes(data).split(b"\0", 1)[0].decode("latin-1")
    return "".join(char for char in text if char.isprintable()).strip()
