"""What `import_fuzz` feeds: every parser of foreign files, with seeds and a way to spoil them.

A case is laid out in a folder of its own, and returns what reads it. Beside that folder lies `outside.wav`, which
nothing may open.
"""

from __future__ import annotations

import io
import json
import os
import random
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.mutation import mutated, mutated_text
from synth.errors import TetradError
from synth.instruments.format import SUFFIX, read_instrument
from synth.instruments.notes import Finding
from synth.instruments.sources import find
from synth.paths import shipped_instruments_dir

Case = Callable[[], None]
OUTSIDE = "outside.wav"
PLAYED_FONTS = 400
"""One mutated font in so many is played: that starts a process."""
_KINDS = (
    ("wav", "PCM_16"), ("wav", "PCM_U8"), ("wav", "FLOAT"), ("wav", "IMA_ADPCM"), ("aiff", "PCM_24"),
    ("flac", "PCM_16"), ("ogg", "VORBIS"), ("ogg", "OPUS"), ("mp3", "MPEG_LAYER_III"),
)  # fmt: skip
_NAME_PIECES = (
    *"ABCDEFGabcdefg0123456789-_ #.()", "rr", "v", "ff", "mf", "pp", "piano", "forte", "60", "127", "C4", "Db3", "♯",
    "²", "٣", "ä", "take", "vel", "layer", "-1", "bpm", "999", "0" * 90,
)  # fmt: skip
_SFZ = """// a library
<control> default_path=samples/ note_offset=0 octave_offset=0
#define $KEY 60
#include "more.sfz"
<global> ampeg_release=0.5 volume=-3
<master> tune=5
<group> lovel=1 hivel=64 seq_length=2 seq_position=1
<region> sample=a.wav lokey=$KEY hikey=c5 pitch_keycenter=60 loop_mode=loop_continuous loop_start=100 loop_end=2000
<region> sample=b\\b.wav key=f#3 offset=10 end=3000 transpose=-12 amplitude=50
<group> trigger=release
<region> sample=a.wav key=40 pitch_keytrack=0 locc64=0 hicc64=63
<region> sample=*sine key=41
"""
_SFZ_WORDS = (
    "<region>", "<group>", "<control>", "sample=", "sample=../outside.wav", "default_path=../", "default_path=/",
    '#include "more.sfz"', '#include "test.sfz"', '#include "../outside.wav"', "#define $A $A", "$KEY", "loop_start=",
    "end=", "offset=", "tune=", "lovel=", "sw_last=", "/*", "*/", "//", "\r", "hikey=-1", "volume=1e9", "key=",
    "note_offset=99999999999",
)  # fmt: skip
_JSON_WORDS = (
    '"pitch"',
    "{",
    "}",
    "[",
    "null",
    "true",
    "1e999",
    "-1",
    '"../outside"',
    '"instrument_str": "b"',
    '"\\ud800"',
    ",",
    ":",
)


