"""Notes in time: loops, releases, pedal, stealing, silence; and never a click."""

import numpy as np
import pytest

from synth.control.events import (
    AllNotesOff,
    AllSoundOff,
    Event,
    NoteOff,
    NoteOn,
    PitchBend,
    ResetControllers,
    SetParameter,
    SustainPedal,
)
from synth.frames import N_PARTIALS, Float32Array, pitch_to_hz
from synth.instruments.format import Instrument
from tests.synth.voices.engine_parts import HOP, RATE, Sound, engine, instrument, silent_rows, sine_level_db, steady

UNITY = SetParameter(0, "volume", 0.0)
F0_HZ = float(pitch_to_hz(60))
AMPLITUDE = 0.1
SLOPE = AMPLITUDE * 2.0 * np.pi * F0_HZ / RATE
"""Largest step from sample to sample of the test note, a sine of -20 dB."""


def sine() -> Instrument:
    return instrument(steady({1: -20}))


def level_db(signal: Float32Array) -> float:
    return float(20.0 * np.log10(np.sqrt(2.0 * np.mean(signal.astype(np.float64) ** 2)) + 1e-12))


def largest_step(signal: Float32Array) -> float:
    return float(np.max(np.abs(np.diff(signal, axis=0))))


def test_onset_is_a_ramp_of_two_thirds_of_a_millisecond() -> None:
    out = engine(sine(), events=[UNITY, NoteOn(100)]).render(2000)
    assert largest_step(out) < SLOPE + AMPLITUDE / 32


@pytest.mark.parametrize(
    "events",
    [
        [NoteOff(24_007, 0, 60)],
        [PitchBend(24_007, 0, 2.0), PitchBend(26_000, 0, -2.0)],
        [SetParameter(24_007, "x", 1.0), SetParameter(25_000, "y", 0.0), SetParameter(25_100, "y", 1.0)],
        [SetParameter(24_007, "brightness", 6.0), SetParameter(25_007, "brightness", 0.0)],
        [SetParameter(24_007, "volume", -60.0), SetParameter(30_007, "volume", 0.0)],
        [AllSoundOff(24_007, 0)],
        [SetParameter(24_007, "detune", 100.0), SetParameter(24_007, "vibrato_depth", 100.0)],
    ],
    ids=["off", "bend", "xy", "brightness", "volume", "sound off", "pitch"],
)
def test_no_event_steps_more_than_the_signal_itself(events: list[Event]) -> None:
    loud, soft = steady({1: -20}), steady({1: -26}, seed=1)
    corners = [instrument(sound) for sound in (loud, soft, soft, loud)]
    out = engine(*corners, events=[UNITY, NoteOn(0), *events]).render(RATE)[4800:]
    # A bend of two semitones is 12 % steeper; a fade over 3 ms adds 1/144 of the amplitude.
    assert largest_step(out) < 1.13 * SLOPE + AMPLITUDE / 144
    assert np.max(np.abs(out)) > 0.04


@pytest.mark.parametrize("end", [AllSoundOff(24_000 + 200, 0), NoteOn(24_000 + 200, 0, 61, 1)], ids=["cut", "steal"])
def test_a_ramp_is_cut_short_where_it_is(end: Event) -> None:
    """The level rises from nothing to -20 dB within one frame, and the note ends half-way up."""
    rows = silent_rows(200)
    rows[2:, 0] = -20.0
    events = [UNITY, NoteOn(24_000 - HOP), end]
    out = engine(instrument(Sound(rows, (20, 150), 155)), events=events, n_voices=1).render(24_700)
    assert 0.03 < np.max(np.abs(out)) < 0.07
    assert largest_step(out) < SLOPE + AMPLITUDE / 144


def test_retrigger_and_steal_do_not_click() -> None:
    events = [UNITY, SetParameter(0, "attack", 0.05), NoteOn(0), NoteOn(24_007), NoteOn(36_003), NoteOff(36_500, 0, 60)]
    out = engine(sine(), events=events, n_voices=1).render(RATE)[4800:]
    assert largest_step(out) < 2.0 * SLOPE + 2.0 * AMPLITUDE / 144


