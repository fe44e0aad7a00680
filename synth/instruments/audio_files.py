"""Audio files of any kind, as hostile input: what is in them, stretches of them, and what was wrong with them.

Formats are told by their first bytes, not by the name, and only those of FORMATS reach libsndfile (it reads twenty
more, which no player has). Lengths are bounded by counting samples before any is read.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from synth.errors import TetradError
from synth.frames import Float32Array
from synth.instruments.analysis import check_audio
from synth.instruments.notes import RawAudio
from synth.instruments.resampling import to_engine_rate

AUDIO_SUFFIXES = (".wav", ".flac", ".aiff", ".aif", ".ogg", ".mp3")
FORMATS = "WAV, AIFF, FLAC, OGG or MP3"
LONGEST_S = 120.0
"""Of one reading, in seconds: a note of a minute, and as much silence."""
LONGEST_FILE_S = 3600.0
"""Of a file that is read in stretches, in seconds."""
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 1_000, 768_000
MOST_CHANNELS = 32
MOST_VALUES = 48_000_000
"""Samples times channels of one reading: 192 MB, 120 s of stereo at 192 kHz."""
_BLOCK, _SMALL_BLOCK = 262_144, 4096
_ABSURD = 1e10
"""Beyond the largest 32-bit integer as a float (2.1e9): no sample of a recording, whatever its scale."""


class AudioFacts(NamedTuple):
    """What the header says. duration_s: of what is there. problem: "" or what is wrong with the file, one line."""

    rate_hz: int
    n_channels: int
    n_samples: int
    problem: str

    @property
    def duration_s(self) -> float:
        return self.n_samples / self.rate_hz


def examine(path: Path) -> AudioFacts:
    """The header of a file and whether its end is there, without reading its samples.

    Raises TetradError when it is no audio file that can be read.
    """
    with _open(path) as file:
        return AudioFacts(file.samplerate, file.channels, file.frames, _cut_short(path, file))


def read_audio(path: Path, start_s: float = 0.0, end_s: float | None = None) -> RawAudio:
    """The stretch from start_s to end_s (None: to the end), at most LONGEST_S long, at the file's own rate.

    Samples as they were found, NaN among them (`listening` mends those, and says so). A file that breaks off gives what
    is there (`examine` says so). Raises TetradError for what is no audio file, and for an empty or too long stretch.
    """
    with _open(path) as file:
        rate_hz = file.samplerate
        start = round(max(start_s, 0.0) * rate_hz)
        end = file.frames if end_s is None else min(round(end_s * rate_hz), file.frames)
        if end <= start:
            raise TetradError(
                f"{path} lasts {file.frames / rate_hz:.2f} s; nothing is left of it from {start_s:.2f} s on; "
                "give an earlier stretch"
            )
        if end - start > LONGEST_S * rate_hz or (end - start) * file.channels > MOST_VALUES:
            raise TetradError(
                f"{path} lasts {(end - start) / rate_hz:.0f} s in {file.channels} channels; one note of at most "
                f"{LONGEST_S:.0f} s was expected; cut it"
            )
        samples = _read(file, start, end)
    if not len(samples):
        raise TetradError(
            f"{path} breaks off before {start / rate_hz:.2f} s; a complete file was expected; fetch it again"
        )
    return RawAudio(samples, rate_hz)


def stretches(path: Path, stretch_s: float) -> Iterator[RawAudio]:
    """A file of at most LONGEST_FILE_S one stretch after the other, without ever holding more; broken samples are 0."""
    with _open(path) as file:
        if file.frames > LONGEST_FILE_S * file.samplerate:
            raise TetradError(
                f"{path} lasts {file.frames / file.samplerate / 60.0:.0f} minutes; at most "
                f"{LONGEST_FILE_S / 60.0:.0f} were expected; cut out what you want"
            )
        step = max(min(round(stretch_s * file.samplerate), MOST_VALUES // file.channels), 1)
        for start in range(0, file.frames, step):
            samples = _read(file, start, min(start + step, file.frames))
            if len(samples):
                samples[~(np.abs(samples) < _ABSURD)] = 0.0
                yield RawAudio(samples, file.samplerate)
            if len(samples) < min(step, file.frames - start):
                return


def read_note_audio(path: Path) -> Float32Array:
    """One channel at 48 kHz, float32 [N], of a whole file of at most LONGEST_S; channels are averaged. For recordings
    that were prepared: any sample that is no number is refused."""
    raw = read_audio(path)
    return check_audio(to_engine_rate(raw.samples.mean(axis=1), raw.rate_hz), str(path))


def _open(path: Path) -> soundfile.SoundFile:
    """A file whose header has been checked; the caller closes it."""
    _check_kind(path)
    try:
        file = soundfile.SoundFile(path)
    except (OSError, TypeError, ValueError, RuntimeError) as error:  # LibsndfileError is a RuntimeError
        raise TetradError(f"{path} can't be read as audio ({error}); expected {FORMATS}; export it again") from error
    problem = ""
    if not LOWEST_RATE_HZ <= file.samplerate <= HIGHEST_RATE_HZ:
        problem = f"says {file.samplerate} samples a second; expected {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ}"
    elif not 1 <= file.channels <= MOST_CHANNELS:
        problem = f"has {file.channels} channels; expected 1 to {MOST_CHANNELS}"
    elif file.frames < 1:
        problem = "holds no samples; expected a recording"
    if problem:
        file.close()
        raise TetradError(f"{path} {problem}; export it again")
    return file


def _check_kind(path: Path) -> None:
    """Refuses what is no regular file or does not begin like audio. A pipe is not opened: it might never answer."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise TetradError(f"{path} is a folder; an audio file was expected; name a file in it")
        if not stat.S_ISREG(mode):
            raise TetradError(f"{path} is a device or a pipe; an audio file was expected; name another")
        with path.open("rb") as file:
            head = file.read(64)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = error.strerror if isinstance(error, OSError) else error
        raise TetradError(f"{path} can't be read ({reason}); an audio file was expected; check the name") from error
    if not head:
        raise TetradError(f"{path} is empty; an audio file was expected; export it again")
    if _looks_like_audio(head):
        return
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in head):
        raise TetradError(f"{path} holds text, not sound; expected {FORMATS}; name another file")
    raise TetradError(f"{path} does not begin like an audio file; expected {FORMATS}; convert it")


