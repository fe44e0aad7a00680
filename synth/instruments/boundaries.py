"""Where the sound in a recording begins and ends, and how loud the recording is without it.

Levels are read in steps of 5 ms. What stands above the noise floor, or above a fixed distance from the peak where
there is no noise to be found, is sound; a click alone, far from the rest and much softer, is not. The onset is then
found to a quarter of a millisecond: from where the signal itself first stands out, back through what precedes it for
as long as the 2 ms before are louder than the floor.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from synth.frames import SAMPLE_RATE_HZ, Float32Array, Float64Array

STEP = 240
"""Samples: 5 ms."""
FINE = 12
"""Samples: 0.25 ms."""
ONSET_RANGE_DB = 60.0
END_RANGE_DB = 80.0
"""Below the peak. What begins or ends further down is not heard beside it."""
ONSET_OVER_FLOOR_DB = 10.0
END_OVER_FLOOR_DB = 4.0
"""Steps of 5 ms of white noise waver by 0.4 dB, of hum and rumble by 2 dB."""
BEFORE_BELOW_DB, ANYWHERE_BELOW_DB = 12.0, 35.0
"""Least distance of a floor from the peak, before the sound and elsewhere, where steady noise may be the sound's own:
the hi-hats of a drum loop are 20 to 30 dB below its peak."""
HUM_BELOW_DB = 40.0
STEADY_DB = 2.0
"""Most that a floor may rise or fall over the stretch that was looked at."""
LEAD_S, QUIET_S = 0.06, 0.25
PRE_ROLL = 48
"""1 ms, faded in, before the onset."""
KEPT_AFTER = 1440
FADE_OUT = 960
"""30 ms are kept after the last sound; of these, the last 20 ms fade."""
GAP_STEPS, CLICK_STEPS, CLICK_APART_STEPS = 10, 6, 20
CLICK_BELOW_DB, PRELUDE_BELOW_DB = 15.0, 25.0
"""Sounds less than 50 ms apart belong together. Under 30 ms long, over 100 ms away and 15 dB softer: a click. Of any
length, over 100 ms before the sound and 25 dB softer: not yet the note."""
FURTHEST_BACK = 1440
"""30 ms: how far the onset is followed back."""
SILENT_DB = -120.0


class Boundaries(NamedTuple):
    """Samples: the note is taken from `start` to `stop`; the sound itself is [onset, end).

    noise_floor_db: RMS, dB of full scale, None where there was no stretch without the sound. audible: whether the floor
    decided where the sound ends.
    """

    start: int
    onset: int
    end: int
    stop: int
    peak_db: float
    noise_floor_db: float | None
    audible: bool


def find_boundaries(audio: Float32Array) -> Boundaries:
    """Boundaries of the one sound in `audio`, float32 [N] at 48 kHz, not silent."""
    level_db = _levels_db(audio)
    peak_db = float(level_db.max())
    floor_db = _noise_floor_db(audio, level_db)
    over_floor = SILENT_DB if floor_db is None else floor_db
    sounding = np.flatnonzero(
        _without_clicks(level_db, max(peak_db - ONSET_RANGE_DB, over_floor + ONSET_OVER_FLOOR_DB))
    )
    onset, last_loud = _fine_onset(audio, int(sounding[0]), peak_db, floor_db), int(sounding[-1])
    end_db = max(peak_db - END_RANGE_DB, over_floor + END_OVER_FLOOR_DB)
    smooth_db = 10.0 * np.log10(_running_mean(10.0 ** (level_db / 10.0), 4))
    quiet = np.flatnonzero(smooth_db[last_loud:] <= end_db)
    last = last_loud + (int(quiet[0]) if quiet.size else level_db.size - 1 - last_loud)
    end = int(np.clip((last + 1) * STEP, onset + 1, audio.size))
    stop = min(end + KEPT_AFTER, audio.size)
    audible = stop < audio.size and floor_db is not None and end_db > peak_db - END_RANGE_DB
    return Boundaries(max(onset - PRE_ROLL, 0), onset, end, stop, peak_db, floor_db, audible)


def cut_out(audio: Float32Array, bounds: Boundaries, longest: int) -> Float32Array:
    """The note, float32, at most `longest` samples of it: faded in before the onset, faded out where it was cut."""
    stop = min(bounds.stop, bounds.start + longest)
    cut = audio[bounds.start : stop].copy()
    lead = bounds.onset - bounds.start
    cut[:lead] *= (0.5 - 0.5 * np.cos(np.pi * (np.arange(lead) + 0.5) / max(lead, 1))).astype(np.float32)
    return faded_out(cut) if stop < audio.size else cut


def faded_out(audio: Float32Array) -> Float32Array:
    """The same with its last 20 ms faded to nothing; at most its second half."""
    length = min(FADE_OUT, audio.size // 2)
    gain = np.ones(audio.size, np.float32)
    gain[audio.size - length :] = 0.5 + 0.5 * np.cos(np.pi * (np.arange(length) + 1.0) / max(length, 1))
    return audio * gain


def _levels_db(audio: Float32Array) -> Float64Array:
    """RMS of each 5 ms, dB, float64 [ceil(N / 240)]."""
    padded = np.pad(audio, (0, -audio.size % STEP)).reshape(-1, STEP)
    power = np.mean(np.square(padded, dtype=np.float64), axis=1)
    return np.maximum(10.0 * np.log10(power + 1e-30), SILENT_DB)


def _running_mean(values: Float64Array, length: int) -> Float64Array:
    """Of `length` values from each on, the last ones of fewer."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.minimum(np.arange(values.size) + length, values.size)
    mean: Float64Array = (total[ends] - total[:-1]) / (ends - np.arange(values.size))
    return np.maximum(mean, 1e-12)


