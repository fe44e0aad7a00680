"""Which sample a moment is: the audio callback's jittery clock, smoothed.

The callback notes when each block began, and that is late by whatever the system was busy with (0.1 to 3 ms on a busy
machine). A delay-locked loop follows it: F. Adriaensen, "Using a DLL to filter time", Linux Audio Conference 2005,
equations 1 to 8. What comes out is the time at which a block *should* have begun, so two moments are as far apart in
samples as they were in seconds.
"""

import math
from typing import NamedTuple

BANDWIDTH_HZ = 0.5
"""Of the loop: at 375 blocks a second it averages over some 200 of them. Twenty times wider in the first second."""
SETTLING_S = 1.0
LOST_S = 0.05
"""A block that is this much off is a stall, not jitter: the loop starts anew."""


class Anchor(NamedTuple):
    """At `time_s` (`time.perf_counter`) sample `clock_samples` was due, and `samples_per_s` pass from there."""

    time_s: float
    clock_samples: int
    samples_per_s: float


class Timebase:
    """One thread calls `block`, any thread `sample_at`: the anchor is one reference, replaced whole."""

    def __init__(self, sample_rate_hz: int, time_s: float, clock_samples: int = 0) -> None:
        self._nominal = float(sample_rate_hz)
        self._anchor = Anchor(time_s, clock_samples, self._nominal)
        self._started_s = time_s
        self._due_s = time_s
        self._period_error = 0.0  # of a sample's length, relative
        self.restarts = -1
        """How often the loop lost its hold (the first block is not counted)."""

    def block(self, time_s: float, clock_samples: int, n_samples: int) -> None:
        """A block of `n_samples` from sample `clock_samples` on was asked for at `time_s`."""
        length_s = n_samples / self._nominal
        error_s = time_s - self._due_s
        if self.restarts < 0 or abs(error_s) > max(LOST_S, 2.0 * length_s):
            self.restarts += 1
            self._started_s = self._due_s = time_s
            self._period_error = error_s = 0.0
        wide = 20.0 if time_s - self._started_s < SETTLING_S else 1.0
        omega = min(2.0 * math.pi * BANDWIDTH_HZ * wide * length_s, 0.5)
        here_s = self._due_s + math.sqrt(2.0) * omega * error_s
        self._period_error += omega * omega * error_s / length_s
        self._due_s = here_s + length_s * (1.0 + self._period_error)
        self._anchor = Anchor(here_s, clock_samples, self._nominal / (1.0 + self._period_error))

    def sample_at(self, time_s: float) -> float:
        """The sample that is rendered at `time_s`, past or future."""
        anchor = self._anchor
        return anchor.clock_samples + (time_s - anchor.time_s) * anchor.samples_per_s
