"""Residuals: what the engine plays of a recording as it is, and how it begins, ends, moves and gives way."""

from dataclasses import replace

import numpy as np
import pytest

from synth.control.corners import Corner
from synth.control.events import AllSoundOff, Event, NoteOff, NoteOn, PitchBend, SetCorner, SetParameter
from synth.frames import N_PARTIALS, Float32Array
from synth.instruments.format import Instrument
from synth.voices.prepared import RESIDUAL_FADE, PreparedInstrument
from synth.voices.residual import RELEASE_S, share_of_weight
from tests.synth.voices.engine_parts import (
    HOP,
    RATE,
    Sound,
    engine,
    instrument,
    peak_frequency_hz,
    silent_rows,
    sine_level_db,
    steady,
)
from tests.synth.voices.special_parts import burst, drum, largest_step, play, pure, sine, with_fields

BLOCKS = (HOP, 64, 1000, 77)
LOW_HZ = 100.0
LOW_STEP = 0.1 * 2.0 * np.pi * LOW_HZ / RATE
"""Between two samples of `sine(100.0, ...)`: any click is much larger."""


def north_west(*events: Event) -> list[Event]:
    return [SetParameter(0, "x", 0.0), SetParameter(0, "y", 1.0), *events]


def rms_db(sound: Float32Array) -> float:
    return float(10.0 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-20))


@pytest.mark.parametrize("pitched", [True, False])
@pytest.mark.parametrize("start", [0, 1001])
def test_a_residual_is_played_to_the_sample(pitched: bool, start: int) -> None:
    residual = burst(0.5)
    out = play(pure(residual, pitched=pitched), events=[NoteOn(start)])
    assert np.all(out[:start] == 0.0)
    np.testing.assert_allclose(out[start : start + residual.size], residual, rtol=0, atol=1e-6)
    assert np.all(out[start + residual.size :] == 0.0)


def test_the_sound_does_not_depend_on_the_blocks() -> None:
    corners = drum(), instrument(steady({1: -20}))
    events: list[Event] = [
        *north_west(NoteOn(700), NoteOn(9000, 0, 64), NoteOff(12_345, 0, 60), PitchBend(13_000, 0, 1.5)),
        *(SetParameter(15_000 + 500 * i, "x", i / 20) for i in range(21)),
        SetCorner(20_001, Corner.NW, pure(sine(LOW_HZ, 1.0))),
    ]
    wanted = play(*corners, *corners, events=events)
    assert np.max(np.abs(wanted)) > 0.1
    for block in BLOCKS[1:]:
        np.testing.assert_allclose(play(*corners, *corners, events=events, block=block), wanted, rtol=0, atol=1e-6)


def test_the_key_moves_what_is_pitched_and_nothing_moves_the_rest() -> None:
    residual = sine(440.0, 0.9)
    for pitched, hz in ((True, 440.0 * 2.0 ** (7 / 12)), (False, 440.0)):
        out = play(pure(residual, pitched=pitched), events=[NoteOn(0, 0, 67), PitchBend(0, 0, 0.0)])
        assert peak_frequency_hz(out[:24_000], hz) == pytest.approx(hz, abs=1e-3)
        assert sine_level_db(out[:24_000], hz) == pytest.approx(-20.0, abs=0.02)
    bent = play(pure(residual, pitched=False), events=[NoteOn(0), PitchBend(100, 0, 2.0)])
    np.testing.assert_allclose(bent[: residual.size], residual, atol=1e-7)


def test_a_transposed_residual_ends_as_much_earlier() -> None:
    out = play(pure(sine(440.0, 0.8)), events=[NoteOn(0, 0, 72)])
    assert np.all(out[round(0.4 * RATE) + 1 :] == 0.0)
    assert np.max(np.abs(out[: round(0.39 * RATE)])) > 0.09


def test_bend_glide_and_vibrato_bend_it_without_a_step() -> None:
    events: list[Event] = [
        SetParameter(0, "glide", 0.2),
        SetParameter(0, "play_mode", 1.0),
        NoteOn(0, 0, 60),
        NoteOn(2000, 0, 65),
        SetParameter(9000, "vibrato_depth", 60.0),
        PitchBend(14_411, 0, -3.0),
        SetParameter(20_000, "vibrato_depth", 0.0),
    ]
    out = play(pure(sine(LOW_HZ, 3.0)), events=events)[2600:]
    # Second differences show a step in the slope, too: (2 pi f)^2 times the amplitude, f of key 66 at most.
    assert np.max(np.abs(np.diff(out, 2))) < LOW_STEP * 2.0 * np.pi * LOW_HZ / RATE * 2.0 ** (2 * 6 / 12)
    hz = LOW_HZ * 2.0 ** (2 / 12)
    assert peak_frequency_hz(out[26_000:], hz) == pytest.approx(hz, abs=0.02)


