"""Partials at frequencies of their own, notes that no key moves, and phases that a recording began with."""

import numpy as np
import pytest

from synth.control.events import Event, NoteOn, PitchBend, SetParameter
from synth.frames import N_BANDS, N_PARTIALS, Float32Array, frame_loudness_db, pitch_to_hz
from synth.instruments.format import Instrument
from synth.voices.oscillators import initial_phases
from synth.voices.stretch import fill_free, fill_law
from tests.synth.voices.engine_parts import RATE, cents, instrument, peak_frequency_hz, sine_level_db, steady
from tests.synth.voices.special_parts import bell_ratios, largest_step, play, with_fields

F0_HZ = float(pitch_to_hz(60))
LEVELS = {1: -20.0, 2: -25.0, 3: -30.0, 4: -28.0, 5: -26.0}
RATIOS = bell_ratios()


def loudness_at(frequencies_hz: Float32Array, levels: dict[int, float]) -> float:
    """K-weighted loudness, dB, of partials anywhere, each measured by itself as a fundamental."""
    silent_bands = np.full((1, N_BANDS), -120.0, np.float32)
    power = 0.0
    for k, level_db in levels.items():
        alone = np.full((1, N_PARTIALS), -120.0, np.float32)
        alone[0, 0] = level_db
        power += 10.0 ** (float(frame_loudness_db(alone, silent_bands, float(frequencies_hz[k - 1]), 0.0)[0]) / 10.0)
    return float(10.0 * np.log10(power))


def bell(levels: dict[int, float] = LEVELS, *, pitched: bool = True, tuning_cents: float = 0.0) -> Instrument:
    """Steady partials at RATIOS, with the loudness that they have there."""
    made = with_fields(instrument(steady(levels, tuning_cents=tuning_cents)), ratios=RATIOS, pitched=pitched)
    there = loudness_at(F0_HZ * 2.0 ** (tuning_cents / 1200.0) * RATIOS, levels)
    harmonic = loudness_at(F0_HZ * 2.0 ** (tuning_cents / 1200.0) * np.arange(1, 101), levels)
    return with_fields(made, loudness_db=made.notes[0].loudness_db + np.float32(there - harmonic))


def placed(x: float, *events: Event) -> list[Event]:
    return [SetParameter(0, "x", x), SetParameter(0, "y", 1.0), *events]


@pytest.mark.parametrize("key", [60, 53, 84])
def test_partials_are_where_the_ratios_put_them_above_the_key(key: int) -> None:
    f0_hz = float(pitch_to_hz(key))
    out = play(bell(), events=[NoteOn(0, 0, key)])[4800:]
    for k, level_db in LEVELS.items():
        wanted = f0_hz * float(RATIOS[k - 1])
        assert abs(cents(peak_frequency_hz(out, wanted), wanted)) < 0.05
        if key == 60:
            assert sine_level_db(out, wanted) == pytest.approx(level_db, abs=0.02)


def test_what_no_key_moves_stays_in_pitch_and_level() -> None:
    corner = bell(pitched=False, tuning_cents=20.0)
    f0_hz = F0_HZ * 2.0 ** (20 / 1200)
    cases: list[list[Event]] = [[NoteOn(0, 0, 67)], [NoteOn(0), PitchBend(0, 0, 3.0)], [NoteOn(0, 0, 48)]]
    for events in cases:
        out = play(corner, events=events)[9600:]
        for k, level_db in LEVELS.items():
            wanted = f0_hz * float(RATIOS[k - 1])
            assert abs(cents(peak_frequency_hz(out, wanted), wanted)) < 0.05
            assert sine_level_db(out, wanted) == pytest.approx(level_db, abs=0.02)


def test_an_unpitched_sound_of_strings_stays_too() -> None:
    corner = with_fields(instrument(steady({1: -20, 10: -20}, inharmonicity=1e-3)), pitched=False)
    out = play(corner, events=[NoteOn(0, 0, 72)])[4800:]
    for k in (1, 10):
        wanted = F0_HZ * k * np.sqrt(1.0 + 1e-3 * k * k)
        assert abs(cents(peak_frequency_hz(out, wanted), wanted)) < 0.05
        assert sine_level_db(out, wanted) == pytest.approx(-20.0, abs=0.02)


@pytest.mark.parametrize("x", [0.25, 0.5, 0.75])
def test_between_corners_partials_are_between_in_log_frequency(x: float) -> None:
    levels = {2: -20.0, 5: -20.0}
    corners = bell(levels), instrument(steady(levels, inharmonicity=1e-3, seed=2))
    out = play(*corners, *corners, events=placed(x, NoteOn(4800)))[9600:]
    for k in levels:
        law = k * np.sqrt(1.0 + 1e-3 * k * k)
        wanted = F0_HZ * float(RATIOS[k - 1]) ** (1.0 - x) * law**x
        assert abs(cents(peak_frequency_hz(out, wanted), wanted)) < 0.05


