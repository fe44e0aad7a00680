"""The command table: what it holds, what is made of a message, and what PROTOCOL.md says of it."""

from pathlib import Path
from typing import Any

import pytest

from synth.control.command_events import events_of
from synth.control.commands import BY_NAME, COMMANDS, Command, make_command, parse_command
from synth.control.corners import Corner
from synth.control.events import (
    AllSoundOff,
    Dimension,
    Event,
    NoteExpression,
    NoteOff,
    NoteOn,
    PitchBend,
    ResetControllers,
    SetParameter,
    SustainPedal,
)
from synth.control.fields import Field, Kind, describe_parameter, shown
from synth.control.parameters import PARAMETERS
from synth.control.protocol_text import with_tables
from synth.errors import TetradError

PROTOCOL = Path(__file__).resolve().parents[3] / "synth" / "PROTOCOL.md"

# A value of each kind, as a message has it, and as the command then does.
VALUES: dict[Kind, tuple[Any, Any]] = {
    Kind.NUMBER: (2, 2.0),
    Kind.WHOLE: (3.0, 3),
    Kind.TEXT: ("日本語 🎻 ..//x", "日本語 🎻 ..//x"),
    Kind.TEXTS: (["a", "b"], ("a", "b")),
    Kind.FLAG: (True, True),
    Kind.CORNER: ("Ne", Corner.NE),
    Kind.PARAMETER: ("glide", "glide"),
    Kind.VALUE: (1, 1.0),
    Kind.VALUES: ({"x": 1, "arp_mode": "down"}, {"x": 1.0, "arp_mode": 2.0}),
    Kind.OBJECT: ({"omni": [1]}, {"omni": [1]}),
}


def value_for(field: Field) -> tuple[Any, Any]:
    if field.kind is Kind.NUMBER:
        middle = (field.low + field.high) / 2.0
        return middle, middle
    if field.kind is Kind.WHOLE and field.low > 3:
        return field.low, int(field.low)
    if field.kind is Kind.CHOICE:
        return field.choices[-1], field.choices[-1]
    return VALUES[field.kind]


@pytest.mark.parametrize("name", BY_NAME)
def test_every_command_goes_there_and_back(name: str) -> None:
    spec = BY_NAME[name]
    given = {field.name: value_for(field) for field in spec.fields if field.name not in spec.one_of[1:]}
    message = {"command": name, "id": 5, **{field: value for field, (value, _) in given.items()}}
    command = parse_command(message)
    assert command.name == name
    for field, (_, expected) in given.items():
        assert command[field] == expected
        assert type(command[field]) is type(expected)
    assert command.notes == ()
    assert parse_command(command.to_message()) == command


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: spec.name)
def test_what_is_left_out_or_null_has_its_default(spec: Any) -> None:
    required = {f.name: value_for(f)[0] for f in spec.fields if f.required or f.name in spec.one_of[:1]}
    nulls = {field.name: None for field in spec.fields if field.name not in required}
    command = make_command(spec.name, **required)
    assert command == make_command(spec.name, **required, **nulls)
    assert set(command.fields) == {field.name for field in spec.fields}
    for field in spec.fields:
        if field.name not in required:
            assert command[field.name] == field.default
            assert field.name not in command.to_message()
    for name in required:
        if name not in spec.one_of:
            with pytest.raises(TetradError, match=f'lacks "{name}"'):
                make_command(spec.name, **{other: value for other, value in required.items() if other != name})


def test_the_table_is_in_order() -> None:
    assert len(BY_NAME) == len(COMMANDS)
    for spec in COMMANDS:
        names = [field.name for field in spec.fields]
        assert len(set(names)) == len(names)
        assert not {"command", "id"} & set(names)
        for field in spec.fields:
            assert field.required is False or field.default is None
            if field.default is not None:
                assert field.read(field.default).value == field.default
        if Kind.VALUE in [field.kind for field in spec.fields]:
            before = names[: [field.kind for field in spec.fields].index(Kind.VALUE)]
            assert {"parameter", "dimension"} & set(before), "what a value may be is said by a field before it"


