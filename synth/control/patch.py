"""A patch: the whole sound in one frozen document, and its file format `tetrad-patch`, readable and edited by hand.

    {"format": "tetrad-patch", "version": 1, "name": "Glass Morning", "author": "", "tags": ["pad"],
     "corners": {"nw": "celesta", "ne": "choir", "sw": "warm-pad", "se": null},
     "parameters": {"x": 0.25, "arp_mode": "up", ...}, "midi": {...}, "tuning": {...}, "gesture": {...}}

A corner is an instrument's name, or null for silence; whether there is such an instrument is not the patch's business
(`synth.control.patch_resolve`). Parameters are in their units (`synth.control.parameters`), those that choose among
kinds by the choice's name. A parameter that is missing has its default, so patches outlive the versions of the table;
one that is not known, or out of its range, is an error. `midi`, `tuning` and `gesture` have formats of their own, which
`synth.control.patch_parts` reads. `author`, `tags`, `midi` ({}: as usual), `tuning` (null: twelve equal steps),
`gesture` (null: none) and `written_by` (the version of Tetrad) may be missing.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import synth
from synth.control.corners import Corner
from synth.control.json_document import JsonObject, brief, nearest, parse_json, pretty, read_bounded
from synth.control.parameters import INDEX, PARAMETERS, Parameter, parameter_named
from synth.control.patch_parts import gesture_of, midi_settings, tuning_of
from synth.errors import TetradError
from synth.files import atomic_write_bytes

FORMAT, VERSION = "tetrad-patch", 1
SUFFIX = ".json"
MOST_BYTES = 4 * 1024 * 1024
"""A patch is 2 kB; a gesture of five minutes adds 2 MB where every control frame (8 ms) of it is kept."""
MOST_NAME, MOST_AUTHOR, MOST_TAG, MOST_TAGS = 64, 128, 32, 16
"""Characters of a name, an author and a tag; number of tags."""

DEFAULT_CORNERS: tuple[str | None, ...] = ("flute", "strings", "electric-piano", "choir")
_DEFAULTS = tuple(parameter.default for parameter in PARAMETERS)
_NO_SETTINGS = JsonObject()
_REQUIRED = ("format", "version", "name", "corners", "parameters")
_OPTIONAL = ("author", "tags", "midi", "tuning", "gesture", "written_by")
_EXPECTED = f"a {FORMAT} file of version {VERSION}"


@dataclass(frozen=True)
class Patch:
    """A sound. Frozen; the `with_...` methods give another. Raises TetradError for a value that means nothing.

    name: 1 to 64 printable characters; author: at most 128; tags: at most 16 of 32 characters, each once. corners: four
    names of instruments in the order of `Corner`, None for silence. values: of the parameters, in the order of the
    table, in their units and ranges. midi: what `MidiSettings.to_json` gives. tuning: what `Tuning.to_json` gives, None
    for twelve equal steps. gesture: what `Gesture.to_json` gives, or None.
    """

    name: str = "Init"
    author: str = ""
    tags: tuple[str, ...] = ()
    corners: tuple[str | None, ...] = DEFAULT_CORNERS
    values: tuple[float, ...] = _DEFAULTS
    midi: JsonObject = _NO_SETTINGS
    tuning: JsonObject | None = None
    gesture: JsonObject | None = None

    def __post_init__(self) -> None:
        _check_text("name", self.name, 1, MOST_NAME)
        _check_text("author", self.author, 0, MOST_AUTHOR)
        for tag in self.tags[: MOST_TAGS + 1]:
            _check_text("a tag", tag, 1, MOST_TAG)
        if len(self.tags) > MOST_TAGS or len({tag.casefold() for tag in self.tags}) < len(self.tags):
            raise TetradError(f"tags are {brief(self.tags)}; at most {MOST_TAGS}, each once, were expected; drop some")
        if len(self.corners) != len(Corner):
            raise TetradError(f"{len(self.corners)} corners were given; {len(Corner)} were expected; name that many")
        for corner in self.corners:
            if corner is not None:
                _check_text("an instrument's name", corner, 1, 255)
        if len(self.values) != len(PARAMETERS):
            raise TetradError(f"{len(self.values)} parameters were given; {len(PARAMETERS)} were expected; give all")
        for parameter, value in zip(PARAMETERS, self.values, strict=True):
            _check_value(parameter, value)
        midi_settings(self.midi)
        tuning_of(self.tuning)
        if self.gesture is not None:
            gesture_of(self.gesture)

    def corner(self, corner: Corner) -> str | None:
        """The instrument's name, None for silence."""
        return self.corners[corner]

    def value(self, name: str) -> float:
        """A parameter's value in its unit."""
        return self.values[parameter_index(name)]

    def parameters(self) -> dict[str, float]:
        """Every parameter's value by name."""
        return dict(zip(INDEX, self.values, strict=True))

    def with_values(self, values: Mapping[str, float]) -> Self:
        """With other values of some parameters; outside the range they become the nearest end of it."""
        changed = list(self.values)
        for name, value in values.items():
            if not math.isfinite(value):
                raise TetradError(f"{name} was set to {value!r}; a finite number was expected; correct it")
            changed[parameter_index(name)] = parameter_named(name).clamp(value)
        return replace(self, values=tuple(changed))

    def with_corner(self, corner: Corner, instrument: str | None) -> Self:
        corners = list(self.corners)
        corners[corner] = instrument
        return replace(self, corners=tuple(corners))

    def with_midi(self, settings: Mapping[str, Any]) -> Self:
        """settings: what `MidiSettings.to_json` gives; `patch_parts.midi_settings` makes them of it again."""
        return replace(self, midi=JsonObject.of(settings, "midi"))

    def with_tuning(self, tuning: Mapping[str, Any] | None) -> Self:
        return replace(self, tuning=None if tuning is None else JsonObject.of(tuning, "tuning"))

    def with_gesture(self, path: Mapping[str, Any] | None) -> Self:
        return replace(self, gesture=None if path is None else JsonObject.of(path, "gesture"))

    def with_texts(
        self, *, name: str | None = None, author: str | None = None, tags: Iterable[str] | None = None
    ) -> Self:
        """With another name, author or tags; None leaves what is there."""
        return replace(
            self,
            name=self.name if name is None else name.strip(),
            author=self.author if author is None else author.strip(),
            tags=self.tags if tags is None else tuple(tag.strip() for tag in tags),
        )

    def to_json(self) -> dict[str, Any]:
        """The document, as it stands in a file."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "name": self.name,
            "author": self.author,
            "tags": list(self.tags),
            "corners": {corner.name.lower(): self.corners[corner] for corner in Corner},
            "parameters": {p.name: _shown_value(p, v) for p, v in zip(PARAMETERS, self.values, strict=True)},
            "midi": self.midi.to_json(),
            "tuning": None if self.tuning is None else self.tuning.to_json(),
            "gesture": None if self.gesture is None else self.gesture.to_json(),
            "written_by": synth.__version__,
        }

    @classmethod
    def from_json(cls, document: object, where: str = "The patch") -> Self:
        """The patch that a document describes. Raises TetradError, which begins with `where`, for anything else."""
        content = _checked_content(document, where)
        corners = _object(content["corners"], f"{where}, corners")
        _check_keys(corners, [corner.name.lower() for corner in Corner], (), f"{where}, corners")
        values = _read_values(_object(content["parameters"], f"{where}, parameters"), where, content.get("written_by"))
        tags = content.get("tags", [])
        if not isinstance(tags, list):
            raise TetradError(f"{where}, tags are {brief(tags)}; a list of texts was expected; correct it")
        parts = {
            part: JsonObject.of(_object(content[part], f"{where}, {part}"), f"{where}, {part}")
            for part in ("midi", "tuning", "gesture")
            if content.get(part) is not None
        }
        try:
            return cls(
                name=content["name"],
                author=content.get("author", ""),
                tags=tuple(tags),
                corners=tuple(corners[corner.name.lower()] for corner in Corner),
                values=values,
                **parts,
            )
        except TetradError as error:
            raise TetradError(f"{where}: {error}") from error


def parameter_index(name: str) -> int:
    """Place of a parameter in `Patch.values`; TetradError with the nearest names when there is none."""
    parameter_named(name)
    return INDEX[name]


def patch_bytes(patch: Patch) -> bytes:
    """The content of a patch file, UTF-8."""
    return pretty(patch.to_json(), ("corners", "parameters"))


def write_patch(path: Path | str, patch: Patch) -> None:
    """Write a patch file; a reader sees the old one or the new. Raises TetradError and leaves the old one."""
    atomic_write_bytes(path, patch_bytes(patch))


def read_document(path: Path | str) -> object:
    """The JSON in a file of at most `MOST_BYTES`, not yet judged. Raises TetradError."""
    return parse_json(read_bounded(path, MOST_BYTES, _EXPECTED), str(path), _EXPECTED)


def read_patch(path: Path | str) -> Patch:
    """Read a patch file. Raises TetradError for anything that is not exactly as described above."""
    return Patch.from_json(read_document(path), str(path))


def lacking(document: object) -> tuple[str, ...]:
    """Parameters that a patch document does not have, as an older version's; they have their defaults."""
    parameters = document.get("parameters") if isinstance(document, dict) else None
    return tuple(name for name in INDEX if name not in parameters) if isinstance(parameters, dict) else ()


