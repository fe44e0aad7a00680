"""Gathering: what the four corners contribute to one tick of the voices that are due.

For every corner and every one of the up to four notes it uses there, at the note's own position: its embedding,
its detail, its loudness. Levels blend in dB with the bilinear weights. Partials move, formants stay: the detail that is
smooth over partial number is read at the partial of the recorded note with the same frequency, the rest at the same
partial number; noise bands are read as they are.
"""

from typing import NamedTuple

import numpy as np

from synth.control.corners import N_CORNERS, N_EDGES
from synth.frames import LEVEL_FLOOR_DB, N_BANDS, N_PARTIALS, ROW_WIDTH, Float32Array
from synth.jit import njit
from synth.voices.align import aligned, rise_fade_db
from synth.voices.envelope import END_FADE_DB, held_fade_db, held_position, way
from synth.voices.prepared import NOTES_PER_CORNER
from synth.voices.voice import FREE, HELD, N_SOURCES, NEVER
from synth.voices.zwindow import Z_WINDOW_WIDTH, add_z_window

_N_BAND_COLUMNS = N_BANDS + 1
_NO_WEIGHT = 1e-7
_WALK_ON_DB = 12.0
"""A note that decays is let go from where it is, not from its recorded release, when that is this much quieter: the
recording has only its own noise left there."""


WORK = np.dtype(
    [
        ("due", np.int64),  # slot
        ("weight", np.float64, (N_SOURCES,)),
        ("level_weight", np.float64, (N_CORNERS,)),  # where the finger is, whatever the paths make of it
        ("n_partials", np.int64),  # that can be heard
        ("base_pitch", np.float64),  # of the key in its tuning
        ("pitch", np.float64),  # key with bend and glide: for the network and the formants
        ("semitones", np.float64),  # MIDI number of the frequency, but for the notes' own deviation
        ("extra_db", np.float64),  # velocity, corner levels, what is missing between corners
        ("envelope_soon", np.float64),  # the largest until EXPECTED_FRAMES from now
        ("gain", np.float64, (2,)),  # linear: volume, pan
        ("tilt_db", np.float64),  # per octave
        ("place", np.float64, (2,)),  # on the surface, x and y after the edges' warps
        ("evenness", np.float64),
        ("path_share", np.float64, (N_EDGES,)),  # of an edge's new path, the rest is the old one's
        ("bend_frame", np.float64),  # since the recordings' onset
        ("between", np.float64),  # how far between corners: 0 in one, 1 half-way between two and further inside
        ("detail_gain", np.float64),  # of what the recordings have and the network does not, 0..1
        ("noise_db", np.float64),
        ("tuning_amount", np.float64),
        # blended over corners and notes
        ("loudness_db", np.float64),
        ("rise_db", np.float64),
        ("fade_db", np.float64),
        ("inharmonicity", np.float64),  # of those that follow the law
        ("inharmonicity_square", np.float64),
        ("tuning_cents", np.float64),
        ("key_shift", np.float64),  # semitones from the key to the notes that no key moves
        ("measured_shift", np.float64),  # octaves by which the loudness's measure is to be above the key's
        ("free", np.float64),  # weight of the notes with partials of their own
        ("octaves", np.float64, (N_PARTIALS,)),  # their partials above f0, if there are any
        ("stretch", np.float64, (N_PARTIALS,)),  # frequency of a partial over f0
        ("phase_weight", np.float64),  # of the note whose phases a new voice begins with
        # the residual; see synth.voices.residual
        ("residual_source", np.int64),  # -1: none
        ("residual_restarts", np.int64),
        ("residual_share", np.float64),  # r by its weight
        ("residual_known", np.int64),  # 1: what follows was filled in
        ("residual_walks", np.int64),  # 1: held, or released and walking on
        ("residual_began", np.float64),  # frame
        ("residual_step", np.float64),  # rate of its time; 1 at the recorded pitch
        ("residual_end", np.float64),  # samples
        ("residual_loudness_db", np.float64),  # of its note
        ("residual_fade_in", np.int64),  # samples
        ("detail", np.float32, (ROW_WIDTH,)),
        ("low", np.uint32, (N_PARTIALS,)),  # scratch of `gather`
        ("part", np.float32, (N_PARTIALS,)),
    ],
    align=True,
)
"""One row of a batch: what a tick works out for one voice."""


class Inputs(NamedTuple):
    """What the decoder is asked: z windows float32 [S, 80], pitch and velocity float32 [S] (MIDI numbers)."""

    z: Float32Array
    pitch: Float32Array
    velocity: Float32Array


def make_inputs(n_slots: int) -> Inputs:
    """Zeros for batches of up to `n_slots` voices."""
    pitch = np.zeros(n_slots, np.float32)
    return Inputs(np.zeros((n_slots, Z_WINDOW_WIDTH), np.float32), pitch, np.zeros_like(pitch))


