"""What a key would have to explain: each of 88 keys' own view of one recorded note, as rows for `pitch_network.py`.

A key proposes a comb of partials. Its row says how loud the recording is at each of them, how loud just where there
would be none (half and thirds of the way, which is where a key an octave or a twelfth lower has its partials), what
share of the spectrum's peaks the comb meets, how well the waveform repeats after the key's period, and how often
swift-f0 (Nieradzik 2025, a network over 46.9 to 2,093.8 Hz) hears it or one of its relatives. Two long spectra are
looked at: an average of the whole, and the loudest stretch.

Comb: Schroeder 1968, "Period histogram and product spectrum"; its weights for refining: Hermes 1988, "Measurement of
pitch by subharmonic summation". Compressed autocorrelation: Tolonen and Karjalainen 2000.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from synth.frames import SAMPLE_RATE_HZ, Float32Array, Float64Array

LOWEST_KEY, HIGHEST_KEY = 21, 108
"""The keys that are compared: a piano's."""
N_KEYS = HIGHEST_KEY - LOWEST_KEY + 1
BINS_PER_KEY = 10
N_COMB, N_HALVES, N_THIRDS = 16, 8, 6
RELATIVES = (0, 12, -12, 19, -19, 24, -24)
"""Intervals in keys at which trackers err: octaves and twelfths."""
COMB_WIDTH = N_COMB + N_HALVES + N_THIRDS + 1
ROW_WIDTH = 2 * COMB_WIDTH + 2 + 3 + len(RELATIVES) + 2
"""A row begins with two combs: of the average and of the loudest stretch."""
WHOLE_WIDTH = 8

_WINDOW = 16_384  # samples, 341 ms: the partials of the lowest key, 27.5 Hz, are nine bins apart
_N_FFT = 2 * _WINDOW
_LONGEST = 3 * SAMPLE_RATE_HZ  # what comes later is release and room, or the same again
_SKIP = 1_440  # samples, 30 ms: the attack has the noise, not the pitch
_LOWEST_HZ, _HIGHEST_HZ = 20.0, 16_000.0
RANGE_DB = 60.0
_CENTRE_KEY, _KEYS_PER_UNIT = 62.0, 20.0


class PitchFeatures(NamedTuple):
    """rows: float32 [88, ROW_WIDTH], key 21 first. keys: float64 [88], each key's best tuning, within half a key.
    whole: float32 [WHOLE_WIDTH], what belongs to no key: mainly how tonal the sound is.
    tracked: float64 [F], the key of each frame (16 ms) that swift-f0 takes for voiced."""

    rows: Float32Array
    keys: Float64Array
    whole: Float32Array
    tracked: Float64Array


def pitch_features(audio: Float32Array) -> PitchFeatures:
    """`audio`: finite float32 [N] at 48 kHz with N >= 64, peak 0.5."""
    audio = audio[:_LONGEST]
    frames, energy = _frames(audio)
    power = np.abs(np.fft.rfft(frames, _N_FFT, axis=1)) ** 2
    loudest = int(np.argmax(energy))
    average = (power / np.sqrt(energy)[:, None]).sum(axis=0)
    spectra = [_log_spectrum(average), _log_spectrum(power[loudest])]
    keys = _tune(spectra[0])
    places = _places(keys)
    parts = [_comb(spectrum, places) for spectrum in spectra]
    peak_hz, peak_weight, flatness = _peaks(average)
    met = _share_met(keys, peak_hz, peak_weight)
    repeats = _repetition(average, keys)
    tracked, voiced_share = _track(audio)
    heard, spread = _heard(tracked, keys)
    height = (keys - _CENTRE_KEY) / _KEYS_PER_UNIT
    rows = np.column_stack([*parts, met, repeats, heard, height, height**2]).astype(np.float32)
    steadiness = _steadiness(power, energy)
    whole = np.array(
        [
            float(met[:, 0].max()),
            float(repeats[:, 0].max()),
            voiced_share,
            spread,
            flatness,
            steadiness,
            min(peak_hz.size / 100.0, 2.0),
            min(audio.size / SAMPLE_RATE_HZ, 3.0) / 3.0,
        ],
        np.float32,
    )
    return PitchFeatures(rows, keys, whole, tracked)


def key_to_hz(key: Float64Array | float) -> Any:
    """MIDI key with its fraction to Hz, A4 = key 69 = 440 Hz."""
    return 440.0 * 2.0 ** ((key - 69.0) / 12.0)


def hz_to_key(hz: Float64Array | float) -> Any:
    """The inverse of `key_to_hz`."""
    return 69.0 + 12.0 * np.log2(np.asarray(hz) / 440.0)


