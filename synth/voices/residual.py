"""The residual: what the partials leave of a recording, where partials and noise bands can't describe it.

Each voice plays at most one: that of the heaviest note in the corner that has more than half of the weight. r is how
much of it, see `share_of_weight`: all from 0.95 on. The bands are what it replaces: they go down by sqrt(1 - r^2), and
come back where it ends. Another one waits until this one has faded out. Between two corners its level follows the
loudness that is wanted, as that of the bands does.

`choose_residual` picks it, `synth.voices.blend.gather` says what it is, `aim_residual` decides where it will be at the
end of the segment, `fill_residuals` writes its samples up to there. A segment that is cut short begins its successor at
any sample: the ring is written anew from there, at the new rate.
"""

import numpy as np

from synth.frames import HOP, SAMPLE_RATE_HZ
from synth.jit import njit
from synth.voices.align import aligned
from synth.voices.prepared import RESIDUAL_FADE
from synth.voices.segments import CUT_S
from synth.voices.voice import HELD, N_SOURCES

RELEASE_S = 0.030
"""In which a residual goes over into the bands where the recorded release follows."""
LEAST_WEIGHT, WHOLE_WEIGHT = 0.5, 0.95
_SILENT_GAIN = 1e-5
_MOST_BOOST_DB = 12.0
_HIGHEST_RATE = 16.0
_DB_TO_LOG = np.log(10.0) / 20.0


@njit("f8(f8)")
def share_of_weight(weight):  # type: ignore[no-untyped-def]
    """The residual's share r, 0..1, at a source's weight: 0 up to a half, smoothly 1 at 0.95."""
    x = min(max((weight - LEAST_WEIGHT) / (WHOLE_WEIGHT - LEAST_WEIGHT), 0.0), 1.0)
    return x * x * (3.0 - 2.0 * x)


@njit()
def choose_residual(bank, work, i, v):  # type: ignore[no-untyped-def]
    """Whose residual row i, of slot v, plays next and how much of it: the one that plays, until it is silent; then that
    of the source with more than half of the weight. Sources that read the same note count together."""
    row = work[i]
    row.residual_known = 0
    row.residual_restarts = 0
    row.residual_share = 0.0
    lead, instrument = bank[v].lead, bank[v].instrument
    best, most = -1, LEAST_WEIGHT
    for c in range(N_SOURCES):
        if lead[c] < 0 or row.weight[c] == 0.0:
            continue
        weight = 0.0
        for d in range(N_SOURCES):
            if lead[d] == lead[c] and instrument[d] == instrument[c]:
                weight += row.weight[d]
        if weight > most:
            best, most = c, weight
    current = bank[v].residual_source
    if current >= 0 and not (best >= 0 and lead[best] == lead[current] and instrument[best] == instrument[current]):
        since = (bank[v].next_tick - bank[v].ramp_start) / bank[v].ramp_length
        gain = bank[v].residual_from + min(since, 1.0) * (bank[v].residual_to - bank[v].residual_from)
        if gain > _SILENT_GAIN and bank[v].residual_stop > bank[v].next_tick:
            row.residual_source = current
            return
        current = -1
    row.residual_source = best
    row.residual_restarts = best >= 0 and current < 0
    if best >= 0:
        row.residual_share = share_of_weight(most)


@njit()
def duck_now(bank, v, share):  # type: ignore[no-untyped-def]
    """Gain of slot v's bands beside the residual at `share` of its ramp."""
    return bank[v].duck_from + share * (bank[v].duck_to - bank[v].duck_from)


@njit("f8(f8, f8)")
def presence(place, end):  # type: ignore[no-untyped-def]
    """r towards a residual's end, 1 to 0."""
    return np.sin(0.5 * np.pi * min(max((end - place) / RESIDUAL_FADE, 0.0), 1.0))


@njit()
def _place_and_rate(bank, v, since):  # type: ignore[no-untyped-def]
    """(place, places per sample) of slot v's residual `since` samples after its last tick."""
    length, rate, bend = bank[v].residual_length, bank[v].residual_rate, bank[v].residual_bend
    ramp = min(since, length)
    place = bank[v].residual_place + ramp * (rate + 0.5 * bend * ramp)
    rate += bend * ramp
    return place + rate * (since - ramp), rate


