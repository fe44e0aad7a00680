"""The end of the way: a limiter, and meters of what leaves.

The limiter is exact below -1 dBFS and never beyond 1. Its last stage bends what is above -1 dBFS by a tanh, without
memory and without delay. With effects on, a gain for both channels comes before it: pulled down within a millisecond
when the mix is louder than -1 dBFS, held for 20 ms (half a period of 25 Hz), and let go at 150 ms; so a dense chord in
a big room is turned down, not bent. There is no look-ahead: it would delay every note.

Meters fall at 11.8 dB/s (IEC 60268-10, type I); mean power is taken over 300 ms.
"""

import numpy as np

from synth.jit import njit

THRESHOLD = np.float32(0.8912509)  # -1 dBFS
ATTACK_S, HOLD_S, RELEASE_S = 0.0003, 0.020, 0.150
METER_FALL_DB_S, METER_POWER_S = 11.8, 0.3

OUTPUT = np.dtype(
    [
        ("riding", np.int64),  # 1 while the gain is below 1
        ("gain", np.float32),
        ("held", np.float32),  # highest magnitude of late
        ("hold_left", np.int64),  # samples until it falls
        ("hold", np.int64),
        ("attack", np.float32),  # share of the way, per sample
        ("release", np.float32),  # factor per sample
        ("highest", np.float32),  # since the start, after the limiter
        ("peak", np.float32, (2,)),  # meters: linear
        ("power", np.float32, (2,)),
        ("sample_rate", np.float64),
    ],
    align=True,
)


def set_up_output(output: np.void, sample_rate_hz: int) -> None:
    """Makes an OUTPUT record ready."""
    output["gain"] = 1.0
    output["sample_rate"] = sample_rate_hz
    output["hold"] = round(HOLD_S * sample_rate_hz)
    output["attack"] = 1.0 - np.exp(-1.0 / (ATTACK_S * sample_rate_hz))
    output["release"] = np.exp(-1.0 / (RELEASE_S * sample_rate_hz))


@njit()
def ride(output, mix, n_samples):  # type: ignore[no-untyped-def]
    """Turns mix (float32 [2, block]) down where it is louder than THRESHOLD."""
    gain, held, left = output.gain, output.held, output.hold_left
    for i in range(n_samples):
        size = max(abs(mix[0, i]), abs(mix[1, i]))
        if size >= held:
            held, left = size, output.hold
        elif left > 0:
            left -= 1
        else:
            held = max(held * output.release, size)
        goal = THRESHOLD / held if held > THRESHOLD else np.float32(1.0)
        if goal < gain:
            gain += (goal - gain) * output.attack
        elif goal == np.float32(1.0) or goal - gain < np.float32(1e-6):
            gain = goal
        else:
            gain += (goal - gain) * output.attack
        if gain != np.float32(1.0):
            mix[0, i] *= gain
            mix[1, i] *= gain
    output.gain, output.held, output.hold_left = gain, held, left
    output.riding = 1 if gain < np.float32(1.0) else 0


@njit()
def write_out(out, mix, n_samples, output):  # type: ignore[no-untyped-def]
    """Writes the mix [2, n] to out [n, 2]: exact below THRESHOLD, bent by a tanh above, never beyond 1. Meters it."""
    room = np.float32(1.0) - THRESHOLD
    for channel in range(2):
        highest = np.float32(0.0)
        power = np.float32(0.0)
        for i in range(n_samples):
            x = mix[channel, i]
            size = abs(x)
            if size > THRESHOLD:
                size = THRESHOLD + room * np.float32(np.tanh((size - THRESHOLD) / room))
                x = size if x > 0.0 else -size
            highest = max(highest, size)
            power += size * size
            out[i, channel] = x
        _meter(output, channel, highest, power, n_samples)


@njit()
def write_silence(out, n_samples, output):  # type: ignore[no-untyped-def]
    """n samples of silence, and the meters fall."""
    for i in range(n_samples):
        out[i, 0] = out[i, 1] = np.float32(0.0)
    output.riding = 0
    output.gain, output.held, output.hold_left = np.float32(1.0), np.float32(0.0), 0
    for channel in range(2):
        _meter(output, channel, np.float32(0.0), np.float32(0.0), n_samples)


@njit()
def _meter(output, channel, highest, power, n_samples):  # type: ignore[no-untyped-def]
    seconds = n_samples / output.sample_rate
    fallen = output.peak[channel] * np.float32(10.0 ** (-METER_FALL_DB_S * seconds / 20.0))
    keep = np.float32(np.exp(-seconds / METER_POWER_S))
    average = keep * output.power[channel] + (np.float32(1.0) - keep) * power / np.float32(n_samples)
    # Below -200 dB a meter shows nothing, and its number must not become denormal.
    output.peak[channel] = max(highest, fallen if fallen > np.float32(1e-10) else np.float32(0.0))
    output.power[channel] = average if average > np.float32(1e-20) else np.float32(0.0)
    output.highest = max(output.highest, highest)
