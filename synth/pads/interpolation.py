"""Reading a recording between its samples: eight taps of a windowed sinc, in tables.

Kaiser's window (beta 6) on a sinc without a lower cutoff: at a whole place one tap is exactly 1 and the others 0, so a
note at its own pitch and rate comes out as it was rendered. Each row of taps sums to 1. Between two of 512 fractions
the taps are interpolated linearly. A sine at a quarter of the sample rate comes out within -60 dB of the true one
(tests/synth/pads/test_interpolation.py); above the Nyquist frequency of the lower rate there is little to hope for with
eight taps, and pads that are played far above the highest pitch they were rendered at do alias.
"""

import numpy as np

from synth.frames import Float32Array
from synth.jit import njit

N_TAPS = 8
FIRST_TAP = 3
"""Taps before the sample at or below the place."""
N_FRACTIONS = 512
_BETA = 6.0


def tap_table() -> Float32Array:
    """float32 [513, 8]: taps at fractions 0, 1/512, ... 1; the last is the first, one tap on."""
    fraction = np.arange(N_FRACTIONS + 1)[:, None] / N_FRACTIONS
    distance = np.arange(N_TAPS)[None, :] - FIRST_TAP - fraction
    inside = np.clip(1.0 - (distance / (N_TAPS / 2)) ** 2, 0.0, None)
    taps = np.where(distance == np.rint(distance), distance == 0.0, np.sinc(distance)) * np.i0(_BETA * np.sqrt(inside))
    return np.asarray(taps / taps.sum(axis=1, keepdims=True), np.float32)


@njit(fastmath=True)
def fill_taps(table, fraction, taps):  # type: ignore[no-untyped-def]
    """The taps, float32 [8], at a fraction, 0..1, of a table as from `tap_table`."""
    place = fraction * N_FRACTIONS
    whole = int(place)
    mix = np.float32(place - whole)
    for t in range(N_TAPS):
        taps[t] = table[whole, t] + mix * (table[whole + 1, t] - table[whole, t])
