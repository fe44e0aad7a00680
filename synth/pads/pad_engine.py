"""An engine that plays a pad: the events, voices, controls and effects of `synth.voices`, notes from rows in memory.

What only a decoder can do has no effect here: brightness, noise_level, tuning_amount and middle_detail, per-note
brightness, and other instruments in the corners, which are refused.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synth.control.events import AllSoundOff, NoteOff, NoteOn, SetParameter
from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ, Float32Array
from synth.instruments.format import Instrument
from synth.instruments.silence import NAME, silent_instrument
from synth.pads.loaded_pad import LoadedPad
from synth.pads.pad_renderer import PadRenderer
from synth.pads.pad_voices import PAD_LAW, PAD_VOICE, PLACE, send_pad
from synth.voices.blend import collect_due
from synth.voices.conductor import Conductor
from synth.voices.engine import MOST_VOICES, Engine
from synth.voices.plan import plan
from synth.voices.prepared import PreparedInstrument
from synth.voices.segments import RING_PLACES, Records, Rings, make_rings


class _NoNetwork:
    """In the decoder's place."""

    model_id = "none (a pad plays)"

    def run(self, z_window: Float32Array, pitch: Float32Array, velocity: Float32Array) -> Float32Array:
        raise TetradError(f"a pad was asked to decode {len(z_window)} of {len(pitch)}, {len(velocity)}; report this")


def _still(velocity: int) -> PreparedInstrument:
    """What is in the corners: nothing, at the pad's velocity, from which the law of velocities counts."""
    instrument = silent_instrument(_NoNetwork.model_id)
    notes = tuple(replace(note, velocity=velocity) for note in instrument.notes)
    return PreparedInstrument(replace(instrument, notes=notes))


class PadConductor(Conductor):
    """The engine's conductor, whose ticks end in rows instead of in the network."""

    def __init__(
        self,
        rings: Rings,
        places: Records,
        pad: LoadedPad,
        still: PreparedInstrument,
        sample_rate_hz: int,
        n_voices: int,
        seed: int,
    ) -> None:
        super().__init__(rings, [still] * 4, _NoNetwork(), sample_rate_hz, n_voices, seed)
        spec = pad.spec
        self._pad = pad
        self._places = places
        self._voices = np.zeros(rings.written.shape[0], PAD_VOICE)
        self._pitches = np.array(spec.pitches, np.float64)
        self._law = np.zeros(1, PAD_LAW)
        self._law["resolution"], self._law["n_pitches"] = spec.resolution, len(spec.pitches)
        self._law["rate_ratio"] = spec.sample_rate_hz / sample_rate_hz
        self._law["row_samples"] = spec.row_samples

    def _spectra(self, voices: Records) -> dict[int, list[float]]:
        """None: a pad's voices are rows of samples, without partials that could be looked at."""
        return {}

    def _tick_until(self, limit: int) -> None:
        bank, work, controls, rings, pad = self._bank, self._work, self.controls, self._rings, self._pad
        z, pitch, velocity = self._inputs
        curves = controls.curves, controls.channels, controls.expressions, controls.lfo
        tables = pad.rows, pad.power, pad.likeness, self._pitches, self._law
        queues = rings.segments, self._places, rings.read, self._sent
        schedule = self._schedule
        while schedule.earliest_tick < limit:
            n, schedule.earliest_tick = collect_due(bank, work, z, limit)
            if n == 0:
                break
            plan(bank, work, pitch, velocity, n, *curves, self._sample_rate_hz, self._hop)
            lost, earliest = send_pad(bank, self._voices, work, n, *tables, *queues, self._hop)
            self._lost_segments += lost
            schedule.tick(earliest)


class PadEngine(Engine):
    """Plays `pad`, up to `n_voices` notes; everything else is as `Engine` has it. The same events give the same
    samples. warm_up: let the compilers run now."""

    def __init__(
        self,
        pad: LoadedPad,
        *,
        sample_rate_hz: int = SAMPLE_RATE_HZ,
        n_voices: int = 64,
        seed: int = 0,
        warm_up: bool = True,
    ) -> None:
        if not 1 <= n_voices <= MOST_VOICES:
            raise TetradError(f"{n_voices} voices were asked for; expected 1 to {MOST_VOICES}.")
        if not 8_000 <= sample_rate_hz <= 192_000:
            raise TetradError(f"A sample rate of {sample_rate_hz} Hz was asked for; expected 8000 to 192000.")
        self.sample_rate_hz = sample_rate_hz
        self.pad = pad
        self._decoder = _NoNetwork()
        self._most_voices = n_voices
        self._rings = make_rings(2 * n_voices, sample_rate_hz)
        places = np.zeros((2 * n_voices, RING_PLACES), PLACE)
        self._still = _still(pad.spec.velocity)
        self._conductor = PadConductor(self._rings, places, pad, self._still, sample_rate_hz, n_voices, seed)
        self._renderer = PadRenderer(self._rings, places, pad, sample_rate_hz)
        if warm_up:
            self._rehearse()

    def _rehearse(self) -> None:
        rehearsal = PadEngine(self.pad, n_voices=1, warm_up=False)
        legato, touch = SetParameter(0, "play_mode", 2.0), SetParameter(450, "x", 0.5)
        for event in (NoteOn(0), NoteOn(10), legato, NoteOn(420, 0, 61), touch, NoteOff(500, 0, 61), AllSoundOff(1200)):
            rehearsal.push(event)
        rehearsal.render(2000)

    def prepare(self, instrument: Instrument | PreparedInstrument) -> PreparedInstrument:
        """Silence, which leaves the pad alone. TetradError for any other instrument."""
        if instrument.name != NAME:
            raise TetradError(
                f"{instrument.name} was to be put into a corner while the pad {self.pad.spec.name} plays; "
                "a pad's corners are rendered; play without --source pad"
            )
        return self._still
