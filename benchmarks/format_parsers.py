"""What `format_fuzz` feeds: every reader of a file, a socket or a wire in Tetrad, with good content spoilt.

The readers of sounds (audio, names, folders, note sets, SFZ, sound fonts, instruments) are those of `import_parsers`;
here are the device's documents and archives. `format_parsers_models` has the networks' files, `format_parsers_wires`
what comes over wires.
"""

from __future__ import annotations

import io
import json
import random
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import mido
import numpy as np

from benchmarks import format_parsers_models, format_parsers_wires, import_parsers
from benchmarks.import_fuzz import LIBRARY
from benchmarks.import_parsers import Case, discard
from benchmarks.mutation import mutated, mutated_text
from benchmarks.spoilt import NUMBERS, lay_out, spoilt_json
from firmware_host.settings import read_settings as read_board_settings
from synth.control.patch import read_patch
from synth.control.patch_bank import PatchBank, shipped_patches_dir
from synth.control.patch_index import read_index
from synth.control.scala import read_tuning
from synth.grid.pair_file import read_pair, write_pair
from synth.instruments.format import SUFFIX, read_instrument
from synth.instruments.labels import FILE_NAME, read_labels
from synth.io.midi_file import read_midi_file
from synth.pads.loaded_pad import read_pad
from synth.pads.original import import_pad
from synth.pads.original import read_settings as read_original
from synth.pads.pad_file import PadWriter
from synth.pads.pad_header import PREFACE, PadSpec
from synth.settings import read_settings
from synth.surface_path import read_path
from tests.synth.grid.grid_parts import pair_path
from ui.store import Store

_TOML_WORDS = ("[audio]", "[[midi]]", "=", '"', "'''", "[", "{", "a." * 200 + "b=1\n", "nan", "-inf", "0x7fffffffffff",
               "1979-05-27", "9" * 5000, "[" * 5000, "true", '"\\u0000"', "\0", "port=", "..", "#", "\n")  # fmt: skip
_SCALA_WORDS = (
    "!",
    "\n",
    "2/1",
    "0/1",
    "1/0",
    "-1.0",
    "9" * 300,
    "1e400",
    "nan",
    "x",
    "128",
    "-1",
    "٣",
    "²",
    "1200.",
    "\r",
)


def good_json(kind: str) -> Any:
    """A document of the kind as its writer makes it."""
    match kind:
        case "patch":
            return json.loads(_shipped_patch())
        case "patch_index":
            return {"format": "tetrad-patch-index", "version": 1, "numbers": {"Glass": 0, "Bell": 1, "Ünder": 16_383}}
        case "labels":
            row = {"display_name": "Grandmother", "tags": ["family"], "favourite": True, "recordings": "5f0c" * 16}
            return {"format": "tetrad-library", "version": 1, "instruments": {"flute": row, "my-voice": {}}}
        case "path":
            points = [{"time_s": 2.0 * i, "x": 0.1 * i, "y": 1.0 - 0.1 * i} for i in range(10)]
            return {"format": "tetrad-path", "version": 1, "points": points}
        case "original":
            groups = [{"instruments": [{"name": name}]} for name in "abcd"]
            values = {"pitches": [24, 28], "resolution": 3, "length": 50, "sampleRate": 16_000, "loopStart": 0.3}
            return {"nsynth": values | {"looping": True, "loopEnd": 0.9}, "corners": groups}
    raise AssertionError(kind)


@cache
def _shipped_patch() -> str:
    return min(shipped_patches_dir().glob("*.json")).read_text(encoding="utf-8")


def _document(kind: str, name: str, read: Callable[[Path], object]) -> Callable[[random.Random, Path], Case]:
    def case(chance: random.Random, folder: Path) -> Case:
        path = folder / name
        lay_out(path, spoilt_json(good_json(kind), chance), chance)
        return lambda: discard(read(path))

    return case


def _toml(name: str, read: Callable[[Path], object]) -> Callable[[random.Random, Path], Case]:
    def case(chance: random.Random, folder: Path) -> Case:
        text = mutated_text(GOOD_TOML[name], chance, (*_TOML_WORDS, *NUMBERS))
        content = text.encode("utf-8", "replace")
        lay_out(
            folder / name, mutated(content, chance, head=len(content)) if chance.random() < 0.2 else content, chance
        )
        return lambda: discard(read(folder / name))

    return case


