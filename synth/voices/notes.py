"""The notes of the conductor: how they begin, change their key, are let go, and make room for others.

A note has one voice, or several in unison (up to 8), which count one by one against the limit of voices. In play_mode
`poly` every key has its own note. In `mono` and `legato` there is one note, whatever the channel: a new key ends it
and begins another (mono), or moves it (legato), and lifting the key that sounds goes back to the one that was pressed
last of those still down. A pedal holds what sounds instead.
"""

import math

import numpy as np
import numpy.typing as npt

from synth.control.events import Dimension
from synth.control.parameters import parameter_named
from synth.frames import FRAME_RATE_HZ, Float64Array
from synth.voices.allocator import count_sounding, free_slots, group_to_join, note_to_steal
from synth.voices.controls import DIMENSIONS, Controls, glide_curve
from synth.voices.keys import Key, KeyStack
from synth.voices.oscillators import initial_phases
from synth.voices.plan import SMOOTHING_S, TARGET, glide_at, parameter_at
from synth.voices.schedule import Schedule
from synth.voices.segments import CUT_S, Int64Array, Records, Rings
from synth.voices.sources import Sources
from synth.voices.tick import send_silence
from synth.voices.voice import FREE, HELD, RELEASED

Booleans = npt.NDArray[np.bool_]
POLY, MONO, LEGATO = range(3)
"""Values of the parameter play_mode."""
ONSET_RAMP_S = 32 / 48_000
"""A note's first frame is reached in 0.7 ms: short enough for a hammer, long enough not to click."""
_MOST_UNISON = int(parameter_named("unison").maximum)
_CURVE_BASE = 3.0


def curved_velocity(velocity: int, curve: float) -> int:
    """Velocity 1..127 after the parameter velocity_curve, -1..1: a power of it, 3 at -1, 1/3 at 1; both ends stay."""
    return max(round(127.0 * (velocity / 127.0) ** (_CURVE_BASE**-curve)), 1)


def unison_places(n: int) -> tuple[Float64Array, Float64Array]:
    """Places of n voices in pitch and in the room, each float64 [n], -1..1 (0 for one voice).

    From the outermost pair inwards, the higher voice is in turn on the right and on the left, so that both ears hear
    about the same pitch.
    """
    if n == 1:
        return np.zeros(1), np.zeros(1)
    pitch = np.linspace(-1.0, 1.0, n)
    pair = np.minimum(np.arange(n), np.arange(n)[::-1])
    return pitch, np.where(pair % 2 == 0, pitch, -pitch)