def test_tuning_that_is_corrected_is_corrected_in_it_too() -> None:
    corner = pure(sine(440.0, 0.9), tuning_cents=-30.0)
    for amount, cents in ((0.0, 30.0), (1.0, 0.0)):
        out = play(corner, events=[SetParameter(0, "tuning_amount", amount), NoteOn(0)])[:38_400]
        hz = 440.0 * 2.0 ** (cents / 1200.0)
        assert peak_frequency_hz(out, hz) == pytest.approx(hz, abs=0.01)


def test_velocity_level_and_envelope_act_on_it() -> None:
    residual = sine(440.0, 0.9)
    softer = play(pure(residual), events=[SetParameter(0, "velocity_depth", 1.0), NoteOn(0, velocity=50)])
    assert sine_level_db(softer[:38_400], 440.0) == pytest.approx(-20.0 + 40.0 * np.log10(0.5), abs=0.01)
    quieter = play(pure(residual), events=[SetParameter(0, "noise_level", -12.0), NoteOn(0)])
    assert sine_level_db(quieter[:38_400], 440.0) == pytest.approx(-32.0, abs=0.01)
    slow = play(pure(residual), events=[SetParameter(0, "attack", 0.5), NoteOn(0)])
    assert np.max(np.abs(slow[:480])) < 0.1 * 480 / 24_000 + 1e-3
    assert sine_level_db(slow[9600:14_400], 440.0) == pytest.approx(-20.0 + 20.0 * np.log10(0.5), abs=0.1)


def test_bands_are_silent_beside_it_and_come_back_where_it_ends() -> None:
    rows = silent_rows(200)
    rows[:, N_PARTIALS + 55 : N_PARTIALS + 63] = -40.0
    residual = sine(440.0, 0.5) * 1e-3
    residual[-RESIDUAL_FADE:] *= np.cos(np.linspace(0.0, 0.5 * np.pi, RESIDUAL_FADE)).astype(np.float32)
    plain = instrument(Sound(rows, (20, 199)))
    out = play(with_fields(plain, residual=residual), events=[NoteOn(0)])
    assert rms_db(out[: residual.size - 2 * RESIDUAL_FADE]) == pytest.approx(-83.0, abs=0.1)
    after = out[residual.size + HOP :]
    assert rms_db(after) == pytest.approx(rms_db(play(plain, events=[NoteOn(0)])[residual.size + HOP :]), abs=1e-6)
    ending = out[residual.size - RESIDUAL_FADE : residual.size + HOP].reshape(4, -1)
    levels = np.array([rms_db(part) for part in ending]) - rms_db(after)
    assert levels[0] < -6.0
    assert np.all(np.abs(levels[2:]) < 3.0)


def test_a_loop_ends_it_and_so_does_a_recorded_release() -> None:
    residual = sine(LOW_HZ, 1.0)
    for sound in (Sound(silent_rows(125), (20, 50)), Sound(silent_rows(125), release_start=50)):
        corner = with_fields(instrument(sound), residual=residual)
        out = play(corner, events=[NoteOn(0)])
        np.testing.assert_allclose(out[: 50 * HOP - RESIDUAL_FADE], residual[: 50 * HOP - RESIDUAL_FADE], atol=1e-7)
        assert np.all(out[50 * HOP :] == 0.0)
        assert largest_step(out) < 1.2 * LOW_STEP


def test_let_go_a_sound_that_decays_walks_on_and_one_that_sustains_goes_over() -> None:
    off = 9600
    residual = sine(LOW_HZ, 2.0)
    decaying = play(pure(residual), events=[NoteOn(0), NoteOff(off)])
    fall = [np.max(np.abs(decaying[first : first + 960])) for first in range(off, off + 9600, 960)]
    assert fall[0] > 0.08
    np.testing.assert_allclose(20.0 * np.diff(np.log10(fall[1:])), -4.8, atol=0.4)  # 60 dB in a quarter of a second
    sustaining = with_fields(instrument(Sound(silent_rows(250), release_start=240)), residual=residual)
    out = play(sustaining, events=[NoteOn(0), NoteOff(off)])
    end = off + round(RELEASE_S * RATE) + HOP
    assert np.max(np.abs(out[off : off + 480])) > 0.05
    assert np.all(out[end:] == 0.0)
    for sound in (decaying, out):
        assert largest_step(sound) < 1.2 * LOW_STEP


