"""The control half of the engine: events in, segments out.

`advance(horizon)` carries out all events and all ticks before sample `horizon`, in the order of time. Every voice has
a tick per control frame (8 ms), in its attack and after its release on a grid of its own: frame i is reached exactly i
frames after the onset. Then it joins the grid of a group, so that voices share runs of the network. A tick at the
beginning of a frame aims at its end, with the controls as they will be there. A control that begins to move between two
ticks is not kept waiting: the ramps that are under way turn at once (`synth.voices.plan.nudge`).
"""

import math
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import numpy as np

from synth.control import events as ev
from synth.control.parameters import INDEX
from synth.errors import TetradError
from synth.frames import FRAME_RATE_HZ, Float32Array
from synth.voices.blend import WORK, collect_due, gather, make_inputs
from synth.voices.controls import Controls
from synth.voices.keys import Key
from synth.voices.notes import Notes
from synth.voices.plan import SMOOTHING_S, STILLNESS_S, TARGET, nudge, parameter_at, plan
from synth.voices.prepared import PreparedInstrument
from synth.voices.prepared_path import PreparedPath, no_bends
from synth.voices.residual import fill_residuals
from synth.voices.schedule import LateRelease, Refresh, Schedule
from synth.voices.segments import MIX_PARAMETERS, Int64Array, Records, Rings
from synth.voices.sources import Sources
from synth.voices.spectrum import N_OCTAVES, decibels, octave_powers
from synth.voices.surface import add_bends
from synth.voices.tick import finish
from synth.voices.voice import FREE, VOICE

MAX_WAITING_EVENTS = 4096
# What sounding voices follow without waiting for their next tick.
_MOVING = (ev.SetParameter, ev.NoteExpression, ev.PitchBend, ev.ModWheel, ev.ChannelLevel, ev.Pan)


class FrameDecoder(Protocol):
    """What the conductor needs of synth.voices.decoder.Decoder."""

    model_id: str

    def run(self, z_window: Float32Array, pitch: Float32Array, velocity: Float32Array) -> Float32Array:
        """float32 [V, 80], [V], [V] -> float32 [V, 165]."""


