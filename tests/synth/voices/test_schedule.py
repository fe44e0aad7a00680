"""What is due when, and an engine that is gone with the last who held it."""

import gc
import weakref

from synth.control.corners import Corner
from synth.control.events import NoteOff, NoteOn, SetCorner, SetParameter
from synth.voices.schedule import LateRelease, Refresh, Schedule
from synth.voices.voice import NEVER
from tests.synth.voices.engine_parts import HOP, engine, instrument, steady


def test_events_come_by_sample_and_of_one_sample_in_their_order() -> None:
    schedule = Schedule()
    later, first, second = NoteOn(9, 0, 60, 1), NoteOff(5, 0, 60), NoteOn(5, 0, 61, 1)
    for event in (later, first, second):
        schedule.put(event)
    schedule.release(7, 3, 4)
    assert [schedule.take(9) for _ in range(4)] == [first, second, LateRelease(7, 3, 4), None]
    assert schedule.take(10) is later


def test_a_refresh_is_due_once_a_sample_and_again_when_it_is_over() -> None:
    schedule = Schedule()
    schedule.refresh(5)
    schedule.refresh(5)
    assert [schedule.take(6), schedule.take(6)] == [Refresh(5), None]
    schedule.refresh(5)
    assert schedule.take(6) == Refresh(5)


def test_what_is_forgotten_is_not_due() -> None:
    schedule = Schedule()
    schedule.refresh(5)
    schedule.tick(3)
    schedule.tick(4)
    assert schedule.earliest_tick == 3
    schedule.forget()
    assert (schedule.take(100), schedule.earliest_tick) == (None, NEVER)
    schedule.refresh(5)
    assert schedule.take(6) == Refresh(5)


def test_an_engine_that_nobody_holds_is_gone_without_the_collector() -> None:
    """It is off while music plays: each engine that a cycle holds would stay for as long."""
    made = engine(instrument(steady({1: -20})))
    made.push(NoteOn(0, 0, 60, 100))
    made.push(SetParameter(HOP, "volume", -6.0))
    made.push(SetCorner(HOP, Corner.NE, made.prepare(instrument(steady({2: -20})))))
    made.push(NoteOff(2 * HOP + 1, 0, 60))
    made.render(4 * HOP)
    parts = [weakref.ref(part) for part in (made, made._conductor, made._renderer)]
    gc.collect()
    gc.disable()
    try:
        del made
        assert [part() for part in parts] == [None, None, None]
    finally:
        gc.enable()
