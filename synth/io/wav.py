"""Writing sound files: 24-bit stereo WAV, block by block, there only when it is complete."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from synth.errors import TetradError
from synth.files import atomic_path


class WavWriter:
    """Takes blocks of float32 [n_samples, 2], -1..1; remembers the peak and how many samples went beyond full scale."""

    def __init__(self, file: soundfile.SoundFile) -> None:
        self._file = file
        self.n_samples = 0
        self.peak = 0.0  # linear, 1.0 is full scale
        self.n_clipped = 0

    def write(self, block: NDArray[np.float32]) -> None:
        """Append a block. Samples beyond -1..1 are clipped and counted; NaN or infinity raises TetradError."""
        magnitude = np.abs(block)
        peak = float(magnitude.max(initial=0.0))
        if not np.isfinite(peak):
            raise TetradError(
                f"the sound at sample {self.n_samples} is not a number; finite samples were expected; "
                "report this with the command that led to it"
            )
        self.peak = max(self.peak, peak)
        if peak > 1.0:
            self.n_clipped += int(np.count_nonzero(magnitude > 1.0))
        self._file.write(block)
        self.n_samples += len(block)


@contextlib.contextmanager
def open_wav(path: Path | str, sample_rate_hz: int) -> Iterator[WavWriter]:
    """Write a WAV file (PCM, 24 bits, 2 channels), which appears under its name when the block ends without an error.

    Raises TetradError when the directory cannot be written or the disk is full.
    """
    with atomic_path(path) as temporary:
        try:
            file = soundfile.SoundFile(temporary, "w", sample_rate_hz, 2, subtype="PCM_24", format="WAV")
            with file:
                yield WavWriter(file)
        except soundfile.SoundFileError as error:
            raise TetradError(
                f"cannot write {path}: {error}; a disk with room was expected; free some space"
            ) from error
