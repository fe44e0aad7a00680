"""How notes begin and go on: mono, legato, unison, pedals, velocity, tuning."""

import numpy as np
import pytest

from synth.control.events import (
    AllNotesOff,
    Event,
    NoteOff,
    NoteOn,
    ProgramChange,
    ResetControllers,
    SetParameter,
    SetTuning,
    SostenutoPedal,
    SustainPedal,
)
from synth.errors import TetradError
from synth.frames import N_PARTIALS, Float32Array, pitch_to_hz
from synth.instruments.format import Instrument
from synth.voices.engine import Engine
from synth.voices.keys import Key, KeyStack
from synth.voices.notes import LEGATO, MONO, curved_velocity, unison_places
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
MONO_MODE, LEGATO_MODE = SetParameter(0, "play_mode", MONO), SetParameter(0, "play_mode", LEGATO)
SLOPE = 0.1 * 2.0 * np.pi / RATE


def sine() -> Instrument:
    return instrument(steady({1: -20}))


def hz(key: float) -> float:
    return float(pitch_to_hz(key))


def held_keys(made: Engine) -> list[int]:
    """Keys of the voices that are held, without those that were let go."""
    bank = made._conductor._bank
    return sorted(int(key) for key in bank["key"][bank["state"] == 1])


def keys_at(times: list[int], events: list[Event], **options: int) -> list[list[int]]:
    made = engine(sine(), events=events, **options)
    found = []
    for time in times:
        made.render(time - made.clock_samples)
        found.append(held_keys(made))
    return found


def test_the_key_stack_goes_back_to_the_last_that_is_down() -> None:
    keys = KeyStack()
    assert keys.last() is None
    for channel, key in ((0, 60), (0, 64), (1, 60), (0, 60)):
        keys.press(Key(channel, key), 10 * channel + 90)
    assert keys.last() == (Key(0, 60), 90)
    keys.lift(Key(0, 60))
    assert keys.last() == (Key(1, 60), 100)
    keys.lift(Key(5, 5))
    keys.lift_all(1)
    assert keys.last() == (Key(0, 64), 90)
    keys.lift_all(0)
    assert keys.last() is None


@pytest.mark.parametrize("mode", [MONO_MODE, LEGATO_MODE], ids=["mono", "legato"])
@pytest.mark.parametrize("channels", [(0, 0, 0), (1, 2, 3)], ids=["one channel", "a channel each"])
def test_alone_the_last_key_has_priority(mode: Event, channels: tuple[int, int, int]) -> None:
    a, b, c = channels
    events = [mode, NoteOn(1000, a, 60), NoteOn(5000, b, 64), NoteOn(9000, c, 67), NoteOff(13_000, b, 64)]
    events += [NoteOff(17_000, c, 67), NoteOff(21_000, a, 60)]
    assert keys_at(list(range(3000, 24_000, 4000)), events) == [[60], [64], [67], [67], [60], []]


@pytest.mark.parametrize("mode", [MONO_MODE, LEGATO_MODE], ids=["mono", "legato"])
def test_alone_a_pedal_holds_what_sounds(mode: Event) -> None:
    events = [mode, SustainPedal(0, 0, True), NoteOn(1000, 0, 60), NoteOn(5000, 0, 64), NoteOff(9000, 0, 64)]
    assert keys_at([8000, 12_000], events) == [[64], [64]]
    # Going up, it gives way to the key that is still down; without one the note ends.
    assert keys_at([16_000], [*events, SustainPedal(13_000, 0, False)]) == [[60]]
    assert keys_at([16_000], [*events, NoteOff(10_000, 0, 60), SustainPedal(13_000, 0, False)]) == [[]]
    assert keys_at([16_000], [*events, AllNotesOff(10_000, 0), SustainPedal(13_000, 0, False)]) == [[]]


def test_mono_begins_anew_and_legato_goes_on() -> None:
    """The recording fades from -20 to -40 dB in a second: a note begun anew is loud, one that goes on is not."""
    rows = silent_rows(200)
    rows[:, 0] = np.maximum(-20.0 - 0.16 * np.arange(200), -52.0)
    falling = instrument(Sound(rows, (190, 198), 198))
    for mode, level_db in ((MONO_MODE, -20.5), (LEGATO_MODE, -36.5)):
        out = engine(falling, events=[UNITY, mode, NoteOn(0), NoteOn(38_400, 0, 64)]).render(RATE)[:, 0]
        assert sine_level_db(out[38_400 + 480 : 38_400 + 2400], hz(64)) == pytest.approx(level_db, abs=1.5)
        assert sine_level_db(out[40_800:], hz(60)) < -60.0


