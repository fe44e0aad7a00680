"""The first half of a control tick: from the player's controls to what is asked of the network."""

import numpy as np

from synth.control.corners import N_CORNERS
from synth.control.events import Dimension
from synth.control.parameters import INDEX
from synth.frames import FRAME_RATE_HZ, HIGHEST_PARTIAL_HZ, N_PARTIALS
from synth.jit import njit
from synth.voices.align import align
from synth.voices.envelope import envelope_gain
from synth.voices.prepared import EXPECTED_FRAMES
from synth.voices.residual import choose_residual
from synth.voices.surface import place_on_surface
from synth.voices.voice import FREE, HELD, N_GROUPS, N_SOURCES

BEND, WHEEL, CHANNEL_DB, PAN = 0, 1, 2, 3
"""Columns of the channel table, float64 [16, 4]: semitones, cents of vibrato, dB, place -1..1."""
WHEEL_CENTS = 50.0
TARGET, START, SINCE = 0, 1, 2
"""Columns of the parameters' curves, float64 [parameters, 3]: last value set, value then, sample then."""
SMOOTHING_S = 0.010
STILLNESS_S = 0.1
"""Controls that move again after so long turn the ramps between two ticks; while they go on, ticks follow. A
turn of 64 voices costs as much as all their ticks in 8 ms, so it must not come with every block."""
_SHORTEST_TURN = 48
"""Samples; a tick that is nearer than that is waited for."""
_JOIN_FRAME = 8
"""64 ms after its onset, release or change of key a voice joins the grid of its group: its attack is over by then."""
FADE_S = 0.060
"""In which a corner's new instrument, or a legato note's new key, takes over from the old."""
TOP = 0.48
"""Of the sample rate: no partial is above it."""

_X, _Y = INDEX["x"], INDEX["y"]
_SUSTAIN, _RELEASE, _VOLUME = INDEX["sustain"], INDEX["release"], INDEX["volume"]
_VIBRATO_DEPTH, _TILT, _NOISE = INDEX["vibrato_depth"], INDEX["brightness"], INDEX["noise_level"]
_DETUNE, _TUNING, _LEVEL_NW = INDEX["detune"], INDEX["tuning_amount"], INDEX["level_nw"]
_MIDDLE_DETAIL, _EVENNESS, _KEY_SPREAD = INDEX["middle_detail"], INDEX["evenness"], INDEX["key_spread"]
_UNISON_DETUNE, _UNISON_WIDTH = INDEX["unison_detune"], INDEX["unison_width"]
_OWN_X, _OWN_Y, _OWN_BEND, _OWN_VIBRATO, _OWN_BRIGHTNESS, _OWN_LEVEL = (
    list(Dimension).index(dimension)
    for dimension in (
        Dimension.X,
        Dimension.Y,
        Dimension.BEND,
        Dimension.VIBRATO,
        Dimension.BRIGHTNESS,
        Dimension.LEVEL,
    )
)
_MIDDLE_KEY, _HALF_KEYBOARD = 64.5, 43.5
"""A piano's keys are 21 to 108: with all of key_spread its outermost are at the two ends."""
_TILT_LIMIT_DB = 12.0
_LAG_LIMIT_DB = 12.0
"""A corner that is silent for its first 1.5 s has no loudness to speak of."""
_DEVIATION_LIMIT_SEMITONES = 6.0
"""No recording's tuning and deviation together are further below its key: what partials it can have follows from it."""


@njit()
def curve_at(curves, place, time, smoothing):  # type: ignore[no-untyped-def]
    """Row `place` of curves, float64 [rows, 3], at sample `time`; `smoothing` is the time constant in samples."""
    target, start = curves[place, TARGET], curves[place, START]
    since = max(time - curves[place, SINCE], 0.0)
    # 40 time constants on nothing is left but denormals, at which processors are slow.
    if start == target or since > 40.0 * smoothing:
        return target
    return target + (start - target) * np.exp(-since / smoothing)