def _noise_floor_db(audio: Float32Array, level_db: Float64Array) -> float | None:
    """RMS of the recording without the sound: of the quietest 60 ms to 250 ms before it, or of any quietest 250 ms.

    Steps of digital silence, which editors leave, say nothing of the room and are passed over. A stretch counts if it
    is far enough below the peak, steady, and without tones, which would be the sound's own; hum has tones too, and is
    let pass before the sound if it is 40 dB below it.
    """
    peak_db = float(level_db.max())
    rise = int(np.argmax(level_db > peak_db - 20.0))
    quiet_steps = round(QUIET_S * SAMPLE_RATE_HZ / STEP)
    lead_steps = max(round(LEAD_S * SAMPLE_RATE_HZ / STEP), min(rise // 2, quiet_steps))
    for levels, length, least_db, hum_below_db in (
        (level_db[:rise], lead_steps, BEFORE_BELOW_DB, HUM_BELOW_DB),
        (level_db, quiet_steps, ANYWHERE_BELOW_DB, np.inf),
    ):
        if levels.size < length:
            continue
        power = 10.0 ** (levels / 10.0)
        power[levels <= SILENT_DB + 10.0] = np.inf
        stretches = np.lib.stride_tricks.sliding_window_view(power, length).mean(axis=1)
        start = int(np.argmin(stretches))
        below_db = peak_db - 10.0 * float(np.log10(stretches[start]))
        if below_db < least_db or not _steady(levels[start : start + length]):
            continue
        if below_db >= hum_below_db or _toneless(audio[start * STEP : (start + length) * STEP]):
            return peak_db - below_db
    return None


def _steady(level_db: Float64Array) -> bool:
    time_s = np.arange(level_db.size) * (STEP / SAMPLE_RATE_HZ)
    slope_db_per_s = float(np.polyfit(time_s, level_db, 1)[0])
    return abs(slope_db_per_s) * float(time_s[-1]) <= STEADY_DB


def _toneless(audio: Float32Array) -> bool:
    """No line of the spectrum stands 17 dB over both of its sides (of 4,000 bins of noise the highest has some 11)."""
    power = np.abs(np.fft.rfft(audio * np.hanning(audio.size))) ** 2 + 1e-20
    around = np.lib.stride_tricks.sliding_window_view(power, 12)
    sides = np.median(around, axis=1)
    middle = power[14:-14]  # two bins on each side belong to the line
    local = np.maximum(sides[: middle.size], sides[17 : 17 + middle.size])
    return bool(np.all(middle <= 50.0 * local))


def _without_clicks(level_db: Float64Array, threshold_db: float) -> npt.NDArray[np.bool_]:
    """Which steps are sound: those over the threshold, without a short, softer click far before or after them, and
    without what is softer still and far before: a creaking chair, a breath, a hand on the strings."""
    sounding = level_db > threshold_db
    steps = np.flatnonzero(sounding)
    groups = np.split(steps, np.flatnonzero(np.diff(steps) > GAP_STEPS) + 1)
    soft_db = float(level_db.max()) - CLICK_BELOW_DB
    prelude_db = float(level_db.max()) - PRELUDE_BELOW_DB
    first = next(i for i, group in enumerate(groups) if level_db[group].max() >= prelude_db)
    while first > 0 and groups[first][0] - groups[first - 1][-1] <= CLICK_APART_STEPS:
        first -= 1
    sounding[: int(groups[first][0])] = False
    del groups[:first]

    def click(group: npt.NDArray[np.intp], neighbour: npt.NDArray[np.intp]) -> bool:
        apart = max(int(neighbour[0] - group[-1]), int(group[0] - neighbour[-1]))
        return group[-1] - group[0] < CLICK_STEPS and apart > CLICK_APART_STEPS and level_db[group].max() < soft_db

    while len(groups) > 1 and click(groups[0], groups[1]):
        sounding[groups.pop(0)] = False
    while len(groups) > 1 and click(groups[-1], groups[-2]):
        sounding[groups.pop()] = False
    return sounding


def _fine_onset(audio: Float32Array, first_step: int, peak_db: float, floor_db: float | None) -> int:
    """Sample at which the sound begins, from the first step of 5 ms that holds some of it.

    It first stands out where 0.25 ms peak over 4.5 times the floor's RMS (which noise does once in 150,000 samples) or
    60 dB below the sound; its beginning is where the 2 ms before are no louder than 3 dB over the floor.
    """
    quiet_db = max(peak_db - ONSET_RANGE_DB, SILENT_DB if floor_db is None else floor_db)
    begin = max(first_step * STEP - 2 * STEP, 0)
    piece = np.abs(audio[begin : (first_step + 1) * STEP])
    blocks = np.pad(piece, (0, -piece.size % FINE)).reshape(-1, FINE).max(axis=1)
    over = np.flatnonzero(blocks > 4.5 * 10.0 ** (quiet_db / 20.0))
    onset = begin + int(over[0]) * FINE if over.size else first_step * STEP
    quiet_power = 2.0 * 10.0 ** (quiet_db / 10.0)
    earliest = max(onset - FURTHEST_BACK, 0)
    while onset > earliest:
        before = audio[max(onset - 8 * FINE, 0) : onset]
        if float(np.mean(np.square(before, dtype=np.float64))) <= quiet_power:
            break
        onset -= FINE
    return max(onset, 0)
