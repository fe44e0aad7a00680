"""Clipped peaks: finding them by their flat tops, and drawing the short ones anew.

A converter that is driven too hard writes its largest value until the signal comes back: runs of equal samples at the
extreme of their sign, which the samples beside them reach and leave in a jump. The top of a quantised sine is flat
too, but there the neighbours are one or two steps lower: a run of n within one step lies on a parabola that falls by
4/n + 4/n^2 steps with the next sample. Short runs are interpolated as autoregressive signals (Janssen, Veldhuis and
Vries, "Adaptive interpolation of discrete-time signals that can be modeled as autoregressive processes", IEEE
Transactions on ASSP 34(2), 1986), held beyond the level at which they were cut off (as consistent declipping asks).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from synth.frames import Float32Array, Float64Array

SHORTEST_RUN = 3
LEAST_LEVEL = 0.1
"""Of full scale. Flat tops below are somebody's waveform."""
JUMP_STEPS = 4.0
FEWEST_PAIRS, CLEARLY_BEYOND = 4, 1.01
LONGEST_REPAIRED_S = 0.002
MOST_REPAIRED_SHARE = 0.2
"""Of the samples within a stretch of a twentieth of a second: more than that leaves too little to draw from; a square
wave has 1.0."""
MOST_REPAIRED = 50_000
"""Samples, at some 30 us each."""
BLOCK = 1024
CONTEXT = 512
ORDER = 32
ROUNDS = 3
HIGHEST_OVERSHOOT = 2.0
"""Times the clipping level, 6 dB: further than that nothing was ever driven with only short runs to show for it."""


class Clipping(NamedTuple):
    """n_samples: clipped, at the recording's rate. n_repaired: of these, drawn anew."""

    n_samples: int
    n_repaired: int


def repair_channels(samples: Float32Array, rate_hz: int) -> tuple[Float32Array, Clipping]:
    """`repair_clipping` for each channel of float32 [N, channels], before they are mixed; numbers of all together."""
    repaired = [repair_clipping(channel, rate_hz) for channel in samples.T]
    total = Clipping(sum(c.n_samples for _, c in repaired), sum(c.n_repaired for _, c in repaired))
    return (np.stack([channel for channel, _ in repaired], axis=1) if total.n_repaired else samples), total


