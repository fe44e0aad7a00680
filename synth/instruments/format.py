"""The instrument: what a corner holds, in memory and on disk.

On disk (`*.tetrad-instrument`) it is a zip of LZMA-compressed members:
- `instrument.json`: format name and version, rates, units, who made it from what, and a table of notes;
- `z.f16`: embeddings, float16 little-endian [sum of Tz, 16];
- `detail.i8`: measured minus decoded, int8 [sum of T, 165], half-dB steps (deviation: half cents), stored as the
  difference to the frame before, note by note, dimension by dimension, which compresses to about a third;
- `loudness.f16`: K-weighted loudness of the measured frames, dB, float16 [sum of T].
The JSON holds the SHA-256 of the other members. Nothing is unpickled, and no member is larger than it should be.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synth.errors import TetradError
from synth.files import atomic_write_bytes
from synth.frames import FRAME_RATE_HZ, ROW_WIDTH, SAMPLE_RATE_HZ, Z_DIM, Float32Array

FORMAT = "tetrad-instrument"
VERSION = 1
SUFFIX = ".tetrad-instrument"
DETAIL_STEP = 0.5
MOST_NOTES = 512
MOST_FRAMES = 125 * 60
"""A minute: longer notes are looped."""
FAMILIES = (
    "bass",
    "brass",
    "flute",
    "guitar",
    "keyboard",
    "mallet",
    "organ",
    "reed",
    "string",
    "synth_lead",
    "vocal",
    "synth_pad",
)
"""NSynth's eleven (Engel et al. 2017), in its order, and `synth_pad`, which NSynth does not have."""


@dataclass(frozen=True)
class Note:
    """One recorded note. T control frames of 8 ms, Tz embedding frames of 32 ms.

    `pitch` and `velocity` 0..127; `tuning_cents` of the recording against the key; `inharmonicity` B >= 0; `z` float32
    [Tz, 16]; `detail` float32 [T, 165]; `loudness_db` float32 [T]. The loop is control frames [loop_start, loop_end),
    both 0 if there is none; `release_start` is the frame of the recorded note-off, T if there was none.

    What partials at `k f0 sqrt(1 + B k^2)` and noise bands can't describe is in the last four, None where not needed:
    `ratios` float32 [100], the frequency of each partial over f0, for bells and bars; `phases` uint8 [100], the
    partials' phases at sample 0 in 1/256 of a turn; `residual` float32 [N] at 48 kHz, what the partials leave of the
    recording, at the instrument's level. `pitched` False: the key does not move it.
    """

    pitch: int
    velocity: int
    tuning_cents: float
    inharmonicity: float
    z: Float32Array
    detail: Float32Array
    loudness_db: Float32Array
    loop_start: int
    loop_end: int
    release_start: int
    ratios: Float32Array | None = None
    phases: npt.NDArray[np.uint8] | None = None
    residual: Float32Array | None = None
    pitched: bool = True

    @property
    def n_frames(self) -> int:
        return int(self.detail.shape[0])


@dataclass(frozen=True)
class Instrument:
    """`notes` are sorted by (pitch, velocity). `model_id` names the network whose decoder the detail corrects."""

    name: str
    display_name: str
    family: str
    sustains: bool
    author: str
    licence: str
    source: str
    model_id: str
    notes: tuple[Note, ...]
    tags: tuple[str, ...] = ()


_NOTE_FIELDS: dict[str, tuple[type, float, float]] = {
    "pitch": (int, 0, 127),
    "velocity": (int, 1, 127),
    "tuning_cents": (float, -200.0, 200.0),
    "inharmonicity": (float, 0.0, 0.1),
    "loop_start": (int, 0, MOST_FRAMES),
    "loop_end": (int, 0, MOST_FRAMES),
    "release_start": (int, 0, MOST_FRAMES),
    "n_frames": (int, 1, MOST_FRAMES),
    "n_embeddings": (int, 1, MOST_FRAMES),
}
_TEXT_FIELDS = ("name", "display_name", "family", "author", "licence", "source", "model_id")
_FIXED = {
    "format": FORMAT,
    "version": VERSION,
    "sample_rate_hz": SAMPLE_RATE_HZ,
    "frame_rate_hz": FRAME_RATE_HZ,
    "detail_step": DETAIL_STEP,
    "detail_unit": "dB, last column cents",
}


