"""The arpeggiator: patterns note by note, in time to the sample, and no note that stays."""

import itertools

import numpy as np
import pytest

from synth.control.arpeggiator import Arpeggiator, steps_of
from synth.control.clock import Clock
from synth.control.events import (
    AllNotesOff,
    AllSoundOff,
    ChannelEvent,
    Dimension,
    Event,
    ModWheel,
    NoteExpression,
    NoteOff,
    NoteOn,
    PitchBend,
    ProgramChange,
    ResetControllers,
    SetParameter,
    SostenutoPedal,
    SustainPedal,
    Transport,
    TransportKind,
)
from synth.control.held_keys import HeldKey
from synth.control.parameters import parameter_named

RATE = 48_000
STEP = 6_000  # a sixteenth at 120 bpm


class Player:
    """An arpeggiator and what comes out of it, with the clock in front as the session has it."""

    def __init__(self, mode: str = "up", seed: int = 0, **settings: str | float) -> None:
        self.clock = Clock(RATE)
        self.arpeggiator = Arpeggiator(self.clock, seed)
        self.heard: list[Event] = []
        self.sounding: set[tuple[int, int]] = set()
        self.set(0, arp_mode=mode, **settings)
        self.heard.clear()

    def set(self, sample: int, **settings: str | float) -> None:
        for name, value in settings.items():
            number = parameter_named(name).choices.index(value) if isinstance(value, str) else value
            self.feed(SetParameter(sample, name, number))

    def feed(self, *events: Event) -> None:
        self.clock.feed(events)
        self._hear(self.arpeggiator.feed(events))

    def press(self, sample: int, *keys: int, channel: int = 0) -> None:
        self.feed(*(NoteOn(sample, channel, key, 100) for key in keys))

    def release(self, sample: int, *keys: int, channel: int = 0) -> None:
        self.feed(*(NoteOff(sample, channel, key) for key in keys))

    def until(self, sample: int) -> None:
        self._hear(self.arpeggiator.advance(sample))

    def notes(self) -> list[tuple[int, int]]:
        """(sample, key) of every note that began."""
        return [(event.time_samples, event.key) for event in self.heard if isinstance(event, NoteOn)]

    def keys(self) -> list[int]:
        return [key for _, key in self.notes()]

    def _hear(self, events: list[Event]) -> None:
        self.heard += events
        for event in events:
            if isinstance(event, NoteOn):
                assert (event.channel, event.key) not in self.sounding, "a note began twice"
                self.sounding.add((event.channel, event.key))
            elif isinstance(event, NoteOff):
                self.sounding.discard((event.channel, event.key))
            elif isinstance(event, AllSoundOff):
                self.sounding = {place for place in self.sounding if place[0] != event.channel}


def follow(player: Player, first: int, count: int, tempo_bpm: float = 120.0) -> int:
    """Pulses of a sequencer; the time of the last."""
    samples = [first + round(i * RATE * 60 / tempo_bpm / 24) for i in range(count)]
    for sample in samples:
        player.until(sample)
        player.feed(Transport(sample, TransportKind.CLOCK))
    return samples[-1]


def test_off_passes_everything_as_it_is() -> None:
    arpeggiator = Arpeggiator(Clock(RATE))
    events: list[Event] = [
        NoteOn(5, 3, 60, 1),
        SustainPedal(5, 3, True),
        NoteOff(9, 3, 60),
        PitchBend(9, 3, 1.0),
        AllSoundOff(9, 3),
        SetParameter(9, "arp_rate", 2.0),
        SetParameter(9, "x", 0.1),
        ProgramChange(9, 1, 2, 3),
        SostenutoPedal(11, 3, True),
        ResetControllers(12, 3),
    ]
    passed = arpeggiator.feed(events)
    assert len(passed) == len(events)
    assert all(a is b for a, b in zip(passed, events, strict=True))
    assert arpeggiator.advance(10 * RATE) == []


