"""The description inside an instrument file, `instrument.json`: what it may hold, and the check of every value.

Version 1 has partials at `k f0 sqrt(1 + B k^2)` and noise bands; version 2 adds tags, and per note whether it is
pitched, its own ratios and phases, and the length and scale of its residual.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import unicodedata
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synth.control.json_document import brief, parse_json
from synth.errors import TetradError
from synth.frames import FRAME_RATE_HZ, HOP, SAMPLE_RATE_HZ
from synth.instruments.bounded_zip import read_member

FORMAT = "tetrad-instrument"
VERSION, NEWEST_VERSION = 1, 2
"""A file is written in the oldest version that can hold it."""
DETAIL_STEP = 0.5
MOST_NOTES = 512
MOST_FRAMES = 125 * 60
"""Of a note, a minute: longer notes are looped."""
MOST_FRAMES_IN_ALL = 125 * 60 * 60
"""An hour: 297 MB once its rows are float32."""
MOST_RESIDUAL_SAMPLES = 5 * 60 * SAMPLE_RATE_HZ
"""Of all notes together, five minutes: 58 MB as float32."""
MOST_TAGS, LONGEST_TAG = 16, 40
FAMILIES = (
    "bass",
    "brass",
    "flute",
    "guitar",
    "keyboard",
    "mallet",
    "organ",
    "reed",
    "string",
    "synth_lead",
    "vocal",
    "synth_pad",
)
"""NSynth's eleven (Engel et al. 2017), in its order, and `synth_pad`, which NSynth does not have."""

TEXT_FIELDS = ("name", "display_name", "family", "author", "licence", "source", "model_id")
FIXED: dict[str, Any] = {
    "format": FORMAT,
    "sample_rate_hz": SAMPLE_RATE_HZ,
    "frame_rate_hz": FRAME_RATE_HZ,
    "detail_step": DETAIL_STEP,
    "detail_unit": "dB, last column cents",
}
NOTE_FIELDS: dict[str, tuple[type, float, float]] = {
    "pitch": (int, 0, 127),
    "velocity": (int, 1, 127),
    "tuning_cents": (float, -200.0, 200.0),
    "inharmonicity": (float, 0.0, 0.1),
    "loop_start": (int, 0, MOST_FRAMES),
    "loop_end": (int, 0, MOST_FRAMES),
    "release_start": (int, 0, MOST_FRAMES),
    "n_frames": (int, 1, MOST_FRAMES),
    "n_embeddings": (int, 1, MOST_FRAMES),
}
NOTE_FIELDS_2: dict[str, tuple[type, float, float]] = {
    "pitched": (bool, 0, 1),
    "has_ratios": (bool, 0, 1),
    "has_phases": (bool, 0, 1),
    "n_residual": (int, 0, MOST_FRAMES * HOP),
    "residual_exponent": (int, -40, 6),
}
"""`residual_exponent` e: a sample of the residual is its 16-bit integer times 2^(e - 15)."""
_LARGEST_BYTES = 1 << 20


_SOUND = ("z.f16", "detail.i8", "loudness.f16")


def content_hash(header: Mapping[str, Any]) -> str:
    """SHA-256 of how an instrument sounds, not of what it is called, and the same in every version of the format.

    Two recordings that agree in every embedding, level and loudness are one. header: its "sha256", "notes", "model_id".
    """
    sound = [header["sha256"][name] for name in _SOUND]
    sound += [[note[key] for key in ("pitch", "velocity", "loop_start", "loop_end")] for note in header["notes"]]
    return hashlib.sha256(json.dumps([header["model_id"], *sound]).encode()).hexdigest()


def note_fields(version: int) -> dict[str, tuple[type, float, float]]:
    """Name -> (type, lowest, highest) of a note's entry in the description."""
    return NOTE_FIELDS | NOTE_FIELDS_2 if version >= 2 else NOTE_FIELDS