class Notes:
    """All notes of `bank` (VOICE [S]), at most `n_voices` voices at a time. Times are absolute samples."""

    def __init__(
        self,
        bank: Records,
        rings: Rings,
        sent: Int64Array,
        sources: Sources,
        controls: Controls,
        schedule: Schedule,
        sample_rate_hz: int,
        n_voices: int,
        seed: int,
    ) -> None:
        self._bank = bank
        self._rings = rings
        self._sent = sent
        self._sources = sources
        self._controls = controls
        self._schedule = schedule
        self._sample_rate_hz = sample_rate_hz
        self._hop = round(sample_rate_hz / FRAME_RATE_HZ)
        self._n_voices = n_voices
        self._phases = [initial_phases(seed + 7919 * i) for i in range(_MOST_UNISON)]
        self._serial = 0
        self._last_pitch: float | None = None
        self.keys = KeyStack()
        self.limit = n_voices
        self.stolen = 0
        self.dropped = 0
        self.lost_segments = 0

    @property
    def n_sounding(self) -> int:
        """Voices held or released."""
        return int(count_sounding(self._bank))

    def press(self, key: Key, velocity: int, time: int) -> None:
        """A key goes down."""
        self.keys.press(key, velocity)
        if self._mode == POLY:
            same = self._held() & self._of(key)
            pedalled = bool(self._bank["sostenuto"][same].any())
            self._release_all(same, time)
            slots = self._begin(key, velocity, time, None)
            # The string's damper stays up: a key that the middle pedal holds is held again.
            self._bank["sostenuto"][slots] = pedalled
        else:
            self._play_alone(key, velocity, time)

    def lift(self, key: Key, time: int) -> None:
        """A key goes up."""
        self.keys.lift(key)
        self._keys_up(self._of(key), time)

    def lift_all(self, channel: int, time: int) -> None:
        """All keys of a channel go up."""
        self.keys.lift_all(channel)
        self._keys_up(self._bank["channel"] == channel, time)

    def pedal(self, channel: int, down: bool, time: int) -> None:
        """The damper pedal moves."""
        self._controls.pedal[channel] = down
        if not down:
            self._let_go_unheld(channel, time)

    def sostenuto(self, channel: int, down: bool, time: int) -> None:
        """The middle pedal moves: going down, it takes the notes whose keys are down."""
        bank = self._bank
        if down and not self._controls.sostenuto[channel]:
            bank["sostenuto"][self._held() & (bank["key_down"] == 1) & (bank["channel"] == channel)] = 1
        self._controls.sostenuto[channel] = down
        if not down:
            bank["sostenuto"][bank["channel"] == channel] = 0
            self._let_go_unheld(channel, time)

    def express(self, channel: int, key: int, dimension: Dimension, value: float, time: int) -> None:
        """A dimension of one key's notes, those that were let go excepted."""
        row = DIMENSIONS.index(dimension)
        for slot in np.flatnonzero(self._held() & self._of(Key(channel, key))):
            glide_curve(self._bank["expression"][slot], row, value, time, self._sample_rate_hz)

    def forget_expression(self, channel: int, time: int) -> None:
        """The own dimensions of a channel's notes go back to 0."""
        for slot in np.flatnonzero(self._held() & (self._bank["channel"] == channel)):
            self._expression_to_rest(int(slot), time)

    def retune(self, time: int) -> None:
        """Sounding notes glide to the controls' tuning."""
        bank = self._bank
        for slot in np.flatnonzero(bank["state"] != FREE):
            pitch = float(self._controls.tuning[int(bank["key"][slot])])
            glide_curve(bank["pitch"][slot], 0, pitch, time, self._sample_rate_hz)

    def set_limit(self, voices: int, time: int) -> None:
        """At most `voices` from now on; those that are too many fade out."""
        self.limit = min(voices, self._n_voices)
        self._make_room(0, time)
        bank = self._bank
        while self.n_sounding > self.limit:  # the newest note alone is too many
            self._cut(int(np.flatnonzero(bank["state"] != FREE)[-1]), time)
            self.stolen += 1

    def cut_channel(self, channel: int, time: int) -> None:
        """Every note of a channel ends now, in CUT_S."""
        self.keys.lift_all(channel)
        self._cut_all((self._bank["state"] != FREE) & (self._bank["channel"] == channel), time)

    def release_later(self, v: int, serial: int, time: int) -> None:
        """The release that `Schedule.release` was asked for."""
        if self._bank["serial"][v] == serial and self._bank["state"][v] == HELD:
            self._release(v, time)

    @property
    def _mode(self) -> int:
        return int(self._controls.value("play_mode"))

    def _held(self) -> Booleans:
        return np.asarray(self._bank["state"] == HELD)

    def _of(self, key: Key) -> Booleans:
        return np.asarray((self._bank["key"] == key.key) & (self._bank["channel"] == key.channel))

    def _keys_up(self, which: Booleans, time: int) -> None:
        bank = self._bank
        which = which & self._held() & (bank["key_down"] == 1)
        bank["key_down"][which] = 0
        self._let_go(which & ~self._pedalled(), time)

    def _pedalled(self) -> Booleans:
        return np.asarray(self._controls.pedal[self._bank["channel"]] | (self._bank["sostenuto"] == 1))

    def _let_go_unheld(self, channel: int, time: int) -> None:
        bank = self._bank
        up = self._held() & (bank["key_down"] == 0) & (bank["channel"] == channel)
        self._let_go(up & ~self._pedalled(), time)

    def _let_go(self, which: Booleans, time: int) -> None:
        """Nothing holds these voices any more: they end, or alone, go back to a key that is still down."""
        if not which.any():
            return
        last = self.keys.last()
        if self._mode != POLY and last and not (self._held() & self._of(last[0])).any():
            self._play_alone(*last, time)
        else:
            self._release_all(which, time)

    def _play_alone(self, key: Key, velocity: int, time: int) -> None:
        bank = self._bank
        sounding = bank["state"] != FREE
        held = self._held()
        from_pitch = None
        if held.any():
            newest = held & (bank["serial"] == bank["serial"][held].max())
            from_pitch = self._pitch_now(int(np.flatnonzero(newest)[0]), time)
            if self._mode == LEGATO:
                self._cut_all(sounding & ~newest, time)
                self._move(np.flatnonzero(newest), key, from_pitch, time)
                return
        self._cut_all(sounding, time)
        self._begin(key, velocity, time, from_pitch)

    def _move(self, slots: Int64Array, key: Key, from_pitch: float, time: int) -> None:
        """A note that is held goes on with another key: no new attack, and the velocity it began with."""
        bank, hop = self._bank, self._hop
        pitch = float(self._controls.tuning[key.key])
        self._serial += 1  # what was to happen to the note under its old key is no more
        for slot in slots:
            v = int(slot)
            bank["serial"][v] = self._serial
            bank["key"][v], bank["channel"][v], bank["key_down"][v] = key.key, key.channel, 1
            bank["sostenuto"][v] = 0
            bank["pitch"][v, 0] = pitch, pitch, time
            self._expression_to_rest(v, time)
            if bank["frame"][v] > 0:
                # A new grid of ticks from here on, so that the change is exact to the sample.
                bank["held_base"][v] += (time - bank["base"][v]) / hop
                bank["base"][v] = bank["next_tick"][v] = time
                bank["frame"][v] = 1
            self._glide(v, from_pitch - pitch, time)
        self._last_pitch = pitch
        self._schedule.tick(time)
        self._schedule.refresh(time)

    def _pitch_now(self, v: int, time: int) -> float:
        bank = self._bank
        pitch = parameter_at(bank["pitch"][v], 0, time, SMOOTHING_S * self._sample_rate_hz)
        return float(pitch + glide_at(bank, v, time, self._sample_rate_hz))

    def _glide(self, v: int, semitones: float, time: int) -> None:
        bank = self._bank
        bank["glide_from"][v], bank["glide_start"][v] = semitones, time
        bank["glide_s"][v] = self._controls.value("glide")

    def _expression_to_rest(self, v: int, time: int) -> None:
        for row in range(len(DIMENSIONS)):
            glide_curve(self._bank["expression"][v], row, 0.0, time, self._sample_rate_hz)

    def _begin(self, key: Key, velocity: int, time: int, from_pitch: float | None) -> Int64Array:
        """Starts the voices of a note, stealing others where they are needed, and returns their slots."""
        n = min(int(self._controls.value("unison")), self.limit)
        self._make_room(n, time)
        slots = free_slots(self._bank, n)
        if slots.size == 0:
            # More steals within 3 ms than there are spare slots.
            self.dropped += 1
            return slots
        time = max(time, int(self._bank["free_from"][slots].max()))  # after the last fade
        self._serial += 1
        velocity = curved_velocity(velocity, self._controls.value("velocity_curve"))
        before = self._last_pitch if from_pitch is None else from_pitch
        pitch_places, room_places = unison_places(slots.size)
        for i, slot in enumerate(slots):
            v = int(slot)
            self._bank["pitch_place"][v], self._bank["room_place"][v] = pitch_places[i], room_places[i]
            self._bank["share"][v] = 1.0 / math.sqrt(slots.size)
            self._start(v, key, velocity, before, time)
            self._rings.phase[v] = self._phases[i]  # unless its first tick finds recorded ones
        self._last_pitch = float(self._controls.tuning[key.key])
        return slots

    def _start(self, v: int, key: Key, velocity: int, from_pitch: float | None, time: int) -> None:
        bank, controls = self._bank, self._controls
        bank["group"][v] = group_to_join(bank)
        bank["state"][v] = HELD
        bank["key"][v], bank["velocity"][v], bank["channel"][v] = key.key, velocity, key.channel
        bank["key_down"][v], bank["sostenuto"][v] = 1, 0
        bank["serial"][v] = self._serial
        bank["onset"][v] = bank["base"][v] = bank["next_tick"][v] = time
        self._schedule.tick(time)
        bank["frame"][v] = 0
        bank["held_base"][v] = bank["held_frames"][v] = bank["release_frames"][v] = 0.0
        bank["probing"][v] = 0
        bank["power"][v] = bank["audible"][v] = 0.0
        bank["start_fraction"][v] = controls.value("position")
        ramp_s = CUT_S if bank["start_fraction"][v] > 0.0 else ONSET_RAMP_S
        bank["onset_ramp"][v] = max(round(ramp_s * self._sample_rate_hz), 1)
        bank["attack_s"][v], bank["decay_s"][v] = controls.value("attack"), controls.value("decay")
        pitch = float(controls.tuning[key.key])
        bank["pitch"][v, 0] = pitch, pitch, time
        self._glide(v, 0.0 if from_pitch is None else from_pitch - pitch, time)
        bank["expression"][v] = 0.0
        bank["follows"][v] = 1.0
        self._sources.begin(v, controls.value("velocity_depth"), controls.value("evenness"))

    def _release_all(self, which: Booleans, time: int) -> None:
        for slot in np.flatnonzero(which):
            self._release(int(slot), time)

    def _release(self, v: int, time: int) -> None:
        bank = self._bank
        first_frame_end = int(bank["onset"][v]) + self._hop
        if time < first_frame_end:
            # Scores have notes of no length; they get one frame rather than silence.
            self._schedule.release(first_frame_end, v, int(bank["serial"][v]))
            return
        bank["held_frames"][v] = bank["held_base"][v] + (time - bank["base"][v]) / self._hop
        self._sources.choose_release(v)
        bank["state"][v] = RELEASED
        bank["base"][v] = bank["next_tick"][v] = bank["reached"][v] = bank["released"][v] = time
        self._schedule.tick(time)
        bank["frame"][v] = 1
        bank["release_frames"][v] = 0.0
        bank["probing"][v] = 1
        self._keep_expression(v, time)

    def _keep_expression(self, v: int, time: int) -> None:
        """From its release on a note has what its channel had: the next note of an MPE channel leaves it alone."""
        own, shared = self._bank["expression"][v], self._controls.expressions[int(self._bank["channel"][v])]
        smoothing = SMOOTHING_S * self._sample_rate_hz
        for row in range(len(DIMENSIONS)):
            if shared[row, :2].any():
                start = sum(parameter_at(curves, row, time, smoothing) for curves in (own, shared))
                own[row] = own[row, TARGET] + shared[row, TARGET], start, time
        self._bank["follows"][v] = 0.0

    def _make_room(self, n: int, time: int) -> None:
        """Fades out whole notes until `n` more voices fit, or nothing but the newest note is left (when n is 0)."""
        newest = self._serial if n == 0 else -1
        while self.n_sounding + n > self.limit:
            serial = note_to_steal(self._bank, time, self._sample_rate_hz, newest)
            if serial < 0:
                return
            self._cut_all((self._bank["state"] != FREE) & (self._bank["serial"] == serial), time)
            self.stolen += 1

    def _cut_all(self, which: Booleans, time: int) -> None:
        for slot in np.flatnonzero(which):
            self._cut(int(slot), time)

    def _cut(self, v: int, time: int) -> None:
        """Fades a voice out at once and frees its slot."""
        bank, rings = self._bank, self._rings
        length = max(round(CUT_S * self._sample_rate_hz), 1)
        if bank["frame"][v] == 0:  # nothing of it was sent yet
            bank["state"][v] = FREE
            bank["free_from"][v] = max(time, int(bank["onset"][v]))
        elif not send_silence(bank, rings.segments, rings.read, self._sent, v, time, length):
            self.lost_segments += 1
            bank["state"][v] = FREE
            bank["free_from"][v] = time + length
