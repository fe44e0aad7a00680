"""Alignment: how notes of unlike instruments become one gesture.

Blended frame by frame, a pluck would be over before a bow has begun, and the middle of the two would be a pluck and
then a bow. So each source is read at a rate of its own until its attack is over, and all attacks end at one moment: at
weights w after `exp(sum w log a)`, which is the geometric mean of their lengths. The logarithm of the attack's time is
what the ear goes by (Grey 1977; McAdams et al. 1995), and with the plain mean a sixth of a cello would slow a plucked
string down threefold. From there on every source walks at its recorded pace. Releases likewise have one length.
At a corner all this is nothing: the recording is read as it is. Among the notes of one corner nothing is aligned.

The moment follows the finger while a note sounds, and so does each source's place, without a jump.
"""

import numpy as np

from synth.jit import njit
from synth.voices.envelope import way
from synth.voices.voice import N_SOURCES

_EQUAL = 1e-9
"""Of logarithms: below it two lengths are one, so that rounding moves nothing."""


@njit("f8(f8, f8, f8)")
def aligned(frames, attack, attack_now):  # type: ignore[no-untyped-def]
    """How far a source is after `frames` of the note, when its attack of `attack` frames is to last `attack_now`."""
    if attack == attack_now:
        return frames
    if frames < attack_now:
        return frames * attack / attack_now
    return attack + (frames - attack_now)


@njit()
def find_landmarks(notes, bank, v, c):  # type: ignore[no-untyped-def]
    """Fills in where source c of slot v began, and how long its attack and its release last, from its notes' NOTEs."""
    began = attack = fall = 0.0
    for j in range(bank[v].weight.shape[1]):
        weight = bank[v].weight[c, j]
        if weight == 0.0:
            continue
        note = notes[bank[v].note[c, j]]
        first = np.floor(bank[v].start_fraction * way(note))
        began += weight * first
        attack += weight * np.log(max(note.attack - first, 1.0))
        fall += weight * np.log(note.fall)
    bank[v].began[c] = began
    bank[v].attack_log[c] = attack
    bank[v].attack[c] = bank[v].attack_now[c] = np.exp(attack)
    bank[v].fall_log[c] = fall
    bank[v].fall_rate[c] = 1.0


@njit()
def align(bank, weight, v, amount):  # type: ignore[no-untyped-def]
    """Sets how slot v's sources are read at weights float64 [8]. amount: 0 as recorded, to 1."""
    attack = fall = 0.0
    for c in range(N_SOURCES):
        if weight[c] > 0.0:
            attack += weight[c] * bank[v].attack_log[c]
            fall += weight[c] * bank[v].fall_log[c]
    for c in range(N_SOURCES):
        if weight[c] == 0.0:
            continue
        longer = amount * (attack - bank[v].attack_log[c])
        bank[v].attack_now[c] = bank[v].attack[c] if abs(longer) < _EQUAL else bank[v].attack[c] * np.exp(longer)
        faster = amount * (bank[v].fall_log[c] - fall)
        bank[v].fall_rate[c] = 1.0 if abs(faster) < _EQUAL else np.exp(faster)
