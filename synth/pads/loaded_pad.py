"""A pad in memory, made ready to be played: loops without seams, and how loud and how alike its notes are.

Everything is read from disk and computed here, before the first block. The audio half finds plain arrays.

*Loops.* A held note goes back from its loop's end to its loop's start. Two things make that inaudible. The end is moved
back by up to LOOP_SEARCH_S to where the sound is most like that before the loop's start: the same for all cells of a
pitch that have the same loop, so that cells that run in step go on doing so. And the last part of the loop is faded
over into what comes before its start, with gains whose powers are 1 together for what the two have in common (0.7 and
0.7 for unlike sounds, 0.5 and 0.5 for equal ones), and written into the row in place of it. The reader only wraps.

*Likeness.* Neighbouring cells may run in step (an engine's notes of one seed) or not at all (a sampled network's).
Equal-power gains are right for the second only: two equal sounds would come out 3 dB too loud. So the correlation of
each pair that can sound together is measured, and the gains are made equal-power for what comes out.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from synth.errors import TetradError
from synth.frames import Float32Array, Float64Array
from synth.jit import njit
from synth.pads.pad_file import FULL_SCALE, Pad, Samples
from synth.pads.pad_header import PadSpec

MOST_LOADED_BYTES = 1 << 30
"""Of samples. A 9 by 9 pad of 15 pitches of 4 s at 48 kHz has 467 MB; a Raspberry Pi 5 has 2 GB or more."""
LOOP_FADE_S = 0.25
"""The original's 4,000 samples at 16 kHz; less where the loop or what is before it is shorter."""
LOOP_SEARCH_S = 0.025
"""A period of 40 Hz."""
N_LEVEL_STEPS = 64
"""Of a row: how finely its level over time is known."""
EAST, NORTH, NORTH_EAST, NORTH_WEST = range(4)
"""Columns of `likeness`: the cell's with the one to the east and so on; NORTH_WEST is that of the cell to the east with
the one to the north."""
_SEARCHED_ROWS = 9
"""Of those that share a loop, as many have a say in where it ends: 81 would take 9 times as long, to the same end."""

ROW = np.dtype(
    [
        ("n_samples", np.int64),
        ("loop_start", np.int64),
        ("loop_end", np.int64),  # 0: no loop
        ("release_start", np.int64),  # n_samples: no recorded release
    ]
)


class LoadedPad(NamedTuple):
    """samples int16 [rows, row_samples], in the order of the file; rows ROW [rows]; power float32 [rows, 64]: mean
    square (full scale 1) over each 64th of row_samples; likeness float32 [rows, 4]: correlations, -1..1 (see EAST)."""

    spec: PadSpec
    samples: Samples
    rows: npt.NDArray[np.void]
    power: Float32Array
    likeness: Float32Array


def load_pad(pad: Pad, most_bytes: int = MOST_LOADED_BYTES) -> LoadedPad:
    """Reads a pad whole. TetradError where it is damaged, or larger than `most_bytes`."""
    spec = pad.spec
    if spec.n_bytes > most_bytes:
        raise TetradError(
            f"{pad.path} has {spec.n_bytes / 1e6:.0f} MB of samples; at most {most_bytes / 1e6:.0f} MB are kept in "
            "memory; render it with fewer cells, fewer pitches or shorter notes"
        )
    rows = np.zeros(spec.n_rows, ROW)
    for name in ROW.names or ():
        rows[name] = [getattr(row, name) for row in pad.rows]
    try:
        samples = np.zeros((spec.n_rows, spec.row_samples), np.int16)
    except MemoryError as error:
        raise TetradError(
            f"{pad.path} has {spec.n_bytes / 1e6:.0f} MB of samples, for which there is no memory; render a smaller one"
        ) from error
    for place, note in pad.notes():
        samples[spec.row_number(*place), : note.size] = note
    _close_loops(spec, samples, rows)
    power = np.zeros((spec.n_rows, N_LEVEL_STEPS), np.float32)
    _measure_power(samples, power)
    return LoadedPad(spec, samples, rows, power, _likeness(spec, samples))


def read_pad(path: Path | str) -> LoadedPad:
    """`load_pad` of a file."""
    return load_pad(Pad.open(path))


