"""A small SoundFont 2 file with known content, written from the specification (2.04, sections 4 to 7).

A preset plays one of two looped tones of 440 Hz at key 69 (100 samples a period at 44 kHz): a sine of level 0.5 of full
scale, or a rich tone, which sounds like another instrument. It exists so that tests need no 150 MB download and know
what they must hear.
"""

import math
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SAMPLE_RATE_HZ = 44_000
PERIOD = 100  # samples: 440 Hz
LEVEL = 0.5
SINE, RICH = 0, 1
RICH_LEVELS = (0.3, 0.2, 0.15, 0.1, 0.1, 0.05)  # of the partials

_GEN_KEY_RANGE = 43
_GEN_INSTRUMENT = 41
_GEN_SAMPLE_ID = 53
_GEN_SAMPLE_MODES = 54
_GEN_RELEASE_VOLUME = 38


@dataclass(frozen=True)
class TestPreset:
    """A preset that sounds on the keys `lowest` to `highest`. `sample` is SINE or RICH."""

    __test__ = False  # not a test class

    bank: int
    number: int
    name: str
    lowest: int = 0
    highest: int = 127
    release_s: float = 0.1
    sample: int = SINE


DEFAULT_PRESETS = (
    TestPreset(0, 11, "Vibes"),  # keys 53..89
    TestPreset(0, 41, "Solo Viola", highest=70, sample=RICH),  # held out; silent above key 70
    TestPreset(0, 73, "Flute"),
    TestPreset(0, 120, "Fret Noise"),  # no pitched program
    TestPreset(16, 25, "Mandolin"),
    TestPreset(17, 73, "Flute Expr."),  # the same samples again
    TestPreset(128, 0, "Standard Kit"),
)


def write_sound_font(path: Path, presets: tuple[TestPreset, ...] = DEFAULT_PRESETS) -> None:
    """Write a complete SF2 file with these presets."""
    turns = 2 * np.pi * np.arange(40 * PERIOD) / PERIOD
    sine = LEVEL * np.sin(turns)
    rich = sum(level * np.sin(k * turns) for k, level in enumerate(RICH_LEVELS, start=1))
    tones = [np.round(32767 * tone).astype("<i2").tobytes() + bytes(2 * 46) for tone in (sine, rich)]
    info = (
        _chunk(b"ifil", struct.pack("<HH", 2, 4))
        + _chunk(b"isng", b"EMU8000\0")
        + _chunk(b"INAM", b"Test tones\0\0")
        + _chunk(b"ICOP", b"Nobody\0\0")
    )
    samples = _chunk(b"smpl", b"".join(tones))
    path.write_bytes(
        _chunk(b"RIFF", b"sfbk" + _list(b"INFO", info) + _list(b"sdta", samples) + _list(b"pdta", _hydra(presets)))
    )


def _hydra(presets: tuple[TestPreset, ...]) -> bytes:
    """The nine sub-chunks of pdta. Each preset has one zone; its instrument is that of the same index."""
    n = len(presets)
    phdr = b"".join(
        struct.pack("<20sHHHIII", p.name.encode(), p.number, p.bank, i, 0, 0, 0) for i, p in enumerate(presets)
    )
    phdr += struct.pack("<20sHHHIII", b"EOP", 0, 0, n, 0, 0, 0)
    pbag = b"".join(struct.pack("<HH", 2 * i, 0) for i in range(n + 1))
    pgen = b"".join(
        struct.pack("<HBB", _GEN_KEY_RANGE, p.lowest, p.highest) + struct.pack("<HH", _GEN_INSTRUMENT, i)
        for i, p in enumerate(presets)
    ) + bytes(4)
    inst = b"".join(struct.pack("<20sH", p.name.encode(), i) for i, p in enumerate(presets)) + struct.pack(
        "<20sH", b"EOI", n
    )
    ibag = b"".join(struct.pack("<HH", 3 * i, 0) for i in range(n + 1))
    igen = b"".join(
        struct.pack("<Hh", _GEN_RELEASE_VOLUME, round(1200 * math.log2(p.release_s)))
        + struct.pack("<HhHh", _GEN_SAMPLE_MODES, 1, _GEN_SAMPLE_ID, p.sample)
        for p in presets
    ) + bytes(4)
    starts = {b"sine": 0, b"rich": 40 * PERIOD + 46}
    shdr = b"".join(
        struct.pack(
            "<20sIIIIIBbHH",
            *(name, at, at + 40 * PERIOD, at + 10 * PERIOD, at + 30 * PERIOD, SAMPLE_RATE_HZ, 69, 0, 0, 1),
        )
        for name, at in starts.items()
    ) + struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)
    no_modulators = bytes(10)
    parts = {
        b"phdr": phdr,
        b"pbag": pbag,
        b"pmod": no_modulators,
        b"pgen": pgen,
        b"inst": inst,
        b"ibag": ibag,
        b"imod": no_modulators,
        b"igen": igen,
        b"shdr": shdr,
    }
    return b"".join(_chunk(name, body) for name, body in parts.items())


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def _list(kind: bytes, body: bytes) -> bytes:
    return _chunk(b"LIST", kind + body)
