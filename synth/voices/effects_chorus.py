"""Chorus: two moving taps for each channel, all with phases of their own.

After Dattorro, "Effect Design, Part 2: Delay-Line Modulation and Chorus", J. Audio Eng. Soc. 45 (1997), with four taps
instead of one. A tap's swing shrinks with the rate, so that no setting detunes by more than DETUNING. The dry share
falls as the taps come in and the power of the sum stays what it was.
"""

import numpy as np

from synth.jit import njit
from synth.voices.oscillators import sine_of_phase

BASE_S = ((0.0091, 0.0133), (0.0103, 0.0149))
"""Middle of each tap's swing: left, right."""
DEEPEST_S = 0.004
DETUNING = np.float32(0.005)  # 8.6 cents
TAP_LINE_S = 0.020
_SLOWER = np.float32(0.71)
"""The second taps swing at this share of the rate: the pattern never repeats."""
_HALF = np.float32(0.5)
_TWO_PI = np.float32(2.0 * np.pi)
_TURN = np.float32(2.0**32)

CHORUS = np.dtype(
    [
        ("share", np.float32),
        ("rate", np.float32),  # Hz
        ("share_target", np.float32),
        ("rate_target", np.float32),
        ("glide", np.float32),  # share of the way to the target, per sample
        ("sample_rate", np.float32),
        ("base", np.float32, (2, 2)),  # samples
        ("phase", np.uint32, (2,)),  # of the first and of the second taps, 2^-32 turns
        ("at", np.int64),  # where in the line the next sample goes
        ("quiet", np.int64),  # samples since the last that was not 0
    ],
    align=True,
)


@njit()
def read_between(line, at, back):  # type: ignore[no-untyped-def]
    """The value `back` samples (2 or more) before place `at` of a ring: cubic through four samples (Catmull and Rom).

    line: float32 [length], length at least back + 3.
    """
    length = line.shape[0]
    whole = np.int64(back)
    t = np.float32(1.0) - (back - np.float32(whole))  # on the way from sample a to the next one, b
    i = at - whole - 1
    if i < 0:
        i += length
    before = line[i - 1] if i > 0 else line[length - 1]
    a = line[i]
    b = line[i + 1] if i + 1 < length else line[i + 1 - length]
    after = line[i + 2] if i + 2 < length else line[i + 2 - length]
    slope_a = _HALF * (b - before)
    slope_b = _HALF * (after - a)
    fall = a - b
    cubed = fall + fall + slope_a + slope_b
    return a + t * (slope_a + t * (-fall - slope_a - cubed + t * cubed))


@njit()
def add_chorus(chorus, line, mix, first, n_samples):  # type: ignore[no-untyped-def]
    """Replaces n samples of mix[:, first:] (float32 [2, block]) by their chorus. line: float32 [2, TAP_LINE_S]."""
    length = line.shape[1]
    share, rate, at, quiet = chorus.share, chorus.rate, chorus.at, chorus.quiet
    phase_a, phase_b = chorus.phase[0], chorus.phase[1]
    glide, share_target, rate_target = chorus.glide, chorus.share_target, chorus.rate_target
    per_hz = _TURN / chorus.sample_rate
    deepest = np.float32(DEEPEST_S) * chorus.sample_rate
    widest = DETUNING * chorus.sample_rate / _TWO_PI
    quarter = np.uint32(1 << 30)
    for i in range(first, first + n_samples):
        share += (share_target - share) * glide
        rate += (rate_target - rate) * glide
        phase_a = np.uint32(phase_a + np.uint32(np.int64(rate * per_hz)))
        phase_b = np.uint32(phase_b + np.uint32(np.int64(rate * _SLOWER * per_hz)))
        depth_a = min(deepest, widest / rate)
        depth_b = min(deepest, widest / (rate * _SLOWER))
        dry = np.sqrt(np.float32(1.0) - _HALF * share * share)
        wet = _HALF * share
        heard = mix[0, i] != 0.0 or mix[1, i] != 0.0
        for channel in range(2):
            x = mix[channel, i]
            line[channel, at] = x
            # Opposite directions left and right: where one channel is sharp the other is flat.
            swing_a = sine_of_phase(np.uint32(phase_a + np.uint32(2 * channel) * quarter))
            swing_b = sine_of_phase(np.uint32(phase_b + np.uint32(2 * channel + 1) * quarter))
            tap_a = read_between(line[channel], at, chorus.base[channel, 0] + depth_a * swing_a)
            tap_b = read_between(line[channel], at, chorus.base[channel, 1] + depth_b * swing_b)
            mix[channel, i] = dry * x + wet * (tap_a + tap_b)
        at += 1
        if at == length:
            at = 0
        quiet = 0 if heard else quiet + 1
    chorus.share, chorus.rate, chorus.at, chorus.quiet = share, rate, at, quiet
    chorus.phase[0], chorus.phase[1] = phase_a, phase_b


@njit()
def pass_time(chorus, n_samples):  # type: ignore[no-untyped-def]
    """What add_chorus would have done in `n_samples` of silence with settled parameters."""
    per_hz = _TURN / chorus.sample_rate
    chorus.phase[0] += np.uint32(n_samples) * np.uint32(np.int64(chorus.rate * per_hz))
    chorus.phase[1] += np.uint32(n_samples) * np.uint32(np.int64(chorus.rate * _SLOWER * per_hz))
