"""The audio half of a pad's notes: segments and rows in memory in, samples out.

The contract is that of `synth.voices.renderer`, whose place this takes: one C function without Python, no allocation,
lock, file, log or exception; late segments are counted, never waited for. The rows were read from disk before.

A voice has one place in time, in samples of the rows, for all rows it reads; each row finds its own place from it: in
its loop, or after the voice's release in its own release, which comes in over RELEASE_FADE_S. Places run at a constant
rate over cells of 64 samples from each segment's start, so that no sample depends on how time is cut into blocks.
"""

import numpy as np

from synth.frames import Float32Array
from synth.jit import cfunc, njit
from synth.native import SOURCE, Int64Array, Layout, Player, Source, load_acquire, stereo_view, store_release
from synth.pads.interpolation import FIRST_TAP, N_TAPS, fill_taps, tap_table
from synth.pads.loaded_pad import ROW, LoadedPad
from synth.pads.pad_file import FULL_SCALE
from synth.pads.pad_voices import HIGHEST_RATE, N_CELLS, PLACE
from synth.voices.effects import EFFECTS_LAYOUT, apply_effects, effects_rest, make_effects
from synth.voices.effects_limiter import OUTPUT, ride, set_up_output, write_out, write_silence
from synth.voices.renderer import MAX_BLOCK, SHORTEST_RAMP, Renderer
from synth.voices.segments import FREE_AT_END, MIX_CHANGE, NEW_VOICE, RING_PLACES, SEGMENT, Records, Rings

CELL = 64
"""Samples for which a rate is constant."""
MOST_READ = 16
"""Rows that a voice reads at once: four, and those that it is leaving while the finger moves on."""
RELEASE_FADE_S = 0.02
_WINDOW = int(CELL * HIGHEST_RATE) + N_TAPS + 2
_PER_FULL_SCALE = np.float32(1.0 / FULL_SCALE)

PAD_SLOT = np.dtype(
    [
        ("active", np.int64),  # 0 or 1
        ("free_at_end", np.int64),  # 0 or 1
        ("read", np.int64),  # segments taken since the start
        ("ramp_start", np.int64),
        ("ramp_length", np.int64),
        ("rate_base", np.float64),  # samples of the rows per sample
        ("rate_target", np.float64),
        ("position", np.float64),  # samples of the rows behind it at `cell_start`
        ("cell_start", np.int64),
        ("cell_rate", np.float64),
        ("released", np.int64),  # 0 or 1
        ("released_at", np.int64),  # position at its release, rounded down
        ("gain_base", np.float32, (2,)),
        ("gain_slope", np.float32, (2,)),
        ("gain_target", np.float32, (2,)),
        ("n_read", np.int64),
        ("row", np.int64, (MOST_READ,)),
        ("base", np.float32, (MOST_READ,)),
        ("slope", np.float32, (MOST_READ,)),
        ("target", np.float32, (MOST_READ,)),
    ],
    align=True,
)
PAD_SCRATCH = np.dtype(
    [
        ("mix", np.float32, (2, MAX_BLOCK)),
        ("voice", np.float32, (CELL,)),
        ("taps", np.float32, (N_TAPS,)),
        ("window", np.float32, (MOST_READ, _WINDOW)),
    ],
    align=True,
)


@njit()
def _aim(slot, row, target):  # type: ignore[no-untyped-def]
    """A voice goes to a gain for a row. Where it reads too many, the softest makes room."""
    softest = 0
    for i in range(slot.n_read):
        if slot.row[i] == row:
            slot.target[i] = target
            return
        if slot.base[i] < slot.base[softest]:
            softest = i
    place = slot.n_read
    if place == MOST_READ:
        place = softest
    else:
        slot.n_read += 1
    slot.row[place] = row
    slot.base[place] = np.float32(0.0)
    slot.target[place] = target


