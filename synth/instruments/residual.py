"""How much of the recording itself a note must keep, because its partials and noise bands say it badly.

A residual is what the partials leave of the recording, from its first sample. What it is needed for is measured: the
note is played without it, and compared with the recording frame by frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth.frames import HOP, SAMPLE_RATE_HZ, Float32Array
from synth.instruments.analysis import NoteAnalysis
from synth.instruments.resynthesis import (
    RESIDUAL_FADE_SAMPLES,
    fade_in,
    noise_share,
    render_noise,
    render_partials,
    residual_presence,
)
from synth.lsd import FLOOR, STFT_SIZES

ATTACK_FRAMES = 8
"""64 ms, the frames that `ATTACK_DB` is about."""


@dataclass(frozen=True)
class Limits:
    """How far a note may be from its recording, dB of the log-spectral distance.

    `whole_db` over the whole note and `attack_db` over its attack, without a residual; what a residual leaves, on
    average over the note, is at most `left_db`.
    """

    whole_db: float
    attack_db: float
    left_db: float


LAW = Limits(3.0, 3.0, 2.0)
"""An instrument with strings or pipes has a whole residual if it is one of the worst tenth (chorused pads), and one
for its attack if hammer or bow are a sound of their own."""
FREE = Limits(1.0, 2.0, 0.5)
NOISE = Limits(0.0, 0.0, 0.1)
"""Noise bands are a hiss in the right colour: words and drum rolls can't be known from it, whatever the distance."""
SHORTEST_FRAMES, LENGTH_STEP = 10, 1.25
"""80 ms; each length that is tried is a quarter longer than the one before."""
SHARP_MS = 10
"""An onset that rises within this time must stay as sharp."""
SILENCE = 10.0 ** (-70.0 / 20.0)
"""A residual ends where it stays this far below the recording's peak."""


@dataclass(frozen=True)
class Kept:
    """`samples` float32 [N] with their fade, or None; the distance in dB without and with them."""

    samples: Float32Array | None
    before_db: float
    after_db: float


def choose_residual(audio: Float32Array, analysis: NoteAnalysis, last_sample: int) -> Kept:
    """The shortest residual that brings the note near enough to its recording, none if it is near without.

    `audio` float32 [N] is what `analysis` is of, `analysis.rest` not None. The residual ends at `last_sample` at the
    latest: a note with a loop has none after it.
    """
    if analysis.rest is None:
        raise ValueError("the analysis has no rest")
    n_samples = audio.size
    tone = render_partials(
        analysis.frames,
        analysis.f0_hz,
        analysis.inharmonicity,
        n_samples,
        ratios=analysis.ratios,
        phases=analysis.phases,
    )
    tone *= fade_in(n_samples)
    noise = render_noise(analysis.frames, n_samples) * fade_in(n_samples)
    distance = distance_over_time_db(audio, tone + noise)
    before_db = float(distance.mean())
    blunt = rise_ms(audio) < SHARP_MS <= rise_ms(tone + noise)
    end = _end(audio, analysis, distance, blunt, min(last_sample, n_samples))
    if end == 0:
        return Kept(None, before_db, before_db)
    kept = with_end(analysis.rest, end)
    with_residual = tone + noise * noise_share(end, n_samples)
    with_residual[:end] += kept
    return Kept(kept, before_db, float(distance_over_time_db(audio, with_residual).mean()))


def with_end(residual: Float32Array, end: int) -> Float32Array:
    """The first `end` samples, the last 20 ms of them fading, float32 [end]."""
    return (residual[:end] * residual_presence(end, end)).astype(np.float32)


def rise_ms(audio: Float32Array) -> int:
    """From 10 to 90 % of the peak of the first 200 ms, by the peaks of each millisecond."""
    millisecond = SAMPLE_RATE_HZ // 1000
    envelope = np.abs(audio[: audio.size // millisecond * millisecond]).reshape(-1, millisecond).max(axis=1)[:200]
    return int(np.argmax(envelope >= 0.9 * envelope.max()) - np.argmax(envelope >= 0.1 * envelope.max()))


def _end(audio: Float32Array, analysis: NoteAnalysis, distance_db: Float32Array, blunt: bool, last_sample: int) -> int:
    """Where the residual ends, in samples; 0 for none. `blunt`: the onset needs one, however small the distance."""
    limits = NOISE if not analysis.pitched else LAW if analysis.ratios is None else FREE
    assert analysis.rest is not None
    peak = max(float(np.abs(audio).max()), 1e-9)
    heard = np.flatnonzero(np.abs(analysis.rest) > peak * SILENCE)
    last_sample = min(last_sample, int(heard[-1]) + RESIDUAL_FADE_SAMPLES if heard.size else 0)
    left_db = np.append(np.cumsum(distance_db[::-1])[::-1], 0.0) / distance_db.size  # by what starts at each frame
    n_frames = 0
    if blunt or left_db[0] > limits.whole_db or float(distance_db[:ATTACK_FRAMES].mean()) > limits.attack_db:
        n_frames = SHORTEST_FRAMES
        while left_db[0] > limits.whole_db and n_frames < left_db.size - 1 and left_db[n_frames] > limits.left_db:
            n_frames = round(n_frames * LENGTH_STEP)
    end = min(n_frames * HOP, last_sample)
    if end > 0.7 * last_sample:  # the rest of it costs little more, and has no seam
        end = last_sample
    return end if end >= RESIDUAL_FADE_SAMPLES else 0


def distance_over_time_db(source: Float32Array, rendered: Float32Array) -> Float32Array:
    """`log_spectral_distance_db` in single precision, for each frame of 8 ms: float32 [ceil(N / 384)].

    Its mean is the distance, but for the ends of the recording.
    """
    n_frames = -(-source.size // HOP)
    scale = 1.0 / max(float(np.abs(source).max()), 1e-9)
    total = np.zeros(n_frames, dtype=np.float32)
    at = np.arange(n_frames) * HOP
    for size in STFT_SIZES:
        window = (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)).astype(np.float32)
        window *= np.float32(2.0 * scale / window.sum())
        distance = np.abs(_level(source, window) - _level(rendered[: source.size], window)).mean(axis=1)
        hop = size // 4
        if hop < HOP:  # the mean of the frames of each 8 ms
            edges = np.append(at, source.size) / hop
            sums = np.interp(edges, np.arange(distance.size + 1), np.concatenate([[0.0], np.cumsum(distance)]))
            total += np.diff(sums) / np.maximum(np.diff(edges), 1e-9)
        else:
            total += np.interp(at, np.arange(distance.size) * hop, distance)
    return total / np.float32(len(STFT_SIZES))


def _level(signal: Float32Array, window: Float32Array) -> Float32Array:
    """dB float32 [frames, size / 2 + 1], as `synth.lsd` has them."""
    size = window.size
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(signal, size // 2), size)[:: size // 4]
    spectrum = np.fft.rfft(frames * window, axis=1)
    return np.asarray(20.0 * np.log10(np.abs(spectrum) + np.float32(FLOOR)), dtype=np.float32)
