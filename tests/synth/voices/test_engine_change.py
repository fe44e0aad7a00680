"""Another instrument in a corner while notes sound: a short fade, and then the new instrument exactly."""

import numpy as np
import pytest

from synth.control.corners import Corner
from synth.control.events import Event, NoteOff, NoteOn, SetCorner, SetParameter
from synth.frames import Float32Array, pitch_to_hz
from synth.instruments.format import Instrument
from synth.voices.engine import Engine
from synth.voices.plan import FADE_S
from tests.synth.voices.engine_parts import HOP, RATE, Sound, engine, instrument, silent_rows, sine_level_db, steady

UNITY = SetParameter(0, "volume", 0.0)
CHANGE = 24_007
FADE = round(FADE_S * RATE)
F0_HZ = float(pitch_to_hz(60))


def moving(seed: int, loop: tuple[int, int] = (20, 150)) -> Instrument:
    """Every level swings on its own; pitch and tuning are exact, so that phases can be compared."""
    generator = np.random.default_rng(seed)
    rows = silent_rows(200)
    rows[:, :20] = -40.0 + 4.0 * generator.standard_normal((200, 20))
    return instrument(Sound(rows, loop, 155, seed=seed), name=f"moving {seed}")


def change(new: Instrument, time: int = CHANGE, corners: range = range(4)) -> list[Event]:
    return [SetCorner(time, Corner(corner), new) for corner in corners]


def levels_after(made: Engine, n_samples: int) -> Float32Array:
    made.render(n_samples)
    bank = made._conductor._bank
    levels: Float32Array = bank["level_to"][np.argmax(bank["serial"])].copy()
    return levels


@pytest.mark.parametrize("place", [(0.0, 1.0), (0.3, 0.6)], ids=["corner", "middle"])
@pytest.mark.parametrize("released", [False, True])
def test_after_the_fade_it_is_the_new_instrument_to_the_sample(place: tuple[float, float], released: bool) -> None:
    old, new, other = moving(1), moving(2, (30, 120)), moving(3)
    settings: list[Event] = [UNITY, SetParameter(0, "x", place[0]), SetParameter(0, "y", place[1]), NoteOn(0)]
    # A release measures what it begins with, so it is the same only if the change was over before.
    ending: list[Event] = [NoteOff(CHANGE + FADE + 2 * HOP, 0, 60)] if released else []
    events = [*settings, *change(new, corners=range(1)), *ending]
    changed = engine(old, other, old, other, events=events).render(RATE)
    wanted = engine(new, other, old, other, events=[*settings, *ending]).render(RATE)
    end = CHANGE + FADE + 2 * HOP
    assert np.max(np.abs(changed[:CHANGE] - wanted[:CHANGE])) > 1e-3
    assert np.max(np.abs(wanted[end : end + 4800])) > 0.01
    np.testing.assert_allclose(changed[end:], wanted[end:], atol=2e-6)


def test_a_change_under_a_release_arrives_too() -> None:
    first, second = instrument(steady({1: -20})), instrument(steady({3: -20}))
    off: list[Event] = [UNITY, SetParameter(0, "release", 10.0), NoteOn(0), NoteOff(CHANGE - 100, 0, 60)]
    out = engine(first, events=[*off, *change(second)]).render(RATE)[:, 0]
    after = out[CHANGE + FADE + 2 * HOP : CHANGE + FADE + 2 * HOP + 4800]
    assert sine_level_db(after, 3 * F0_HZ) > sine_level_db(after, F0_HZ) + 30.0
    assert sine_level_db(after, 3 * F0_HZ) > -32.0