def test_the_way_between_corners_is_smooth_in_frequency() -> None:
    corners = bell({4: -20.0}), instrument(steady({4: -20.0}, seed=2))
    moving = [SetParameter(9600 + 96 * i, "x", i / 300) for i in range(301)]
    out = play(*corners, *corners, events=placed(0.0, NoteOn(4800), *moving))[4900:]
    crossings = np.flatnonzero(np.diff(np.signbit(out)))
    exact = crossings + out[crossings] / (out[crossings] - out[crossings + 1])
    octaves = np.log2(RATE / 2.0 / np.diff(exact) / F0_HZ)
    assert octaves[0] == pytest.approx(np.log2(RATIOS[3]), abs=1e-3)
    assert octaves[-1] == pytest.approx(2.0, abs=1e-3)
    # Three octaves in 0.6 s, and a half-wave lasts 1 to 3.6 ms.
    assert np.all(np.diff(octaves) > -1e-3)
    assert np.max(np.diff(octaves)) < 0.04
    assert largest_step(out) < 0.1 * 2.0 * np.pi * 4.0 * F0_HZ / RATE * 1.02


def test_leaving_and_coming_back_to_the_law_ends_on_the_law_exactly() -> None:
    law = instrument(steady({3: -20.0}, inharmonicity=1e-3, seed=2))
    corners = bell({3: -20.0}), law
    path = [SetParameter(9600, "x", 0.5), SetParameter(19_200, "x", 1.0)]
    out = play(*corners, *corners, events=placed(1.0, NoteOn(4800), *path))
    wanted = F0_HZ * 3.0 * np.sqrt(1.0 + 9e-3)
    for part in (out[5000:9500], out[26_000:]):
        assert abs(cents(peak_frequency_hz(part, wanted), wanted)) < 0.2


def test_recorded_phases_start_a_note_and_others_start_as_ever() -> None:
    phases = np.zeros(N_PARTIALS, np.uint8)
    phases[[0, 2]] = 64, 200
    made = instrument(steady({1: -20, 3: -26}))
    seconds = np.arange(4800) / RATE
    out = play(with_fields(made, phases=phases), events=[NoteOn(777)])[777 : 777 + 4800]
    turns = F0_HZ * seconds
    wanted = 0.1 * np.cos(2 * np.pi * (turns + 0.25)) + 10 ** (-26 / 20) * np.cos(2 * np.pi * (3 * turns + 200 / 256))
    np.testing.assert_allclose(out[40:], wanted[40:], atol=2e-5)
    plain = play(made, events=[NoteOn(777)])[777 : 777 + 4800]
    drawn = initial_phases(0) / 2.0**32
    wanted = 0.1 * np.sin(2 * np.pi * (turns + drawn[0])) + 10 ** (-26 / 20) * np.sin(
        2 * np.pi * (3 * turns + drawn[2])
    )
    np.testing.assert_allclose(plain[40:], wanted[40:], atol=2e-5)


def test_the_heaviest_corner_s_phases_count_and_unison_keeps_its_own() -> None:
    def phased(turn: int, seed: int) -> Instrument:
        return with_fields(instrument(steady({1: -20}, seed=seed)), phases=np.full(N_PARTIALS, turn, np.uint8))

    corners = phased(64, 0), phased(128, 1), instrument(steady({1: -20}, seed=2)), instrument(steady({1: -20}, seed=3))
    for x, turn in ((0.3, 0.25), (0.8, 0.5)):
        events = [SetParameter(0, "x", x), SetParameter(0, "y", 0.6), NoteOn(9600)]
        out = play(*corners, events=events)[9600 : 9600 + 2400]
        basis = np.exp(2j * np.pi * (F0_HZ * np.arange(2400) / RATE))
        found = np.angle(np.sum(out[100:] * np.hanning(2300) * np.conj(basis[100:]))) / (2 * np.pi)
        assert (found - turn + 0.5) % 1.0 - 0.5 == pytest.approx(0.0, abs=1e-3)
    events = [SetParameter(0, "unison", 2.0), NoteOn(0)]
    ours, plain = (play(made, events=events) for made in (corners[0], with_fields(corners[0], phases=None)))
    np.testing.assert_array_equal(ours, plain)


def test_a_note_from_the_middle_does_not_use_the_phases_of_its_beginning() -> None:
    made = instrument(steady({1: -20}))
    events = [SetParameter(0, "position", 0.5), NoteOn(0)]
    phased = with_fields(made, phases=np.full(N_PARTIALS, 64, np.uint8))
    np.testing.assert_array_equal(play(phased, events=events), play(made, events=events))


def test_the_blend_of_frequencies_is_the_law_s_where_nothing_is_free() -> None:
    law, free = np.zeros(N_PARTIALS), np.zeros(N_PARTIALS)
    fill_law(law, 2e-4, N_PARTIALS)
    k = np.arange(1, N_PARTIALS + 1)
    np.testing.assert_allclose(law, k * np.sqrt(1.0 + 2e-4 * k * k), rtol=1e-12)
    octaves = np.log2(RATIOS.astype(np.float64))
    for share in (1e-9, 0.3, 1.0):
        fill_free(free, (1.0 - share) * 2e-4, share, share * octaves)
        np.testing.assert_allclose(np.log2(free), share * octaves + (1.0 - share) * np.log2(law), atol=1e-7)
