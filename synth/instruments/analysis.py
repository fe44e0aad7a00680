"""Measure control frames from the recording of one note.

A recording of a known key becomes: a tuned fundamental and inharmonicity, the level of each partial, a common pitch
deviation, and the level of the noise that is left. The steps, each a pure function:

1. `fit_partials`: peaks of a long spectrum near the key's partials, then the weighted least-squares fit of
   `log(f_k / k) = log f0 + log(1 + B k^2) / 2` (Fletcher 1964; Rauhala et al. 2007 fit the same law).
2. `demodulate`: the complex amplitude of every partial, frame by frame, with a window of about four periods, so that
   the neighbours fall on the window's zeros.
3. `common_deviation_cents`: one pitch track from the phase increments of the low partials; if it wavers audibly, the
   note is warped to constant pitch and demodulated again.
4. The partials are subtracted by overlap-add of the same complex amplitudes, and `noise_bands` measures the rest
   (Serra and Smith 1990).

A recording without pitch is told by how little of it the partials explain, and is then all noise bands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from synth.errors import TetradError
from synth.frames import (
    HIGHEST_PARTIAL_HZ,
    HOP,
    LEVEL_FLOOR_DB,
    N_PARTIALS,
    SAMPLE_RATE_HZ,
    ControlFrames,
    Float32Array,
    Float64Array,
    partial_frequencies_hz,
    pitch_to_hz,
)
from synth.instruments.noise_bands import noise_bands

Complex64Array = npt.NDArray[np.complex64]

PERIODS_PER_WINDOW = 4.0
SHORTEST_WINDOW = 2 * HOP
LONGEST_WINDOW = 8192
"""171 ms: four periods of 23 Hz. Lower notes get fewer periods rather than a blurred attack."""
SEARCH_CENTS = 70.0
MAX_INHARMONICITY = 2e-3
"""The highest strings of a piano have about 1e-2, but there only two partials are below 20 kHz."""
PITCHED_SHARE = 0.5
"""Least share of the energy that the partials must explain. Sustained programs reach 0.97 and more, cymbals 0.1."""
RANGE_DB = 100.0
"""Levels further than this below the note's peak are silence."""


@dataclass(frozen=True)
class PartialFit:
    """`f0_hz` > 0, `inharmonicity` >= 0, and the number of spectral peaks that the line was drawn through."""

    f0_hz: float
    inharmonicity: float
    n_peaks: int


class Measured(NamedTuple):
    """K partials of a recording: magnitude float32 [T, K], start phase in turns float64 [K], the recording without them
    float32 [N], the common deviation in cents float32 [T]; and, if the deviation was taken out before, each frame's
    time in samples of the warped recording float64 [T]."""

    magnitude: Float32Array
    start_turns: Float64Array
    rest: Float32Array
    deviation_cents: Float32Array
    frame_time: Float64Array | None


@dataclass(frozen=True)
class NoteAnalysis:
    """What was measured of one note. `pitched` False means: no partials, all of it is in the noise bands.

    `explained_share` 0..1 is the share of the recording's energy that the partials hold. `ratios` and `phases` are as
    in `format.Note`; `rest` float32 [N] is the recording without its partials, None unless it was asked for.
    """

    frames: ControlFrames
    pitch: float
    tuning_cents: float
    inharmonicity: float
    pitched: bool
    explained_share: float
    ratios: Float32Array | None = None
    phases: npt.NDArray[np.uint8] | None = None
    rest: Float32Array | None = None

    @property
    def f0_hz(self) -> float:
        """The tuned fundamental that `frames.deviation_cents` is relative to."""
        return float(pitch_to_hz(self.pitch + self.tuning_cents / 100.0))


def check_audio(audio: npt.ArrayLike, what: str = "the recording") -> Float32Array:
    """One channel of finite samples as float32 [N]; a TetradError says what else was found."""
    samples = np.asarray(audio, dtype=np.float32)
    if samples.ndim != 1:
        raise TetradError(f"{what} has shape {samples.shape}; expected one channel of samples; mix it to mono first")
    if samples.size < 2 * HOP:
        raise TetradError(f"{what} has {samples.size} samples; expected at least {2 * HOP} (16 ms); use a longer one")
    bad = int(samples.size - np.count_nonzero(np.isfinite(samples)))
    if bad:
        raise TetradError(f"{what} holds {bad} samples that are NaN or infinite; expected numbers; export it again")
    return samples


