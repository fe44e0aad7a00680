"""The effects alone: sound in, sound out, with changes at their samples."""

from collections.abc import Iterable

import numpy as np

from synth.control.parameters import INDEX
from synth.frames import Float32Array, Float64Array
from synth.jit import njit
from synth.voices.effects import apply_effects, make_effects
from synth.voices.renderer import MAX_BLOCK
from synth.voices.segments import MixRing

RATE = 48_000
Change = tuple[int, str, float]

SCRATCH = np.dtype([("mix", np.float32, (2, MAX_BLOCK))])


@njit()
def _apply(effects, changes, written, scratch, clock, n_samples):  # type: ignore[no-untyped-def]
    """As the engine calls it, with a mix that is a field: compiled for an array too, the effects take 10 s more."""
    apply_effects(*effects, changes, written, scratch[0].mix, clock, n_samples)


class Rack:
    """Effects at 48 kHz with parameters `set_to` from the beginning."""

    def __init__(self, rate: int = RATE, /, **set_to: float) -> None:
        self.ring = MixRing()
        self.effects = make_effects(rate)
        self.clock = 0
        self.at(*((0, name, value) for name, value in set_to.items()))

    def at(self, *changes: Change) -> None:
        for time, name, value in changes:
            assert self.ring.push(time, INDEX[name], value)

    def process(self, sound: Float32Array, blocks: Iterable[int] = ()) -> Float32Array:
        """float32 [n, 2] through the effects, in blocks of these sizes and then of 128."""
        out = np.array(sound, np.float32).T.copy()
        sizes = iter(blocks)
        first = 0
        while first < out.shape[1]:
            size = min(next(sizes, 128), MAX_BLOCK, out.shape[1] - first)
            scratch = np.zeros(1, SCRATCH)
            mix = scratch["mix"][0]
            mix[:, :size] = out[:, first : first + size]
            _apply(tuple(self.effects), self.ring.changes, self.ring.written, scratch, self.clock, size)
            self.ring.counts[1] = self.effects.state["read"][0]
            out[:, first : first + size] = mix[:, :size]
            self.clock += size
            first += size
        return out.T

    @property
    def awake(self) -> list[int]:
        return [int(flag) for flag in self.effects.state["awake"][0]]


def click(seconds: float, rate: int = RATE, at: int = 0) -> Float32Array:
    """A full-scale sample in both channels, then silence."""
    sound = np.zeros((round(seconds * rate), 2), np.float32)
    sound[at] = 1.0
    return sound


def sine(seconds: float, hz: float, amplitude: float = 0.25, rate: int = RATE) -> Float32Array:
    t = np.arange(round(seconds * rate)) / rate
    return np.repeat((amplitude * np.sin(2.0 * np.pi * hz * t))[:, None], 2, axis=1).astype(np.float32)


def noise(seconds: float, seed: int = 0, rate: int = RATE) -> Float32Array:
    """Independent noise left and right, RMS 0.1."""
    return (0.1 * np.random.default_rng(seed).standard_normal((round(seconds * rate), 2))).astype(np.float32)


def fall_time_s(response: Float64Array, rate: int = RATE, band_hz: float | None = None) -> float:
    """Time to fall by 60 dB: the line through -5 to -35 dB of Schroeder's backward integral of an impulse response [n].

    band_hz: in the octave around it, cut out by a squared cosine over log frequency, which rings less than 10 ms.
    """
    if band_hz is not None:
        spectrum = np.fft.rfft(response, 2 * response.size)
        octaves = np.log2(np.maximum(np.fft.rfftfreq(2 * response.size, 1.0 / rate), 1.0) / band_hz)
        response = np.fft.irfft(spectrum * np.cos(0.5 * np.pi * np.clip(octaves, -1.0, 1.0)) ** 2)[: response.size]
    left = np.cumsum(response[::-1] ** 2)[::-1]
    level = 10.0 * np.log10(left / left[0] + 1e-30)
    inside = (level <= -5.0) & (level >= -35.0)
    slope = np.polyfit(np.flatnonzero(inside) / rate, level[inside], 1)[0]
    return float(-60.0 / slope)