def test_a_loop_has_no_seam() -> None:
    """Levels and pitch swing in the recording; over four turns of the loop nothing jumps or leaves the range."""
    rows = silent_rows(200)
    rows[:, 0] = -20.0 + 3.0 * np.sin(np.arange(200) / 7.0)
    rows[:, -1] = 5.0 * np.sin(np.arange(200) / 11.0)
    sound = Sound(rows, (40, 97), 155)
    out = engine(instrument(sound), events=[UNITY, NoteOn(0)]).render(4 * RATE)[: 4 * RATE, 0]
    assert largest_step(out[4800:]) < 1.02 * SLOPE * 10 ** (3 / 20)
    levels = [level_db(out[first : first + 960]) for first in range(40 * HOP, out.size - 960, 480)]
    inside = rows[40:98, 0]
    assert np.min(levels) > np.min(inside) - 0.3
    assert np.max(levels) < np.max(inside) + 0.3
    assert np.max(np.abs(np.diff(levels))) < 1.5 * np.max(np.abs(np.diff(inside))) * 480 / HOP


def test_a_note_that_does_not_sustain_goes_on_to_decay_and_ends() -> None:
    rows = silent_rows(125)
    rows[:, 0] = -20.0 - 0.16 * np.arange(125)  # 20 dB a second
    made = engine(instrument(Sound(rows, release_start=124), sustains=False), events=[UNITY, NoteOn(0)])
    out = made.render(3 * RATE)[:, 0]
    for second in (0.5, 1.5, 2.5):
        at = int(second * RATE)
        assert level_db(out[at - 1200 : at + 1200]) == pytest.approx(-20.0 - 20.0 * second, abs=1.0)
    made.render(2 * RATE)
    assert made.status()["voices"] == 0


def test_a_release_is_the_recorded_one_when_the_note_was_as_long() -> None:
    rows = silent_rows(200)
    rows[:, 0] = -20.0
    rows[150:, 0] = -20.0 - 0.7 * np.arange(50) + 3.0 * np.sin(np.arange(50))
    rows[150, 0] = -20.0
    sound = Sound(rows, (20, 150), 150)
    out = engine(instrument(sound), events=[UNITY, NoteOn(0), NoteOff(150 * HOP, 0, 60)]).render(197 * HOP)[:, 0]
    amplitude = 10 ** (rows[:198, 0] / 20)
    wanted = np.interp(np.arange(197 * HOP), np.arange(198) * HOP, amplitude)
    t = np.arange(197 * HOP) / RATE
    basis = np.stack([np.sin(2 * np.pi * F0_HZ * t), np.cos(2 * np.pi * F0_HZ * t)], axis=1) * wanted[:, None]
    fit = np.linalg.lstsq(basis[64:], out[64:], rcond=None)[0]
    assert np.hypot(*fit) == pytest.approx(1.0, abs=1e-4)
    np.testing.assert_allclose(out[64:], (basis @ fit)[64:], atol=2e-5)


@pytest.mark.parametrize("off_s", [0.1, 0.31, 3.0])
def test_a_release_begins_where_the_note_is(off_s: float) -> None:
    """Let go early or late, at another level than the recording's: no jump, and then the recorded slope."""
    rows = silent_rows(200)
    rows[:, 0] = -20.0 - 0.1 * np.minimum(np.arange(200), 100)
    rows[150:, 0] -= 1.0 * np.arange(50)  # 125 dB a second
    sound = Sound(rows, (60, 149), 150)
    off = int(off_s * RATE)
    out = engine(instrument(sound), events=[UNITY, NoteOn(0), NoteOff(off, 0, 60)]).render(off + RATE)[:, 0]
    before, after = level_db(out[off - 960 : off]), level_db(out[off : off + 960])
    assert abs(after - before) < 2.0
    slope = level_db(out[off + 4800 : off + 5760]) - level_db(out[off + 9600 : off + 10_560])
    assert slope == pytest.approx(12.5, abs=0.5)
    assert largest_step(out[4800:]) < 1.1 * SLOPE
    assert np.all(out[-960:] == 0.0)


def test_the_release_parameter_stretches_time() -> None:
    lengths = []
    for release in (0.5, 1.0, 2.0):
        events = [UNITY, SetParameter(0, "release", release), NoteOn(0), NoteOff(24_000, 0, 60)]
        out = engine(sine(), events=events).render(3 * RATE)[24_000:, 0]
        lengths.append(int(np.flatnonzero(np.abs(out) > AMPLITUDE * 10 ** (-40 / 20))[-1]))
    assert lengths[0] / lengths[1] == pytest.approx(0.5, abs=0.05)
    assert lengths[2] / lengths[1] == pytest.approx(2.0, abs=0.05)


