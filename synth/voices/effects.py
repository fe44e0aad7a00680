"""What all voices go through together: chorus, echoes, room, in this order, on the mix and in place.

Parameters come by `MixRing`, each at its sample, and glide (one-pole, 10 ms). Everything happens on the clock's own
grid of LEVEL_CELL samples or at a change's sample, so no sample depends on how time is cut into blocks. An effect
sleeps when its level is 0 or when nothing goes in and nothing louder than -120 dBFS comes out: then it costs nothing,
and the mix stays as it is, bit for bit. Echoes and room are turned up and down where the sound goes in: what is under
way rings out over a change of patch. `MixRing.silence` ends it.

No library serves: of those with wheels for aarch64, pedalboard is under the GPL, and signalflow renders its own graph
in blocks of its own, has no reverb, and ships FFTW. The four effects cost a core 1 % together.
"""

import math
from typing import NamedTuple

import numpy as np

from synth.control.parameters import parameter_named
from synth.frames import Float32Array
from synth.jit import njit
from synth.native import Layout
from synth.voices.effects_chorus import BASE_S, CHORUS, TAP_LINE_S, add_chorus, pass_time
from synth.voices.effects_delay import (
    DELAY,
    FADE_S,
    HIGH_PASS_HZ,
    LONGEST_S,
    LOW_PASS_HZ,
    add_delay,
    forget_echoes,
)
from synth.voices.effects_reverb import (
    LEVEL_CELL,
    REVERB,
    add_reverb,
    aim_filters,
    forget_room,
    hold_filters,
    set_up_room,
)
from synth.voices.segments import MIX_NAMES, MIX_PLACES, SILENCE, Records

GLIDE_S = 0.010
HUSH_FADE_S, HUSH_S = 0.003, 0.009
"""All-sound-off: effects fade out in 3 ms, forget 3 later (the last voice and its noise have ended), come back in 3."""
_CHORUS, _DELAY, _REVERB = 0, 1, 2
(
    _SHARE,
    _RATE,
    _ECHO_SEND,
    _ECHO_TIME,
    _ECHO_FEEDBACK,
    _ROOM_SEND,
    _ROOM_TIME,
    _ROOM_DAMPING,
) = range(len(MIX_NAMES))
_ARRIVED = np.float32(1e-4)
"""A glide that is this near, of the target and absolutely, has arrived: a step of -80 dB of what moves."""

EFFECTS = np.dtype(
    [
        ("read", np.int64),  # changes taken from the MixRing since the start
        ("awake", np.int64, (3,)),
        ("hush_left", np.int64),  # samples until echoes and room are forgotten; 0: no one asked
        ("hush_samples", np.int64),
        ("hush_fade", np.int64),
        ("sample_rate", np.float64),
    ],
    align=True,
)


class Effects(NamedTuple):
    """State of the effects: one record of each dtype, and the memory of what is under way."""

    state: Records
    chorus: Records
    delay: Records
    reverb: Records
    tap_line: Float32Array  # [2, n]
    echo_line: Float32Array  # [2, n]
    room: Float32Array  # [n]
    raw: Float32Array  # [2, LEVEL_CELL]


EFFECTS_LAYOUT = Layout(
    state=EFFECTS,
    chorus=CHORUS,
    delay=DELAY,
    reverb=REVERB,
    tap_line=(np.float32, 2),
    echo_line=(np.float32, 2),
    room=np.float32,
    raw=(np.float32, 2),
)
"""Of `Effects`, for C functions: the first arguments of `apply_effects`."""


def make_effects(sample_rate_hz: int) -> Effects:
    """Effects at rest, with the table's defaults."""
    default = {name: parameter_named(name).default for name in MIX_NAMES}
    state, chorus, delay, reverb = (np.zeros(1, dtype) for dtype in (EFFECTS, CHORUS, DELAY, REVERB))
    glide = 1.0 - math.exp(-1.0 / (GLIDE_S * sample_rate_hz))
    for effect in (chorus, delay, reverb):
        effect["glide"] = glide
    state["sample_rate"] = chorus["sample_rate"] = sample_rate_hz
    state["hush_samples"] = round(HUSH_S * sample_rate_hz)
    state["hush_fade"] = round(HUSH_FADE_S * sample_rate_hz)
    chorus["base"] = np.array(BASE_S) * sample_rate_hz
    chorus["rate"] = chorus["rate_target"] = default["chorus_rate"]
    delay["tap"] = delay["tap_target"] = round(default["delay_time"] * sample_rate_hz)
    delay["feedback"] = delay["feedback_target"] = default["delay_feedback"]
    delay["fade_samples"] = max(round(FADE_S * sample_rate_hz), 1)
    delay["low"] = math.exp(-2.0 * math.pi * LOW_PASS_HZ / sample_rate_hz)
    delay["high"] = math.exp(-2.0 * math.pi * HIGH_PASS_HZ / sample_rate_hz)
    reverb["time"] = reverb["time_target"] = default["reverb_time"]
    reverb["damping"] = reverb["damping_target"] = default["reverb_damping"]
    room = set_up_room(reverb[0], sample_rate_hz)
    aim_filters(reverb[0], True)
    return Effects(
        state,
        chorus,
        delay,
        reverb,
        np.zeros((2, math.ceil(TAP_LINE_S * sample_rate_hz) + 4), np.float32),
        np.zeros((2, math.ceil(LONGEST_S * sample_rate_hz) + 1), np.float32),
        room,
        np.zeros((2, LEVEL_CELL), np.float32),
    )