def bank(chance: random.Random, folder: Path) -> Case:
    """A folder of patches as somebody gave it, and one of them imported."""
    own = folder / LIBRARY
    own.mkdir()
    for name in ("a.json", "b.json"):
        lay_out(own / name, spoilt_json(good_json("patch"), chance), chance)
    lay_out(own / "tetrad-patch-index", spoilt_json(good_json("patch_index"), chance), chance)
    document = good_json("patch")
    if chance.random() < 0.7:
        document["name"] = chance.choice(
            ("../../outside", "/etc/x", "a/b", "con", "x" * 64, "\0", "..", "ab\u202e", "Glass")
        )
    lay_out(folder / "given.json", json.dumps(document).encode(), chance)
    shipped = folder / "shipped"
    shipped.mkdir()

    def read() -> None:
        patches = PatchBank(own, shipped)
        entry = patches.import_file(folder / "given.json")
        patches.export_file(entry.name, own)
        patches.rename(entry.name, "Other") if not patches.find("Other") else None

    return read


def scala(chance: random.Random, folder: Path) -> Case:
    scale = "! meantone\nMeantone\n 12\n" + "".join(f" {100.0 * i:.3f} cents\n" for i in range(1, 12)) + " 2/1\n"
    mapping = "12\n0\n127\n60\n69\n440.0\n12\n" + "".join(f"{i}\n" for i in range(11)) + "x\n"
    paths = folder / "s.scl", folder / "m.kbm"
    spoilt = chance.randrange(3)
    for number, (path, text) in enumerate(zip(paths, (scale, mapping), strict=True)):
        content = mutated_text(text, chance, _SCALA_WORDS) if spoilt in (number, 2) else text
        lay_out(path, content.encode("utf-8", "replace"), chance)
    return lambda: discard(read_tuning(*paths))


@cache
def good_midi() -> bytes:
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=400_000)])
    for key in range(60, 68):
        track += [mido.Message("note_on", note=key, velocity=64, time=10), mido.Message("note_off", note=key, time=300)]
    track += [mido.Message("sysex", data=(1, 2, 3)), mido.MetaMessage("text", text="words")]
    buffer = io.BytesIO()
    mido.MidiFile(type=1, tracks=[track, track]).save(file=buffer)
    return buffer.getvalue()


def midi_files(chance: random.Random, folder: Path) -> Case:
    data = good_midi()
    if chance.random() < 0.5:  # inside a track, whose length is then right
        track = bytearray(mutated(data[22:], chance, head=100))
        for _ in range(chance.randrange(3)):
            place = chance.randrange(len(track) + 1)
            track[place:place] = chance.choice(
                (
                    b"\xff" * 400,
                    b"\x80" * 5,
                    b"\xff\x51\x00",
                    b"\xff\x7f\xff\xff\xff\x7f",
                    b"\xf0\x05",
                    b"\x8f\xff\xff\x7f",
                    b"\xf8",
                    b"\xff\x51\x03\xff\xff\xff",
                )
            )
        data = b"MThd" + struct.pack(">IHHH", 6, chance.choice((0, 1)), 1, chance.choice((1, 480, 0x7FFF, 0xE728)))
        data += b"MTrk" + struct.pack(">I", len(track)) + track
    else:
        data = mutated(data, chance, head=30)
    lay_out(folder / "a.mid", data, chance)
    return lambda: discard(read_midi_file(folder / "a.mid"))


@cache
def _pad_spec() -> PadSpec:
    return PadSpec("test", ("a", "b", "c", "d"), (48, 60), 2, 16_000, 300, 100)


@cache
def good_pad() -> bytes:
    """A first reading compiles, and writes what it compiled beside the program: not while a case is watched."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.tetrad-pad")
        with PadWriter(path, _pad_spec()) as writer:
            for place in writer.missing():
                writer.write(*place, np.arange(300) * 20, loop=(100, 250), release_start=280)
            writer.finish()
        read_pad(path)
        return path.read_bytes()


def pads(chance: random.Random, folder: Path) -> Case:
    path = folder / "x.tetrad-pad"
    data = good_pad()
    if chance.random() < 0.5:  # a description whose checksum is right
        magic, version, size, _ = PREFACE.unpack(data[: PREFACE.size])
        text = spoilt_json(json.loads(data[PREFACE.size : size]), chance)
        room = -(-(PREFACE.size + len(text)) // 4096) * 4096
        text = text.ljust(room - PREFACE.size)
        data = PREFACE.pack(magic, version, room, zlib.crc32(text)) + text + data[size:]
    else:
        data = mutated(data, chance, head=4096)
    lay_out(path, data, chance)
    return lambda: discard(read_pad(path))


def pad_journals(chance: random.Random, folder: Path) -> Case:
    """An interrupted pad that goes on, whose notes of what is finished are spoilt."""
    own = folder / LIBRARY
    own.mkdir()
    path = own / "x.tetrad-pad"
    with PadWriter(path, _pad_spec()) as writer:
        for place in list(writer.missing())[:3]:
            writer.write(*place, np.arange(300) * 20)
    journal = own / "x.tetrad-pad.partial.rows"
    head, _, rows = journal.read_bytes().partition(b"\n")
    journal.write_bytes(head + b"\n" + mutated_text(rows.decode(), chance, NUMBERS).encode("utf-8", "replace"))

    def read() -> None:
        with PadWriter(path, _pad_spec()) as writer:
            for place in writer.missing():
                writer.write(*place, np.zeros(300))
            writer.finish()
        read_pad(path)

    return read


def originals(chance: random.Random, folder: Path) -> Case:
    """Pads of the original and their settings; what is made of them goes into the library's folder."""
    lay_out(folder / "settings.json", spoilt_json(good_json("original"), chance), chance)
    lay_out(folder / "a_b_c_d.bin", bytes(3 * 3 * 2 * 50 * 2 + chance.choice((0, 0, 0, -1, 1))), chance)
    (folder / LIBRARY).mkdir()

    def read() -> None:
        settings = read_original(folder / "settings.json")
        import_pad(folder / "a_b_c_d.bin", settings, folder / LIBRARY / "x.tetrad-pad")

    return read