def _frames(audio: Float32Array) -> tuple[Float64Array, Float64Array]:
    """Windowed stretches within 40 dB of the loudest: [T, <= 16384] and their energy [T], both > 0."""
    body = audio[_SKIP:] if audio.size > _SKIP + _WINDOW // 2 else audio
    length = min(_WINDOW, body.size)
    starts = np.arange(0, body.size - length + 1, max(length // 2, 1))
    window = np.hanning(length + 2)[1:-1]
    frames = np.stack([body[start : start + length] for start in starts]).astype(np.float64)
    frames = (frames - frames.mean(axis=1, keepdims=True)) * window
    energy = np.sum(frames**2, axis=1) + 1e-20
    keep = energy >= 1e-4 * energy.max()
    return frames[keep], energy[keep]


@functools.cache
def _bins() -> tuple[Float64Array, Float64Array]:
    """(Hz, FFT bin) of each place of the log spectrum, a tenth of a key apart, from 20 Hz to 16 kHz."""
    n_places = int(12 * BINS_PER_KEY * np.log2(_HIGHEST_HZ / _LOWEST_HZ)) + 1
    hz = _LOWEST_HZ * 2.0 ** (np.arange(n_places) / (12.0 * BINS_PER_KEY))
    return hz, hz * _N_FFT / SAMPLE_RATE_HZ


def _log_spectrum(power: Float64Array) -> Float64Array:
    """0 at 60 dB under the peak or less, 1 at the peak; each place is the loudest bin that it covers."""
    _, at = _bins()
    level = 10.0 * np.log10(power + 1e-30)
    level = np.clip((level - level.max()) / RANGE_DB + 1.0, 0.0, 1.0)
    between = np.interp(at, np.arange(level.size), level)
    first = np.ceil(at * 2.0 ** (-0.5 / (12 * BINS_PER_KEY))).astype(np.int64)
    last = np.floor(at * 2.0 ** (0.5 / (12 * BINS_PER_KEY))).astype(np.int64)
    inside = np.maximum.reduceat(level, np.stack([first, np.maximum(last, first) + 1], axis=1).ravel())[::2]
    return np.where(last >= first, np.maximum(between, inside), between)


def _place(key: Float64Array, ratio: float) -> Float64Array:
    return 12.0 * BINS_PER_KEY * np.log2(key_to_hz(key) * ratio / _LOWEST_HZ)


def _tune(spectrum: Float64Array) -> Float64Array:
    """Each key moved within half a key to where its first eight partials, weighted 0.84^k, are loudest."""
    fine = LOWEST_KEY + (np.arange(N_KEYS * BINS_PER_KEY) - (BINS_PER_KEY - 1) / 2) / BINS_PER_KEY
    total = np.zeros(fine.size)
    for k in range(1, 9):
        at = _place(fine, k)
        total += 0.84**k * np.interp(at, np.arange(spectrum.size), spectrum, left=0.0, right=0.0)
    best = total.reshape(N_KEYS, BINS_PER_KEY).argmax(axis=1)
    found: Float64Array = fine.reshape(N_KEYS, BINS_PER_KEY)[np.arange(N_KEYS), best]
    return found


def _places(keys: Float64Array) -> list[tuple[Float64Array, int]]:
    """(places [88], reach in places) of the comb's teeth and of the gaps between them."""
    comb = [(float(k), 2 + k // 6) for k in range(1, N_COMB + 1)]
    halves = [(k - 0.5, 2) for k in range(1, N_HALVES + 1)]
    thirds = [(k - part / 3.0, 2) for k in range(1, N_THIRDS // 2 + 1) for part in (2.0, 1.0)]
    return [(_place(keys, ratio), reach) for ratio, reach in comb + halves + thirds]


def _comb(spectrum: Float64Array, places: list[tuple[Float64Array, int]]) -> Float64Array:
    """The loudest place within reach of each tooth and gap: [88, 30]; what is outside the spectrum is silent. The last
    column is the mean of partials 17 to 32 where they are audible."""
    n = spectrum.size
    padded = np.pad(spectrum, 8)
    widened = {0: padded}
    for reach in range(1, 6):
        last = widened[reach - 1]
        widened[reach] = np.maximum(last, np.maximum(np.roll(padded, reach), np.roll(padded, -reach)))
    columns = []
    for at, reach in places:
        index = np.clip(np.rint(at).astype(np.int64) + 8, 0, n + 15)
        columns.append(np.where((at >= 0) & (at < n), widened[reach][index], 0.0))
    upper = np.zeros(N_KEYS)
    first = places[0][0]
    for k in range(17, 33):
        index = np.clip(np.rint(first + 12 * BINS_PER_KEY * np.log2(k)).astype(np.int64) + 8, 0, n + 15)
        upper += widened[3][index] / 16.0
    return np.column_stack([*columns, upper])


def _peaks(power: Float64Array) -> tuple[Float64Array, Float64Array, float]:
    """(Hz [P], weight [P]) of the peaks within 50 dB of the highest, and the spectrum's flatness 0..1 from 50 Hz to
    10 kHz. A weight is the fourth root of power, so that a loud partial does not hide ten quiet ones."""
    low, high = int(25.0 * _N_FFT / SAMPLE_RATE_HZ), int(10_000.0 * _N_FFT / SAMPLE_RATE_HZ)
    level = 10.0 * np.log10(power[:high] + 1e-30)
    middle = level[1:-1]
    found = 1 + np.flatnonzero((middle > level[:-2]) & (middle >= level[2:]) & (middle > level.max() - 50.0))
    found = found[found >= low]
    found = found[np.argsort(-level[found])[:200]]
    left, top, right = level[found - 1], level[found], level[found + 1]
    curvature = np.minimum(left - 2.0 * top + right, -1e-9)
    hz = (found + 0.5 * (left - right) / curvature) * SAMPLE_RATE_HZ / _N_FFT
    band = power[2 * low : high] + 1e-20 * power.max() + 1e-30
    flatness = float(np.exp(np.mean(np.log(band))) / np.mean(band))
    return hz, power[found] ** 0.25, flatness**0.25


def _share_met(keys: Float64Array, hz: Float64Array, weight: Float64Array) -> Float64Array:
    """Share of the peaks' weight within 35 cents of a tooth, and of the weight below partial 8: [88, 2]."""
    if hz.size == 0:
        return np.zeros((N_KEYS, 2))
    ratio = hz[None, :] / key_to_hz(keys)[:, None]
    tooth = np.maximum(np.rint(ratio), 1.0)
    near = np.abs(np.log2(ratio / tooth)) < np.minimum(35.0 / 1200.0, 0.12 / tooth)
    low = ratio < 8.5
    of_low = (weight * (near & low)).sum(axis=1) / np.maximum((weight * low).sum(axis=1), 1e-30)
    return np.column_stack([(weight * near).sum(axis=1) / weight.sum(), of_low])


def _repetition(power: Float64Array, keys: Float64Array) -> Float64Array:
    """Autocorrelation of the sound with its spectrum compressed (power 0.67 of the magnitude), after one, half and two
    of each key's periods: [88, 3], at most 1."""
    correlation = np.fft.irfft(power ** (0.67 / 2.0))
    lag = SAMPLE_RATE_HZ / key_to_hz(keys)
    at = np.stack([lag, 0.5 * lag, 2.0 * lag], axis=1)
    here = np.interp(at, np.arange(correlation.size // 2), correlation[: correlation.size // 2])
    repeats: Float64Array = here / max(float(correlation[0]), 1e-30)
    return repeats


def _track(audio: Float32Array) -> tuple[Float64Array, float]:
    """Keys of swift-f0's voiced frames [F], and their share of the frames within 40 dB of the loudest."""
    result = tracker().detect(audio, SAMPLE_RATE_HZ)
    loud = result.loudness_db > result.loudness_db.max() - 40.0
    voiced = loud & (result.confidence >= 0.5)
    return np.asarray(hz_to_key(result.pitch_hz[voiced])), float(voiced.sum() / max(int(loud.sum()), 1))


def _heard(tracked: Float64Array, keys: Float64Array) -> tuple[Float64Array, float]:
    """Share of the voiced frames within 0.6 of a key of each key's relatives [88, 7], and how far the frames spread
    (0: all on one key, 1: over three keys or more)."""
    if tracked.size == 0:
        return np.zeros((N_KEYS, len(RELATIVES))), 1.0
    distance = tracked[None, :] - keys[:, None]
    share = np.column_stack([(np.abs(distance - relative) < 0.6).mean(axis=1) for relative in RELATIVES])
    spread = float(np.percentile(tracked, 80) - np.percentile(tracked, 20))
    return share, min(spread / 3.0, 1.0)


def _steadiness(power: Float64Array, energy: Float64Array) -> float:
    """Likeness of neighbouring stretches' spectra, 0..1, the mean weighted by energy; a note's partials stay put."""
    if len(power) < 2:
        return 0.5
    shape = power**0.25
    shape /= np.linalg.norm(shape, axis=1, keepdims=True) + 1e-30
    return float(np.average(np.sum(shape[1:] * shape[:-1], axis=1), weights=np.sqrt(energy[1:])))


@functools.cache
def tracker() -> Any:
    """swift-f0's detector, opened once: 20 ms."""
    import swift_f0  # not above: the engine starts without it

    return swift_f0.SwiftF0(threads=1)
