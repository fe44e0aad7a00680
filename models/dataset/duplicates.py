"""Which instruments sound alike, found from their notes: fonts descend from each other and share samples.

Each note becomes levels in semitone bands *relative to its key* in seven stretches of time. A sample that two presets
play then looks the same at neighbouring keys, too. The distance of two notes is the RMS difference in dB, at equal mean
level, over the cells where either is above -50 dB; of two instruments, the median over the keys that both have within
two semitones.

Known cases (FluidR3 and MuseScore General, which descends from it): presets left untouched are 0.15 to 0.6 dB apart
(what SF3's lossy coding adds), re-programmed ones that play the same samples 1 to 5 (Violin and Fiddle 0.9 and 1.8,
Lead Voice and Pad Choir 3.1 to 4.3), violins and violas of one orchestra 6.4, different instruments 7 and more.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.dataset.notes import HELD_OUT, LOW_RATE_HZ
from synth.frames import Float32Array, pitch_to_hz

SAME_DB = 4.5
"""Instruments closer than this are one instrument for the split. See the module's text for what lies where."""
COPY_DB = 0.7
"""Closer than this they play the same samples in the same way."""
_N_FFT = 2048
_HOP = 512
_STRETCHES_S = ((0.0, 0.064), (0.064, 0.2), (0.2, 0.5), (0.5, 1.0), (1.0, 2.0), (2.0, 3.0), (3.02, 3.3))
_BAND_EDGES = 2.0 ** ((np.arange(-12, 73) - 0.5) / 12.0)  # of the fundamental: an octave below to six above
_HIGHEST_HZ = 7300.0  # the 16 kHz files are flat up to here
_FLOOR_DB = -50.0
_KEY_REACH = 2  # semitones
_LEAST_SHARE = 0.5  # of the smaller instrument's keys that must have a counterpart


@dataclass(frozen=True)
class Alike:
    """Two instruments (names) and their distance in dB."""

    first: str
    second: str
    distance_db: float