@pytest.mark.parametrize("mode", [MONO_MODE, LEGATO_MODE], ids=["mono", "legato"])
def test_changing_keys_alone_does_not_click(mode: Event) -> None:
    presses: list[Event] = [NoteOn(4800 + 617 * i, 0, 60 + (7 * i) % 12) for i in range(40)]
    out = engine(sine(), events=[UNITY, mode, *presses]).render(RATE)[:, 0]
    # Mono: the old note falls in 3 ms while the new one rises in 0.7 ms.
    rise = 0.1 / 32 + 0.1 / 144 if mode is MONO_MODE else 0.0
    assert np.max(np.abs(np.diff(out))) < 2.0 * (SLOPE * hz(72) + rise)
    assert np.max(np.abs(out)) < 0.22


def test_a_legato_change_is_exact_to_the_sample() -> None:
    change = 24_007
    plain = engine(sine(), events=[UNITY, LEGATO_MODE, NoteOn(0)]).render(RATE)[:, 0]
    moved = engine(sine(), events=[UNITY, LEGATO_MODE, NoteOn(0), NoteOn(change, 0, 67)]).render(RATE)[:, 0]
    np.testing.assert_allclose(moved[: change + 1], plain[: change + 1], atol=1e-7)
    # From there the pitch rises along one frame.
    first = int(np.flatnonzero(np.abs(moved - plain) > 1e-5)[0])
    assert change < first < change + 100
    assert abs(cents(peak_frequency_hz(moved[change + 2 * HOP : change + 9600], hz(67)), hz(67))) < 2.0
    assert sine_level_db(moved[change + 2 * HOP :], hz(67)) == pytest.approx(-20.0, abs=0.2)


def test_legato_takes_the_notes_recorded_for_its_new_key() -> None:
    low, high = steady({1: -20}, pitch=48), steady({3: -20}, pitch=72, seed=1)
    events = [UNITY, LEGATO_MODE, NoteOn(0, 0, 48), NoteOn(24_000, 0, 72)]
    out = engine(instrument(low, high), events=events).render(RATE)[:, 0]
    fresh = engine(instrument(low, high), events=[UNITY, NoteOn(0, 0, 72)]).render(RATE)[:, 0]
    for partial in (1, 3):
        level = sine_level_db(fresh[9600:19_200], partial * hz(72))
        assert sine_level_db(out[33_600:43_200], partial * hz(72)) == pytest.approx(
            level, abs=0.1 if partial == 3 else 40
        )
    assert sine_level_db(out[33_600:43_200], hz(72)) < -80.0


def test_legato_glides_from_where_the_pitch_is() -> None:
    events = [UNITY, LEGATO_MODE, SetParameter(0, "glide", 1.0), NoteOn(0, 0, 60)]
    events += [NoteOn(24_000, 0, 72), NoteOn(48_000, 0, 60)]  # half-way up, and back again
    out = engine(sine(), events=events).render(2 * RATE)[:, 0]
    for at, key in ((36_000, 63.0), (48_000, 66.0), (72_000, 63.0), (95_000, 60.1)):
        found = peak_frequency_hz(out[at - 600 : at + 600], hz(key))
        assert cents(found, hz(key)) == pytest.approx(0.0, abs=30.0)


def test_a_legato_chord_of_one_sample_is_one_note_of_its_last_key() -> None:
    made = engine(sine(), events=[UNITY, LEGATO_MODE, NoteOn(100, 0, 60), NoteOn(100, 0, 64), NoteOn(100, 0, 67)])
    out = made.render(RATE)[:, 0]
    alone = engine(sine(), events=[UNITY, NoteOn(100, 0, 67)]).render(RATE)[:, 0]
    np.testing.assert_array_equal(out, alone)
    assert made.status()["voices"] == 1


def test_a_short_legato_note_is_not_ended_by_the_key_before() -> None:
    """The release of a key that was down for less than a frame comes when another key has the note already."""
    events = [LEGATO_MODE, NoteOn(1000, 0, 60), NoteOff(1050, 0, 60), NoteOn(1100, 0, 64)]
    assert keys_at([1080, 24_000], events) == [[60], [64]]


