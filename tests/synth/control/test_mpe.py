"""MPE: zones, and what a manager and its members say, as bytes and events."""

import pytest

from synth.control.events import (
    AllSoundOff,
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
    SustainPedal,
)
from synth.control.midi_map import MidiMap
from synth.control.midi_settings import MidiSettings, Route, Target
from synth.control.mpe import Zones
from synth.errors import TetradError

LOWER_THREE = MidiSettings(lower_members=3)


def played(midi: MidiMap, *messages: str) -> list[Event]:
    return [event for message in messages for event in midi.events(bytes.fromhex(message), 0)]


def configuration(manager: int, members: int) -> list[str]:
    return [f"b{manager:x} 65 00", f"b{manager:x} 64 06", f"b{manager:x} 06 {members:02x}"]


def test_zones_know_their_channels() -> None:
    zones = Zones(lower=4, upper=2)
    assert [zones.manager_of(channel) for channel in range(16)] == [0] * 5 + [None] * 8 + [15] * 3
    assert list(zones.members(0)) == [1, 2, 3, 4]
    assert list(zones.members(15)) == [13, 14]
    assert list(zones.members(7)) == []
    assert [Zones().manager_of(channel) for channel in (0, 15)] == [None, None]
    assert [Zones(lower=15).manager_of(channel) for channel in (0, 14, 15)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("before", "manager", "members", "after"),
    [
        (Zones(), 0, 15, Zones(15, 0)),
        (Zones(0, 15), 0, 5, Zones(5, 9)),
        (Zones(7, 7), 15, 10, Zones(4, 10)),
        (Zones(7, 7), 15, 14, Zones(0, 14)),
        (Zones(7, 7), 0, 0, Zones(0, 7)),
        (Zones(15, 0), 15, 1, Zones(13, 1)),
    ],
)
def test_the_newest_zone_takes_the_channels_that_it_needs(
    before: Zones, manager: int, members: int, after: Zones
) -> None:
    assert before.configured(manager, members) == after


@pytest.mark.parametrize("sizes", [(16, 0), (8, 7), (-1, 0), (True, 0), (15, 1)])
def test_zones_that_do_not_fit_are_refused(sizes: tuple[int, int]) -> None:
    with pytest.raises(TetradError):
        Zones(*sizes)


def test_each_notes_slide_and_pressure_move_its_own_point() -> None:
    midi = MidiMap(LOWER_THREE)
    assert played(midi, "b1 4a 7f", "d1 7f", "91 3c 40", "b2 4a 00", "92 40 40", "b1 4a 40", "d1 00") == [
        NoteExpression(0, 1, None, Dimension.Y, 0.5),
        NoteExpression(0, 1, None, Dimension.X, 0.5),
        NoteOn(0, 1, 60, 64),
        NoteExpression(0, 2, None, Dimension.Y, -0.5),
        NoteOn(0, 2, 64, 64),
        NoteExpression(0, 1, None, Dimension.Y, 0.0),
        NoteExpression(0, 1, None, Dimension.X, 0.0),
    ]
    # Outside of the zone controller 74 is what it always was.
    assert played(midi, "b4 4a 7f") == [SetParameter(0, "brightness", 6.0)]


def test_a_members_bend_reaches_four_octaves_and_the_managers_is_added() -> None:
    midi = MidiMap(LOWER_THREE)
    assert played(midi, "e1 7f 7f", "e4 7f 7f") == [PitchBend(0, 1, 48.0), PitchBend(0, 4, 2.0)]
    assert played(midi, "e0 7f 7f") == [
        PitchBend(0, 0, 2.0),
        PitchBend(0, 1, 50.0),
        PitchBend(0, 2, 2.0),
        PitchBend(0, 3, 2.0),
    ]
    assert played(midi, "e2 00 00") == [PitchBend(0, 2, -46.0)]


def test_one_members_bend_range_is_that_of_all_members() -> None:
    midi = MidiMap(LOWER_THREE)
    played(midi, "e3 7f 7f")
    assert played(midi, "b1 65 00", "b1 64 00", "b1 06 18") == [PitchBend(0, 3, 24.0)]
    assert played(midi, "e2 7f 7f", "e0 7f 7f")[:2] == [PitchBend(0, 2, 24.0), PitchBend(0, 0, 2.0)]


