"""Instruments and a decoder made from formulas, so that tests know what the engine has to play."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from synth.control.events import Event, SetParameter
from synth.frames import (
    FRAMES_PER_EMBEDDING,
    LEVEL_FLOOR_DB,
    N_BANDS,
    N_PARTIALS,
    ROW_WIDTH,
    Z_DIM,
    Float32Array,
    frame_loudness_db,
    pitch_to_hz,
)
from synth.instruments.format import Instrument, Note
from synth.voices.engine import Engine
from synth.voices.zwindow import z_windows

MODEL_ID = "analytic"
RATE = 48_000
HOP = 384


class AnalyticDecoder:
    """A smooth function of z, pitch and velocity in place of the trained network; same shapes and floor."""

    model_id = MODEL_ID

    def run(self, z_window: Float32Array, pitch: Float32Array, velocity: Float32Array) -> Float32Array:
        n = z_window.shape[0]
        z = z_window.reshape(n, 5, Z_DIM).mean(axis=1)
        k = np.arange(1, N_PARTIALS + 1)
        rows = np.full((n, ROW_WIDTH), -60.0, np.float32)
        rows[:, :N_PARTIALS] = -20.0 - 20.0 * np.log10(k) + 3.0 * z[:, :1] + z[:, 1:2] * np.sin(k)
        rows[:, :N_PARTIALS] += 0.02 * (velocity[:, None] - 100.0) - 0.05 * (pitch[:, None] - 60.0)
        rows[:, N_PARTIALS : N_PARTIALS + N_BANDS] += z[:, 2:3]
        rows[:, -1] = z[:, 3]
        return np.maximum(rows, LEVEL_FLOOR_DB)


@dataclass
class Sound:
    """The measured frames of a note: rows float32 [T, 165], and where its loop and its release are."""

    rows: Float32Array
    loop: tuple[int, int] = (0, 0)
    release_start: int | None = None
    pitch: int = 60
    velocity: int = 100
    tuning_cents: float = 0.0
    inharmonicity: float = 0.0
    seed: int = 0


def silent_rows(n_frames: int) -> Float32Array:
    rows = np.full((n_frames, ROW_WIDTH), LEVEL_FLOOR_DB, np.float32)
    rows[:, -1] = 0.0
    return rows


def steady(partials: dict[int, float], n_frames: int = 200, **more: Any) -> Sound:
    """Constant levels: {partial number: dB}; loops over frames 20 to 150, then a release of 60 dB in 40 frames."""
    rows = silent_rows(n_frames)
    for partial, level_db in partials.items():
        rows[:, partial - 1] = level_db
    release = n_frames - 45
    fall = np.minimum(np.arange(n_frames) - release, 40).clip(0) * 1.5
    rows[:, :-1] = np.maximum(rows[:, :-1] - fall[:, None].astype(np.float32), LEVEL_FLOOR_DB)
    return Sound(rows, (20, 150), release, **more)


def note(sound: Sound) -> Note:
    """A note whose detail corrects the analytic decoder to the measured rows, as `tetrad instruments` makes it."""
    n_frames = sound.rows.shape[0]
    n_z = -(-n_frames // FRAMES_PER_EMBEDDING)
    z = np.random.default_rng(sound.seed).standard_normal((n_z, Z_DIM)).astype(np.float32)
    full = lambda value: np.full(n_frames, value, np.float32)  # noqa: E731
    decoded = AnalyticDecoder().run(
        z_windows(z, np.arange(n_frames, dtype=np.float64)), full(sound.pitch), full(sound.velocity)
    )
    f0_hz = float(pitch_to_hz(sound.pitch + sound.tuning_cents / 100.0))
    return Note(
        pitch=sound.pitch,
        velocity=sound.velocity,
        tuning_cents=sound.tuning_cents,
        inharmonicity=sound.inharmonicity,
        z=z,
        detail=sound.rows - decoded,
        loudness_db=frame_loudness_db(
            sound.rows[:, :N_PARTIALS], sound.rows[:, N_PARTIALS:-1], f0_hz, sound.inharmonicity
        ),
        loop_start=sound.loop[0],
        loop_end=sound.loop[1],
        release_start=n_frames if sound.release_start is None else sound.release_start,
    )


def instrument(*sounds: Sound, sustains: bool = True, name: str = "test") -> Instrument:
    notes = tuple(sorted((note(sound) for sound in sounds), key=lambda n: (n.pitch, n.velocity)))
    return Instrument(name, name, "organ", sustains, "nobody", "CC0", "a formula", MODEL_ID, notes)


def engine(*corners: Instrument, events: Sequence[Event] = (), **options: Any) -> Engine:
    """An engine with one instrument in all corners, or four. The recordings' detail is whole everywhere on the surface:
    this decoder has learned nothing that could take its place in the middle."""
    made = Engine(corners * 4 if len(corners) == 1 else corners, AnalyticDecoder(), **options)
    made.push(SetParameter(0, "middle_detail", 1.0))
    for event in events:
        assert made.push(event)
    return made


def sine_level_db(signal: Float32Array, frequency_hz: float, rate: int = RATE) -> float:
    """Level of a sinusoid in a signal, dB, by correlation with a Hann window (a full-scale sine is 0 dB)."""
    window = np.hanning(signal.size)
    turn = np.exp(-2j * np.pi * frequency_hz * np.arange(signal.size) / rate)
    return float(20.0 * np.log10(2.0 * abs(np.sum(signal * window * turn)) / np.sum(window) + 1e-12))


def peak_frequency_hz(signal: Float32Array, near_hz: float, rate: int = RATE) -> float:
    """Frequency of the strongest sinusoid within 10 % of `near_hz`: parabola through a log spectrum, padded 8 times."""
    spectrum = np.abs(np.fft.rfft(signal * np.blackman(signal.size), 8 * signal.size))
    step = rate / (8 * signal.size)
    low, high = int(0.9 * near_hz / step), int(1.1 * near_hz / step)
    top = low + int(np.argmax(spectrum[low:high]))
    a, b, c = np.log(spectrum[top - 1 : top + 2])
    return float((top + 0.5 * (a - c) / (a - 2.0 * b + c)) * step)


def cents(found_hz: float, wanted_hz: float) -> float:
    return float(1200.0 * np.log2(found_hz / wanted_hz))