def _looks_like_audio(head: bytes) -> bool:
    if head[:4] in (b"RIFF", b"RIFX", b"RF64"):
        return head[8:12] in (b"WAVE", b"")  # b"": breaks off, and libsndfile says so
    if head[:4] == b"FORM":
        return head[8:12] in (b"AIFF", b"AIFC", b"")
    # An MPEG frame: eleven bits set, then a version and a layer that exist.
    mpeg = len(head) > 1 and head[0] == 0xFF and head[1] >= 0xE0 and head[1] & 0x18 != 0x08 and head[1] & 0x06 != 0
    return head[:4] in (b"fLaC", b"OggS") or head[:3] == b"ID3" or mpeg


def _cut_short(path: Path, file: soundfile.SoundFile) -> str:
    """What is missing at the end, by the header of WAV and AIFF and a look at the last sample; "" where nothing is."""
    found = re.search(r"^\s*(?:data|SSND) : (\d+) \(should be (\d+)\)", str(file.extra_info), re.MULTILINE)
    if found is not None and int(found[2]) < int(found[1]):
        share = int(found[2]) / int(found[1])
        return f"{path.name} is cut short: {share:.0%} of its samples are there, and will be taken"
    if not len(_read(file, file.frames - 1, file.frames)):
        return f"{path.name} breaks off before its end; what is there will be taken"
    return ""


def _read(file: soundfile.SoundFile, start: int, end: int) -> Float32Array:
    """Samples start..end, or up to where the file breaks off: float32 [n, channels]."""
    samples = np.empty((end - start, file.channels), np.float32)
    n_read = _fill(file, start, samples, _BLOCK)
    if n_read < len(samples):
        # libsndfile gives nothing of a read in which a FLAC stream breaks: again in small ones, so that little is lost.
        n_read += _fill(file, start + n_read, samples[n_read:], _SMALL_BLOCK)
    return samples[:n_read]


def _fill(file: soundfile.SoundFile, start: int, samples: Float32Array, block: int) -> int:
    """Reads from sample `start` on; returns how many came before the end, or before what can't be read."""
    n_read = 0
    try:
        file.seek(start)
        while n_read < len(samples):
            n_now = len(file.read(out=samples[n_read : n_read + block]))
            if not n_now:
                break
            n_read += n_now
    except RuntimeError:  # what libsndfile's errors are
        return n_read
    return n_read
