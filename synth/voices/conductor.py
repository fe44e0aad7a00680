"""The control half of the engine: events in, segments out.

`advance(horizon)` carries out all events and all ticks before sample `horizon`, in the order of time. Every voice has
its own grid of ticks, one per control frame (8 ms), from its onset: frame i is reached exactly i frames after it. A
tick at the beginning of a frame aims at its end, so a control that moves is heard within two ticks.
"""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from synth.control import events as ev
from synth.control.corners import N_CORNERS
from synth.frames import FRAME_RATE_HZ, Float32Array
from synth.voices.allocator import free_slot, next_free_slot, voice_to_steal
from synth.voices.blend import NEVER, WORK, choose_release, collect_due, gather, make_inputs
from synth.voices.controls import Controls
from synth.voices.middle import LISTENED_FRAMES, corner_powers, measure_middles
from synth.voices.oscillators import initial_phases
from synth.voices.prepared import PreparedInstrument
from synth.voices.segments import Records, Rings
from synth.voices.tick import finish, plan, send_silence
from synth.voices.voice import FREE, HELD, RELEASED, VOICE

Booleans = npt.NDArray[np.bool_]
MAX_WAITING_EVENTS = 4096
ONSET_RAMP_S = 32 / 48_000
"""A note's first frame is reached in 0.7 ms: short enough for a hammer, long enough not to click."""
CUT_S = 0.003
"""A stolen or cut voice fades over this; a note that starts in the middle of its recording fades in over it."""


class FrameDecoder(Protocol):
    """What the conductor needs of synth.voices.decoder.Decoder."""

    model_id: str

    def run(self, z_window: Float32Array, pitch: Float32Array, velocity: Float32Array) -> Float32Array:
        """float32 [V, 80], [V], [V] -> float32 [V, 165]."""