@njit()
def _change_chorus(state, chorus, place, value):  # type: ignore[no-untyped-def]
    if place == _SHARE:
        chorus.share_target = np.float32(value)
    else:
        chorus.rate_target = np.float32(value)
    if chorus.share_target != 0.0 or state.awake[_CHORUS]:
        state.awake[_CHORUS] = 1
        chorus.quiet = 0
    else:
        chorus.rate = chorus.rate_target


@njit()
def _change_delay(state, delay, place, value):  # type: ignore[no-untyped-def]
    if place == _ECHO_SEND:
        delay.send_target = np.float32(value)
    elif place == _ECHO_TIME:
        delay.tap_target = np.int64(round(value * state.sample_rate))
    else:
        delay.feedback_target = np.float32(value)
    if delay.send_target != 0.0 or state.awake[_DELAY]:
        state.awake[_DELAY] = 1
        delay.quiet = 0
    else:
        delay.tap, delay.feedback = delay.tap_target, delay.feedback_target


@njit()
def _change_reverb(state, reverb, place, value):  # type: ignore[no-untyped-def]
    if place == _ROOM_SEND:
        reverb.send_target = np.float32(value)
    elif place == _ROOM_TIME:
        reverb.time_target = np.float32(value)
    else:
        reverb.damping_target = np.float32(value)
    if reverb.send_target != 0.0 or state.awake[_REVERB]:
        state.awake[_REVERB] = 1
        reverb.quiet = 0
    else:
        reverb.time, reverb.damping = reverb.time_target, reverb.damping_target


@njit()
def _change(state, chorus, delay, reverb, place, value):  # type: ignore[no-untyped-def]
    """Carries out one change. An effect that is off takes its value at once, one that is on wakes and glides."""
    if place == SILENCE:
        awake = state.awake[_CHORUS] + state.awake[_DELAY] + state.awake[_REVERB]
        if awake > 0 and state.hush_left == 0:
            state.hush_left = state.hush_samples
    elif place <= _RATE:
        _change_chorus(state, chorus, place, value)
    elif place <= _ECHO_FEEDBACK:
        _change_delay(state, delay, place, value)
    else:
        _change_reverb(state, reverb, place, value)


@njit()
def _settled(value, target):  # type: ignore[no-untyped-def]
    """Whether a glide has arrived."""
    return abs(target - value) <= _ARRIVED * min(abs(target), np.float32(1.0)) + np.float32(1e-5)


@njit()
def _begin_cell(state, chorus, delay, reverb, tap_line, room):  # type: ignore[no-untyped-def]
    """On the grid: ends glides that have arrived, puts to sleep what is over, aims the room's filters."""
    if (
        state.awake[_CHORUS]
        and _settled(chorus.share, chorus.share_target)
        and _settled(chorus.rate, chorus.rate_target)
    ):
        chorus.share, chorus.rate = chorus.share_target, chorus.rate_target
        if chorus.share == 0.0 or chorus.quiet >= tap_line.shape[1]:
            state.awake[_CHORUS] = 0
            tap_line[:] = np.float32(0.0)
    if state.awake[_DELAY] and _settled(delay.send, delay.send_target):
        delay.send = delay.send_target
        if _settled(delay.feedback, delay.feedback_target):
            delay.feedback = delay.feedback_target
            if delay.quiet >= delay.tap and delay.tap == delay.tap_target and delay.fade_left == 0:
                state.awake[_DELAY] = 0
                forget_echoes(delay)
    if state.awake[_REVERB]:
        if _settled(reverb.send, reverb.send_target):
            reverb.send = reverb.send_target
        if _settled(reverb.time, reverb.time_target) and _settled(reverb.damping, reverb.damping_target):
            reverb.time, reverb.damping = reverb.time_target, reverb.damping_target
        arrived = reverb.time == reverb.filtered_time and reverb.damping == reverb.filtered_damping
        if arrived:
            hold_filters(reverb)
            if reverb.quiet >= reverb.quiet_needed and reverb.send == reverb.send_target:
                state.awake[_REVERB] = 0
                forget_room(reverb, room)
        else:
            aim_filters(reverb, False)


