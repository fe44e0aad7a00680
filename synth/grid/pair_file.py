"""A pair's path on disk: `FIRST+SECOND.tetrad-pair`, one file a pair, so that a new instrument adds only its own.

One line of JSON in UTF-8 that describes everything, its end of line, and then the numbers, little-endian:
- warps of all notes, one after another: uint16 [33], in 1/65535 of the way (0.0000153, finer than anybody hears);
- bends of those notes that have any: float16 [7, 8, 16], in the embedding's unit. A line that needs none costs nothing.
The JSON holds a SHA-256 of itself (without that key) and the numbers. A note of a path takes some 100 bytes, with a
bend 1.9 KB; a file has at most MOST_NOTES of them, so all of it is read at once.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from synth.control.json_document import brief, parse_json, read_bounded
from synth.errors import TetradError
from synth.files import atomic_write_bytes
from synth.frames import Z_DIM
from synth.grid.pair_path import BEND_TIMES_S, N_INNER, N_WARP, NotePath, PairPath
from synth.instruments.library import is_name

FORMAT, VERSION = "tetrad-pair", 1
SUFFIX = ".tetrad-pair"
BETWEEN = "+"
"""Between two names in a file's; no instrument's name has one."""
MOST_NOTES = 256
LARGEST_BEND = 100.0
"""Embeddings are within +-10; a bend beyond this is damage, not music."""
_STEPS = 65535
_BEND_SHAPE = (N_INNER, len(BEND_TIMES_S), Z_DIM)
_WARP_BYTES, _BEND_BYTES = 2 * N_WARP, 2 * int(np.prod(_BEND_SHAPE))
_MOST_HEADER = 1 << 16
_LARGEST = _MOST_HEADER + MOST_NOTES * (_WARP_BYTES + _BEND_BYTES)
_FIXED: dict[str, Any] = {
    "format": FORMAT,
    "version": VERSION,
    "warp_nodes": N_WARP,
    "warp_unit": "uint16, 1/65535 of the way",
    "bend_steps": N_INNER,
    "bend_times_s": list(BEND_TIMES_S),
    "bend_unit": "float16, embedding",
}
_TEXTS = ("first", "second", "first_id", "second_id", "model_id", "made")
_LONGEST_TEXT = 200
_AGAIN = "build it again with `tetrad grid build`"
_EXPECTED = f"a {FORMAT} file"


class Identity(NamedTuple):
    """What an instrument is called, what its sound is (`Instrument.sound_id`), and its networks'."""

    name: str
    sound_id: str
    model_id: str


def pair_name(first: str, second: str) -> str:
    """Name of the file of a pair, whichever of the two is named first.

    Raises TetradError for names that no instrument can have, and for one instrument given twice.
    """
    if not (is_name(first) and is_name(second)) or first == second:
        raise TetradError(f"{brief(first)} and {brief(second)} are no pair; two instruments' names were expected")
    return BETWEEN.join(sorted((first, second))) + SUFFIX


def quantised(path: PairPath) -> PairPath:
    """The path as it is after writing and reading, so that whoever computed it plays what others will read."""
    return PairPath(
        path.first,
        path.second,
        path.first_id,
        path.second_id,
        path.model_id,
        tuple(_unpack(*_pack(n)) for n in path.notes),
    )


def write_pair(path: PairPath, folder: Path, made: str) -> int:
    """Write a path into `folder` (there already), atomically; the same path gives the same bytes.

    made: how, in at most 200 characters, for whoever looks into the file. Returns the size in bytes. Raises
    TetradError for what no reader would take, and where the folder can't be written.
    """
    where = f"the path from {path.first} to {path.second}"
    name = pair_name(path.first, path.second)
    if len(path.notes) > MOST_NOTES:
        raise TetradError(f"{where} has {len(path.notes)} notes; at most {MOST_NOTES} were expected; thin them")
    packed = [_pack(note) for note in path.notes]
    payload = b"".join(warp for _, _, warp, _ in packed) + b"".join(bend for _, _, _, bend in packed)
    texts = {key: getattr(path, key) for key in _TEXTS if key != "made"} | {"made": made}
    notes = [[pitch, velocity, int(bend != b"")] for pitch, velocity, _, bend in packed]
    header = _FIXED | texts | {"notes": notes}
    _check_values(header, where)
    header["sha256"] = _checksum(header, payload)
    content = json.dumps(header).encode() + b"\n" + payload
    atomic_write_bytes(folder / name, content)
    return len(content)


def read_pair(path: Path) -> PairPath:
    """Read and check a path.

    Raises TetradError, in one line, for a file that is missing, truncated, of another format or version, that is not
    called what its content says, or whose checksum or numbers are wrong.
    """
    header, payload = _read(path)
    notes = header["notes"]
    warps = len(notes) * _WARP_BYTES
    bends = warps
    found = []
    for place, (pitch, velocity, bent) in enumerate(notes):
        bend = payload[bends : bends + bent * _BEND_BYTES]
        bends += len(bend)
        note = _unpack(pitch, velocity, payload[place * _WARP_BYTES : (place + 1) * _WARP_BYTES], bend)
        if not np.abs(note.bend).max() <= LARGEST_BEND:
            raise TetradError(f"{path} has a bend beyond {LARGEST_BEND:.0f} at pitch {pitch}; {_AGAIN}")
        found.append(note)
    texts = {key: header[key] for key in _TEXTS if key != "made"}
    return PairPath(**texts, notes=tuple(found))


