"""Log-spectral distance between a recording and its rendering, the measure of DESIGN section 9."""

import numpy as np

from synth.errors import TetradError

STFT_SIZES = (256, 512, 1024, 2048, 4096)  # samples
FLOOR = 1e-4  # of the source's peak sample: 80 dB below it, differences fade out


def log_spectral_distance_db(source: np.ndarray, rendered: np.ndarray) -> float:
    """Mean over STFT sizes of the mean over bins and frames of |level(source) - level(rendered)|, in dB.

    level(x) = 20 log10(|X| / g + 1e-4), with |X| such that a full-scale sine in the middle of a bin reads 1, and `g`
    the source's peak sample. Frames are periodic Hann windows a quarter of their length apart, the first one centred
    on sample 0, the last one on the last multiple of the hop within the signal; both signals count as 0 outside. So
    the first samples of an attack weigh as much as any others.

    Args: `source`, `rendered` real [n], [m], any sampling rate, the same for both. `rendered` is cut or filled up with
    zeros to n samples. Sums are float64.
    Returns: dB, 0 for equal signals; two signals that differ by a gain of G dB, both far above the floor, have |G|.
    Raises TetradError: a source that is empty or silent, another shape than [n], or values that are not finite.
    """
    x, y = _checked(source, "source"), _checked(rendered, "rendered signal")
    peak = float(np.abs(x).max(initial=0.0))
    if peak == 0.0:
        raise TetradError("the source is empty or silent; a signal was expected, as its peak is what levels refer to")
    y = np.pad(y[: len(x)], (0, max(0, len(x) - len(y))))
    return float(np.mean([np.mean(np.abs(_level_db(x, n, peak) - _level_db(y, n, peak))) for n in STFT_SIZES]))


def _level_db(signal: np.ndarray, size: int, peak: float) -> np.ndarray:
    """float64 [frames, size/2 + 1]: dB over `peak`, not below -80."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(signal, size // 2), size)[:: size // 4]
    magnitude = np.abs(np.fft.rfft(frames * window, axis=1)) * (2.0 / window.sum())
    level: np.ndarray = 20.0 * np.log10(magnitude / peak + FLOOR)
    return level


def _checked(signal: np.ndarray, what: str) -> np.ndarray:
    samples = np.asarray(signal, np.float64)
    if samples.ndim != 1:
        raise TetradError(f"the {what} has shape {list(samples.shape)}; one channel, shape [n], was expected")
    if not np.isfinite(samples).all():
        n_bad = int(np.count_nonzero(~np.isfinite(samples)))
        raise TetradError(f"the {what} holds {n_bad} samples that are not numbers; finite ones were expected")
    return samples
