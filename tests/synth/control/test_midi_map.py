"""MIDI bytes and the events that they mean, literally."""

import random
from collections.abc import Sequence

import pytest

from synth.control.events import (
    AllNotesOff,
    AllSoundOff,
    ChannelLevel,
    Event,
    ModWheel,
    NoteOff,
    NoteOn,
    Pan,
    PitchBend,
    ResetControllers,
    SetParameter,
    SustainPedal,
)
from synth.control.midi_map import MidiMap, controller_db
from synth.control.parameters import parameter_named


@pytest.mark.parametrize(
    ("message", "events"),
    [
        ([0x90, 60, 100], [NoteOn(5, 0, 60, 100)]),
        ([0x93, 127, 1], [NoteOn(5, 3, 127, 1)]),
        ([0x90, 60, 0], [NoteOff(5, 0, 60)]),
        ([0x8F, 60, 64], [NoteOff(5, 15, 60)]),
        ([0xB0, 64, 127], [SustainPedal(5, 0, True)]),
        ([0xB0, 64, 64], [SustainPedal(5, 0, True)]),
        ([0xB0, 64, 63], [SustainPedal(5, 0, False)]),
        ([0xB1, 1, 127], [ModWheel(5, 1, 1.0)]),
        ([0xB0, 7, 100], [ChannelLevel(5, 0, volume_db=0.0)]),
        ([0xB0, 7, 0], [ChannelLevel(5, 0, volume_db=-120.0)]),
        ([0xB0, 11, 127], [ChannelLevel(5, 0, expression_db=0.0)]),
        ([0xB0, 10, 64], [Pan(5, 0, 0.0)]),
        ([0xB0, 10, 0], [Pan(5, 0, -1.0)]),
        ([0xB0, 10, 127], [Pan(5, 0, 1.0)]),
        ([0xB2, 120, 0], [AllSoundOff(5, 2)]),
        ([0xB2, 121, 0], [ResetControllers(5, 2)]),
        ([0xB2, 123, 0], [AllNotesOff(5, 2)]),
        ([0xB2, 126, 1], [AllNotesOff(5, 2)]),
        ([0xE0, 0, 64], [PitchBend(5, 0, 0.0)]),
        ([0xE0, 127, 127], [PitchBend(5, 0, 2.0)]),
        ([0xE0, 0, 0], [PitchBend(5, 0, -2.0)]),
        ([0xB0, 16, 127], [SetParameter(5, "x", 1.0)]),
        ([0xB0, 74, 0], [SetParameter(5, "brightness", parameter_named("brightness").minimum)]),
        ([0xC0, 5], []),
        ([0xF8], []),
        ([0xF0, 1, 2, 0xF7], []),
        ([60, 100], []),
        ([0x90, 60], []),
        ([0x90, 200, 100], []),
        ([], []),
    ],
)
def test_messages(message: Sequence[int], events: list[Event]) -> None:
    assert MidiMap().events(message, 5) == events


def test_rpn_zero_sets_the_bend_range_of_its_channel_alone() -> None:
    midi = MidiMap()
    for controller, value in ((101, 0), (100, 0), (6, 12), (38, 50)):
        midi.events([0xB0, controller, value], 0)
    assert midi.events([0xE0, 127, 127], 0) == [PitchBend(0, 0, 12.5)]
    assert midi.events([0xE1, 127, 127], 0) == [PitchBend(0, 1, 2.0)]


@pytest.mark.parametrize("deselect", [[(101, 127), (100, 127)], [(99, 0), (98, 0)]], ids=["null RPN", "NRPN"])
def test_data_entry_without_rpn_zero_changes_nothing(deselect: list[tuple[int, int]]) -> None:
    midi = MidiMap()
    for controller, value in [(101, 0), (100, 0), *deselect, (6, 24)]:
        midi.events([0xB0, controller, value], 0)
    assert midi.events([0xE0, 127, 127], 0) == [PitchBend(0, 0, 2.0)]


def test_a_new_range_moves_a_bend_that_is_held() -> None:
    midi = MidiMap()
    midi.events([0xE0, 127, 127], 0)
    midi.events([0xB0, 101, 0], 0)
    midi.events([0xB0, 100, 0], 0)
    assert midi.events([0xB0, 6, 7], 9) == [PitchBend(9, 0, 7.0)]


def test_volume_is_forty_decibels_a_decade() -> None:
    assert controller_db(10, unity=100) == pytest.approx(-40.0)


def test_random_bytes_never_raise() -> None:
    generator = random.Random(1)
    midi = MidiMap()
    n_events = 0
    for _ in range(20_000):
        n_events += len(midi.events([generator.randrange(256) for _ in range(generator.randrange(5))], 0))
    assert n_events > 100