def test_without_a_recorded_release_it_is_a_quarter_of_a_second() -> None:
    rows = silent_rows(100)
    rows[:, 0] = -20.0
    events = [UNITY, NoteOn(0), NoteOff(24_000, 0, 60)]
    out = engine(instrument(Sound(rows, (20, 90))), events=events).render(RATE)[:, 0]
    assert level_db(out[24_000 + 5880 : 24_000 + 6120]) == pytest.approx(-50.0, abs=1.0)
    assert np.all(out[-4800:] == 0.0)


def test_envelope() -> None:
    settings = {"attack": 0.2, "decay": 0.5, "sustain": -12.0}
    events = [UNITY, *(SetParameter(0, name, value) for name, value in settings.items()), NoteOn(0)]
    out = engine(sine(), events=events).render(2 * RATE)[:, 0]
    around = lambda s: level_db(out[int((s - 0.01) * RATE) : int((s + 0.01) * RATE)])  # noqa: E731
    assert around(0.1) == pytest.approx(-26.0, abs=0.3)
    assert around(0.2) == pytest.approx(-20.0, abs=0.7)
    assert around(0.45) == pytest.approx(-26.0, abs=0.3)
    assert around(1.5) == pytest.approx(-32.0, abs=0.05)


def test_position_starts_inside_the_note() -> None:
    rows = silent_rows(200)
    rows[:, 0] = -60.0
    rows[100:, 0] = -20.0
    sound = Sound(rows, (100, 150), 155)
    out = engine(instrument(sound), events=[UNITY, SetParameter(0, "position", 0.8), NoteOn(0)]).render(4800)[:, 0]
    assert level_db(out[960:]) == pytest.approx(-20.0, abs=0.2)
    assert largest_step(out) < SLOPE + AMPLITUDE / 144


def sounding(events: list[Event], at: int) -> int:
    made = engine(sine(), events=events)
    made.render(at)
    return int(np.count_nonzero(made._conductor._bank["state"] == 1))


def test_pedal_holds_notes_of_its_channel() -> None:
    keys: list[Event] = [NoteOn(0, 0, 60), NoteOn(0, 1, 64), SustainPedal(100, 0, True)]
    keys += [NoteOff(5000, 0, 60), NoteOff(5000, 1, 64)]
    assert sounding(keys, 6000) == 1
    assert sounding([*keys, SustainPedal(5500, 0, False)], 6000) == 0
    assert sounding([*keys, ResetControllers(5500, 0)], 6000) == 0
    # A key that is still down when the pedal goes up goes on.
    assert sounding([NoteOn(0, 0, 60), SustainPedal(100, 0, True), SustainPedal(5500, 0, False)], 6000) == 1


def test_all_notes_off_leaves_what_the_pedal_holds() -> None:
    keys: list[Event] = [NoteOn(0, 0, key) for key in range(50, 60)]
    assert sounding([*keys, AllNotesOff(5000, 0)], 6000) == 0
    assert sounding([*keys, AllNotesOff(5000, 1)], 6000) == 10
    assert sounding([*keys, SustainPedal(100, 0, True), AllNotesOff(5000, 0)], 6000) == 10


def test_all_sound_off_is_silent_within_its_fade() -> None:
    keys: list[Event] = [NoteOn(0, 0, key) for key in range(40, 80)]
    made = engine(sine(), events=[*keys, SustainPedal(10, 0, True), AllSoundOff(5000, 0)])
    out = made.render(9600)
    assert np.max(np.abs(out[:5000])) > 0.1
    assert np.all(out[5000 + 144 + 64 :] == 0.0)
    assert made.status()["voices"] == 0


def test_the_quietest_voice_is_stolen() -> None:
    events = [NoteOn(0, 0, key, velocity) for key, velocity in ((60, 120), (62, 20), (64, 90), (66, 60))]
    made = engine(sine(), events=[*events, NoteOn(24_000, 0, 72, 100)], n_voices=4)
    out = made.render(RATE)[30_000:, 0]
    assert made.status()["stolen"] == 1
    assert made.status()["voices"] == 4
    for key, here in ((60, True), (62, False), (64, True), (66, True), (72, True)):
        assert (sine_level_db(out, float(pitch_to_hz(key))) > -65.0) == here


def test_a_released_voice_is_stolen_before_a_held_one() -> None:
    events = [NoteOn(0, 0, 60, 127), NoteOn(0, 0, 64, 20), NoteOff(24_000, 0, 60), NoteOn(24_400, 0, 72, 100)]
    made = engine(sine(), events=events, n_voices=2)
    out = made.render(RATE)[30_000:, 0]
    assert sine_level_db(out, float(pitch_to_hz(60))) < -70.0
    assert sine_level_db(out, float(pitch_to_hz(64))) > -65.0


