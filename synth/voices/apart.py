"""Many notes at once, each in a channel of its own: the engine offline, for pads and other sets of rendered notes.

A lone note of four seconds costs the engine 100 ms and more, most of it once per tick and not per voice: the network's
run for one row, Python between the kernels. Here up to 256 notes go through the same control half together, and the
same kernels of the audio half (`synth.voices.renderer`) render them one by one, each with noise of its own. A note is
what `Engine` plays when it is alone, but for rounding and what the limiter does above -1 dBFS: this one has none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from synth.control.events import N_CHANNELS, Dimension, NoteExpression, NoteOff, NoteOn, SetParameter
from synth.errors import TetradError
from synth.frames import (
    EMBEDDING_RATE_HZ,
    FRAME_RATE_HZ,
    FRAMES_PER_EMBEDDING,
    SAMPLE_RATE_HZ,
    Z_DIM,
    Float32Array,
)
from synth.grid.pair_path import PairPath
from synth.instruments.format import Instrument
from synth.jit import njit
from synth.native import Int64Array
from synth.voices.conductor import Conductor, FrameDecoder
from synth.voices.engine import MOST_VOICES, Engine
from synth.voices.noise import noise_loops
from synth.voices.prepared import PreparedInstrument
from synth.voices.renderer import MAX_BLOCK, NOISE, SCRATCH, SLOT, add_noise_block, add_voice
from synth.voices.segments import Records
from synth.voices.voice import FREE
from synth.voices.zwindow import Z_WINDOW

MOST_PLACES = N_CHANNELS
"""A place on the surface is a MIDI channel's, as with MPE controllers."""
SETTLE_FRAMES = 63
"""0.5 s, 50 time constants of the controls: before the first note every channel is exactly at its place. Whole frames:
so a note's ticks, which join a grid of the clock after 64 ms, stay where they began, at 8 ms times a whole number."""
_MOMENT = slice(Z_WINDOW // 2 * Z_DIM, (Z_WINDOW // 2 + 1) * Z_DIM)
"""Of a z window: the moment itself."""
_BLOCK = 768
assert _BLOCK <= MAX_BLOCK


class SpotNote(NamedTuple):
    """A note to render: x and y of its place, 0..1, and its MIDI key."""

    x: float
    y: float
    key: int


@njit()
def render_apart(  # type: ignore[no-untyped-def]
    outs, clock, state, noises, scratches, segments, phases, residual, written, late, loops, starts, lengths
):
    """One block of every slot from absolute sample `clock`: outs float32 [slots, n], n at most MAX_BLOCK.

    noises: NOISE [slots]. The rest as `synth.voices.renderer` has it. The left channel: a voice in the middle has the
    same gain, 1, in both.
    """
    n_samples = outs.shape[1]
    scratch = scratches[0]
    for v in range(outs.shape[0]):
        scratch.mix[:, :n_samples] = 0.0
        scratch.cell_power[:] = 0.0
        n_onsets = add_voice(state, segments, phases, residual, late, scratch, written, v, clock, n_samples, 0)
        # Nobody hears the right channel, and its noise would be a third of the cost.
        scratch.cell_power[:, 1] = 0.0
        for onset in range(n_onsets):
            scratch.onset_power[onset, 1] = 0.0
        add_noise_block(noises[v], scratch, clock, n_samples, n_onsets, loops, starts, lengths)
        for i in range(n_samples):
            outs[v, i] = scratch.mix[0, i]


class ApartEngine(Engine):
    """An engine whose voices come out apart: `render_apart` in the place of `render`."""

    def __init__(
        self,
        corners: Sequence[Instrument | PreparedInstrument],
        decoder: FrameDecoder,
        *,
        sample_rate_hz: int = SAMPLE_RATE_HZ,
        n_voices: int = 64,
        seed: int = 0,
        paths: Iterable[PairPath] = (),
    ) -> None:
        super().__init__(
            corners, decoder, sample_rate_hz=sample_rate_hz, n_voices=n_voices, seed=seed, warm_up=False, paths=paths
        )
        n_slots = self._rings.written.shape[0]
        self._slots: Records = np.zeros(n_slots, SLOT)
        self._slots["inharmonicity"] = -1.0  # no stretch computed yet
        self._noises: Records = np.zeros(n_slots, NOISE)
        self._scratch: Records = np.zeros(1, SCRATCH)
        self._late = np.zeros(1, np.int64)
        self._loops = noise_loops(self.sample_rate_hz, seed)

    def render_apart(self, n_samples: int, n_slots: int) -> Float32Array:
        """The next n samples of the first slots, float32 [n_slots, n], not limited."""
        out = np.empty((n_slots, n_samples), np.float32)
        rings, clock = self._rings, self._renderer.clock
        for first in range(0, n_samples, _BLOCK):
            block = np.empty((n_slots, min(_BLOCK, n_samples - first)), np.float32)
            self.advance(int(clock[0]) + block.shape[1])
            render_apart(
                block,
                int(clock[0]),
                self._slots,
                self._noises,
                self._scratch,
                rings.segments,
                rings.phase,
                rings.residual,
                rings.written,
                self._late,
                *self._loops,
            )
            rings.taken[:] = self._slots["read"]
            clock[0] += block.shape[1]
            out[:, first : first + block.shape[1]] = block
        return out

    def follow(self, end: int) -> None:
        """The control half alone up to sample `end`: nothing is heard."""
        rings = self._rings
        while self.conductor.clock_samples < end:
            self.advance(self.conductor.clock_samples + _BLOCK)
            rings.taken[:] = rings.written

    @property
    def conductor(self) -> Conductor:
        """The control half."""
        return self._conductor

    def begin(self, onset: int, channels_and_keys: Sequence[tuple[int, int]]) -> Int64Array:
        """Goes on, without a sound, to the sample at which the notes begin that were pushed: their slots, int64 [n].

        A lone voice ticks on the grid of the first group: so do these, all of them.
        """
        self.advance(onset + 1)
        self._renderer.clock_samples = onset
        bank = self._conductor.bank
        bank["group"] = 0
        sounding = np.flatnonzero(bank["state"] != FREE)
        places = {(int(bank["channel"][v]), int(bank["key"][v])): int(v) for v in sounding}
        return np.array([places[place] for place in channels_and_keys], np.int64)


class _Tap:
    """A decoder that notes down the embeddings that it is asked about: of every slot, at its frames since `onset`."""

    def __init__(self, decoder: FrameDecoder, n_slots: int, n_frames: int, onset: int, hop: int) -> None:
        self.model_id = decoder.model_id
        self.conductor: Conductor | None = None
        self._decoder = decoder
        self._onset, self._hop = onset, hop
        self.z = np.full((n_slots, n_frames, Z_DIM), np.nan, np.float32)

    def run(self, z_window: Float32Array, pitch: Float32Array, velocity: Float32Array) -> Float32Array:
        if self.conductor is not None:
            bank = self.conductor.bank
            for row, v in enumerate(self.conductor.due[: pitch.size]):
                frame = round((bank["base"][v] - self._onset) / self._hop) + int(bank["frame"][v])
                if 0 <= frame < self.z.shape[1] and not bank["probing"][v]:
                    self.z[v, frame] = z_window[row, _MOMENT]
        return self._decoder.run(z_window, pitch, velocity)


def _begun(
    corners: Sequence[Instrument | PreparedInstrument],
    decoder: FrameDecoder,
    notes: Sequence[SpotNote],
    velocity: int,
    held_s: float,
    seed: int,
    rate: int,
    paths: Iterable[PairPath],
    parameters: dict[str, float],
) -> tuple[ApartEngine, Int64Array]:
    """An engine with all notes begun and their releases to come, and the notes' slots."""
    places = list(dict.fromkeys((note.x, note.y) for note in notes))
    if len(places) > MOST_PLACES or not 1 <= len(set(notes)) == len(notes) <= MOST_VOICES:
        raise TetradError(
            f"{len(notes)} notes at {len(places)} places were to be rendered at once; expected 1 to {MOST_VOICES}, "
            f"each once, at up to {MOST_PLACES} places; render them in parts"
        )
    engine = ApartEngine(corners, decoder, sample_rate_hz=rate, n_voices=len(notes), seed=seed, paths=paths)
    if isinstance(decoder, _Tap):
        decoder.conductor = engine.conductor
    for name, value in ({"x": 0.0, "y": 0.0, "volume": 0.0} | parameters).items():
        engine.push(SetParameter(0, name, value))
    for channel, (x, y) in enumerate(places):
        engine.push(NoteExpression(0, channel, None, Dimension.X, x))
        engine.push(NoteExpression(0, channel, None, Dimension.Y, y))
    onset = _onset(rate)
    keyed = [(places.index((note.x, note.y)), note.key) for note in notes]
    for channel, key in keyed:
        engine.push(NoteOn(onset, channel, key, velocity))
        engine.push(NoteOff(onset + round(held_s * rate), channel, key))
    return engine, engine.begin(onset, keyed)


def _onset(rate: int) -> int:
    return SETTLE_FRAMES * round(rate / FRAME_RATE_HZ)


def render_notes(
    corners: Sequence[Instrument | PreparedInstrument],
    decoder: FrameDecoder,
    notes: Sequence[SpotNote],
    *,
    velocity: int,
    held_s: float,
    total_s: float,
    seed: int = 0,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
    paths: Iterable[PairPath] = (),
    **parameters: float,
) -> Float32Array:
    """Each note alone, as the engine plays it there: float32 [notes, total_s * rate], from its onset, not limited.

    paths: between the corners' instruments, as `Engine` takes them; without one the line is straight. Volume is 0 dB;
    other `parameters` than x, y and volume are set by name. Notes begin with the same phases and the
    same noise, so that two of them differ by their places and keys alone. At most 256 notes at 16 places, each place
    and key once. Raises TetradError for more.
    """
    engine, slots = _begun(corners, decoder, notes, velocity, held_s, seed, sample_rate_hz, paths, parameters)
    sound = engine.render_apart(round(total_s * sample_rate_hz), int(slots.max()) + 1)
    return sound if np.array_equal(slots, np.arange(len(notes))) else sound[slots]


def embeddings_of_notes(
    corners: Sequence[Instrument | PreparedInstrument],
    decoder: FrameDecoder,
    notes: Sequence[SpotNote],
    *,
    velocity: int,
    held_s: float,
    total_s: float,
    paths: Iterable[PairPath] = (),
    **parameters: float,
) -> Float32Array:
    """What the engine asks its decoder while it plays the notes of `render_notes`: z float32 [notes, T, 16], one for
    every 32 ms of `total_s`, each of its middle, as an encoder's are.

    So whatever the engine does with places and time is in them. A note that has ended keeps its last one.
    """
    rate = SAMPLE_RATE_HZ
    hop = round(rate / FRAME_RATE_HZ)
    n_z = math.ceil(total_s * EMBEDDING_RATE_HZ)
    n_frames = n_z * FRAMES_PER_EMBEDDING
    tap = _Tap(decoder, 2 * len(notes), n_frames, _onset(rate), hop)
    engine, slots = _begun(corners, tap, notes, velocity, held_s, 0, rate, paths, parameters)
    engine.follow(_onset(rate) + n_frames * hop)
    z = tap.z[slots, FRAMES_PER_EMBEDDING // 2 :: FRAMES_PER_EMBEDDING]
    for frame in range(1, n_z):
        ended = np.isnan(z[:, frame, 0])
        z[ended, frame] = z[ended, frame - 1]
    return np.ascontiguousarray(z)
