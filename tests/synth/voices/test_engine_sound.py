"""What is heard: pitch, level, spectrum, in corners and between them."""

import numpy as np
import pytest

from synth.control.events import ChannelLevel, ModWheel, NoteOff, NoteOn, Pan, PitchBend, SetParameter
from synth.errors import TetradError
from synth.frames import BAND_EDGES_HZ, LEVEL_FLOOR_DB, N_PARTIALS, Float32Array, frame_loudness_db, pitch_to_hz
from synth.instruments.format import Instrument
from tests.synth.voices.engine_parts import (
    HOP,
    RATE,
    Sound,
    cents,
    engine,
    instrument,
    peak_frequency_hz,
    silent_rows,
    sine_level_db,
    steady,
)

UNITY = SetParameter(0, "volume", 0.0)


def play(
    *corners: Instrument, key: int = 60, velocity: int = 100, seconds: float = 1.0, **set_to: float
) -> Float32Array:
    """One held note at 0 dB volume with parameters set before it; float32 [n]."""
    settings = [UNITY, *(SetParameter(0, name, value) for name, value in set_to.items())]
    return engine(*corners, events=[*settings, NoteOn(0, 0, key, velocity)]).render(int(seconds * RATE))[:, 0]


def test_a_held_note_has_the_pitch_and_the_levels_of_its_frames() -> None:
    out = play(instrument(steady({1: -20, 2: -30, 7: -40})))[4800:43_200]
    f0_hz = float(pitch_to_hz(60))
    assert abs(cents(peak_frequency_hz(out, f0_hz), f0_hz)) < 0.05
    for partial, level_db in {1: -20, 2: -30, 7: -40}.items():
        assert sine_level_db(out, partial * f0_hz) == pytest.approx(level_db, abs=0.01)
    assert sine_level_db(out, 3 * f0_hz) < -100.0


def test_inharmonic_partials_are_where_fletcher_puts_them() -> None:
    out = play(instrument(steady({1: -30, 10: -20}, inharmonicity=1e-3)))[4800:43_200]
    wanted = float(pitch_to_hz(60)) * 10 * np.sqrt(1.0 + 1e-3 * 100)
    assert abs(cents(peak_frequency_hz(out, wanted), wanted)) < 0.05


@pytest.mark.parametrize("key", [24, 59, 61, 96])
def test_other_keys_have_their_own_pitch(key: int) -> None:
    out = play(instrument(steady({1: -20})), key=key)[4800:43_200]
    assert abs(cents(peak_frequency_hz(out, float(pitch_to_hz(key))), float(pitch_to_hz(key)))) < 0.1


def test_recorded_mistuning_is_corrected_unless_it_is_wanted() -> None:
    corner = instrument(steady({1: -20}, tuning_cents=30.0))
    for amount, shift in ((0.0, 0.0), (1.0, 30.0)):
        out = play(corner, tuning_amount=amount)[4800:43_200]
        assert cents(peak_frequency_hz(out, 262.0), float(pitch_to_hz(60))) == pytest.approx(shift, abs=0.1)


def test_pitch_bend_and_detune_are_ratios() -> None:
    events = [UNITY, NoteOn(0), PitchBend(9600, 0, 2.0), SetParameter(9600, "detune", -50.0)]
    out = engine(instrument(steady({1: -20})), events=events).render(RATE)[14_400:, 0]
    assert cents(peak_frequency_hz(out, 290.0), float(pitch_to_hz(60))) == pytest.approx(150.0, abs=0.1)


def test_mod_wheel_makes_vibrato_of_its_depth_and_rate() -> None:
    out = engine(instrument(steady({1: -20})), events=[UNITY, ModWheel(0, 0, 1.0), NoteOn(0)]).render(RATE)[:, 0]
    crossings = np.flatnonzero(np.diff(np.signbit(out)))
    exact = crossings + out[crossings] / (out[crossings] - out[crossings + 1])
    pitch = 1200.0 * np.log2(RATE / 2.0 / np.diff(exact) / float(pitch_to_hz(60)))
    assert np.max(pitch) == pytest.approx(50.0, abs=2.0)
    assert np.min(pitch) == pytest.approx(-50.0, abs=2.0)
    smooth = np.convolve(pitch, np.ones(9) / 9, mode="valid")
    assert np.count_nonzero(np.diff(np.signbit(smooth))) == pytest.approx(2 * 5.5, abs=1.0)


