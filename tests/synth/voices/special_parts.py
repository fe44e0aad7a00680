"""Notes that partials of strings and noise bands can't describe: with residuals, frequencies, phases of their own."""

from dataclasses import replace
from typing import Any

import numpy as np

from synth.control.events import Event, SetParameter
from synth.frames import BAND_EDGES_HZ, N_PARTIALS, Float32Array
from synth.instruments.format import Instrument
from synth.voices.engine import Engine
from tests.synth.voices.engine_parts import HOP, RATE, Sound, engine, instrument, silent_rows

UNITY = SetParameter(0, "volume", 0.0)


def sine(hz: float, seconds: float, level: float = 0.1) -> Float32Array:
    return (level * np.sin(2.0 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def burst(seconds: float, seed: int = 0, level: float = 0.1) -> Float32Array:
    """Noise that dies away to a hundredth."""
    n = round(seconds * RATE)
    fall = 10.0 ** (-2.0 * np.arange(n) / n)
    return (level * fall * np.random.default_rng(seed).standard_normal(n)).astype(np.float32)


def with_fields(made: Instrument, **fields: Any) -> Instrument:
    """All notes of an instrument with other fields."""
    return replace(made, notes=tuple(replace(note, **fields) for note in made.notes))


def pure(residual: Float32Array, pitch: int = 60, *, sustains: bool = False, **fields: Any) -> Instrument:
    """An instrument that is nothing but a residual; its frames last longer, without a loop or a release."""
    rows = silent_rows(residual.size // HOP + 2)
    made = instrument(Sound(rows, pitch=pitch), sustains=sustains)
    return with_fields(made, residual=residual, **fields)


def bell_ratios(seed: int = 3) -> Float32Array:
    """Partials far from a string's, out of order."""
    k = np.arange(1, N_PARTIALS + 1)
    ratios = k * (1.0 + 0.4 * np.random.default_rng(seed).uniform(-1.0, 1.0, N_PARTIALS))
    ratios[:5] = 1.0, 2.756, 5.404, 0.51, 3.3
    return ratios.astype(np.float32)


def play(*corners: Instrument, events: list[Event], seconds: float = 1.0, block: int = HOP) -> Float32Array:
    """float32 [n]: the left channel, rendered in blocks."""
    made: Engine = engine(*corners, events=[UNITY, *events], n_voices=4)
    n = round(seconds * RATE)
    blocks = [made.render(min(block, n - first)) for first in range(0, n, block)]
    return np.concatenate(blocks)[:, 0]


def largest_step(sound: Float32Array) -> float:
    return float(np.max(np.abs(np.diff(sound))))


def drum(seconds: float = 1.0, level: float = 0.1, fall_db: float = 40.0) -> Instrument:
    """White noise that dies away, as bands and as the residual that it is; its partials are where a recording's are."""
    n_frames = round(seconds * RATE / HOP)
    rows = silent_rows(n_frames)
    rows[:, :N_PARTIALS] = -75.0
    share = np.diff(BAND_EDGES_HZ) / (RATE / 2.0)
    fall = -fall_db * np.arange(n_frames) / n_frames
    rows[:, N_PARTIALS:-1] = 20.0 * np.log10(level) + 10.0 * np.log10(share) + fall[:, None]
    made = instrument(Sound(rows, seed=5), sustains=False)
    n = n_frames * HOP
    noise = np.random.default_rng(1).standard_normal(n)
    return with_fields(made, residual=(level * 10.0 ** (-fall_db * np.arange(n) / n / 20.0) * noise).astype(np.float32))