def test_a_note_from_the_middle_reads_from_the_middle_and_fades_in() -> None:
    residual = sine(LOW_HZ, 1.0)
    residual += np.float32(0.1)  # not 0 anywhere near the middle
    out = play(pure(residual), events=[SetParameter(0, "position", 0.5), NoteOn(0)])
    first = (residual.size // HOP + 1) // 2 * HOP
    np.testing.assert_allclose(out[200 : residual.size - first], residual[first + 200 :], atol=1e-6)
    assert largest_step(out[: residual.size - first - 1]) < 0.2 / 100
    assert abs(out[0]) < 0.005


def test_steals_retriggers_and_ends_do_not_click() -> None:
    out = play(
        pure(sine(LOW_HZ, 2.0)),
        events=[
            NoteOn(0),
            NoteOn(4801),  # the same key again
            *(NoteOn(9600 + 600 * i, 0, 61 + i) for i in range(8)),  # of 4 voices
            AllSoundOff(20_001),
        ],
    )
    # Voices are at most five at a time; each may fall from its crest within 3 ms.
    assert largest_step(out) < 5 * (LOW_STEP * 2.0 ** (8 / 12) + 0.1 / 144)
    assert np.all(out[20_001 + 144 + 64 :] == 0.0)


def test_unison_is_as_loud_as_one() -> None:
    one = play(pure(sine(440.0, 0.9)), events=[NoteOn(0)])
    four = play(
        pure(sine(440.0, 0.9)),
        events=[
            *(SetParameter(0, name, 0.0) for name in ("unison_detune", "unison_width")),
            SetParameter(0, "unison", 4.0),
            NoteOn(0),
        ],
    )
    np.testing.assert_allclose(four, one, atol=1e-6)


def test_the_share_of_a_weight_is_smooth_and_whole_near_a_corner() -> None:
    shares = [share_of_weight(weight) for weight in np.linspace(0.0, 1.0, 101)]
    assert shares[:51] == [0.0] * 51
    assert shares[95:] == [1.0] * 6
    assert np.all(np.diff(shares[50:96]) > 0.0)
    assert share_of_weight(0.725) == pytest.approx(0.5)


def test_on_the_way_to_another_corner_it_fades_and_comes_back() -> None:
    residual = sine(LOW_HZ, 3.0)
    corners = pure(residual), instrument(Sound(silent_rows(400), (20, 350)))
    there = [SetParameter(9600 + 96 * i, "x", i / 200) for i in range(201)]
    back = [SetParameter(48_000 + 96 * i, "x", 1.0 - i / 200) for i in range(201)]
    out = play(*corners, *corners, events=north_west(NoteOn(4800), *there, *back), seconds=2.0)
    np.testing.assert_allclose(out[4800:9600], residual[:4800], atol=1e-6)
    assert np.all(out[30_000:48_000] == 0.0)
    # It has walked on meanwhile, so it is in its place.
    np.testing.assert_allclose(out[72_000:90_000], residual[67_200:85_200], atol=1e-4)
    assert largest_step(out[4810:]) < 1.1 * LOW_STEP


def test_a_jump_to_another_residual_lets_the_old_one_end_first() -> None:
    corners = pure(sine(LOW_HZ, 2.0)), pure(sine(150.0, 2.0), pitched=False)
    out = play(*corners, *corners, events=north_west(NoteOn(4800), SetParameter(14_411, "x", 1.0)))
    assert largest_step(out[4810:]) < 0.1 * 2.0 * np.pi * 150.0 / RATE * 1.2 + 0.1 / HOP
    assert sine_level_db(out[20_000:44_000], 150.0) == pytest.approx(-20.0, abs=0.05)
    assert sine_level_db(out[20_000:44_000], LOW_HZ) < -60.0


def test_another_instrument_in_the_corner_takes_over_without_a_click() -> None:
    change = 14_411
    new = PreparedInstrument(pure(sine(150.0, 2.0), pitched=False))
    events = [SetCorner(change, corner, new) for corner in Corner]
    out = play(pure(sine(LOW_HZ, 2.0)), events=[NoteOn(0), *events])
    assert largest_step(out) < 0.1 * 2.0 * np.pi * 150.0 / RATE * 1.2 + 0.1 / HOP
    after = out[change + 4800 : change + 24_000]
    assert sine_level_db(after, 150.0) == pytest.approx(-20.0, abs=0.05)
    assert sine_level_db(after, LOW_HZ) < -60.0


def test_a_note_that_was_let_go_goes_over_to_another_residual_too() -> None:
    change = 14_411
    rows = silent_rows(300)
    rows[:, N_PARTIALS + 40] = -40.0
    banded = instrument(Sound(rows), sustains=False)
    first, second = (with_fields(banded, residual=sine(hz, 2.0)) for hz in (LOW_HZ, 150.0))
    prepared = PreparedInstrument(second)
    events: list[Event] = [SetParameter(0, "release", 10.0), NoteOn(0), NoteOff(14_000)]
    out = play(first, events=[*events, *(SetCorner(change, corner, prepared) for corner in Corner)])
    after = out[change + 4800 : change + 9600]
    assert sine_level_db(after, 150.0) > sine_level_db(after, LOW_HZ) + 20.0
    assert sine_level_db(after, 150.0) > -60.0


def test_legato_to_a_key_of_the_same_recording_goes_on_with_it() -> None:
    events: list[Event] = [SetParameter(0, "play_mode", 2.0), NoteOn(0), NoteOn(9601, 0, 62)]
    out = play(pure(sine(440.0, 2.0)), events=events)
    hz = 440.0 * 2.0 ** (2 / 12)
    for first in range(9601 + HOP, 9601 + 4800, 480):
        assert sine_level_db(out[first : first + 960], hz) == pytest.approx(-20.0, abs=0.2)
    assert largest_step(out) < 0.1 * 2.0 * np.pi * hz / RATE * 1.02


def swept(first: Instrument, second: Instrument, seconds: float = 3.0) -> Float32Array:
    """From one corner to the other while a note is held."""
    n = round(seconds * RATE)
    path = [SetParameter(9600 + i * 96, "x", i * 96 / n) for i in range(n // 96)]
    out = play(first, second, first, second, events=north_west(NoteOn(4800), *path), seconds=seconds + 0.4)
    return out[4800:]


def test_between_a_drum_and_a_flute_nothing_jumps_and_loudness_goes_evenly() -> None:
    rows = steady({1: -20, 2: -30, 3: -40}, 500).rows
    rows[:, N_PARTIALS:-1] = np.maximum(rows[:, N_PARTIALS:-1], -75.0)
    flute = instrument(Sound(rows, (20, 400), 455, seed=2))
    noise = drum(4.0, fall_db=1.0)
    out = swept(noise, flute)
    parts = [largest_step(play(part, events=[NoteOn(0)], seconds=2.0)) for part in (noise, flute)]
    assert largest_step(out) < sum(parts)
    for kind in (noise, with_fields(noise, residual=None)):
        loudness = np.array([rms_db(part) for part in swept(kind, flute)[: 14 * 9600].reshape(-1, 9600)])
        # The flute is the softer one.
        assert np.max(loudness - np.minimum.accumulate(loudness)) < 2.0


def test_two_recorded_keys_give_the_residual_of_the_nearer_one() -> None:
    low, high = pure(sine(LOW_HZ, 1.0), 60), pure(sine(150.0, 1.0), 70)
    both = replace(low, notes=(*low.notes, *high.notes))
    for key, hz in ((60, LOW_HZ), (63, LOW_HZ * 2.0 ** (3 / 12)), (67, 150.0 * 2.0 ** (-3 / 12)), (70, 150.0)):
        out = play(both, events=[NoteOn(0, 0, key)])[2400:33_600]
        assert peak_frequency_hz(out, hz) == pytest.approx(hz, abs=0.05)
        # The two notes' loudness differs by a decibel, which is blended.
        assert sine_level_db(out, hz) == pytest.approx(-20.0, abs=0.4)


def test_other_sample_rates_play_it_at_its_pitch() -> None:
    for rate in (44_100, 96_000, 192_000):
        made = engine(pure(sine(440.0, 1.0)), events=[SetParameter(0, "volume", 0.0), NoteOn(0)], sample_rate_hz=rate)
        out = made.render(rate)[: rate // 2, 0]
        assert peak_frequency_hz(out, 440.0, rate) == pytest.approx(440.0, abs=0.01)
        assert sine_level_db(out, 440.0, rate) == pytest.approx(-20.0, abs=0.02)


def test_a_drum_rings_out_and_a_loop_ends_with_its_key() -> None:
    """Drums have no dampers; a word or a loop would go on for seconds."""
    residual = burst(1.5)
    for falls_db, left_db in ((60.0, -3.0), (0.0, -40.0)):
        gain = 10.0 ** (-falls_db / 20.0 * np.arange(residual.size) / residual.size)
        made = pure((residual * gain).astype(np.float32), pitched=False)
        loudness = np.linspace(-20.0, -20.0 - falls_db, made.notes[0].n_frames).astype(np.float32)
        made = replace(made, sustains=False, notes=(replace(made.notes[0], loudness_db=loudness),))
        held, hit = (play(made, events=[NoteOn(0), *more]) for more in ([], [NoteOff(4800)]))
        change_db = rms_db(hit[36_000:48_000]) - rms_db(held[36_000:48_000])
        assert change_db > left_db if falls_db else change_db < left_db