@njit()
def collect_due(bank, work, z, limit):  # type: ignore[no-untyped-def]
    """Puts the slots whose next tick is before sample `limit` into the rows' `due`, and clears what is summed in these
    rows and in z. Returns their number and the earliest tick of the others (2^62 if there is none)."""
    n = 0
    earliest = NEVER
    for v in range(bank.shape[0]):
        if bank[v].state == FREE:
            continue
        if bank[v].next_tick >= limit:
            earliest = min(earliest, bank[v].next_tick)
            continue
        row = work[n]
        row.due = v
        row.loudness_db = 0.0
        row.rise_db = 0.0
        row.fade_db = 0.0
        row.inharmonicity = 0.0
        row.inharmonicity_square = 0.0
        row.tuning_cents = 0.0
        row.key_shift = 0.0
        row.measured_shift = 0.0
        row.free = 0.0
        row.phase_weight = 0.0
        row.detail[:] = 0.0
        z[n] = 0.0
        n += 1
    return n, earliest


@njit()
def _held(notes, bank, v, c, m):  # type: ignore[no-untyped-def]
    """(position, fade in dB) of note m of slot v, in source c, in its held part."""
    loop_start, loop_end, hold_end = notes[m].loop_start, notes[m].loop_end, notes[m].hold_end
    frames = bank[v].held_frames
    begin, begin_now, attack, attack_now = (
        bank[v].begin[c],
        bank[v].begin_now[c],
        bank[v].attack[c],
        bank[v].attack_now[c],
    )
    elapsed = aligned(frames, begin, begin_now, attack, attack_now) + np.floor(bank[v].start_fraction * way(notes[m]))
    fade = held_fade_db(elapsed, loop_start, loop_end, hold_end, notes[m].hold_fade)
    missing_begin, missing = bank[v].missing_begin[c], bank[v].missing_rise[c]
    fade += rise_fade_db(frames, begin, begin_now, attack, attack_now, missing_begin, missing)
    return held_position(elapsed, loop_start, loop_end, hold_end), fade


@njit()
def _place(notes, bank, v, c, j, m):  # type: ignore[no-untyped-def]
    """(position, fade in dB) of note m, the j-th of slot v in source c."""
    if bank[v].state == HELD:
        return _held(notes, bank, v, c, m)
    since = bank[v].release_frames * bank[v].fall_rate[c]
    if bank[v].walks_on[c, j]:
        position, fade = _held(notes, bank, v, c, m)
        return position, fade - notes[m].release_fade * since
    last = float(notes[m].n_frames - 1)
    position = notes[m].release_start + since
    if position <= last:
        return position, 0.0
    return last, -END_FADE_DB * (position - last)


@njit()
def choose_release(notes, frames, bank, v, c, decays):  # type: ignore[no-untyped-def]
    """Decides, at a release, which notes of source c walk on through the held part and fade (see `_WALK_ON_DB`)."""
    for j in range(NOTES_PER_CORNER):
        if bank[v].weight[c, j] == 0.0:
            continue
        m = bank[v].note[c, j]
        release = notes[m].release_start
        if release >= notes[m].n_frames:
            bank[v].walks_on[c, j] = 1
            continue
        position, fade = _held(notes, bank, v, c, m)
        now_db = frames[notes[m].first + int(position)].loudness + fade
        bank[v].walks_on[c, j] = decays and now_db - frames[notes[m].first + release].loudness > _WALK_ON_DB


@njit(fastmath=True)
def _find_formants(n_partials, ratio, low, part):  # type: ignore[no-untyped-def]
    """Where partial k + 1 times `ratio` is among a note's partials: below, uint32 [100], and how far on, float32 [100].

    Apart from the reading, so that the compiler can vectorise it: 0.14 us instead of 0.58 for 100 partials of a note.
    """
    step = np.float32(ratio)
    for k in range(n_partials):
        at = min(max(np.float32(k + 1) * step - np.float32(1.0), np.float32(0.0)), np.float32(N_PARTIALS - 1))
        below = min(np.int32(at), np.int32(N_PARTIALS - 2))
        low[k] = np.uint32(below)
        part[k] = at - np.float32(below)


@njit(fastmath=True)
def _add_row(frame, n_partials, weight, moved, low, part, detail):  # type: ignore[no-untyped-def]
    """Adds `weight` times the detail of a FRAME to detail [165], its smooth part, if `moved`, read at low and part."""
    w = np.float32(weight)
    smooth, rough, band = frame.smooth, frame.rough, frame.band
    for k in range(n_partials):
        detail[k] += w * rough[k]
    if moved:
        for k in range(n_partials):
            below = smooth[low[k]]
            detail[k] += w * (below + part[k] * (smooth[low[k] + np.uint32(1)] - below))
    else:
        for k in range(n_partials):
            detail[k] += w * smooth[k]
    for b in range(_N_BAND_COLUMNS):
        detail[N_PARTIALS + b] += w * band[b]