def test_glide_slides_from_the_key_before() -> None:
    events = [UNITY, SetParameter(0, "glide", 0.5), NoteOn(0, 0, 60), NoteOff(4800, 0, 60), NoteOn(24_000, 0, 72)]
    out = engine(instrument(steady({1: -20})), events=events).render(72_000)[:, 0]
    # A quarter of a second in, half an octave to go.
    assert cents(peak_frequency_hz(out[34_800:37_200], 370.0), float(pitch_to_hz(66))) == pytest.approx(0.0, abs=25.0)
    assert abs(cents(peak_frequency_hz(out[52_800:], 523.0), float(pitch_to_hz(72)))) < 0.1


def measured(seed: int, n_frames: int = 120) -> Sound:
    """Rows that differ in every entry and every frame: partials, bands, deviation."""
    generator = np.random.default_rng(seed)
    rows = silent_rows(n_frames)
    rows[:, :N_PARTIALS] = -35.0 + 8.0 * generator.standard_normal((n_frames, N_PARTIALS))
    rows[:, N_PARTIALS:-1] = -70.0 + 5.0 * generator.standard_normal((n_frames, 64))
    rows[:, -1] = 3.0 * generator.standard_normal(n_frames)
    return Sound(rows, release_start=100, pitch=48, seed=seed, inharmonicity=2e-5)


@pytest.mark.parametrize(("place", "index"), [((0, 1), 0), ((1, 1), 1), ((0, 0), 2), ((1, 0), 3)])
def test_in_a_corner_the_measured_frames_are_played_exactly(place: tuple[float, float], index: int) -> None:
    """The segments sent for frames 0, 1, 2, ... are the recording's, held and released, whatever the network says."""
    sounds = [measured(seed) for seed in range(4)]
    made = engine(*(instrument(sound) for sound in sounds))
    for name, value in zip("xy", place, strict=True):
        made.push(SetParameter(0, name, float(value)))
    made.push(NoteOn(0, 0, 48))
    made.push(NoteOff(100 * HOP, 0, 48))
    bank = made._conductor._bank
    frames = []
    made.advance(1)
    for frame in range(119):
        made.advance(32 if frame == 0 else frame * HOP)
        frames.append(bank["level_to"][np.argmax(bank["state"])].copy())
        made.render_into(np.empty((made._conductor.clock_samples - made.clock_samples, 2), np.float32))
    wanted = sounds[index].rows[:119, :-1]
    found = 20.0 * np.log10(np.maximum(np.array(frames), 1e-9))
    audible = wanted > -99.0
    assert np.count_nonzero(audible) > 15_000
    np.testing.assert_allclose(found[audible], wanted[audible], atol=1e-3)


def test_between_corners_levels_blend_in_db_at_the_loudness_between() -> None:
    """Odd partials against even ones: in dB they meet in near silence, and the loudness match makes up for it."""
    west, east = silent_rows(200), silent_rows(200)
    west[:, [0, 2]], west[:, [1, 3]] = -20.0, -50.0
    east[:, [0, 2]], east[:, [1, 3]] = -50.0, -20.0
    sides = [instrument(Sound(rows, (20, 150), 155)) for rows in (west, east)]
    out = play(sides[0], sides[1], sides[0], sides[1], x=0.5)[9600:43_200]
    f0_hz = float(pitch_to_hz(60))
    levels = [sine_level_db(out, k * f0_hz) for k in range(1, 5)]
    # The mean of -20 and -50 everywhere, and up by what brings loudness to the mean of the corners'.
    blended = silent_rows(1)[:, :N_PARTIALS]
    blended[:, :4] = -35.0
    bands = np.full((1, 64), LEVEL_FLOOR_DB, np.float32)
    loudness = [frame_loudness_db(side[:1, :N_PARTIALS], bands, f0_hz, 0.0)[0] for side in (west, east)]
    up = np.mean(loudness) - frame_loudness_db(blended, bands, f0_hz, 0.0)[0]
    assert up > 5.0
    np.testing.assert_allclose(levels, -35.0 + up, atol=0.1)