def read_description(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    """The checked `instrument.json`; "tags" are there in either version. Raises TetradError for anything strange."""
    try:
        info = archive.getinfo("instrument.json")
        if info.file_size > _LARGEST_BYTES:
            raise TetradError(f"{path}: its description is larger than 1 MiB; expected a {FORMAT} file")
        header = parse_json(read_member(archive, info), f"{path}: its description", f"a {FORMAT} file")
    except (OSError, KeyError, ValueError, lzma.LZMAError, zlib.error) as error:
        raise TetradError(f"{path} has no readable description ({error}); expected a {FORMAT} file") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        found = header.get("format") if isinstance(header, dict) else type(header).__name__
        raise TetradError(f"{path} is of the format {brief(found)}; expected {FORMAT!r}")
    version = header.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or not VERSION <= version <= NEWEST_VERSION:
        raise TetradError(
            f"{path} has version {brief(version)} of the format; this release reads {VERSION} to {NEWEST_VERSION}; "
            "update tetrad"
        )
    known = {*FIXED, *TEXT_FIELDS, "version", "sustains", "notes", "sha256"} | ({"tags"} if version >= 2 else set())
    if set(header) != known:
        odd = ", ".join(brief(key) for key in sorted(set(header) ^ known)[:5])
        raise TetradError(f"{path} has unexpected or missing fields: {odd}")
    header.setdefault("tags", [])
    check_values(path, header)
    for key in TEXT_FIELDS:
        header[key] = shown_text(header[key])
    return header


def shown_text(text: str) -> str:
    """A stranger's text as a terminal and UTF-8 can have it: "?" for control characters and halves of a pair."""
    return "".join("?" if unicodedata.category(character) in {"Cc", "Cs"} else character for character in text)


def check_values(path: Path, header: Mapping[str, Any]) -> None:
    """Raise TetradError for a value that is not what its field may hold; `header` has the fields of its version."""
    for key, value in FIXED.items():
        if header[key] != value:
            raise TetradError(f"{path} has {key} {brief(header[key])}; this release reads {value!r}")
    for key in TEXT_FIELDS:
        if not isinstance(header[key], str) or len(header[key]) > 500:
            raise TetradError(f"{path}: {key} is not a text of at most 500 characters")
    if not isinstance(header["sustains"], bool) or header["family"] not in FAMILIES:
        raise TetradError(
            f"{path}: family {brief(header['family'])} or sustains {brief(header['sustains'])} is not known"
        )
    tags = header["tags"]
    if not isinstance(tags, list) or len(tags) > MOST_TAGS or not all(map(_is_tag, tags)) or len(tags) > len(set(tags)):
        raise TetradError(
            f"{path}: its tags are not at most {MOST_TAGS} different texts of 1 to {LONGEST_TAG} characters"
        )
    notes = header["notes"]
    if not isinstance(notes, list) or not 1 <= len(notes) <= MOST_NOTES:
        raise TetradError(f"{path} has no table of 1 to {MOST_NOTES} notes")
    for entry in notes:
        _check_note(path, entry, note_fields(header["version"]))
    order = [(n["pitch"], n["velocity"]) for n in notes]
    if order != sorted(set(order)):
        raise TetradError(f"{path}: its notes are not sorted by pitch and velocity, or one is there twice")
    _check_sum(path, notes, "n_frames", MOST_FRAMES_IN_ALL)
    _check_sum(path, notes, "n_residual", MOST_RESIDUAL_SAMPLES)


def _is_tag(tag: Any) -> bool:
    return isinstance(tag, str) and 1 <= len(tag) <= LONGEST_TAG and tag.isprintable()


def _check_sum(path: Path, notes: list[dict[str, Any]], key: str, most: int) -> None:
    total = sum(n.get(key, 0) for n in notes)
    if total > most:
        raise TetradError(f"{path}: its notes have {key} {total} in all; expected at most {most}; use fewer notes")


def _check_note(path: Path, entry: Any, fields: Mapping[str, tuple[type, float, float]]) -> None:
    if not isinstance(entry, dict) or set(entry) != set(fields):
        raise TetradError(f"{path}: a note does not have exactly the fields {', '.join(fields)}")
    for key, (kind, low, high) in fields.items():
        value = entry[key]
        right_type = isinstance(value, (int, float) if kind is float else kind)
        if isinstance(value, bool) != (kind is bool) or not right_type or not low <= value <= high:
            raise TetradError(f"{path}: a note's {key} is {brief(value)}; expected {low} to {high}")
    loop = entry["loop_start"], entry["loop_end"]
    inside = loop == (0, 0) or 0 <= loop[0] < loop[1] <= entry["release_start"]
    if not inside or entry["release_start"] > entry["n_frames"]:
        raise TetradError(f"{path}: a note's loop {loop} or release {entry['release_start']} is outside its frames")
    if entry.get("n_residual", 0) > entry["n_frames"] * HOP:
        raise TetradError(
            f"{path}: a note's residual has {entry['n_residual']} samples; expected no more than its frames"
        )
