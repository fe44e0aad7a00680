"""The harmonic decoder at run time: embeddings of many voices in, control frames out.

ONNX Runtime has the weights alone. What comes before them (a note's pitch and velocity as numbers near one) and after
(reading the envelope at the partials, dB, limits) are two kernels: as 40 nodes of the graph they cost more than the
weights did, up to batches of 5. `models.autoencoder.HarmonicDecoder` is the same in torch, and the reference.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial

from synth.errors import TetradError
from synth.frames import (
    CENTRE_LEVEL_DB,
    CENTRE_PITCH,
    CENTRE_VELOCITY,
    DEVIATION_UNIT_CENTS,
    ERB_PER_HZ,
    HIGHEST_BUMP_PITCH,
    HIGHEST_LEVEL_DB,
    LEVEL_FLOOR_DB,
    LEVEL_UNIT_DB,
    LOWEST_BUMP_PITCH,
    N_BANDS,
    N_PARTIALS,
    PITCH_UNIT,
    ROW_WIDTH,
    Float32Array,
    envelope_scale,
    pitch_to_hz,
)
from synth.jit import njit
from synth.onnx import Network
from synth.paths import model_dir
from synth.voices.tick import amplitude_of_db
from synth.voices.zwindow import Z_WINDOW_WIDTH

MOST_AT_ONCE = 512
"""Rows that the decoder has room for; a longer batch is decoded in parts."""

_N_LEVELS = N_PARTIALS + N_BANDS
_NUMBER = np.arange(1, N_PARTIALS + 1, dtype=np.float32)
_HZ_AT_0 = float(pitch_to_hz(0.0))
_BUMP_SPAN = HIGHEST_BUMP_PITCH - LOWEST_BUMP_PITCH
_BUMP_DB = np.float32(-20.0 / math.log(10.0))
_DB_END = np.float32(-700.0)  # of `amplitude_of_db`: 1e-35, for the bumps more than 9 steps away
# float32, or the kernels would compute in float64.
_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_UNIT, _CENTRE = np.float32(LEVEL_UNIT_DB), np.float32(CENTRE_LEVEL_DB)
_LOWEST, _HIGHEST = np.float32(LEVEL_FLOOR_DB), np.float32(HIGHEST_LEVEL_DB)
_HALF_ROOT = np.int32(0x3F3504F3)  # the bits of sqrt(1/2)
_MANTISSA = np.int32(23)
# log2(1 + t) / t for 1 + t from sqrt(1/2) to sqrt(2), within 3e-8 (10 Chebyshev nodes, none of them at t = 0).
_L0, _L1, _L2, _L3, _L4, _L5, _L6, _L7, _L8, _L9 = (
    np.float32(c)
    for c in Chebyshev.interpolate(
        lambda t: np.log1p(t) / (t * math.log(2.0)), 9, domain=[math.sqrt(0.5) - 1.0, math.sqrt(2.0) - 1.0]
    )
    .convert(kind=Polynomial)
    .coef
)


@njit("f4(f4)")
def log2(x):  # type: ignore[no-untyped-def]
    """Logarithm to base 2 of 1e-30 to 1e30, within 3e-7 up to 100. The compiler can vectorise it, as it can't a
    library's: 64 rows take 19 us instead of 82."""
    bits = np.float32(x).view(np.int32)
    exponent = np.int32(np.int32(bits - _HALF_ROOT) >> _MANTISSA)
    t = np.int32(bits - np.int32(exponent << _MANTISSA)).view(np.float32) - _ONE
    series = _L4 + t * (_L5 + t * (_L6 + t * (_L7 + t * (_L8 + t * _L9))))
    return np.float32(exponent) + t * (_L0 + t * (_L1 + t * (_L2 + t * (_L3 + t * series))))


@njit("void(f4[:, ::1], f4[::1], f4[::1], i8, i8, f4[:, ::1])")
def tell(z_window, pitch, velocity, first, n, features):  # type: ignore[no-untyped-def]
    """Writes what the network is told of voices `first` to `first + n - 1` to features float32 [>= n, 80 + bumps + 2]:
    the window, the pitch as bumps over the keyboard and as a straight line, the velocity."""
    n_bumps = features.shape[1] - Z_WINDOW_WIDTH - 2
    step = _BUMP_SPAN / (n_bumps - 1)
    for i in range(n):
        row, window, key = features[i], z_window[first + i], pitch[first + i]
        for j in range(Z_WINDOW_WIDTH):
            row[j] = window[j]
        for j in range(n_bumps):
            distance = np.float32((key - np.float32(LOWEST_BUMP_PITCH + step * j)) / step)
            # exp(-d^2) is -8.7 d^2 dB, in a form that the compiler can vectorise: 64 rows take 7 us instead of 15.
            row[Z_WINDOW_WIDTH + j] = amplitude_of_db(max(_BUMP_DB * distance * distance, _DB_END))
        row[Z_WINDOW_WIDTH + n_bumps] = (key - CENTRE_PITCH) / PITCH_UNIT
        row[Z_WINDOW_WIDTH + n_bumps + 1] = (velocity[first + i] - CENTRE_VELOCITY) / CENTRE_VELOCITY