@njit()
def _stay(slot, now):  # type: ignore[no-untyped-def]
    """Makes a voice's ramps begin at `now`, where they are, and forgets rows that have faded out."""
    done = now - slot.ramp_start >= slot.ramp_length
    at = np.float32(min(now - slot.ramp_start, slot.ramp_length))
    kept = 0
    for i in range(slot.n_read):
        value = slot.target[i] if done else slot.base[i] + slot.slope[i] * at
        if value > np.float32(0.0) or slot.target[i] > np.float32(0.0):
            slot.row[kept] = slot.row[i]
            slot.base[kept] = value
            slot.target[kept] = slot.target[i]
            slot.slope[kept] = np.float32(0.0)
            kept += 1
    slot.n_read = kept
    for channel in range(2):
        value = slot.gain_base[channel] + slot.gain_slope[channel] * at
        slot.gain_base[channel] = slot.gain_target[channel] if done else value
        slot.gain_slope[channel] = np.float32(0.0)
    slot.rate_base += (slot.rate_target - slot.rate_base) * min((now - slot.ramp_start) / max(slot.ramp_length, 1), 1.0)
    slot.position += slot.cell_rate * (now - slot.cell_start)
    slot.cell_start = now
    slot.ramp_start = now


@njit()
def _take_segment(slot, segment, place, late, now):  # type: ignore[no-untyped-def]
    """Makes a voice begin its next segment at `now`."""
    slot.read += 1
    length = max(segment.length, 1)
    if segment.start < now:
        late[0] += 1
        length = max(segment.start + length - now, SHORTEST_RAMP)
    new = (segment.flags & NEW_VOICE) != 0
    _stay(slot, now)
    if new:
        slot.active = 1
        slot.released = 0
        slot.n_read = 0
        slot.position = place.position
        slot.rate_base = segment.f0
    slot.rate_target = segment.f0
    slot.free_at_end = (segment.flags & FREE_AT_END) != 0
    slot.ramp_length = length
    for i in range(slot.n_read):
        slot.target[i] = np.float32(0.0)
    if not slot.free_at_end:
        if place.released and not slot.released:
            slot.released = 1
            slot.released_at = int(np.floor(slot.position))
        for k in range(N_CELLS):
            if segment.level[k] > np.float32(0.0):
                _aim(slot, place.row[k], segment.level[k])
    per_sample = np.float32(1.0) / np.float32(length)
    for i in range(slot.n_read):
        if new and place.position == 0.0:
            slot.base[i] = slot.target[i]  # a row begins as it should by itself
        slot.slope[i] = (slot.target[i] - slot.base[i]) * per_sample
    for channel in range(2):
        goal = np.float32(segment.gain[channel])
        if new:
            slot.gain_base[channel] = goal
        slot.gain_target[channel] = goal
        slot.gain_slope[channel] = (goal - slot.gain_base[channel]) * per_sample


@njit()
def _fill_window(window, samples, row, slot, first, n, fade_samples):  # type: ignore[no-untyped-def]
    """Samples `first` to first + n of a voice's time, of one row, float32, full scale 1: held, released, or both."""
    start, end, loop_start, loop_end = row.release_start, row.n_samples, row.loop_start, row.loop_end
    has_release = slot.released and start < end
    until = loop_end if loop_end > loop_start else end
    if not has_release and first >= 0 and first + n <= until:  # most of a note's time
        for i in range(n):
            window[i] = samples[first + i] * _PER_FULL_SCALE
        return
    from_sample = slot.released_at
    for i in range(n):
        j = first + i
        value = np.float32(0.0)
        since = j - from_sample
        if not has_release or since < fade_samples:
            at = j
            if loop_end > loop_start and at >= loop_end:
                at = loop_start + (at - loop_start) % (loop_end - loop_start)
            if 0 <= at < end:
                value = samples[at] * _PER_FULL_SCALE
        if has_release and since > 0:
            at = start + since
            coming = samples[at] * _PER_FULL_SCALE if at < end else np.float32(0.0)
            if since < fade_samples:
                angle = 0.5 * np.pi * since / fade_samples
                value = np.float32(value * np.cos(angle) + coming * np.sin(angle))
            else:
                value = coming
        window[i] = value