def _close_loops(spec: PadSpec, samples: Samples, rows: npt.NDArray[np.void]) -> None:
    """Moves the loops' ends, and fades over into their starts."""
    n_pitches = len(spec.pitches)
    groups: dict[tuple[int, int, int], list[int]] = {}
    for number in np.flatnonzero(rows["loop_end"] > rows["loop_start"]).tolist():
        loop = int(rows["loop_start"][number]), int(rows["loop_end"][number])
        groups.setdefault((number % n_pitches, *loop), []).append(number)
    for (_, first, last), same in groups.items():
        length = min((last - first) // 3, round(LOOP_FADE_S * spec.sample_rate_hz))
        if length < 1:
            continue
        start = max(first, length)  # there must be as much before a loop as it fades over into
        heard = samples[same[:: max(len(same) // _SEARCHED_ROWS, 1)]]
        end = last - _best_shift(heard, start, last, length, round(LOOP_SEARCH_S * spec.sample_rate_hz))
        rows["loop_start"][same], rows["loop_end"][same] = start, end
        for number in same:
            _fade_over(samples[number], start, end, length)


def _best_shift(samples: Samples, start: int, end: int, length: int, most: int) -> int:
    """By how much earlier the loop of these rows, int16 [rows, n], ends best: 0 to `most` samples, less than a quarter
    of the loop. The sum over the rows of their normalised correlations decides."""
    most = min(most, (end - start) // 4, length)
    if most < 1:
        return 0
    before = samples[:, start - length : start].astype(np.float64)
    ending = samples[:, end - length - most : end].astype(np.float64)
    size = 1 << math.ceil(math.log2(ending.shape[1] + length))
    product = np.fft.rfft(ending, size) * np.conj(np.fft.rfft(before, size))
    common = np.fft.irfft(product, size)[:, : most + 1]  # place k: the end is moved by most - k
    energy = np.cumsum(np.pad(ending**2, [(0, 0), (1, 0)]), axis=1)
    energy = energy[:, length : length + most + 1] - energy[:, : most + 1]
    score = (common / np.sqrt(np.maximum(energy, 1.0) * np.maximum((before**2).sum(axis=1, keepdims=True), 1.0))).sum(0)
    return most - int(np.argmax(score))


def _fade_over(row: Samples, start: int, end: int, length: int) -> None:
    """The last `length` samples of the loop go over into those before its start."""
    old, new = row[end - length : end].astype(np.float64), row[start - length : start].astype(np.float64)
    norm = math.sqrt(float(old @ old) * float(new @ new))
    alike = max(float(old @ new) / norm, 0.0) if norm > 0.0 else 0.0
    angle = 0.5 * np.pi * (np.arange(length) + 0.5) / length
    falling, rising = np.cos(angle), np.sin(angle)
    scale = 1.0 / np.sqrt(1.0 + 2.0 * alike * falling * rising)
    mixed = scale * (falling * old + rising * new)
    row[end - length : end] = np.clip(np.rint(mixed), -FULL_SCALE, FULL_SCALE)


@njit()
def _measure_power(samples, power):  # type: ignore[no-untyped-def]
    n_rows, n = samples.shape
    steps = power.shape[1]
    for r in range(n_rows):
        for s in range(steps):
            first, last = s * n // steps, max((s + 1) * n // steps, s * n // steps + 1)
            total = 0.0
            for i in range(first, min(last, n)):
                total += float(samples[r, i]) ** 2
            power[r, s] = total / ((last - first) * FULL_SCALE * FULL_SCALE)


@njit(fastmath=True)
def _energy(a, b):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(a.shape[0]):
        total += float(np.int32(a[i]) * np.int32(b[i]))
    return total


@njit()
def _correlate(samples, resolution, n_pitches, own, out):  # type: ignore[no-untyped-def]
    for r in range(samples.shape[0]):
        own[r] = _energy(samples[r], samples[r])
    for y in range(resolution):
        for x in range(resolution):
            for p in range(n_pitches):
                here = (y * resolution + x) * n_pitches + p
                east, north = here + n_pitches, here + resolution * n_pitches
                if x + 1 < resolution:
                    out[here, EAST] = _energy(samples[here], samples[east]) / np.sqrt(own[here] * own[east] + 1.0)
                if y + 1 < resolution:
                    out[here, NORTH] = _energy(samples[here], samples[north]) / np.sqrt(own[here] * own[north] + 1.0)
                if x + 1 < resolution and y + 1 < resolution:
                    far = north + n_pitches
                    out[here, NORTH_EAST] = _energy(samples[here], samples[far]) / np.sqrt(own[here] * own[far] + 1.0)
                    out[here, NORTH_WEST] = _energy(samples[east], samples[north]) / np.sqrt(
                        own[east] * own[north] + 1.0
                    )


def _likeness(spec: PadSpec, samples: Samples) -> Float32Array:
    own: Float64Array = np.zeros(spec.n_rows)
    likeness = np.zeros((spec.n_rows, 4), np.float32)
    _correlate(samples, spec.resolution, len(spec.pitches), own, likeness)
    return likeness
