"""States become events: whatever way the counters took, with whatever states lost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_host.events import (
    HELD_S,
    STUCK_S,
    Detents,
    Event,
    Held,
    Knob,
    KnobMoved,
    KnobNoisy,
    Pressed,
    Reader,
    Released,
    Stuck,
    Switch,
    Turned,
    knob_value,
    wrapped_difference,
)
from synth.control.corners import Corner

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Seen:
    """What of a state is read."""

    encoders: tuple[int, ...] = (0, 0, 0, 0)
    switch_levels: int = 0
    switch_edges: tuple[int, ...] = (0,) * 8
    knobs: tuple[int, ...] = (512,) * 6


def with_one(values: Sequence[int], index: int, value: int) -> tuple[int, ...]:
    return (*values[:index], value, *values[index + 1 :])


def turned(seen: Seen, corner: Corner, counts: int) -> Seen:
    return replace(seen, encoders=with_one(seen.encoders, corner, counts % 2**16))


def edged(seen: Seen, switch: Switch, edges: int) -> Seen:
    levels = seen.switch_levels & ~(1 << switch) | (edges % 2) << switch
    return replace(seen, switch_edges=with_one(seen.switch_edges, switch, edges % 256), switch_levels=levels)


def knob_at(seen: Seen, knob: Knob, reading: int) -> Seen:
    return replace(seen, knobs=with_one(seen.knobs, knob, reading))


@UNHURRIED
@given(st.integers(0, 2**16 - 1), st.integers(-(2**15), 2**15 - 1))
def test_a_wrapping_counter_tells_how_far_it_went(before: int, way: int) -> None:
    assert wrapped_difference(before, (before + way) % 2**16, 2**16) == way


@UNHURRIED
@given(
    first=st.integers(0, 2**14 - 1),
    moves=st.lists(st.tuples(st.integers(-900, 900), st.integers(-1, 1)), max_size=60),
    per_detent=st.sampled_from([1, 2, 4]),
)
def test_whatever_way_it_took_an_encoder_at_rest_has_told_every_detent(
    first: int, moves: list[tuple[int, int]], per_detent: int
) -> None:
    """moves: to a detent, seen a count before or behind it, as contacts that are not quite in the middle say."""
    start = first * per_detent
    detents = Detents(start % 2**16, per_detent)
    told = 0
    for place, beside in moves:
        aside = beside if per_detent == 4 else 0
        told += detents.read((start + place * per_detent + aside) % 2**16)
        assert told == place


@UNHURRIED
@given(st.lists(st.sampled_from([-1, 1]), max_size=400))
def test_states_between_may_be_lost(ways: list[int]) -> None:
    counts = list(accumulate(ways, initial=0))
    all_seen, last_seen = Detents(0), Detents(0)
    told = sum(all_seen.read(count % 2**16) for count in counts)
    assert abs(4 * told - counts[-1]) < 4
    settled = round(counts[-1] / 4) * 4
    assert told + all_seen.read(settled % 2**16) == last_seen.read(settled % 2**16) == settled // 4


@UNHURRIED
@given(st.integers(0, 3), st.lists(st.integers(0, 1), max_size=100))
def test_an_encoder_that_trembles_tells_at_most_one_detent(place: int, trembling: list[int]) -> None:
    detents = Detents(0)
    detents.read(place)
    told = [detents.read(place + by) for by in trembling]
    assert set(told) <= {0, 1}
    assert sum(told) <= 1


def test_one_click_is_one_detent_of_its_encoder() -> None:
    reader = Reader(reversed_encoders=frozenset({Corner.SW}))
    seen = Seen((0xFFFC, 4, 8, 12))
    assert reader.read(seen, 0.0) == []
    for corner in Corner:
        seen = turned(seen, corner, seen.encoders[corner] + 4)
        told = -1 if corner is Corner.SW else 1
        assert reader.read(seen, 0.1) == [Turned(corner, told)]
    assert reader.read(seen, 0.2) == []


@UNHURRIED
@given(st.integers(0, 255), st.lists(st.integers(0, 100), max_size=30))
def test_every_press_has_its_release_however_many_states_were_lost(first: int, batches: list[int]) -> None:
    first -= first % 2  # it is up
    reader = Reader()
    seen = edged(Seen(), Switch.PATCH_3, first)
    reader.read(seen, 0.0)
    events: list[Event] = []
    for edges in accumulate(batches, initial=first):
        events += reader.read(edged(seen, Switch.PATCH_3, edges), 0.1)
    one = [Pressed(Switch.PATCH_3), Released(Switch.PATCH_3, held=False)]
    assert events == (one * (sum(batches) // 2 + 1))[: sum(batches)]


def test_a_switch_that_stays_down_is_held_then_stuck_and_each_is_said_once() -> None:
    reader, up = Reader(), Seen()
    down = edged(up, Switch.PUSH_NE, 1)
    reader.read(up, 0.0)
    assert reader.read(down, 1.0) == [Pressed(Switch.PUSH_NE)]
    assert reader.look(1.0 + HELD_S - 0.01) == []
    assert reader.look(1.0 + HELD_S) == [Held(Switch.PUSH_NE)]
    assert reader.read(down, 5.0) == []
    assert reader.look(1.0 + STUCK_S) == [Stuck(Switch.PUSH_NE)]
    assert reader.look(900.0) == []
    assert reader.read(edged(up, Switch.PUSH_NE, 2), 901.0) == []
    assert reader.read(edged(up, Switch.PUSH_NE, 3), 902.0) == [Pressed(Switch.PUSH_NE)]
    reader.look(902.0 + HELD_S)
    assert reader.read(edged(up, Switch.PUSH_NE, 4), 904.0) == [Released(Switch.PUSH_NE, held=True)]


def test_a_switch_that_was_down_at_first_counts_once_it_came_up() -> None:
    reader = Reader()
    assert reader.read(edged(Seen(), Switch.PATCH_1, 7), 0.0) == []
    assert reader.look(STUCK_S) == [Stuck(Switch.PATCH_1)]
    assert reader.read(edged(Seen(), Switch.PATCH_1, 8), 50.0) == []
    assert reader.read(edged(Seen(), Switch.PATCH_1, 9), 51.0) == [Pressed(Switch.PATCH_1)]


@UNHURRIED
@given(st.lists(st.integers(0, 1023), min_size=2, max_size=100), st.booleans())
def test_a_knob_is_told_where_it_is_to_within_its_rest(readings: list[int], is_reversed: bool) -> None:
    reader = Reader(reversed_knobs=frozenset({Knob.RELEASE} if is_reversed else ()))
    now_s = 0.0
    for reading in readings:
        now_s += 0.05  # so slowly that no hand is taken for noise
        for event in reader.read(knob_at(Seen(), Knob.RELEASE, reading), now_s):
            assert isinstance(event, KnobMoved)
            assert event == KnobMoved(Knob.RELEASE, reader.knobs[Knob.RELEASE])
    exact = knob_value(1023 - readings[-1] if is_reversed else readings[-1])
    assert abs(reader.knobs[Knob.RELEASE] - exact) < 1.5 / 1015
    if readings[-1] in (0, 1023):
        assert reader.knobs[Knob.RELEASE] == exact


@UNHURRIED
@given(st.integers(0, 1023), st.lists(st.integers(0, 1), max_size=200))
def test_a_resting_knob_tells_at_most_its_end(reading: int, noise: list[int]) -> None:
    reader = Reader()
    reader.read(knob_at(Seen(), Knob.VOLUME, reading), 0.0)
    events = [
        event for by in noise for event in reader.read(knob_at(Seen(), Knob.VOLUME, min(reading + by, 1023)), 1.0)
    ]
    assert [event for event in events if isinstance(event, KnobMoved)][1:] == []


def test_a_knob_reaches_both_ends() -> None:
    assert [knob_value(reading) for reading in (0, 3, 1020, 1023)] == [0.0, 0.0, 1.0, 1.0]
    assert knob_value(511) == pytest.approx(0.4995, abs=1e-3)


def test_a_noisy_knob_is_said_once_and_read_coarsely() -> None:
    reader = Reader()
    reader.read(Seen(), 0.0)
    events: list[Event] = []
    for number in range(400):
        events += reader.read(knob_at(Seen(), Knob.DECAY, 500 if number % 2 else 520), 0.002 * number)
    assert events.count(KnobNoisy(Knob.DECAY)) == 1
    assert len(events) < 60
    assert reader.read(knob_at(Seen(), Knob.DECAY, 900), 3.0) == [KnobMoved(Knob.DECAY, knob_value(900))]


def test_after_it_was_away_the_next_state_is_a_baseline() -> None:
    reader = Reader()
    reader.read(Seen(), 0.0)
    reader.read(edged(Seen(), Switch.PATCH_2, 1), 0.1)
    reader.forget(counts_per_detent=2)
    assert reader.knobs == {}
    elsewhere = Seen((7, 900, 3, 65535), 0, (9, 8, 7, 6, 5, 4, 3, 2), (1, 2, 3, 4, 5, 6))
    assert reader.read(elsewhere, 5.0) == []
    assert reader.read(turned(elsewhere, Corner.NE, 902), 5.1) == [Turned(Corner.NE, 1)]