@njit(fastmath=True)
def _add_run(slot, samples, rows, table, scratch, fade_samples, first, now, n):  # type: ignore[no-untyped-def]
    """Adds `n` samples of a voice, from sample `now`, to the mix at `first`; all within one cell."""
    rate = slot.cell_rate
    into = now - slot.cell_start
    begin = int(np.floor(slot.position + rate * into)) - FIRST_TAP
    last = int(np.floor(slot.position + rate * (into + n - 1))) - FIRST_TAP + N_TAPS
    for i in range(slot.n_read):
        row = slot.row[i]
        _fill_window(scratch.window[i], samples[row], rows[row], slot, begin, last - begin, fade_samples)
    taps, voice = scratch.taps, scratch.voice
    since = now - slot.ramp_start
    length = slot.ramp_length
    for k in range(n):
        position = slot.position + rate * (into + k)
        whole = np.floor(position)
        fill_taps(table, position - whole, taps)
        at = int(whole) - FIRST_TAP - begin
        moved = np.float32(min(since + k, length))
        total = np.float32(0.0)
        for i in range(slot.n_read):
            window = scratch.window[i]
            value = np.float32(0.0)
            for t in range(N_TAPS):
                value += taps[t] * window[at + t]
            total += value * (slot.base[i] + slot.slope[i] * moved)
        voice[k] = total
    for channel in range(2):
        gain, slope = slot.gain_base[channel], slot.gain_slope[channel]
        mix = scratch.mix[channel]
        for k in range(n):
            mix[first + k] += voice[k] * (gain + slope * np.float32(min(since + k, length)))