class Conductor:
    """Musical state of the engine. One thread calls `advance`; any thread may call `push`."""

    def __init__(
        self,
        rings: Rings,
        corners: list[PreparedInstrument],
        decoder: FrameDecoder,
        sample_rate_hz: int,
        n_voices: int,
        seed: int,
        paths: Iterable[PreparedPath] = (),
    ) -> None:
        n_slots = rings.written.shape[0]
        self._rings = rings
        self._decoder = decoder
        self._sample_rate_hz = sample_rate_hz
        self._hop = round(sample_rate_hz / FRAME_RATE_HZ)
        self.controls = Controls(sample_rate_hz)
        self._bank: Records = np.zeros(n_slots, VOICE)
        self._work: Records = np.zeros(n_slots, WORK)
        self._inputs = make_inputs(n_slots)
        self._sent = np.zeros(n_slots, np.int64)
        self._sources = Sources(self._bank, corners, sample_rate_hz, paths)
        # Compiled now, though it may be long before an instrument needs it.
        table = corners[0].table
        fill_residuals(table.notes, table.residual, 0, 0, self._bank, self._work, 0, rings.residual)
        add_bends(no_bends(), 0, 0, self._bank, self._work, self._inputs.z, 0)
        self._schedule = Schedule()
        self.notes = Notes(
            self._bank, rings, self._sent, self._sources, self.controls, self._schedule, sample_rate_hz, n_voices, seed
        )
        self._inbox: deque[ev.Event] = deque()
        self._stillness = round(STILLNESS_S * sample_rate_hz)
        self._moved = -self._stillness
        self.clock_samples = 0
        self.dropped_events = 0
        self._lost_segments = 0
        self.most_waiting_events = 0

    def push(self, event: ev.Event) -> bool:
        """Queues an event. False, and counted, when MAX_WAITING_EVENTS wait already. TetradError for an event that is
        not the engine's business."""
        if type(event) not in _HANDLERS:
            raise TetradError(f"The engine was sent a {type(event).__name__}; expected what it can carry out itself.")
        if len(self._inbox) >= MAX_WAITING_EVENTS:
            self.dropped_events += 1
            return False
        self._inbox.append(event)
        return True

    @property
    def bank(self) -> Records:
        """The voices' records, VOICE [S]: for the thread that advances."""
        return self._bank

    @property
    def due(self) -> Int64Array:
        """Slots of the rows that are at the decoder, int64 [S]: those of its run's n rows come first."""
        return np.asarray(self._work["due"])

    @property
    def n_sounding(self) -> int:
        """Voices held or released."""
        return self.notes.n_sounding

    def sounding(self) -> list[dict[str, Any]]:
        """Sounding notes as the status tells them, loudest first, one entry for a note's unison voices."""
        # A copy: the conductor's thread goes on writing. What it writes meanwhile can only tear a level or two, once.
        bank = self._bank[self._bank["state"] != FREE]
        bank = bank[np.argsort(-bank["audible"])]
        notes: dict[int, dict[str, Any]] = {}
        x, y = self.place()
        for voice in bank:
            own_x, own_y = (self._own(voice, dimension) for dimension in (ev.Dimension.X, ev.Dimension.Y))
            notes.setdefault(
                int(voice["serial"]),
                {
                    "channel": int(voice["channel"]),
                    "key": int(voice["key"]),
                    "x": min(max(x + own_x, 0.0), 1.0),
                    "y": min(max(y + own_y, 0.0), 1.0),
                    "level_db": round(10.0 * math.log10(max(float(voice["audible"]), 1e-12)), 1),
                },
            )
        for serial, levels in self._spectra(bank).items():
            notes[serial]["spectrum_db"] = levels
        return list(notes.values())

    def _spectra(self, voices: Records) -> dict[int, list[float]]:
        """Levels in dB of the octaves of each note, by its number."""
        if voices.shape[0] == 0:
            return {}
        powers = octave_powers(voices, self.clock_samples, self._sample_rate_hz)
        serials = voices["serial"]
        if len(set(serials.tolist())) == len(serials):  # no unison
            return dict(zip(serials.tolist(), decibels(powers), strict=True))
        numbers, places = np.unique(serials, return_inverse=True)
        of_notes = np.zeros((len(numbers), N_OCTAVES))
        np.add.at(of_notes, places, powers)
        return dict(zip(numbers.tolist(), decibels(of_notes), strict=True))

    def place(self) -> tuple[float, float]:
        """Where the sound is on the surface now, smoothed: x, y."""
        smoothing = SMOOTHING_S * self._sample_rate_hz
        x, y = (float(parameter_at(self.controls.curves, INDEX[axis], self.clock_samples, smoothing)) for axis in "xy")
        return x, y

    def _own(self, voice: Any, dimension: ev.Dimension) -> float:
        row = list(ev.Dimension).index(dimension)
        channel = self.controls.expressions[int(voice["channel"]), row, TARGET]
        return float(voice["expression"][row, TARGET] + voice["follows"] * channel)

    @property
    def lost_segments(self) -> int:
        """Segments that found their ring full."""
        return self._lost_segments + self.notes.lost_segments

    def advance(self, horizon: int) -> None:
        """Carries out everything before absolute sample `horizon`."""
        self.most_waiting_events = max(self.most_waiting_events, len(self._inbox))
        self._rings.look()
        while self._inbox:
            self._schedule.put(self._inbox.popleft())
        while (event := self._schedule.take(horizon)) is not None:
            time = max(event.time_samples, self.clock_samples)
            self._tick_until(time)
            self.clock_samples = time
            _HANDLERS[type(event)](self, event, time)
            if isinstance(event, _MOVING):
                begins = time - self._moved >= self._stillness
                self._moved = time
                if begins and nudge(self._bank, time):
                    self._schedule.tick(time)
        self._tick_until(horizon)
        self.clock_samples = max(horizon, self.clock_samples)
        self._rings.publish(self._sent)

    def _tick_until(self, limit: int) -> None:
        bank, work, inputs, controls = self._bank, self._work, self._inputs, self.controls
        schedule = self._schedule
        z, pitch, velocity = inputs
        rate, hop, rings, sources = self._sample_rate_hz, self._hop, self._rings, self._sources
        curves = controls.curves, controls.channels, controls.expressions, controls.lfo
        while schedule.earliest_tick < limit:
            n, schedule.earliest_tick = collect_due(bank, work, z, limit)
            if n == 0:
                break
            plan(bank, work, pitch, velocity, n, *curves, rate, hop)
            for corner, number in sources.in_use:
                table = sources.instruments[number].table
                gather(table.notes, table.frames, table.z, number, corner, bank, work, z, rings.phase, n)
            for edge, number in sources.edges.with_bends:
                add_bends(sources.edges.bends(number), number, edge, bank, work, z, n)
            if sources.any_unpitched:
                pitch[:n] += work["key_shift"][:n]
            rows = self._decoder.run(z[:n], pitch[:n], velocity[:n])
            lost, earliest = finish(rows, bank, work, n, rings.segments, rings.read, self._sent, rate, hop)
            for corner, number in sources.with_residual:
                table = sources.instruments[number].table
                fill_residuals(table.notes, table.residual, number, corner, bank, work, n, rings.residual)
            self._lost_segments += lost
            schedule.tick(earliest)

    def _expression(self, event: ev.NoteExpression, time: int) -> None:
        if event.key is None:
            self.controls.set_expression(event.channel, event.dimension, event.value, time)
        else:
            self.notes.express(event.channel, event.key, event.dimension, event.value, time)

    def _reset(self, event: ev.ResetControllers, time: int) -> None:
        self.controls.reset(event.channel, time)
        self.notes.forget_expression(event.channel, time)
        self.notes.pedal(event.channel, False, time)
        self.notes.sostenuto(event.channel, False, time)

    def _set_parameter(self, event: ev.SetParameter, time: int) -> None:
        self.controls.set_parameter(event.name, event.value, time, at_once=self.n_sounding == 0)
        if event.name in MIX_PARAMETERS:
            self._rings.mix.push(time, INDEX[event.name], event.value)

    def _all_sound_off(self, event: ev.AllSoundOff, time: int) -> None:
        self.notes.cut_channel(event.channel, time)
        if self.n_sounding == 0:  # what rings on in the effects belongs to all channels
            self._rings.mix.silence(time)

    def _set_tuning(self, event: ev.SetTuning, time: int) -> None:
        self.controls.tuning[:] = event.pitches
        if event.moves_sounding:
            self.notes.retune(time)
            self._schedule.refresh(time)

    def _set_corner(self, event: ev.SetCorner, time: int) -> None:
        """Notes that begin from now on have the new instrument; those that sound go over to it."""
        self._sources.put(event.corner, event.instrument)
        # After the other corners that change at this sample: what the four have together is measured once.
        self._schedule.refresh(time)

    def _set_path(self, event: ev.SetPath, time: int) -> None:
        self._sources.edges.put(event.first, event.second, event.path)
        self._schedule.refresh(time)

    def _refresh(self, time: int) -> None:
        controls = self.controls
        following = self._sources.refresh(time, controls.value("velocity_depth"), controls.value("evenness"))
        if following is not None:
            self._schedule.refresh(following)


