"""The audio of one note on disk: 24-bit FLAC at 48 kHz and at 16 kHz, and what the example says about it."""

import hashlib
import io
import math
from pathlib import Path

import numpy as np
import soundfile

from models.dataset.notes import HELD_S, LOW_RATE_HZ, N_LOW_SAMPLES, N_SAMPLES, SAMPLE_RATE_HZ
from synth.errors import TetradError
from synth.files import atomic_write_bytes
from synth.instruments.resampling import to_encoder_rate

AUDIO_DIR = "audio"
LOW_AUDIO_DIR = "audio16"
_FULL_SCALE = 1 << 23


def audio_path(directory: Path, note_name: str) -> Path:
    """The 48 kHz file of a note."""
    return directory / AUDIO_DIR / f"{note_name}.flac"


def low_audio_path(directory: Path, note_name: str) -> Path:
    """The 16 kHz file of a note."""
    return directory / LOW_AUDIO_DIR / f"{note_name}.flac"


def write_note(directory: Path, note_name: str, audio: np.ndarray) -> dict[str, object]:
    """Write both files of a note, each whole or not at all. Returns the same as `describe_note`.

    Args: `audio` float64 within -1..1: [192000] at 48 kHz, or [64000] at 16 kHz, of which the 16 kHz file alone is
    written. A sample outside, or not finite, raises TetradError.
    """
    _check_level(note_name, audio)
    if len(audio) == N_LOW_SAMPLES:
        atomic_write_bytes(low_audio_path(directory, note_name), _flac(_quantise(audio), LOW_RATE_HZ))
        return describe_note(directory, note_name, LOW_RATE_HZ)
    # The 16 kHz version comes from the written samples, so that both files tell of the same signal.
    written = _quantise(audio)
    low = np.clip(to_encoder_rate(written / _FULL_SCALE), -1.0, 1.0)
    atomic_write_bytes(audio_path(directory, note_name), _flac(written, SAMPLE_RATE_HZ))
    atomic_write_bytes(low_audio_path(directory, note_name), _flac(_quantise(low), LOW_RATE_HZ))
    return describe_note(directory, note_name)


def _check_level(note_name: str, audio: np.ndarray) -> None:
    peak = float(np.abs(audio).max())
    if not math.isfinite(peak):
        raise TetradError(
            f"{note_name} holds samples that are not numbers; finite ones were expected; try another font"
        )
    if peak > 1.0:
        raise TetradError(
            f"{note_name} peaks {20 * math.log10(peak):.1f} dB over full scale, which no file holds; at most 0 dB was "
            "expected; lower --gain-db by as much"
        )


def describe_note(directory: Path, note_name: str, rate_hz: int = SAMPLE_RATE_HZ) -> dict[str, object]:
    """Read the files back. Returns peak (linear), held_db and the SHA-256 of each; raises TetradError if unusable.

    `held_db` is the level of the last second before the release relative to 0.1..1.0 s: near 0 for a note that goes on
    sounding, strongly negative for one that dies away; null for a note without sound there. `rate_hz` is 48 kHz, or
    16 kHz for a note with the 16 kHz file alone, which then has no `sha256`.
    """
    low_path = low_audio_path(directory, note_name)
    audio = read_low_audio(low_path)
    digests = {"sha256_16k": hashlib.sha256(low_path.read_bytes()).hexdigest()}
    if rate_hz == SAMPLE_RATE_HZ:
        path = audio_path(directory, note_name)
        audio = read_audio(path)
        digests = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()} | digests
    body = float(np.mean(np.square(audio[rate_hz // 10 : rate_hz], dtype=np.float64)))
    last = round(HELD_S * rate_hz)
    held = float(np.mean(np.square(audio[last - rate_hz : last], dtype=np.float64)))
    return {
        "peak": float(np.abs(audio).max()),
        "held_db": round(10 * math.log10(held / body), 2) if held > 0 and body > 0 else None,
        **digests,
    }


def already_there(directory: Path, note_name: str, rate_hz: int = SAMPLE_RATE_HZ) -> dict[str, object] | None:
    """What `describe_note` says of a note that an earlier run finished; None when it has to be made."""
    try:
        return describe_note(directory, note_name, rate_hz)
    except TetradError:
        return None  # missing or damaged: making it again is the remedy


def read_audio(path: Path) -> np.ndarray:
    """float32 [192000] at 48 kHz, -1..1, exactly as written. Raises TetradError for a missing or unfit file."""
    return _read(path, SAMPLE_RATE_HZ, N_SAMPLES)


def read_low_audio(path: Path) -> np.ndarray:
    """float32 [64000] at 16 kHz, -1..1. Raises TetradError for a missing or unfit file."""
    return _read(path, LOW_RATE_HZ, N_LOW_SAMPLES)


def _read(path: Path, rate_hz: int, n_samples: int) -> np.ndarray:
    expected = f"{n_samples} mono samples at {rate_hz} Hz were expected; run `tetrad model data` again"
    try:
        audio, found_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise TetradError(f"cannot read {path} ({error}); {expected}") from error
    if found_hz != rate_hz or audio.shape != (n_samples, 1):
        raise TetradError(
            f"{path} has {audio.shape[0]} samples in {audio.shape[1]} channels at {found_hz} Hz; {expected}"
        )
    if not np.isfinite(audio).all():
        n_bad = int(np.count_nonzero(~np.isfinite(audio)))
        raise TetradError(f"{path} holds {n_bad} samples that are not numbers; {expected}")
    mono: np.ndarray = audio[:, 0]
    return mono


def _quantise(audio: np.ndarray) -> np.ndarray:
    """float -1..1 to 24-bit integers, int32."""
    return np.clip(np.round(audio * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int32)


def _flac(samples: np.ndarray, rate_hz: int) -> bytes:
    """24-bit samples in int32 to a FLAC file. libsndfile takes the upper 24 bits of an int32."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples << 8, rate_hz, format="FLAC", subtype="PCM_24")
    return buffer.getvalue()
