"""The residuals of all notes of an instrument as one FLAC stream of 16 bits (RFC 9639), lossless for what it is given.

Each residual has a scale of its own, a power of two. One whose samples are multiples of a larger power of two is packed
smaller: FLAC leaves out the bits at the bottom that a block does not use ("wasted bits", RFC 9639 section 9.2.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import numpy.typing as npt
import soundfile

from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ, Float32Array

LOWEST_EXPONENT = -40


def exponent_of(residual: Float32Array) -> int:
    """Least e with |residual| < 2^e, so that 16-bit integers times 2^(e - 15) hold it; 0 for silence."""
    peak = float(np.abs(residual).max(initial=0.0))
    return max(int(np.frexp(peak)[1]), LOWEST_EXPONENT) if peak > 0.0 else 0


def quantise_residual(residual: Float32Array, step: float) -> Float32Array:
    """Rounded to multiples of the power of two next below `step` (> 0), but to no more than 16 bits."""
    grid = 2.0 ** max(np.floor(np.log2(step)), exponent_of(residual) - 15)
    return (np.round(residual / grid) * grid).astype(np.float32)


def encode_residuals(residuals: Sequence[Float32Array]) -> bytes:
    """float32 [N] each -> a FLAC stream, b"" for no samples at all."""
    pieces = [_integers(r) for r in residuals]
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
    if samples.size == 0:
        return b""
    stream = BytesIO()
    soundfile.write(stream, samples, SAMPLE_RATE_HZ, subtype="PCM_16", format="FLAC", compression_level=1.0)
    return stream.getvalue()


def largest_stream(n_samples: int) -> int:
    """No FLAC stream of so many 16-bit samples needs more bytes: verbatim blocks, their heads, and the metadata."""
    return 2 * n_samples + n_samples // 64 + 65_536


def decode_residuals(stream: bytes, lengths: Sequence[int], exponents: Sequence[int]) -> list[Float32Array]:
    """Inverse of `encode_residuals`: float32 [length] each. Raises TetradError for any other stream."""
    if sum(lengths) == 0:
        if stream:
            raise TetradError(f"its residual has {len(stream)} bytes, expected none")
        return [np.zeros(0, np.float32) for _ in lengths]
    try:
        with soundfile.SoundFile(BytesIO(stream)) as file:
            found = (file.format, file.subtype, file.channels, file.samplerate, file.frames)
            expected = ("FLAC", "PCM_16", 1, SAMPLE_RATE_HZ, sum(lengths))
            if found != expected:
                raise TetradError(f"its residual is {found}, expected {expected}")
            samples = file.read(sum(lengths), dtype="int16")
    except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
        raise TetradError(f"its residual can't be decoded ({error})") from error
    if samples.shape != (sum(lengths),):
        raise TetradError(f"its residual has {samples.shape[0]} samples, expected {sum(lengths)}")
    ends = np.cumsum(lengths)[:-1]
    return [
        piece.astype(np.float32) * np.float32(2.0 ** (exponent - 15))
        for piece, exponent in zip(np.split(samples, ends), exponents, strict=True)
    ]


def _integers(residual: Float32Array) -> npt.NDArray[np.int16]:
    scaled = np.round(residual.astype(np.float64) * 2.0 ** (15 - exponent_of(residual)))
    return np.clip(scaled, -32768, 32767).astype(np.int16)