@dataclass(frozen=True)
class _LateRelease(ev.Event):
    """The release of a note that was let go before its first frame was over."""

    slot: int = 0
    serial: int = 0


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
    ) -> None:
        n_slots = rings.written.shape[0]
        self._rings = rings
        self._decoder = decoder
        self._sample_rate_hz = sample_rate_hz
        self._n_voices = n_voices
        self._hop = round(sample_rate_hz / FRAME_RATE_HZ)
        self._phases = initial_phases(seed)
        self.controls = Controls(sample_rate_hz)
        self._bank: Records = np.zeros(n_slots, VOICE)
        self._work: Records = np.zeros(n_slots, WORK)
        self._inputs = make_inputs(n_slots)
        self._sent = np.zeros(n_slots, np.int64)
        self._corner_powers = np.zeros((N_CORNERS, LISTENED_FRAMES))
        self._instruments: dict[int, PreparedInstrument] = dict(enumerate(corners))
        self._in_corner = list(range(N_CORNERS))
        self._in_use = [(corner, corner) for corner in range(N_CORNERS)]  # (corner, number of the instrument)
        self._next_instrument = N_CORNERS
        self._inbox: deque[ev.Event] = deque()
        self._waiting: list[tuple[int, int, ev.Event]] = []
        self._n_events = 0
        self._serial = 0
        self._earliest_tick = NEVER
        self._last_key: int | None = None
        self.clock_samples = 0
        self.stolen = 0
        self.dropped_events = 0
        self.lost_segments = 0
        self.most_waiting_events = 0
        self._handlers: dict[type[ev.Event], Callable[..., None]] = {
            ev.NoteOn: self._note_on,
            ev.NoteOff: self._note_off,
            ev.SustainPedal: self._pedal,
            ev.PitchBend: lambda e, _: self.controls.set_bend(e.channel, e.semitones),
            ev.ModWheel: lambda e, _: self.controls.set_wheel(e.channel, e.amount),
            ev.ChannelLevel: lambda e, _: self.controls.set_level(e.channel, e.volume_db, e.expression_db),
            ev.Pan: lambda e, _: self.controls.set_pan(e.channel, e.place),
            ev.AllNotesOff: self._all_notes_off,
            ev.AllSoundOff: self._all_sound_off,
            ev.ResetControllers: self._reset,
            ev.SetParameter: self._set_parameter,
            ev.SetCorner: self._set_corner,
            _LateRelease: self._late_release,
        }

    def push(self, event: ev.Event) -> bool:
        """Queues an event. False, and counted, when MAX_WAITING_EVENTS wait already."""
        if len(self._inbox) >= MAX_WAITING_EVENTS:
            self.dropped_events += 1
            return False
        self._inbox.append(event)
        return True

    @property
    def n_sounding(self) -> int:
        """Voices held or released."""
        return int(np.count_nonzero(self._bank["state"] != FREE))

    def advance(self, horizon: int) -> None:
        """Carries out everything before absolute sample `horizon`."""
        self.most_waiting_events = max(self.most_waiting_events, len(self._inbox))
        while self._inbox:
            self._queue(self._inbox.popleft())
        while self._waiting and self._waiting[0][0] < horizon:
            time, _, event = heapq.heappop(self._waiting)
            time = max(time, self.clock_samples)
            self._tick_until(time)
            self.clock_samples = time
            self._handlers[type(event)](event, time)
        self._tick_until(horizon)
        self.clock_samples = max(horizon, self.clock_samples)
        self._rings.written[:] = self._sent

    def _queue(self, event: ev.Event) -> None:
        heapq.heappush(self._waiting, (event.time_samples, self._n_events, event))
        self._n_events += 1

    def _tick_until(self, limit: int) -> None:
        bank, work, inputs, controls = self._bank, self._work, self._inputs, self.controls
        z, pitch, velocity = inputs
        rate, hop = self._sample_rate_hz, self._hop
        while self._earliest_tick < limit:
            n, self._earliest_tick = collect_due(bank, work, z, limit)
            if n == 0:
                break
            plan(bank, work, pitch, velocity, n, controls.curves, controls.channels, controls.lfo, rate, hop)
            for corner, number in self._in_use:
                gather(*self._instruments[number].table, number, corner, bank, work, z, n)
            rows = self._decoder.run(z[:n], pitch[:n], velocity[:n])
            rings = self._rings
            self.lost_segments += finish(rows, bank, work, n, rings.segments, rings.read, self._sent, rate, hop)
            self._earliest_tick = min(self._earliest_tick, int(bank["next_tick"][work["due"][:n]].min()))

    def _note_on(self, event: ev.NoteOn, time: int) -> None:
        bank = self._bank
        same = (bank["state"] == HELD) & (bank["key"] == event.key) & (bank["channel"] == event.channel)
        for slot in np.flatnonzero(same):
            self._release(int(slot), time)
        if self.n_sounding >= self._n_voices:
            self._cut(voice_to_steal(bank, time, self._sample_rate_hz), time)
            self.stolen += 1
        v = free_slot(bank, time)
        if v is None:
            # More steals within 3 ms than there are spare slots: the note waits for the first fade to end.
            v = next_free_slot(bank)
            if v is None:
                self.dropped_events += 1
                return
            time = int(bank["free_from"][v])
        self._start(v, event, time)

    def _start(self, v: int, event: ev.NoteOn, time: int) -> None:
        bank, controls = self._bank, self.controls
        self._serial += 1
        bank["state"][v] = HELD
        bank["key"][v], bank["velocity"][v], bank["channel"][v] = event.key, event.velocity, event.channel
        bank["key_down"][v] = 1
        bank["serial"][v] = self._serial
        bank["onset"][v] = bank["base"][v] = bank["next_tick"][v] = time
        self._earliest_tick = min(self._earliest_tick, time)
        bank["frame"][v] = 0
        bank["held_frames"][v] = bank["release_frames"][v] = 0.0
        bank["probing"][v] = 0
        bank["power"][v] = 0.0
        bank["start_fraction"][v] = controls.value("position")
        ramp_s = CUT_S if bank["start_fraction"][v] > 0.0 else ONSET_RAMP_S
        bank["onset_ramp"][v] = max(round(ramp_s * self._sample_rate_hz), 1)
        bank["attack_s"][v], bank["decay_s"][v] = controls.value("attack"), controls.value("decay")
        bank["glide_s"][v] = controls.value("glide")
        bank["glide_from"][v] = 0.0 if self._last_key is None else self._last_key - event.key
        self._last_key = event.key
        depth = controls.value("velocity_depth")
        bank["weight"][v] = 0.0
        for corner in range(N_CORNERS):
            number = self._in_corner[corner]
            choice = self._instruments[number].choose(event.key, event.velocity)
            n = len(choice.notes)
            bank["instrument"][v, corner] = number
            bank["note"][v, corner, :n] = choice.notes
            bank["weight"][v, corner, :n] = choice.weights
            bank["velocity_db"][v, corner] = depth * choice.velocity_db
            table = self._instruments[number].table
            corner_powers(table.notes, table.frames, bank, v, corner, self._corner_powers[corner])
        measure_middles(self._corner_powers, bank, v)
        self._rings.phase[v] = self._phases

    def _keys_down(self, channel: int) -> Booleans:
        bank = self._bank
        return (bank["state"] == HELD) & (bank["key_down"] == 1) & (bank["channel"] == channel)

    def _note_off(self, event: ev.NoteOff, time: int) -> None:
        self._keys_up(self._keys_down(event.channel) & (self._bank["key"] == event.key), event.channel, time)

    def _all_notes_off(self, event: ev.AllNotesOff, time: int) -> None:
        self._keys_up(self._keys_down(event.channel), event.channel, time)

    def _keys_up(self, which: Booleans, channel: int, time: int) -> None:
        self._bank["key_down"][which] = 0
        if not self.controls.pedal[channel]:
            for slot in np.flatnonzero(which):
                self._release(int(slot), time)

    def _pedal(self, event: ev.SustainPedal, time: int) -> None:
        self.controls.pedal[event.channel] = event.down
        if not event.down:
            bank = self._bank
            held_by_it = (bank["state"] == HELD) & (bank["key_down"] == 0) & (bank["channel"] == event.channel)
            for slot in np.flatnonzero(held_by_it):
                self._release(int(slot), time)

    def _release(self, v: int, time: int) -> None:
        bank = self._bank
        first_frame_end = int(bank["onset"][v]) + self._hop
        if time < first_frame_end:
            # Scores have notes of no length; they get one frame rather than silence.
            self._queue(_LateRelease(first_frame_end, v, int(bank["serial"][v])))
            return
        bank["held_frames"][v] = (time - bank["onset"][v]) / self._hop
        for corner in range(N_CORNERS):
            instrument = self._instruments[int(bank["instrument"][v, corner])]
            choose_release(instrument.table.notes, instrument.table.frames, bank, v, corner, not instrument.sustains)
        bank["state"][v] = RELEASED
        bank["base"][v] = bank["next_tick"][v] = time
        self._earliest_tick = min(self._earliest_tick, time)
        bank["frame"][v] = 1
        bank["release_frames"][v] = 0.0
        bank["probing"][v] = 1

    def _late_release(self, event: _LateRelease, time: int) -> None:
        if self._bank["serial"][event.slot] == event.serial and self._bank["state"][event.slot] == HELD:
            self._release(event.slot, time)

    def _cut(self, v: int, time: int) -> None:
        """Fades a voice out at once and frees its slot."""
        length = max(round(CUT_S * self._sample_rate_hz), 1)
        if self._bank["frame"][v] == 0:  # nothing of it was sent yet
            self._bank["state"][v] = FREE
            self._bank["free_from"][v] = time
        elif not self._send_silence(v, time, length):
            self.lost_segments += 1
            self._bank["state"][v] = FREE
            self._bank["free_from"][v] = time + length

    def _send_silence(self, v: int, time: int, length: int) -> bool:
        rings = self._rings
        return bool(send_silence(self._bank, rings.segments, rings.read, self._sent, v, time, length))

    def _all_sound_off(self, event: ev.AllSoundOff, time: int) -> None:
        bank = self._bank
        for slot in np.flatnonzero((bank["state"] != FREE) & (bank["channel"] == event.channel)):
            self._cut(int(slot), time)

    def _reset(self, event: ev.ResetControllers, time: int) -> None:
        self.controls.reset(event.channel)
        self._pedal(ev.SustainPedal(time, event.channel, False), time)

    def _set_parameter(self, event: ev.SetParameter, time: int) -> None:
        self.controls.set_parameter(event.name, event.value, time, at_once=self.n_sounding == 0)

    def _set_corner(self, event: ev.SetCorner, time: int) -> None:
        """Notes that sound keep the instrument they began with; notes from now on have the new one."""
        del time
        self._instruments[self._next_instrument] = event.instrument
        self._in_corner[event.corner] = self._next_instrument
        self._next_instrument += 1
        sounding = self._bank["instrument"][self._bank["state"] != FREE]
        pairs = {*enumerate(self._in_corner), *((c, int(n)) for row in sounding for c, n in enumerate(row))}
        self._in_use = sorted(pairs)
        self._instruments = {number: self._instruments[number] for _, number in self._in_use}