@njit()
def aim_residual(bank, row, v, time, length, new, share, sample_rate, hop):  # type: ignore[no-untyped-def]
    """Moves slot v's residual on to sample `time`, and sets where it, its gain and that of the bands are going in
    `length` samples. `share`: how far the last ramp has come at `time`. new: this is a note's first segment."""
    bank[v].residual_from += share * (bank[v].residual_to - bank[v].residual_from)
    bank[v].duck_from = duck_now(bank, v, share)
    bank[v].residual_to = 0.0
    bank[v].duck_to = 1.0
    bank[v].residual_source = row.residual_source
    if row.residual_source < 0:
        bank[v].residual_stop = 0
        return
    place, rate = _place_and_rate(bank, v, time - bank[v].residual_time)
    # Without enough weight to be looked at, it goes on as it did.
    to_rate = row.residual_step * SAMPLE_RATE_HZ / sample_rate if row.residual_known else rate
    to_rate = min(max(to_rate, 1.0 / _HIGHEST_RATE), _HIGHEST_RATE)
    if row.residual_restarts:
        frames = 0.0 if new else bank[v].held_frames - length / hop
        source = row.residual_source
        begin, begin_now = bank[v].begin[source], bank[v].begin_now[source]
        frames = aligned(max(frames, 0.0), begin, begin_now, bank[v].attack[source], bank[v].attack_now[source])
        place = HOP * (row.residual_began + frames * row.residual_step)
        rate = to_rate
    bank[v].residual_time = time
    bank[v].residual_place = place
    bank[v].residual_rate = rate
    bank[v].residual_bend = (to_rate - rate) / length
    bank[v].residual_length = length
    if not row.residual_known:
        return
    if place >= row.residual_end:
        bank[v].residual_stop = 0
        return
    bank[v].residual_stop = time + length + int(np.ceil(CUT_S * sample_rate))
    r = row.residual_share
    if bank[v].state != HELD and not row.residual_walks:
        r *= max(1.0 - (time + length - bank[v].released) / (RELEASE_S * sample_rate), 0.0)
    level_db = row.loudness_db - row.residual_loudness_db
    level_db = min(level_db, _MOST_BOOST_DB) + row.extra_db + row.fade_db + row.noise_db
    # The voices of a note in unison play the same residual: their sum is to be one of it, and `gain` has one share.
    bank[v].residual_to = r * bank[v].envelope * bank[v].share * np.exp(level_db * _DB_TO_LOG)
    r *= presence(_place_and_rate(bank, v, length)[0], row.residual_end)
    bank[v].duck_to = np.sqrt(1.0 - r * r)
    if new:
        bank[v].residual_from = bank[v].residual_to
        row.residual_fade_in = length if bank[v].start_fraction > 0.0 else 0


@njit(fastmath=True)
def _write_run(out, samples, place, rate, bend):  # type: ignore[no-untyped-def]
    """Fills out, float32 [n], as `_write` does, where neither the residual nor the ring ends. Apart, and in types that
    let the compiler vectorise it: 528 samples take 2.9 us instead of 5.6."""
    for i in range(out.shape[0]):
        step = float(i)
        at = place + step * (rate + 0.5 * bend * step)
        low = np.uint32(np.int32(at))
        x = np.float32(at - float(low))
        a, b = samples[low], samples[low + np.uint32(1)]
        c, d = samples[low + np.uint32(2)], samples[low + np.uint32(3)]
        square = np.float32(2.0) * (a + c + c) - np.float32(5.0) * b - d
        out[i] = b + np.float32(0.5) * x * (c - a + x * (square + x * (np.float32(3.0) * (b - c) + d - a)))


@njit()
def _write(ring, first, n, samples, end, place, rate, bend):  # type: ignore[no-untyped-def]
    """Writes `n` samples to ring, float32 [power of two], from absolute sample `first` on: samples (one of the margin,
    then `end` of a residual) from `place` on at a rate that changes by `bend` a sample, by Catmull-Rom's cubic."""
    mask = ring.shape[0] - 1
    begin = first & mask
    if begin + n <= ring.shape[0] and place + (n - 1) * (rate + 0.5 * bend * (n - 1)) < end:
        _write_run(ring[begin : begin + n], samples, place, rate, bend)
        return
    for i in range(n):
        at = place + i * (rate + 0.5 * bend * i)
        value = np.float32(0.0)
        if at < end:
            low = int(at)
            x = np.float32(at - low)
            value = samples[low + 1]
            if x > np.float32(0.0):
                a, b, c, d = samples[low], value, samples[low + 2], samples[low + 3]
                two, three, half = np.float32(2.0), np.float32(3.0), np.float32(0.5)
                square = two * (a + c + c) - np.float32(5.0) * b - d
                value += half * x * (c - a + x * (square + x * (three * (b - c) + d - a)))
        ring[(first + i) & mask] = value


@njit()
def fill_residuals(notes, residuals, instrument, c, bank, work, n, ring):  # type: ignore[no-untyped-def]
    """Writes what the segments sent for the first `n` rows of `work` need, for slots that play `instrument`'s residual
    in source `c`, to ring, float32 [S, power of two]. residuals: float32 [M], of all its notes."""
    mask = ring.shape[1] - 1
    for i in range(n):
        if work[i].residual_source != c or not work[i].residual_known:
            continue
        v = work[i].due
        time, length, stop = bank[v].residual_time, bank[v].residual_length, bank[v].residual_stop
        if bank[v].instrument[c] != instrument or stop <= time:
            continue
        m = bank[v].lead[c]
        end, samples = float(notes[m].residual_end), residuals[notes[m].residual_first - 1 :]
        place, rate = bank[v].residual_place, bank[v].residual_rate
        _write(ring[v], time, length, samples, end, place, rate, bank[v].residual_bend)
        place, rate = _place_and_rate(bank, v, length)
        _write(ring[v], time + length, stop - time - length, samples, end, place, rate, 0.0)
        fade_in = work[i].residual_fade_in
        for at in range(fade_in):
            ring[v, (time + at) & mask] *= np.float32((at + 1.0) / (fade_in + 1.0))
