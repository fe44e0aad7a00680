"""The description inside a pad file: what it may hold, and the check of every value.

A `tetrad-pad` file of version 1 is a preface of 32 bytes (PREFACE: magic, version, bytes up to the samples, CRC-32 of
the JSON that follows), a JSON object padded with spaces up to a multiple of 4,096 bytes, and the samples: int16, little
endian, [y][x][pitch][sample], y from south to north, x from west to east as in `synth.control.corners`. Every row has
the same room, `row_samples`; what it does not use is zeros.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from synth.control.corners import N_CORNERS
from synth.errors import TetradError

FORMAT, VERSION = "tetrad-pad", 1
SUFFIX = ".tetrad-pad"
PREFACE = struct.Struct("<8sIII12x")
MAGIC = b"TETRAPAD"
PAGE = 4096
SAMPLE_BYTES = 2
MOST_RESOLUTION = 33
MOST_PITCHES = 128
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 192_000
LONGEST_S = 60
MOST_BYTES = 1 << 36
"""Of samples, 64 GiB."""
LONGEST_TEXT = 500
MOST_HEADER_BYTES = 16 << 20
"""33 by 33 cells of 128 pitches have 6.7 MB of row entries."""
_ROW_BYTES = 52
"""At most, of a row's entry: four numbers of up to 8 digits, one of 10, and what JSON puts between them."""
ROW_FIELDS = ("n_samples", "loop_start", "loop_end", "release_start", "crc32")


class PadRow(NamedTuple):
    """One note of a pad; all but the checksum in samples from the row's beginning.

    loop_start, loop_end: between them a held note goes on; 0, 0 where it has no loop. release_start: where the recorded
    release begins; n_samples where there is none. crc32: of the n_samples int16, little endian.
    """

    n_samples: int
    loop_start: int
    loop_end: int
    release_start: int
    crc32: int


@dataclass(frozen=True)
class PadSpec:
    """What a pad is. Raises TetradError for a value out of bounds.

    corners: names of the sounds NW, NE, SW, SE (the order of `Corner`). pitches: MIDI numbers, rising. resolution:
    cells along a side. row_samples: room of a row. velocity: MIDI, of all notes. decoder, seed, model_id,
    normalisation, source: how it was made, as far as it is known (seed 0 and empty texts where it is not).
    """

    name: str
    corners: tuple[str, str, str, str]
    pitches: tuple[int, ...]
    resolution: int
    sample_rate_hz: int
    row_samples: int
    velocity: int
    decoder: str = ""
    seed: int = 0
    model_id: str = ""
    normalisation: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        _check_spec(self)

    @property
    def n_rows(self) -> int:
        """Cells times pitches."""
        return self.resolution**2 * len(self.pitches)

    @property
    def n_bytes(self) -> int:
        """Of all samples."""
        return self.n_rows * self.row_samples * SAMPLE_BYTES

    def row_number(self, y: int, x: int, pitch: int) -> int:
        """Place of a row in the file; pitch: its index in `pitches`."""
        return (y * self.resolution + x) * len(self.pitches) + pitch

    def row_place(self, number: int) -> tuple[int, int, int]:
        """y, x and the index of the pitch of row `number`."""
        cell, pitch = divmod(number, len(self.pitches))
        return (*divmod(cell, self.resolution), pitch)

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT, "version": VERSION, **asdict(self)}


def header_bytes(spec: PadSpec) -> int:
    """Where the samples begin: known before the rows are, so that they can be written in any order."""
    fixed = PREFACE.size + len(_dump({**spec.to_json(), "row_fields": ROW_FIELDS, "rows": []}))
    return math.ceil((fixed + _ROW_BYTES * spec.n_rows) / PAGE) * PAGE


def pack_header(spec: PadSpec, rows: list[PadRow]) -> bytes:
    """The file's beginning, as many bytes as `header_bytes` says."""
    text = _dump({**spec.to_json(), "row_fields": ROW_FIELDS, "rows": rows})
    size = header_bytes(spec)
    text += b" " * (size - PREFACE.size - len(text))
    return PREFACE.pack(MAGIC, VERSION, size, zlib.crc32(text)) + text


def read_header(path: Path) -> tuple[PadSpec, list[PadRow], int]:
    """Spec, rows and where the samples begin. Raises TetradError for anything strange."""
    try:
        with path.open("rb") as file:
            preface = file.read(PREFACE.size)
            if len(preface) < PREFACE.size or not preface.startswith(MAGIC):
                raise TetradError(f"{path} is not a pad; a {FORMAT} file was expected; `tetrad pads import` makes one")
            _, version, size, crc = PREFACE.unpack(preface)
            if version != VERSION:
                raise TetradError(f"{path} is a pad of version {version}; {VERSION} was expected; update tetrad")
            if not PREFACE.size < size <= MOST_HEADER_BYTES or size % PAGE:
                raise TetradError(f"{path} says that its description has {size} bytes; it is damaged; fetch it again")
            text = file.read(size - PREFACE.size)
    except OSError as error:
        raise TetradError(f"cannot read {path}: {error.strerror or error}; a {FORMAT} file was expected") from error
    if len(text) < size - PREFACE.size:
        raise TetradError(
            f"{path} ends within its description, after {PREFACE.size + len(text)} of {size} bytes; fetch it again"
        )
    if zlib.crc32(text) != crc:
        raise TetradError(f"{path}: its description does not match its checksum; it is damaged; fetch it again")
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TetradError(f"{path} has no readable description; it is damaged; fetch it again") from error
    spec = spec_from_json(path, header)
    return spec, _read_rows(path, spec, header), size


