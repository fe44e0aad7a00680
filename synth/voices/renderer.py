"""The audio half of the engine: segments in, samples out.

All of it is one C function, `Renderer.source`, which sound cards call without the interpreter (synth.native), and
`Renderer.render_into` from Python. Its contract: no allocation, no lock, no file, no log, no exception; everything it
writes it owns, but for the counters of what it has taken from the rings. Late segments are counted, never waited for:
a voice holds its last target until one comes.
"""

from typing import NamedTuple

import numpy as np

from synth.frames import N_BANDS, N_PARTIALS, Float32Array
from synth.jit import cfunc, njit
from synth.native import SOURCE, Int64Array, Layout, Player, Source, load_acquire, stereo_view, store_release
from synth.voices.effects import EFFECTS_LAYOUT, apply_effects, effects_rest, make_effects
from synth.voices.effects_limiter import OUTPUT, ride, set_up_output, write_out, write_silence
from synth.voices.noise import NOISE_CELL, add_noise, noise_loops
from synth.voices.oscillators import OSCILLATOR_CELL, add_partials
from synth.voices.segments import (
    FREE_AT_END,
    FREE_PARTIALS,
    MIX_CHANGE,
    N_LEVELS,
    NEW_VOICE,
    RING_PLACES,
    SEGMENT,
    Records,
    Rings,
)
from synth.voices.stretch import fill_law

MAX_BLOCK = 1024
MAX_ONSETS = 64
"""Onsets per kernel call whose noise begins at its sample; that of further ones begins within 64 samples."""
SHORTEST_RAMP = 32
"""Samples that a segment that came too late still gets: a step there would click."""
AUDIBLE_AMPLITUDE = np.float32(1e-5)  # -100 dBFS
_FREE, _BACK = 1, 2
_NOTHING = np.float32(1e-30)
"""A noise gain that no sample would show, left over from the rounding of a ramp to 0."""


