"""MIDI bytes and the events that they mean, literally."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from synth.control.events import (
    AllNotesOff,
    AllSoundOff,
    ChannelLevel,
    Dimension,
    Event,
    ModWheel,
    NoteExpression,
    NoteOff,
    NoteOn,
    Pan,
    PitchBend,
    ProgramChange,
    ResetControllers,
    SetParameter,
    SostenutoPedal,
    SustainPedal,
    Transport,
    TransportKind,
)
from synth.control.midi_bytes import MidiParser
from synth.control.midi_map import MidiMap, controller_db
from synth.control.midi_settings import MidiSettings, Route, Target
from synth.control.parameters import parameter_named
from synth.errors import TetradError
from synth.io.midi_file import read_midi_file

OPENTTD_MUSIC = Path("/usr/share/games/openttd/baseset/openmsx")

OLD = [
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
    ([0xB2, 122, 0], []),
    *(([0xB2, number, 0], [AllNotesOff(5, 2)]) for number in range(123, 128)),
    ([0xE0, 0, 64], [PitchBend(5, 0, 0.0)]),
    ([0xE0, 127, 127], [PitchBend(5, 0, 2.0)]),
    ([0xE0, 0, 0], [PitchBend(5, 0, -2.0)]),
    ([0xB0, 16, 127], [SetParameter(5, "x", 1.0)]),
    ([0xB0, 74, 0], [SetParameter(5, "brightness", parameter_named("brightness").minimum)]),
    ([0xB0, 3, 64], []),
    ([0xF0, 1, 2, 0xF7], []),
    ([0xF1, 3], []),
    ([0xF3, 3], []),
    ([0xF6], []),
    ([0xFE], []),
    ([60, 100], []),
    ([0x90, 60], []),
    ([0x90, 200, 100], []),
    ([], []),
]
NEW = [
    ([0xC0, 5], [ProgramChange(5, 0, 0, 5)]),
    ([0xB0, 66, 64], [SostenutoPedal(5, 0, True)]),
    ([0xB0, 66, 0], [SostenutoPedal(5, 0, False)]),
    ([0xD3, 127], [NoteExpression(5, 3, None, Dimension.VIBRATO, 50.0)]),
    ([0xA3, 61, 127], [NoteExpression(5, 3, 61, Dimension.VIBRATO, 50.0)]),
    ([0xF8], [Transport(5, TransportKind.CLOCK)]),
    ([0xFA], [Transport(5, TransportKind.START)]),
    ([0xFB], [Transport(5, TransportKind.CONTINUE)]),
    ([0xFC], [Transport(5, TransportKind.STOP)]),
    ([0xF2, 16, 1], [Transport(5, TransportKind.POSITION, 144)]),
    ([0xF2, 16, 200], []),
    ([0xF2, 16], []),
]


def played(midi: MidiMap, *messages: str, time: int = 0) -> list[Event]:
    """Events of messages in hexadecimal."""
    return [event for message in messages for event in midi.events(bytes.fromhex(message), time)]


def rpn(number: int, coarse: int, fine: int | None = None, channel: int = 0) -> list[str]:
    """Messages that set a registered parameter."""
    values = [(101, 0), (100, number), (6, coarse), *([] if fine is None else [(38, fine)])]
    return [bytes((0xB0 | channel, *pair)).hex(" ") for pair in values]


@pytest.mark.parametrize(("message", "events"), [*OLD, *NEW])
def test_messages(message: Sequence[int], events: list[Event]) -> None:
    assert MidiMap(MidiSettings()).events(message, 5) == events


def test_rpn_zero_sets_the_bend_range_of_its_channel_alone() -> None:
    midi = MidiMap()
    played(midi, *rpn(0, 12, 50))
    assert played(midi, "e0 7f 7f") == [PitchBend(0, 0, 12.5)]
    assert played(midi, "e1 7f 7f") == [PitchBend(0, 1, 2.0)]
    played(midi, *rpn(0, 7))
    assert played(midi, "e0 7f 7f") == [PitchBend(0, 0, 7.0)]  # a coarse value alone means no cents


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


@pytest.mark.parametrize(
    ("number", "start", "controller", "expected"),
    [
        (0, (2, 99), 96, 3.0),  # cents carry into semitones
        (0, (2, 0), 97, 1 + 99 / 100),
        (0, (0, 0), 97, 0.0),
        (0, (96, 0), 96, 96.0),
    ],
)
def test_increment_and_decrement_step_the_bend_range_by_cents(
    number: int, start: tuple[int, int], controller: int, expected: float
) -> None:
    midi = MidiMap(MidiSettings())
    played(midi, *rpn(number, *start), f"b0 {controller:02x} 00")
    assert played(midi, "e0 7f 7f") == [PitchBend(0, 0, expected)]


def test_fine_and_coarse_tuning_move_the_channel_and_outlive_a_reset() -> None:
    midi = MidiMap(MidiSettings())
    assert played(midi, *rpn(2, 64 + 12)) == [PitchBend(0, 0, 12.0)]
    assert played(midi, *rpn(1, 96)) == [PitchBend(0, 0, 12.5)]
    assert played(midi, "e0 7f 7f") == [PitchBend(0, 0, 14.5)]
    assert played(midi, "b0 79 00") == [ResetControllers(0, 0), PitchBend(0, 0, 12.5)]
    assert played(midi, *rpn(2, 64), *rpn(1, 64, 1))[-1] == PitchBend(0, 0, 1 / 8192)
    played(midi, "b0 60 00")
    assert played(midi, "e0 00 40") == [PitchBend(0, 0, 2 / 8192)]


def test_bank_and_program_choose_a_patch_per_channel() -> None:
    midi = MidiMap(MidiSettings())
    assert played(midi, "b0 00 02", "b0 20 05", "c1 01", "c0 07", "c0 08") == [
        ProgramChange(0, 1, 0, 1),
        ProgramChange(0, 0, 2 * 128 + 5, 7),
        ProgramChange(0, 0, 2 * 128 + 5, 8),
    ]
    assert played(MidiMap(MidiSettings(program_changes=False)), "c0 07") == []


def test_a_controller_has_fourteen_bits_when_its_fine_half_comes() -> None:
    midi = MidiMap(MidiSettings())
    assert played(midi, "b0 30 40") == []  # a fine half without a coarse one
    first, second, third, top = played(midi, "b0 10 20", "b0 30 40", "b0 10 21", "b0 10 7f")
    assert isinstance(first, SetParameter)
    values = [event.value * 127.0 for event in (first, second, third, top) if isinstance(event, SetParameter)]
    assert values == pytest.approx([32.0, 32.5, 33.0, 127.0])
    assert played(midi, "b0 07 64", "b0 27 00") == [ChannelLevel(0, 0, volume_db=0.0)] * 2
    assert played(midi, "b0 0a 40", "b0 2a 7f")[1] == Pan(0, 0, 127 / 128 / 63)


def test_only_wanted_channels_are_heard() -> None:
    midi = MidiMap(MidiSettings(channels=frozenset({2})))
    assert played(midi, "90 3c 40", "92 3c 40", "b1 78 00", "c0 01", "f8") == [
        NoteOn(0, 2, 60, 64),
        Transport(0, TransportKind.CLOCK),
    ]
    midi = MidiMap(MidiSettings(ignore_percussion=True))
    assert played(midi, "99 24 40", "98 24 40") == [NoteOn(0, 8, 36, 64)]


def test_learning_assigns_the_next_controller_and_sets_its_value() -> None:
    midi = MidiMap(MidiSettings())
    with pytest.raises(TetradError, match="There is no parameter 'rverb'"):
        midi.learn("rverb")
    midi.learn("reverb")
    assert played(midi, "90 3c 40", "b0 40 7f", "b0 65 00", "b0 78 00") == [
        NoteOn(0, 0, 60, 64),
        SustainPedal(0, 0, True),
        AllSoundOff(0, 0),
    ]  # the damper pedal, RPNs and mode messages can't be learned
    assert played(midi, "b3 14 7f") == [SetParameter(0, "reverb", 1.0)]
    assert midi.learning is None
    assert midi.settings.assignments == {20: "reverb"}
    assert played(midi, "b0 15 7f") == []
    midi.learn("reverb")
    assert played(midi, "b0 15 00", "b0 14 7f") == [SetParameter(0, "reverb", 0.0)]  # the parameter has moved
    assert midi.settings.assignments == {21: "reverb"}


def test_an_assigned_controller_means_nothing_else_and_lets_go_of_what_it_did() -> None:
    midi = MidiMap(MidiSettings(assignments={1: "none", 74: "x"}))
    assert played(midi, "b0 01 7f", "b0 4a 7f") == [SetParameter(0, "x", 1.0)]
    midi = MidiMap(MidiSettings())
    played(midi, "b0 01 7f", "b0 42 7f")
    midi.learn("y")
    events = played(midi, "b0 01 7f")
    assert events == [*(ModWheel(0, channel, 0.0) for channel in range(16)), SetParameter(0, "y", 1.0)]
    midi.learn("x")
    assert played(midi, "b0 42 00")[3] == SostenutoPedal(0, 3, False)
    assert midi.settings.assignments == {1: "y", 66: "x"}


def test_pressure_goes_where_the_player_wants_it() -> None:
    settings = MidiSettings(pressure=Route(Target.X, -0.5), poly_pressure=Route(Target.LEVEL, 0.5))
    midi = MidiMap(settings)
    assert played(midi, "d0 7f", "d0 7f", "a0 3c 7f") == [
        NoteExpression(0, 0, None, Dimension.X, -0.5),
        NoteExpression(0, 0, 60, Dimension.LEVEL, 6.0),
    ]
    events = played(midi, "b0 79 00")
    assert events == [
        ResetControllers(0, 0),
        NoteExpression(0, 0, 60, Dimension.LEVEL, 0.0),
        NoteExpression(0, 0, None, Dimension.X, 0.0),
    ]
    silent = MidiMap(MidiSettings(pressure=Route(), poly_pressure=Route()))
    assert played(silent, "d0 7f", "a0 3c 7f") == []


def test_a_lost_input_lets_go_of_its_keys_and_controllers_and_of_nothing_else() -> None:
    midi = MidiMap(MidiSettings())
    assert midi.let_go(3) == []
    played(midi, "90 3c 40", "90 40 40", "80 3c 00", "b0 40 7f", "e0 7f 7f", "d2 7f", "92 30 01")
    assert midi.let_go(7) == [
        NoteOff(7, 0, 64),
        NoteOff(7, 2, 48),
        ResetControllers(7, 0),
        ResetControllers(7, 2),
        NoteExpression(7, 2, None, Dimension.VIBRATO, 0.0),
    ]
    assert midi.let_go(8) == []
    played(midi, "90 43 40")
    assert midi.let_go(9) == [NoteOff(9, 0, 67), ResetControllers(9, 0)]


@pytest.mark.parametrize("message", [None, "ff"], ids=["panic", "system reset"])
def test_panic_and_system_reset_silence_all_channels(message: str | None) -> None:
    midi = MidiMap(MidiSettings())
    played(midi, "90 3c 40", *rpn(0, 12))
    events = midi.panic(9) if message is None else played(midi, message, time=9)
    assert events == [
        *(AllSoundOff(9, channel) for channel in range(16)),
        *(ResetControllers(9, channel) for channel in range(16)),
    ]
    assert midi.let_go(9)[0] == ResetControllers(9, 0)  # no key is held any more
    range_semitones = 12.0 if message is None else 2.0
    assert played(midi, "e0 7f 7f") == [PitchBend(0, 0, range_semitones)]


def test_new_settings_end_the_notes_of_channels_that_are_no_longer_heard() -> None:
    midi = MidiMap(MidiSettings())
    played(midi, "90 3c 40", "91 3e 40", "e1 7f 7f")
    only_first = MidiSettings(channels=frozenset({0}))
    assert midi.use(only_first, 4) == [NoteOff(4, 1, 62), ResetControllers(4, 1)]
    assert played(midi, "81 3e 00", "80 3c 00") == [NoteOff(0, 0, 60)]
    played(midi, "e0 7f 7f")
    assert midi.use(replace(only_first, bend_range_semitones=5.0), 6) == [PitchBend(6, 0, 5.0)]


def test_volume_is_forty_decibels_a_decade() -> None:
    assert controller_db(10, unity=100) == pytest.approx(-40.0)


def test_random_bytes_never_raise() -> None:
    generator = random.Random(1)
    midi = MidiMap(MidiSettings())
    n_events = 0
    for _ in range(20_000):
        n_events += len(midi.events([generator.randrange(256) for _ in range(generator.randrange(5))], 0))
    assert n_events > 100


FILES = sorted(OPENTTD_MUSIC.glob("*.mid"))


def test_the_files_of_others_are_there() -> None:
    assert len(FILES) >= 30


def notes_in_file(path: Path) -> int:
    """Note-ons of a MIDI file, counted in its bytes: chunks, variable lengths and running status, nothing else."""
    content, place, n_notes = path.read_bytes(), 14, 0
    while place < len(content):
        kind, length = content[place : place + 4], int.from_bytes(content[place + 4 : place + 8])
        place, end, status = place + 8, place + 8 + length, 0
        while kind == b"MTrk" and place < end:
            while content[place] & 0x80:  # the rest of the delta time
                place += 1
            place += 1
            if content[place] & 0x80:
                status, place = content[place], place + 1
            if status >= 0xF0:
                place += status == 0xFF
                n_bytes = 0
                while content[place] & 0x80:
                    n_bytes, place = n_bytes << 7 | content[place] & 0x7F, place + 1
                place += 1 + (n_bytes << 7 | content[place])
                continue
            n_notes += status & 0xF0 == 0x90 and content[place + 1] > 0
            place += 1 if status & 0xE0 == 0xC0 else 2
        place = end
    return n_notes


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_note_of_other_peoples_files_starts_and_ends(path: Path) -> None:
    """As over a wire: running status wherever it is possible, a clock in every third message."""
    wire = bytearray()
    status = 0
    messages = read_midi_file(path)
    for index, (_, data) in enumerate(messages):
        body = data[1:] if data[0] == status and data[0] < 0xF0 else data
        status = data[0] if data[0] < 0xF0 else 0
        wire += body[:1] + b"\xf8" * (index % 3 == 0) + body[1:]
    parser, midi = MidiParser(), MidiMap(MidiSettings())
    events = [event for message in parser.feed(bytes(wire)) for event in midi.events(message, 0)]
    assert sum(isinstance(event, NoteOn) for event in events) == notes_in_file(path) > 100
    clocks = [event for event in events if isinstance(event, Transport)]
    assert len(clocks) == (len(messages) + 2) // 3
    keys: set[tuple[int, int]] = set()
    for event in (*events, *midi.let_go(0)):
        if isinstance(event, NoteOn):
            keys.add((event.channel, event.key))
        elif isinstance(event, NoteOff):
            keys.discard((event.channel, event.key))
    assert keys == set()