def test_unison_is_as_loud_and_spreads_pitch_and_place() -> None:
    settings = [UNITY, SetParameter(0, "unison_detune", 40.0), SetParameter(0, "unison_width", 1.0)]
    made = engine(sine(), events=[*settings, SetParameter(0, "unison", 5.0), NoteOn(0)])
    out = made.render(4 * RATE)[RATE:]
    assert made.status()["voices"] == 5
    pitches, rooms = unison_places(5)
    for pitch, room in zip(pitches, rooms, strict=True):
        frequency = hz(60 + 0.2 * pitch)
        angle = (room + 1.0) * np.pi / 4.0
        for channel, gain in ((0, np.cos(angle)), (1, np.sin(angle))):
            wanted = -20.0 + 10.0 * np.log10(2.0 / 5.0) + 20.0 * np.log10(max(gain, 1e-6))
            found = sine_level_db(out[:, channel], frequency)
            assert found == pytest.approx(wanted, abs=0.3) if gain > 0.1 else found < -50.0


def test_unison_places_are_balanced() -> None:
    for n in range(1, 9):
        pitch, room = unison_places(n)
        assert np.sum(pitch) == pytest.approx(0.0)
        assert np.sum(room) == pytest.approx(0.0)
        assert sorted(pitch) == pytest.approx(sorted(room))
    # Both ears hear about the same pitch: the mean is within a fifth of the spread.
    pitch, room = unison_places(8)
    assert abs(np.mean(pitch[room > 0])) < 0.2


def test_the_limit_counts_unison_voices_and_takes_whole_notes() -> None:
    notes: list[Event] = [SetParameter(0, "unison", 3.0), *(NoteOn(4800 * i, 0, 60 + i) for i in range(4))]
    made = engine(sine(), events=notes, n_voices=8)
    made.render(24_000)
    assert made.status()["voices"] == 6
    assert made.status()["stolen"] == 2
    assert held_keys(made) == [62, 62, 62, 63, 63, 63]
    few = engine(sine(), events=[SetParameter(0, "unison", 8.0), NoteOn(0), NoteOff(9600, 0, 60)], n_voices=3)
    few.render(4800)
    assert few.status()["voices"] == 3
    few.render(2 * RATE)
    assert few.status()["voices"] == 0


def test_key_spread_puts_low_keys_left() -> None:
    for key, left in ((21, True), (108, False)):
        out = engine(sine(), events=[UNITY, SetParameter(0, "key_spread", 1.0), NoteOn(0, 0, key)]).render(9600)
        assert np.max(np.abs(out[:, int(left)])) < 1e-6
        assert np.max(np.abs(out[:, int(not left)])) > 0.05


def test_velocity_curve() -> None:
    assert [curved_velocity(v, 0.0) for v in range(1, 128)] == list(range(1, 128))
    for curve in (-1.0, -0.4, 0.3, 1.0):
        curved = [curved_velocity(v, curve) for v in range(1, 128)]
        assert curved == sorted(curved)
        assert curved[-1] == 127
        assert curved[0] >= 1
        assert (curved[39] < 40) == (curve < 0.0)
    settings = [UNITY, SetParameter(0, "velocity_depth", 1.0), SetParameter(0, "velocity_curve", -1.0)]
    out = engine(sine(), events=[*settings, NoteOn(0, 0, 60, 64)]).render(RATE)[9600:, 0]
    soft = 40.0 * np.log10(curved_velocity(64, -1.0) / 100.0)
    assert sine_level_db(out, hz(60)) == pytest.approx(-20.0 + soft, abs=0.1)


