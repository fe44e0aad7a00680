"""The surface from its four edges: where a finger is among the corners, and what the edges' paths add to z.

Each edge may have a path (`synth.grid.pair_path`), whose warp re-times it and whose bend is added to the embedding on
it. In between, both are blended from the edges (`synth.control.corners.surface` is the reference): the warp by a Coons
patch, the bends each by how near its edge is. So an edge is its path exactly, a corner is untouched, and without any
path the finger's place is its place. `evenness` is how much of all that is used.
"""

import numpy as np

from synth.control.corners import N_EDGES, Edge
from synth.frames import FRAMES_PER_EMBEDDING, Z_DIM
from synth.grid.pair_path import N_INNER, N_STEPS, N_WARP
from synth.jit import njit
from synth.voices.prepared_path import BEND_FRAMES
from synth.voices.zwindow import Z_WINDOW

_SOUTH, _NORTH, _WEST, _EAST = (int(edge) for edge in (Edge.SOUTH, Edge.NORTH, Edge.WEST, Edge.EAST))
_LAST_TIME = len(BEND_FRAMES) - 1
_NO_BEND = 1e-6
"""Of a bend: what is less is not heard, and an edge that the finger is opposite to need not be read."""


@njit()
def _warped(warp, e, share, amount, s):  # type: ignore[no-untyped-def]
    """Where edge e of a voice's warps, float32 [8, 33], has the place s; share: of its new path."""
    place = s * (N_WARP - 1)
    below = min(int(place), N_WARP - 2)
    part = place - below
    u = warp[e, below] + part * (float(warp[e, below + 1]) - warp[e, below])
    if share < 1.0:
        old = warp[e + N_EDGES]
        before = old[below] + part * (float(old[below + 1]) - old[below])
        u = before + share * (u - before)
    return s + amount * (u - s)


@njit()
def place_on_surface(bank, row, v, x, y, aim, fade_samples):  # type: ignore[no-untyped-def]
    """Fills `place` and `path_share` of a WORK row for slot v, whose finger is at (x, y) at sample `aim`."""
    if not bank[v].curved:
        row.place[0], row.place[1] = x, y
        return
    for e in range(N_EDGES):
        share = 1.0
        if bank[v].path_fading[e]:
            share = min(max((aim - bank[v].path_start[e]) / fade_samples, 0.0), 1.0)
        row.path_share[e] = share
    warp, share, amount = bank[v].warp, row.path_share, row.evenness
    south = _warped(warp, _SOUTH, share[_SOUTH], amount, x)
    north = _warped(warp, _NORTH, share[_NORTH], amount, x)
    west = _warped(warp, _WEST, share[_WEST], amount, y)
    east = _warped(warp, _EAST, share[_EAST], amount, y)
    row.place[0] = min(max(south + y * (north - south), 0.0), 1.0)
    row.place[1] = min(max(west + x * (east - west), 0.0), 1.0)


@njit("f8(i8, f8, f8)")
def _nearness(edge, x, y):  # type: ignore[no-untyped-def]
    """How near (x, y) is to an edge: 1 on it, 0 on the one opposite."""
    if edge == _SOUTH:
        return 1.0 - y
    if edge == _NORTH:
        return y
    return 1.0 - x if edge == _WEST else x


@njit()
def _sum_bends(bends, notes, steps, weights, n_terms, m, part, total):  # type: ignore[no-untyped-def]
    """Sets `total`, float32 [16], to the weighted sum of bends, float32 [N, 7, 8, 16], between times m and m + 1."""
    total[:] = np.float32(0.0)
    for k in range(n_terms):
        bend = bends[notes[k], steps[k]]
        early, late = np.float32(weights[k] * (1.0 - part)), np.float32(weights[k] * part)
        if early == 0.0:  # most notes are held beyond the last time
            for d in range(Z_DIM):
                total[d] += late * bend[m + 1, d]
        else:
            for d in range(Z_DIM):
                total[d] += early * bend[m, d] + late * bend[m + 1, d]


@njit()
def add_bends(bends, path, e, bank, work, z_out, n):  # type: ignore[no-untyped-def]
    """Adds the bends of path number `path`, float32 [N, 7, 8, 16], to the first `n` rows of z_out, float32 [., 80], for
    slots that have it on edge e (0 to 3 as it is, 4 to 7 as it was)."""
    edge = e % N_EDGES
    notes, steps, weights = np.empty(4, np.int64), np.empty(4, np.int64), np.empty(4)
    total = np.empty(Z_DIM, np.float32)
    for i in range(n):
        v = work[i].due
        if bank[v].path[e] != path:
            continue
        x, y = work[i].place[0], work[i].place[1]
        share = work[i].path_share[edge]
        weight = work[i].evenness * _nearness(edge, x, y) * (share if e < N_EDGES else 1.0 - share)
        u = x if edge in (_SOUTH, _NORTH) else y
        if bank[v].path_flip[e]:
            u = 1.0 - u
        step = u * (N_STEPS - 1)
        below = min(int(step), N_STEPS - 2)
        part = step - below
        n_terms = 0
        for j in range(2):
            for k in range(2):
                inner = below + k - 1
                heavy = weight * bank[v].path_weight[e, j] * (part if k else 1.0 - part)
                if heavy > _NO_BEND and 0 <= inner < N_INNER:
                    notes[n_terms], steps[n_terms], weights[n_terms] = bank[v].path_note[e, j], inner, heavy
                    n_terms += 1
        if n_terms == 0:
            continue
        m_before, part_before = -1, 0.0
        for j in range(Z_WINDOW):
            at = work[i].bend_frame + (j - Z_WINDOW // 2) * FRAMES_PER_EMBEDDING
            # As z itself, a bend comes in over the 32 ms around the onset; see synth.voices.zwindow.
            present = np.float32(min(at / FRAMES_PER_EMBEDDING + 0.5, 1.0))
            if present <= 0.0:
                continue
            m = 0
            while m < _LAST_TIME - 1 and at > BEND_FRAMES[m + 1]:
                m += 1
            between = min(max((at - BEND_FRAMES[m]) / (BEND_FRAMES[m + 1] - BEND_FRAMES[m]), 0.0), 1.0)
            if m != m_before or between != part_before:
                _sum_bends(bends, notes, steps, weights, n_terms, m, between, total)
                m_before, part_before = m, between
            z = z_out[i, j * Z_DIM : (j + 1) * Z_DIM]
            for d in range(Z_DIM):
                z[d] += present * total[d]
