"""Which notes keep a part of their recording, how much of it, and what it is good for."""

import numpy as np
import pytest

from synth.frames import HOP, SAMPLE_RATE_HZ, Float32Array
from synth.instruments.analysis import NoteAnalysis
from synth.instruments.note_model import model_note
from synth.instruments.residual import choose_residual, distance_over_time_db, rise_ms, with_end
from synth.instruments.resynthesis import resynthesise
from synth.lsd import log_spectral_distance_db

N = SAMPLE_RATE_HZ
TIME_S = np.arange(N) / SAMPLE_RATE_HZ


def tone() -> Float32Array:
    parts = [np.sin(2.0 * np.pi * 220.0 * k * TIME_S + k * k) / k for k in range(1, 12)]
    return (0.2 * np.sum(parts, axis=0) * np.exp(-2.0 * TIME_S)).astype(np.float32)


def noise(seconds_to_decay: float) -> Float32Array:
    wave = np.random.default_rng(7).standard_normal(N) * np.exp(-TIME_S / seconds_to_decay)
    return (0.3 * wave).astype(np.float32)


def rendered(analysis: NoteAnalysis, residual: Float32Array | None) -> Float32Array:
    return resynthesise(
        analysis.frames,
        analysis.f0_hz,
        analysis.inharmonicity,
        N,
        ratios=analysis.ratios,
        phases=analysis.phases,
        residual=residual,
    )


def test_the_mean_over_time_is_the_log_spectral_distance() -> None:
    one, other = noise(0.2), (0.7 * noise(0.15) + tone()).astype(np.float32)
    whole = log_spectral_distance_db(one, other)
    over_time = distance_over_time_db(one, other)
    assert over_time.shape == (125,)
    assert float(over_time.mean()) == pytest.approx(whole, rel=0.03)


def test_a_difference_is_seen_when_it_is_there() -> None:
    changed = tone()
    changed[24_000:28_800] *= 2.0
    over_time = distance_over_time_db(tone(), changed)
    assert over_time[65:72].min() > 0.3
    assert over_time[:50].max() < 0.01
    assert over_time[90:].max() < 0.01


def test_a_plain_tone_needs_none() -> None:
    model = model_note(tone(), 57)
    kept = choose_residual(tone(), model, N)
    assert kept.samples is None
    assert kept.before_db == kept.after_db < 1.0


def test_a_burst_of_noise_is_kept_until_it_is_silent() -> None:
    burst = noise(0.03)
    model = model_note(burst, 60)
    kept = choose_residual(burst, model, N)
    assert kept.samples is not None
    silent_from = int(np.flatnonzero(np.abs(burst) > np.abs(burst).max() * 10.0**-3.5)[-1])
    assert kept.samples.size == silent_from + 960
    assert kept.before_db > 10.0 * kept.after_db
    sound = rendered(model, kept.samples)
    assert log_spectral_distance_db(burst, sound) == pytest.approx(kept.after_db, abs=0.05)
    assert kept.after_db < 0.2


def test_a_click_before_a_tone_is_kept_and_the_tone_is_not() -> None:
    sound = tone()
    click = 0.8 * np.random.default_rng(2).standard_normal(960) * np.exp(-np.arange(960) / 150.0)
    sound[200:1160] += click.astype(np.float32)
    model = model_note(sound, 57)
    kept = choose_residual(sound, model, N)
    assert kept.samples is not None
    assert 10 * HOP <= kept.samples.size < N // 4
    assert abs(kept.samples[-1]) < 1e-4
    assert kept.after_db < kept.before_db
    with_click = rendered(model, kept.samples)[200:1160]
    assert np.corrcoef(with_click, sound[200:1160])[0, 1] > 0.97
    assert np.corrcoef(rendered(model, None)[200:1160], sound[200:1160])[0, 1] < 0.7


def test_a_sharp_onset_stays_sharp() -> None:
    pulses = sum(np.cos(2.0 * np.pi * 50.0 * k * TIME_S) for k in range(1, 60))
    sound = (0.01 * pulses * np.exp(-3.0 * TIME_S)).astype(np.float32)  # the first pulse is half a one, at sample 0
    model = model_note(sound, 31.35)
    assert rise_ms(sound) < 2
    assert rise_ms(rendered(model, None)) >= 10
    kept = choose_residual(sound, model, N)
    assert kept.samples is not None
    assert rise_ms(rendered(model, kept.samples)) < 2


def test_it_ends_with_the_loop() -> None:
    roll = noise(1e9)
    kept = choose_residual(roll, model_note(roll, 60), 20_000)
    assert kept.samples is not None
    assert kept.samples.size == 20_000


def test_the_end_fades() -> None:
    faded = with_end(np.ones(5000, np.float32), 4000)
    assert faded.size == 4000
    assert np.all(faded[:3040] == 1.0)
    assert faded[-1] < 0.002
    assert np.all(np.diff(faded[3040:]) <= 0.0)
