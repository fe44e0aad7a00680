"""Every command that the engine takes, described once: parsing, checking, OSC and the lists of PROTOCOL.md read this.

A command on the wire is one JSON object: {"command": NAME, "id": NUMBER (optional), FIELD: VALUE, ...}. `parse_command`
makes a `Command` of it, in which every field of the table has a value of the kind that the table says.
"""

from collections.abc import Awaitable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Protocol

from synth.control.corners import Corner
from synth.control.events import N_CHANNELS, Dimension
from synth.control.fields import MOST_PATH, MOST_TEXT, Field, Kind, read_expression, read_setting, shown
from synth.errors import TetradError

PROTOCOL_VERSION = 1
"""Goes up when a client of before would be misunderstood. Commands, fields with a default, notices and status entries
may be added within a version: clients ignore what they don't know."""

CUTS = ("auto", "single", "cut")
"""How an import takes a recording: as it decides, as one note, or as several in a row."""
MOST_ID = 2**53 - 1  # the largest whole number that every JSON reader keeps
STATUS_RATE_HZ = 30.0


@dataclass(frozen=True)
class CommandSpec:
    """One command. fields: in the order of its OSC arguments. result: what the reply holds.

    one_of: fields of which exactly one is given. by_server: answered by the server itself, not by the handler.
    osc: taken by OSC as well; never where a file is named or the engine ends, for UDP does not know who sends.
    """

    name: str
    description: str
    fields: tuple[Field, ...] = ()
    result: str = ""
    one_of: tuple[str, ...] = ()
    by_server: bool = False
    osc: bool = False


def _number(name: str, low: float, high: float, unit: str, description: str, default: float | None = None) -> Field:
    return Field(name, Kind.NUMBER, description, low, high, unit, required=default is None, default=default)


def _text(name: str, description: str, *, required: bool = True, longest: int = MOST_TEXT) -> Field:
    return Field(name, Kind.TEXT, description, 1, longest, required=required)


def _path(name: str, description: str, *, required: bool = True) -> Field:
    return _text(name, f"{description} A path on the engine's machine.", required=required, longest=MOST_PATH)


def _flag(name: str, description: str, *, default: bool) -> Field:
    return Field(name, Kind.FLAG, description, required=False, default=default)


_CHANNEL = Field("channel", Kind.WHOLE, "MIDI channel, counted from 0.", 0, N_CHANNELS - 1, required=False, default=0)
_KEY = Field("key", Kind.WHOLE, "MIDI key; 60 is middle C.", 0, 127)
_X = _number("x", 0.0, 1.0, "", "From west to east.")
_Y = _number("y", 0.0, 1.0, "", "From south to north.")
_PARAMETER = Field("parameter", Kind.PARAMETER, "A name of the table `parameters`.")
_PATCH_NUMBER = Field("number", Kind.WHOLE, "Bank times 128 plus program.", 0, 16_383, required=False)
_INSTRUMENT = _text("name", "Name of an instrument.")
_TAGS = Field("tags", Kind.TEXTS, "Words to find it by.", 1, MOST_TEXT, required=False)

