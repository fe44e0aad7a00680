"""Is a sound between two instruments one gesture? When it begins, and whether its envelope is between theirs."""

from __future__ import annotations

import numpy as np

from synth.frames import SAMPLE_RATE_HZ, Float32Array, Float64Array, k_weighting_db

STEP_S = 0.004
"""Between two points of an envelope."""
WINDOW_S = 0.024
"""Hann: short enough for a pluck."""
PERIODS = 2.0
"""At least so many of the note are in a window where envelopes are compared: at C1, whose period is 31 ms, one of 24 ms
hears the waveform itself go up and down, and finds a correlation of -0.08 where one of 61 ms finds 0.93."""
BEGIN_DB = 20.0
"""A note has begun at a tenth of its amplitude, where rise times are usually measured from."""
ATTACK_DB = 6.0
"""Its attack is over: as `synth.voices.landmarks.ATTACK_DB`, by which the engine aligns."""
RANGE_DB = 60.0
"""What is further below the loudest does not count."""
EARLIEST_S = 0.008
"""A control frame: what is sooner is at once."""


def loudness_envelope_db(sound: Float32Array, window_s: float = WINDOW_S) -> Float64Array:
    """K-weighted power (BS.1770-4) of a sound, float32 [n] at 48 kHz, in dB every STEP_S, not below -100."""
    audio = np.asarray(sound, np.float64)
    n_window, n_step = round(window_s * SAMPLE_RATE_HZ), round(STEP_S * SAMPLE_RATE_HZ)
    n_fft = 1 << (audio.size + n_window).bit_length()
    gain = 10.0 ** (k_weighting_db(np.fft.rfftfreq(n_fft, 1.0 / SAMPLE_RATE_HZ)) / 20.0)
    weighted = np.fft.irfft(np.fft.rfft(audio, n_fft) * gain, n_fft)[: audio.size]
    window = np.hanning(n_window + 2)[1:-1]
    power = np.convolve(np.pad(np.square(weighted), n_window // 2), window / window.sum(), mode="valid")
    return np.asarray(10.0 * np.log10(np.maximum(power[: audio.size : n_step], 1e-10)))


def onset_s(sound: Float32Array, below_db: float = BEGIN_DB) -> float:
    """When a note, float32 [n] at 48 kHz, has begun, or its attack is over: seconds until its loudness is first within
    `below_db` of the loudest of its first second, at least EARLIEST_S; NaN for silence."""
    return _onset_s(loudness_envelope_db(sound), below_db)


def blended_onset_s(west_s: float, east_s: float, at_east: float) -> float:
    """When a note `at_east` (0..1) of the way between two should be there: the geometric mean of their onsets by
    weight, since the ear goes by the logarithm of an attack's time (Grey 1977; McAdams et al. 1995)."""
    return float(np.exp((1.0 - at_east) * np.log(west_s) + at_east * np.log(east_s)))


def envelope_correlation(
    sound: Float32Array, west: Float32Array, east: Float32Array, at_east: float, f0_hz: float
) -> float:
    """Pearson's correlation of a sound's envelope with the blended one of the path's ends, all float32 [n] at 48 kHz.

    The ends' envelopes, in dB, are read so that both attacks are over when the blended one should be (each at a steady
    rate until then, and as it is from there), and blended by weight. Where the blend is more than RANGE_DB below its
    loudest both count as that. NaN where either does not change.
    """
    window_s = max(WINDOW_S, PERIODS / f0_hz)
    found = loudness_envelope_db(sound, window_s)
    ends = [loudness_envelope_db(end, window_s) for end in (west, east)]
    onsets = [_onset_s(end, ATTACK_DB) for end in ends]
    joint = blended_onset_s(onsets[0], onsets[1], at_east)
    times = STEP_S * np.arange(found.size)
    blended = np.zeros(found.size)
    for end, onset, weight in zip(ends, onsets, (1.0 - at_east, at_east), strict=True):
        place = np.where(times < joint, times * onset / joint, onset + times - joint)
        blended += weight * np.interp(place, STEP_S * np.arange(end.size), end)
    curves = [np.maximum(curve - curve.max(), -RANGE_DB) for curve in (found, blended)]
    if not all(np.ptp(curve) > 0.0 for curve in curves):
        return float("nan")
    return float(np.corrcoef(curves)[0, 1])


def _onset_s(envelope_db: Float64Array, below_db: float) -> float:
    first = envelope_db[: round(1.0 / STEP_S)]
    threshold = first.max() - below_db
    if first.max() <= -100.0:
        return float("nan")
    after = int(np.argmax(first >= threshold))
    if after == 0:
        return EARLIEST_S
    below, above = first[after - 1], first[after]
    return max(float(STEP_S * (after - 1 + (threshold - below) / (above - below))), EARLIEST_S)