@njit()
def _anything(mix, first, n_samples):  # type: ignore[no-untyped-def]
    for channel in range(2):
        for i in range(first, first + n_samples):
            if mix[channel, i] != 0.0:
                return True
    return False


@njit()
def _hush(state, chorus, delay, reverb, tap_line, room, raw, mix, first, n_samples):  # type: ignore[no-untyped-def]
    """Fades out what the effects made of `raw`, forgets what is under way in them, and fades them in again."""
    for i in range(n_samples):
        left = state.hush_left - 1 - i
        back = np.float32(state.hush_fade - left) / np.float32(state.hush_fade)
        out = np.float32(state.hush_fade - (state.hush_samples - left)) / np.float32(state.hush_fade)
        share = max(out, back, np.float32(0.0))
        for channel in range(2):
            mix[channel, first + i] = raw[channel, i] + share * (mix[channel, first + i] - raw[channel, i])
    state.hush_left -= n_samples
    if state.hush_left == state.hush_fade:
        tap_line[:] = np.float32(0.0)
        delay.send, delay.feedback, delay.tap = delay.send_target, delay.feedback_target, delay.tap_target
        delay.fade_left = 0
        forget_echoes(delay)
        reverb.send, reverb.time, reverb.damping = reverb.send_target, reverb.time_target, reverb.damping_target
        aim_filters(reverb, True)
        forget_room(reverb, room)
        state.awake[_DELAY] = state.awake[_REVERB] = 0


@njit()
def _run(state, chorus, delay, reverb, tap_line, echo_line, room, raw, mix, first, n_samples, clock):  # type: ignore[no-untyped-def]
    """The effects over `n_samples` within one cell, without a change in them."""
    hush = state.hush_left > 0
    if hush:
        raw[:, :n_samples] = mix[:, first : first + n_samples]
    on = chorus.share != 0.0 or delay.send != 0.0 or reverb.send != 0.0
    heard = on and _anything(mix, first, n_samples)
    if heard and chorus.share != 0.0:
        state.awake[_CHORUS] = 1
    if state.awake[_CHORUS]:
        add_chorus(chorus, tap_line, mix, first, n_samples)
        heard = heard or _anything(mix, first, n_samples)
    elif chorus.share != 0.0:
        pass_time(chorus, n_samples)
    if heard and delay.send != 0.0:
        state.awake[_DELAY] = 1
    if state.awake[_DELAY]:
        add_delay(delay, echo_line, mix, first, n_samples)
        heard = heard or _anything(mix, first, n_samples)
    if heard and reverb.send != 0.0:
        state.awake[_REVERB] = 1
    if state.awake[_REVERB]:
        add_reverb(reverb, room, mix, first, n_samples, clock)
    if hush:
        _hush(state, chorus, delay, reverb, tap_line, room, raw, mix, first, n_samples)


@njit()
def apply_effects(  # type: ignore[no-untyped-def]
    states, choruses, delays, reverbs, tap_line, echo_line, room, raw, changes, written, mix, clock, n_samples
):
    """Puts the first `n_samples` of mix (float32 [2, block]), from absolute sample `clock`, through the effects.

    changes: MIX_CHANGE [1024], of which `written` have been written since the start. Returns whether any effect is on
    or has something under way.
    """
    state, chorus, delay, reverb = states[0], choruses[0], delays[0], reverbs[0]
    end = clock + n_samples
    now = clock
    while now < end:
        while state.read < written and changes[state.read % MIX_PLACES].time <= now:
            change = changes[state.read % MIX_PLACES]
            _change(state, chorus, delay, reverb, change.place, change.value)
            state.read += 1
        if now % LEVEL_CELL == 0:
            _begin_cell(state, chorus, delay, reverb, tap_line, room)
        stop = min(end, (now // LEVEL_CELL + 1) * LEVEL_CELL)
        if state.read < written:
            stop = min(stop, changes[state.read % MIX_PLACES].time)
        if state.hush_left > 0:
            to_forget = state.hush_left - state.hush_fade
            stop = min(stop, now + (to_forget if to_forget > 0 else state.hush_left))
        _run(state, chorus, delay, reverb, tap_line, echo_line, room, raw, mix, now - clock, stop - now, now)
        now = stop
    on = chorus.share != 0.0 or delay.send != 0.0 or reverb.send != 0.0
    return on or state.awake[_CHORUS] + state.awake[_DELAY] + state.awake[_REVERB] > 0


@njit()
def effects_rest(states, choruses, written, n_samples):  # type: ignore[no-untyped-def]
    """Lets `n_samples` of silence pass. False, and nothing done, if something is under way or is to change."""
    state, chorus = states[0], choruses[0]
    if state.read < written or state.awake[_CHORUS] or state.awake[_DELAY] or state.awake[_REVERB]:
        return False
    if chorus.share != 0.0:
        pass_time(chorus, n_samples)
    return True