@njit("f8(f8[:, ::1], i8, i8, f8)")
def parameter_at(curves, place, time, smoothing):  # type: ignore[no-untyped-def]
    """`curve_at`, compiled before it is called, for the interpreter."""
    return curve_at(curves, place, time, smoothing)


@njit()
def expression_at(bank, v, expressions, dimension, time, smoothing):  # type: ignore[no-untyped-def]
    """A dimension of slot v at sample `time`: its own and its channel's, expressions float64 [16, 6, 3]."""
    own = curve_at(bank[v].expression, dimension, time, smoothing)
    return own + bank[v].follows * curve_at(expressions[bank[v].channel], dimension, time, smoothing)


@njit()
def glide_at(bank, v, time, sample_rate):  # type: ignore[no-untyped-def]
    """Semitones that slot v still is above its key at sample `time`."""
    since = (time - bank[v].glide_start) / sample_rate
    return bank[v].glide_from * (1.0 - since / bank[v].glide_s) if since < bank[v].glide_s else 0.0


@njit()
def nudge(bank, time):  # type: ignore[no-untyped-def]
    """Puts ramps that are under way back to `time`, so that the next tick turns them to where the controls now go.

    Their frames' places in time stay. Returns how many; first frames, which are onsets, are left alone.
    """
    n = 0
    for v in range(bank.shape[0]):
        if bank[v].state == FREE or bank[v].probing or bank[v].frame < 2 or bank[v].next_tick - time < _SHORTEST_TURN:
            continue
        bank[v].frame -= 1
        bank[v].next_tick = time
        n += 1
    return n


@njit()
def _join(bank, v, hop):  # type: ignore[no-untyped-def]
    """From _JOIN_FRAME on, makes slot v's frames end on the grid of its group, by one of 0.5 to 1.5 hops.

    Voices that tick together share a run of the network: 16 that began at odd times take a quarter less of a core.
    """
    if bank[v].frame != _JOIN_FRAME:
        return
    end = bank[v].base + hop * bank[v].frame
    shift = (hop * bank[v].group // N_GROUPS - end) % hop
    if end + shift - hop >= bank[v].next_tick + hop // 2:
        shift -= hop
    bank[v].base += shift
    bank[v].held_base += shift / hop


@njit()
def _come_in(bank, v, c, aim, fade_samples):  # type: ignore[no-untyped-def]
    """Share, 0..1, that corner c's new source has in slot v at sample `aim`; 1 when there is no old one."""
    if not bank[v].fading[c]:
        return 1.0
    return min(max((aim - bank[v].fade_start[c]) / fade_samples, 0.0), 1.0)


@njit()
def _bilinear(x, y, weight):  # type: ignore[no-untyped-def]
    """`synth.control.corners.weights` into the first four of an array."""
    weight[0] = (1.0 - x) * y
    weight[1] = x * y
    weight[2] = (1.0 - x) * (1.0 - y)
    weight[3] = x * (1.0 - y)


@njit()
def _plan_surface(bank, work, i, v, curves, expressions, time, smoothing, fade_samples, hop):  # type: ignore[no-untyped-def]
    """Weights of the sources, share of the detail, and what corners and velocity add in dB."""
    x = curve_at(curves, _X, time, smoothing) + expression_at(bank, v, expressions, _OWN_X, time, smoothing)
    y = curve_at(curves, _Y, time, smoothing) + expression_at(bank, v, expressions, _OWN_Y, time, smoothing)
    aim = bank[v].base + hop * bank[v].frame  # the sample at which this tick's frame is reached
    work[i].evenness = curve_at(curves, _EVENNESS, time, smoothing)
    x, y = min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)
    place_on_surface(bank, work[i], v, x, y, aim, fade_samples)
    weight, level_weight = work[i].weight, work[i].level_weight
    _bilinear(work[i].place[0], work[i].place[1], weight)
    _bilinear(x, y, level_weight)
    between = 2.0
    for c in range(N_CORNERS):
        between -= 2.0 * weight[c] ** 2
    work[i].between = min(between, 1.0)
    kept = curve_at(curves, _MIDDLE_DETAIL, time, smoothing)
    work[i].detail_gain = 1.0 - (1.0 - kept) * work[i].between ** 2
    moved = min(max((aim - bank[v].middle_start) / fade_samples, 0.0), 1.0)
    extra = lag_db = 0.0
    for c in range(N_CORNERS):
        velocity_db, before_db = bank[v].velocity_db[c], bank[v].velocity_db[N_CORNERS + c]
        share = _come_in(bank, v, c, aim, fade_samples)
        if share < 1.0:
            velocity_db = before_db + share * (velocity_db - before_db)
        extra += level_weight[c] * (velocity_db + curve_at(curves, _LEVEL_NW + c, time, smoothing))
        own_db, before_db = bank[v].middle_db[c, c], bank[v].middle_before_db[c, c]
        if moved < 1.0:
            own_db = before_db + moved * (own_db - before_db)
        lag_db += (level_weight[c] - weight[c]) * own_db
        for d in range(c + 1, N_CORNERS):
            middle_db, before_db = bank[v].middle_db[c, d], bank[v].middle_before_db[c, d]
            if moved < 1.0:
                middle_db = before_db + moved * (middle_db - before_db)
            extra += 4.0 * weight[c] * weight[d] * middle_db
    # A warp re-times the timbre. Loudness goes with the finger: where it is half-way, so is the loudness.
    work[i].extra_db = extra + min(max(lag_db, -_LAG_LIMIT_DB), _LAG_LIMIT_DB)
    for c in range(N_CORNERS):
        share = _come_in(bank, v, c, aim, fade_samples)
        weight[N_CORNERS + c] = (1.0 - share) * weight[c]
        weight[c] *= share
    align(bank, weight, v, work[i].evenness)
    work[i].bend_frame = bank[v].held_frames
    for c in range(N_SOURCES):
        work[i].bend_frame += weight[c] * bank[v].began[c]