def note_levels(audio: np.ndarray, pitch: int) -> Float32Array:
    """Levels of a note in 7 stretches of time by 84 bands relative to its key, float32 [7, 84], -50..0 dB.

    Args: `audio` float [64000] at 16 kHz. 0 dB is the loudest stretch's total.
    """
    padded = np.concatenate([np.zeros(_N_FFT // 2), audio, np.zeros(_N_FFT)]).astype(np.float32)
    blocks = np.lib.stride_tricks.sliding_window_view(padded, _N_FFT)[::_HOP]
    power = np.abs(np.fft.rfft(blocks * np.hanning(_N_FFT).astype(np.float32), axis=1)) ** 2
    time_s = np.arange(len(blocks)) * _HOP / LOW_RATE_HZ
    stretches = np.stack([power[(time_s >= start) & (time_s < end)].mean(axis=0) for start, end in _STRETCHES_S])
    below = np.concatenate([np.zeros((len(_STRETCHES_S), 1)), np.cumsum(stretches, axis=1)], axis=1)
    edge = np.clip(_BAND_EDGES * pitch_to_hz(pitch) / LOW_RATE_HZ * _N_FFT + 0.5, 0, _N_FFT // 2 + 1)
    bands = np.diff([np.interp(edge, np.arange(below.shape[1]), row) for row in below], axis=1)
    level = 10.0 * np.log10(np.maximum(bands, 1e-20))
    level -= 10.0 * np.log10(max(float(stretches.sum(axis=1).max()), 1e-10))
    return np.asarray(np.maximum(level, _FLOOR_DB), np.float32)


def find_alike(levels: Mapping[str, Mapping[int, Float32Array]], limit_db: float = SAME_DB) -> list[Alike]:
    """Pairs of instruments closer than `limit_db`, closest first.

    Args: `levels`: instrument -> key -> `note_levels` of one note (the same velocity for all).
    """
    names = list(levels)
    by_key: dict[int, list[int]] = defaultdict(list)
    for i, name in enumerate(names):
        for pitch in levels[name]:
            by_key[pitch].append(i)
    found: dict[tuple[int, int], dict[int, tuple[int, float]]] = defaultdict(dict)
    for pitch in sorted(by_key):
        for other in range(pitch - _KEY_REACH, pitch + _KEY_REACH + 1):
            if other not in by_key:
                continue
            rows, columns = by_key[pitch], by_key[other]
            distance = _distances(
                np.stack([levels[names[i]][pitch] for i in rows]),
                np.stack([levels[names[j]][other] for j in columns]),
                max(pitch, other),
            )
            for a, b in zip(*np.nonzero(distance < 4 * limit_db), strict=True):
                pair = (rows[a], columns[b])
                candidate = (abs(pitch - other), float(distance[a, b]))
                if pair[0] < pair[1] and candidate < found[pair].get(pitch, (99, 0.0)):
                    found[pair][pitch] = candidate
    result = []
    for (i, j), by_pitch in found.items():
        # A key of either without a near counterpart (further than four limits) counts as infinitely far.
        n_common = sum(any(abs(p - q) <= _KEY_REACH for q in levels[names[j]]) for p in levels[names[i]])
        if n_common < _LEAST_SHARE * min(len(levels[names[i]]), len(levels[names[j]])):
            continue
        values = [d for _, d in by_pitch.values()] + [np.inf] * (n_common - len(by_pitch))
        distance_db = float(np.median(values))
        if distance_db < limit_db:
            result.append(Alike(names[i], names[j], round(distance_db, 3)))
    return sorted(result, key=lambda pair: (pair.distance_db, pair.first, pair.second))


def _distances(a: Float32Array, b: Float32Array, pitch: int) -> Float32Array:
    """RMS difference at equal mean level of each of `a` [n, 7, 84] and each of `b` [m, 7, 84]: float32 [n, m].

    Cells where both are at the floor don't count. All sums over cells are matrix products: with levels over the floor
    x and y, the cells that count are those where x or y is above 0.
    """
    heard = _BAND_EDGES[1:] * pitch_to_hz(pitch) < _HIGHEST_HZ
    x = (a[:, :, heard] - _FLOOR_DB).reshape(len(a), -1).astype(np.float64)
    y = (b[:, :, heard] - _FLOOR_DB).reshape(len(b), -1).astype(np.float64)
    x_off, y_off = (x <= 0).astype(np.float64), (y <= 0).astype(np.float64)
    n_cells = np.maximum(x.shape[1] - x_off @ y_off.T, 1.0)
    squares = (x * x).sum(1)[:, None] + (y * y).sum(1)[None] - 2.0 * x @ y.T
    mean = (x.sum(1)[:, None] - y.sum(1)[None]) / n_cells
    return np.asarray(np.sqrt(np.maximum(squares / n_cells - mean * mean, 0.0)), np.float32)


def group(names: Sequence[str], pairs: Iterable[Alike]) -> dict[str, str]:
    """Instrument -> the first instrument (in the order of `names`) that it is connected with by `pairs`."""
    leader = {name: name for name in names}
    order = {name: i for i, name in enumerate(names)}

    def find(name: str) -> str:
        while leader[name] != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for pair in pairs:
        first, second = sorted((find(pair.first), find(pair.second)), key=order.__getitem__)
        leader[second] = first
    return {name: find(name) for name in names}


def copies(names: Sequence[str], pairs: Iterable[Alike]) -> dict[str, str]:
    """Instrument -> the earlier one that it is a copy of (closer than COPY_DB); originals are not in it."""
    near = [pair for pair in pairs if pair.distance_db < COPY_DB]
    return {name: first for name, first in group(names, near).items() if name != first}


def settle_split(split: Mapping[str, str], groups: Mapping[str, str]) -> dict[str, str]:
    """The split with every group on one side: held out as a whole where any of it is."""
    held_out = {groups[name] for name, side in split.items() if side == HELD_OUT}
    return {name: HELD_OUT if groups[name] in held_out else side for name, side in split.items()}