def _checked_content(document: object, where: str) -> dict[str, Any]:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise TetradError(f'{where} does not say "format": "{FORMAT}"; {_EXPECTED} was expected; name another')
    version = document.get("version")
    if version != VERSION or isinstance(version, bool):
        raise TetradError(f"{where} is of version {brief(version)}; {_EXPECTED} was expected; take a newer Tetrad")
    _check_keys(document, _REQUIRED, _OPTIONAL, where)
    return document


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TetradError(f"{where} is {brief(value)}; an object was expected; correct it")
    return value


def _check_keys(found: Mapping[str, Any], required: Iterable[str], optional: Iterable[str], where: str) -> None:
    known = [*required, *optional]
    for key in found:
        if key not in known:
            raise TetradError(f"{where}: {brief(key)} is not known; {nearest(key, known)}; correct it")
    for key in required:
        if key not in found:
            raise TetradError(f'{where}: "{key}" is missing; add it')


def _read_values(found: Mapping[str, Any], where: str, written_by: object) -> tuple[float, ...]:
    for name in found:
        if name not in INDEX:
            remedy = "correct it"
            if isinstance(written_by, str) and written_by != synth.__version__:
                remedy += f", or take a newer Tetrad ({brief(written_by)} wrote it, this is {synth.__version__})"
            raise TetradError(f"{where}: there is no parameter {brief(name)}; {nearest(name, INDEX)}; {remedy}")
    return tuple(_read_value(p, found[p.name], where) if p.name in found else p.default for p in PARAMETERS)


