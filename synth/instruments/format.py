"""The instrument: what a corner holds, in memory and on disk.

On disk (`*.tetrad-instrument`) it is a zip of LZMA-compressed members:
- `instrument.json`: format name and version, rates, units, who made it from what, and a table of notes;
- `z.f16`: embeddings, float16 little-endian [sum of Tz, 16];
- `detail.i8`: measured minus decoded, int8 [sum of T, 165], half-dB steps (deviation: half cents), stored as the
  difference to the frame before, note by note, dimension by dimension, which compresses to about a third;
- `loudness.f16`: K-weighted loudness of the measured frames, dB, float16 [sum of T].
Version 2, which is written only for instruments that need it, adds
- `ratios.f32` and `phases.u8`: float32 and uint8 [100] of each note that has them;
- `residual.flac`: the residuals of all notes, one after another, 16-bit FLAC at 48 kHz, a power of two as scale each.
The JSON holds the SHA-256 of the other members. Nothing is unpickled, and no member is larger than it should be.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synth.errors import TetradError
from synth.files import atomic_write_bytes
from synth.frames import N_PARTIALS, ROW_WIDTH, Z_DIM, Float32Array
from synth.instruments.bounded_zip import open_zip, read_member
from synth.instruments.header import (
    DETAIL_STEP,
    FAMILIES,
    FIXED,
    FORMAT,
    MOST_FRAMES,
    MOST_NOTES,
    NOTE_FIELDS,
    TEXT_FIELDS,
    check_values,
    content_hash,
    read_description,
)
from synth.instruments.residual_codec import decode_residuals, encode_residuals, exponent_of, largest_stream

__all__ = [
    "DETAIL_STEP",
    "FAMILIES",
    "MOST_FRAMES",
    "MOST_NOTES",
    "SUFFIX",
    "Instrument",
    "Note",
    "quantise_detail",
    "read_header",
    "read_instrument",
    "write_instrument",
]

SUFFIX = ".tetrad-instrument"
_HIGHEST_RATIO = 4096.0
"""More than HIGHEST_PARTIAL_HZ over the f0 of the lowest key."""


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
    # No argument, so that whatever `dataclasses.replace` changes is never taken for what was read.
    _sound_id: str = field(default="", init=False, repr=False, compare=False)

    @property
    def sound_id(self) -> str:
        """What it sounds like, whatever it is called: `synth.instruments.header.content_hash` of its file.

        Known of what was read from a file; of what was made in memory it is worked out once, in 2 ms a note.
        """
        if not self._sound_id:
            members = {name: hashlib.sha256(data).hexdigest() for name, data in _sound_members(self.notes).items()}
            keys = ("pitch", "velocity", "loop_start", "loop_end")
            entries = [{key: int(getattr(note, key)) for key in keys} for note in self.notes]
            header = {"model_id": self.model_id, "notes": entries, "sha256": members}
            object.__setattr__(self, "_sound_id", content_hash(header))
        return self._sound_id


def quantise_detail(detail: npt.NDArray[np.floating]) -> npt.NDArray[np.int8]:
    """Half-dB (half-cent) steps, clipped to +-63.5: what the file keeps of a detail."""
    return np.clip(np.round(detail / DETAIL_STEP), -127, 127).astype(np.int8)


def write_instrument(instrument: Instrument, path: Path) -> int:
    """Write atomically, in version 1 if that can hold it; the same instrument gives the same bytes.

    Returns the size in bytes. Raises TetradError for what no reader would take (more than an hour of notes, say).
    """
    notes = instrument.notes
    members = _sound_members(notes)
    version = 1 if not instrument.tags and all(map(_is_plain, notes)) else 2
    if version == 2:
        members["ratios.f32"] = b"".join(n.ratios.astype("<f4").tobytes() for n in notes if n.ratios is not None)
        members["phases.u8"] = b"".join(n.phases.tobytes() for n in notes if n.phases is not None)
        members["residual.flac"] = encode_residuals([n.residual for n in notes if n.residual is not None])
    header: dict[str, Any] = {"format": FORMAT, "version": version} | FIXED
    header |= {key: getattr(instrument, key) for key in TEXT_FIELDS}
    header |= {"sustains": instrument.sustains, "notes": [_entry(n, version) for n in notes]}
    check_values(path, header | {"tags": list(instrument.tags)})
    if version == 2:
        header["tags"] = list(instrument.tags)
    header["sha256"] = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        for name, data in {"instrument.json": json.dumps(header, indent=1).encode(), **members}.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_STORED if name == "residual.flac" else zipfile.ZIP_LZMA
            archive.writestr(entry, data)
    content = buffer.getvalue()
    atomic_write_bytes(path, content)
    return len(content)


def _sound_members(notes: Sequence[Note]) -> dict[str, bytes]:
    """The members of a file that are in every version, and say how it sounds."""
    return {
        "z.f16": b"".join(n.z.astype("<f2").tobytes() for n in notes),
        "detail.i8": b"".join(_pack(quantise_detail(n.detail)) for n in notes),
        "loudness.f16": b"".join(n.loudness_db.astype("<f2").tobytes() for n in notes),
    }


def _is_plain(note: Note) -> bool:
    return note.pitched and note.ratios is None and note.phases is None and note.residual is None


def _entry(note: Note, version: int) -> dict[str, Any]:
    """The note's line in the description."""
    entry: dict[str, Any] = {key: getattr(note, key) for key in NOTE_FIELDS if key != "n_embeddings"}
    entry["n_embeddings"] = int(note.z.shape[0])
    if version >= 2:
        entry |= {"pitched": note.pitched, "has_ratios": note.ratios is not None, "has_phases": note.phases is not None}
        residual = np.zeros(0, np.float32) if note.residual is None else note.residual
        entry |= {"n_residual": residual.size, "residual_exponent": exponent_of(residual)}
    return entry


