"""The engine: commands in, blocks of stereo sound out. Deterministic: the same events give the same samples.

Offline, `Engine.render(n)` runs both halves in turn. Live, a control thread calls `advance(clock_samples + lead)` and
the sound card calls only `source`, a C function, which `render_into(block)` calls from Python: it is the same code, so
a live performance equals its offline rendering wherever no segment came late.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from synth.control.corners import N_CORNERS, Corner
from synth.control.events import AllSoundOff, Event, NoteOff, NoteOn, SetCorner, SetParameter, SetPath
from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ, Float32Array
from synth.grid.pair_path import PairPath
from synth.instruments.format import Instrument
from synth.native import Int64Array, Source
from synth.voices.conductor import Conductor, FrameDecoder
from synth.voices.prepared import PreparedInstrument
from synth.voices.prepared_path import PreparedPath
from synth.voices.renderer import Renderer
from synth.voices.segments import make_rings

MOST_VOICES = 256
_CHUNK = 384
"""Samples between two looks at the events when rendering offline. No sample depends on it."""


class Engine:
    """Four corners, up to `n_voices` notes.

    corners: instruments in the order of `Corner`. decoder: synth.voices.decoder.Decoder or anything with its `run`.
    seed: of the oscillators' starting phases and the noise. warm_up: let the compilers run now (under a second when
    their results are in numba's cache, half a minute on the very first start). paths: between instruments, as if each
    had been given to `set_path`; a pair that has none is blended along a straight line.
    """

    def __init__(
        self,
        corners: Sequence[Instrument | PreparedInstrument],
        decoder: FrameDecoder,
        *,
        sample_rate_hz: int = SAMPLE_RATE_HZ,
        n_voices: int = 64,
        seed: int = 0,
        warm_up: bool = True,
        paths: Iterable[PairPath | PreparedPath] = (),
    ) -> None:
        if len(corners) != N_CORNERS:
            raise TetradError(f"{len(corners)} instruments were given; expected {N_CORNERS}, one for each corner.")
        if not 1 <= n_voices <= MOST_VOICES:
            raise TetradError(f"{n_voices} voices were asked for; expected 1 to {MOST_VOICES}.")
        if not 8_000 <= sample_rate_hz <= 192_000:
            raise TetradError(f"A sample rate of {sample_rate_hz} Hz was asked for; expected 8000 to 192000.")
        self.sample_rate_hz = sample_rate_hz
        self._decoder = decoder
        self._most_voices = n_voices
        # As many spare slots as voices: a full chord can steal a full set while the stolen notes fade for 3 ms.
        self._rings = make_rings(2 * n_voices, sample_rate_hz)
        known = {id(instrument): self.prepare(instrument) for instrument in corners}
        prepared = [known[id(instrument)] for instrument in corners]
        ways = [self.prepare_path(path) for path in paths]
        self._conductor = Conductor(self._rings, prepared, decoder, sample_rate_hz, n_voices, seed, ways)
        self._renderer = Renderer(self._rings, sample_rate_hz, seed, always_ride=True)
        if warm_up:
            self._warm_up(prepared)

    def _warm_up(self, corners: Sequence[PreparedInstrument]) -> None:
        """Plays a note on an engine of one voice, so that numba and ONNX Runtime have compiled and allocated what they
        need before the first block that somebody waits for."""
        rehearsal = Engine(corners, self._decoder, n_voices=1, warm_up=False)
        legato, touch = SetParameter(0, "play_mode", 2.0), SetParameter(450, "x", 0.5)
        for event in (NoteOn(0), NoteOn(10), legato, NoteOn(420, 0, 61), touch, NoteOff(500, 0, 61), AllSoundOff(1200)):
            rehearsal.push(event)
        rehearsal.render(2000)

    @property
    def n_sounding(self) -> int:
        """Voices held or released; costs less than `status`."""
        return self._conductor.n_sounding

    @property
    def late_frames(self) -> int:
        """Control frames that came too late so far; costs less than `status`."""
        return self._renderer.late_segments

    def value(self, parameter: str) -> float:
        """What a parameter was last set to."""
        return self._conductor.controls.value(parameter)

    @property
    def model_id(self) -> str:
        """Of the network that decodes."""
        return self._decoder.model_id

    def prepare(self, instrument: Instrument | PreparedInstrument) -> PreparedInstrument:
        """Make an instrument ready for a corner: 10 ms or so. TetradError when it was made with another network."""
        if instrument.model_id != self._decoder.model_id:
            raise TetradError(
                f"Instrument {instrument.name} was made with network {instrument.model_id}, but the decoder is "
                f"{self._decoder.model_id}; make it again: `make instruments` (what ships), `tetrad instruments add`."
            )
        return instrument if isinstance(instrument, PreparedInstrument) else PreparedInstrument(instrument)

    def prepare_path(self, path: PairPath | PreparedPath) -> PreparedPath:
        """Make a path ready for the engine, in a ms. TetradError when it was made with another network."""
        if path.model_id != self._decoder.model_id:
            raise TetradError(
                f"The path from {path.first} to {path.second} was made with network {path.model_id}, but the decoder "
                f"is {self._decoder.model_id}; build it again: `tetrad grid build {path.first} {path.second}`."
            )
        return path if isinstance(path, PreparedPath) else PreparedPath(path)

    @property
    def clock_samples(self) -> int:
        """The absolute sample that is rendered next."""
        return self._renderer.clock_samples

    def push(self, event: Event) -> bool:
        """Queues an event, from any thread. False, and counted, when 4,096 wait for the next `advance` already: a score
        is pushed piece by piece, as it is played.

        A SetCorner's instrument and a SetPath's path are prepared here, in the caller's thread. TetradError when one
        does not fit the decoder, or a path is not of the two instruments that the event names.
        """
        if isinstance(event, SetPath):
            event = self._checked(event)
        if isinstance(event, SetCorner):
            event = SetCorner(event.time_samples, Corner(event.corner), self.prepare(event.instrument))
        return self._conductor.push(event)

    def set_corner(self, corner: Corner, instrument: Instrument) -> None:
        """Puts an instrument into a corner now: notes that sound go over to it in 60 ms, new ones begin with it."""
        self.push(SetCorner(self.clock_samples, corner, instrument))

    def set_path(self, first: str, second: str, path: PairPath | PreparedPath | None) -> None:
        """Says how to go from one instrument to another, by their names, from now on; None is a straight line.

        Any thread may call it. Edges of the surface have it as soon as these two instruments are in their corners, if
        they sound as they did when it was made (`first_id`, `second_id`). Notes that sound go over in 60 ms.
        """
        first, second = sorted((first, second))
        self.push(SetPath(self.clock_samples, first, second, path))

    def _checked(self, event: SetPath) -> SetPath:
        if event.path is None:
            return event
        path = self.prepare_path(event.path)
        if (path.first, path.second) != (event.first, event.second):
            raise TetradError(
                f"A path from {path.first} to {path.second} was given for {event.first} and {event.second}; expected "
                "one of just these two, in the order of the alphabet."
            )
        return SetPath(event.time_samples, event.first, event.second, path)

    def advance(self, horizon: int) -> None:
        """Control half: everything before absolute sample `horizon`. One thread only."""
        self._conductor.advance(horizon)

    @property
    def source(self) -> Source:
        """Audio half, for sound cards: the next blocks, without Python. The contract is in synth.voices.renderer."""
        return self._renderer.source

    @property
    def clock(self) -> Int64Array:
        """int64 [1]: `clock_samples` where C functions find it; the audio half moves it."""
        return self._renderer.clock

    def render_into(self, out: Float32Array) -> None:
        """Audio half: the next block, float32 [n, 2]. One thread only; the contract is in synth.voices.renderer."""
        self._renderer.render_into(out)

    def render(self, n_samples: int) -> Float32Array:
        """The next n samples, float32 [n, 2], -1..1, with all events that are queued."""
        out = np.empty((n_samples, 2), np.float32)
        for first in range(0, n_samples, _CHUNK):
            block = out[first : first + _CHUNK]
            self.advance(self.clock_samples + block.shape[0])
            self.render_into(block)
        return out

    def status(self) -> dict[str, Any]:
        """Health and place, for screens and tests. Levels in dBFS; counts since the start."""
        conductor, renderer = self._conductor, self._renderer
        x, y = conductor.place()
        levels = renderer.levels
        return {
            "voices": self.n_sounding,
            "voice_limit": conductor.notes.limit,
            "most_voices": self._most_voices,
            "notes": conductor.sounding(),
            "x": x,
            "y": y,
            "late_frames": self.late_frames,
            "lost_segments": conductor.lost_segments,
            "stolen": conductor.notes.stolen,
            "dropped_events": conductor.dropped_events + conductor.notes.dropped + self._rings.mix.dropped,
            "most_waiting_events": conductor.most_waiting_events,
            "peak_level_dbfs": _dbfs(renderer.peak),
            "peaks_dbfs": [_dbfs(peak) for peak in levels.peak],
            "rms_dbfs": [_dbfs(rms) for rms in levels.rms],
            "clock_samples": self.clock_samples,
        }


def _dbfs(level: float) -> float:
    return 20.0 * math.log10(max(level, 1e-6))
