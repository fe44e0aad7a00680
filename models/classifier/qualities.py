"""Qualities of a recorded note, measured by fixed rules: labels for the classifier where nobody has listened.

NSynth's notes carry ten qualities given by people and by the makers of its sounds (Engel et al. 2017, table 2). Eight
of them can be stated as a measure, and are, below; *distortion* and *reverb* cannot without knowing the sound before
them, and are left out. A note may have any number of qualities. Rules see the recording, never a network's output.

bright          centroid of the amplitude spectrum of the first second half an octave or more above the middle of all
                instruments at its pitch, 2.14 octaves above f0 at key 60, less 0.045 for each key above that
dark            ... half an octave or more below that middle
fast_decay      the last half second before the release (at 3 s) is 30 dB or more below the loudest moment
long_release    0.25 to 0.5 s after the release the level has fallen by 20 dB or less, from less than 40 dB below the
                loudest moment
multiphonic     tones that are no partial of the key's pitch hold 1% or more of the power (bells, detuned pairs)
nonlinear_env   between 0.15 and 2.9 s the level rises by 8 dB or more: swells, tremolo, beats
percussive      of the power of the first 100 ms, 6% or more is in what is short in time and wide in frequency
tempo_synced    the level ripples by 1 dB RMS or more, 2 to 12 times a second and evenly (correlation 0.6 or more)

The thresholds give each quality to a tenth to two fifths of the General MIDI notes. NSynth's *tempo-synced* means
the beat of a sequence; here any even ripple counts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.classifier.features import N_SAMPLES, SILENT_PEAK
from synth.errors import TetradError
from synth.frames import A4_HZ, ENCODER_RATE_HZ, Float64Array

QUALITIES = (
    "bright",
    "dark",
    "fast_decay",
    "long_release",
    "multiphonic",
    "nonlinear_env",
    "percussive",
    "tempo_synced",
)
RELEASE_S = 3.0
_HOP = 128  # samples: 8 ms
_FRAMES_PER_S = ENCODER_RATE_HZ / _HOP
_N_FFT = 1024
_RANGE_DB = 50.0
"""Below the loudest moment; what is further down takes no part in rises and ripples."""
_N_MEDIAN = 17  # frames (136 ms) and bins (266 Hz): Fitzgerald's length, at about his resolution


def measures(audio: npt.NDArray[np.floating], f0_hz: float) -> dict[str, float]:
    """The numbers that the rules compare, from 4 s at 16 kHz, held for 3 s: float [64000], any level.

    Raises TetradError for silence and other shapes.
    """
    if audio.shape != (N_SAMPLES,) or not np.abs(audio).max() >= SILENT_PEAK:
        raise TetradError(f"a sound of shape {list(audio.shape)} has no qualities; 4 s at 16 kHz, not silent, expected")
    power = _power(audio[: round(1.2 * ENCODER_RATE_HZ)])
    level_db = _smooth_db(audio)
    loudest_db = float(level_db.max())
    heard_db = np.maximum(level_db, loudest_db - _RANGE_DB)
    hz = np.fft.rfftfreq(_N_FFT, 1.0 / ENCODER_RATE_HZ)
    spectrum = np.sqrt(power[: _frame(1.0)]).sum(axis=0)
    before_db = float(level_db[_frame(2.8) : _frame(2.98)].mean())
    depth_db, periodicity = _ripple(heard_db[_frame(0.3) : _frame(2.9)])
    return {
        "centroid_octaves": float(np.log2((spectrum @ hz) / spectrum.sum() / f0_hz)),
        "decay_db": loudest_db - float(level_db[_frame(2.5) : _frame(RELEASE_S)].mean()),
        "before_release_db": before_db - loudest_db,
        "release_db": before_db - float(level_db[_frame(3.25) : _frame(3.5)].mean()),
        "foreign_share": _foreign_share(audio, f0_hz),
        "rise_db": _rise(heard_db[_frame(0.15) : _frame(2.9)]),
        "onset_share": _onset_share(power[: _frame(0.25)]),
        "ripple_db": depth_db,
        "periodicity": periodicity,
    }


def labels(audio: npt.NDArray[np.floating], f0_hz: float) -> npt.NDArray[np.bool_]:
    """Which of QUALITIES a recording has: bool [8]. Arguments and errors are those of `measures`."""
    found = measures(audio, f0_hz)
    key = 69.0 + 12.0 * np.log2(f0_hz / A4_HZ)
    off_middle = found["centroid_octaves"] - (2.14 - 0.045 * (key - 60.0))
    verdict = {
        "bright": off_middle >= 0.5,
        "dark": off_middle <= -0.5,
        "fast_decay": found["decay_db"] >= 30.0,
        "long_release": found["release_db"] <= 20.0 and found["before_release_db"] > -40.0,
        "multiphonic": found["foreign_share"] >= 0.01,
        "nonlinear_env": found["rise_db"] >= 8.0,
        "percussive": found["onset_share"] >= 0.06,
        "tempo_synced": found["ripple_db"] >= 1.0 and found["periodicity"] >= 0.6,
    }
    return np.array([verdict[name] for name in QUALITIES])


def _frame(time_s: float) -> int:
    return round(time_s * _FRAMES_PER_S)


def _power(audio: npt.NDArray[np.floating]) -> Float64Array:
    """Power spectra, Hann, frame i centred on sample 128 i: float64 [n / 128, 513]."""
    padded = np.pad(np.asarray(audio, np.float32), (_N_FFT // 2, _N_FFT // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _N_FFT)[: len(audio) : _HOP]
    return np.abs(np.fft.rfft(frames * np.hanning(_N_FFT).astype(np.float32), axis=1)).astype(np.float64) ** 2


def _smooth(values: Float64Array, n: int) -> Float64Array:
    """Mean over `n` neighbours (odd), the ends repeated."""
    padded = np.pad(values, n // 2, mode="edge")
    return np.convolve(padded, np.full(n, 1.0 / n), mode="valid")


def _smooth_db(audio: npt.NDArray[np.floating]) -> Float64Array:
    """Level of every 8 ms, over 40 ms, in dB: float64 [500]."""
    mean_square = np.square(audio.astype(np.float64)).reshape(-1, _HOP).mean(axis=1)
    return 10.0 * np.log10(_smooth(mean_square, 5) + 1e-12)


def _rise(values: Float64Array) -> float:
    """How far the values climb over the lowest that came before."""
    return float((values - np.minimum.accumulate(values)).max())


def _ripple(level_db: Float64Array) -> tuple[float, float]:
    """RMS in dB of what is left of the level after half a second's trend, and its autocorrelation at 2 to 12 Hz."""
    ripple = level_db - _smooth(level_db, 63)
    n = ripple.size
    spectrum = np.abs(np.fft.rfft(ripple, 2 * n)) ** 2
    correlation = np.fft.irfft(spectrum)[:n] * n / np.arange(n, 0, -1)
    shortest, longest = round(_FRAMES_PER_S / 12.0), round(_FRAMES_PER_S / 2.0)
    lags = correlation[shortest : longest + 1]
    # A peak inside the range: a ripple that is slower or faster than that has its maximum at an end.
    inside = (lags[1:-1] >= lags[:-2]) & (lags[1:-1] >= lags[2:])
    best = float(lags[1:-1][inside].max()) if inside.any() else 0.0
    return float(np.sqrt(np.mean(ripple**2))), best / max(float(correlation[0]), 1e-9)