def read_header(path: Path) -> dict[str, Any]:
    """The checked `instrument.json` alone, for lists. Raises TetradError as `read_instrument` does."""
    with _open(path) as archive:
        return read_description(path, archive)


def read_instrument(path: Path) -> Instrument:
    """Read and check a whole instrument.

    Raises TetradError, in one line, for a file that is missing, truncated, of another format, of a newer version, or
    whose checksum or numbers are wrong.
    """
    with _open(path) as archive:
        header = read_description(path, archive)
        table = header["notes"]
        n_frames = sum(n["n_frames"] for n in table)
        n_embeddings = sum(n["n_embeddings"] for n in table)
        z = np.frombuffer(_member(path, archive, header, "z.f16", n_embeddings * Z_DIM * 2), "<f2")
        detail = np.frombuffer(_member(path, archive, header, "detail.i8", n_frames * ROW_WIDTH), np.int8)
        loudness = np.frombuffer(_member(path, archive, header, "loudness.f16", n_frames * 2), "<f2")
        extras = _extras(path, archive, header) if header["version"] >= 2 else [{} for _ in table]
    if not (np.all(np.isfinite(z)) and np.all(np.isfinite(loudness))):
        raise TetradError(f"{path} holds NaN or infinite values; expected numbers; fetch or make the instrument again")
    z = z.reshape(-1, Z_DIM)
    detail = detail.reshape(-1, ROW_WIDTH)
    notes = []
    frame = embedding = 0
    for entry, extra in zip(table, extras, strict=True):
        t, tz = entry["n_frames"], entry["n_embeddings"]
        notes.append(
            Note(
                **{key: entry[key] for key in NOTE_FIELDS if key not in ("n_frames", "n_embeddings")},
                z=z[embedding : embedding + tz].astype(np.float32),
                detail=_unpack(detail[frame : frame + t]) * np.float32(DETAIL_STEP),
                loudness_db=loudness[frame : frame + t].astype(np.float32),
                **extra,
            )
        )
        frame, embedding = frame + t, embedding + tz
    texts = {key: header[key] for key in TEXT_FIELDS}
    instrument = Instrument(**texts, sustains=header["sustains"], notes=tuple(notes), tags=tuple(header["tags"]))
    object.__setattr__(instrument, "_sound_id", content_hash(header))
    return instrument