@njit()
def _has_free_partials(bank, work, i, v):  # type: ignore[no-untyped-def]
    """Whether a source of row i has partials that are not numbered by their frequency."""
    weight = 0.0
    for c in range(N_SOURCES):
        weight += work[i].weight[c] * bank[v].free[c]
    return weight > 0.0


@njit()
def _walk(bank, work, i, v, curves, time, smoothing, sample_rate, hop):  # type: ignore[no-untyped-def]
    """Slot v's place in its recordings and its envelope at sample `time`."""
    if bank[v].state == HELD:
        bank[v].held_frames = bank[v].held_base + bank[v].frame
        seconds = (bank[v].base - bank[v].onset + bank[v].frame * hop) / sample_rate
        attack, decay = bank[v].attack_s, bank[v].decay_s
        sustain = curve_at(curves, _SUSTAIN, time, smoothing)
        bank[v].envelope = envelope_gain(seconds, attack, decay, sustain)
        soon = envelope_gain(seconds + EXPECTED_FRAMES / FRAME_RATE_HZ, attack, decay, sustain)
        work[i].envelope_soon = max(bank[v].envelope, soon)
    else:
        work[i].envelope_soon = bank[v].envelope
        if not bank[v].probing:
            frames = (time - bank[v].reached) / hop
            bank[v].held_frames += frames
            bank[v].release_frames += frames / curve_at(curves, _RELEASE, time, smoothing)
            bank[v].reached = time