def fit_partials(audio: Float32Array, f0_nominal_hz: float, search_cents: float = SEARCH_CENTS) -> PartialFit:
    """Tuning and inharmonicity of `audio` (float32 [N], 48 kHz) near a nominal fundamental, from its loudest stretch.

    The line is drawn through the first 3 partials, then 5, 8, ..., 40, so that each search is guided by the last fit.
    """
    length = int(min(audio.size, max(16384, 24 * SAMPLE_RATE_HZ / f0_nominal_hz)))
    start = _loudest_stretch(audio, length)
    segment = audio[start : start + length].astype(np.float64) * np.hanning(length)
    n_fft = 1 << int(np.ceil(np.log2(length * 4)))
    level_db = 20.0 * np.log10(np.abs(np.fft.rfft(segment, n_fft)) + 1e-12)
    bin_hz = SAMPLE_RATE_HZ / n_fft
    floor_db = float(level_db.max()) - 70.0
    log_f0, inharmonicity = float(np.log(f0_nominal_hz)), 0.0
    reach = search_cents / 1200.0 * np.log(2.0)
    n_peaks = 0
    for n_partials in (3, 5, 8, 12, 18, 27, 40):
        k_found, offset, weight = [], [], []
        for k in range(1, n_partials + 1):
            expected_hz = k * np.exp(log_f0) * np.sqrt(1.0 + inharmonicity * k * k)
            if expected_hz * (1.0 + reach) > min(HIGHEST_PARTIAL_HZ, 0.45 * SAMPLE_RATE_HZ):
                break
            margin_hz = min(expected_hz * reach, 0.35 * np.exp(log_f0))
            low = max(1, int((expected_hz - margin_hz) / bin_hz))
            high = int((expected_hz + margin_hz) / bin_hz) + 2
            peak = low + int(np.argmax(level_db[low:high]))
            if peak in (low, high - 1) or level_db[peak] < floor_db:
                continue
            left, top, right = level_db[peak - 1 : peak + 2]
            curvature = left - 2.0 * top + right
            fraction = 0.5 * (left - right) / curvature if curvature < 0.0 else 0.0
            k_found.append(k)
            offset.append(np.log((peak + fraction) * bin_hz / k))
            weight.append(min(top - floor_db, 40.0))
        n_peaks = len(k_found)
        if n_peaks == 0:
            continue
        log_f0, inharmonicity = _fit_law(np.array(k_found, np.float64), np.array(offset), np.array(weight), log_f0)
        reach = max(reach * 0.6, 12.0 / 1200.0 * np.log(2.0))
    cents = 1200.0 / np.log(2.0) * (log_f0 - np.log(f0_nominal_hz))
    if n_peaks == 0 or abs(cents) > 1.2 * search_cents:
        return PartialFit(f0_nominal_hz, 0.0, 0)
    return PartialFit(float(np.exp(log_f0)), inharmonicity, n_peaks)


def _fit_law(k: Float64Array, log_f: Float64Array, weight: Float64Array, last: float) -> tuple[float, float]:
    """Weighted least squares of `log_f = a + log(1 + B k^2) / 2` by Gauss and Newton; outliers are dropped once.

    B stays within 0..MAX_INHARMONICITY. Returns (a, B).
    """
    keep = np.ones(k.size, dtype=bool)
    a, b = last, 0.0
    for _ in range(2):
        w, kk, v = weight[keep], k[keep] ** 2, log_f[keep]
        if kk.size < 3:
            a, b = float(np.median(v)), 0.0
        else:
            for _ in range(6):
                slope = 0.5 * kk / (1.0 + b * kk)
                rest = v - 0.5 * np.log1p(b * kk)
                mean_slope, mean_rest = np.average(slope, weights=w), np.average(rest, weights=w)
                spread = float(np.sum(w * (slope - mean_slope) ** 2))
                b += float(np.sum(w * (slope - mean_slope) * (rest - mean_rest))) / spread
                b = float(np.clip(b, 0.0, MAX_INHARMONICITY))
            a = float(np.average(v - 0.5 * np.log1p(b * kk), weights=w))
        error = np.abs(log_f - a - 0.5 * np.log1p(b * k**2))
        limit = max(3.0 * float(np.median(error)), 2.0 / 1200.0 * np.log(2.0))
        if np.all(error <= limit) or np.sum(error <= limit) < 2:
            break
        keep = error <= limit
    return a, b


def _loudest_stretch(audio: Float32Array, length: int) -> int:
    """Start of the stretch with the most energy, not before 30 ms: the attack has the noise, not the pitch."""
    energy = np.concatenate([[0.0], np.cumsum(audio.astype(np.float64) ** 2)])
    first = min(int(0.03 * SAMPLE_RATE_HZ), audio.size - length)
    return first + int(np.argmax(energy[first + length :] - energy[first : energy.size - length]))


