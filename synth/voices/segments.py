"""What the control half tells the audio half: rings of segments, one ring per voice slot.

A segment says: at absolute sample `start`, ramp linearly from whatever you are at to this target over `length` samples,
then stay there. A later segment cuts an unfinished ramp short, so a note-off or a steal is exact to the sample and
never a step. Both halves run the same code live and offline.

One thread writes (the conductor), one reads (the renderer). `written` and `read` are moved only with the interpreter
lock held, after the kernel that filled or emptied the places has returned; passing that lock from thread to thread
is the memory barrier that makes the contents visible, on ARM as well. Nothing is allocated after construction.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from synth.frames import N_BANDS, N_PARTIALS

Int64Array = npt.NDArray[np.int64]
Records = npt.NDArray[np.void]
N_LEVELS = N_PARTIALS + N_BANDS
RING_PLACES = 16
"""Segments that a slot can have waiting: 128 ms of ticks."""
NEW_VOICE = 1
"""Flag: start from silence, with fresh phases and at this segment's pitch."""
FREE_AT_END = 2
"""Flag: the slot falls silent when the ramp ends, and may be used again."""


SEGMENT = np.dtype(
    [
        ("start", np.int64),  # absolute sample
        ("length", np.int64),  # samples
        ("flags", np.int64),
        ("f0", np.float64),  # cycles per sample
        ("inharmonicity", np.float64),  # B of k f0 sqrt(1 + B k^2)
        ("gain", np.float64, (2,)),  # linear, left and right
        ("level", np.float32, (N_LEVELS,)),  # linear: amplitudes of 100 partials, RMS of 64 bands
    ],
    align=True,
)
"""One segment. The engine's tables are records, not objects: a kernel takes a whole table as one argument."""


class Rings(NamedTuple):
    """Segments of S slots, SEGMENT [S, 16]; segment number i of a slot is at place `i % 16`.

    phase uint32 [S, 100]: what NEW_VOICE starts from. written, read int64 [S] count segments since the start.
    """

    segments: Records
    phase: npt.NDArray[np.uint32]
    written: Int64Array
    read: Int64Array


def make_rings(n_slots: int) -> Rings:
    """Empty rings for `n_slots` voices."""
    return Rings(
        segments=np.zeros((n_slots, RING_PLACES), SEGMENT),
        phase=np.zeros((n_slots, N_PARTIALS), np.uint32),
        written=np.zeros(n_slots, np.int64),
        read=np.zeros(n_slots, np.int64),
    )