@pytest.mark.parametrize(
    ("mode", "octaves", "keys"),
    [
        ("up", 1, [60, 64, 67, 60, 64, 67]),
        ("down", 1, [67, 64, 60, 67]),
        ("up-down", 1, [60, 64, 67, 64, 60, 64]),
        ("as played", 1, [64, 60, 67, 64]),
        ("up", 2, [60, 64, 67, 72, 76, 79, 60]),
        ("down", 2, [79, 76, 72, 67, 64, 60, 79]),
        ("up-down", 2, [60, 64, 67, 72, 76, 79, 76, 72, 67, 64, 60]),
        ("as played", 2, [64, 60, 67, 76, 72, 79, 64]),
        ("chord", 1, [60, 64, 67, 60, 64, 67]),
        ("chord", 3, [60, 64, 67, 72, 76, 79, 84, 88, 91, 60, 64, 67]),
    ],
)
def test_every_mode_has_its_order(mode: str, octaves: int, keys: list[int]) -> None:
    player = Player(mode, arp_octaves=octaves)
    player.press(1_000, 64, 60, 67)
    player.until(1_000 + 12 * STEP)
    assert player.keys()[: len(keys)] == keys


def test_keys_above_the_highest_are_left_out() -> None:
    assert steps_of("up", [HeldKey(0, 120, 9)], 4) == [((0, 120, 9),)]
    assert steps_of("chord", [HeldKey(0, 110, 9)], 4) == [((0, 110, 9),), ((0, 122, 9),)]
    assert steps_of("up-down", [HeldKey(0, 60, 9)], 1) == [((0, 60, 9),)]