@njit("void(f4[:, ::1], f4[::1], i8, i8, f8, f8, f4[:, ::1])")
def read(out, pitch, first, n, slope, offset, rows):  # type: ignore[no-untyped-def]
    """Makes rows `first` to `first + n - 1` of what the network answered, out float32 [>= n, E + 165].

    A partial's level is the envelope (E points, `synth.frames.envelope_scale`) at its frequency, and its own. Loops of
    their own where one would do, because the compiler vectorises all of them but the one that looks up.
    """
    n_envelope = out.shape[1] - ROW_WIDTH
    slope, offset, end = np.float32(slope * math.log(2.0)), np.float32(offset), np.float32(n_envelope - 1.001)
    at = np.empty(N_PARTIALS, np.float32)
    for i in range(n):
        envelope, own, row = out[i, :n_envelope], out[i, n_envelope:], rows[first + i]
        f0 = np.float32(ERB_PER_HZ * _HZ_AT_0 * np.exp2(pitch[first + i] / 12.0))
        for j in range(N_PARTIALS):
            place = log2(f0 * _NUMBER[j] + _ONE) * slope + offset
            place = place if place > _ZERO else _ZERO  # what is not a number goes to 0 too, and stays inside
            at[j] = place if place < end else end
        for j in range(N_PARTIALS):
            low = np.uint32(np.int32(at[j]))
            below, above = envelope[low], envelope[low + np.uint32(1)]
            row[j] = below + (at[j] - np.float32(low)) * (above - below) + own[j]
        for j in range(N_PARTIALS, _N_LEVELS):
            row[j] = own[j]
        for j in range(_N_LEVELS):
            level = row[j] * _UNIT + _CENTRE
            level = _LOWEST if level < _LOWEST else level
            row[j] = _HIGHEST if level > _HIGHEST else level
        row[_N_LEVELS] = own[_N_LEVELS] * np.float32(DEVIATION_UNIT_CENTS)


class Decoder:
    """`run` decodes one control frame for each voice of a batch. `model_id` names the network it was trained as.

    For one thread at a time: it works in buffers of its own. The rows it gives away are the caller's.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Open the shipped decoder, or another. Raises TetradError for a missing, truncated or foreign file."""
        path = path or model_dir() / "decoder.onnx"
        network = Network(path, "decoder", ("features",))
        self.model_id = network.model_id
        self.checksum = network.checksum
        n_features, n_out = network.widths
        n_bumps, n_envelope = n_features - Z_WINDOW_WIDTH - 2, n_out - ROW_WIDTH
        if min(n_bumps, n_envelope) < 2:
            raise TetradError(
                f"{path} turns {n_features} numbers into {n_out}; expected at least {Z_WINDOW_WIDTH + 4} and "
                f"{ROW_WIDTH + 2}; write the pair anew with `tetrad model export`"
            )
        self._slope, self._offset = envelope_scale(n_envelope)
        self._network = network
        self._features = np.zeros((MOST_AT_ONCE, n_features), np.float32)
        self._out = np.zeros((MOST_AT_ONCE, n_out), np.float32)
        self._calls: dict[int, Callable[[], None]] = {}

    def run(self, z_window: Float32Array, pitch: Float32Array, velocity: Float32Array) -> Float32Array:
        """`z_window` float32 [V, 80], `pitch` and `velocity` float32 [V] (MIDI numbers) -> rows float32 [V, 165].

        All C-contiguous. Raises TetradError when the shapes differ.
        """
        n_all = pitch.size
        if z_window.shape != (n_all, Z_WINDOW_WIDTH) or velocity.size != n_all:
            raise TetradError(
                f"The decoder was given {z_window.shape}, {pitch.shape} and {velocity.shape} numbers; "
                f"expected (V, {Z_WINDOW_WIDTH}), (V,) and (V,)."
            )
        rows = np.empty((n_all, ROW_WIDTH), np.float32)
        for first in range(0, n_all, MOST_AT_ONCE):
            n = min(n_all - first, MOST_AT_ONCE)
            tell(z_window, pitch, velocity, first, n, self._features)
            self._call(n)()
            read(self._out, pitch, first, n, self._slope, self._offset, rows)
        return rows

    def _call(self, n: int) -> Callable[[], None]:
        """The network on the first n rows of the buffers: bound at the first use, which takes 0.1 ms more."""
        call = self._calls.get(n)
        if call is None:
            call = self._calls[n] = self._network.bind(self._features[:n], self._out[:n])
        return call