def test_sostenuto_holds_only_what_was_down() -> None:
    events: list[Event] = [NoteOn(0, 0, 60), NoteOn(0, 1, 60), SostenutoPedal(1000, 0, True), NoteOn(2000, 0, 64)]
    events += [NoteOff(3000, 0, 60), NoteOff(3000, 1, 60), NoteOff(3000, 0, 64)]
    assert keys_at([4000], events) == [[60]]
    assert keys_at([4000, 6000], [*events, SostenutoPedal(5000, 0, False)]) == [[60], []]
    assert keys_at([6000], [*events, ResetControllers(5000, 0)]) == [[]]
    assert keys_at([6000], [*events, AllNotesOff(5000, 0)]) == [[60]]
    # A key that is struck again goes on, as its damper is up; down once more, the pedal takes no more notes.
    again: list[Event] = [NoteOn(5000, 0, 60), NoteOff(6000, 0, 60)]
    assert keys_at([8000], [*events, *again]) == [[60]]
    more = [NoteOn(5000, 0, 72), SostenutoPedal(5500, 0, True), NoteOff(6000, 0, 72)]
    assert keys_at([8000], [*events, *more]) == [[60]]


def test_two_pedals_hold_together() -> None:
    events: list[Event] = [NoteOn(0, 0, 60), SostenutoPedal(1000, 0, True)]
    events += [SustainPedal(2000, 0, True), NoteOff(3000, 0, 60)]
    assert keys_at([6000], [*events, SustainPedal(5000, 0, False)]) == [[60]]
    assert keys_at([6000], [*events, SostenutoPedal(5000, 0, False)]) == [[60]]
    both: list[Event] = [SustainPedal(5000, 0, False), SostenutoPedal(5100, 0, False)]
    assert keys_at([6000], [*events, *both]) == [[]]


def quarter_tones() -> tuple[float, ...]:
    return tuple(min(60.0 + 0.5 * (key - 60), 140.0) for key in range(128))


def test_a_tuning_is_for_notes_to_come_or_for_all() -> None:
    for moves, first_pitch in ((False, 64.0), (True, 62.0)):
        events = [UNITY, NoteOn(0, 0, 64), SetTuning(24_000, quarter_tones(), moves), NoteOn(24_000, 0, 65)]
        out = engine(sine(), events=events).render(RATE)[28_800:, 0]
        for pitch in (62.0, 62.5, 64.0):
            found = sine_level_db(out, hz(pitch))
            assert found == pytest.approx(-20.0, abs=0.2) if pitch in (first_pitch, 62.5) else found < -60.0
    alone = engine(sine(), events=[UNITY, SetTuning(0, quarter_tones()), NoteOn(0, 0, 65)]).render(RATE)[4800:, 0]
    assert abs(cents(peak_frequency_hz(alone, hz(62.5)), hz(62.5))) < 0.1


def test_a_moving_tuning_does_not_click_and_arrives() -> None:
    events = [UNITY, NoteOn(0, 0, 66), SetTuning(24_007, quarter_tones(), True)]
    out = engine(sine(), events=events).render(RATE)[:, 0]
    assert np.max(np.abs(np.diff(out[4800:]))) < 1.02 * SLOPE * hz(66)
    assert abs(cents(peak_frequency_hz(out[31_000:], hz(63)), hz(63))) < 0.1


def test_a_session_event_is_not_the_engines() -> None:
    with pytest.raises(TetradError, match="ProgramChange"):
        engine(sine()).push(ProgramChange(0))


def noise_of_everything(seed: int) -> Sound:
    generator = np.random.default_rng(seed)
    rows = silent_rows(150)
    rows[:, :N_PARTIALS] = -60.0 + 10.0 * generator.standard_normal((150, N_PARTIALS))
    return Sound(rows, (30, 90), 100, seed=seed)


@pytest.mark.parametrize("sizes", [[1000], [37, 1, 500]], ids=str)
def test_no_sample_depends_on_the_block_size(sizes: list[int]) -> None:
    events: list[Event] = [SetParameter(0, "unison", 2.0), SetParameter(0, "glide", 0.05), LEGATO_MODE]
    events += [NoteOn(701, 0, 60), NoteOn(3001, 0, 67), NoteOff(4097, 0, 67), SetTuning(5000, quarter_tones(), True)]
    events += [SetParameter(6000, "play_mode", MONO), NoteOn(6001, 1, 72), NoteOff(7777, 1, 72)]

    def render(block_sizes: list[int]) -> Float32Array:
        made = engine(instrument(noise_of_everything(1)), events=events)
        blocks: list[Float32Array] = []
        while sum(len(block) for block in blocks) < 9600:
            blocks.append(made.render(block_sizes[len(blocks) % len(block_sizes)]))
        return np.concatenate(blocks)[:9600]

    np.testing.assert_allclose(render(sizes), render([9600]), rtol=0, atol=2e-6)