def _onset_share(power: Float64Array) -> float:
    """Share of power in the first 100 ms that is percussive: more in its column than in its row.

    Fitzgerald, "Harmonic/percussive separation using median filtering" (DAFx 2010), with his soft mask of power 2.
    """
    half = _N_MEDIAN // 2
    windows, n_frames = np.lib.stride_tricks.sliding_window_view, _frame(0.1)
    onset = power[:n_frames]
    around = np.pad(power, ((half, 0), (0, 0)), mode="reflect")[: n_frames + 2 * half]
    in_time = _median(windows(around, _N_MEDIAN, axis=0))
    in_frequency = _median(windows(np.pad(onset, ((0, 0), (half, half)), mode="reflect"), _N_MEDIAN, axis=1))
    mask = in_frequency**2 / np.maximum(in_frequency**2 + in_time**2, 1e-30)
    return float((mask * onset).sum() / max(float(onset.sum()), 1e-30))


def _median(values: Float64Array) -> Float64Array:
    """Over the last axis, of odd length; NumPy's own takes three times as long."""
    middle = values.shape[-1] // 2
    return np.partition(values, middle, axis=-1)[..., middle]


def _foreign_share(audio: npt.NDArray[np.floating], f0_hz: float) -> float:
    """Share of the power from 0.3 to 1.3 s that lies further than 60 cents, and 8 Hz, from any multiple of f0.

    Only what stands out as a tone counts: bins ten times the median over 80 Hz around them.
    """
    first = round(0.3 * ENCODER_RATE_HZ)
    part = audio[first : first + ENCODER_RATE_HZ]
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2  # bins of 1 Hz
    hz = np.arange(len(power), dtype=np.float64)
    multiple = np.maximum(np.round(hz / f0_hz), 1.0)
    away_hz = np.abs(hz - multiple * f0_hz)
    away_cents = 1200.0 * np.abs(np.log2(np.maximum(hz, 1.0) / (multiple * f0_hz)))
    blocks = power[: len(power) // 80 * 80].reshape(-1, 80)
    around = np.resize(np.repeat(np.median(blocks, axis=1), 80), len(power))
    foreign = (away_cents > 60.0) & (away_hz > 8.0) & (power > 10.0 * around) & (hz > 20.0)
    return float(power[foreign].sum() / max(float(power.sum()), 1e-30))
