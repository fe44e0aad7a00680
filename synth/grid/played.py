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
from synth.frames import HOP, SAMPLE_RATE_HZ, Z_DIM, Float32Array, Float64Array
from synth.grid.pair_path import NotePath, PairPath
from synth.voices.conductor import Conductor, FrameDecoder
from synth.voices.controls import DIMENSIONS
from synth.voices.keys import Key
from synth.voices.plan import START, TARGET
from synth.voices.prepared import PreparedInstrument
from synth.voices.prepared_path import PreparedPath
from synth.voices.segments import Records, make_rings
from synth.voices.voice import HELD
from synth.voices.zwindow import Z_WINDOW

_CHANNEL = 0
_X = DIMENSIONS.index(Dimension.X)
_BASE = SAMPLE_RATE_HZ
"""The sample at which all voices tick; any."""


class PlayedPath(Conductor):
    """The southern edge of a surface: `first` in the west, `second` in the east, names in the order of the alphabet."""

    def __init__(
        self,
        first: PreparedInstrument,
        second: PreparedInstrument,
        decoder: FrameDecoder,
        n_places: int,
        n_frames: int,
    ) -> None:
        """For `n_places` along the path at `n_frames` moments each: some 6 KB for every one of their product."""
        self._n_places, self._n_frames = n_places, n_frames
        self._ends = first, second
        rings = make_rings(n_places * n_frames)
        n_voices = n_places * n_frames
        super().__init__(rings, [first, second, first, second], decoder, SAMPLE_RATE_HZ, n_voices, 0)
        for name in ("x", "y", "volume"):
            self.controls.set_parameter(name, 0.0, 0, at_once=True)

    def play(self, key: int, velocity: int, places: Float64Array, frames: Sequence[int]) -> Records:
        """A held note at `places`, float64 [P], 0..1 from first to second, `frames` [F] control frames after its onset.

        VOICE [P * F], place by place: `level_to` has the amplitudes, `f0` (cycles per sample) and `inharmonicity` or
        `stretch` the frequencies. Valid until the next call.
        """
        bank = self._bank
        bank[:] = np.zeros((), bank.dtype)
        self._sources.edges.refresh(_BASE, self._sources.instruments)  # forgets the paths of the voices before
        self._sent[:] = 0
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
        self._schedule.forget()
        self._schedule.tick(_BASE)
        self._tick_until(_BASE + 1)
        self._schedule.forget()
        return bank

    def set_path(self, notes: Sequence[NotePath]) -> None:
        """From the next note on, the path between the two is this one, in order of pitch; straight without notes."""
        first, second = self._ends
        path = None
        if notes:
            ids = first.sound_id, second.sound_id
            path = PreparedPath(PairPath(first.name, second.name, *ids, first.model_id, tuple(notes)))
        self._sources.edges.put(first.name, second.name, path)

    def embeddings(self) -> Float32Array:
        """What was decoded in the last `play`, bends included: z float32 [P, F, 16] at its moments."""
        n_voices = self._n_places * self._n_frames
        middle = self._inputs.z[:n_voices].reshape(self._n_places, self._n_frames, Z_WINDOW, Z_DIM)[:, :, Z_WINDOW // 2]
        return np.asarray(middle.copy(), np.float32)

    def set(self, parameter: str, value: float) -> None:
        """A parameter of `synth.control.parameters`, from the next note on."""
        curve = self.controls.curves[INDEX[parameter]]
        curve[TARGET] = curve[START] = value
