"""Writes a small sound font: each preset a list of zones, each zone a looped sine of its own."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

RATE_HZ = 32_000


class MadeZone(NamedTuple):
    """A sine at `root`'s pitch, amplitude 0..1, for keys and velocities (lowest, highest)."""

    keys: tuple[int, int]
    root: int
    velocities: tuple[int, int] = (0, 127)
    amplitude: float = 0.5


def write_sound_font(
    path: Path, presets: Mapping[tuple[str, int, int], Sequence[MadeZone]], copyright_: str = ""
) -> Path:
    """presets: zones by (name, bank, program)."""
    samples: list[np.ndarray] = []
    phdr: list[bytes] = []
    pbag: list[bytes] = []
    pgen: list[bytes] = []
    inst: list[bytes] = []
    ibag: list[bytes] = []
    igen: list[bytes] = []
    headers: list[bytes] = []
    position = 0
    for (name, bank, program), zones in presets.items():
        phdr.append(struct.pack("<20sHHH12x", name.encode("latin-1"), program, bank, len(pbag)))
        pbag.append(struct.pack("<HH", len(pgen), 0))
        pgen.append(struct.pack("<HH", 41, len(inst)))
        inst.append(struct.pack("<20sH", name.encode("latin-1"), len(ibag)))
        for zone in zones:
            frequency_hz = 440.0 * 2.0 ** ((zone.root - 69) / 12.0)
            period = RATE_HZ / frequency_hz
            n = round(round(4000 / period) * period)  # whole periods, so that the loop is a sine still
            wave = zone.amplitude * np.sin(2.0 * np.pi * frequency_hz * np.arange(n + 16) / RATE_HZ)
            samples.append(np.concatenate([wave, np.zeros(46)]))
            ibag.append(struct.pack("<HH", len(igen), 0))
            igen += [
                struct.pack("<HBB", 43, *zone.keys),
                struct.pack("<HBB", 44, *zone.velocities),
                struct.pack("<HH", 54, 1),  # looped
                struct.pack("<HH", 53, len(headers)),
            ]
            headers.append(
                struct.pack(
                    "<20sIIIIIBbHH",
                    b"s",
                    position,
                    position + n + 16,
                    position + 8,
                    position + 8 + n,
                    RATE_HZ,
                    zone.root,
                    0,
                    0,
                    1,
                )
            )
            position += n + 16 + 46
    phdr.append(struct.pack("<20sHHH12x", b"EOP", 0, 0, len(pbag)))
    pbag.append(struct.pack("<HH", len(pgen), 0))
    inst.append(struct.pack("<20sH", b"EOI", len(ibag)))
    ibag.append(struct.pack("<HH", len(igen), 0))
    headers.append(struct.pack("<20s26x", b"EOS"))
    pcm = (np.concatenate(samples) * 32767).astype("<i2").tobytes()
    tables = {
        b"phdr": phdr, b"pbag": pbag, b"pmod": [bytes(10)], b"pgen": [*pgen, bytes(4)], b"inst": inst,
        b"ibag": ibag, b"imod": [bytes(10)], b"igen": [*igen, bytes(4)], b"shdr": headers,
    }  # fmt: skip
    information = (
        _chunk(b"ifil", struct.pack("<HH", 2, 1)) + _chunk(b"isng", b"EMU8000\0") + _chunk(b"INAM", b"Made\0\0")
    )
    if copyright_:
        information += _chunk(b"ICOP", copyright_.encode("latin-1") + b"\0")
    body = (
        _chunk(b"LIST", b"INFO" + information)
        + _chunk(b"LIST", b"sdta" + _chunk(b"smpl", pcm))
        + _chunk(b"LIST", b"pdta" + b"".join(_chunk(name, b"".join(rows)) for name, rows in tables.items()))
    )
    path.write_bytes(_chunk(b"RIFF", b"sfbk" + body))
    return path


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
