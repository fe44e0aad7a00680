"""The control half of a pad's notes: which four cells a note reads, how fast and how loud. One tick's second half.

What a tick asks for (pitch, gains, envelope, place on the surface) is `synth.voices.plan`'s, as for every other note.
Here it becomes a segment whose first four levels are the gains of the four cells around the finger, and beside the
segment, in a ring of the same places, which rows they are.

A note reads the rows of the rendered pitch that is nearest to its key as it begins, and keeps them: a legato note that
goes far away is the same recording, read faster or slower.
"""

from __future__ import annotations

import numpy as np

from synth.frames import FRAME_RATE_HZ
from synth.jit import njit
from synth.pads.loaded_pad import EAST, N_LEVEL_STEPS, NORTH, NORTH_EAST, NORTH_WEST
from synth.voices.segments import NEW_VOICE, RING_PLACES
from synth.voices.tick import SILENT_POWER, send, send_silence
from synth.voices.voice import HELD, NEVER

N_CELLS = 4
"""Cells that a note reads: south-west, south-east, north-west and north-east of the finger."""
LOWEST_RATE, HIGHEST_RATE = 1.0 / 32.0, 8.0
"""Samples of the row per sample of the output."""
RELEASE_FADE_DB = 240.0 / FRAME_RATE_HZ
"""dB per frame lost by a note that was let go and has no recorded release: 60 dB in a quarter of a second, as the
engine's instruments."""
_SHORTENED_DB = 60.0
"""By so much a recorded release has been faded when `release` below 1 says that it is over."""
_MOST_SCALE, _LEAST_SCALE = 2.0, 0.5

PAD_VOICE = np.dtype(
    [
        ("pitch", np.int64),  # index of the rendered pitch
        ("position", np.float64),  # samples of the row that are behind it at `reached`, without loops
        ("reached", np.int64),  # absolute sample
        ("rate", np.float64),
        ("released", np.int64),  # 0 or 1
        ("released_at", np.float64),  # position at its release
    ]
)
PLACE = np.dtype([("row", np.int64, (N_CELLS,)), ("position", np.float64), ("released", np.int64)])
"""Beside a segment: the rows of its four levels; where a new voice begins; 1 from the release on."""
PAD_LAW = np.dtype(
    [
        ("resolution", np.int64),
        ("n_pitches", np.int64),
        ("rate_ratio", np.float64),  # the pad's sample rate over the output's
        ("row_samples", np.int64),
    ]
)
"""What the kernels need of a pad beside its tables."""


@njit()
def held_place(row, position):  # type: ignore[no-untyped-def]
    """Where in its row a held note is that has `position` samples behind it, whole or not."""
    if row.loop_end <= row.loop_start or position < row.loop_end:
        return position
    return row.loop_start + (position - row.loop_start) % (row.loop_end - row.loop_start)


@njit()
def _place_now(row, voice):  # type: ignore[no-untyped-def]
    """Where in a row a voice is; past its end when it is over."""
    if voice.released and row.release_start < row.n_samples:
        return row.release_start + voice.position - voice.released_at
    return held_place(row, voice.position)


@njit()
def _nearest_pitch(pitches, wanted):  # type: ignore[no-untyped-def]
    best = 0
    for p in range(1, pitches.shape[0]):
        if abs(pitches[p] - wanted) < abs(pitches[best] - wanted):
            best = p
    return best


@njit()
def _begin(bank, voice, v, rows, pitches, law, x, y):  # type: ignore[no-untyped-def]
    """A new note: its pitch, and where in the rows it begins."""
    voice.pitch = _nearest_pitch(pitches, bank[v].pitch[0, 0])
    across = int(np.rint(x * (law.resolution - 1)))
    up = int(np.rint(y * (law.resolution - 1)))
    row = rows[(up * law.resolution + across) * law.n_pitches + voice.pitch]
    way = row.loop_end if row.loop_end > row.loop_start else row.release_start
    voice.position = np.floor(bank[v].start_fraction * way)
    voice.reached = bank[v].next_tick
    voice.released = 0
    voice.released_at = 0.0


@njit()
def cell_gains(likeness, power, gains, weights, here, n_pitches, row_step):  # type: ignore[no-untyped-def]
    """Gains, float64 [4], of four cells with bilinear weights [4] and powers [4], likeness as in LoadedPad.

    The roots of the weights, equal-power for cells that have nothing in common, times what makes the power of their
    sum the weighted mean of their powers where they do. Exactly 1 on a cell.
    """
    wanted = 0.0
    for i in range(N_CELLS):
        gains[i] = np.sqrt(weights[i])
        wanted += weights[i] * power[i]
    south_west, south_east = gains[0] * np.sqrt(power[0]), gains[1] * np.sqrt(power[1])
    north_west, north_east = gains[2] * np.sqrt(power[2]), gains[3] * np.sqrt(power[3])
    common = likeness[here, EAST] * south_west * south_east
    common += likeness[here, NORTH] * south_west * north_west
    common += likeness[here, NORTH_EAST] * south_west * north_east
    common += likeness[here, NORTH_WEST] * south_east * north_west
    common += likeness[here + n_pitches, NORTH] * south_east * north_east
    common += likeness[here + row_step, EAST] * north_west * north_east
    sounding = wanted + 2.0 * common
    scale = 1.0
    if wanted > 0.0:
        scale = np.sqrt(wanted / max(sounding, wanted / _MOST_SCALE**2))
        scale = max(scale, _LEAST_SCALE)
    for i in range(N_CELLS):
        gains[i] *= scale


