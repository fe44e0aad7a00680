"""What the engine plays along a path, without the sound: many places and moments of one note, in a single tick.

Every place at every moment is a voice of its own in an engine's control half (`synth.voices.conductor`). So the law of
the blend (detail half-way, loudness frame by frame and as a whole, stiffness, formants) is the engine's, whatever it
becomes, and stands nowhere else. Recordings' residuals are left out: noise bands stand for them throughout.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synth.control.events import Dimension
from synth.control.parameters import INDEX
from synth.frames import HOP, SAMPLE_RATE_HZ, Float64Array
from synth.voices.conductor import Conductor, FrameDecoder
from synth.voices.controls import DIMENSIONS
from synth.voices.keys import Key
from synth.voices.plan import START, TARGET
from synth.voices.prepared import PreparedInstrument
from synth.voices.segments import Records, make_rings
from synth.voices.voice import HELD, NEVER

_CHANNEL = 0
_X = DIMENSIONS.index(Dimension.X)
_BASE = SAMPLE_RATE_HZ
"""The sample at which all voices tick; any."""


class PlayedPath(Conductor):
    """The southern edge of a surface with `first` in the west and `second` in the east."""

    def __init__(
        self, first: PreparedInstrument, second: PreparedInstrument, decoder: FrameDecoder, n_places: int, n_frames: int
    ) -> None:
        """For `n_places` along the path at `n_frames` moments each: some 6 KB for every one of their product."""
        self._n_places, self._n_frames = n_places, n_frames
        rings = make_rings(n_places * n_frames)
        super().__init__(rings, [first, second, first, second], decoder, SAMPLE_RATE_HZ, n_places * n_frames, 0)
        for name in ("x", "y", "volume"):
            self.controls.set_parameter(name, 0.0, 0, at_once=True)

    def play(self, key: int, velocity: int, places: Float64Array, frames: Sequence[int]) -> Records:
        """A held note at `places`, float64 [P], 0..1 from first to second, `frames` [F] control frames after its onset.

        VOICE [P * F], place by place: `level_to` has the amplitudes, `f0` (cycles per sample) and `inharmonicity` or
        `stretch` the frequencies. Valid until the next call.
        """
        bank = self._bank
        bank[:] = np.zeros((), bank.dtype)
        self._sent[:] = 0
        self._waiting.clear()
        self.notes.press(Key(_CHANNEL, key), velocity, _BASE)
        pressed = int(np.flatnonzero(bank["state"] == HELD)[0])
        self.notes.keys.lift(Key(_CHANNEL, key))
        bank[:] = bank[pressed].copy()
        bank["lead"] = -1
        # A first frame is reached in 0.7 ms, others from one to the next: all are second ones here.
        bank["base"] = bank["next_tick"] = _BASE
        bank["onset"] = _BASE - HOP * np.tile(np.asarray(frames), self._n_places) + HOP
        bank["frame"] = 1
        bank["held_base"] = np.tile(np.asarray(frames, np.float64), self._n_places) - 1.0
        x = np.repeat(places, self._n_frames)
        bank["expression"][:, _X, TARGET] = bank["expression"][:, _X, START] = x
        self._earliest_tick = _BASE
        self._tick_until(_BASE + 1)
        self._earliest_tick = NEVER
        return bank

    def set(self, parameter: str, value: float) -> None:
        """A parameter of `synth.control.parameters`, from the next note on."""
        curve = self.controls.curves[INDEX[parameter]]
        curve[TARGET] = curve[START] = value
