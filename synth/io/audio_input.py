"""Sound in: a microphone or a line, read from a ring, with its level.

The card's callback writes, without Python (`synth.io.input_ring`); whoever records reads, some times a second. A device
that goes away ends a recording: `problem` says so, and what came before it is whole.
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple, Protocol

import numpy as np

from synth.frames import Float32Array
from synth.io.input_ring import InputRing
from synth.io.jack_audio import JackInput
from synth.io.sound_cards import InputDevice, PortAudioInput, choose_input, input_devices

__all__ = ["AudioInput", "InputDevice", "InputLevel", "Levels", "choose_input", "input_devices"]

STALLED_S = 5.0
LOWEST_DBFS = -120.0
HOLD_S = 1.5
"""The highest peak stays so long."""
CLIPPED_PEAK = 0.999
"""-0.01 dBFS: converters of 16 bits end at 0.99997, and limiters in interfaces a little below."""
_CLIPPED_SAMPLES = 2
"""In a row: one alone may just be there."""


class _Stream(Protocol):
    def start(self) -> None: ...
    def close(self) -> None: ...
    @property
    def active(self) -> bool: ...


class AudioInput:
    """An open input. Use it as a context manager; one thread reads."""

    def __init__(self, wanted: str | None = None, wanted_hz: int | None = None) -> None:
        """wanted: a device as `choose_input` takes it. Raises TetradError when there is none or it does not open."""
        self.device, self.sample_rate_hz = choose_input(wanted, wanted_hz)
        self.channels = self.device.channels
        self._ring = InputRing(self.sample_rate_hz, self.channels)
        self._stream: _Stream = (
            JackInput(self._ring) if self.device.is_jack else PortAudioInput(self.device, self._ring)
        )
        self._came_s = time.monotonic()

    def __enter__(self) -> AudioInput:
        self._stream.start()
        self._came_s = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def read(self) -> Float32Array:
        """What has come since the last time, float32 [n, channels], -1..1; n may be 0."""
        sound = self._ring.read()
        if len(sound):
            self._came_s = time.monotonic()
        # Programs on a JACK server may send anything; a file of 24 bits holds this.
        return np.clip(np.nan_to_num(sound, nan=0.0), np.float32(-1.0), np.float32(1.0))

    @property
    def lost_samples(self) -> int:
        """Lost because nobody read for 10 s."""
        return self._ring.n_lost

    @property
    def interruptions(self) -> int:
        """How often the card itself lost something."""
        return self._ring.n_interruptions

    @property
    def problem(self) -> str:
        """Why nothing comes any more, in words; "" while something does."""
        if not self._stream.active:
            return f"{self.device} has gone; it was expected to stay plugged in; what came before is kept"
        if time.monotonic() - self._came_s > STALLED_S:
            return f"{self.device} has sent nothing for {STALLED_S:.0f} s; sound was expected; plug it in again"
        return ""


class Levels(NamedTuple):
    """peak_dbfs, hold_dbfs: of the last look and of the last 1.5 s, -120..0. clipped: samples at full scale in it."""

    peak_dbfs: float
    hold_dbfs: float
    clipped: int


class InputLevel:
    """A peak meter. Its time is the sound's."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._rate_hz = sample_rate_hz
        self._hold, self._held_samples = 0.0, 0
        self.n_clipped = 0
        """Samples since the start."""

    def update(self, sound: Float32Array) -> Levels:
        """sound: float32 [n, channels]."""
        magnitude = np.nan_to_num(np.abs(sound))
        peak = float(magnitude.max(initial=0.0))
        clipped = clipped_samples(magnitude)
        self.n_clipped += clipped
        self._held_samples += len(sound)
        if peak >= self._hold or self._held_samples > HOLD_S * self._rate_hz:
            self._hold, self._held_samples = peak, 0
        return Levels(dbfs(peak), dbfs(self._hold), clipped)


def clipped_samples(magnitude: Float32Array) -> int:
    """How many samples of float32 [n, channels], 0.., stand at full scale, two in a row at least."""
    at_end = magnitude >= CLIPPED_PEAK
    if np.count_nonzero(at_end) < _CLIPPED_SAMPLES:
        return 0
    beside = np.zeros_like(at_end)
    beside[1:] |= at_end[:-1]
    beside[:-1] |= at_end[1:]
    return int(np.count_nonzero(at_end & beside))


def dbfs(amplitude: float) -> float:
    """0 for full scale, at least -120."""
    return max(20.0 * math.log10(amplitude), LOWEST_DBFS) if amplitude > 1e-6 else LOWEST_DBFS