def read_pair_header(path: Path) -> dict[str, Any]:
    """The checked description, for lists; its keys are those that the file has. Raises TetradError as `read_pair`."""
    return _read(path)[0]


def _read(path: Path) -> tuple[dict[str, Any], bytes]:
    content = read_bounded(path, _LARGEST, _EXPECTED)
    line, found, payload = content.partition(b"\n")
    if not found or len(line) > _MOST_HEADER:
        raise TetradError(f"{path} has no description in its first line; {_EXPECTED} was expected; {_AGAIN}")
    header = parse_json(line, f"the first line of {path}", _EXPECTED)
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        kind = header.get("format") if isinstance(header, dict) else type(header).__name__
        raise TetradError(f"{path} is of the format {brief(kind)}; {FORMAT!r} was expected; {_AGAIN}")
    if header.get("version") != VERSION:
        raise TetradError(f"{path} has version {brief(header.get('version'))}; this release reads {VERSION}; {_AGAIN}")
    known = {*_FIXED, *_TEXTS, "notes", "sha256"}
    if set(header) != known:
        odd = ", ".join(brief(key) for key in sorted(set(header) ^ known)[:5])
        raise TetradError(f"{path} has unexpected or missing fields ({odd}); {_AGAIN}")
    _check_values(header, str(path))
    size = len(header["notes"]) * _WARP_BYTES + sum(bent for _, _, bent in header["notes"]) * _BEND_BYTES
    if len(payload) != size:
        raise TetradError(f"{path} has {len(payload)} bytes of numbers; {size} were expected; {_AGAIN}")
    wanted = header.pop("sha256")
    if wanted != _checksum(header, payload):
        raise TetradError(f"{path} fails its checksum; {_AGAIN}")
    if path.name != pair_name(header["first"], header["second"]):
        expected = pair_name(header["first"], header["second"])
        raise TetradError(f"{path} holds what {expected} was expected to hold; rename it, or {_AGAIN}")
    return header, payload


def _check_values(header: Mapping[str, Any], where: str) -> None:
    """Raise TetradError for a value that is not what its field may hold."""
    for key, value in _FIXED.items():
        if header[key] != value:
            raise TetradError(f"{where} has {key} {brief(header[key])}; {value!r} was expected; {_AGAIN}")
    for key in _TEXTS:
        text = header[key]
        if not isinstance(text, str) or not 1 <= len(text) <= _LONGEST_TEXT or not text.isprintable():
            raise TetradError(
                f"{where} has {key} {brief(text)}; 1 to {_LONGEST_TEXT} characters were expected; {_AGAIN}"
            )
    if not (is_name(header["first"]) and is_name(header["second"])) or header["first"] >= header["second"]:
        names = f"{brief(header['first'])} and {brief(header['second'])}"
        raise TetradError(f"{where} is for {names}; two names in the alphabet's order were expected; {_AGAIN}")
    notes = header["notes"]
    if not isinstance(notes, list) or not 1 <= len(notes) <= MOST_NOTES or not all(map(_is_note, notes)):
        raise TetradError(f"{where} has no table of 1 to {MOST_NOTES} notes [pitch, velocity, bent]; {_AGAIN}")
    places = [note[:2] for note in notes]
    if any(one >= other for one, other in itertools.pairwise(places)):
        raise TetradError(f"{where} has notes that are not in order of pitch and velocity; {_AGAIN}")


def _is_note(entry: Any) -> bool:
    if not isinstance(entry, list) or len(entry) != 3 or not all(type(value) is int for value in entry):
        return False
    return 0 <= entry[0] <= 127 and 1 <= entry[1] <= 127 and entry[2] in (0, 1)


def _checksum(header: Mapping[str, Any], payload: bytes) -> str:
    text = json.dumps(header, sort_keys=True).encode()
    return hashlib.sha256(text + b"\n" + payload).hexdigest()


def _pack(note: NotePath) -> tuple[int, int, bytes, bytes]:
    """Pitch, velocity, and the numbers as bytes; none for a bend of zeros."""
    warp = np.round(note.warp.astype(np.float64) * _STEPS).astype("<u2").tobytes()
    bend = np.clip(note.bend, -LARGEST_BEND, LARGEST_BEND).astype("<f2")
    return note.pitch, note.velocity, warp, bend.tobytes() if bend.any() else b""


def _unpack(pitch: int, velocity: int, warp: bytes, bend: bytes) -> NotePath:
    """Inverse of `_pack`. Ends are exact: 0 and 65535 steps of 1/65535."""
    places = np.frombuffer(warp, "<u2").astype(np.float64) / _STEPS
    bends = np.frombuffer(bend, "<f2").astype(np.float32) if bend else np.zeros(_BEND_SHAPE, np.float32)
    return NotePath(pitch, velocity, places.astype(np.float32), bends.reshape(_BEND_SHAPE).copy())