def _extras(path: Path, archive: zipfile.ZipFile, header: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What version 2 adds to each note, as keyword arguments of `Note`."""
    table = header["notes"]
    n_ratios, n_phases = sum(n["has_ratios"] for n in table), sum(n["has_phases"] for n in table)
    ratios = np.frombuffer(_member(path, archive, header, "ratios.f32", n_ratios * N_PARTIALS * 4), "<f4")
    phases = np.frombuffer(_member(path, archive, header, "phases.u8", n_phases * N_PARTIALS), np.uint8)
    if not np.all((ratios > 0.0) & (ratios <= _HIGHEST_RATIO)):
        raise TetradError(f"{path} has a partial outside 0 to {_HIGHEST_RATIO:.0f} times f0; make the instrument again")
    lengths, exponents = [n["n_residual"] for n in table], [n["residual_exponent"] for n in table]
    stream = _member(path, archive, header, "residual.flac", range(largest_stream(sum(lengths)) + 1))
    try:
        residuals = decode_residuals(stream, lengths, exponents)
    except TetradError as error:
        raise TetradError(f"{path}: {error}; fetch or make the instrument again") from error
    next_ratios, next_phases = iter(ratios.reshape(-1, N_PARTIALS)), iter(phases.reshape(-1, N_PARTIALS))
    return [
        {
            "pitched": entry["pitched"],
            "ratios": next(next_ratios).astype(np.float32) if entry["has_ratios"] else None,
            "phases": next(next_phases).copy() if entry["has_phases"] else None,
            "residual": residual if residual.size else None,
        }
        for entry, residual in zip(table, residuals, strict=True)
    ]


def _pack(steps: npt.NDArray[np.int8]) -> bytes:
    difference = np.diff(steps, axis=0, prepend=np.zeros((1, steps.shape[1]), np.int8))
    return np.ascontiguousarray(difference.T).tobytes()  # int8 wraps around, and back again when it is summed


def _unpack(packed: npt.NDArray[np.int8]) -> Float32Array:
    columns = packed.reshape(ROW_WIDTH, -1)
    return np.ascontiguousarray(np.cumsum(columns, axis=1, dtype=np.int8).T).astype(np.float32)


@contextmanager
def _open(path: Path) -> Iterator[zipfile.ZipFile]:
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(open_zip(path))
        # A zip of the future is none of ours.
        except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            what = error.strerror if isinstance(error, OSError) and error.strerror else "truncated or of another format"
            raise TetradError(
                f"{path} can't be read ({what}); expected a {FORMAT} file; fetch or make it again"
            ) from error
        yield archive


def _member(path: Path, archive: zipfile.ZipFile, header: Mapping[str, Any], name: str, size: int | range) -> bytes:
    """The bytes of a member whose size, which is looked at before anything is decompressed, is (in) `size`."""
    sizes = range(size, size + 1) if isinstance(size, int) else size
    try:
        info = archive.getinfo(name)
        if info.file_size not in sizes:
            expected = size if isinstance(size, int) else f"at most {sizes[-1]}"
            raise TetradError(f"{path}: {name} has {info.file_size} bytes, expected {expected}")
        data = read_member(archive, info)
    except (OSError, KeyError, ValueError, lzma.LZMAError, zlib.error) as error:
        raise TetradError(f"{path}: {name} is damaged ({error}); fetch or make the instrument again") from error
    checksums = header.get("sha256")
    if not isinstance(checksums, dict) or hashlib.sha256(data).hexdigest() != checksums.get(name):
        raise TetradError(f"{path}: {name} fails its checksum; fetch or make the instrument again")
    return data
