"""Which slot a new note gets, and which note has to go for it."""

import numpy as np

from synth.voices.segments import Int64Array, Records
from synth.voices.voice import FREE, RELEASED

_YOUNG_S = 0.05
"""A note is spared while it is younger: it may not have reached its level yet."""


def free_slot(bank: Records, time: int) -> int | None:
    """A slot that is silent at sample `time`, or None. The one that has been free longest, so that reuse is spread."""
    candidates = np.flatnonzero((bank["state"] == FREE) & (bank["free_from"] <= time))
    if candidates.size == 0:
        return None
    return int(candidates[np.argmin(bank["free_from"][candidates])])


def next_free_slot(bank: Records) -> int | None:
    """The slot whose last fade ends soonest, or None if every slot sounds."""
    candidates = np.flatnonzero(bank["state"] == FREE)
    return int(candidates[np.argmin(bank["free_from"][candidates])]) if candidates.size else None


def voice_to_steal(bank: Records, time: int, sample_rate_hz: int) -> int:
    """The quietest voice that sounds, a released one if there is any. If all are young, the oldest of them."""
    sounding: Int64Array = np.flatnonzero(bank["state"] != FREE)
    released = sounding[bank["state"][sounding] == RELEASED]
    pool = released if released.size else sounding
    old = pool[time - bank["onset"][pool] >= _YOUNG_S * sample_rate_hz]
    if old.size == 0:
        return int(pool[np.argmin(bank["serial"][pool])])
    loudness = bank["power"][old] * np.sum(bank["gain"][old] ** 2, axis=1)
    return int(old[np.argmin(loudness)])