def test_between_recorded_pitches_and_velocities_levels_are_interpolated() -> None:
    corner = instrument(
        *(
            steady({1: level}, pitch=pitch, velocity=velocity)
            for pitch, velocity, level in ((60, 60, -40), (60, 100, -20), (64, 60, -36), (64, 100, -16))
        )
    )
    for key, velocity, level_db in ((60, 100, -20), (60, 80, -30), (63, 100, -17), (61, 70, -34)):
        out = play(corner, key=key, velocity=velocity)[9600:43_200]
        assert sine_level_db(out, float(pitch_to_hz(key))) == pytest.approx(level_db, abs=0.2)


def test_velocity_changes_the_level_where_no_layer_does() -> None:
    corner = instrument(steady({1: -20}, velocity=100))
    for depth, drop_db in ((0.0, 0.0), (0.5, 20.0 * np.log10(2.0)), (1.0, 40.0 * np.log10(2.0))):
        out = play(corner, velocity=50, velocity_depth=depth)[9600:43_200]
        assert sine_level_db(out, float(pitch_to_hz(60))) == pytest.approx(-20.0 - drop_db, abs=0.1)


def test_formants_stay_where_they_are_when_the_key_moves() -> None:
    """A hump at partial 20 of key 48 is at partial 10 of key 60: 2.6 kHz in both."""
    rows = silent_rows(200)
    k = np.arange(1, N_PARTIALS + 1)
    rows[:, :N_PARTIALS] = -60.0 + 30.0 * np.exp(-(((k - 20) / 4.0) ** 2))
    rows[:, 60:N_PARTIALS] = LEVEL_FLOOR_DB
    corner = instrument(Sound(rows, (20, 150), 155, pitch=48))
    out = play(corner, key=60)[9600:43_200]
    f0_hz = float(pitch_to_hz(60))
    levels = [sine_level_db(out, n * f0_hz) for n in range(1, 26)]
    assert 9 <= 1 + int(np.argmax(levels)) <= 11
    assert levels[19] < max(levels) - 15.0


def test_noise_has_the_level_of_its_bands_in_its_bands() -> None:
    rows = silent_rows(400)
    rows[:, N_PARTIALS + 30] = -30.0
    out = play(instrument(Sound(rows, (20, 350), 355)), seconds=3.0)[9600:]
    spectrum = np.abs(np.fft.rfft(out * np.hanning(out.size))) ** 2
    hz = np.fft.rfftfreq(out.size, 1.0 / RATE)
    inside = (hz > BAND_EDGES_HZ[30] - 5.0) & (hz < BAND_EDGES_HZ[31] + 5.0)
    assert spectrum[inside].sum() / spectrum.sum() > 0.999
    assert 20.0 * np.log10(np.sqrt(np.mean(out**2))) == pytest.approx(-30.0, abs=0.7)


def test_noises_of_voices_add_in_power_and_channels_are_independent() -> None:
    rows = silent_rows(400)
    rows[:, N_PARTIALS + 40 : N_PARTIALS + 50] = -40.0
    corner = instrument(Sound(rows, (20, 350), 355))
    one, four = (
        engine(corner, events=[UNITY, *(NoteOn(0, 0, 60 + i) for i in range(n))]).render(RATE)[9600:] for n in (1, 4)
    )
    power = [float(np.mean(out**2)) for out in (one, four)]
    assert 10.0 * np.log10(power[1] / power[0]) == pytest.approx(6.02, abs=0.1)
    assert abs(float(np.corrcoef(one[:, 0], one[:, 1])[0, 1])) < 0.1


def test_pan_volume_and_expression() -> None:
    corner = instrument(steady({1: -20}))
    f0_hz = float(pitch_to_hz(60))
    events = [UNITY, ChannelLevel(0, 0, volume_db=-3.0, expression_db=-4.0), Pan(0, 0, -1.0), NoteOn(0)]
    out = engine(corner, events=events).render(RATE)[9600:]
    assert sine_level_db(out[:, 0], f0_hz) == pytest.approx(-27.0 + 3.01, abs=0.02)
    assert np.max(np.abs(out[:, 1])) < 1e-6


def test_brightness_tilts_around_one_kilohertz() -> None:
    out = play(instrument(steady({1: -30, 4: -30, 16: -30})), brightness=3.0)[9600:43_200]
    f0_hz = float(pitch_to_hz(60))
    for partial in (1, 4, 16):
        tilt_db = 3.0 * np.log2(partial * f0_hz / 1000.0)
        assert sine_level_db(out, partial * f0_hz) == pytest.approx(-30.0 + tilt_db, abs=0.05)