@njit()
def _find_cells(voice, law, x, y, row, weights):  # type: ignore[no-untyped-def]
    """The four rows around (x, y) and their bilinear weights. On the last row or column the cells before are taken."""
    last = law.resolution - 1
    across, up = min(int(x * last), last - 1), min(int(y * last), last - 1)
    east, north = x * last - across, y * last - up
    here = (up * law.resolution + across) * law.n_pitches + voice.pitch
    row[0], row[1] = here, here + law.n_pitches
    row[2] = here + law.resolution * law.n_pitches
    row[3] = row[2] + law.n_pitches
    weights[0], weights[1] = (1.0 - east) * (1.0 - north), east * (1.0 - north)
    weights[2], weights[3] = (1.0 - east) * north, east * north


@njit()
def _fade_db(bank, voice, v, rows, cells, law, hop):  # type: ignore[no-untyped-def]
    """dB by which a released note has been faded beside its recorded release."""
    longest = 0
    recorded = True
    for i in range(N_CELLS):
        row = rows[cells[i]]
        recorded = recorded and row.release_start < row.n_samples
        longest = max(longest, row.n_samples - row.release_start)
    if not recorded:
        return -RELEASE_FADE_DB * bank[v].release_frames
    passed = (voice.position - voice.released_at) / max(voice.rate, LOWEST_RATE) / hop
    sooner = max(bank[v].release_frames - passed, 0.0)
    return -_SHORTENED_DB * sooner * hop * law.rate_ratio / longest


@njit()
def _is_over(voice, rows, cells, weights):  # type: ignore[no-untyped-def]
    """Whether none of the four rows has anything left."""
    for i in range(N_CELLS):
        row = rows[cells[i]]
        if weights[i] > 0.0 and _place_now(row, voice) < row.n_samples:
            return False
    return True


@njit()
def _aim_gains(bank, voice, v, rows, powers, likeness, law, cells, weights, power, gains, gain):  # type: ignore[no-untyped-def]
    """Puts the four cells' gains into slot v's levels; gain: of all of them. Returns the power of what sounds."""
    for k in range(N_CELLS):
        row = cells[k]
        step = int(min(_place_now(rows[row], voice) * N_LEVEL_STEPS / law.row_samples, N_LEVEL_STEPS - 1.0))
        power[k] = powers[row, step]
    cell_gains(likeness, power, gains, weights, cells[0], law.n_pitches, law.resolution * law.n_pitches)
    total = 0.0
    for k in range(N_CELLS):
        bank[v].level_to[k] = gain * gains[k]
        total += weights[k] * power[k]
    return total * gain * gain


@njit()
def send_pad(  # type: ignore[no-untyped-def]
    bank, voices, work, n, rows, powers, likeness, pitches, laws, segments, places, read, sent, hop
):
    """Makes segments of what `synth.voices.plan.plan` asked for the n due slots. Returns how many were lost, and the
    earliest next tick of these voices. voices PAD_VOICE [S], places PLACE [S, 16]."""
    lost = 0
    earliest = NEVER
    law = laws[0]
    weights, power, gains = np.zeros(N_CELLS), np.zeros(N_CELLS), np.zeros(N_CELLS)
    for i in range(n):
        v = work[i].due
        voice = voices[v]
        time = bank[v].next_tick
        if bank[v].probing:
            bank[v].probing = 0
            voice.position += voice.rate * (time - voice.reached)
            voice.reached = time
            voice.released, voice.released_at = 1, np.floor(voice.position)
            earliest = min(earliest, time)
            continue
        held = bank[v].state == HELD
        new = held and bank[v].frame == 0
        corner = work[i].weight
        x, y = corner[1] + corner[3], corner[0] + corner[1]
        if new:
            _begin(bank, voice, v, rows, pitches, law, x, y)
        length = bank[v].onset_ramp if new else bank[v].base + hop * bank[v].frame - time
        rate = 2.0 ** ((work[i].semitones - pitches[voice.pitch]) / 12.0) * law.rate_ratio
        voice.rate = min(max(rate, LOWEST_RATE), HIGHEST_RATE)
        place = places[v, sent[v] % RING_PLACES]
        place.position = voice.position
        place.released = voice.released
        voice.position += voice.rate * (time + length - voice.reached)
        voice.reached = time + length
        _find_cells(voice, law, x, y, place.row, weights)
        level_db = work[i].extra_db
        if not held:
            level_db += _fade_db(bank, voice, v, rows, place.row, law, hop)
        gain = bank[v].envelope * 10.0 ** (level_db / 20.0)
        total = _aim_gains(bank, voice, v, rows, powers, likeness, law, place.row, weights, power, gains, gain)
        bank[v].f0 = voice.rate
        bank[v].gain[0], bank[v].gain[1] = work[i].gain[0], work[i].gain[1]
        bank[v].power = total
        bank[v].audible = total / bank[v].share ** 2 * (work[i].gain[0] ** 2 + work[i].gain[1] ** 2)
        if _is_over(voice, rows, place.row, weights) or (not held and total < SILENT_POWER):
            sent_it = send_silence(bank, segments, read, sent, v, time, length)
        else:
            sent_it = send(bank, segments, read, sent, v, time, length, NEW_VOICE if new else 0)
        if not sent_it:
            lost += 1
        bank[v].next_tick = time + length
        bank[v].frame += 1
        earliest = min(earliest, bank[v].next_tick)
    return lost, earliest
