"""The engine's log, made fit to be shown. Pure."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ui.texts import ENGLISH, text

MOST_LINES = 200
LATEST_S = 4e9
"""The year 2096: a clock that says more is wrong, and not every system can write it."""
SIGNS = {
    "warning": "warning",
    "refused": "warning",
    "error": "close",
    "audio_changed": "audio",
    "midi_ports_changed": "midi",
    "midi_learned": "knob",
    "patch_changed": "patches",
    "recording_saved": "record",
}
"""Kind -> its icon; any other kind has "info"."""
_COLOURS = {"warning": "warning", "refused": "warning", "error": "danger"}


class Line(NamedTuple):
    """time_s: since 1970. kind: of SIGNS, or another. words: in one piece."""

    time_s: float
    kind: str
    words: str


def line_of(entry: object) -> Line | None:
    """A line as the engine tells it; None where it has no words."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("words"), str):
        return None
    given = entry.get("time_s")
    fits = isinstance(given, int | float) and not isinstance(given, bool)
    time_s = float(given) if fits and 0.0 <= given < LATEST_S else 0.0  # type: ignore[arg-type, operator]
    return Line(time_s, str(entry.get("kind") or ""), entry["words"])


def lines_of(answer: Mapping[str, Any]) -> list[Line]:
    """Of an answer to `log`: the newest first, at most 200."""
    given = answer.get("lines")
    found = [line_of(entry) for entry in given] if isinstance(given, list) else []
    return [line for line in reversed(found) if line is not None][:MOST_LINES]


def with_line(lines: Sequence[Line], line: Line) -> list[Line]:
    """One more."""
    return [line, *lines][:MOST_LINES]


def clock_words(line: Line) -> str:
    """When: "14:03:07"; "" where that is not known."""
    return time.strftime("%H:%M:%S", time.localtime(line.time_s)) if line.time_s else ""


def kind_words(kind: str) -> str:
    """A kind as a word."""
    key = f"settings.log.kind.{kind}"
    return text(key) if key in ENGLISH else kind.replace("_", " ")


def sign(kind: str) -> str:
    """Its icon."""
    return SIGNS.get(kind, "info")


def colour_kind(kind: str) -> str:
    """ "warning", "danger" or "", as colours go."""
    return _COLOURS.get(kind, "")


def line_words(line: Line) -> str:
    """In one line of a report."""
    return f"{clock_words(line)} {kind_words(line.kind)}: {' '.join(line.words.split())}"