def test_the_fade_goes_through_between_and_does_not_click() -> None:
    first, second = instrument(steady({1: -20})), instrument(steady({1: -40}, seed=1))
    out = engine(first, events=[UNITY, NoteOn(0), *change(second)]).render(RATE)[:, 0]
    assert np.max(np.abs(np.diff(out[4800:]))) < 1.02 * 0.1 * 2.0 * np.pi * F0_HZ / RATE
    levels = [sine_level_db(out[at : at + 960], F0_HZ) for at in range(CHANGE - 960, CHANGE + FADE + 2 * HOP, 240)]
    assert np.all(np.diff(levels) < 0.2)
    assert np.max(np.abs(np.diff(levels))) < 4.0
    middle = sine_level_db(out[CHANGE + FADE // 2 - 480 : CHANGE + FADE // 2 + 480], F0_HZ)
    assert middle == pytest.approx(-30.0, abs=2.5)
    assert sine_level_db(out[CHANGE - 4800 : CHANGE], F0_HZ) == pytest.approx(-20.0, abs=0.01)
    assert sine_level_db(out[CHANGE + 4800 : CHANGE + 9600], F0_HZ) == pytest.approx(-40.0, abs=0.01)


def test_changes_during_a_change_wait_and_the_last_one_is_what_stays() -> None:
    """Ten instruments within 60 ms: at most two are read at any time, and the tenth is there 120 ms after the first."""
    chain = [instrument(steady({k: -20}, seed=k)) for k in range(1, 12)]
    made = engine(chain[0], events=[UNITY, NoteOn(0)])
    for i, new in enumerate(chain[1:]):
        for event in change(new, CHANGE + 300 * i):
            made.push(event)
    out = made.render(RATE)[:, 0]
    after = out[CHANGE + 2 * FADE + 2 * HOP :]
    assert sine_level_db(after, 11 * F0_HZ) == pytest.approx(-20.0, abs=0.3)
    for k in range(3, 11):
        assert sine_level_db(out[CHANGE:], k * F0_HZ) < -85.0
    assert np.max(np.abs(np.diff(out[4800:]))) < 0.1 * 2.0 * np.pi * 11 * F0_HZ / RATE
    assert len(made._conductor._sources.instruments) <= 2 * 4


def test_a_note_during_the_change_has_the_new_instrument_at_once() -> None:
    first, second = instrument(steady({1: -20})), instrument(steady({3: -20}))
    events = [UNITY, NoteOn(0), *change(second), NoteOn(CHANGE, 0, 72), NoteOn(CHANGE + 100, 0, 77)]
    out = engine(first, events=events).render(RATE)[CHANGE:, 0]
    alone = engine(second, events=[UNITY, NoteOn(CHANGE, 0, 72)]).render(RATE)[CHANGE:, 0]
    for key in (72, 77):
        assert sine_level_db(out, float(pitch_to_hz(key))) < -70.0
    third = 3 * float(pitch_to_hz(72))
    assert sine_level_db(out, third) == pytest.approx(sine_level_db(alone, third), abs=0.01)


def test_note_ons_are_as_loud_before_and_after() -> None:
    one, other = moving(4), moving(5)
    notes: list[Event] = [UNITY, NoteOn(0), NoteOff(9600, 0, 60), NoteOn(72_000)]
    fresh = engine(other, events=notes).render(96_000)[72_000:]
    changed = engine(one, events=[*notes, *change(other, 4800)]).render(96_000)[72_000:]
    np.testing.assert_allclose(changed, fresh, atol=2e-6)


def test_a_note_held_longer_than_the_new_recording_fades_within_the_change() -> None:
    """20 s into a note a piano's string is silent: the note ends in the fade, not in one frame."""
    rows = silent_rows(125)
    rows[:, 0] = -20.0 - 0.3 * np.arange(125)
    string = instrument(Sound(rows, release_start=124), sustains=False)
    at = 20 * RATE
    made = engine(instrument(steady({1: -20})), events=[UNITY, NoteOn(0), *change(string, at)])
    out = made.render(at + RATE)[:, 0]
    assert sine_level_db(out[at : at + 960], F0_HZ) > -45.0
    assert np.max(np.abs(np.diff(out[at - 4800 :]))) < 1.02 * 0.1 * 2.0 * np.pi * F0_HZ / RATE
    assert made.status()["voices"] == 0


def test_instruments_that_no_voice_reads_are_let_go() -> None:
    made = engine(moving(1), events=[UNITY, NoteOn(0), NoteOff(RATE, 0, 60)])
    for i in range(20):
        for event in change(moving(i + 2), 4800 * (i + 1)):
            made.push(event)
    made.render(3 * RATE)
    made.push(SetCorner(made.clock_samples, Corner.NW, moving(50)))
    made.render(100)
    assert len(made._conductor._sources.instruments) == 4


def test_corners_change_one_by_one_without_waiting_for_each_other() -> None:
    first, second = instrument(steady({1: -20})), instrument(steady({1: -30}, seed=1))
    events = [UNITY, NoteOn(0), *(SetCorner(CHANGE + 1000 * i, Corner(i), second) for i in range(4))]
    out = engine(first, events=events).render(RATE)[:, 0]
    end = CHANGE + 3000 + FADE + 2 * HOP
    assert sine_level_db(out[end : end + 9600], F0_HZ) == pytest.approx(-30.0, abs=0.01)
