"""The constant-Q transform: a spectrum whose bins are spaced evenly in octaves, with magnitude and phase.

Brown and Puckette, "An efficient algorithm for the calculation of a constant Q transform" (JASA 92(5), 1992): a frame's
FFT is multiplied with the spectra of the windowed tones that the bins stand for; each spectrum is narrow, so few
products remain. Why not librosa, which has one: it is well kept, but brings scikit-learn, scipy, joblib and pooch
for these thirty lines, and torchaudio has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from synth.frames import Float64Array

Complex64Array = npt.NDArray[np.complex64]
_NEGLIGIBLE = 1e-3
"""Of a kernel's largest spectral value: what is below is left out."""


@dataclass(frozen=True)
class ConstantQ:
    """Bins at `lowest_hz 2**(k / bins_per_octave)`, k < `n_bins`, all of them below half of `rate_hz`.

    A bin's window is a periodic Hann of `sharpness` times the length at which neighbouring bins just part, and at most
    of `n_fft` samples: the lowest bins are less sharp than constant Q, and the onset stays in place.
    """

    rate_hz: int
    lowest_hz: float
    bins_per_octave: int
    n_bins: int
    n_fft: int
    sharpness: float = 1.0

    def __post_init__(self) -> None:
        highest_hz = float(self.frequencies_hz[-1])
        if highest_hz >= self.rate_hz / 2:
            raise ValueError(f"the highest bin is at {highest_hz:.0f} Hz, not below half of {self.rate_hz} Hz")

    @property
    def frequencies_hz(self) -> Float64Array:
        """float64 [n_bins]"""
        return self.lowest_hz * 2.0 ** (np.arange(self.n_bins) / self.bins_per_octave)

    def transform(self, audio: npt.NDArray[np.floating], hop: int) -> Complex64Array:
        """float [n] to complex64 [1 + (n - 1) // hop, n_bins]; frame i is centred on sample i hop.

        A full-scale sine in the middle of a bin has magnitude 1 there, and its phase is the sine's at the centre of the
        frame (that of a cosine is 0). What lies before and after the audio is silence.
        """
        half = self.n_fft // 2
        padded = np.pad(np.asarray(audio, np.float32), (half, half))
        frames = np.lib.stride_tricks.sliding_window_view(padded, self.n_fft)[: len(audio) : hop]
        spectra = np.fft.rfft(frames, axis=-1)
        found = np.empty((len(frames), self.n_bins), np.complex64)
        for k, (start, kernel) in enumerate(_kernels(self)):
            found[:, k] = spectra[:, start : start + len(kernel)] @ kernel
        return found


@lru_cache(maxsize=4)
def _kernels(settings: ConstantQ) -> list[tuple[int, Complex64Array]]:
    """For each bin the first FFT bin that it takes from, and the conjugate spectrum of its tone from there on."""
    n_fft, rate_hz = settings.n_fft, settings.rate_hz
    sample = np.arange(n_fft) - n_fft // 2
    octave_step = 2.0 ** (1.0 / settings.bins_per_octave) - 1.0
    kernels = []
    for frequency_hz in settings.frequencies_hz:
        length = min(n_fft, settings.sharpness * rate_hz / (octave_step * frequency_hz))
        window = np.where(np.abs(sample) < length / 2, 0.5 + 0.5 * np.cos(2.0 * np.pi * sample / length), 0.0)
        tone = window * (2.0 / window.sum()) * np.exp(2j * np.pi * frequency_hz / rate_hz * sample)
        spectrum = np.fft.fft(tone)[: n_fft // 2 + 1]
        magnitude = np.abs(spectrum)
        kept = np.flatnonzero(magnitude > _NEGLIGIBLE * magnitude.max())
        start, stop = int(kept[0]), int(kept[-1]) + 1
        kernels.append((start, (np.conj(spectrum[start:stop]) / n_fft).astype(np.complex64)))
    return kernels
