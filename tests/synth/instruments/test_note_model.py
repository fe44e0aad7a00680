"""Bells, noise and strings: which of the three descriptions a note gets, and whether it is right."""

import numpy as np
import pytest

from synth.frames import N_PARTIALS, SAMPLE_RATE_HZ, Float32Array
from synth.instruments.analysis import NoteAnalysis, analyse_note
from synth.instruments.free_partials import find_free_partials, number_partials, window_lengths
from synth.instruments.note_model import model_note
from synth.instruments.resynthesis import noise_share, residual_presence, resynthesise
from synth.lsd import log_spectral_distance_db

N = 2 * SAMPLE_RATE_HZ
TIME_S = np.arange(N) / SAMPLE_RATE_HZ
F0_HZ = 523.2511
BELL = np.array([0.5, 1.0, 1.183, 1.506, 2.0, 2.514, 2.662, 3.011, 4.166, 5.433, 6.796])
"""Of a church bell: hum, strike note, tierce, quint, nominal and the next."""


def struck(ratios: np.ndarray, decay_s: np.ndarray, level_db: np.ndarray) -> Float32Array:
    parts = [
        10.0 ** (db / 20.0) * np.cos(2.0 * np.pi * (F0_HZ * r * TIME_S + 0.13 * i)) * np.exp(-TIME_S / d)
        for i, (r, d, db) in enumerate(zip(ratios, decay_s, level_db, strict=True))
    ]
    return np.sum(parts, axis=0).astype(np.float32)


def bell() -> Float32Array:
    return struck(BELL, 2.0 / BELL, -12.0 - 3.0 * np.arange(BELL.size))


def rendered(analysis: NoteAnalysis, n_samples: int = N, phases: bool = True) -> Float32Array:
    return resynthesise(
        analysis.frames,
        analysis.f0_hz,
        analysis.inharmonicity,
        n_samples,
        ratios=analysis.ratios,
        phases=analysis.phases if phases else None,
    )


def test_a_bells_partials_are_found() -> None:
    found = np.sort(find_free_partials(bell()))
    distance = np.abs(found[:, None] - F0_HZ * BELL).min(axis=0)
    assert distance.max() < 0.5
    assert found.size <= BELL.size + 5


def test_side_lobes_of_a_partial_are_none() -> None:
    ratios = np.array([1.0, 2.76, 5.4, 8.93])  # of a bar
    assert find_free_partials(struck(ratios, 1.0 / ratios, np.full(4, -14.0))).size == 4


def test_a_partial_that_dies_within_a_tenth_of_a_second_is_found() -> None:
    sound = struck(np.array([1.0, 7.37]), np.array([1.5, 0.03]), np.array([-12.0, -6.0]))
    assert np.abs(find_free_partials(sound) - 7.37 * F0_HZ).min() < 3.0


def test_noise_has_next_to_no_partials() -> None:
    noise = (0.1 * np.random.default_rng(3).standard_normal(N)).astype(np.float32)
    assert find_free_partials(noise).size <= 3
    assert not model_note(noise, 60).pitched


def test_a_bell_gets_partials_of_its_own_and_a_string_does_not() -> None:
    sound = bell()
    model, law = model_note(sound, 72), analyse_note(sound, 72)
    assert model.pitched
    assert model.ratios is not None
    loud = model.frames.partial_db.max(axis=0) > -70.0
    distance = np.abs(model.ratios[loud][:, None] * model.f0_hz / F0_HZ - BELL).min(axis=0)
    assert distance.max() < 0.002
    assert model.ratios[0] == pytest.approx(1.0, abs=0.001)  # the strike note, not the hum
    assert log_spectral_distance_db(sound, rendered(model)) < 0.5 * log_spectral_distance_db(sound, rendered(law))
    k = np.arange(1.0, 25.0)
    stiff = struck(k * np.sqrt(1.0 + 3e-4 * k * k), 1.0 / k, -6.0 - k)
    string = model_note(stiff, 72)
    assert string.pitched
    assert string.ratios is None
    assert string.inharmonicity == pytest.approx(3e-4, rel=0.05)


def test_start_phases_give_the_attack_its_shape() -> None:
    for sound, pitch in ((bell(), 72), (struck(np.arange(1.0, 9.0), np.full(8, 0.5), np.full(8, -20.0)), 72)):
        model = model_note(sound, pitch)
        early = slice(96, 2400)
        right, drawn = rendered(model)[early], rendered(model, phases=False)[early]
        assert np.corrcoef(right, sound[early])[0, 1] > 0.97
        assert abs(np.corrcoef(drawn, sound[early])[0, 1]) < 0.9


def test_partials_take_the_nearest_harmonic_number_that_is_free() -> None:
    columns = number_partials(F0_HZ * np.array([0.5, 1.9, 2.0, 1.0, 3.2, 99.0, 150.0]), F0_HZ)
    # 2, 1, 99 and 100 go to those beside them; then hum and quint, in this order, find the rest.
    assert columns.tolist() == [2, 3, 1, 0, 4, 98, 99]
    everything = number_partials(np.linspace(30.0, 19_000.0, N_PARTIALS), F0_HZ)
    assert sorted(everything.tolist()) == list(range(N_PARTIALS))


def test_windows_follow_the_nearest_neighbour() -> None:
    lengths = window_lengths(np.array([1000.0, 1050.0, 5000.0, 9000.0]))
    assert lengths.tolist() == [4097, 4097, 769, 769]
    assert window_lengths(np.array([30.0]))[0] == 8193


def test_beside_a_residual_the_noise_keeps_the_power() -> None:
    presence, share = residual_presence(4800, 9600), noise_share(4800, 9600)
    np.testing.assert_allclose(presence**2 + share**2, 1.0, atol=1e-6)
    assert np.all(presence[:3840] == 1.0)
    assert np.all(presence[4800:] == 0.0)
