"""Pads on disk: `Pad.open` maps one into memory, `PadWriter` makes one, row by row, in any order, resumable.

The format is described in `synth.pads.pad_header`. While a pad is being written, its samples are in `NAME.partial`,
already where they will be, and `NAME.partial.rows` has a line of JSON for every finished row: what the pad is in the
first line, then [row number, PadRow...]. A line is written after its row's samples, and is believed only if its
checksum matches them. The pad takes its name when all rows are there.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from synth.errors import TetradError
from synth.pads.pad_header import (
    SAMPLE_BYTES,
    PadRow,
    PadSpec,
    check_row,
    header_bytes,
    pack_header,
    read_header,
    row_name,
)

Samples = npt.NDArray[np.int16]
SAMPLE = np.dtype("<i2")
FULL_SCALE = 32767.0
"""What an int16 sample of a float sample of 1.0 is."""


class Pad(NamedTuple):
    """A pad on disk. spec: what it is. rows: in the order of the file. samples: int16 [y, x, pitch, row_samples], read
    from disk when they are looked at; full scale is FULL_SCALE."""

    path: Path
    spec: PadSpec
    rows: list[PadRow]
    samples: Samples

    @staticmethod
    def open(path: Path | str) -> Pad:
        """Raises TetradError for a file that is not a whole pad. Its samples are checked by `check_samples`."""
        path = Path(path)
        spec, rows, begin = read_header(path)
        size, expected = path.stat().st_size, begin + spec.n_bytes
        if size != expected:
            what = "ends early" if size < expected else "is too long"
            raise TetradError(
                f"{path} {what}: it has {size} bytes; {expected} were expected for {spec.n_rows} rows of "
                f"{spec.row_samples} samples; fetch it again"
            )
        shape = (spec.resolution, spec.resolution, len(spec.pitches), spec.row_samples)
        return Pad(path, spec, rows, np.memmap(path, SAMPLE, "r", begin, shape))

    def row(self, y: int, x: int, pitch: int) -> PadRow:
        """Of a cell and the index of a pitch."""
        return self.rows[self.spec.row_number(y, x, pitch)]

    def note(self, y: int, x: int, pitch: int) -> Samples:
        """The samples of one row, int16 [n_samples], in memory and checked. TetradError where they are damaged."""
        number = self.spec.row_number(y, x, pitch)
        row = self.rows[number]
        samples = np.array(self.samples[y, x, pitch, : row.n_samples])
        if zlib.crc32(samples.data) != row.crc32:
            raise TetradError(
                f"{self.path}: {row_name(self.spec, number)} does not match its checksum; it is damaged; fetch it again"
            )
        return samples

    def check_samples(self) -> None:
        """Reads all samples; TetradError for the first row that does not match its checksum."""
        for _ in self.notes():
            pass

    def notes(self) -> Iterator[tuple[tuple[int, int, int], Samples]]:
        """All rows in the order of the file, each checked: (y, x, pitch index), int16 [n_samples]."""
        for number in range(self.spec.n_rows):
            place = self.spec.row_place(number)
            yield place, self.note(*place)


def to_int16(samples: npt.ArrayLike) -> Samples:
    """Float samples -1..1 as int16, rounded to the nearest, what is beyond cut off; int16 stays as it is."""
    array = np.asarray(samples)
    if array.dtype == np.int16:
        return np.ascontiguousarray(array, SAMPLE)
    if not np.isfinite(array).all():
        raise TetradError("a pad's row has samples that are not finite; report this")
    return np.clip(np.rint(array * FULL_SCALE), -FULL_SCALE, FULL_SCALE).astype(SAMPLE)


class PadWriter:
    """Makes the pad `path`. Use it as a context manager around `write`s, and call `finish` when `missing()` is empty.

    What was finished by an earlier writer of the same pad (the same spec) is there already: see `has`. A half-written
    pad of another spec is begun anew. One writer at a time: TetradError for a second one.
    """

    def __init__(self, path: Path | str, spec: PadSpec) -> None:
        self.path = Path(path)
        self.spec = spec
        self._partial = self.path.with_name(self.path.name + ".partial")
        self._journal_path = self.path.with_name(self.path.name + ".partial.rows")
        self._begin = header_bytes(spec)
        self._rows: dict[int, PadRow] = {}
        self._file = -1
        if self.path.is_dir():
            raise TetradError(f"{self.path} is a directory; a file name was expected; add one")
        try:
            self._journal = self._journal_path.open("a+b")
        except OSError as error:
            raise TetradError(_refusal(self.path, error)) from error
        try:
            self._lock()
            self._file = os.open(self._partial, os.O_RDWR | os.O_CREAT, 0o666)
            self._resume()
        except OSError as error:
            self.close()
            raise TetradError(_refusal(self.path, error)) from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> PadWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def has(self, y: int, x: int, pitch: int) -> bool:
        """Whether the row of a cell and the index of a pitch is finished."""
        return self.spec.row_number(y, x, pitch) in self._rows

    def missing(self) -> list[tuple[int, int, int]]:
        """(y, x, index of the pitch) of all rows that are not finished, in the order of the file."""
        return [self.spec.row_place(n) for n in range(self.spec.n_rows) if n not in self._rows]

    def write(
        self,
        y: int,
        x: int,
        pitch: int,
        samples: npt.ArrayLike,
        *,
        loop: tuple[int, int] = (0, 0),
        release_start: int | None = None,
    ) -> None:
        """Puts a row in its place, over what was there. samples: float [n], -1..1, or int16 [n], at most row_samples.
        loop and release_start: see `PadRow`; None: it has no recorded release."""
        spec = self.spec
        if not (0 <= y < spec.resolution and 0 <= x < spec.resolution and 0 <= pitch < len(spec.pitches)):
            raise TetradError(f"there is no cell y {y}, x {x}, pitch {pitch} in the pad {self.path}; report this")
        data = to_int16(samples)
        n = int(data.size)
        end = n if release_start is None else int(release_start)
        row = PadRow(n, int(loop[0]), int(loop[1]), end, zlib.crc32(data.data))
        number = spec.row_number(y, x, pitch)
        check_row(spec, number, row)
        whole = np.zeros(spec.row_samples, SAMPLE)
        whole[:n] = data
        try:
            _write_at(self._file, whole.tobytes(), self._offset(number))
            self._journal.write(json.dumps([number, *row]).encode() + b"\n")
            self._journal.flush()
        except OSError as error:
            raise TetradError(_refusal(self.path, error)) from error
        self._rows[number] = row

    def finish(self) -> Path:
        """The pad gets its name. TetradError while rows are missing."""
        missing = self.missing()
        if missing:
            first = row_name(self.spec, self.spec.row_number(*missing[0]))
            raise TetradError(f"the pad {self.path} lacks {len(missing)} of {self.spec.n_rows} rows, first {first}")
        try:
            _write_at(self._file, pack_header(self.spec, [self._rows[n] for n in range(self.spec.n_rows)]), 0)
            os.ftruncate(self._file, self._begin + self.spec.n_bytes)
            os.fsync(self._file)
            self._partial.replace(self.path)
            self._journal_path.unlink()
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise TetradError(_refusal(self.path, error)) from error
        finally:
            self.close()
        return self.path

    def close(self) -> None:
        """What is finished stays for the next writer."""
        with contextlib.suppress(OSError):  # a line that a full disk did not take; its row is made again
            self._journal.close()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _offset(self, number: int) -> int:
        return self._begin + number * self.spec.row_samples * SAMPLE_BYTES

    def _lock(self) -> None:
        try:
            fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TetradError(f"{self.path} is being written by another process; wait for it, or stop it") from error

    def _resume(self) -> None:
        head = (json.dumps(self.spec.to_json()) + "\n").encode()
        self._journal.seek(0)
        lines = self._journal.read().splitlines(keepends=True)
        if not lines or lines[0] != head:
            self._journal.truncate(0)
            os.ftruncate(self._file, 0)
            self._journal.write(head)
            self._journal.flush()
            return
        if not lines[-1].endswith(b"\n"):
            self._journal.write(b"\n")  # a line that was cut off stays alone
        for line in lines[1:]:
            entry = _journal_entry(self.spec, line)
            if entry is not None:
                number, row = entry
                data = os.pread(self._file, row.n_samples * SAMPLE_BYTES, self._offset(number))
                if zlib.crc32(data) == row.crc32:
                    self._rows[number] = row
                else:
                    self._rows.pop(number, None)


def _journal_entry(spec: PadSpec, line: bytes) -> tuple[int, PadRow] | None:
    """A finished row and its number, or None for a line that was cut off."""
    try:
        number, *values = json.loads(line)
        row = PadRow(*values)
        if not all(type(value) is int for value in (number, *values)):  # 3.0 is a number of JSON, but no place
            return None
        if not 0 <= number < spec.n_rows:
            return None
        check_row(spec, number, row)
    except (ValueError, TypeError, RecursionError, TetradError):
        return None
    return number, row


def _refusal(path: Path, error: OSError) -> str:
    return (
        f"cannot write {path}: {error.strerror or error}; a directory with rights and room was expected; "
        "see to them, and start again: finished rows stay"
    )


def _write_at(file: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        n = os.pwrite(file, view, offset)
        view, offset = view[n:], offset + n