COMMANDS: tuple[CommandSpec, ...] = (
    # The connection.
    CommandSpec(
        "hello",
        "The first line of every client. Another protocol than the engine's ends the connection with an error.",
        (
            Field("protocol", Kind.WHOLE, "The protocol that the client speaks.", 0, MOST_ID),
            _text("name", "What the client calls itself in the log.", required=False),
        ),
        by_server=True,
    ),
    CommandSpec(
        "subscribe",
        "Status from now on, the first one whole; 0 ends it.",
        (_number("rate_hz", 0.0, STATUS_RATE_HZ, "Hz", "At most so many a second.", STATUS_RATE_HZ),),
        by_server=True,
    ),
    CommandSpec(
        "present",
        "What a client says of itself, for the screens: it stands in `server.presented` until it says other words, or "
        "is gone.",
        (
            _text("words", "Such as where the board was found, or why not."),
            _flag("well", "False: a player should do something about it.", default=True),
        ),
        by_server=True,
    ),
    CommandSpec("ping", "Is the engine there?", by_server=True),
    CommandSpec("status", "The whole status, once.", result="the status", by_server=True),
    CommandSpec(
        "parameters",
        "The table of parameters.",
        result='{"parameters": [{"name", "minimum", "maximum", "unit", "default", "curve", "midi_cc", "smoothed", '
        '"description", "choices"}]}',
        by_server=True,
    ),
    CommandSpec("commands", "This table.", result='{"commands": [{"name", "description", "fields"}]}', by_server=True),
    # Playing.
    CommandSpec(
        "set",
        "A parameter gets a value.",
        (_PARAMETER, Field("value", Kind.VALUE, "In the parameter's unit, or the name of a choice.")),
        osc=True,
    ),
    CommandSpec(
        "set_many",
        "Parameters get values, all at one moment, as one edit.",
        (Field("values", Kind.VALUES, '{"attack": 0.1, "play_mode": "legato"}'),),
    ),
    CommandSpec(
        "nudge",
        "A parameter goes on from where it is, by a share of a knob's travel along its curve; by one step at least "
        "where it has steps. `focus` is on it for a moment.",
        (_PARAMETER, _number("travel", -1.0, 1.0, "", "1 is from one end of the knob to the other.")),
        result='{"parameter", "value"}',
    ),
    CommandSpec(
        "focus",
        "What a finger or a knob holds now: board and screen show the same. Without either: it was let go. What a "
        "client holds that is gone is let go.",
        (
            Field("parameter", Kind.PARAMETER, "A name of the table `parameters`.", required=False),
            Field("corner", Kind.CORNER, "nw, ne, sw or se.", required=False),
            _text("by", "Who holds it; by default the client's name.", required=False),
            _text("instrument", "That the corner's encoder is turned to, and that is not taken yet.", required=False),
        ),
    ),
    CommandSpec(
        "point",
        "The finger is here: x and y at one moment.",
        (_X, _Y, _flag("touching", "A finger rests there: a playing gesture waits until it is gone.", default=False)),
        osc=True,
    ),
    CommandSpec(
        "note_on",
        "A key goes down. The keys of a client that is gone are let go.",
        (
            _KEY,
            Field("velocity", Kind.WHOLE, "How hard.", 1, 127, required=False, default=100),
            _CHANNEL,
        ),
        osc=True,
    ),
    CommandSpec("note_off", "A key goes up.", (_KEY, _CHANNEL), osc=True),
    CommandSpec(
        "note_expression",
        "Something of one key's sounding notes, added to what the parameters say: each finger can have its own point.",
        (
            _KEY,
            Field("dimension", Kind.CHOICE, "What.", choices=tuple(str(dimension) for dimension in Dimension)),
            Field(
                "value",
                Kind.VALUE,
                "x, y: -1..1; bend: -96..96 semitones; vibrato: 0..100 cents; brightness: -6..6 dB/octave; "
                "level: -120..12 dB.",
            ),
            _CHANNEL,
        ),
        osc=True,
    ),
    CommandSpec("pedal", "The damper pedal.", (Field("down", Kind.FLAG, "Is it down?"), _CHANNEL), osc=True),
    CommandSpec(
        "bend", "Pitch bend.", (_number("semitones", -96.0, 96.0, "semitones", "Upwards."), _CHANNEL), osc=True
    ),
    CommandSpec("panic", "Every sound ends at once; pedals, bends and wheels go back to rest.", osc=True),
    # Instruments.
    CommandSpec(
        "instruments",
        "What there is to put into corners.",
        (
            _text("search", "Words, all in name, family, author, source or tags.", required=False),
            _text("tag", "Only instruments that have it.", required=False),
            _text("family", "Only instruments of this family.", required=False),
            _flag("favourites", "Only the player's favourites.", default=False),
        ),
        result='{"instruments": [{"name", "display_name", "family", "notes", "tags", "favourite", "shipped", ...}]}',
    ),
    CommandSpec(
        "instrument_show",
        "Everything that is known of an instrument, and of each of its notes.",
        (_INSTRUMENT,),
        result='{"name", "display_name", "family", "tags", ..., "picture": path, "notes": [{"pitch", ...}]}',
    ),
    CommandSpec(
        "instrument_import",
        "An instrument is made of recordings, in a process of its own; `import_changed` tells how far it is. Sources: "
        "recordings, folders of them, an SFZ file, a sound font, a note set, or one instrument file.",
        (
            Field("paths", Kind.TEXTS, "Of one instrument's sources, on the engine's machine.", 1, MOST_PATH),
            _text(
                "name", "In the library: small letters, digits, hyphens. By default after the source.", required=False
            ),
            _text("display_name", "As it is shown.", required=False),
            _text("family", "One of those that `instruments` has. By default the source's.", required=False),
            _text("author", "Who recorded it.", required=False),
            _text("licence", "Under which licence.", required=False),
            _text("origin", "Where the recordings are from.", required=False),
            _TAGS,
            Field("pitch", Kind.WHOLE, "MIDI key that was recorded, if it is known better.", 0, 127, required=False),
            _flag("unpitched", "The key does not move it: a drum, speech, a noise.", default=False),
            _text("preset", "Of a sound font: its name, or bank:program.", required=False),
            _text("instrument", "Of a note set or a folder with several.", required=False),
            Field(
                "cut",
                Kind.CHOICE,
                "Whether a recording holds several notes in a row.",
                choices=CUTS,
                required=False,
                default="auto",
            ),
            _flag("correct_tuning", "What is far off its key is brought to it.", default=True),
            _flag("replace", "An instrument of this name goes into the trash.", default=False),
            _flag("again", "Though the library has it already.", default=False),
            Field("corner", Kind.CORNER, "Where it goes when it is there: nw, ne, sw or se.", required=False),
        ),
        result='{"number"}',
    ),
    CommandSpec(
        "import_cancel",
        "An import ends, and nothing is added.",
        (Field("number", Kind.WHOLE, "By default all that are under way.", 1, MOST_ID, required=False),),
        result='{"cancelled": [number]}',
    ),
    CommandSpec(
        "imports",
        "Those under way, and those that ended last.",
        result='{"imports": [as in import_changed, and "result" when it is done]}',
    ),
    CommandSpec(
        "instrument_rename",
        "An instrument is shown under another name; patches go on knowing it by its own.",
        (_INSTRUMENT, _text("display_name", "As it is shown from now on.")),
    ),
    CommandSpec(
        "instrument_tag",
        "An instrument gets other tags.",
        (_INSTRUMENT, Field("tags", Kind.TEXTS, "All that it has from now on.", 1, MOST_TEXT)),
    ),
    CommandSpec(
        "instrument_favourite",
        "An instrument is one of the player's favourites, or no longer.",
        (_INSTRUMENT, _flag("favourite", "Is it one?", default=True)),
    ),
    CommandSpec(
        "instrument_remove",
        "An instrument of the player's goes into the trash; where it sounds it stays.",
        (_INSTRUMENT,),
    ),
    CommandSpec(
        "instrument_restore",
        "An instrument comes back from the trash, removed or replaced.",
        (_text("name", "By default what was removed last.", required=False),),
        result='{"name"}',
    ),
    CommandSpec(
        "instrument_export",
        "An instrument becomes a file of its own, for other players: `instrument_import` reads it.",
        (_INSTRUMENT, _path("path", "A new file, or a folder.")),
        result='{"path"}',
    ),
    CommandSpec(
        "inputs",
        "Where sound can come from now: microphones and lines. It takes a second.",
        result='{"inputs": [{"device", "number", "name", "host_api", "rate_hz", "channels"}]}',
    ),
    CommandSpec(
        "record_input_start",
        "Notes are recorded from an input, one after the other, in a process of its own; status `input` has its level "
        "and what was heard. The reply comes when it is open.",
        (
            _text("device", "A number, or part of a name. By default the first that works.", required=False),
            Field("notes", Kind.WHOLE, "So many, and then it is ready; by default until stop.", 1, 512, required=False),
            _number("seconds", 0.2, 60.0, "s", "The longest time of one note.", 20.0),
        ),
        result='{"device", "sample_rate_hz", "channels"}',
    ),
    CommandSpec(
        "record_input_trim",
        "What stays of a take when it becomes an instrument; said again, it counts instead of what was said before.",
        (
            Field("take", Kind.WHOLE, "Its number in status `input.takes`, counted from 1.", 1, 512),
            _number("start_s", 0.0, 60.0, "s", "What is before it goes.", 0.0),
            Field("end_s", Kind.NUMBER, "What is after it goes; by default nothing.", 0.0, 60.0, "s", required=False),
            _flag("keep", "False: nothing stays of it.", default=True),
        ),
    ),
    CommandSpec(
        "record_input_stop",
        "What was recorded becomes an instrument: `import_changed` tells how far it is.",
        (
            _text("name", "In the library: small letters, digits, hyphens. By default recording.", required=False),
            _text("display_name", "As it is shown.", required=False),
            _text("family", "One of those that `instruments` has.", required=False),
            _TAGS,
            Field("pitch", Kind.WHOLE, "MIDI key of the one note, if it is known better.", 0, 127, required=False),
            _flag("unpitched", "The key does not move it: a drum, speech, a noise.", default=False),
            _flag("correct_tuning", "What is far off its key is brought to it.", default=True),
            _flag("replace", "An instrument of this name goes into the trash.", default=False),
            Field("corner", Kind.CORNER, "Where it goes when it is there: nw, ne, sw or se.", required=False),
        ),
        result=(
            '{"number", "takes": [{"path", "seconds", "clipped_samples", "heard", "pitch", "peaks"}], '
            '"remarks": [text]}'
        ),
    ),
    CommandSpec("record_input_cancel", "The recording from the input ends, and nothing is kept."),
    CommandSpec(
        "audition",
        "A note of an instrument sounds beside the playing, for 2.5 s or until the next one; corners, patch and undo "
        "stay as they are. The reply comes when it begins; status `audition` has its name as long as it sounds.",
        (
            _text("instrument", "Name of an instrument."),
            Field("key", Kind.WHOLE, "MIDI key; by default a recorded one near middle C.", 0, 127, required=False),
            Field("velocity", Kind.WHOLE, "How hard.", 1, 127, required=False, default=100),
        ),
        result='{"instrument", "key"}',
    ),
    CommandSpec("audition_stop", "What is auditioned fades out."),
    # Devices.
    CommandSpec(
        "audio_devices",
        "Where sound can go now, the preferred one first. It takes a second.",
        result='{"devices": [{"device", "number", "name", "host_api", "rate_hz", "in_use"}], "sample_rate_hz", '
        '"block_samples", "next_start": {"device", "sample_rate_hz", "block_samples"}}',
    ),
    CommandSpec(
        "audio_use",
        "The sound goes to another device, or in other blocks, while it plays, and at the next start too. Where that "
        "fails what was there before plays on. Another sample rate counts from the next start.",
        (
            _text("device", "A number, or part of a name; null: none. By default the one in use.", required=False),
            Field("sample_rate_hz", Kind.WHOLE, "Of the engine.", 8_000, 192_000, required=False),
            Field("block_samples", Kind.WHOLE, "Length of a block; 0: the device's own.", 0, 8_192, required=False),
        ),
        result='{"device", "sample_rate_hz", "block_samples", "restart": true or false, "words"}',
    ),
    CommandSpec(
        "midi_inputs",
        "MIDI inputs that there are, and those that are wanted and not there.",
        result='{"inputs": [{"name", "there", "used"}], "all": true or false}',
    ),
    CommandSpec(
        "midi_use",
        "Which MIDI inputs are listened to, now and at the next start.",
        (Field("ports", Kind.TEXTS, "Their names; left out: all, those to come too.", 1, MOST_TEXT, required=False),),
        result="as of midi_inputs",
    ),
    # Corners.
    CommandSpec(
        "corner",
        "A corner gets an instrument; sounding notes cross over to it. The reply comes when it is there.",
        (Field("corner", Kind.CORNER, "nw, ne, sw or se."), _text("instrument", "Name of an instrument.")),
        osc=True,
    ),
    CommandSpec(
        "grid_refine",
        "Missing paths between instruments are computed in the background, or no longer; status `grid` tells how far.",
        (_flag("on", "Are they?", default=True),),
    ),
    # Patches.
    CommandSpec(
        "patches",
        "The bank.",
        (
            _text("search", "Part of a name, an author or a tag.", required=False),
            _text("tag", "Only patches that have it.", required=False),
        ),
        result='{"patches": [{"number", "name", "author", "tags", "shipped"}]}',
    ),
    CommandSpec(
        "patch_load",
        "A patch sounds, by name or by number.",
        (_text("name", "Its name.", required=False), _PATCH_NUMBER),
        result='{"name", "number", "warnings": [text]}',
        one_of=("name", "number"),
        osc=True,
    ),
    CommandSpec(
        "patch_save",
        "What sounds becomes a patch of the bank.",
        (_text("name", "By default the loaded patch's own.", required=False), _PATCH_NUMBER, _TAGS),
        result='{"name", "number"}',
    ),
    CommandSpec(
        "patch_rename",
        "A patch gets another name.",
        (_text("name", "Its name."), _text("new_name", "What it becomes.")),
    ),
    CommandSpec(
        "patch_tag",
        "A patch gets other tags.",
        (_text("name", "Its name."), Field("tags", Kind.TEXTS, "All that it has from now on.", 1, MOST_TEXT)),
    ),
    CommandSpec("patch_remove", "A patch goes into the trash.", (_text("name", "Its name."),)),
    CommandSpec(
        "patch_restore",
        "A removed patch comes back.",
        (_text("name", "By default what was removed last.", required=False),),
        result='{"name", "number"}',
    ),
    CommandSpec(
        "patch_import", "A patch file joins the bank.", (_path("path", "A file."),), result='{"name", "number"}'
    ),
    CommandSpec(
        "patch_export",
        "A patch becomes a file of its own.",
        (_text("name", "By default what sounds.", required=False), _path("path", "Where.")),
        result='{"path"}',
    ),
    CommandSpec("undo", "The last edit is taken back.", result='{"undone": text}', osc=True),
    CommandSpec("redo", "The last edit taken back is made again.", result='{"redone": text}', osc=True),
    CommandSpec(
        "compare",
        "Between what was edited and the patch as it was stored, there and back.",
        result='{"sounding": "edited" or "stored"}',
        osc=True,
    ),
    # MIDI and tuning.
    CommandSpec(
        "midi_learn",
        "The next controller that moves sets this parameter; without a parameter: never mind.",
        (Field("parameter", Kind.PARAMETER, "A name of the table `parameters`.", required=False),),
        osc=True,
    ),
    CommandSpec(
        "midi_settings",
        "How MIDI is understood; without settings it only tells.",
        (Field("settings", Kind.OBJECT, "As in a patch's `midi`.", required=False),),
        result='{"settings"}',
    ),
    CommandSpec(
        "tuning_load",
        "A Scala tuning; without files: twelve equal steps.",
        (
            _path("scale", "A .scl file.", required=False),
            _path("keyboard_map", "A .kbm file.", required=False),
        ),
        result='{"tuning": name}',
    ),
    # Gestures.
    CommandSpec(
        "gesture_record",
        "The finger's way from now on is kept.",
        (_flag("in_time", "Its length becomes whole beats.", default=False),),
        osc=True,
    ),
    CommandSpec(
        "gesture_play",
        "The finger goes the way that was kept.",
        (
            _flag("loop", "Round and round.", default=True),
            _flag("mirrored", "There and back again.", default=False),
            _flag("in_time", "Begins on a beat, and its length is whole beats.", default=False),
            _number("speed", 0.1, 10.0, "x", "1 as it was recorded.", 1.0),
        ),
        osc=True,
    ),
    CommandSpec("gesture_stop", "Ends recording or playing of the gesture.", osc=True),
    CommandSpec("gesture_clear", "Forgets the gesture.", osc=True),
    # Recording.
    CommandSpec(
        "record_start",
        "What is played goes into a file from now on.",
        (_path("path", "A .flac or .wav file; by default one of its own name.", required=False),),
        result='{"path"}',
    ),
    CommandSpec("record_stop", "The recording is finished.", result='{"path", "seconds"}', osc=True),
    CommandSpec(
        "keep",
        "The last minutes become a file.",
        (
            _number("seconds", 1.0, 3600.0, "s", "At most so much of what was played.", 300.0),
            _path("path", "A .flac or .wav file; by default one of its own name.", required=False),
        ),
        result='{"path", "seconds"}',
    ),
    CommandSpec(
        "log",
        "What the engine said last, the oldest first: at most 200 lines.",
        result='{"lines": [{"time_s", "kind", "words"}]}',
    ),
    CommandSpec("quit", "The engine ends."),
)