def quantise_detail(detail: npt.NDArray[np.floating]) -> npt.NDArray[np.int8]:
    """Half-dB (half-cent) steps, clipped to +-63.5: what the file keeps of a detail."""
    return np.clip(np.round(detail / DETAIL_STEP), -127, 127).astype(np.int8)


def write_instrument(instrument: Instrument, path: Path) -> int:
    """Write atomically; the same instrument gives the same bytes. Returns the size in bytes."""
    members = {
        "z.f16": b"".join(n.z.astype("<f2").tobytes() for n in instrument.notes),
        "detail.i8": b"".join(_pack(quantise_detail(n.detail)) for n in instrument.notes),
        "loudness.f16": b"".join(n.loudness_db.astype("<f2").tobytes() for n in instrument.notes),
    }
    table = [
        {key: getattr(n, key) for key in _NOTE_FIELDS if key != "n_embeddings"} | {"n_embeddings": int(n.z.shape[0])}
        for n in instrument.notes
    ]
    header: dict[str, Any] = dict(_FIXED)
    header |= {key: getattr(instrument, key) for key in _TEXT_FIELDS}
    header |= {"sustains": instrument.sustains, "notes": table}
    header["sha256"] = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        for name, data in {"instrument.json": json.dumps(header, indent=1).encode(), **members}.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_LZMA
            archive.writestr(entry, data)
    content = buffer.getvalue()
    atomic_write_bytes(path, content)
    return len(content)


def read_header(path: Path) -> dict[str, Any]:
    """The checked `instrument.json` alone, for lists. Raises TetradError as `read_instrument` does."""
    with _open(path) as archive:
        return _header(path, archive)


def read_instrument(path: Path) -> Instrument:
    """Read and check a whole instrument.

    Raises TetradError, in one line, for a file that is missing, truncated, of another format, of a newer version, or
    whose checksum or numbers are wrong.
    """
    with _open(path) as archive:
        header = _header(path, archive)
        table = header["notes"]
        n_frames = sum(n["n_frames"] for n in table)
        n_embeddings = sum(n["n_embeddings"] for n in table)
        z = np.frombuffer(_member(path, archive, header, "z.f16", n_embeddings * Z_DIM * 2), "<f2")
        detail = np.frombuffer(_member(path, archive, header, "detail.i8", n_frames * ROW_WIDTH), np.int8)
        loudness = np.frombuffer(_member(path, archive, header, "loudness.f16", n_frames * 2), "<f2")
    if not (np.all(np.isfinite(z)) and np.all(np.isfinite(loudness))):
        raise TetradError(f"{path} holds NaN or infinite values; expected numbers; fetch or make the instrument again")
    z = z.reshape(-1, Z_DIM)
    detail = detail.reshape(-1, ROW_WIDTH)
    notes = []
    frame = embedding = 0
    for entry in table:
        t, tz = entry["n_frames"], entry["n_embeddings"]
        fields = {k: v for k, v in entry.items() if k not in ("n_frames", "n_embeddings")}
        notes.append(
            Note(
                **fields,
                z=z[embedding : embedding + tz].astype(np.float32),
                detail=_unpack(detail[frame : frame + t]) * np.float32(DETAIL_STEP),
                loudness_db=loudness[frame : frame + t].astype(np.float32),
            )
        )
        frame, embedding = frame + t, embedding + tz
    texts = {key: header[key] for key in _TEXT_FIELDS}
    return Instrument(**texts, sustains=header["sustains"], notes=tuple(notes))


def _pack(steps: npt.NDArray[np.int8]) -> bytes:
    difference = np.diff(steps, axis=0, prepend=np.zeros((1, steps.shape[1]), np.int8))
    return np.ascontiguousarray(difference.T).tobytes()  # int8 wraps around, and back again when it is summed


def _unpack(packed: npt.NDArray[np.int8]) -> Float32Array:
    columns = packed.reshape(ROW_WIDTH, -1)
    return np.ascontiguousarray(np.cumsum(columns, axis=1, dtype=np.int8).T).astype(np.float32)


