"""Alignment: how notes of unlike instruments become one gesture.

Blended frame by frame, a pluck would be over before a bow has begun, and the middle of the two would be a pluck and
then a bow. So each source is read at rates of its own until its attack is over: all are first heard (20 dB below their
loudest) at one moment, and all attacks end (6 dB below it) at one, at weights w after `exp(sum w log a)`, which is the
geometric mean of their lengths. The logarithm of the attack's time is
what the ear goes by (Grey 1977; McAdams et al. 1995), and with the plain mean a sixth of a cello would slow a plucked
string down threefold. What is there at once has no attack to be made longer, and is faded in. After its attack every
source walks at its recorded pace. Releases likewise have one length.
At a corner all this is nothing: the recording is read as it is. Among the notes of one corner nothing is aligned.

The moment follows the finger while a note sounds, and so does each source's place, without a jump.
"""

import numpy as np

from synth.jit import njit
from synth.voices.envelope import way
from synth.voices.voice import N_SOURCES

_MISSING_BEGIN = 2.5
"""Times so much as a source lacks of its rise is taken from it where it is to begin. A blend's loudest is softer than
its parts' (one has decayed when the other is loudest), so that it comes within 20 dB of it too early: with 1 by 19 ms
for kalimba and warm pad, with 2.5 by 7."""
_RISEN = 1.5
"""Of an attack's length: when its fade is over."""
_EQUAL = 1e-9
"""Of logarithms: below it two lengths are one, so that rounding moves nothing."""


@njit("f8(f8, f8, f8, f8, f8)")
def aligned(frames, begin, begin_now, attack, attack_now):  # type: ignore[no-untyped-def]
    """How far a source is after `frames` of the note, when it is to be heard after `begin_now` frames instead of
    `begin`, and its attack of `attack` frames is to last `attack_now`."""
    if begin == begin_now and attack == attack_now:
        return frames
    if frames < begin_now:
        return frames * begin / begin_now
    if frames < attack_now:
        return begin + (frames - begin_now) * (attack - begin) / (attack_now - begin_now)
    return attack + (frames - attack_now)


@njit("f8(f8, f8, f8, f8, f8, f8, f8)")
def rise_fade_db(frames, begin, begin_now, attack, attack_now, missing_begin, missing):  # type: ignore[no-untyped-def]
    """Fade in dB, 0 or less, of a source after `frames`, which `missing` dB of its attack's rise and `missing_begin` dB
    of the rise from where it begins can't be had from.

    It has so much to come as the attack ends, several times that until it is to be heard, and nothing half an attack
    later; at its recorded length, or a shorter one, nothing at all."""
    if attack_now <= attack or frames >= _RISEN * attack_now:
        return 0.0
    at_end = missing * (1.0 - attack / attack_now)
    fade = -at_end * (3.0 - 2.0 * frames / attack_now)
    if begin_now <= begin or frames >= attack_now:
        return fade
    deeper = _MISSING_BEGIN * missing_begin * (1.0 - (begin / begin_now) ** 2)
    deeper = max(deeper - at_end * (3.0 - 2.0 * begin_now / attack_now), 0.0)
    if frames <= begin_now:  # asked first: both moments may be one, or by rounding the wrong way round
        return fade - deeper
    return fade - deeper * (attack_now - frames) / (attack_now - begin_now)


@njit()
def find_landmarks(notes, bank, v, c):  # type: ignore[no-untyped-def]
    """Fills in where source c of slot v began, and how long its attack and its release last, from its notes' NOTEs."""
    began = begin = attack = fall = missing = missing_begin = 0.0
    for j in range(bank[v].weight.shape[1]):
        weight = bank[v].weight[c, j]
        if weight == 0.0:
            continue
        note = notes[bank[v].note[c, j]]
        first = np.floor(bank[v].start_fraction * way(note))
        began += weight * first
        begin += weight * np.log(max(note.begin - first, 1.0))
        attack += weight * np.log(max(note.attack - first, 1.0))
        fall += weight * np.log(note.fall)
        missing += weight * note.missing_rise if first == 0.0 else 0.0
        missing_begin += weight * note.missing_begin if first == 0.0 else 0.0
    bank[v].began[c] = began
    bank[v].begin_log[c] = begin
    bank[v].attack_log[c] = attack
    bank[v].missing_rise[c] = missing
    bank[v].missing_begin[c] = missing_begin
    bank[v].begin[c] = bank[v].begin_now[c] = np.exp(begin)
    bank[v].attack[c] = bank[v].attack_now[c] = np.exp(attack)
    bank[v].fall_log[c] = fall
    bank[v].fall_rate[c] = 1.0


@njit()
def align(bank, weight, v, amount):  # type: ignore[no-untyped-def]
    """Sets how slot v's sources are read at weights float64 [8]. amount: 0 as recorded, to 1."""
    begin = attack = fall = 0.0
    for c in range(N_SOURCES):
        if weight[c] > 0.0:
            begin += weight[c] * bank[v].begin_log[c]
            attack += weight[c] * bank[v].attack_log[c]
            fall += weight[c] * bank[v].fall_log[c]
    bank[v].risen = 0.0
    for c in range(N_SOURCES):
        if weight[c] == 0.0:
            continue
        later = amount * (begin - bank[v].begin_log[c])
        bank[v].begin_now[c] = bank[v].begin[c] if abs(later) < _EQUAL else bank[v].begin[c] * np.exp(later)
        longer = amount * (attack - bank[v].attack_log[c])
        bank[v].attack_now[c] = bank[v].attack[c] if abs(longer) < _EQUAL else bank[v].attack[c] * np.exp(longer)
        bank[v].risen = max(bank[v].risen, _RISEN * bank[v].attack_now[c])
        faster = amount * (bank[v].fall_log[c] - fall)
        bank[v].fall_rate[c] = 1.0 if abs(faster) < _EQUAL else np.exp(faster)
