"""A recording while it is made: a hidden WAV file (stereo, 24 bits) whose header is right only at the end.

`.NAME.tetrad-take` lies beside the file that it will become. Its maker holds a lock on it (flock), which the system
lets go of when the process dies: a take without a lock was left behind, and lacks nothing but the sizes in its header.
"""

import fcntl
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from synth.errors import TetradError
from synth.files import atomic_path

TAKE_SUFFIX = ".tetrad-take"
SOUND_SUFFIXES = (".flac", ".wav")
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_FRAME_BYTES = 6
_MOST_BYTES = 2**32 - 1 - _HEADER.size
_FULL_SCALE = 2**23
_CHUNK_SAMPLES = 1 << 16


class Take(NamedTuple):
    """A finished recording."""

    path: Path
    duration_s: float
    lost_samples: int = 0  # silence is in their place
    problem: str | None = None
    """What went wrong, in one line: a full disk ended it, or it is a WAV file where FLAC was wanted."""


class TakeFile:
    """A take that grows. Raises OSError as files do; `path` is what it will become."""

    def __init__(self, path: Path, sample_rate_hz: int) -> None:
        self.path = path
        self._raw = path.with_name(f".{path.name}{TAKE_SUFFIX}")
        self._file = self._raw.open("xb", buffering=0)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.n_samples = 0
        try:
            self._write_all(_header(sample_rate_hz, 0))
        except OSError:
            self.discard()
            raise

    def write(self, sound: NDArray[np.float32]) -> None:
        """Appends float32 [n, 2]: n = round(x 2^23), clipped to 24 bits; what is not a number is silence."""
        if (self.n_samples + len(sound)) * _FRAME_BYTES > _MOST_BYTES:
            raise OSError(27, "a WAV file holds 4 GB")
        self._write_all(_packed(sound))
        self.n_samples += len(sound)

    def _write_all(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:  # a full disk takes a part before it refuses
            rest = rest[self._file.write(rest) :]

    def sync(self) -> None:
        """To the disk itself, for the day when the mains fail."""
        os.fdatasync(self._file.fileno())

    def finish(self) -> Take:
        """Makes it the file that was wanted. TetradError when that fails; the take then stays, for `rescue`."""
        try:
            return finish_take(self._raw, self.path)
        finally:
            self._file.close()

    def discard(self) -> None:
        """Nothing is left of it, and its room is free again."""
        self._raw.unlink(missing_ok=True)
        self._file.close()


def checked_target(path: Path | str) -> Path:
    """The path of a sound file to come, or TetradError: its ending is .flac or .wav, and nothing is there yet."""
    target = Path(path).absolute()
    if target.suffix.lower() not in SOUND_SUFFIXES:
        raise TetradError(f"{path} ends in {target.suffix or 'nothing'}; .flac or .wav was expected; name it so")
    if target.exists():
        raise TetradError(f"{path} is there already; a new name was expected, no recording is replaced; choose one")
    if not target.parent.is_dir():
        raise TetradError(f"cannot write {path}: there is no directory {target.parent}; create it, or name another")
    return target


def left_takes(folder: Path) -> Iterator[tuple[Path, Path]]:
    """(take, what it was to become) for all takes in a folder that no living process holds."""
    for raw in sorted(folder.glob(f".*{TAKE_SUFFIX}")):
        with raw.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield raw, raw.with_name(raw.name[1 : -len(TAKE_SUFFIX)])


def finish_take(raw: Path, wanted: Path) -> Take:
    """Puts the sizes into a take's header and makes it `wanted`, or where that exists `wanted-2`, and so on.

    A take that can't become FLAC (no room for both) becomes WAV, and says so. TetradError for what is no take, or an
    empty one, which goes.
    """
    try:
        with raw.open("r+b") as file:
            rate, n_samples = _read_header(file.read(_HEADER.size), raw.stat().st_size)
            if n_samples > 0:
                file.truncate(_HEADER.size + n_samples * _FRAME_BYTES)  # half a sample that a full disk took
                file.seek(0)
                file.write(_header(rate, n_samples))
                os.fsync(file.fileno())
    except (OSError, ValueError) as error:
        raise TetradError(
            f"{raw} can't be made whole ({error}); a recording was expected; look at it or remove it"
        ) from error
    if n_samples == 0:
        raw.unlink()
        raise TetradError(f"{wanted} has no sound; a recording of at least a moment was expected; record again")
    target, problem = _free_name(wanted), None
    try:
        if target.suffix.lower() == ".flac":
            _encode(raw, target, rate)
            raw.unlink()
        else:
            raw.replace(target)
    except (TetradError, OSError) as error:
        problem = f"{target} could not be written and is a WAV file instead: {error}"
        target = _free_name(wanted.with_suffix(".wav"))
        raw.replace(target)
    return Take(target, n_samples / rate, 0, problem)


def _encode(raw: Path, target: Path, rate: int) -> None:
    """FLAC of the same 24 bits, compared with them: libsndfile does not tell when the disk refuses its last bytes."""
    with atomic_path(target) as temporary:
        try:
            with soundfile.SoundFile(temporary, "w", rate, 2, subtype="PCM_24", format="FLAC") as file:
                for sound in _chunks(raw):
                    file.write(sound)
            with soundfile.SoundFile(temporary) as file:
                whole = all(np.array_equal(file.read(len(sound), dtype="int32"), sound) for sound in _chunks(raw))
        except (soundfile.SoundFileError, AssertionError) as error:  # it asserts that all samples were taken
            raise TetradError(f"cannot write {target}: {error or 'no room'}; free some space") from error
        if not whole:
            raise TetradError(f"cannot write {target}: the disk took a part of it; free some space")


def _chunks(raw: Path) -> Iterator[NDArray[np.int32]]:
    """The samples of a take, int32 [n, 2], with the 24 bits in the upper part."""
    with raw.open("rb") as source:
        source.seek(_HEADER.size)
        while data := source.read(_CHUNK_SAMPLES * _FRAME_BYTES):
            full = np.zeros((len(data) // 3, 4), np.uint8)
            full[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
            yield full.view("<i4").reshape(-1, 2).astype(np.int32)


def _packed(sound: NDArray[np.float32]) -> bytes:
    """24-bit little-endian samples."""
    scaled = np.nan_to_num(sound, nan=0.0, posinf=1.0, neginf=-1.0) * np.float32(_FULL_SCALE)
    whole = np.clip(np.rint(scaled), -_FULL_SCALE, _FULL_SCALE - 1).astype("<i4")
    return np.ascontiguousarray(whole).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


def _header(rate: int, n_samples: int) -> bytes:
    """RIFF, fmt (PCM, 2 channels, 24 bits) and data."""
    size = n_samples * _FRAME_BYTES
    form = (16, 1, 2, rate, rate * _FRAME_BYTES, _FRAME_BYTES, 24)
    return _HEADER.pack(b"RIFF", size + _HEADER.size - 8, b"WAVE", b"fmt ", *form, b"data", size)


def _read_header(data: bytes, file_bytes: int) -> tuple[int, int]:
    """Sample rate and whole samples that a file of this length has. ValueError when it is none of ours."""
    if len(data) < _HEADER.size:
        raise ValueError(f"it has {len(data)} bytes")
    fields = _HEADER.unpack(data)
    if (fields[0], fields[2], fields[3], fields[10], fields[11]) != (b"RIFF", b"WAVE", b"fmt ", 24, b"data"):
        raise ValueError("it does not begin like a WAV file of 24 bits")
    return int(fields[7]), (file_bytes - _HEADER.size) // _FRAME_BYTES


def _free_name(path: Path) -> Path:
    """`path`, or where there is a file of this name `path-2`, `path-3` and so on."""
    found, number = path, 1
    while found.exists():
        number += 1
        found = path.with_stem(f"{path.stem}-{number}")
    return found