def _read_value(parameter: Parameter, value: object, where: str) -> float:
    if isinstance(value, str) and value in parameter.choices:
        return float(parameter.choices.index(value))
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    # Compared before it becomes a float: a whole number can be too large for one.
    if not is_number or not parameter.minimum <= value <= parameter.maximum:  # type: ignore[operator]
        raise TetradError(f"{where}: {_refusal(parameter, value)}")
    number = float(value)  # type: ignore[arg-type]
    if parameter.curve == "step" and number != round(number):
        raise TetradError(f"{where}: {_refusal(parameter, value)}")
    return number


def _check_value(parameter: Parameter, value: float) -> None:
    inside = isinstance(value, float) and parameter.minimum <= value <= parameter.maximum  # NaN is not inside either
    if not inside or (parameter.curve == "step" and value != round(value)):
        raise TetradError(_refusal(parameter, value))


def _refusal(parameter: Parameter, value: object) -> str:
    kind = "a whole number" if parameter.curve == "step" else "a number"
    expected = f"{kind} from {parameter.minimum:g} to {parameter.maximum:g}"
    if parameter.unit:
        expected += f" {parameter.unit}"
    if parameter.choices:
        expected = f"one of {', '.join(parameter.choices)}"
    return f"{parameter.name} is {brief(value)}; {expected} was expected; correct it"


def _shown_value(parameter: Parameter, value: float) -> float | int | str:
    if parameter.choices:
        return parameter.choices[int(value)]
    return int(value) if parameter.curve == "step" else value


def _check_text(what: str, text: object, least: int, most: int) -> None:
    # str.isprintable is false for control characters, line breaks and halves of surrogate pairs.
    fits = isinstance(text, str) and least <= len(text) <= most and text.isprintable() and text == text.strip()
    if not fits:
        raise TetradError(
            f"{what} is {brief(text)}; {least} to {most} printable characters without spaces around them were "
            "expected; correct it"
        )
