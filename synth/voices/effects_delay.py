"""Echoes: one line per channel, and what comes back crosses to the other one.

A sound in the middle echoes in the middle, one at the side goes to and fro; the sum of the channels does not notice.
A new delay time is a crossfade between two taps (no pitch sweep, no zipper); the gains of the two sum to 1, so
that the loop never gains. In the loop a low-pass and a high-pass of the first order make each echo a little darker than
the one before, as a tape does, and keep constants out of it.
"""

import numpy as np

from synth.jit import njit

LONGEST_S = 2.0
FADE_S = 0.040
LOW_PASS_HZ, HIGH_PASS_HZ = 7_000.0, 40.0
_TINY = np.float32(1e-15)  # filters stop here: they would go on to denormal numbers, which are slow
QUIET = np.float32(1e-6)  # -120 dBFS: echoes and rooms that stay below are over

DELAY = np.dtype(
    [
        ("send", np.float32),
        ("feedback", np.float32),
        ("send_target", np.float32),
        ("feedback_target", np.float32),
        ("glide", np.float32),  # share of the way to the target, per sample
        ("low", np.float32),  # poles of the filters
        ("high", np.float32),
        ("low_state", np.float32, (2,)),
        ("high_in", np.float32, (2,)),
        ("high_out", np.float32, (2,)),
        ("tap", np.int64),  # samples
        ("tap_target", np.int64),
        ("next_tap", np.int64),  # what is faded to
        ("fade_left", np.int64),  # samples until next_tap is reached; 0: no fade
        ("fade_samples", np.int64),
        ("at", np.int64),
        ("filled", np.int64),
        ("quiet", np.int64),  # samples since anything went in or came out louder than QUIET
    ],
    align=True,
)


@njit()
def _tap(line, at, filled, back):  # type: ignore[no-untyped-def]
    if back > filled:
        return np.float32(0.0)
    i = at - back
    return line[i] if i >= 0 else line[i + line.shape[0]]


@njit()
def add_delay(delay, line, mix, first, n_samples):  # type: ignore[no-untyped-def]
    """Adds the echoes of mix[:, first:] (float32 [2, block]) to it. line: float32 [2, LONGEST_S]."""
    length = line.shape[1]
    at, filled, quiet = delay.at, delay.filled, delay.quiet
    glide, low, high = delay.glide, delay.low, delay.high
    for i in range(first, first + n_samples):
        delay.send += (delay.send_target - delay.send) * glide
        delay.feedback += (delay.feedback_target - delay.feedback) * glide
        if delay.fade_left == 0 and delay.tap_target != delay.tap:
            delay.next_tap = delay.tap_target
            delay.fade_left = delay.fade_samples
        share = np.float32(0.0)
        if delay.fade_left > 0:
            t = np.float32(1.0) - np.float32(delay.fade_left) / np.float32(delay.fade_samples)
            share = t * t * (np.float32(3.0) - np.float32(2.0) * t)
        heard = delay.send != 0.0 and (mix[0, i] != 0.0 or mix[1, i] != 0.0)
        for channel in range(2):
            echo = _tap(line[channel], at, filled, delay.tap)
            if delay.fade_left > 0:
                echo += share * (_tap(line[channel], at, filled, delay.next_tap) - echo)
            heard = heard or abs(echo) > QUIET
            x = mix[channel, i]
            mix[channel, i] = x + echo
            dark = echo + (delay.low_state[channel] - echo) * low
            if abs(dark) < _TINY:
                dark = np.float32(0.0)
            out = high * (delay.high_out[channel] + dark - delay.high_in[channel])
            if abs(out) < _TINY:
                out = np.float32(0.0)
            delay.low_state[channel], delay.high_in[channel], delay.high_out[channel] = dark, dark, out
            line[channel, at] = delay.send * x
        # What comes back crosses over.
        line[0, at] += delay.feedback * delay.high_out[1]
        line[1, at] += delay.feedback * delay.high_out[0]
        quiet = 0 if heard else quiet + 1
        if delay.fade_left > 0:
            delay.fade_left -= 1
            if delay.fade_left == 0:
                delay.tap = delay.next_tap
        at += 1
        if at == length:
            at = 0
        filled += 1
    delay.at, delay.filled, delay.quiet = at, min(filled, length), quiet


@njit()
def forget_echoes(delay):  # type: ignore[no-untyped-def]
    """An empty line, in no time: nothing that it holds is valid any more."""
    delay.filled = 0
    for channel in range(2):
        delay.low_state[channel] = delay.high_in[channel] = delay.high_out[channel] = np.float32(0.0)
