"""The room: a feedback delay network of 16 lines behind a diffuser.

The network is Jot and Chaigne's ("Digital Delay Networks for Designing Artificial Reverberators", 90th AES Convention,
1991): lines of mutually prime lengths, mixed by an orthogonal matrix (Hadamard's, by the fast Walsh transform), each
with a first-order filter whose losses fit the line's length, so that all lines fall by 60 dB in one time. Before it
four all-passes per channel (Schroeder 1962; lengths of the order of Dattorro's plate, J. Audio Eng. Soc. 45, 1997)
make clicks of a millisecond into a dense beginning, and four of the lines move by some samples, slowly, so that no
resonance of the network is heard as a tone.

Left and right leave by two orthogonal rows of signs: they are independent, and no part of the room is lost in mono.
The gain at the way in is such that a long sound has as much power in the room as dry, whatever the time.
"""

import math

import numpy as np

from synth.frames import Float32Array
from synth.jit import njit
from synth.voices.effects_chorus import read_between
from synth.voices.effects_delay import QUIET
from synth.voices.oscillators import sine_of_phase

N_LINES = 16
SHORTEST_LINE_S, LONGEST_LINE_S = 0.0113, 0.0637
DIFFUSER_S = ((0.00477, 0.00359, 0.01273, 0.00931), (0.00503, 0.00331, 0.01194, 0.00997))
"""Lengths of the all-passes, left and right."""
N_DIFFUSERS = 4
DIFFUSION = (0.75, 0.75, 0.625, 0.625)
"""Their coefficients, less where an all-pass alone would ring for more than a quarter of the room's time."""
LOW_CUT_HZ = 40.0
SWING_S = 0.00017
SWING_HZ = (0.61, 0.73, 0.89, 1.07)
"""Of lines 0, 4, 8 and 12: 1.2 cents at most."""
TREBLE_HZ = 6_000.0
"""Where reverb_damping says how much sooner the room is silent."""
TREBLE_SHARE = 0.85
"""At full damping the treble's time is shorter by this share."""
LEVEL_CELL = 64
"""Samples over which the filters go to new coefficients."""
_OUT = np.float32(0.25)  # 1 / sqrt(16)
_TURN = 2.0**32
_NO_DENORMALS = np.float32(1e-18)

REVERB = np.dtype(
    [
        ("send", np.float32),
        ("time", np.float32),  # s
        ("damping", np.float32),
        ("send_target", np.float32),
        ("time_target", np.float32),
        ("damping_target", np.float32),
        ("glide", np.float32),  # share of the way to the target, per sample
        ("sample_rate", np.float64),
        ("high", np.float32),  # pole of the low cut
        ("high_in", np.float32, (2,)),
        ("high_out", np.float32, (2,)),
        ("filtered_time", np.float32),  # what the coefficients are made for
        ("filtered_damping", np.float32),
        ("gain_in", np.float32),
        ("gain_in_slope", np.float32),
        ("gain", np.float32, (N_LINES,)),  # a line's filter: y = gain x + pole y'
        ("gain_slope", np.float32, (N_LINES,)),
        ("pole", np.float32, (N_LINES,)),
        ("pole_slope", np.float32, (N_LINES,)),
        ("filter", np.float32, (N_LINES,)),
        ("wave", np.float32, (N_LINES,)),
        ("start", np.int64, (N_LINES,)),  # the line's place in the common array
        ("length", np.int64, (N_LINES,)),
        ("at", np.int64, (N_LINES,)),
        ("swing", np.float32),  # samples
        ("swing_step", np.uint32, (4,)),  # 2^-32 turns per sample
        ("diffuser_start", np.int64, (2, N_DIFFUSERS)),
        ("diffuser_length", np.int64, (2, N_DIFFUSERS)),
        ("diffuser_at", np.int64, (2, N_DIFFUSERS)),
        ("diffusion", np.float32, (2, N_DIFFUSERS)),
        ("diffusion_slope", np.float32, (2, N_DIFFUSERS)),
        ("quiet", np.int64),  # samples since anything went in or came out louder than QUIET
        ("quiet_needed", np.int64),
    ],
    align=True,
)


def _is_prime(n: int) -> bool:
    return n > 1 and all(n % d for d in range(2, math.isqrt(n) + 1))


def _prime_at_least(n: float) -> int:
    found = max(math.ceil(n), 2)
    while not _is_prime(found):
        found += 1
    return found