def test_a_bend_can_move_the_point_instead_of_the_pitch() -> None:
    midi = MidiMap(MidiSettings(lower_members=3, mpe_bend=Route(Target.X, 0.5), mpe_pressure=Route(Target.X, 0.25)))
    assert played(midi, "e1 7f 7f", "d1 7f") == [
        PitchBend(0, 1, 0.0),
        NoteExpression(0, 1, None, Dimension.X, 0.5),
        NoteExpression(0, 1, None, Dimension.X, 0.75),  # two gestures in one dimension add
    ]
    assert played(midi, "e0 7f 7f")[1] == PitchBend(0, 1, 2.0)  # the manager's wheel is for the pitch


def test_the_manager_speaks_for_its_zone() -> None:
    midi = MidiMap(LOWER_THREE)
    zone = range(4)
    assert played(midi, "b0 40 7f") == [SustainPedal(0, channel, True) for channel in zone]
    assert played(midi, "b0 01 7f") == [ModWheel(0, channel, 1.0) for channel in zone]
    assert played(midi, "d0 7f") == [NoteExpression(0, channel, None, Dimension.X, 0.5) for channel in zone]
    assert played(midi, "d2 7f") == [NoteExpression(0, 2, None, Dimension.X, 1.0)]
    assert played(midi, "b0 78 00") == [AllSoundOff(0, channel) for channel in zone]
    assert played(midi, "b2 78 00") == [AllSoundOff(0, 2)]
    events = played(midi, "b0 79 00")
    assert [event for event in events if isinstance(event, ResetControllers)] == [
        ResetControllers(0, channel) for channel in zone
    ]
    assert {event.value for event in events if isinstance(event, NoteExpression)} == {0.0}


def test_patches_and_key_pressure_are_the_managers_business() -> None:
    midi = MidiMap(LOWER_THREE)
    assert played(midi, "c1 05", "a1 3c 7f", "c0 05", "a0 3c 7f") == [
        ProgramChange(0, 0, 0, 5),
        NoteExpression(0, 0, 60, Dimension.X, 0.5),
    ]


def test_the_configuration_message_makes_a_zone_and_ends_its_channels_notes() -> None:
    midi = MidiMap(MidiSettings(bend_range_semitones=7.0, mpe_bend_range_semitones=12.0))
    played(midi, "91 3c 40", "95 3c 40")
    assert played(midi, *configuration(0, 3)) == [NoteOff(0, 1, 60), ResetControllers(0, 0), ResetControllers(0, 1)]
    assert midi.settings.zones == Zones(3, 0)
    # The standard's ranges, not the player's.
    assert played(midi, "e1 7f 7f", "e0 00 40", "e0 7f 7f")[0] == PitchBend(0, 1, 48.0)
    assert played(midi, "e0 7f 7f")[0] == PitchBend(0, 0, 2.0)
    assert played(midi, "e5 7f 7f") == [PitchBend(0, 5, 7.0)]
    played(midi, *configuration(15, 15))
    assert midi.settings.zones == Zones(0, 15)
    played(midi, *configuration(15, 0), *configuration(3, 5), *configuration(0, 16))
    assert midi.settings.zones == Zones()


def test_a_zone_is_heard_with_its_manager_and_its_channel_ten_is_no_drum() -> None:
    midi = MidiMap(MidiSettings(channels=frozenset({0}), lower_members=12, ignore_percussion=True))
    assert played(midi, "99 3c 40", "9d 3c 40") == [NoteOn(0, 9, 60, 64)]


def test_leaving_a_zone_takes_its_bends_away() -> None:
    midi = MidiMap(LOWER_THREE)
    played(midi, "e0 7f 7f", "92 3c 40", "b2 4a 7f")
    events = midi.use(MidiSettings(), 5)
    assert NoteOff(5, 2, 60) in events
    assert NoteExpression(5, 2, None, Dimension.Y, 0.0) in events
    assert {event for event in events if isinstance(event, PitchBend)} >= {PitchBend(5, 1, 0.0), PitchBend(5, 3, 0.0)}
