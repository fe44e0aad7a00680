"""What a recording's samples need before anything is measured: numbers, one channel, no offset."""

from __future__ import annotations

import numpy as np

from synth.errors import TetradError
from synth.frames import Float32Array
from synth.instruments.notes import RawAudio

MOST_BAD_SHARE = 0.01
"""Of samples that are NaN or infinite. More than that is no recording with a flaw."""
HIGHEST_PEAK = 16.0
"""24 dB over full scale. Float files with larger samples hold integers."""
MIXED_SHARE, CANCELLING_SHARE = 0.3, 0.1
"""Of the loudest channel's power. Two channels alike leave 1 when they are averaged, two unlike 0.5, one that is
silent 0.25, two of opposite sign 0. Under the first the loudest is taken alone, under the second that is said."""
SHORTEST_FOR_OFFSET_S, OFFSET_FROM_S = 0.1, 10.0
QUIET_S, QUIET_SHARE = 0.05, 0.01
"""The quietest stretch shows the offset, if it has less than this share of the loudest one's amplitude."""
SAME_SHARE = 0.5
AUDIBLE_OFFSET = 0.002
"""-54 dBFS: what an open input of a cheap interface has; smaller ones are removed without a word."""


def checked(raw: RawAudio, name: str, longest_s: float, remarks: list[str]) -> RawAudio:
    """At most `longest_s` of `raw` with every sample a number of a usual size; what was changed goes into `remarks`.

    Raises TetradError for no samples, another shape, a rate outside 1 kHz..768 kHz, and for more than 1 % of NaN.
    """
    samples, rate_hz = np.asarray(raw.samples), raw.rate_hz
    if samples.ndim != 2 or 0 in samples.shape or not 1000 <= rate_hz <= 768_000:
        raise TetradError(
            f"{name} has samples of shape {samples.shape} at {rate_hz} Hz; expected [samples, channels] at 1 to 768 kHz"
        )
    samples = samples[: round(longest_s * rate_hz)].astype(np.float32, copy=False)
    n_bad = samples.size - int(np.count_nonzero(np.isfinite(samples)))
    if n_bad > MOST_BAD_SHARE * samples.size:
        raise TetradError(
            f"{name}: {n_bad} of {samples.size} samples are NaN or infinite; expected numbers; export it again"
        )
    if n_bad:
        samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
        remarks.append(f"{n_bad} samples that were NaN or infinite became silence")
    peak = max(float(samples.max()), -float(samples.min()))
    if peak > HIGHEST_PEAK:
        full_scale = next((float(s) for s in (1 << 15, 1 << 23, 1 << 31) if peak <= s), peak)
        samples = samples / np.float32(full_scale)
        remarks.append(f"samples of up to {peak:.3g} were read as integers and divided by {full_scale:.3g}")
    return RawAudio(samples, rate_hz)


def one_channel(samples: Float32Array, remarks: list[str]) -> Float32Array:
    """float32 [N, channels] -> [N]: the mean, or the loudest channel where they cancel or most are silent.

    It has the mean of the channels' powers, so that notes of one instrument keep their levels, whatever their channels
    had in common.
    """
    if samples.shape[1] == 1:
        return samples[:, 0]
    power = [float(np.dot(channel, channel)) for channel in samples.T]
    loudest = int(np.argmax(power))
    mixed = samples.mean(axis=1, dtype=np.float32)
    mixed_power = float(np.dot(mixed, mixed))
    if mixed_power < MIXED_SHARE * power[loudest]:
        if mixed_power < CANCELLING_SHARE * power[loudest]:
            remarks.append(f"its {samples.shape[1]} channels cancel each other: channel {loudest + 1} was taken alone")
        mixed, mixed_power = np.ascontiguousarray(samples[:, loudest]), power[loudest]
    return mixed * np.float32(np.sqrt(np.mean(power) / max(mixed_power, 1e-30)))


def without_offset(channel: Float32Array, rate_hz: int, remarks: list[str]) -> tuple[Float32Array, float]:
    """The channel around zero, and the offset that it had.

    The offset is what the thirds of the recording have in common, each averaged under a Hann window (a cut period of a
    low note moves that far less than a plain mean). Thirds that differ have slow movements of their own, as drums have,
    or an offset that was faded out: then it is the mean of the quietest 50 ms where they are quiet beside the sound,
    and else nothing. Nor is anything done to sounds under 0.1 s.
    """
    if channel.size < SHORTEST_FOR_OFFSET_S * rate_hz:
        return channel, 0.0
    thirds = np.array_split(channel[: round(OFFSET_FROM_S * rate_hz)], 3)
    means = [float(np.average(third, weights=np.hanning(third.size + 2)[1:-1])) for third in thirds]
    offset = float(np.median(means))
    if max(means) - min(means) > SAME_SHARE * abs(offset):
        length = round(QUIET_S * rate_hz)
        stretches = channel[: channel.size // length * length].reshape(-1, length)
        moving = stretches.std(axis=1)
        quiet = int(moving.argmin())
        offset = float(stretches[quiet].mean()) if moving[quiet] <= QUIET_SHARE * moving.max() else 0.0
    if abs(offset) > AUDIBLE_OFFSET:
        remarks.append(f"an offset of {100.0 * offset:.1f} % of full scale was removed")
    return channel - np.float32(offset), offset
