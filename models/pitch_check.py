"""The pitch of a note by estimators that share nothing with our own analysis, to check what we render.

Two steps. *Which* pitch: swift-f0, a network (ONNX, MIT licence), good for the octave but with errors of some 10 cents
that depend on the frequency, as its bins are 70 cents wide. *Exactly*: the normalised cross-correlation of the waveform
with itself one period later (Talkin 1995, "A robust algorithm for pitch tracking"), here over lags of 1, 2, 4, ...
periods up to 25 ms, each of which narrows the search of the next. Our analysis, in contrast, demodulates partials.

Only the first four partials are correlated: they carry the pitch one hears (Plomp 1967; Ritsma 1967), and the stretched
high partials of a string would pull the period. With B = 3e-4 and partials falling as 1/k the result is 2 cents above
f0 instead of up to 21.
"""

import functools

import numpy as np
import swift_f0

from synth.errors import TetradError

SAMPLE_RATE_HZ = 48_000
MIN_HZ, MAX_HZ = 20.0, 4_500.0  # keys 16 to 108
_SEARCH = 0.06  # of the period to either side at first: a semitone
_LONGEST_LAG = 1_200  # samples: 25 ms
_HOP = 3_700  # samples: 77 ms, no simple part of a usual vibrato's period
_N_PARTIALS = 4
_QUIET_DB = -50.0  # frames so far below the loudest one are left out


def estimate_pitch_hz(audio_48k: np.ndarray, near_hz: float | None = None) -> tuple[float, float]:
    """Pitch of one note, the median over its frames.

    Args: `audio_48k` real [n] at 48 kHz, one note, at least 0.2 s; `near_hz` the expected pitch, 20..4500 Hz: it is
        searched a semitone to either side (None: swift-f0 says where to search, 47..2094 Hz, and may err by octaves
        where partials are missing or doubled, as in organs and bells).
    Returns: f0 in Hz and confidence 0..1, the median correlation of neighbouring periods: above 0.9 for a steady tone,
        below 0.5 for noise. (nan, 0.0) when no frame has a pitch there. Harmonic tones from key 36 to 96 come out
        within 0.2 cents.
    Raises TetradError for audio of another shape, too short, silent, or not finite.
    """
    audio = _checked(audio_48k)
    if near_hz is None:
        near_hz = _coarse_pitch_hz(audio)
        if near_hz is None:
            return float("nan"), 0.0
    if not MIN_HZ <= near_hz <= MAX_HZ:
        raise TetradError(f"a pitch near {near_hz} Hz was asked for; {MIN_HZ} to {MAX_HZ} Hz was expected")
    filtered = _low_partials(audio, near_hz)
    n_window = round(max(3 * SAMPLE_RATE_HZ / near_hz, 0.04 * SAMPLE_RATE_HZ))
    n_frame = n_window + 2 * _LONGEST_LAG + round(4 * SAMPLE_RATE_HZ / near_hz)
    frames = [filtered[start : start + n_frame] for start in range(0, max(1, len(filtered) - n_frame), _HOP)]
    powers = [float(np.mean(np.square(frame))) for frame in frames]
    threshold = max(powers) * 10 ** (_QUIET_DB / 10)
    found = [
        _period(frame, SAMPLE_RATE_HZ / near_hz, n_window)
        for frame, power in zip(frames, powers, strict=True)
        if power > threshold
    ]
    periods = [result for result in found if result is not None]
    if not periods:
        return float("nan"), 0.0
    period, correlation = np.median(np.array(periods), axis=0)
    share = len(periods) / len(found)
    return SAMPLE_RATE_HZ / float(period), float(np.clip(correlation * share, 0.0, 1.0))


def pitch_error_cents(audio_48k: np.ndarray, expected_hz: float) -> float:
    """How far above `expected_hz` a note sounds, within a semitone; nan when there is no such pitch."""
    return float(1200 * np.log2(estimate_pitch_hz(audio_48k, expected_hz)[0] / expected_hz))


def _period(frame: np.ndarray, period: float, n_window: int) -> tuple[float, float] | None:
    """Period in samples and its correlation, or None where the correlation has no peak within the search."""
    reference = frame[:n_window]
    search, n_periods, correlation = _SEARCH, 1, 0.0
    while True:
        first = int(np.floor(n_periods * period * (1 - search))) - 1
        last = int(np.ceil(n_periods * period * (1 + search))) + 1
        shifted = np.lib.stride_tricks.sliding_window_view(frame[first : last + n_window], n_window)
        energies = np.einsum("ij,ij->i", shifted, shifted) * (reference @ reference)
        correlations = (shifted @ reference) / np.sqrt(np.maximum(energies, 1e-30))
        best = int(correlations.argmax())
        if best in (0, len(correlations) - 1):
            return None
        left, correlation, right = correlations[best - 1 : best + 2]
        period = (first + best + 0.5 * (left - right) / (left - 2 * correlation + right)) / n_periods  # parabola's top
        if 2 * n_periods * period > _LONGEST_LAG:
            return period, float(correlation)
        # The next peaks lie a period apart, 1/n_periods of the lag: search no further than a third of that.
        n_periods *= 2
        search = min(search, 0.35 / n_periods)


def _low_partials(audio: np.ndarray, f0_hz: float) -> np.ndarray:
    """Without what lies above partial 4: passed up to 4.5 f0, nothing from 5.5 f0, a half cosine between."""
    n_fft = 1 << (len(audio) + 4096 - 1).bit_length()
    ratio = np.fft.rfftfreq(n_fft, 1 / SAMPLE_RATE_HZ) / f0_hz
    gain = 0.5 + 0.5 * np.cos(np.pi * np.clip(ratio - (_N_PARTIALS + 0.5), 0, 1))
    return np.fft.irfft(np.fft.rfft(audio, n_fft) * gain, n_fft)[: len(audio)]


def _coarse_pitch_hz(audio: np.ndarray) -> float | None:
    """swift-f0's median over the frames that it takes for voiced."""
    level = audio * (0.5 / np.abs(audio).max())  # it ignores frames that peak below 0.001
    result = _swift_f0().detect(level.astype(np.float32), SAMPLE_RATE_HZ)
    voiced = result.confidence >= 0.5
    return float(np.median(result.pitch_hz[voiced])) if voiced.any() else None


@functools.cache
def _swift_f0() -> swift_f0.SwiftF0:
    return swift_f0.SwiftF0(threads=1)


def _checked(audio_48k: np.ndarray) -> np.ndarray:
    audio = np.asarray(audio_48k, np.float64)
    n_least = SAMPLE_RATE_HZ // 5
    if audio.ndim != 1 or len(audio) < n_least:
        raise TetradError(
            f"audio of shape {list(audio.shape)} has no pitch to check; [n], n >= {n_least}, was expected"
        )
    if not np.isfinite(audio).all():
        raise TetradError("the audio to check holds samples that are not numbers; finite ones were expected")
    if not audio.any():
        raise TetradError("the audio to check is silent; a note was expected")
    return audio