@njit()
def _begins(bank, v):  # type: ignore[no-untyped-def]
    """Whether slot v is alone in its note, and at its recordings' beginning."""
    return bank[v].state == HELD and bank[v].frame == 0 and bank[v].share == 1.0 and bank[v].start_fraction == 0.0


@njit()
def _take_phases(note, weight, row, phases):  # type: ignore[no-untyped-def]
    """Copies a note's phases to phases, uint32 [100], unless a heavier note's are there."""
    if weight > row.phase_weight:
        row.phase_weight = weight
        for k in range(N_PARTIALS):
            phases[k] = note.phase[k]


@njit()
def _add_frequencies(note, weight, row):  # type: ignore[no-untyped-def]
    """Adds what a note says of where the partials are; see synth.voices.stretch."""
    if not note.free:
        row.inharmonicity += weight * note.inharmonicity
        row.inharmonicity_square += weight * note.inharmonicity**2
        return
    if row.free == 0.0:
        row.octaves[:] = 0.0
    row.free += weight
    octaves = 0.0
    if not note.pitched:
        octaves = (note.pitch + (1.0 - row.tuning_amount) * note.tuning_cents / 100.0 - row.semitones) / 12.0
        row.key_shift += weight * (note.pitch - row.pitch)
        row.measured_shift += weight * ((note.pitch - row.base_pitch) / 12.0 - octaves)
    for k in range(N_PARTIALS):
        row.octaves[k] += weight * (note.octaves[k] + octaves)


@njit()
def _tell_residual(note, bank, v, c, j, loudness, row):  # type: ignore[no-untyped-def]
    """Fills in what is to be known of the residual of a note, the j-th of slot v in source c."""
    row.residual_known = 1
    row.residual_walks = bank[v].state == HELD or bank[v].walks_on[c, j]
    row.residual_began = np.floor(bank[v].start_fraction * way(note))
    semitones = row.semitones - note.pitch + (row.tuning_amount - 1.0) * note.tuning_cents / 100.0
    row.residual_step = 2.0 ** (semitones / 12.0) if note.pitched else 1.0
    row.residual_end = note.residual_end
    row.residual_loudness_db = loudness
    row.residual_fade_in = 0


@njit()
def gather(notes, frames, z, instrument, c, bank, work, z_out, phases, n):  # type: ignore[no-untyped-def]
    """Adds what source `c` gives to the first `n` rows of `work` and `z_out`, for slots with `instrument` in it.

    phases, uint32 [S, 100]: a lone voice that begins at its recordings' beginning has those of its heaviest note.
    """
    for i in range(n):
        v = work[i].due
        if bank[v].instrument[c] != instrument or work[i].weight[c] < _NO_WEIGHT:
            continue
        for j in range(NOTES_PER_CORNER):
            weight = work[i].weight[c] * bank[v].weight[c, j]
            if weight == 0.0:
                continue
            m = bank[v].note[c, j]
            position, fade = _place(notes, bank, v, c, j, m)
            if bank[v].fading[c % N_CORNERS]:
                fade = max(fade, LEVEL_FLOOR_DB)  # a note that ended long ago would cut the fade short
            whole = int(position)
            mix = position - whole
            row = notes[m].first + whole
            first_z = notes[m].z_first
            n_z = notes[m].z_length
            add_z_window(z[first_z : first_z + n_z], n_z, position, np.float32(weight), z_out[i])
            ratio = 2.0 ** ((work[i].pitch - notes[m].pitch) / 12.0)
            n_partials, low, part = work[i].n_partials, work[i].low, work[i].part
            # What has partials of its own has no formants over their numbers.
            moved = ratio != 1.0 and not notes[m].free
            if moved:
                _find_formants(n_partials, ratio, low, part)
            _add_row(frames[row], n_partials, weight * (1.0 - mix), moved, low, part, work[i].detail)
            if mix > 0.0:
                _add_row(frames[row + 1], n_partials, weight * mix, moved, low, part, work[i].detail)
            loudness = frames[row].loudness
            if mix > 0.0:
                loudness += mix * (frames[row + 1].loudness - loudness)
            work[i].loudness_db += weight * loudness
            work[i].rise_db += weight * frames[row].rise
            work[i].fade_db += weight * fade
            _add_frequencies(notes[m], weight, work[i])
            if notes[m].has_phases and _begins(bank, v):
                _take_phases(notes[m], weight, work[i], phases[v])
            if c == work[i].residual_source and m == bank[v].lead[c]:
                _tell_residual(notes[m], bank, v, c, j, loudness, work[i])
            work[i].tuning_cents += weight * notes[m].tuning_cents