@njit()
def _add_voice(slot, segments, places, samples, rows, table, late, scratch, written, clock, n_samples, fade_samples):  # type: ignore[no-untyped-def]
    end = clock + n_samples
    now = clock
    while now < end:
        while slot.read < written and segments[slot.read % RING_PLACES].start <= now:
            place = slot.read % RING_PLACES
            _take_segment(slot, segments[place], places[place], late, now)
        stop = end
        if slot.read < written:
            stop = min(stop, segments[slot.read % RING_PLACES].start)
        if not slot.active:
            now = stop
            continue
        since = now - slot.ramp_start
        if since >= slot.ramp_length and slot.free_at_end:
            slot.active = 0
            continue
        if since % CELL == 0:
            slot.position += slot.cell_rate * (now - slot.cell_start)
            slot.cell_start = now
            fraction = min((since + CELL // 2) / slot.ramp_length, 1.0)
            slot.cell_rate = slot.rate_base + (slot.rate_target - slot.rate_base) * fraction
        stop = min(stop, now - since % CELL + CELL)
        if since < slot.ramp_length:
            stop = min(stop, slot.ramp_start + slot.ramp_length)
        _add_run(slot, samples, rows, table, scratch, fade_samples, now - clock, now, stop - now)
        now = stop


@njit()
def _render(clock, voices, n_samples):  # type: ignore[no-untyped-def]
    """Adds up the voices in the scratch's mix. False, and nothing done, when there is none."""
    slots, scratches, segments, places, samples, rows, table, written, late, fade = voices
    anything = False
    for v in range(slots.shape[0]):
        anything = anything or slots[v].active != 0 or slots[v].read < written[v]
    if not anything:
        return False
    scratch = scratches[0]
    scratch.mix[:, :n_samples] = 0.0
    for v in range(slots.shape[0]):
        if slots[v].active or slots[v].read < written[v]:
            _add_voice(
                slots[v],
                segments[v],
                places[v],
                samples,
                rows,
                table,
                late,
                scratch,
                written[v],
                clock,
                n_samples,
                fade[0],
            )
    return True


@njit()
def _render_block(out, clock, voices, effects, changes, mix_written, output):  # type: ignore[no-untyped-def]
    """One block: out float32 [n, 2] from absolute sample `clock`; n at most MAX_BLOCK."""
    n_samples = out.shape[0]
    mix = voices[1][0].mix
    if not _render(clock, voices, n_samples):
        if effects_rest(effects[0], effects[1], mix_written, n_samples):
            write_silence(out, n_samples, output[0])
            return
        mix[:, :n_samples] = 0.0
    apply_effects(*effects, changes, mix_written, mix, clock, n_samples)
    ride(output[0], mix, n_samples)
    write_out(out, mix, n_samples, output[0])


_VOICES = Layout(
    slots=PAD_SLOT,
    scratch=PAD_SCRATCH,
    segments=(SEGMENT, 2),
    places=(PLACE, 2),
    samples=(np.int16, 2),
    rows=ROW,
    table=(np.float32, 2),
    written=np.int64,
    late=np.int64,
    fade=np.int64,
)
_REST = Layout(
    clock=np.int64,
    output=OUTPUT,
    sent=np.int64,  # Rings.written
    taken=np.int64,  # Rings.taken
    changes=MIX_CHANGE,
    mix_counts=np.int64,
)
_SLOTS, _WRITTEN = _VOICES.places("slots", "written")
_voices, _effects, _rest = _VOICES.unpack, EFFECTS_LAYOUT.unpack, _REST.unpack
_EFFECTS_AT = _VOICES.n_bytes
_REST_AT = _EFFECTS_AT + EFFECTS_LAYOUT.n_bytes


@cfunc(SOURCE)
def _render_source(data, out_at, n_samples, _time_ns, _frame):  # type: ignore[no-untyped-def]
    voices, effects = _voices(data), _effects(data + _EFFECTS_AT)
    clock, output, sent, taken, changes, mix_counts = _rest(data + _REST_AT)
    slots, written = voices[_SLOTS], voices[_WRITTEN]
    first = 0
    while first < n_samples:
        block = stereo_view(out_at + 8 * first, min(n_samples - first, MAX_BLOCK))
        for v in range(sent.shape[0]):
            written[v] = load_acquire(sent, v)
        mix_written = load_acquire(mix_counts, 0)
        _render_block(block, clock[0], voices, effects, changes, mix_written, output)
        for v in range(sent.shape[0]):
            store_release(taken, v, slots[v].read)
        store_release(mix_counts, 1, effects[0][0].read)
        clock[0] += block.shape[0]
        first += block.shape[0]


class PadRenderer(Renderer):
    """Turns the segments of `rings`, and what is beside them in `places` (PLACE [S, 16]), into stereo sound."""

    def __init__(self, rings: Rings, places: Records, pad: LoadedPad, sample_rate_hz: int) -> None:
        n_slots = rings.written.shape[0]
        self._state = np.zeros(n_slots, PAD_SLOT)
        self._late = np.zeros(1, np.int64)
        self._effects = make_effects(sample_rate_hz)
        self._output = np.zeros(1, OUTPUT)
        set_up_output(self._output[0], sample_rate_hz)
        self.clock: Int64Array = np.zeros(1, np.int64)
        """The absolute sample that comes next, for C functions before this one."""
        table: Float32Array = tap_table()
        voices = {
            "slots": self._state,
            "scratch": np.zeros(1, PAD_SCRATCH),
            "segments": rings.segments,
            "places": places,
            "samples": pad.samples,
            "rows": pad.rows,
            "table": table,
            "written": np.zeros(n_slots, np.int64),
            "late": self._late,
            "fade": np.full(1, max(round(RELEASE_FADE_S * pad.spec.sample_rate_hz), 1), np.int64),
        }
        rest = {
            "clock": self.clock,
            "output": self._output,
            "sent": rings.written,
            "taken": rings.taken,
            "changes": rings.mix.changes,
            "mix_counts": rings.mix.counts,
        }
        memory = _VOICES.pack(**voices) + EFFECTS_LAYOUT.pack(**self._effects._asdict()) + _REST.pack(**rest)
        self.source = Source(_render_source.address, memory.address, (memory, _render_source))
        self._play = Player(self.source)
