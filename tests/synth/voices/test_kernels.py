"""The parts of the engine one by one, against formulas that are not theirs."""

import numpy as np
import pytest

from synth.frames import BAND_EDGES_HZ, N_BANDS, N_PARTIALS, k_weighting_db
from synth.voices.envelope import envelope_gain, held_fade_db, held_position
from synth.voices.noise import NOISE_CELL, noise_loops
from synth.voices.oscillators import OSCILLATOR_CELL, add_partials, initial_phases, sine_of_phase
from synth.voices.prepared import PreparedInstrument, smooth_over_partials
from synth.voices.tick import amplitude_of_db, k_power
from tests.synth.voices.engine_parts import instrument, steady


def test_sine_of_phase() -> None:
    phases = np.linspace(0, 2**32 - 1, 10_001).astype(np.uint32)
    found = np.array([sine_of_phase(phase) for phase in phases])
    np.testing.assert_allclose(found, np.sin(2.0 * np.pi * phases / 2.0**32), atol=3e-7)


@pytest.mark.parametrize("n_samples", [1, 3, 4, 31, OSCILLATOR_CELL])
def test_partials_are_sines_with_ramped_amplitudes(n_samples: int) -> None:
    generator = np.random.default_rng(n_samples)
    phase = initial_phases(1)
    increment = generator.integers(0, 2**31, N_PARTIALS, dtype=np.uint32)
    amplitude = generator.random(N_PARTIALS).astype(np.float32) / N_PARTIALS
    slope = (generator.standard_normal(N_PARTIALS) * 1e-5).astype(np.float32)
    n = np.arange(n_samples)
    turns = (phase.astype(np.int64) + n[:, None] * increment.astype(np.int64)) / 2.0**32
    wanted = np.sum((amplitude + slope * n[:, None]) * np.sin(2.0 * np.pi * (turns % 1.0)), axis=1)
    out = np.zeros(n_samples, np.float32)
    before = phase.copy()
    scratch = np.zeros((4, N_PARTIALS), np.float32)
    add_partials(out, n_samples, phase, increment, amplitude, slope, N_PARTIALS, scratch)
    np.testing.assert_allclose(out, wanted, atol=2e-6)
    np.testing.assert_array_equal(phase, (before.astype(np.int64) + n_samples * increment.astype(np.int64)) % 2**32)


def test_noise_loops_are_flat_in_their_bands_and_repeat_without_a_seam() -> None:
    samples, starts, lengths = noise_loops(48_000, 0)
    assert len(set(lengths.tolist())) == N_BANDS
    for band in (0, 20, 63):
        loop = samples[starts[band] : starts[band] + lengths[band]]
        assert np.sqrt(np.mean(loop.astype(np.float64) ** 2)) == pytest.approx(1.0, abs=1e-4)
        power = np.abs(np.fft.rfft(loop)) ** 2
        hz = np.fft.rfftfreq(loop.size, 1 / 48_000)
        inside = (hz >= BAND_EDGES_HZ[band] - 1.0) & (hz <= BAND_EDGES_HZ[band + 1] + 1.0)
        assert power[~inside].sum() < 1e-6 * power.sum()
        end = starts[band] + lengths[band]
        np.testing.assert_array_equal(samples[end : end + NOISE_CELL], loop[:NOISE_CELL])
    edge = int(np.argmax(BAND_EDGES_HZ > 8_000.0))
    low_rate, low_starts, low_lengths = noise_loops(16_000, 0)
    silent = low_rate[low_starts[edge + 1] : low_starts[edge + 1] + low_lengths[edge + 1]]
    assert np.all(silent == 0.0)


def test_k_power_is_the_k_weighting_of_the_frames() -> None:
    hz = np.geomspace(20.0, 20_000.0, 200)
    found = 10.0 * np.log10([k_power(frequency) for frequency in hz])
    np.testing.assert_allclose(found, k_weighting_db(hz), atol=1e-3)


def test_amplitude_of_db() -> None:
    levels_db = np.linspace(-700.0, 700.0, 10_001)
    found = np.array([amplitude_of_db(level) for level in levels_db], np.float64)
    # float32 knows a level of 700 dB to 3e-5 dB.
    np.testing.assert_allclose(found, 10.0 ** (levels_db / 20.0), rtol=1e-5)
    near = np.linspace(-120.0, 24.0, 1001).astype(np.float32)
    found = np.array([amplitude_of_db(level) for level in near], np.float64)
    np.testing.assert_allclose(found, 10.0 ** (near.astype(np.float64) / 20.0), rtol=2e-6)


def test_a_held_position_turns_at_both_ends_of_its_loop() -> None:
    walk = [held_position(float(frame), 4, 7, 20) for frame in range(15)]
    assert walk == [0, 1, 2, 3, 4, 5, 6, 7, 6, 5, 4, 5, 6, 7, 6]
    assert held_position(1e9 + 0.25, 4, 7, 20) == pytest.approx(held_position(0.25 + 1e9 % 6 + 6, 4, 7, 20))


def test_a_held_position_without_a_loop_stops_and_fades() -> None:
    assert [held_position(float(frame), 0, 0, 3) for frame in range(6)] == [0, 1, 2, 3, 3, 3]
    assert [held_fade_db(float(frame), 0, 0, 3, 0.5) for frame in range(6)] == [0, 0, 0, 0, -0.5, -1.0]
    assert held_fade_db(100.0, 4, 7, 20, 0.5) == 0.0


def test_envelope_gain_is_neutral_by_default_and_follows_its_stages() -> None:
    assert [envelope_gain(seconds, 0.0, 0.0, 0.0) for seconds in (0.0, 1.0, 1e4)] == [1.0, 1.0, 1.0]
    assert envelope_gain(0.5, 2.0, 1.0, -20.0) == pytest.approx(0.25)
    assert envelope_gain(2.5, 2.0, 1.0, -20.0) == pytest.approx(10 ** (-10 / 20))
    assert envelope_gain(9.0, 2.0, 1.0, -20.0) == pytest.approx(0.1)


def test_smoothing_keeps_slopes_and_levels_what_alternates() -> None:
    slope = np.arange(N_PARTIALS, dtype=np.float32)[None]
    np.testing.assert_allclose(smooth_over_partials(slope)[0, 2:-2], slope[0, 2:-2], atol=1e-4)
    alternating = np.where(np.arange(N_PARTIALS) % 2, 9.0, -9.0).astype(np.float32)[None]
    assert np.max(np.abs(smooth_over_partials(alternating)[0, 2:-2])) < 1.1


def test_notes_are_chosen_around_the_key_and_the_velocity() -> None:
    layers = [(48, 40), (48, 100), (60, 100), (72, 30), (72, 127)]
    prepared = PreparedInstrument(instrument(*(steady({1: -20}, pitch=p, velocity=v) for p, v in layers)))
    chosen = prepared.choose(51, 70)
    found = {layers[note]: weight for note, weight in zip(chosen.notes, chosen.weights, strict=True)}
    assert found == pytest.approx({(48, 40): 0.375, (48, 100): 0.375, (60, 100): 0.25})
    # Key 60 has no layer as soft as 70: a quarter of 40 log10(70 / 100).
    assert chosen.velocity_db == pytest.approx(0.25 * 40.0 * np.log10(0.7))
    assert prepared.choose(20, 100).notes == (1,)
    assert prepared.choose(100, 127).notes == (4,)