BY_NAME: dict[str, CommandSpec] = {spec.name: spec for spec in COMMANDS}
_KNOWN = {spec.name: frozenset(described.name for described in spec.fields) for spec in COMMANDS}


@dataclass(frozen=True)
class Command:
    """A command that is right. `command["x"]` is a field; fields that were not given have their default, or None.

    A corner is a `Corner`, a parameter's value a float inside its range, a list of texts a tuple of str.
    notes: what was brought into its range, in words. by: name of the client that gave it; the server knows.
    """

    name: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    by: str = field(default="", compare=False)

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def to_message(self) -> dict[str, Any]:
        """The JSON object of this command, without what is as by default."""
        message: dict[str, Any] = {"command": self.name}
        for described in BY_NAME[self.name].fields:
            value = self.fields[described.name]
            if described.required or value != described.default:
                message[described.name] = value.name.lower() if isinstance(value, Corner) else value
        return message


class CommandHandler(Protocol):
    """What carries commands out: `synth.session.Session`, or a test's own."""

    def handle(self, command: Command) -> "Mapping[str, Any] | Awaitable[Mapping[str, Any]] | Future[Any] | None":
        """Carry out a command that the server does not answer itself; called in the server's thread, one at a time.

        Returns the reply's result (JSON-able; None is {}), quickly: under a ms. What takes longer returns a Future of
        `concurrent.futures` or an awaitable of it. A TetradError, raised or inside the future, becomes the reply.
        """

    def status(self) -> Mapping[str, Any]:
        """The status (`synth.control.status`), a new object; called in the server's thread up to 30 times a second."""