def _open(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        what = error.strerror if isinstance(error, OSError) and error.strerror else "truncated or of another format"
        raise TetradError(f"{path} can't be read ({what}); expected a {FORMAT} file; fetch or make it again") from error


def _member(path: Path, archive: zipfile.ZipFile, header: Mapping[str, Any], name: str, size: int) -> bytes:
    try:
        if archive.getinfo(name).file_size != size:
            raise TetradError(f"{path}: {name} has {archive.getinfo(name).file_size} bytes, expected {size}")
        data = archive.read(name)
    except TetradError:
        raise
    except Exception as error:  # zipfile lets through whatever its decompressors raise: LZMAError, EOFError, KeyError
        raise TetradError(f"{path}: {name} is damaged ({error}); fetch or make the instrument again") from error
    checksums = header.get("sha256")
    if not isinstance(checksums, dict) or hashlib.sha256(data).hexdigest() != checksums.get(name):
        raise TetradError(f"{path}: {name} fails its checksum; fetch or make the instrument again")
    return data


def _header(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        if archive.getinfo("instrument.json").file_size > 1 << 20:
            raise TetradError(f"{path}: its description is larger than 1 MiB; expected a {FORMAT} file")
        header = json.loads(archive.read("instrument.json"))
    except TetradError:
        raise
    except Exception as error:  # as in _member
        raise TetradError(f"{path} has no readable description ({error}); expected a {FORMAT} file") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        found = header.get("format") if isinstance(header, dict) else type(header).__name__
        raise TetradError(f"{path} is of the format {found!r}; expected {FORMAT!r}")
    if header.get("version") != VERSION:
        raise TetradError(
            f"{path} has version {header.get('version')!r} of the format; this release reads {VERSION}; update tetrad"
        )
    known = {*_FIXED, *_TEXT_FIELDS, "sustains", "notes", "sha256"}
    if set(header) != known:
        raise TetradError(f"{path} has unexpected or missing fields: {', '.join(sorted(set(header) ^ known))}")
    _check_values(path, header)
    return header


def _check_values(path: Path, header: Mapping[str, Any]) -> None:
    for key, value in _FIXED.items():
        if header[key] != value:
            raise TetradError(f"{path} has {key} {header[key]!r}; this release reads {value!r}")
    for key in _TEXT_FIELDS:
        if not isinstance(header[key], str) or len(header[key]) > 500:
            raise TetradError(f"{path}: {key} is not a text of at most 500 characters")
    if not isinstance(header["sustains"], bool) or header["family"] not in FAMILIES:
        raise TetradError(f"{path}: family {header['family']!r} or sustains {header['sustains']!r} is not known")
    notes = header["notes"]
    if not isinstance(notes, list) or not 1 <= len(notes) <= MOST_NOTES:
        raise TetradError(f"{path} has no table of 1 to {MOST_NOTES} notes")
    for entry in notes:
        _check_note(path, entry)
    order = [(n["pitch"], n["velocity"]) for n in notes]
    if order != sorted(set(order)):
        raise TetradError(f"{path}: its notes are not sorted by pitch and velocity, or one is there twice")


def _check_note(path: Path, entry: Any) -> None:
    if not isinstance(entry, dict) or set(entry) != set(_NOTE_FIELDS):
        raise TetradError(f"{path}: a note does not have exactly the fields {', '.join(_NOTE_FIELDS)}")
    for key, (kind, low, high) in _NOTE_FIELDS.items():
        value = entry[key]
        right_type = isinstance(value, int) if kind is int else isinstance(value, (int, float))
        if isinstance(value, bool) or not right_type or not low <= value <= high:
            raise TetradError(f"{path}: a note's {key} is {value!r}; expected {low} to {high}")
    loop = entry["loop_start"], entry["loop_end"]
    inside = loop == (0, 0) or 0 <= loop[0] < loop[1] <= entry["release_start"]
    if not inside or entry["release_start"] > entry["n_frames"]:
        raise TetradError(f"{path}: a note's loop {loop} or release {entry['release_start']} is outside its frames")