def set_up_room(reverb: np.void, sample_rate_hz: int) -> Float32Array:
    """Lays out the lines of a REVERB record and returns the array that they all lie in, float32, silent."""
    ratio = LONGEST_LINE_S / SHORTEST_LINE_S
    end = 0
    shortest = 0
    for line in range(N_LINES):
        # In the order of the bits reversed: long and short lines alternate in the matrix and on the way out.
        rank = int(f"{line:04b}"[::-1], 2)
        length = SHORTEST_LINE_S * ratio ** (rank / (N_LINES - 1)) * sample_rate_hz
        prime = _prime_at_least(length)
        while prime in reverb["length"][:line]:
            prime = _prime_at_least(prime + 1)
        reverb["start"][line], reverb["length"][line] = end, prime
        end += prime
        shortest = prime if shortest == 0 else min(shortest, prime)
    for channel in range(2):
        for stage in range(N_DIFFUSERS):
            prime = _prime_at_least(DIFFUSER_S[channel][stage] * sample_rate_hz)
            reverb["diffuser_start"][channel, stage], reverb["diffuser_length"][channel, stage] = end, prime
            end += prime
    reverb["sample_rate"] = sample_rate_hz
    reverb["swing"] = SWING_S * sample_rate_hz
    reverb["swing_step"] = np.array(SWING_HZ) * _TURN / sample_rate_hz
    reverb["high"] = math.exp(-2.0 * math.pi * LOW_CUT_HZ / sample_rate_hz)
    # All that is under way has passed the output when every line and every diffuser has been read once.
    reverb["quiet_needed"] = int(np.max(reverb["length"])) + int(np.max(np.sum(reverb["diffuser_length"], axis=1)))
    return np.zeros(end, np.float32)


@njit()
def aim_filters(reverb, at_once):  # type: ignore[no-untyped-def]
    """Lets the lines' filters go to the present time and damping within LEVEL_CELL samples, or `at_once`.

    A line of d samples must lose 60 d / (rate T) dB, and at TREBLE_HZ more by T over the treble's time. That fixes a
    filter gain / (1 - pole z^-1), which can't be steeper than 6 dB per octave: the pole stays below 0.9.
    """
    reverb.filtered_time, reverb.filtered_damping = reverb.time, reverb.damping
    rate = reverb.sample_rate
    treble_time = reverb.time * (1.0 - TREBLE_SHARE * reverb.damping)
    cosine = np.cos(2.0 * np.pi * min(TREBLE_HZ / rate, 0.4))
    lost, kept = 0.0, 0.0
    for line in range(N_LINES):
        seconds = reverb.length[line] / rate
        low = 10.0 ** (-3.0 * seconds / reverb.time)
        ratio = (10.0 ** (-3.0 * seconds / treble_time) / low) ** 2
        a, b = 1.0 - ratio, 1.0 - ratio * cosine
        pole = min(a / (b + np.sqrt(max(b * b - a * a, 0.0))), 0.9)
        lost += 1.0 - low * low
        kept += low * low
        goal = np.float32(low * (1.0 - pole))
        reverb.gain_slope[line] = (goal - reverb.gain[line]) / np.float32(LEVEL_CELL)
        reverb.pole_slope[line] = (np.float32(pole) - reverb.pole[line]) / np.float32(LEVEL_CELL)
        if at_once:
            reverb.gain[line], reverb.pole[line] = goal, np.float32(pole)
    # All lines hold the same power p; p sum(1 - low^2) comes in, and p mean(low^2) is heard.
    goal = np.float32(np.sqrt(N_LINES * lost / kept))
    reverb.gain_in_slope = (goal - reverb.gain_in) / np.float32(LEVEL_CELL)
    for channel in range(2):
        for stage in range(N_DIFFUSERS):
            fitting = 10.0 ** (-12.0 * reverb.diffuser_length[channel, stage] / rate / reverb.time)
            coefficient = np.float32(min(DIFFUSION[0] if stage < 2 else DIFFUSION[2], fitting))
            gap = coefficient - reverb.diffusion[channel, stage]
            reverb.diffusion_slope[channel, stage] = gap / np.float32(LEVEL_CELL)
            if at_once:
                reverb.diffusion[channel, stage] = coefficient
    if at_once:
        reverb.gain_in = goal
        hold_filters(reverb)


