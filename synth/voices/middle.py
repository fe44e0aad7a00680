"""What the loudness of a note falls short of half-way between two corners, found when the note begins.

Levels blend in dB, frame by frame, which is what makes a path even. But where the envelopes of two corners differ (one
decays, the other swells), half-way between them is softer than the mean of both (Hölder's inequality), by 13 LU for a
kalimba and a pad. So a voice gets the missing dB back, the same for all its frames: `4 w_c w_d` of what is
missing half-way between c and d, for every two corners. That is exact for envelopes whose difference is spread
normally, and nothing at a corner.

Loudness is the integrated one of ITU-R BS.1770-4 (400 ms blocks that overlap by 75 %, gates at -70 LUFS and 10 LU below
the mean of the rest), of the K-weighted loudness that the notes carry per frame, over the first 1.5 s of a held note.
models/README.md has the numbers for this and for other ways.
"""

import numpy as np

from synth.control.corners import N_CORNERS
from synth.frames import FRAME_RATE_HZ
from synth.jit import njit
from synth.voices.align import aligned
from synth.voices.envelope import held_fade_db, held_position, way
from synth.voices.prepared import NOTES_PER_CORNER

LISTENED_FRAMES = 188
"""1.5 s. With 1 s the worst dip of the 40 pairs, which is measured over 1.5 s, is 1.7 LU instead of 0.9."""
MIDDLE_LIMIT_DB = 24.0
_BLOCK = round(0.4 * FRAME_RATE_HZ)
_N_BLOCKS = (LISTENED_FRAMES - _BLOCK) * 2 // 25 + 1
_ABSOLUTE_GATE = 10.0 ** ((-70.0 + 0.691) / 10.0)
_RELATIVE_GATE = 10.0 ** (-10.0 / 10.0)
_DB_TO_LOG = np.log(10.0) / 10.0


@njit()
def corner_powers(notes, frames, bank, v, c, powers):  # type: ignore[no-untyped-def]
    """K-weighted power of corner c in the first frames of slot v if it is held, to float64 [LISTENED_FRAMES]."""
    powers[:] = 0.0
    for j in range(NOTES_PER_CORNER):
        weight = bank[v].weight[c, j]
        if weight == 0.0:
            continue
        note = notes[bank[v].note[c, j]]
        began = np.floor(bank[v].start_fraction * way(note))
        for i in range(LISTENED_FRAMES):
            position = held_position(began + i, note.loop_start, note.loop_end, note.hold_end)
            fade = held_fade_db(began + i, note.loop_start, note.loop_end, note.hold_end, note.hold_fade)
            powers[i] += weight * (frames[note.first + int(position)].loudness + fade)
    for i in range(LISTENED_FRAMES):
        powers[i] = np.exp(powers[i] * _DB_TO_LOG)


@njit("f8(f8[::1])")
def gated_power(powers):  # type: ignore[no-untyped-def]
    """Mean of the blocks that pass both gates, float64 [LISTENED_FRAMES] -> power; 0 when none passes."""
    blocks = np.empty(_N_BLOCKS)
    for i in range(_N_BLOCKS):
        first = i * 25 // 2  # 100 ms are 12.5 frames
        blocks[i] = powers[first : first + _BLOCK].sum() / _BLOCK
    threshold = mean = 0.0
    for gate in (_ABSOLUTE_GATE, _RELATIVE_GATE):
        threshold = max(threshold, gate if mean == 0.0 else mean * gate)
        total, count = 0.0, 0
        for block in blocks:
            if block > threshold:
                total += block
                count += 1
        if count == 0:
            return 0.0
        mean = total / count
    return mean


@njit()
def _power_at(powers, frames):  # type: ignore[no-untyped-def]
    """powers, float64 [LISTENED_FRAMES], between two frames; the last one beyond them, where it hardly counts."""
    frames = min(frames, LISTENED_FRAMES - 1.0)
    below = min(int(frames), LISTENED_FRAMES - 2)
    return powers[below] + (frames - below) * (powers[below + 1] - powers[below])


@njit()
def _blend(powers, c, d, begin, attack, amount, between):  # type: ignore[no-untyped-def]
    """Power half-way between corners c and d, aligned by `amount` as synth.voices.align has it; begin, attack: float64
    [8]."""
    if amount == 0.0 or (attack[c] == attack[d] and begin[c] == begin[d]):
        for i in range(LISTENED_FRAMES):
            between[i] = np.sqrt(powers[c, i] * powers[d, i])
        return
    later = (begin[d] / begin[c]) ** (0.5 * amount)
    ratio = (attack[d] / attack[c]) ** (0.5 * amount)
    for i in range(LISTENED_FRAMES):
        one = _power_at(powers[c], aligned(i, begin[c], begin[c] * later, attack[c], attack[c] * ratio))
        between[i] = np.sqrt(
            one * _power_at(powers[d], aligned(i, begin[d], begin[d] / later, attack[d], attack[d] / ratio))
        )


@njit()
def measure_middles(powers, bank, v, evenness):  # type: ignore[no-untyped-def]
    """Fills `middle_db` of slot v, in dB, from the corners' powers, float64 [4, LISTENED_FRAMES]: above the diagonal
    what is missing between two, on it how loud each one is."""
    between = np.empty(LISTENED_FRAMES)
    for c in range(N_CORNERS):
        bank[v].middle_db[c, c] = 10.0 * np.log10(max(gated_power(powers[c]), _ABSOLUTE_GATE))
        for d in range(c + 1, N_CORNERS):
            _blend(powers, c, d, bank[v].begin, bank[v].attack, evenness, between)
            ends = gated_power(powers[c]) * gated_power(powers[d])
            middle = max(gated_power(between), _ABSOLUTE_GATE)
            missing = 5.0 * np.log10(ends) - 10.0 * np.log10(middle) if ends > 0.0 else 0.0
            bank[v].middle_db[c, d] = min(max(missing, -MIDDLE_LIMIT_DB), MIDDLE_LIMIT_DB)