def test_corner_level_and_noise_level() -> None:
    rows = silent_rows(200)
    rows[:, 0], rows[:, N_PARTIALS + 40] = -20.0, -30.0
    corner = instrument(Sound(rows, (20, 150), 155))
    plain = play(corner, x=1.0, y=0.0)[9600:]
    soft = play(corner, x=1.0, y=0.0, level_se=-10.0)[9600:]
    np.testing.assert_allclose(soft, plain * 10 ** (-10 / 20), atol=1e-5)
    f0_hz = float(pitch_to_hz(60))
    silent = play(corner, noise_level=-60.0)[9600:]
    t = np.arange(silent.size) / RATE
    basis = np.stack([np.sin(2 * np.pi * f0_hz * t), np.cos(2 * np.pi * f0_hz * t)], axis=1)
    rest = silent - basis @ np.linalg.lstsq(basis, silent, rcond=None)[0]
    assert np.std(rest) == pytest.approx(10 ** (-90 / 20), rel=0.5)


def test_partials_fade_out_below_the_nyquist_frequency() -> None:
    out = play(instrument(steady(dict.fromkeys(range(1, 61), -45.0), pitch=84)), key=84)[4800:43_200]
    f0_hz = float(pitch_to_hz(84))
    assert sine_level_db(out, 19 * f0_hz) > -50.0
    for image in range(24, 45):
        assert sine_level_db(out, RATE - image * f0_hz) < -95.0


def test_six_fortissimo_notes_do_not_clip() -> None:
    """At the default volume, with notes as loud as the loudest of a shipped instrument (-20 dB K-weighted)."""
    sound = steady({k: -18.0 - 6.0 * np.log2(k) for k in range(1, 20)}, velocity=127)
    corner = instrument(sound)
    assert float(corner.notes[0].loudness_db[0]) == pytest.approx(-20.0, abs=1.5)
    out = engine(corner, events=[NoteOn(0, 0, key, 127) for key in (48, 55, 60, 64, 67, 72)]).render(RATE)
    assert 0.1 < np.max(np.abs(out)) < 0.89


def test_the_limiter_keeps_everything_below_one_and_little_below_its_threshold() -> None:
    loud = engine(instrument(steady({1: 0.0})), events=[SetParameter(0, "volume", 12.0), NoteOn(0)]).render(9600)
    assert 0.97 < np.max(np.abs(loud)) <= 1.0
    assert np.max(np.abs(np.diff(loud[100:], axis=0))) < 4.0 * 2 * np.pi * 261.63 / RATE


def test_an_instrument_of_another_network_is_refused() -> None:
    foreign = instrument(steady({1: -20}))
    foreign = Instrument(**{**foreign.__dict__, "model_id": "other"})
    with pytest.raises(TetradError, match="other"):
        engine(foreign)


@pytest.mark.parametrize("x", [0.2, 0.3, 0.5, 0.7, 0.9])
def test_a_stiff_string_keeps_its_pitch_on_the_way_to_a_bright_sound(x: float) -> None:
    """The corner's own mellow levels hide what its stretched partials say; another sound's levels would tell it."""
    stiff = instrument(steady({1: -20, 2: -32, 3: -36, 4: -40}, pitch=60, inharmonicity=1.2e-3))
    bright = instrument(steady({1: -36, 2: -26, 3: -26, 4: -26}, pitch=60))
    events = [SetParameter(0, "x", x), SetParameter(0, "y", 1.0), NoteOn(0)]
    out = engine(stiff, bright, stiff, bright, events=events).render(48_000)[4800:, 0]
    f0_hz = float(pitch_to_hz(60))
    first, *others = partials = [peak_frequency_hz(out, k * f0_hz) / k for k in (1, 2, 3, 4)]
    knows = [k**2 * 10.0 ** (sine_level_db(out, k * hz) / 10.0) for k, hz in enumerate(partials, 1)]
    heard = float(np.average([cents(hz, f0_hz) for hz in partials], weights=knows))
    assert others[2] > others[1] > others[0] > first  # stretched they are
    assert heard > 2.0 * abs(cents(first, f0_hz) + heard)  # in tune half-way between what first and all four say