def spec_from_json(path: Path, header: Any) -> PadSpec:
    """The checked description, its rows aside."""
    names = [field.name for field in fields(PadSpec)]
    known = {"format", "version", "row_fields", "rows", *names}
    if not isinstance(header, dict) or set(header) != known:
        found = set(header) if isinstance(header, dict) else set()
        raise TetradError(f"{path} has unexpected or missing fields: {', '.join(sorted(map(str, found ^ known)))}")
    if (header["format"], header["version"], header["row_fields"]) != (FORMAT, VERSION, list(ROW_FIELDS)):
        raise TetradError(
            f"{path} is of format {header['format']!r}, version {header['version']!r}; expected {FORMAT}, {VERSION}"
        )
    values: Mapping[str, Any] = {name: header[name] for name in names}
    if not isinstance(values["corners"], list) or not isinstance(values["pitches"], list):
        raise TetradError(f"{path}: corners and pitches are not lists; it is damaged; fetch it again")
    try:
        return PadSpec(**{**values, "corners": tuple(values["corners"]), "pitches": tuple(values["pitches"])})
    except TetradError as error:
        raise TetradError(f"{path}: {error}") from error


def check_row(spec: PadSpec, number: int, row: PadRow) -> None:
    """Raise TetradError for a row whose numbers do not fit together."""
    inside = (row.loop_start, row.loop_end) == (0, 0) or 0 <= row.loop_start < row.loop_end <= row.release_start
    if not 1 <= row.n_samples <= spec.row_samples:
        raise TetradError(f"{row_name(spec, number)} has {row.n_samples} samples; expected 1 to {spec.row_samples}")
    if not inside or not 0 <= row.release_start <= row.n_samples:
        raise TetradError(
            f"{row_name(spec, number)} has a loop from {row.loop_start} to {row.loop_end} and a release from "
            f"{row.release_start}; expected them in this order within its {row.n_samples} samples"
        )


def row_name(spec: PadSpec, number: int) -> str:
    """How a message calls a row."""
    y, x, pitch = spec.row_place(number)
    return f"the row of cell x {x}, y {y} and pitch {spec.pitches[pitch]}"


def _read_rows(path: Path, spec: PadSpec, header: Mapping[str, Any]) -> list[PadRow]:
    entries = header["rows"]
    if not isinstance(entries, list) or len(entries) != spec.n_rows:
        found = len(entries) if isinstance(entries, list) else "no"
        raise TetradError(
            f"{path} describes {found} rows; expected {spec.n_rows}: {spec.resolution} by {spec.resolution} cells of "
            f"{len(spec.pitches)} pitches"
        )
    rows = []
    for number, entry in enumerate(entries):
        if not isinstance(entry, list) or len(entry) != len(ROW_FIELDS) or not all(_is_count(n) for n in entry):
            raise TetradError(f"{path}: {row_name(spec, number)} is missing; expected {', '.join(ROW_FIELDS)}")
        row = PadRow(*entry)
        try:
            check_row(spec, number, row)
        except TetradError as error:
            raise TetradError(f"{path}: {error}") from error
        rows.append(row)
    return rows


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 32


def _check_spec(spec: PadSpec) -> None:
    texts = {field: getattr(spec, field) for field in ("name", "decoder", "model_id", "normalisation", "source")}
    texts |= {f"corner {i}": name for i, name in enumerate(spec.corners)}
    for field, text in texts.items():
        if not isinstance(text, str) or len(text) > LONGEST_TEXT or not text.isprintable():
            raise TetradError(f"a pad's {field} is {text!r:.60}; expected a text of at most {LONGEST_TEXT} characters")
    if len(spec.corners) != N_CORNERS:
        raise TetradError(f"a pad has {len(spec.corners)} corners; expected {N_CORNERS}: NW, NE, SW, SE")
    bounds = {
        "resolution": (2, MOST_RESOLUTION),
        "sample_rate_hz": (LOWEST_RATE_HZ, HIGHEST_RATE_HZ),
        "row_samples": (1, LONGEST_S * HIGHEST_RATE_HZ),
        "velocity": (1, 127),
        "seed": (0, (1 << 63) - 1),
    }
    for field, (low, high) in bounds.items():
        value = getattr(spec, field)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise TetradError(f"a pad's {field} is {value!r:.40}; expected a whole number from {low} to {high}")
    pitches = spec.pitches
    whole = all(isinstance(p, int) and not isinstance(p, bool) and 0 <= p <= 127 for p in pitches)
    if not 1 <= len(pitches) <= MOST_PITCHES or not whole or list(pitches) != sorted(set(pitches)):
        raise TetradError(f"a pad's pitches are {pitches!r:.80}; expected 1 to {MOST_PITCHES} MIDI numbers, rising")
    if spec.n_bytes > MOST_BYTES:
        raise TetradError(f"a pad has {spec.n_bytes} bytes of samples; expected at most {MOST_BYTES}; use fewer cells")


def _dump(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