def pairs(chance: random.Random, folder: Path) -> Case:
    write_pair(pair_path(), folder, "by the fuzz")
    path = next(folder.iterdir())
    line, _, payload = path.read_bytes().partition(b"\n")
    data = spoilt_json(json.loads(line), chance) + b"\n" + payload if chance.random() < 0.5 else b""
    path.write_bytes(data or mutated(line + b"\n" + payload, chance, head=len(line)))
    return lambda: discard(read_pair(path))


def archives(chance: random.Random, folder: Path) -> Case:
    """Instruments as zips that lie: sizes, methods, bombs, names out of the folder, the description's values."""
    members = dict(import_parsers.instrument_members(import_parsers.instrument_bytes()))
    declared: dict[str, int] = {}
    name = chance.choice(list(members))
    match chance.randrange(5):
        case 0:
            members["instrument.json"] = spoilt_json(json.loads(members["instrument.json"]), chance)
        case 1:
            declared[name] = len(members[name])
            members[name] += bytes(1 << 20)
        case 2:
            declared[name] = chance.choice((0, 1, 0x7FFFFFFF, len(members[name]) - 1))
        case 3:
            members |= {f"../../outside-{i}": b"" for i in range(chance.choice((1, 100, 3000)))}
        case _:
            members["instrument.json"] = members["instrument.json"].replace(b'"n_frames": ', b'"n_frames": 9', 1)
    buffer = io.BytesIO()
    method = chance.choice((zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_STORED))
    with zipfile.ZipFile(buffer, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data, method if member == name else zipfile.ZIP_STORED)
        for member, size in declared.items():
            archive.getinfo(member).file_size = size
    data = buffer.getvalue()
    if chance.random() < 0.2:
        data = data[:-100] + mutated(data[-100:], chance)
    lay_out(folder / f"x{SUFFIX}", data, chance)
    return lambda: discard(read_instrument(folder / f"x{SUFFIX}"))


def ui_settings(path: Path) -> object:
    """The screen's, which never raises: its trouble is its refusal."""
    return Store(path).trouble


GOOD_TOML = {
    "settings.toml": '[audio]\ndevice = "hw:1,0"\nsample_rate_hz = 48000\nblock_samples = 256\n'
    '[midi]\ninputs = ["a", "b"]\n',
    "board.toml": 'port = "/dev/ttyUSB0"\nbrightness = 0.5\naudition = true\n[knobs]\nposition = "brightness"\n'
    '[reversed]\nknobs = ["attack"]\n',
    "ui.toml": 'theme = "stage"\nkey_strip = true\nstrip_key = 48\nlatch = false\nlocked = false\n',
}


def prepare() -> None:
    """Reading the first pad compiles for up to half a minute."""
    good_pad()


PARSERS: dict[str, Callable[[random.Random, Path], Case]] = {
    **import_parsers.PARSERS,
    **format_parsers_models.PARSERS,
    **format_parsers_wires.PARSERS,
    "patch": _document("patch", "a.json", read_patch),
    "patch_index": _document("patch_index", "tetrad-patch-index", read_index),
    "labels": _document("labels", FILE_NAME, lambda path: read_labels(path.parent)),
    "path": _document("path", "path.json", read_path),
    "settings": _toml("settings.toml", read_settings),
    "board": _toml("board.toml", read_board_settings),
    "screen": _toml("ui.toml", ui_settings),
    "bank": bank,
    "scala": scala,
    "midi_files": midi_files,
    "pads": pads,
    "pad_journals": pad_journals,
    "originals": originals,
    "pairs": pairs,
    "archives": archives,
}
