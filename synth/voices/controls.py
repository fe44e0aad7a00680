"""The player's controls as functions of time: parameters that glide, MIDI channels, the vibrato's clock."""

import numpy as np

from synth.control.events import N_CHANNELS, N_KEYS, Dimension
from synth.control.parameters import INDEX, PARAMETERS
from synth.frames import Float64Array
from synth.voices.plan import (
    BEND,
    CHANNEL_DB,
    PAN,
    SINCE,
    SMOOTHING_S,
    START,
    TARGET,
    WHEEL,
    WHEEL_CENTS,
    parameter_at,
)

DIMENSIONS = tuple(Dimension)
"""Their order in every table."""


def glide_curve(curves: Float64Array, row: int, target: float, time: int, sample_rate_hz: int) -> None:
    """Sends a row of curves, float64 [rows, 3], to a new target from sample `time` on, in SMOOTHING_S."""
    start = parameter_at(curves, row, time, SMOOTHING_S * sample_rate_hz)
    curves[row, TARGET], curves[row, START], curves[row, SINCE] = target, start, time


class Controls:
    """Current parameters and channels. A value is a function of the sample, not of when it is asked for, so that the
    sound does not depend on how time is cut into blocks: after a change, `target + (start - target) exp(-t / 10 ms)`.

    `curves` float64 [parameters, 3], `channels` float64 [16, 4], `expressions` float64 [16, 6, 3] and `lfo` float64 [3]
    are what `synth.voices.plan.plan` reads; `pedal` and `sostenuto` bool [16]; `tuning` float64 [128], MIDI numbers.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self._sample_rate_hz = sample_rate_hz
        self.curves: Float64Array = np.zeros((len(PARAMETERS), 3))
        self.curves[:, TARGET] = self.curves[:, START] = [parameter.default for parameter in PARAMETERS]
        self._smoothed = np.array([parameter.smoothed for parameter in PARAMETERS])
        self.channels: Float64Array = np.zeros((N_CHANNELS, 4))
        self.expressions: Float64Array = np.zeros((N_CHANNELS, len(DIMENSIONS), 3))
        self.pedal = np.zeros(N_CHANNELS, np.bool_)
        self.sostenuto = np.zeros(N_CHANNELS, np.bool_)
        self.tuning: Float64Array = np.arange(N_KEYS, dtype=np.float64)
        self._volume_db = [0.0] * N_CHANNELS
        self._expression_db = [0.0] * N_CHANNELS
        self.lfo: Float64Array = np.array([0.0, 0.0, self.value("vibrato_rate") / sample_rate_hz])

    def value(self, name: str) -> float:
        """What a parameter was last set to."""
        return float(self.curves[INDEX[name], TARGET])

    def set_parameter(self, name: str, value: float, time: int, at_once: bool) -> None:
        """A new value from sample `time` on, with a glide unless `at_once` or the parameter is not smoothed."""
        curve = self.curves[INDEX[name]]
        start = value
        if self._smoothed[INDEX[name]] and not at_once:
            start = parameter_at(self.curves, INDEX[name], time, SMOOTHING_S * self._sample_rate_hz)
        curve[TARGET], curve[START], curve[SINCE] = value, start, time
        if name == "vibrato_rate":
            phase = self.lfo[0] + self.lfo[2] * (time - self.lfo[1])
            self.lfo[:] = phase % 1.0, time, value / self._sample_rate_hz

    def set_level(self, channel: int, volume_db: float | None, expression_db: float | None) -> None:
        """Channel volume and expression; None leaves one as it is."""
        if volume_db is not None:
            self._volume_db[channel] = volume_db
        if expression_db is not None:
            self._expression_db[channel] = expression_db
        self.channels[channel, CHANNEL_DB] = self._volume_db[channel] + self._expression_db[channel]

    def set_bend(self, channel: int, semitones: float) -> None:
        """Pitch bend of a channel."""
        self.channels[channel, BEND] = semitones

    def set_wheel(self, channel: int, amount: float) -> None:
        """Mod wheel of a channel, 0..1."""
        self.channels[channel, WHEEL] = amount * WHEEL_CENTS

    def set_pan(self, channel: int, place: float) -> None:
        """Place of a channel, -1..1."""
        self.channels[channel, PAN] = place

    def set_expression(self, channel: int, dimension: Dimension, value: float, time: int) -> None:
        """A dimension of all notes of a channel, from sample `time` on."""
        row = DIMENSIONS.index(dimension)
        glide_curve(self.expressions[channel], row, value, time, self._sample_rate_hz)

    def reset(self, channel: int, time: int) -> None:
        """What MIDI's reset-all-controllers resets, but for the pedals."""
        for dimension in DIMENSIONS:
            self.set_expression(channel, dimension, 0.0, time)
        self.set_bend(channel, 0.0)
        self.set_wheel(channel, 0.0)
        self.set_level(channel, None, 0.0)
