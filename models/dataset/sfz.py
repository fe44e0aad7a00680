"""The part of SFZ (sfzformat.com, version 1) that tells which file is which note.

Read are the headers control, global, master, group and region and the opcodes default_path, sample, key,
pitch_keycenter, lokey, lovel, hivel, volume and trigger; what shapes the sound (filters, envelopes, loops) is passed
over, as the network learns from the recordings themselves.
"""

import re
from pathlib import Path

from models.dataset.recordings import Recording
from synth.errors import TetradError

_HEADERS = ("global", "master", "group", "region")
_TOKEN = re.compile(r"<(?P<header>\w+)>|(?P<opcode>\w+)=(?P<value>.*?)(?=\s+\w+=|\s*<|\s*$)")
_NOTE = re.compile(r"([a-g])([#b]?)(-?\d+)", re.IGNORECASE)
_SEMITONES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}


def read_sfz(path: Path) -> dict[tuple[int, int], Recording]:
    """(MIDI note, velocity) -> recording for each region that a pressed key starts.

    A region's velocity is the middle of its range. Raises TetradError for a file without such regions.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise TetradError(f"cannot read {path}: {error.strerror}; an SFZ file was expected") from error
    found: dict[tuple[int, int], Recording] = {}
    for region in _regions(text):
        sample = region.get("sample", "*")
        if sample.startswith("*") or region.get("trigger", "attack") not in ("attack", "first"):
            continue
        key = region.get("pitch_keycenter") or region.get("key") or region.get("lokey")
        if key is None:
            raise TetradError(f"{path}: the region of {sample} names no key; expected pitch_keycenter or key")
        try:
            low, high = int(region.get("lovel", "1")), int(region.get("hivel", "127"))
            recording = Recording(
                path.parent / (region.get("default_path", "") + sample).replace("\\", "/"),
                float(region.get("volume", "0")),
            )
            found.setdefault((_key(key), max(1, (low + high + 1) // 2)), recording)
        except ValueError as error:
            raise TetradError(f"{path}: the region of {sample} is not understood ({error}); correct it") from error
    if not found:
        raise TetradError(f"{path} has no region with a recording; an SFZ file of single notes was expected")
    return found


def _regions(text: str) -> list[dict[str, str]]:
    """The opcodes of each region with what it inherits. A header clears the levels below it."""
    levels: dict[str, dict[str, str]] = {"control": {}, **{header: {} for header in _HEADERS}}
    regions, current = [], "control"
    for line in text.splitlines():
        for token in _TOKEN.finditer(line.split("//")[0]):
            if token["header"]:
                current = token["header"].lower()
                if current in _HEADERS:
                    for lower in _HEADERS[_HEADERS.index(current) :]:
                        levels[lower] = {}
                if current == "region":
                    regions.append({name: value for level in levels.values() for name, value in level.items()})
            elif current == "region":
                regions[-1][token["opcode"].lower()] = token["value"].strip()
            elif current in levels:
                levels[current][token["opcode"].lower()] = token["value"].strip()
    return regions


def _key(text: str) -> int:
    """MIDI note from `60` or `c4`, which SFZ takes for the same."""
    match = _NOTE.fullmatch(text)
    if match is None:
        return int(text)
    sign = {"#": 1, "b": -1, "": 0}[match[2].lower()]
    return 12 * (int(match[3]) + 1) + _SEMITONES[match[1].lower()] + sign