@cache
def _sound(suffix: str = "wav", subtype: str = "PCM_16") -> bytes:
    """A fifth of a second of a decaying tone in stereo, 16 kHz (Opus wants 48)."""
    rate_hz = 48_000 if subtype == "OPUS" else 16_000
    time_s = np.arange(rate_hz // 5) / rate_hz
    tone = 0.4 * np.exp(-time_s / 0.1) * np.sin(2.0 * np.pi * 440.0 * time_s)
    buffer = io.BytesIO()
    soundfile.write(buffer, np.stack([tone, 0.5 * tone], axis=1), rate_hz, format=suffix.upper(), subtype=subtype)
    return buffer.getvalue()


def _read_some(finding: Finding) -> None:
    """The first notes, as listening would. One that can't be read is refused, which is as good."""
    for note in finding.notes[:3]:
        try:
            raw = note.read()
        except TetradError:
            continue
        assert raw.samples.ndim == 2
        assert raw.samples.dtype == np.float32
        assert raw.rate_hz >= 1000


def audio(chance: random.Random, folder: Path) -> Case:
    suffix, subtype = chance.choice(_KINDS)
    path = folder / f"x_60.{suffix}"
    path.write_bytes(mutated(_sound(suffix, subtype), chance))
    cut = chance.choice((None, True, False))
    return lambda: _read_some(find(path, cut=cut))


def names(chance: random.Random, folder: Path) -> Case:
    """Good files under any names, in folders too."""
    good = folder.parent / "good.wav"
    good.write_bytes(_sound())
    for _ in range(chance.randrange(1, 7)):
        name = "".join(chance.choices(_NAME_PIECES, k=chance.randrange(1, 12)))[:200]
        inside = folder / chance.choice(("", "", "ff", "v2", "C4")) / f"{name}.wav"
        inside.parent.mkdir(exist_ok=True)
        if not inside.exists():
            os.link(good, inside)
    return lambda: _read_some(find(folder))


def folders(chance: random.Random, folder: Path) -> Case:
    """Good and spoilt files, links, pipes."""
    for key in range(60, 60 + chance.randrange(1, 6)):
        path = folder / chance.choice(("", "", "sub")) / f"x_{key}.{chance.choice(('wav', 'flac', 'mp3'))}"
        path.parent.mkdir(exist_ok=True)
        match chance.randrange(8):
            case 0:
                path.symlink_to(folder.parent / OUTSIDE)
            case 1:
                path.symlink_to(chance.choice((".", "..", path.name, "/", "/dev/zero")))
            case 2:
                os.mkfifo(path)
            case 3:
                path.mkdir()
            case 4:
                path.write_bytes(chance.choice((b"", b"text", bytes(100), _sound()[:50])))
            case _:
                path.write_bytes(mutated(_sound(), chance))
    return lambda: _read_some(find(folder, instrument=chance.choice((None, None, "x", "y"))))


def note_sets(chance: random.Random, folder: Path) -> Case:
    entry = {"pitch": 60, "velocity": 100, "instrument_str": "a", "instrument_family_str": "reed", "qualities": [0, 1]}
    text = json.dumps({f"a-{key:03d}-100": {**entry, "pitch": key} for key in (60, 64, 67)})
    content = mutated_text(text, chance, _JSON_WORDS).encode("utf-8", "replace")
    if chance.random() < 0.2:
        content = mutated(content, chance)
    (folder / "examples.json").write_bytes(content)
    (folder / "audio").mkdir()
    for key in (60, 64):
        (folder / "audio" / f"a-{key:03d}-100.wav").write_bytes(_sound())
    (folder / "audio" / "a-067-100.flac").symlink_to(folder.parent / OUTSIDE)
    return lambda: _read_some(find(folder, instrument=chance.choice((None, "a"))))


def sfz(chance: random.Random, folder: Path) -> Case:
    (folder / "samples" / "b").mkdir(parents=True)
    for name in ("samples/a.wav", "samples/b/b.wav"):
        (folder / name).write_bytes(_sound() if chance.random() < 0.8 else mutated(_sound(), chance))
    (folder / "more.sfz").write_text(
        mutated_text("<region> sample=a.wav key=30\n", chance, _SFZ_WORDS), "utf-8", "replace"
    )
    path = folder / "test.sfz"
    content = mutated_text(_SFZ, chance, _SFZ_WORDS).encode("utf-8", "replace")
    path.write_bytes(mutated(content, chance, head=len(content)) if chance.random() < 0.3 else content)
    return lambda: _read_some(find(path))


@cache
def sound_font() -> bytes:
    from tests.synth.instruments.make_sound_font import MadeZone, write_sound_font

    zones = [MadeZone((36, 60), 48), MadeZone((61, 96), 72, (0, 63)), MadeZone((61, 96), 72, (64, 127))]
    path = Path(f"seed-{os.getpid()}.sf2")
    try:
        write_sound_font(path, {("Test", 0, 0): zones, ("Kit", 128, 0): zones[:1]})
        return path.read_bytes()
    finally:
        path.unlink(missing_ok=True)


def fonts(chance: random.Random, folder: Path) -> Case:
    path = folder / "font.sf2"
    data = sound_font()
    tables = max(data.find(b"pdta"), 0)  # headers are at the end
    if chance.random() < 0.7:
        path.write_bytes(data[:tables] + mutated(data[tables:], chance))
    else:
        path.write_bytes(mutated(data, chance))
    wanted = chance.choice((None, "Test", "Kit", "0:0", "128:0", "9:9"))
    played = chance.randrange(PLAYED_FONTS) == 0

    def read() -> None:
        finding = find(path, preset=wanted)
        if played:
            _read_some(finding)

    return read


@cache
def instrument_bytes() -> bytes:
    return min((p.read_bytes() for p in shipped_instruments_dir().glob(f"*{SUFFIX}")), key=len)


def instruments(chance: random.Random, folder: Path) -> Case:
    path = folder / f"x{SUFFIX}"
    content = instrument_bytes()
    path.write_bytes(
        mutated(content, chance, head=len(content)) if chance.random() < 0.3 else _repacked(content, chance)
    )
    return lambda: discard(read_instrument(path))


@cache
def instrument_members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _repacked(content: bytes, chance: random.Random) -> bytes:
    """An archive whose checksums are right, and one of its members spoilt."""
    buffer = io.BytesIO()
    members = instrument_members(content)
    chosen = chance.choice(list(members))
    with zipfile.ZipFile(buffer, "w") as spoilt:
        for name, data in members.items():
            # Packing all of them takes 0.15 s, and their readers see them unpacked.
            method = zipfile.ZIP_LZMA if name == chosen and chance.random() < 0.3 else zipfile.ZIP_STORED
            spoilt.writestr(name, mutated(data, chance, head=len(data)) if name == chosen else data, method)
    return buffer.getvalue()


def discard(_: object) -> None:
    """What a reader gave: it was read, and that is all."""


PARSERS: dict[str, Callable[[random.Random, Path], Case]] = {
    "audio": audio,
    "names": names,
    "folders": folders,
    "note_sets": note_sets,
    "sfz": sfz,
    "fonts": fonts,
    "instruments": instruments,
}