@njit()
def plan(bank, work, pitch, velocity, n, curves, channels, expressions, lfo, sample_rate, hop):  # type: ignore[no-untyped-def]
    """Moves the n due slots one frame on and fills in what does not depend on their instruments.

    curves float64 [parameters, 3]; channels float64 [16, 4]; expressions float64 [16, 6, 3]; lfo float64 [3]: the
    vibrato's phase in turns, at which sample, turns per sample. Also fills the network's `pitch` and `velocity`.
    """
    smoothing = SMOOTHING_S * sample_rate
    for i in range(n):
        v = work[i].due
        _join(bank, v, hop)
        # Everything is as it will be when this tick's frame is reached.
        time = bank[v].base + hop * bank[v].frame
        _walk(bank, work, i, v, curves, time, smoothing, sample_rate, hop)
        _plan_surface(bank, work, i, v, curves, expressions, time, smoothing, FADE_S * sample_rate, hop)
        choose_residual(bank, work, i, v)
        channel = bank[v].channel
        base_pitch = curve_at(bank[v].pitch, 0, time, smoothing)
        bend = channels[channel, BEND] + expression_at(bank, v, expressions, _OWN_BEND, time, smoothing)
        work[i].base_pitch = base_pitch
        work[i].pitch = base_pitch + bend + glide_at(bank, v, time, sample_rate)
        wheel = channels[channel, WHEEL] + expression_at(bank, v, expressions, _OWN_VIBRATO, time, smoothing)
        vibrato = (curve_at(curves, _VIBRATO_DEPTH, time, smoothing) + wheel) * np.sin(
            2.0 * np.pi * (lfo[0] + lfo[2] * (time - lfo[1]))
        )
        detune = curve_at(curves, _DETUNE, time, smoothing)
        detune += 0.5 * bank[v].pitch_place * curve_at(curves, _UNISON_DETUNE, time, smoothing)
        # Beyond two octaves above the highest MIDI note no partial is left, and a frequency's phase would overflow.
        work[i].semitones = min(work[i].pitch + (vibrato + detune) / 100.0, 152.0)
        level_db = curve_at(curves, _VOLUME, time, smoothing) + channels[channel, CHANNEL_DB]
        level_db += expression_at(bank, v, expressions, _OWN_LEVEL, time, smoothing)
        level = bank[v].share * 10.0 ** (level_db / 20.0)
        place = channels[channel, PAN] + bank[v].room_place * curve_at(curves, _UNISON_WIDTH, time, smoothing)
        key_place = min(max((bank[v].key - _MIDDLE_KEY) / _HALF_KEYBOARD, -1.0), 1.0)
        place += key_place * curve_at(curves, _KEY_SPREAD, time, smoothing)
        angle = (min(max(place, -1.0), 1.0) + 1.0) * np.pi / 4.0
        work[i].gain[0] = level * np.sqrt(2.0) * np.cos(angle)
        work[i].gain[1] = level * np.sqrt(2.0) * np.sin(angle)
        tilt_db = curve_at(curves, _TILT, time, smoothing)
        tilt_db += expression_at(bank, v, expressions, _OWN_BRIGHTNESS, time, smoothing)
        work[i].tilt_db = min(max(tilt_db, -_TILT_LIMIT_DB), _TILT_LIMIT_DB)
        work[i].noise_db = curve_at(curves, _NOISE, time, smoothing)
        work[i].tuning_amount = curve_at(curves, _TUNING, time, smoothing)
        # No partial above both limits is heard or measured.
        top_hz = max(HIGHEST_PARTIAL_HZ, TOP * sample_rate)
        lowest_hz = 440.0 * 2.0 ** ((min(base_pitch, work[i].semitones) - _DEVIATION_LIMIT_SEMITONES - 69.0) / 12.0)
        work[i].n_partials = int(min(top_hz / lowest_hz + 1.0, float(N_PARTIALS)))
        if _has_free_partials(bank, work, i, v):
            work[i].n_partials = N_PARTIALS
        pitch[i] = min(max(work[i].pitch, 0.0), 127.0)
        velocity[i] = bank[v].velocity