def test_a_full_chord_may_steal_a_full_chord() -> None:
    first: list[Event] = [NoteOn(0, 0, key) for key in range(40, 72)]
    second: list[Event] = [NoteOn(9600 + i, 0, 72 + i) for i in range(32)]
    third: list[Event] = [NoteOn(9640 + i, 0, 8 + i) for i in range(32)]
    made = engine(sine(), events=[*first, *second, *third], n_voices=32)
    made.render(24_000)
    assert made.status()["stolen"] == 64
    assert made.status()["voices"] == 32
    keys = made._conductor._bank["key"][made._conductor._bank["state"] == 1]
    assert sorted(keys) == list(range(8, 40))


def test_sixty_four_notes_sound_at_once() -> None:
    made = engine(instrument(steady({1: -50})), events=[UNITY, *(NoteOn(37 * i, 0, 36 + i) for i in range(64))])
    out = made.render(2 * RATE)[RATE:, 0]
    for key in range(36, 100):
        # Every key has the loudness of the recorded one; its partials share it differently.
        assert sine_level_db(out, float(pitch_to_hz(key))) == pytest.approx(-50.0, abs=5.0)


def test_an_hour_long_note_is_in_tune_to_the_end() -> None:
    """The clock is moved, not waited for: phases are whole numbers, and positions come from the clock."""
    made = engine(sine(), events=[UNITY, NoteOn(0)])
    made.render(9600)
    conductor, renderer = made._conductor, made._renderer
    hour = 3600 * 125 * HOP
    for name in ("onset", "base", "next_tick", "ramp_start"):
        conductor._bank[name] += hour * (conductor._bank["state"] == 1)
    conductor._bank["held_frames"] += 3600 * 125
    conductor.clock_samples += hour
    renderer._state["ramp_start"] += hour
    renderer.clock_samples += hour
    made._rings.segments["start"] += hour
    out = made.render(RATE)[:, 0]
    assert sine_level_db(out[4800:], F0_HZ) == pytest.approx(-20.0, abs=0.01)
    assert largest_step(out) < 1.01 * SLOPE


def test_half_a_minute_of_anything_stays_finite_and_ends_in_silence() -> None:
    generator = np.random.default_rng(7)
    corners = []
    for seed in range(4):
        rows = silent_rows(150)
        rows[:, :N_PARTIALS] = -40.0 + 10.0 * generator.standard_normal((150, N_PARTIALS))
        rows[:, N_PARTIALS:-1] = -70.0 + 5.0 * generator.standard_normal((150, 64))
        loop = (30, 90) if seed % 2 else (0, 0)
        corners.append(instrument(Sound(rows, loop, 100, seed=seed), sustains=bool(seed % 2)))
    names = ["x", "y", "position", "attack", "decay", "sustain", "release", "glide", "vibrato_depth", "brightness"]
    made = engine(*corners, n_voices=32)
    n_events = 1500
    times = np.sort(generator.integers(0, 25 * RATE, n_events))
    for time, kind in zip(times.tolist(), generator.integers(0, 10, n_events).tolist(), strict=True):
        channel, key = int(generator.integers(3)), int(generator.integers(128))
        event: Event = NoteOn(time, channel, key, int(generator.integers(1, 128)))
        if kind >= 4:
            event = NoteOff(time, channel, key)
        if kind == 6:
            event = PitchBend(time, channel, float(generator.uniform(-12, 12)))
        if kind == 7:
            event = SustainPedal(time, channel, bool(generator.integers(2)))
        if kind == 8:
            event = SetParameter(time, names[generator.integers(len(names))], float(generator.uniform(0, 1)))
        if kind == 9 and generator.random() < 0.1:
            event = AllNotesOff(time, channel)
        assert made.push(event)
    for channel in range(3):
        made.push(SustainPedal(25 * RATE, channel, False))
        made.push(AllNotesOff(25 * RATE, channel))
    out = np.concatenate([made.render(6000) for _ in range(38 * RATE // 6000)])
    assert np.all(np.isfinite(out))
    assert 0.05 < np.max(np.abs(out)) <= 1.0
    status = made.status()
    assert status["voices"] == 0
    assert status["dropped_events"] == status["late_frames"] == status["lost_segments"] == 0
    assert np.all(out[-RATE:] == 0.0)