def repair_clipping(channel: Float32Array, rate_hz: int) -> tuple[Float32Array, Clipping]:
    """Draw the short clipped runs of `channel`, float32 [N], anew; the same array where there are none."""
    runs = clipped_runs(channel)
    if not len(runs):
        return channel, Clipping(0, 0)
    lengths = runs[:, 1] - runs[:, 0]
    n_samples = int(lengths.sum())
    clipped_before = np.concatenate([[0], np.cumsum(lengths)])
    near = max(1, rate_hz // 40)  # samples on each side: a twentieth of a second together
    nearby = np.searchsorted(runs[:, 1], runs[:, 0] - near), np.searchsorted(runs[:, 0], runs[:, 1] + near)
    density = (clipped_before[nearby[1]] - clipped_before[nearby[0]]) / (2 * near)
    short = lengths <= max(SHORTEST_RUN, round(LONGEST_REPAIRED_S * rate_hz))
    chosen = runs[short & (density <= MOST_REPAIRED_SHARE)]
    n_repaired = int((chosen[:, 1] - chosen[:, 0]).sum())
    if not 0 < n_repaired <= MOST_REPAIRED:
        return channel, Clipping(n_samples, 0)
    return interpolate(channel, chosen), Clipping(n_samples, n_repaired)


def clipped_runs(channel: Float32Array) -> npt.NDArray[np.intp]:
    """[start, stop) of each run of clipped samples, sorted, intp [n_runs, 2]; none if there is no reason to believe it.

    Of each sign, all samples at the extreme are clipped if a run of at least 3 is left in a jump, or if pairs are
    (above 1 kHz there is no time for more), from whose surroundings the signal would have gone further.
    """
    found = [np.zeros((0, 2), np.intp)]
    step = _smallest_step(channel)
    for sign in (1.0, -1.0):
        signed = channel * np.float32(sign)
        level = float(signed.max(initial=0.0))
        if level < LEAST_LEVEL:
            continue
        flat = np.concatenate([[False], signed >= level - 0.5 * step, [False]])
        runs = np.flatnonzero(flat[1:] != flat[:-1]).reshape(-1, 2)
        before = level - signed[np.maximum(runs[:, 0] - 1, 0)]
        after = level - signed[np.minimum(runs[:, 1], channel.size - 1)]
        jumping = np.maximum(before, after) > JUMP_STEPS * step
        lengths = runs[:, 1] - runs[:, 0]
        pairs = runs[jumping & (lengths == 2)]
        if np.any(jumping & (lengths >= SHORTEST_RUN)) or (len(pairs) >= FEWEST_PAIRS and _go_on(channel, pairs)):
            found.append(runs)
    together = np.concatenate(found)
    return together[np.argsort(together[:, 0], kind="stable")]


def _go_on(channel: Float32Array, pairs: npt.NDArray[np.intp]) -> bool:
    """Whether the signal, drawn without regard to what is there, goes clearly beyond most of `pairs`."""
    some = pairs[: int(np.searchsorted(pairs[:, 1], pairs[0, 0] + BLOCK, side="right"))]
    begin, end = max(int(some[0, 0]) - CONTEXT, 0), min(int(some[-1, 1]) + CONTEXT, channel.size)
    missing = (some[:, :1] + np.arange(2)).ravel()
    if end - begin < 4 * ORDER:
        return False
    drawn = _drawn(channel[begin:end].astype(np.float64), missing - begin, held=False)
    beyond = drawn / channel[missing]
    return float(np.median(beyond)) > CLEARLY_BEYOND


def interpolate(channel: Float32Array, runs: npt.NDArray[np.intp]) -> Float32Array:
    """`channel` with the samples of `runs` ([n, 2], sorted, apart) drawn from those around them."""
    out = channel.astype(np.float64)
    first = 0
    while first < len(runs):
        begin = max(int(runs[first, 0]) - CONTEXT, 0)
        last = first + int(np.searchsorted(runs[first:, 1], runs[first, 0] + BLOCK, side="right"))
        last = max(last, first + 1)
        end = min(int(runs[last - 1, 1]) + CONTEXT, out.size)
        if end - begin < 4 * ORDER:
            break  # the whole recording is too short to predict from
        missing = np.concatenate([np.arange(start, stop) for start, stop in runs[first:last]])
        out[missing] = _drawn(out[begin:end], missing - begin)
        first = last
    return out.astype(np.float32)


def _smallest_step(channel: Float32Array) -> float:
    """The quantisation step: the smallest difference between neighbours, at least that of 24 bits."""
    difference = np.abs(np.diff(channel))
    difference = difference[difference > 0.0]
    return max(float(difference.min(initial=1.0)), 2.0**-23)


def _drawn(signal: Float64Array, missing: npt.NDArray[np.intp], *, held: bool = True) -> Float64Array:
    """The missing samples that make `signal` the most predictable; `held`: not nearer to zero than they were."""
    level = signal[missing].copy()
    guess = signal.copy()
    for _ in range(ROUNDS):
        taps = _prediction_error_taps(guess)
        # Prediction error e = A x is linear in x: least squares over the unknown part of x alone.
        correlation = np.correlate(taps, taps, mode="full")[ORDER:]
        distance = np.abs(missing[:, None] - missing[None, :])
        matrix = np.where(distance <= ORDER, correlation[np.minimum(distance, ORDER)], 0.0)
        known = guess.copy()
        known[missing] = 0.0
        symmetric = np.concatenate([correlation[:0:-1], correlation])
        wanted = -np.convolve(known, symmetric, mode="same")[missing]
        drawn = np.linalg.solve(matrix + 1e-9 * correlation[0] * np.eye(missing.size), wanted)
        beyond = drawn * np.sign(level)
        beyond = np.maximum(beyond, np.abs(level)) if held else beyond
        guess[missing] = np.sign(level) * np.minimum(beyond, HIGHEST_OVERSHOOT * np.abs(level))
    return guess[missing]


def _prediction_error_taps(signal: Float64Array) -> Float64Array:
    """[1, -a_1, ..., -a_32] by the autocorrelation method (Makhoul 1975), of a signal longer than that."""
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(signal.size), 2 * signal.size)) ** 2
    autocorrelation = np.fft.irfft(spectrum)[: ORDER + 1]
    autocorrelation[0] = autocorrelation[0] * (1.0 + 1e-9) + 1e-20
    index = np.abs(np.arange(ORDER)[:, None] - np.arange(ORDER)[None, :])
    taps = np.linalg.solve(autocorrelation[index], autocorrelation[1:])
    return np.concatenate([[1.0], -taps])