@pytest.mark.parametrize(
    ("dimension", "value", "became"),
    [("x", 7, 1.0), ("bend", -1e30, -96.0), ("level", 20, 12.0), ("vibrato", 50, 50.0)],
)
def test_the_range_of_a_notes_own_value_is_its_dimensions(dimension: str, value: float, became: float) -> None:
    command = make_command("note_expression", key=60, dimension=dimension, value=value)
    assert command["value"] == became
    assert bool(command.notes) is (became != value)
    assert all(note.startswith(f"{dimension} ") for note in command.notes)


def test_a_step_parameter_becomes_whole_and_a_choice_is_a_number_too() -> None:
    assert make_command("set", parameter="unison", value=2.6)["value"] == 3.0
    assert make_command("set", parameter="play_mode", value=1)["value"] == 1.0
    with pytest.raises(TetradError, match="finite number"):
        make_command("set", parameter="unison", value="poly")


@pytest.mark.parametrize(
    "value",
    ["x" * 10**6, list(range(10**5)), 10**5000, {"a": ["b" * 1000]}, "\x1b[2J\n"],
    ids=["text", "list", "number", "object", "control"],
)
def test_what_was_sent_is_shown_shortly(value: object) -> None:
    assert len(shown(value)) <= 40
    assert shown(value).isprintable()


def test_an_unknown_command_gets_the_nearest_names_however_long_it_is() -> None:
    with pytest.raises(TetradError, match="the nearest are: patch_load"):
        parse_command({"command": "pach_load"})
    with pytest.raises(TetradError, match="there are: hello, subscribe") as caught:
        parse_command({"command": "x" * 60_000})
    assert len(str(caught.value)) < 1000


EVENTS: list[tuple[Command, list[Event]]] = [
    (make_command("set", parameter="volume", value=-3), [SetParameter(9, "volume", -3.0)]),
    (make_command("set_many", values={"x": 0, "y": 1}), [SetParameter(9, "x", 0.0), SetParameter(9, "y", 1.0)]),
    (make_command("point", x=0.25, y=0.5), [SetParameter(9, "x", 0.25), SetParameter(9, "y", 0.5)]),
    (make_command("note_on", key=60, velocity=1, channel=15), [NoteOn(9, 15, 60, 1)]),
    (make_command("note_off", key=60), [NoteOff(9, 0, 60)]),
    (
        make_command("note_expression", key=60, dimension="y", value=-0.5),
        [NoteExpression(9, 0, 60, Dimension.Y, -0.5)],
    ),
    (make_command("pedal", down=True, channel=2), [SustainPedal(9, 2, True)]),
    (make_command("bend", semitones=-2), [PitchBend(9, 0, -2.0)]),
]


@pytest.mark.parametrize(("command", "events"), EVENTS, ids=lambda value: getattr(value, "name", ""))
def test_playing_commands_are_events(command: Command, events: list[Event]) -> None:
    assert events_of(command, 9) == events


def test_panic_is_silence_and_rest_on_every_channel_and_the_rest_is_no_event() -> None:
    panic = events_of(make_command("panic"), 9)
    assert panic is not None
    assert {(type(event), event.channel) for event in panic if isinstance(event, AllSoundOff | ResetControllers)} == {
        (kind, channel) for kind in (AllSoundOff, ResetControllers) for channel in range(16)
    }
    assert len(panic) == 32
    assert events_of(make_command("undo"), 9) is None


def test_the_document_has_the_tables_of_the_program() -> None:
    text = PROTOCOL.read_text(encoding="utf-8")
    assert with_tables(text) == text, "run `python -m synth.control.protocol_text synth/PROTOCOL.md`"
    for spec in COMMANDS:
        assert f"### `{spec.name}`" in text
    with pytest.raises(TetradError, match="<!-- commands -->"):
        with_tables("no tables")


def test_parameters_are_described_whole() -> None:
    for parameter in PARAMETERS:
        described = describe_parameter(parameter)
        assert described.pop("choices") == list(parameter.choices)
        for name, value in described.items():
            assert getattr(parameter, name) == value