SLOT = np.dtype(
    [
        ("active", np.int64),  # 0 or 1
        ("free_at_end", np.int64),  # 0 or 1
        ("read", np.int64),  # segments taken since the start
        ("n_partials", np.int64),  # number of the highest that is audible now or at the ramp's end
        # a ramp: base + slope * (n - ramp_start) for ramp_length samples, then target
        ("ramp_start", np.int64),
        ("ramp_length", np.int64),
        ("f0_base", np.float64),  # cycles per sample
        ("f0_target", np.float64),
        ("gain_base", np.float32, (2,)),
        ("gain_slope", np.float32, (2,)),
        ("gain_target", np.float32, (2,)),
        ("residual_base", np.float32),
        ("residual_slope", np.float32),
        ("residual_target", np.float32),
        ("residual_end", np.int64),  # sample up to which the residual's ring is filled
        ("base", np.float32, (N_LEVELS,)),  # 100 partial amplitudes, 64 band RMS, linear
        ("slope", np.float32, (N_LEVELS,)),
        ("target", np.float32, (N_LEVELS,)),
        ("inharmonicity", np.float64),
        ("stretch", np.float64, (N_PARTIALS,)),  # frequency of a partial over f0
        ("free", np.int64),  # FREE, or on the way BACK to the law: `stretch` is on a ramp from one to the other
        ("stretch_from", np.float64, (N_PARTIALS,)),
        ("stretch_to", np.float64, (N_PARTIALS,)),
        ("phase", np.uint32, (N_PARTIALS,)),  # 2^-32 turns
    ],
    align=True,
)
"""What the renderer keeps of a voice."""
NOISE = np.dtype(
    [
        ("gain", np.float32, (2, N_BANDS)),  # now
        ("slope", np.float32, (2, N_BANDS)),  # per sample
        ("power", np.float32, (2, N_BANDS)),  # the sum over voices aimed at for the end of the cell
    ]
)
SCRATCH = np.dtype(
    [
        ("mix", np.float32, (2, MAX_BLOCK)),
        ("voice", np.float32, (OSCILLATOR_CELL,)),
        ("amplitude", np.float32, (N_PARTIALS,)),
        ("increment", np.uint32, (N_PARTIALS,)),
        ("oscillator", np.float32, (4, N_PARTIALS)),
        ("cell_power", np.float32, (MAX_BLOCK // NOISE_CELL + 1, 2, N_BANDS)),
        ("onset_power", np.float32, (MAX_ONSETS, 2, N_BANDS)),
        ("onset_time", np.int64, (MAX_ONSETS,)),
    ],
    align=True,
)
"""Working space of the kernels."""


@njit()
def _turn_stretch(state, segments, v, place, new, free, fraction):  # type: ignore[no-untyped-def]
    """Begins slot `v`'s ramp of partial frequencies, from `fraction` of the one before, with a segment."""
    if new:
        state[v].free = 0
    if not free and (state[v].free == 0 or (state[v].free == _BACK and fraction >= 1.0)):
        state[v].free = 0
        if segments[v, place].inharmonicity != state[v].inharmonicity:
            state[v].inharmonicity = segments[v, place].inharmonicity
            fill_law(state[v].stretch, state[v].inharmonicity, N_PARTIALS)
        return
    begin, end, stretch = state[v].stretch_from, state[v].stretch_to, state[v].stretch
    for j in range(N_PARTIALS):
        begin[j] = begin[j] + (end[j] - begin[j]) * fraction if state[v].free else stretch[j]
    if free:
        goal = segments[v, place].stretch
        for j in range(N_PARTIALS):
            end[j] = goal[j]
            if new:
                begin[j] = end[j]
    else:
        fill_law(end, segments[v, place].inharmonicity, N_PARTIALS)
    state[v].free = _FREE if free else _BACK
    state[v].inharmonicity = -1.0  # `stretch` is not the law's any more


@njit()
def _turn_residual(state, segments, v, place, new, at, per_sample):  # type: ignore[no-untyped-def]
    """Begins slot `v`'s ramp of the residual's gain, from `at` samples into the one before, with a segment."""
    goal = np.float32(segments[v, place].residual_gain)
    value = state[v].residual_base + state[v].residual_slope * at
    if at >= state[v].ramp_length:
        value = state[v].residual_target
    if new:
        value = goal  # the samples are the recording's own, which begin as they should
    state[v].residual_base = value
    state[v].residual_target = goal
    state[v].residual_slope = (goal - value) * per_sample
    state[v].residual_end = segments[v, place].residual_end


@njit()
def _take_segment(state, segments, phases, late, v, now):  # type: ignore[no-untyped-def]
    """Makes slot `v` begin its next segment at `now`. Returns whether that is a new voice."""
    place = state[v].read % RING_PLACES
    state[v].read += 1
    flags = segments[v, place].flags
    start = segments[v, place].start
    length = max(segments[v, place].length, 1)
    if start < now:
        late[0] += 1
        length = max(start + length - now, SHORTEST_RAMP)
    new = (flags & NEW_VOICE) != 0
    fraction = min((now - state[v].ramp_start) / max(state[v].ramp_length, 1), 1.0)
    at = np.float32(min(now - state[v].ramp_start, state[v].ramp_length))
    done = now - state[v].ramp_start >= state[v].ramp_length
    if new:
        state[v].active = 1
        state[v].f0_base = segments[v, place].f0
        for j in range(N_PARTIALS):
            state[v].phase[j] = phases[v, j]
    else:
        state[v].f0_base += (state[v].f0_target - state[v].f0_base) * fraction
    state[v].f0_target = segments[v, place].f0
    base, slope, target, goal = state[v].base, state[v].slope, state[v].target, segments[v, place].level
    per_sample = np.float32(1.0) / np.float32(length)
    highest = 0
    for j in range(N_LEVELS):
        value = target[j] if done else base[j] + slope[j] * at
        if new:
            value = goal[j] / np.float32(length + 1)  # not 0: a note's first sample is the event's own
        base[j] = value
        target[j] = goal[j]
        slope[j] = (goal[j] - value) * per_sample
        if j < N_PARTIALS and (value > AUDIBLE_AMPLITUDE or goal[j] > AUDIBLE_AMPLITUDE):
            highest = j + 1
    for channel in range(2):
        value = state[v].gain_base[channel] + state[v].gain_slope[channel] * at
        if done:
            value = state[v].gain_target[channel]
        goal_gain = segments[v, place].gain[channel]
        if new:
            value = goal_gain
        state[v].gain_base[channel] = value
        state[v].gain_target[channel] = goal_gain
        state[v].gain_slope[channel] = (goal_gain - value) * per_sample
    _turn_residual(state, segments, v, place, new, at, per_sample)
    _turn_stretch(state, segments, v, place, new, (flags & FREE_PARTIALS) != 0, fraction)
    state[v].n_partials = highest
    state[v].ramp_start = now
    state[v].ramp_length = length
    state[v].free_at_end = (flags & FREE_AT_END) != 0
    return new


@njit()
def _hold(state, v):  # type: ignore[no-untyped-def]
    """Ends slot `v`'s ramp at its target, because the next segment is late."""
    state[v].f0_base = state[v].f0_target
    for j in range(N_LEVELS):
        state[v].base[j] = state[v].target[j]
        state[v].slope[j] = np.float32(0.0)
    for channel in range(2):
        state[v].gain_base[channel] = state[v].gain_target[channel]
        state[v].gain_slope[channel] = np.float32(0.0)
    state[v].residual_base = state[v].residual_target
    state[v].residual_slope = np.float32(0.0)


@njit(fastmath=True)
def _add_band_power(state, v, time, power):  # type: ignore[no-untyped-def]
    """Adds to power [2, 64] what slot `v` will have at sample `time` if nothing new comes."""
    since = np.float32(min(time - state[v].ramp_start, state[v].ramp_length))
    left = state[v].gain_base[0] + state[v].gain_slope[0] * since
    right = state[v].gain_base[1] + state[v].gain_slope[1] * since
    base, slope = state[v].base[N_PARTIALS:], state[v].slope[N_PARTIALS:]
    for b in range(N_BANDS):
        level = base[b] + slope[b] * since
        power[0, b] += (level * left) ** 2
        power[1, b] += (level * right) ** 2


@njit(fastmath=True)
def _add_residual(state, ring, voice, v, now, n):  # type: ignore[no-untyped-def]
    """Adds `n` samples of slot `v`'s residual, from sample `now`, as far as its ring is filled, to voice."""
    mask = ring.shape[0] - 1
    at = np.float32(now - state[v].ramp_start)
    base, slope = state[v].residual_base, state[v].residual_slope
    for i in range(min(n, state[v].residual_end - now)):
        voice[i] += ring[(now + i) & mask] * (base + slope * (at + np.float32(i)))


@njit(fastmath=True)
def _add_voice_run(state, residual, scratch, v, first, now, n):  # type: ignore[no-untyped-def]
    """Adds `n` samples of slot `v`'s partials and residual, from sample `now`, to the mix at `first`; all within one
    cell."""
    since = now - state[v].ramp_start
    length = state[v].ramp_length
    cell_middle = (since // OSCILLATOR_CELL) * OSCILLATOR_CELL + OSCILLATOR_CELL // 2
    fraction = min(cell_middle / length, 1.0)
    f0 = state[v].f0_base + (state[v].f0_target - state[v].f0_base) * fraction
    k_end = state[v].n_partials
    if state[v].free:
        begin, end, stretch = state[v].stretch_from, state[v].stretch_to, state[v].stretch
        for k in range(k_end):
            stretch[k] = begin[k] + (end[k] - begin[k]) * fraction
    base, slope = state[v].base, state[v].slope
    at = np.float32(since)
    for k in range(k_end):
        # A partial at or above the Nyquist frequency has amplitude 0, so what its increment wraps to does not matter.
        scratch.increment[k] = np.uint32(np.int64(f0 * state[v].stretch[k] * 4294967296.0))
        scratch.amplitude[k] = base[k] + slope[k] * at
    voice = scratch.voice
    for i in range(n):
        voice[i] = np.float32(0.0)
    add_partials(voice, n, state[v].phase, scratch.increment, scratch.amplitude, slope, k_end, scratch.oscillator)
    if state[v].residual_end > now:
        _add_residual(state, residual[v], voice, v, now, n)
    for channel in range(2):
        gain_slope = state[v].gain_slope[channel]
        gain = state[v].gain_base[channel] + gain_slope * at
        mix = scratch.mix[channel]
        for i in range(n):
            mix[first + i] += voice[i] * (gain + gain_slope * np.float32(i))


@njit()
def add_voice(state, segments, phases, residual, late, scratch, written, v, clock, n_samples, n_onsets):  # type: ignore[no-untyped-def]
    """Renders slot `v` over the block and notes its noise for `add_noise_block`. Returns the onsets so far."""
    end = clock + n_samples
    first_cell = (clock + NOISE_CELL - 1) // NOISE_CELL
    now = clock
    while now < end:
        while state[v].read < written[v] and segments[v, state[v].read % RING_PLACES].start <= now:
            new = _take_segment(state, segments, phases, late, v, now)
            if new and now % NOISE_CELL != 0 and n_onsets < MAX_ONSETS:
                scratch.onset_time[n_onsets] = now
                scratch.onset_power[n_onsets] = 0.0
                _add_band_power(state, v, (now // NOISE_CELL + 1) * NOISE_CELL, scratch.onset_power[n_onsets])
                n_onsets += 1
        stop = end
        if state[v].read < written[v]:
            stop = min(stop, segments[v, state[v].read % RING_PLACES].start)
        if not state[v].active:
            now = stop
            continue
        since = now - state[v].ramp_start
        if since >= state[v].ramp_length and state[v].free_at_end:
            state[v].active = 0
            continue
        stop = min(stop, now - since % OSCILLATOR_CELL + OSCILLATOR_CELL)
        if since >= state[v].ramp_length:
            _hold(state, v)
        else:
            stop = min(stop, state[v].ramp_start + state[v].ramp_length)
        cell = (now + NOISE_CELL - 1) // NOISE_CELL
        if cell * NOISE_CELL < stop:
            _add_band_power(state, v, (cell + 1) * NOISE_CELL, scratch.cell_power[cell - first_cell])
        if state[v].n_partials > 0 or state[v].residual_end > now:
            _add_voice_run(state, residual, scratch, v, now - clock, now, stop - now)
        now = stop
    return n_onsets


@njit(fastmath=True)
def _aim_noise(noise, n_samples):  # type: ignore[no-untyped-def]
    """Sets the noise's slopes so that it reaches the root of `noise_power` in `n_samples`."""
    per_sample = np.float32(1.0) / np.float32(n_samples)
    for channel in range(2):
        for b in range(N_BANDS):
            goal = np.sqrt(max(noise.power[channel, b], np.float32(0.0)))
            noise.slope[channel, b] = (goal - noise.gain[channel, b]) * per_sample


@njit(fastmath=True)
def _add_powers(powers, keep, total):  # type: ignore[no-untyped-def]
    """total = keep * total + powers, all float32 [2, 64]."""
    for channel in range(2):
        for b in range(N_BANDS):
            total[channel, b] = keep * total[channel, b] + powers[channel, b]


@njit()
def add_noise_block(noise, scratch, clock, n_samples, n_onsets, loops, starts, lengths):  # type: ignore[no-untyped-def]
    """Adds the block's noise. Gains aim at the end of a cell of the clock's grid; an onset inside a cell aims anew."""
    end = clock + n_samples
    first_cell = (clock + NOISE_CELL - 1) // NOISE_CELL
    now = clock
    while now < end:
        cell_end = (now // NOISE_CELL + 1) * NOISE_CELL
        stop = min(end, cell_end)
        aim = now % NOISE_CELL == 0
        if aim:
            _add_powers(scratch.cell_power[now // NOISE_CELL - first_cell], np.float32(0.0), noise.power)
        for onset in range(n_onsets):
            if scratch.onset_time[onset] == now:
                _add_powers(scratch.onset_power[onset], np.float32(1.0), noise.power)
                aim = True
            elif scratch.onset_time[onset] > now:
                stop = min(stop, scratch.onset_time[onset])
        if aim:
            _aim_noise(noise, cell_end - now)
        add_noise(scratch.mix, now - clock, stop - now, now, noise.gain, noise.slope, loops, starts, lengths)
        now = stop


@njit()
def _silent(state, noise, written):  # type: ignore[no-untyped-def]
    """Whether no voice sounds or is about to, and the noise has ended."""
    for v in range(written.shape[0]):
        if state[v].active or state[v].read < written[v]:
            return False
    for channel in range(2):
        for b in range(N_BANDS):
            if abs(noise.gain[channel, b]) > _NOTHING or noise.power[channel, b] > _NOTHING:
                return False
    return True


@njit()
def _render(out, clock, state, noises, scratches, segments, phases, residual, written, late, loops, starts, lengths):  # type: ignore[no-untyped-def]
    """The mix of all voices over one block, n = out's length at most MAX_BLOCK, into the scratch's mix.

    False, and no mix, when nothing sounds.
    """
    n_samples = out.shape[0]
    noise, scratch = noises[0], scratches[0]
    if _silent(state, noise, written):
        for channel in range(2):
            for b in range(N_BANDS):
                noise.gain[channel, b] = noise.slope[channel, b] = noise.power[channel, b] = np.float32(0.0)
        return False
    scratch.mix[:, :n_samples] = 0.0
    scratch.cell_power[:] = 0.0
    n_onsets = 0
    for v in range(written.shape[0]):
        if state[v].active or state[v].read < written[v]:
            n_onsets = add_voice(
                state, segments, phases, residual, late, scratch, written, v, clock, n_samples, n_onsets
            )
    add_noise_block(noise, scratch, clock, n_samples, n_onsets, loops, starts, lengths)
    return True


@njit()
def _render_block(out, clock, voices, effects, changes, mix_written, output, always_ride):  # type: ignore[no-untyped-def]
    """One block: out float32 [n, 2] from absolute sample `clock`; n at most MAX_BLOCK. The rest is the renderer's."""
    n_samples = out.shape[0]
    mix = voices[2][0].mix
    if not _render(out, clock, *voices):
        if effects_rest(effects[0], effects[1], mix_written, n_samples):
            write_silence(out, n_samples, output[0])
            return
        mix[:, :n_samples] = 0.0
    riding = apply_effects(*effects, changes, mix_written, mix, clock, n_samples)
    if riding or always_ride or output[0].riding:
        ride(output[0], mix, n_samples)
    write_out(out, mix, n_samples, output[0])


# What the C function works on: the arguments of `_render` after the clock, those of `apply_effects`, and the rest.
_VOICES = Layout(
    state=SLOT,
    noise=NOISE,
    scratch=SCRATCH,
    segments=(SEGMENT, 2),
    phase=(np.uint32, 2),
    residual=(np.float32, 2),
    written=np.int64,
    late=np.int64,
    loops=np.float32,
    starts=np.int64,
    lengths=np.int64,
)
_REST = Layout(
    clock=np.int64,  # the absolute sample that comes next
    always_ride=np.int64,  # 0 or 1
    output=OUTPUT,
    sent=np.int64,  # Rings.written
    taken=np.int64,  # Rings.taken
    changes=MIX_CHANGE,
    mix_counts=np.int64,
)
_STATE, _WRITTEN = _VOICES.places("state", "written")
(_MIX_STATE,) = EFFECTS_LAYOUT.places("state")
_voices, _effects, _rest = _VOICES.unpack, EFFECTS_LAYOUT.unpack, _REST.unpack
_EFFECTS_AT = _VOICES.n_bytes
_REST_AT = _EFFECTS_AT + EFFECTS_LAYOUT.n_bytes


@cfunc(SOURCE)
def _render_source(data, out_at, n_samples, _time_ns, _frame):  # type: ignore[no-untyped-def]
    voices, effects = _voices(data), _effects(data + _EFFECTS_AT)
    clock, always_ride, output, sent, taken, changes, mix_counts = _rest(data + _REST_AT)
    state, written = voices[_STATE], voices[_WRITTEN]
    first = 0
    while first < n_samples:
        block = stereo_view(out_at + 8 * first, min(n_samples - first, MAX_BLOCK))
        for v in range(sent.shape[0]):
            written[v] = load_acquire(sent, v)
        mix_written = load_acquire(mix_counts, 0)
        _render_block(block, clock[0], voices, effects, changes, mix_written, output, always_ride[0] != 0)
        for v in range(sent.shape[0]):
            store_release(taken, v, state[v].read)
        store_release(mix_counts, 1, effects[_MIX_STATE][0].read)
        clock[0] += block.shape[0]
        first += block.shape[0]


class Levels(NamedTuple):
    """What leaves the renderer, linear 0..1, left and right."""

    peak: tuple[float, float]
    """Falls by 11.8 dB per second."""
    rms: tuple[float, float]
    """Over about 300 ms; a full-scale sine has 0.707."""


class Renderer:
    """Turns the segments of `rings` into stereo sound.

    sample_rate_hz and seed choose the noise loops. always_ride: the limiter's gain takes part even when all effects are
    off. `source` is for sound cards; `render_into` does the same from Python. One of them at a time.
    """

    def __init__(self, rings: Rings, sample_rate_hz: int, seed: int, *, always_ride: bool = False) -> None:
        n_slots = rings.written.shape[0]
        self._state: Records = np.zeros(n_slots, SLOT)
        self._state["inharmonicity"] = -1.0  # no stretch computed yet
        self._late = np.zeros(1, np.int64)
        self._effects = make_effects(sample_rate_hz)
        self._output: Records = np.zeros(1, OUTPUT)
        set_up_output(self._output[0], sample_rate_hz)
        self.clock: Int64Array = np.zeros(1, np.int64)
        """The absolute sample that comes next, for C functions before this one."""
        loops, starts, lengths = noise_loops(sample_rate_hz, seed)
        voices = {
            "state": self._state,
            "noise": np.zeros(1, NOISE),
            "scratch": np.zeros(1, SCRATCH),
            "segments": rings.segments,
            "phase": rings.phase,
            "residual": rings.residual,
            "written": np.zeros(n_slots, np.int64),
            "late": self._late,
            "loops": loops,
            "starts": starts,
            "lengths": lengths,
        }
        rest = {
            "clock": self.clock,
            "always_ride": np.full(1, always_ride, np.int64),
            "output": self._output,
            "sent": rings.written,
            "taken": rings.taken,
            "changes": rings.mix.changes,
            "mix_counts": rings.mix.counts,
        }
        memory = _VOICES.pack(**voices) + EFFECTS_LAYOUT.pack(**self._effects._asdict()) + _REST.pack(**rest)
        self.source = Source(_render_source.address, memory.address, (memory, _render_source))
        self._play = Player(self.source)

    def render_into(self, out: Float32Array) -> None:
        """Fills out, float32 [n, 2], -1..1, with the next n samples."""
        self._play(out)

    @property
    def clock_samples(self) -> int:
        """The absolute sample that comes next."""
        return int(self.clock[0])

    @clock_samples.setter
    def clock_samples(self, sample: int) -> None:
        self.clock[0] = sample

    @property
    def late_segments(self) -> int:
        """Segments that came after their time."""
        return int(self._late[0])

    @property
    def peak(self) -> float:
        """Largest sample so far, linear 0..1, after the limiter."""
        return float(self._output["highest"][0])

    @property
    def levels(self) -> Levels:
        """The meters; from any thread."""
        peak, power = self._output["peak"][0], self._output["power"][0]
        left, right = (float(np.sqrt(value)) for value in power)
        return Levels((float(peak[0]), float(peak[1])), (left, right))