def spec_named(name: object) -> CommandSpec:
    """The table's entry; TetradError with the nearest names when there is none."""
    if isinstance(name, str) and name in BY_NAME:
        return BY_NAME[name]
    near = get_close_matches(name[:MOST_TEXT], BY_NAME, n=3) if isinstance(name, str) else []
    offer = f"the nearest are: {', '.join(near)}" if near else f"there are: {', '.join(BY_NAME)}"
    raise TetradError(f"There is no command {shown(name)}; {offer}.")


def make_command(name: str, /, **fields: Any) -> Command:
    """`make_command("point", x=0.5, y=1.0)`. Raises TetradError."""
    return _read(spec_named(name), fields)


def parse_command(message: Mapping[str, Any]) -> Command:
    """The command in a JSON object of a client; its "id" is not looked at. Raises TetradError."""
    if "command" not in message:
        raise TetradError('There is no "command"; {"command": NAME, FIELD: VALUE, ...} was expected; add it.')
    fields = {name: value for name, value in message.items() if name not in ("command", "id")}
    return _read(spec_named(message["command"]), fields)


def _read(spec: CommandSpec, given: Mapping[str, Any]) -> Command:
    known = _KNOWN[spec.name]
    if not known.issuperset(given):
        takes = f"it takes {', '.join(described.name for described in spec.fields)}" if known else "it takes no fields"
        raise TetradError(f"{spec.name} does not know {shown(min(set(given) - known))}; {takes}; correct it.")
    values: dict[str, Any] = {}
    notes = []
    for described in spec.fields:
        value = given.get(described.name)
        if value is None:
            if described.required:
                raise TetradError(f'{spec.name} lacks "{described.name}" ({described.kind}); add it.')
            values[described.name] = described.default
            continue
        read = described.read(value)
        if described.kind is Kind.VALUE:
            read = read_setting(values["parameter"], value) if "parameter" in values else read_expression(values, value)
        values[described.name] = read.value
        if read.note:
            notes.append(read.note)
    if spec.one_of and sum(values[name] is not None for name in spec.one_of) != 1:
        raise TetradError(f"{spec.name} takes one of {', '.join(spec.one_of)}; give exactly one.")
    return Command(spec.name, MappingProxyType(values), tuple(notes))


def describe_command(spec: CommandSpec) -> dict[str, Any]:
    """A command as JSON, for scripts that look what there is."""
    fields = [
        {"name": f.name, "kind": str(f.kind), "required": f.required, "description": f.description} for f in spec.fields
    ]
    return {"name": spec.name, "description": spec.description, "fields": fields}