@pytest.mark.parametrize(("rate", "length"), [("1/16", STEP), ("1/8T", 8_000), ("1/1", 96_000), ("1/32", 3_000)])
def test_by_our_own_tempo_steps_begin_with_the_first_key(rate: str, length: int) -> None:
    player = Player(arp_rate=rate, arp_gate=0.5)
    player.press(777, 60)
    player.until(777 + 3 * length)
    assert [(type(event), event.time_samples) for event in player.heard] == [
        (NoteOn, 777),
        (NoteOff, 777 + length // 2),
        (NoteOn, 777 + length),
        (NoteOff, 777 + 3 * length // 2),
        (NoteOn, 777 + 2 * length),
        (NoteOff, 777 + 5 * length // 2),
    ]


def test_it_does_not_matter_how_often_it_is_asked() -> None:
    heard = []
    for stride in (1, 96, 385, 50_000):
        player = Player("up-down", arp_octaves=2)
        player.press(100, 60, 67)
        player.press(20_000, 62)
        player.release(30_000, 60)
        player.release(70_000, 62, 67)
        for horizon in range(0, 100_001, stride):
            player.until(horizon)
        player.until(100_001)
        heard.append(player.heard)
        assert player.sounding == set()
    assert heard[0] == heard[1] == heard[2] == heard[3]
    assert len(heard[0]) == 24


def test_velocity_and_channel_are_the_keys_own() -> None:
    """MPE: one key on two channels is two notes, and letting go of one leaves the other."""
    player = Player()
    player.feed(NoteOn(0, 2, 60, 33), NoteOn(0, 5, 60, 99))
    player.until(2 * STEP)
    assert player.heard[0] == NoteOn(0, 2, 60, 33)
    assert [event for event in player.heard if isinstance(event, NoteOn)][1] == NoteOn(STEP, 5, 60, 99)
    player.release(2 * STEP, 60, channel=2)
    player.heard.clear()
    player.until(5 * STEP)
    assert [event.channel for event in player.heard if isinstance(event, NoteOn)] == [5, 5, 5]


def test_bends_and_pressure_pass_while_it_plays() -> None:
    player = Player()
    events = [
        PitchBend(3, 1, 0.5),
        ModWheel(3, 1, 0.5),
        NoteExpression(4, 1, 60, Dimension.Y, 0.2),
        SetParameter(5, "y", 1.0),
    ]
    player.feed(NoteOn(2, 1, 60, 5), *events)
    assert player.heard == events


def test_the_last_key_ends_the_pattern_and_the_next_begins_it_anew() -> None:
    player = Player(arp_gate=0.5)
    player.press(0, 60, 64)
    player.release(STEP + 100, 60, 64)
    player.until(RATE)
    assert player.notes() == [(0, 60), (STEP, 64)]
    assert player.sounding == set()
    player.press(RATE + 5, 62)
    player.until(RATE + 6)
    assert player.notes()[-1] == (RATE + 5, 62)


def test_fingers_that_lift_for_a_moment_keep_the_beat() -> None:
    player = Player()
    player.press(0, 60, 64)
    player.release(STEP + 100, 60, 64)
    player.press(STEP + 2_000, 65, 69)
    player.until(4 * STEP)
    assert player.notes() == [(0, 60), (STEP, 64), (2 * STEP, 65), (3 * STEP, 69)]


def test_a_pattern_that_changes_goes_on_from_where_it_is() -> None:
    player = Player()
    player.press(0, 60, 64, 67)
    player.press(STEP + 10, 62)  # 64 has just been played
    player.until(3 * STEP)
    player.release(2 * STEP + 10, 67)
    player.until(5 * STEP)
    assert player.keys() == [60, 64, 67, 60, 62]


def test_hold_goes_on_and_a_new_chord_replaces_the_old() -> None:
    player = Player(arp_hold="on")
    player.press(0, 60, 64)
    player.release(100, 60, 64)
    player.until(4 * STEP)
    assert player.keys() == [60, 64, 60, 64]
    player.press(4 * STEP - 10, 70)
    player.press(4 * STEP - 5, 74)
    player.release(4 * STEP + 5, 70, 74)
    player.until(8 * STEP)
    assert player.keys()[4:] == [70, 74, 70, 74]
    player.set(8 * STEP, arp_hold="off")
    player.until(20 * STEP)
    assert player.keys()[8:] == []
    assert player.sounding == set()


def test_the_sustain_pedal_holds_the_pattern_not_the_notes() -> None:
    player = Player()
    player.press(0, 60)
    player.feed(SustainPedal(10, 0, True))
    player.release(20, 60)
    player.press(30, 64)
    player.release(40, 64)
    player.until(4 * STEP)
    assert player.keys() == [60, 64, 60, 64]
    assert not any(isinstance(event, SustainPedal) for event in player.heard)
    player.feed(SustainPedal(4 * STEP, 0, False))
    player.until(20 * STEP)
    assert player.keys()[4:] == []
    assert player.sounding == set()


def test_sostenuto_holds_the_keys_that_were_down() -> None:
    player = Player()
    player.press(0, 60)
    player.feed(SostenutoPedal(10, 0, True))
    player.press(20, 64)
    player.release(30, 60, 64)
    player.until(3 * STEP)
    assert player.keys() == [60, 60, 60]
    player.feed(SostenutoPedal(3 * STEP, 0, False))
    player.until(20 * STEP)
    assert player.keys()[3:] == []


def test_sostenuto_holds_no_key_that_only_the_other_pedal_holds() -> None:
    player = Player()
    player.feed(SustainPedal(0, 0, True), NoteOn(0, 0, 60, 1), NoteOff(5, 0, 60), NoteOn(6, 0, 64, 1))
    player.feed(SostenutoPedal(10, 0, True), NoteOff(15, 0, 64), SustainPedal(20, 0, False))
    player.until(4 * STEP)
    assert player.keys() == [60, 64, 64, 64]


def test_all_sound_off_ends_its_channel_and_no_other() -> None:
    player = Player("chord", arp_hold="on")
    player.press(0, 60, channel=1)
    player.press(0, 72, channel=2)
    player.until(100)
    panic = AllSoundOff(200, 1)
    player.feed(panic)
    assert player.heard[-1] is panic
    player.until(3 * STEP)
    assert player.keys() == [60, 72, 72, 72]
    player.feed(AllNotesOff(3 * STEP, 2))
    player.until(20 * STEP)
    assert player.keys()[4:] == []
    assert player.sounding == set()


def test_panic_that_comes_late_silences_what_was_already_given() -> None:
    player = Player(arp_gate=1.0)
    player.press(0, 60)
    player.until(2 * STEP)
    player.feed(AllSoundOff(100, 0))
    player.heard.clear()
    player.until(2 * STEP + 1)
    assert player.heard == [NoteOff(2 * STEP, 0, 60)]


def test_reset_controllers_lifts_the_pedals() -> None:
    player = Player()
    player.feed(SustainPedal(0, 0, True), NoteOn(0, 0, 60, 1), NoteOff(1, 0, 60), ResetControllers(2 * STEP + 1, 0))
    player.until(20 * STEP)
    assert player.keys() == [60, 60, 60]


def test_switching_on_takes_up_the_keys_and_lifts_the_engines_pedal() -> None:
    player = Player("off")
    player.press(0, 60, 64)
    player.feed(SustainPedal(5, 0, True), NoteOff(10, 0, 64))
    player.heard.clear()
    player.set(1_000, arp_mode="up")
    assert player.heard[1:] == [SustainPedal(1_000, 0, False), NoteOff(1_000, 0, 60), NoteOff(1_000, 0, 64)]
    player.until(1_000 + 2 * STEP)
    assert player.notes()[-2:] == [(1_000, 60), (1_000 + STEP, 64)]


def test_switching_off_is_silent_and_gives_the_pedal_back() -> None:
    player = Player(arp_hold="on", arp_gate=1.0)
    player.feed(SustainPedal(0, 3, True))
    player.press(0, 60)
    player.press(0, 64)
    player.release(10, 64)
    player.until(STEP + 10)
    player.heard.clear()
    player.press(STEP + 20, 65)
    player.set(STEP + 30, arp_mode="off")
    assert player.heard[1:] == [NoteOff(STEP + 30, 0, 64), SustainPedal(STEP + 30, 3, True)]
    assert player.sounding == set()
    player.heard.clear()
    player.until(20 * STEP)
    assert player.heard == []
    player.set(21 * STEP, arp_mode="down")  # fingers that are still down count again, latched keys don't
    player.until(23 * STEP)
    assert player.keys() == [65, 60]


def test_a_full_gate_ties_note_to_note() -> None:
    """For legato and glide: the next note is there before the last goes; the same key is let go first."""
    player = Player(arp_gate=1.0)
    player.press(0, 60, 64)
    player.until(STEP + 1)
    assert player.heard == [NoteOn(0, 0, 60, 100), NoteOn(STEP, 0, 64, 100), NoteOff(STEP, 0, 60)]
    player.release(STEP + 10, 60)
    player.heard.clear()
    player.until(2 * STEP + 1)
    assert player.heard == [NoteOff(2 * STEP, 0, 64), NoteOn(2 * STEP, 0, 64, 100)]
    player.release(2 * STEP + 10, 64)
    player.until(4 * STEP)
    assert player.sounding == set()


def test_the_fingers_of_one_chord_sound_in_one_step() -> None:
    player = Player("chord", arp_gate=0.5)
    for sample, key in ((0, 60), (500, 64), (900, 67), (2_000, 71)):
        player.press(sample, key)
    player.until(STEP + 1)
    assert player.notes() == [(0, 60), (500, 64), (900, 67), *((STEP, key) for key in (60, 64, 67, 71))]
    ends = [event.time_samples for event in player.heard if isinstance(event, NoteOff)]
    assert ends == [STEP // 2] * 3


def test_random_is_the_same_for_a_seed_and_repeats_no_note() -> None:
    played = []
    for seed in (7, 7, 8):
        player = Player("random", seed, arp_octaves=2)
        player.press(0, 60, 64, 67)
        player.until(200 * STEP)
        played.append(player.keys())
    assert played[0] == played[1] != played[2]
    assert set(played[0]) == {60, 64, 67, 72, 76, 79}
    assert all(a != b for a, b in itertools.pairwise(played[0]))


def test_a_new_rate_takes_over_at_once_on_its_own_grid() -> None:
    player = Player(arp_rate="1/1")
    player.press(0, 60)
    player.until(1_000)
    player.set(1_000, arp_rate="1/8")
    player.until(40_000)
    assert [sample for sample, _ in player.notes()] == [0, 12_000, 24_000, 36_000]


def test_with_a_foreign_clock_steps_lie_on_its_beats() -> None:
    player = Player()
    player.feed(Transport(1_000, TransportKind.START))
    follow(player, 2_000, 9)  # beat 0 is at sample 2,000
    player.press(2_000 + STEP + 2_000, 60)  # nearer to the step that has begun: at once
    follow(player, 2_000 + 9_000, 31)
    times = [sample for sample, _ in player.notes()]
    assert times[0] == 2_000 + STEP + 2_000
    assert times[1:] == [pytest.approx(2_000 + (2 + i) * STEP, abs=2) for i in range(len(times) - 1)]
    assert len(times) == 6


def test_with_a_foreign_clock_an_early_key_waits_for_its_step_even_if_it_is_let_go() -> None:
    player = Player()
    player.feed(Transport(1_000, TransportKind.START))
    follow(player, 2_000, 10)
    player.press(2_000 + 2 * STEP - 1_500, 60, 64)
    player.release(2_000 + 2 * STEP - 500, 60, 64)
    follow(player, 2_000 + 10_000, 40)
    assert player.notes() == [(pytest.approx(2_000 + 2 * STEP, abs=2), 60)]
    assert player.sounding == set()


def test_start_begins_on_its_first_pulse_not_a_step_later() -> None:
    player = Player(arp_hold="on")
    player.press(0, 60)
    player.release(100, 60)
    follow(player, 300, 30)
    player.feed(Transport(300 + 29_500, TransportKind.START))
    start = 300 + 30_000
    player.heard.clear()
    player.until(start + 40)  # the pulse comes when we are already past it, as with a late message
    follow(player, start, 25)
    times = [sample for sample, _ in player.notes()]
    assert times[0] == pytest.approx(start, abs=60)
    assert times[1:4] == [pytest.approx(start + i * STEP, abs=3) for i in (1, 2, 3)]


def test_a_jittering_clock_moves_no_step_by_more_than_half_its_jitter() -> None:
    chance = np.random.default_rng(5)
    player = Player(arp_hold="on")
    player.press(0, 60)
    player.feed(Transport(0, TransportKind.START))
    for pulse in range(960):
        sample = 1_000 + 1_000 * pulse + round(chance.uniform(0, 96))  # 2 ms
        player.until(sample - 200)
        player.feed(Transport(sample, TransportKind.CLOCK))
    times = np.array([sample for sample, _ in player.notes()][40:])
    wobble = times - 1_048 - STEP * np.round((times - 1_048) / STEP)
    assert len(times) > 110
    assert np.abs(wobble).max() < 48
    assert wobble.std() < 14
    assert set(np.round(np.diff(times) / STEP)) == {1.0}


def test_no_burst_after_time_went_on_alone() -> None:
    player = Player(arp_hold="on")
    player.press(0, 60)
    player.until(10)
    follow(player, 1_000, 30)
    player.clock.feed([Transport(60_000, TransportKind.POSITION, 4), Transport(60_000, TransportKind.CONTINUE)])
    player.clock.feed([Transport(60_000, TransportKind.CLOCK)])
    before = len(player.keys())
    player.until(200_000)
    player.clock.feed([Transport(200_000 + i, TransportKind.CLOCK) for i in range(2_000)])  # a mad clock
    player.until(200_400)
    assert len(player.keys()) - before <= 140_000 // STEP + 8


@pytest.mark.parametrize("seed", range(10))
def test_nothing_stays_whatever_is_played(seed: int) -> None:
    """Random playing, parameters, pedals, clocks and panics; after all keys are up and the mode is off: silence.

    `Player` fails by itself when a note begins twice without an end. Times never go back behind the horizon."""
    chance = np.random.default_rng(seed)
    player = Player("up")
    sample = 0
    switches = ("arp_mode", "arp_rate", "arp_octaves", "arp_gate", "arp_hold", "tempo")
    for _ in range(1_500):
        sample += int(chance.integers(0, 1_500))
        channel, key = int(chance.integers(2)), 60 + int(chance.integers(6))
        event: Event = NoteOff(sample, channel, key)
        match int(chance.integers(12)):
            case 0 | 1 | 2 | 3:
                event = NoteOn(sample, channel, key, 64)
            case 4:
                event = SustainPedal(sample, channel, bool(chance.integers(2)))
            case 5:
                event = SostenutoPedal(sample, channel, bool(chance.integers(2)))
            case 6:
                name = switches[chance.integers(len(switches))]
                parameter = parameter_named(name)
                value = float(chance.uniform(parameter.minimum, parameter.maximum))
                if name != "arp_mode" or value >= 0.5:  # held keys would sound on by themselves while it is off
                    event = SetParameter(sample, name, max(value, 1.0) if name == "arp_mode" else value)
            case 7:
                event = Transport(sample, list(TransportKind)[chance.integers(5)], int(chance.integers(64)))
            case 8 if chance.random() < 0.3:
                event = AllNotesOff(sample, channel) if chance.random() < 0.5 else AllSoundOff(sample, channel)
            case _:
                pass
        player.feed(event)
        horizon = max(sample - 600, 0)
        known = len(player.heard)
        player.until(horizon)
        late = [heard.time_samples for heard in player.heard[known:] if isinstance(heard, ChannelEvent)]
        assert late == sorted(late)
        assert all(time <= sample for time in late)
    assert len(player.keys()) > 20
    player.set(sample, arp_mode="off")
    assert player.sounding == set()
    player.until(sample + 10 * RATE)
    assert player.sounding == set()
