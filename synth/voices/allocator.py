"""Which slots a new note gets, and which note has to go for it."""

import numpy as np

from synth.jit import njit
from synth.voices.segments import Int64Array, Records
from synth.voices.voice import FREE, GROUP_SIZE, HELD, N_GROUPS

YOUNG_S = 0.05
"""A note is spared while it is younger: a chord doesn't steal from itself."""


@njit()
def count_sounding(bank):  # type: ignore[no-untyped-def]
    """Voices held or released. (NumPy takes 9 us for it, this 1.)"""
    n = 0
    for v in range(bank.shape[0]):
        n += bank[v].state != FREE
    return n


@njit()
def group_to_join(bank):  # type: ignore[no-untyped-def]
    """The first group with room, else the smallest. Chosen at a note-on, so that it follows from the events alone."""
    sizes = np.zeros(N_GROUPS, np.int64)
    for v in range(bank.shape[0]):
        if bank[v].state != FREE:
            sizes[bank[v].group] += 1
    for group in range(N_GROUPS):
        if sizes[group] < GROUP_SIZE:
            return group
    return np.argmin(sizes)


def free_slots(bank: Records, n: int) -> Int64Array:
    """The `n` slots, or as many as there are, that have been silent longest or whose fade ends soonest; int64 [n]."""
    candidates = np.flatnonzero(bank["state"] == FREE)
    return candidates[np.argsort(bank["free_from"][candidates], kind="stable")[:n]]


@njit()
def _note_to_steal(bank, newest, young_from):  # type: ignore[no-untyped-def]
    best = -1
    for v in range(bank.shape[0]):
        if bank[v].state == FREE or bank[v].serial == newest:
            continue
        if best < 0:
            best = v
            continue
        held, best_held = bank[v].state == HELD, bank[best].state == HELD
        young, best_young = bank[v].onset > young_from, bank[best].onset > young_from
        if held != best_held:
            better = best_held
        elif young != best_young:
            better = best_young
        elif young:
            better = bank[v].serial < bank[best].serial
        else:
            better = bank[v].audible < bank[best].audible
        if better:
            best = v
    return bank[best].serial if best >= 0 else -1


def note_to_steal(bank: Records, time: int, sample_rate_hz: int, newest: int) -> int:
    """Serial of the note that is missed least at sample `time`, or -1: never `newest`; a released one if there is any;
    then one that is not young, and of those the one that is least loud now and in the next quarter of a second
    (K-weighted, with everything the player added); of young ones the oldest."""
    return int(_note_to_steal(bank, newest, time - round(YOUNG_S * sample_rate_hz)))