@njit()
def hold_filters(reverb):  # type: ignore[no-untyped-def]
    """The filters stay as they are."""
    reverb.gain_in_slope = np.float32(0.0)
    for line in range(N_LINES):
        reverb.gain_slope[line] = reverb.pole_slope[line] = np.float32(0.0)
    for channel in range(2):
        for stage in range(N_DIFFUSERS):
            reverb.diffusion_slope[channel, stage] = np.float32(0.0)


@njit()
def _diffuse(reverb, lines, channel, x):  # type: ignore[no-untyped-def]
    for stage in range(N_DIFFUSERS):
        reverb.diffusion[channel, stage] += reverb.diffusion_slope[channel, stage]
        gain = reverb.diffusion[channel, stage]
        at = reverb.diffuser_at[channel, stage]
        place = reverb.diffuser_start[channel, stage] + at
        stored = lines[place]
        fed = x - gain * stored
        lines[place] = fed
        x = stored + gain * fed
        reverb.diffuser_at[channel, stage] = at + 1 if at + 1 < reverb.diffuser_length[channel, stage] else 0
    return x


@njit()
def add_reverb(reverb, lines, mix, first, n_samples, clock):  # type: ignore[no-untyped-def]
    """Adds the room of mix[:, first:] (float32 [2, block]) to it; the first of n samples is absolute sample `clock`.

    lines: what set_up_room made. A run must not go across a multiple of LEVEL_CELL.
    """
    wave, state = reverb.wave, reverb.filter
    quiet = reverb.quiet
    for i in range(first, first + n_samples):
        reverb.send += (reverb.send_target - reverb.send) * reverb.glide
        reverb.time += (reverb.time_target - reverb.time) * reverb.glide
        reverb.damping += (reverb.damping_target - reverb.damping) * reverb.glide
        reverb.gain_in += reverb.gain_in_slope
        moment = np.uint32(clock + i - first)
        for line in range(N_LINES):
            at = reverb.at[line]
            start = reverb.start[line]
            if line % 4 == 0:
                swing = np.float32(1.0) + sine_of_phase(np.uint32(moment * reverb.swing_step[line // 4]))
                back = np.float32(reverb.length[line] - 4) - reverb.swing * swing
                y = read_between(lines[start : start + reverb.length[line]], at, back)
            else:
                y = lines[start + at]
            wave[line] = y
        for line in range(N_LINES):
            reverb.gain[line] += reverb.gain_slope[line]
            reverb.pole[line] += reverb.pole_slope[line]
            y = reverb.gain[line] * wave[line] + reverb.pole[line] * state[line]
            state[line] = y
            wave[line] = y
        left = np.float32(0.0)
        right = np.float32(0.0)
        for line in range(0, N_LINES, 4):
            left += wave[line] + wave[line + 1] - wave[line + 2] - wave[line + 3]
            right += wave[line] - wave[line + 1] + wave[line + 2] - wave[line + 3]
        half = N_LINES // 2
        while half > 0:
            for base in range(0, N_LINES, 2 * half):
                for j in range(base, base + half):
                    u, v = wave[j], wave[j + half]
                    wave[j], wave[j + half] = u + v, u - v
            half //= 2
        heard = max(abs(left), abs(right)) * _OUT > QUIET
        for channel in range(2):
            x = reverb.send * mix[channel, i]
            heard = heard or x != 0.0
            cut = reverb.high * (reverb.high_out[channel] + x - reverb.high_in[channel]) + _NO_DENORMALS
            reverb.high_in[channel], reverb.high_out[channel] = x, cut
            fed = _diffuse(reverb, lines, channel, reverb.gain_in * cut)
            for line in range(channel, N_LINES, 2):
                sign = _OUT if line & 2 == 0 else -_OUT
                # 1 / sqrt(16) twice: of the matrix, and of sharing one channel among the lines.
                new = _OUT * wave[line] + sign * fed
                lines[reverb.start[line] + reverb.at[line]] = new
                reverb.at[line] = reverb.at[line] + 1 if reverb.at[line] + 1 < reverb.length[line] else 0
        mix[0, i] += _OUT * left
        mix[1, i] += _OUT * right
        quiet = 0 if heard else quiet + 1
    reverb.quiet = quiet


@njit()
def forget_room(reverb, lines):  # type: ignore[no-untyped-def]
    """Silence in all lines."""
    lines[:] = np.float32(0.0)
    for line in range(N_LINES):
        reverb.filter[line] = np.float32(0.0)
    for channel in range(2):
        reverb.high_in[channel] = reverb.high_out[channel] = np.float32(0.0)