# A table of the class, not of each conductor: methods in an attribute of their object would hold it (`Schedule`).
_HANDLERS: dict[type[ev.Event], Callable[[Conductor, Any, int], None]] = {
    ev.NoteOn: lambda c, e, time: c.notes.press(Key(e.channel, e.key), e.velocity, time),
    ev.NoteOff: lambda c, e, time: c.notes.lift(Key(e.channel, e.key), time),
    ev.SustainPedal: lambda c, e, time: c.notes.pedal(e.channel, e.down, time),
    ev.SostenutoPedal: lambda c, e, time: c.notes.sostenuto(e.channel, e.down, time),
    ev.PitchBend: lambda c, e, _: c.controls.set_bend(e.channel, e.semitones),
    ev.ModWheel: lambda c, e, _: c.controls.set_wheel(e.channel, e.amount),
    ev.ChannelLevel: lambda c, e, _: c.controls.set_level(e.channel, e.volume_db, e.expression_db),
    ev.Pan: lambda c, e, _: c.controls.set_pan(e.channel, e.place),
    ev.NoteExpression: Conductor._expression,
    ev.AllNotesOff: lambda c, e, time: c.notes.lift_all(e.channel, time),
    ev.AllSoundOff: Conductor._all_sound_off,
    ev.ResetControllers: Conductor._reset,
    ev.SetParameter: Conductor._set_parameter,
    ev.SetTuning: Conductor._set_tuning,
    ev.SetCorner: Conductor._set_corner,
    ev.SetPath: Conductor._set_path,
    ev.VoiceLimit: lambda c, e, time: c.notes.set_limit(e.voices, time),
    LateRelease: lambda c, e, time: c.notes.release_later(e.slot, e.serial, time),
    Refresh: lambda c, _, time: c._refresh(time),
}
