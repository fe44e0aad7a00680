"""Where the engine reads an embedding: z around one moment of a note, as the decoder wants it."""

from __future__ import annotations

import numpy as np

from synth.frames import FRAMES_PER_EMBEDDING, Z_DIM, Float32Array, Float64Array
from synth.jit import njit

Z_WINDOW = 5
Z_WINDOW_WIDTH = Z_WINDOW * Z_DIM


@njit("void(float32[:, ::1], int64, float64, float32, float32[::1])")
def add_z_window(z, n_z, frame, weight, out):  # type: ignore[no-untyped-def]
    """Add `weight` times the z window at control frame `frame` to `out`.

    `z` float32 [>= n_z, 16]; `out` float32 [80]: z at -64, -32, 0, 32 and 64 ms. Embedding frame i stands for the
    moment (i + 0.5) * 32 ms; between moments z is linear, outside 0..n_z-1 it is zero (which tells of the onset).
    """
    first = frame / FRAMES_PER_EMBEDDING - 0.5 - Z_WINDOW // 2
    base = np.floor(first)
    mix = np.float32(first - base)
    low = int(base)
    for j in range(Z_WINDOW):
        below, above = low + j, low + j + 1
        if 0 <= below < n_z:
            scale = weight * (np.float32(1.0) - mix)
            for d in range(Z_DIM):
                out[j * Z_DIM + d] += scale * z[below, d]
        if 0 <= above < n_z:
            scale = weight * mix
            for d in range(Z_DIM):
                out[j * Z_DIM + d] += scale * z[above, d]


def z_windows(z: Float32Array, frames: Float64Array) -> Float32Array:
    """z windows of one note, z float32 [Tz, 16] at control frames float64 [M] -> float32 [M, 80]."""
    out = np.zeros((frames.size, Z_WINDOW_WIDTH), dtype=np.float32)
    z = np.ascontiguousarray(z, dtype=np.float32)
    for i, frame in enumerate(frames):
        add_z_window(z, z.shape[0], float(frame), 1.0, out[i])
    return out
