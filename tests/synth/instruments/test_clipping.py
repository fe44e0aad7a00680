"""Clipped peaks are found, told from a waveform's own flat tops, and drawn anew."""

import numpy as np
import pytest

from synth.frames import Float32Array
from synth.instruments.clipping import clipped_runs, repair_channels, repair_clipping

RATE_HZ = 48_000


def tone(f0_hz: float, seconds: float = 1.0) -> Float32Array:
    """A decaying tone of many partials that peaks at 1, with a little noise."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    partials = range(1, min(20, int(18_000 / f0_hz)))
    wave = np.exp(-time_s) * sum(0.8**k * np.sin(2.0 * np.pi * k * f0_hz * time_s + k * k) for k in partials)
    noise = 1e-4 * np.random.default_rng(3).standard_normal(time_s.size)
    return np.asarray(wave / np.abs(wave).max() + noise, np.float32)


def quantised(audio: Float32Array, bits: int) -> Float32Array:
    return np.asarray(np.round(audio * 2.0 ** (bits - 1)) / 2.0 ** (bits - 1), np.float32)


@pytest.mark.parametrize(("f0_hz", "limit"), [(41.2, 0.9), (110.0, 0.9), (110.0, 0.7), (440.0, 0.9), (440.0, 0.7)])
@pytest.mark.parametrize("bits", [16, 24])
def test_what_was_clipped_is_found_and_drawn_anew(f0_hz: float, limit: float, bits: int) -> None:
    whole = tone(f0_hz)
    clipped = quantised(np.clip(whole, -limit, limit), bits)
    repaired, clipping = repair_clipping(clipped, RATE_HZ)
    lost = np.abs(whole) > limit
    assert clipping.n_samples == pytest.approx(np.count_nonzero(lost), rel=0.02)
    assert np.array_equal(repaired[~lost], clipped[~lost])
    error_before = np.sum((clipped - whole)[lost] ** 2)
    error_after = np.sum((repaired - whole)[lost] ** 2)
    assert error_after < error_before / 100.0  # 20 dB; 24 to 45 were measured


def test_pairs_of_high_notes_are_found_by_where_they_would_have_gone() -> None:
    whole = tone(1_760.0)
    clipped = quantised(np.clip(whole, -0.7, 0.7), 16)
    found = clipped_runs(clipped)
    lengths = found[:, 1] - found[:, 0]
    assert lengths.max() == 2
    assert lengths.sum() in {np.count_nonzero(whole > 0.7), np.count_nonzero(whole < -0.7)}  # the other has single ones
    repaired, _ = repair_clipping(clipped, RATE_HZ)
    touched = repaired != clipped
    assert np.sum((repaired - whole)[touched] ** 2) < 0.5 * np.sum((clipped - whole)[touched] ** 2)


@pytest.mark.parametrize("bits", [8, 16, 24])
@pytest.mark.parametrize("f0_hz", [27.5, 41.2, 110.0, 1_000.0, 3_000.0])
def test_the_tops_of_sines_are_not_clipped(f0_hz: float, bits: int) -> None:
    time_s = np.arange(RATE_HZ) / RATE_HZ
    sine = quantised((0.99 * np.sin(2.0 * np.pi * f0_hz * time_s + 0.1)).astype(np.float32), bits)
    repaired, clipping = repair_clipping(sine, RATE_HZ)
    assert clipping == (0, 0)
    assert repaired is sine


def test_pairs_at_the_tops_of_a_periodic_sine_are_not_clipped() -> None:
    """Its peaks lie half-way between two samples, which are equal, period for period."""
    sine = quantised((0.9 * np.cos(2.0 * np.pi * (np.arange(RATE_HZ) + 0.5) / 16.0)).astype(np.float32), 16)
    assert repair_clipping(sine, RATE_HZ)[1] == (0, 0)


def test_a_square_wave_keeps_its_tops() -> None:
    square = (0.8 * np.sign(np.sin(2.0 * np.pi * 220.5 * np.arange(RATE_HZ) / RATE_HZ))).astype(np.float32)
    repaired, _ = repair_clipping(square, RATE_HZ)
    assert np.array_equal(repaired, square)


def test_too_much_is_left_alone_and_said() -> None:
    clipped = np.clip(20.0 * tone(110.0), -1.0, 1.0)
    repaired, clipping = repair_clipping(clipped, RATE_HZ)
    assert clipping.n_samples > 0.3 * clipped.size
    assert clipping.n_repaired < 0.1 * clipping.n_samples
    assert np.abs(repaired).max() <= 2.0


@pytest.mark.parametrize(
    "audio", [np.zeros(100), np.ones(100), np.r_[np.zeros(9), 1, 1, 1, 1, np.zeros(9)], np.ones(1)]
)
def test_what_is_too_short_to_predict_from_is_left_alone(audio: Float32Array) -> None:
    samples = audio.astype(np.float32)
    assert np.array_equal(repair_clipping(samples, RATE_HZ)[0], samples)


def test_channels_are_repaired_each_by_itself() -> None:
    whole = tone(220.0)
    clipped = np.clip(whole, -0.8, 0.8)
    repaired, clipping = repair_channels(np.stack([0.5 * whole, clipped], axis=1), RATE_HZ)
    assert np.array_equal(repaired[:, 0], 0.5 * whole)
    assert np.array_equal(repaired[:, 1], repair_clipping(clipped, RATE_HZ)[0])
    assert clipping.n_samples == clipping.n_repaired == np.count_nonzero(np.abs(whole) > 0.8)
