"""What the screen knows of the engine, as Kivy properties: written on Kivy's main thread only, read by every widget.

The engine's status (synth/control/status.py) has sections; each is a property here of the same name, a dict that always
has all entries of the table, with the table's kind of value: what is missing or of another kind reads 0, "", False
or []. So `mirror.patch["undo"]` is never an error, whatever an engine of another version leaves out. A section is
replaced, never changed, and only when something in it is different. `notes` is a list of `Note`.

What is asked for and not pushed (parameters' table, instruments, patches, ...) is kept in `table`, `instruments`,
`patches`, `imports` and `midi_settings` by `ui.lists`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from kivy.event import EventDispatcher
from kivy.properties import ListProperty, NumericProperty, ObjectProperty, OptionProperty, StringProperty

from synth.control.corners import Corner
from synth.control.parameters import Parameter
from synth.control.status import STATUS

CORNER_NAMES = tuple(corner.name.lower() for corner in Corner)
SILENT_DB = -120.0
MOST = 1e300
"""Numbers beyond it, and NaN, are none."""
_NOTHING: dict[str, Any] = {"number": 0.0, "whole number": 0, "text": "", "flag": False, "list": []}
_KINDS: dict[str, tuple[type, ...]] = {
    "whole number": (int,),
    "text": (str,),
    "flag": (bool,),
    "list": (list,),
}


class Note(NamedTuple):
    """A note that sounds. x, y: its place on the surface, 0..1. spectrum_db: level of bands from low to high, dB."""

    channel: int
    key: int
    x: float
    y: float
    level_db: float
    spectrum_db: tuple[float, ...]


def _tables() -> dict[str, dict[str, str]]:
    """Section -> entry -> kind, of the sections with entries of fixed names."""
    found: dict[str, dict[str, str]] = {}
    for entry in STATUS:
        section, _, name = entry.path.partition(".")
        if name and "*" not in name and "." not in name:
            found.setdefault(section, {})[name] = entry.kind
    return found


_TABLES = _tables()
_CORNER_ENTRIES = {entry.path.rpartition(".")[2]: entry.kind for entry in STATUS if entry.path.startswith("corners.*.")}


def _of_kind(value: object, kind: str) -> Any:
    """The value, or what stands for nothing of its kind."""
    if kind == "number":
        return value if _is_number(value) else _NOTHING[kind]
    fits = isinstance(value, _KINDS[kind]) and (kind == "flag" or not isinstance(value, bool))
    return value if fits else _NOTHING[kind]


def clean_section(kinds: Mapping[str, str], section: object) -> dict[str, Any]:
    """All entries of a table, from a section that may lack some, have others, or be something else altogether."""
    given = section if isinstance(section, Mapping) else {}
    return {name: _of_kind(given.get(name), kind) for name, kind in kinds.items()}


def clean_note(one: object) -> Note | None:
    """A note of a status; None where its place or key are missing."""
    if not isinstance(one, Mapping):
        return None
    if not all(_is_number(one.get(name)) for name in ("key", "x", "y")):
        return None
    bands = one.get("spectrum_db")
    return Note(
        int(_number(one.get("channel"), 0.0)),
        int(one["key"]),
        min(max(float(one["x"]), 0.0), 1.0),
        min(max(float(one["y"]), 0.0), 1.0),
        _number(one.get("level_db"), SILENT_DB),
        tuple(_number(band, SILENT_DB) for band in bands) if isinstance(bands, list) else (),
    )


def _is_number(value: object) -> bool:
    # Compared, not asked of math.isfinite: it raises for a whole number that no double holds.
    return isinstance(value, int | float) and not isinstance(value, bool) and -MOST < value < MOST


def _number(value: Any, otherwise: float) -> float:
    return float(value) if _is_number(value) else otherwise


class Mirror(EventDispatcher):
    """The engine as last heard.

    connection: "connecting", "connected", "refused" (another protocol), "hanging" (silent for 3 s) or "closed";
    connection_words: that in words; engine, process: what it calls itself, and its number; connections: how often one
    was reached.
    Events: `on_notice(name, data)` after the mirror has taken it in; `on_words(words, kind)` with something for the
    player to read, kind "info" or "warning".
    """

    __events__ = ("on_notice", "on_words")

    connection = OptionProperty("connecting", options=["connecting", "connected", "refused", "hanging", "closed"])
    connection_words = StringProperty("")
    engine = StringProperty("")
    process = NumericProperty(0)
    connections = NumericProperty(0)

    parameters = ObjectProperty({})
    corners = ObjectProperty({name: clean_section(_CORNER_ENTRIES, None) for name in CORNER_NAMES})
    notes = ListProperty([])
    point = ObjectProperty(clean_section(_TABLES["point"], None))
    voices = ObjectProperty(clean_section(_TABLES["voices"], None))
    levels = ObjectProperty(clean_section(_TABLES["levels"], None))
    focus = ObjectProperty(clean_section(_TABLES["focus"], None))
    audition = ObjectProperty(clean_section(_TABLES["audition"], None))
    patch = ObjectProperty(clean_section(_TABLES["patch"], None))
    clock = ObjectProperty(clean_section(_TABLES["clock"], None))
    gesture = ObjectProperty(clean_section(_TABLES["gesture"], None))
    recording = ObjectProperty(clean_section(_TABLES["recording"], None))
    imports = ObjectProperty(clean_section(_TABLES["imports"], None))
    input = ObjectProperty(clean_section(_TABLES["input"], None))
    grid = ObjectProperty(clean_section(_TABLES["grid"], None))
    midi = ObjectProperty(clean_section(_TABLES["midi"], None))
    tuning = ObjectProperty(clean_section(_TABLES["tuning"], None))
    audio = ObjectProperty(clean_section(_TABLES["audio"], None))
    health = ObjectProperty(clean_section(_TABLES["health"], None))
    server = ObjectProperty(clean_section(_TABLES["server"], None))

    table: list[Parameter] = ListProperty([])
    """The engine's parameters, in its order; [] until it has told."""
    instruments: list[dict[str, Any]] = ListProperty([])
    patches: list[dict[str, Any]] = ListProperty([])
    import_jobs: list[dict[str, Any]] = ListProperty([])
    midi_settings: dict[str, Any] = ObjectProperty({})

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._seen: dict[str, Any] = {}

    def take_status(self, status: Mapping[str, Any]) -> None:
        """A status as the client mirrors it: sections that did not change are the same objects as before."""
        for name, kinds in _TABLES.items():
            if self._is_new(name, status):
                self._become(name, clean_section(kinds, status.get(name)))
        if self._is_new("parameters", status):
            given = status.get("parameters")
            values = given if isinstance(given, Mapping) else {}
            self._become("parameters", {str(name): float(v) for name, v in values.items() if _is_number(v)})
        if self._is_new("corners", status):
            given = status.get("corners")
            corners = given if isinstance(given, Mapping) else {}
            self._become("corners", {name: clean_section(_CORNER_ENTRIES, corners.get(name)) for name in CORNER_NAMES})
        if self._is_new("notes", status):
            given = status.get("notes")
            notes = [clean_note(one) for one in given] if isinstance(given, list) else []
            self._become("notes", [note for note in notes if note is not None])

    def take_state(self, connection: str, words: str, engine: str, process: int = 0) -> None:
        """The connection is in another state."""
        anew = connection == "connected" and self.connection != "hanging"
        self.engine, self.process = engine, process
        self.connection_words, self.connection = words, connection
        if anew:
            self.connections += 1  # last: who hears of it asks the engine, which must be there

    def take_notice(self, name: str, data: Mapping[str, Any]) -> None:
        """Something happened."""
        self.dispatch("on_notice", name, data)
        words = data.get("words")
        if name in ("warning", "refused", "audio_changed") and isinstance(words, str) and words:
            self.say(words, "info" if name == "audio_changed" else "warning")

    def say(self, words: str, kind: str = "info") -> None:
        """Something for the player to read, for a moment."""
        self.dispatch("on_words", words, kind)

    def on_notice(self, name: str, data: Mapping[str, Any]) -> None:
        """For those who bind to it."""

    def on_words(self, words: str, kind: str) -> None:
        """For those who bind to it."""

    def _is_new(self, name: str, status: Mapping[str, Any]) -> bool:
        section = status.get(name)
        if section is None and name not in self._seen:
            return False
        if self._seen.get(name) is section:
            return False
        self._seen[name] = section
        return True

    def _become(self, name: str, value: Any) -> None:
        if getattr(self, name) != value:
            setattr(self, name, value)
