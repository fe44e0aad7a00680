"""Which letters each font of this machine has, as fontconfig knows them: every Linux desktop and the Pi have it."""

import subprocess
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path

MOST_FONTS = 400
WITHIN_S = 20.0
"""For a card that is slow and a cache that fontconfig has to make first."""
_FORMAT = "%{file}\t%{index}\t%{color}\t%{charset}\n"
_SUFFIXES = (".ttf", ".otf", ".ttc")


@dataclass(frozen=True)
class FontFile:
    """A font. starts, ends: of its ranges of letters, rising, both ends included."""

    path: str
    starts: array  # type: ignore[type-arg]
    ends: array  # type: ignore[type-arg]

    def has(self, letter: str) -> bool:
        """Whether it can draw one letter."""
        place = bisect_right(self.starts, ord(letter)) - 1
        return place >= 0 and ord(letter) <= self.ends[place]


def parsed(listing: str) -> list[FontFile]:
    """Of lines "file, index, color, charset" with tabs between; lines that say something else are passed over.

    Left out are fonts of coloured pictures (SDL can't scale them), and those that are not the first of their file.
    """
    found = []
    for line in listing.splitlines()[: 10 * MOST_FONTS]:
        fields = line.split("\t")
        if len(fields) != 4 or not fields[0].lower().endswith(_SUFFIXES) or fields[1] != "0" or fields[2] == "True":
            continue
        ranges = _ranges(fields[3])
        if ranges is not None:
            found.append(FontFile(fields[0], *ranges))
    return found[:MOST_FONTS]


def _ranges(charset: str) -> tuple[array, array] | None:  # type: ignore[type-arg]
    starts, ends = array("L"), array("L")
    try:
        for word in charset.split():
            start, _, end = word.partition("-")
            starts.append(int(start, 16))
            ends.append(int(end or start, 16))
    except (ValueError, OverflowError):
        return None
    return (starts, ends) if starts else None


def list_fonts(first: list[Path]) -> list[FontFile]:
    """The fonts of these files, then the system's upright ones of usual weight. [] where there is no fontconfig."""
    return [*_ask("fc-scan", *map(str, first)), *_ask("fc-list", ":slant=0:weight=80:scalable=true")]


def _ask(program: str, *arguments: str) -> list[FontFile]:
    command = [program, "--format", _FORMAT, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=WITHIN_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return parsed(done.stdout.decode("utf-8", "replace"))
