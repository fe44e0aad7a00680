"""What the control half tells the audio half: rings of segments, one ring per voice slot.

A segment says: at absolute sample `start`, ramp linearly from whatever you are at to this target over `length` samples,
then stay there. A later segment cuts an unfinished ramp short, so a note-off or a steal is exact to the sample and
never a step. Both halves run the same code live and offline.

One thread writes (the conductor), one reads (the renderer, which holds no interpreter lock). Places are passed on by
counters, each of which has one writer: `written` is moved by `Rings.publish` after the places were filled (a release),
and the renderer looks at it before it reads them (an acquire); `taken` is moved by the renderer after it has read them
(a release), and `Rings.look` copies it to `read` before they are filled again (an acquire). So contents are visible
before their counters on ARM as well. What the conductor writes between two calls of `publish` is nobody else's yet.
Nothing is allocated after construction.

What no partials and bands can describe goes beside the segments, as samples: `Rings.residual`, filled by the conductor
as far as the segments reach and a little further, read by the renderer at the segments' gain.

What all voices go through together (the effects) is told by a ring of its own, `MixRing`, under the same rule.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from synth.control.parameters import INDEX, PARAMETERS
from synth.errors import TetradError
from synth.frames import FRAME_RATE_HZ, N_BANDS, N_PARTIALS, SAMPLE_RATE_HZ, Float32Array
from synth.native import copy_counts, count, publish_counts, set_count

Int64Array = npt.NDArray[np.int64]
Records = npt.NDArray[np.void]
N_LEVELS = N_PARTIALS + N_BANDS
RING_PLACES = 16
"""Segments that a slot can have waiting: 128 ms of ticks."""
NEW_VOICE = 1
"""Flag: start from silence, with fresh phases and at this segment's pitch."""
FREE_AT_END = 2
"""Flag: the slot falls silent when the ramp ends, and may be used again."""
FREE_PARTIALS = 4
"""Flag: the partials are at `stretch`, which ramps too, and not where `inharmonicity` puts them."""
CUT_S = 0.003
"""A stolen or cut voice fades over this; a note that starts in the middle of its recording fades in over it. So long
after its segment's end there still is a residual."""


SEGMENT = np.dtype(
    [
        ("start", np.int64),  # absolute sample
        ("length", np.int64),  # samples
        ("flags", np.int64),
        ("f0", np.float64),  # cycles per sample
        ("inharmonicity", np.float64),  # B of k f0 sqrt(1 + B k^2)
        ("gain", np.float64, (2,)),  # linear, left and right
        ("level", np.float32, (N_LEVELS,)),  # linear: amplitudes of 100 partials, RMS of 64 bands
        ("residual_gain", np.float64),  # linear
        ("residual_end", np.int64),  # absolute sample up to which there is a residual to read; 0: none
        ("stretch", np.float32, (N_PARTIALS,)),  # frequency of a partial over f0, with FREE_PARTIALS
    ],
    align=True,
)
"""One segment. The engine's tables are records, not objects: a kernel takes a whole table as one argument."""


MIX_NAMES = (
    "chorus",
    "chorus_rate",
    "delay",
    "delay_time",
    "delay_feedback",
    "reverb",
    "reverb_time",
    "reverb_damping",
)
"""Parameters of the effects, in the order in which the renderer keeps them."""
MIX_PARAMETERS: frozenset[str] = frozenset(MIX_NAMES)
"""Parameters that go to the renderer by `Rings.mix`, and not into the notes."""
MIX_PLACES = 1024
"""Changes that can wait for their sample: of 8 parameters moved at every millisecond, 128 ms."""
SILENCE = -1
"""In a MIX_CHANGE in place of a parameter: let go of all echoes and of the room."""

MIX_CHANGE = np.dtype([("time", np.int64), ("place", np.int64), ("value", np.float64)])
"""At absolute sample `time` the parameter MIX_NAMES[place] begins to glide to `value`, in its unit."""


class MixRing:
    """Changes of the effects' parameters, MIX_CHANGE [1024], from one thread (the conductor) to the renderer.

    Times must not go backwards; one that has passed is carried out at the next block's first sample.
    """

    def __init__(self) -> None:
        self.changes: Records = np.zeros(MIX_PLACES, MIX_CHANGE)
        self.counts: Int64Array = np.zeros(2, np.int64)
        """Changes written, and taken by the renderer, since the start."""
        self.dropped = 0
        self._place = {INDEX[name]: place for place, name in enumerate(MIX_NAMES)}

    @property
    def written(self) -> int:
        """Changes pushed since the start."""
        return int(self.counts[0])

    def push(self, time_samples: int, parameter_index: int, value: float) -> bool:
        """Queues a value (in the parameter's unit, brought into its range) for an absolute sample.

        parameter_index: of synth.control.parameters.PARAMETERS. False, and counted in `dropped`, when the ring is full.
        TetradError for a parameter that is not of MIX_PARAMETERS, and for a value that is not a number.
        """
        if parameter_index not in self._place or not math.isfinite(value):
            raise TetradError(
                f"The mix was given {value!r} for parameter number {parameter_index}; expected a finite number for one "
                f"of {', '.join(MIX_NAMES)}; send other parameters to the notes."
            )
        return self._put(time_samples, self._place[parameter_index], PARAMETERS[parameter_index].clamp(value))

    def silence(self, time_samples: int) -> bool:
        """What is under way in the effects fades out within 3 ms and is forgotten: for panic and all-sound-off."""
        return self._put(time_samples, SILENCE, 0.0)

    def _put(self, time_samples: int, place: int, value: float) -> bool:
        written = self.written
        if written - count(self.counts, 1) >= MIX_PLACES:
            self.dropped += 1
            return False
        self.changes[written % MIX_PLACES] = (time_samples, place, value)
        set_count(self.counts, 0, written + 1)
        return True


class Rings(NamedTuple):
    """Segments of S slots, SEGMENT [S, 16]; segment number i of a slot is at place `i % 16`.

    phase uint32 [S, 100]: what NEW_VOICE starts from. residual float32 [S, power of two]: absolute sample t of a
    slot's residual is at place `t % length`; longer than 16 frames. int64 [S] count segments since the start: `written`
    and `taken` are shared, `read` is the conductor's copy of `taken`. mix: see MixRing.
    """

    segments: Records
    phase: npt.NDArray[np.uint32]
    residual: Float32Array
    written: Int64Array
    taken: Int64Array
    read: Int64Array
    mix: MixRing

    def look(self) -> None:
        """The conductor learns which places are free again: before it fills any."""
        copy_counts(self.taken, self.read)

    def publish(self, written: Int64Array) -> None:
        """The conductor has filled places up to these counts, int64 [S]."""
        publish_counts(written, self.written)


def make_rings(n_slots: int, sample_rate_hz: int = SAMPLE_RATE_HZ) -> Rings:
    """Empty rings for `n_slots` voices."""
    samples = (RING_PLACES + 4) * sample_rate_hz / FRAME_RATE_HZ
    return Rings(
        segments=np.zeros((n_slots, RING_PLACES), SEGMENT),
        phase=np.zeros((n_slots, N_PARTIALS), np.uint32),
        residual=np.zeros((n_slots, 1 << math.ceil(math.log2(samples))), np.float32),
        written=np.zeros(n_slots, np.int64),
        taken=np.zeros(n_slots, np.int64),
        read=np.zeros(n_slots, np.int64),
        mix=MixRing(),
    )