def window_length(f0_hz: float) -> int:
    """Odd number of samples: four periods, but at least two frames, so that no frame is skipped."""
    return int(np.clip(PERIODS_PER_WINDOW * SAMPLE_RATE_HZ / f0_hz, SHORTEST_WINDOW, LONGEST_WINDOW)) | 1


def demodulate(audio: Float32Array, frequency_hz: Float64Array, length: int) -> Complex64Array:
    """Complex amplitude of sinusoids at fixed frequencies, frame by frame.

    `audio` float32 [N], `frequency_hz` [K], `length` odd window -> complex64 [T, K] with T = ceil(N / 384), phase
    referred to each frame's own centre. Before the onset there is nothing to average: the first windows are cut at
    sample 0 and renormalised, so that a plucked note starts at its level instead of fading in.
    """
    half = length // 2
    n_frames = -(-audio.size // HOP)
    padded = np.zeros(half + n_frames * HOP + length, dtype=np.float32)
    padded[half : half + audio.size] = audio
    window = np.blackman(length + 2)[1:-1]
    time_s = np.arange(-half, half + 1) / SAMPLE_RATE_HZ
    kernel = np.exp(-2j * np.pi * time_s[:, None] * frequency_hz[None, :]) * window[:, None]
    real, imaginary = kernel.real.astype(np.float32), kernel.imag.astype(np.float32)
    blocks = np.lib.stride_tricks.sliding_window_view(padded, length)[::HOP][:n_frames]
    result = np.empty((n_frames, frequency_hz.size), dtype=np.complex64)
    for start in range(0, n_frames, 128):
        chunk = np.ascontiguousarray(blocks[start : start + 128])
        result[start : start + 128].real = chunk @ real
        result[start : start + 128].imag = chunk @ imaginary
    inside = np.concatenate([[0.0], np.cumsum(window)])
    centre = np.arange(n_frames) * HOP
    first = np.clip(half - centre, 0, length)
    last = np.clip(half + audio.size - centre, 1, length)
    result *= (2.0 / np.maximum(inside[last] - inside[first], 1e-3 * inside[-1])).astype(np.float32)[:, None]
    return result


def remodulate(amplitude: Complex64Array, frequency_hz: Float64Array, n_samples: int) -> Float32Array:
    """Sum of the sinusoids that `demodulate` measured, amplitudes interpolated linearly: float32 [n_samples]."""
    ramp = 1.0 - np.abs(np.arange(-HOP + 1, HOP)) / HOP
    time_s = np.arange(-HOP + 1, HOP) / SAMPLE_RATE_HZ
    kernel = np.exp(2j * np.pi * frequency_hz[:, None] * time_s[None, :]) * ramp
    pieces = amplitude.real @ kernel.real.astype(np.float32) - amplitude.imag @ kernel.imag.astype(np.float32)
    n_frames = amplitude.shape[0]
    out = np.zeros((n_frames + 2) * HOP, dtype=np.float32)
    out[: n_frames * HOP].reshape(n_frames, HOP)[:, 1:] += pieces[:, : HOP - 1]
    out[HOP : (n_frames + 1) * HOP].reshape(n_frames, HOP)[:] += pieces[:, HOP - 1 :]
    return out[HOP : HOP + n_samples]


def common_deviation_cents(amplitude: Complex64Array, frequency_hz: Float64Array) -> Float32Array:
    """Pitch deviation shared by the partials, cents, float32 [T], from phase advance between neighbouring frames.

    Only partials that 60 cents move by less than half a turn per frame (those under 1.6 kHz) take part, each weighted
    by its energy times k^2, which is what its phase knows of the pitch. Silence deviates by nothing.
    """
    low = frequency_hz < 0.45 / (HOP / SAMPLE_RATE_HZ * (2.0 ** (60.0 / 1200.0) - 1.0))
    c = amplitude[:, low].astype(np.complex128)
    advance = 2.0 * np.pi * frequency_hz[low] * HOP / SAMPLE_RATE_HZ
    step = c[1:] * np.conj(c[:-1]) * np.exp(-1j * advance)
    relative = np.angle(step) / advance
    weight = np.abs(step) * advance**2
    total = weight.sum(axis=1)
    between = np.where(total > 0.0, (weight * relative).sum(axis=1) / np.maximum(total, 1e-30), 0.0)
    energy = np.abs(step).sum(axis=1)
    between[energy < 1e-6 * energy.max(initial=0.0)] = 0.0
    at_frames = np.concatenate([between[:1], 0.5 * (between[1:] + between[:-1]), between[-1:]])
    smooth = np.convolve(np.pad(at_frames, 3, mode="edge"), np.hanning(9)[1:-1] / np.hanning(9).sum(), mode="valid")
    cents = 1200.0 * np.log2(1.0 + np.clip(smooth, -0.04, 0.04))
    return cents.astype(np.float32)


def warp_to_constant_pitch(audio: Float32Array, deviation_cents: Float32Array) -> tuple[Float32Array, Float64Array]:
    """Resample so that the deviation vanishes; returns the audio and, for each frame, its time in warped samples."""
    n = audio.size
    frame_at = np.arange(deviation_cents.size) * HOP
    rate = 2.0 ** (np.interp(np.arange(n), frame_at, deviation_cents) / 1200.0)
    warped_time = np.concatenate([[0.0], np.cumsum(rate)[:-1]])
    original_time = np.interp(np.arange(int(warped_time[-1]) + 1), warped_time, np.arange(n))
    return read_between(audio, original_time), np.interp(frame_at, np.arange(n), warped_time)


def read_between(audio: Float32Array, time: Float64Array) -> Float32Array:
    """`audio` (float32 [N]) at times in samples (float64 [M], 0..N - 1): float32 [M].

    Four-fold oversampling by FFT, then linear reading: the error of reading is below -60 dB up to 10 kHz. The
    transform is of a multiple of 8192 samples: one of a prime number of them takes ten times as long.
    """
    n = -(-audio.size // 8192) * 8192
    spectrum = np.fft.rfft(audio, n)
    fine = np.fft.irfft(np.pad(spectrum, (0, 2 * n - spectrum.size + 1)), 4 * n) * 4.0
    return np.interp(time * 4.0, np.arange(4 * audio.size), fine[: 4 * audio.size]).astype(np.float32)


def analyse_note(audio: npt.ArrayLike, pitch: float, search_cents: float = SEARCH_CENTS) -> NoteAnalysis:
    """Measure the control frames of a note that starts at sample 0, by partials of a string or a pipe and noise bands.

    `audio` float [N] at 48 kHz, finite, full scale 1.0; `pitch` its key as a MIDI note number (fractions allowed).
    `synth.instruments.note_model` goes further. Raises TetradError for audio of another shape or with NaN.
    """
    samples = check_audio(audio)
    fit = fit_partials(samples, float(pitch_to_hz(pitch)), search_cents)
    return analysis_by_law(samples, pitch, fit, measure_law(samples, fit))


def measure_law(samples: Float32Array, fit: PartialFit) -> Measured:
    """The partials at the frequencies of the fit, as far as they are below 20 kHz."""
    frequency_hz = partial_frequencies_hz(fit.f0_hz, fit.inharmonicity)
    frequency_hz = frequency_hz[frequency_hz < HIGHEST_PARTIAL_HZ]
    return measure(samples, frequency_hz, np.full(frequency_hz.size, window_length(fit.f0_hz)))


def analysis_by_law(samples: Float32Array, pitch: float, fit: PartialFit, measured: Measured) -> NoteAnalysis:
    """What was measured, as control frames; all noise if the partials hold less than half of the energy."""
    share = explained_share(samples, measured.rest)
    if fit.n_peaks == 0 or share < PITCHED_SHARE:
        return analysis_of_noise(samples, pitch, share)
    levels = _levels_db(measured.magnitude, -(-samples.size // HOP))
    centre_cents = _centre(levels, measured.deviation_cents)
    tuning = 1200.0 * np.log2(fit.f0_hz / float(pitch_to_hz(pitch))) + centre_cents
    frames = control_frames(levels, noise_bands(measured.rest), measured.deviation_cents - np.float32(centre_cents))
    return NoteAnalysis(frames, float(pitch), float(tuning), fit.inharmonicity, True, share)


def analysis_of_noise(samples: Float32Array, pitch: float, share: float) -> NoteAnalysis:
    """No partials, everything in the noise bands. `share` is what partials would have explained."""
    n_frames = -(-samples.size // HOP)
    silence = np.full((n_frames, N_PARTIALS), LEVEL_FLOOR_DB, dtype=np.float32)
    frames = control_frames(silence, noise_bands(samples), np.zeros(n_frames, dtype=np.float32))
    return NoteAnalysis(frames, float(pitch), 0.0, 0.0, False, share)


def explained_share(samples: Float32Array, rest: Float32Array) -> float:
    """Share 0..1 of the energy of `samples` that `rest` has no more; both float32 [N]."""
    total = float(np.sum(samples.astype(np.float64) ** 2))
    return max(0.0, 1.0 - float(np.sum(rest.astype(np.float64) ** 2)) / max(total, 1e-20))


def control_frames(levels: Float32Array, bands: Float32Array, deviation_cents: Float32Array) -> ControlFrames:
    """Frames of partial levels [T, 100], band levels [T, 64] and deviation [T], with silence far below the peak."""
    peak_db = float(max(levels.max(), bands.max()))
    return ControlFrames(_silence_below(levels, peak_db), _silence_below(bands, peak_db), deviation_cents)


def _centre(level_db: Float32Array, deviation_cents: Float32Array) -> float:
    """Mean deviation of the frames within 20 dB of the loudest: it belongs to the tuning.

    The long spectrum of a vibrato peaks at its turning points, so the first fit may be off by its depth.
    """
    loudest = level_db.max(axis=1)
    return float(deviation_cents[loudest > loudest.max() - 20.0].mean())


def _silence_below(level_db: Float32Array, peak_db: float) -> Float32Array:
    """Levels more than RANGE_DB below the peak become silence: there is nothing to hear and much to store."""
    return np.where(level_db < peak_db - RANGE_DB, np.float32(LEVEL_FLOOR_DB), level_db).astype(np.float32)


def measure(samples: Float32Array, frequency_hz: Float64Array, lengths: npt.NDArray[np.int64]) -> Measured:
    """Partials near `frequency_hz` [K], each through a window of `lengths` [K] samples (odd), taken out of `samples`.

    If their pitch wavers together, the recording is warped to constant pitch first, provided that less is left then.
    """
    amplitude, rest = _take_out(samples, frequency_hz, lengths)
    deviation = common_deviation_cents(amplitude, frequency_hz)
    loud = np.abs(amplitude).max(axis=1) >= 0.05 * np.abs(amplitude).max()
    if float(np.std(deviation[loud])) > 1.5:
        warped, frame_time = warp_to_constant_pitch(samples, deviation)
        warped_amplitude, warped_rest = _take_out(warped, frequency_hz, lengths)
        if float(np.sum(warped_rest.astype(np.float64) ** 2)) < 0.9 * float(np.sum(rest.astype(np.float64) ** 2)):
            magnitude = np.abs(warped_amplitude)
            at = np.clip(frame_time / HOP, 0.0, magnitude.shape[0] - 1.0)
            low = np.minimum(at.astype(np.int64), magnitude.shape[0] - 2)
            mix = (at - low).astype(np.float32)[:, None]
            magnitude = magnitude[low] * (1.0 - mix) + magnitude[low + 1] * mix
            turns = start_turns(warped_amplitude, frequency_hz)
            return Measured(magnitude, turns, _fit_length(warped_rest, samples.size), deviation, frame_time)
    return Measured(np.abs(amplitude), start_turns(amplitude, frequency_hz), rest, np.zeros_like(deviation), None)


def _take_out(
    samples: Float32Array, frequency_hz: Float64Array, lengths: npt.NDArray[np.int64]
) -> tuple[Complex64Array, Float32Array]:
    """(complex amplitude [T, K], what is left [N]) of partials, each through its own window."""
    amplitude = np.empty((-(-samples.size // HOP), frequency_hz.size), dtype=np.complex64)
    for length in np.unique(lengths):
        amplitude[:, lengths == length] = demodulate(samples, frequency_hz[lengths == length], int(length))
    return amplitude, samples - remodulate(amplitude, frequency_hz, samples.size)


def start_turns(amplitude: Complex64Array, frequency_hz: Float64Array) -> Float64Array:
    """Phase of each partial's cosine at sample 0, turns 0..1, float64 [K].

    The mean over the first eight frames, by energy: frame 0 alone has half a window, and its neighbours' leakage.
    """
    early = amplitude[:8].astype(np.complex128)
    at = np.arange(early.shape[0])[:, None] * (HOP / SAMPLE_RATE_HZ)
    unwound = early * np.exp(-2j * np.pi * at * frequency_hz[None, :])
    turns: Float64Array = np.angle((unwound * np.abs(early)).sum(axis=0)) / (2.0 * np.pi)
    return turns % 1.0


def _fit_length(audio: Float32Array, n_samples: int) -> Float32Array:
    """The warp moves sounds by a few samples only; the residual's levels don't notice."""
    return np.pad(audio, (0, max(0, n_samples - audio.size)))[:n_samples]


def _levels_db(magnitude: npt.NDArray[np.floating], n_frames: int) -> Float32Array:
    levels = np.full((n_frames, N_PARTIALS), LEVEL_FLOOR_DB, dtype=np.float32)
    levels[:, : magnitude.shape[1]] = np.maximum(20.0 * np.log10(magnitude[:n_frames] + 1e-9), LEVEL_FLOOR_DB)
    return levels
