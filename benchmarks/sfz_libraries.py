"""Are all sounding regions of real SFZ libraries mapped to notes?

No package of npm, PyPI or Debian is known to have an SFZ library, only players and parsers do. Looked into: Debian 12's
and 13's indices of all files of all packages (no *.sfz in either), sources of MuseScore 3 (nine SFZ files of a few
lines, which test its parser) and of DrumGizmo (none), pysfizz and sfzen of PyPI (none); npm's search does not answer.
So these are clones of public repositories, `https://github.com/sfzinstruments/NAME` at the commits in
LIBRARIES:

    python -m benchmarks.sfz_libraries FOLDER     (with the libraries' folders in it, by NAME)
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import NamedTuple

from synth.errors import TetradError
from synth.instruments.sfz import find_sfz
from synth.instruments.sfz_paths import LibraryFolder
from synth.instruments.sfz_regions import read_regions
from synth.instruments.sfz_text import read_sections
from synth.instruments.thinning import MOST_NOTES


class Library(NamedTuple):
    """program: the SFZ file. regions, sounding: how many it has, and how many sound at rest, as found when the player
    sfizz agreed on every key and on most notes' sound. notes: distinct recordings, keys and velocities of these."""

    name: str
    commit: str
    licence: str
    program: str
    regions: int
    sounding: int
    notes: int


LIBRARIES = (
    Library("karoryfer.weresax", "595d1fc1044e", "CC0", "Programs/Sax.sfz", 257, 128, 128),
    Library("body_percussion", "4ac9d8966679", "CC0", "Programs/body.sfz", 356, 44, 44),
    Library("SplendidGrandPiano", "1c595d827b7f", "public domain", "Splendid Grand Piano.sfz", 360, 303, 303),
    Library("jlearman.jRhodes3d", "aea5b8d3e11e", "samples CC BY-NC", "jRhodes3d-mono.sfz", 75, 75, 75),
)


class Mapping(NamedTuple):
    regions: int
    sounding: int
    mapped: int
    notes: int
    problems: tuple[str, ...]


def mapping(program: Path, folder: Path) -> Mapping:
    """How many of a file's regions sound, how many of these have their recording as a note (in a library that was
    thinned: have it at all), how many notes there are, and what was said of it."""
    regions = read_regions(read_sections(program, LibraryFolder(folder)))
    found = find_sfz(program, folder=folder)
    home, names = LibraryFolder(folder), {note.name for note in found.notes}
    files = [home.find(program.parent.resolve(), region.sample) for region in regions.sounding]
    mapped = sum(file is not None and str(file.relative_to(home.path)) in names for file in files)
    if len(found.notes) == MOST_NOTES:
        mapped = sum(file is not None for file in files)
    return Mapping(regions.total, len(regions.sounding), mapped, len(found.notes), found.problems)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the libraries' folders are")
    parser.add_argument("--all", action="store_true", help="every SFZ file of every folder there, not only LIBRARIES")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args()
    if options.all:
        pairs = [(p, top) for top in sorted(options.folder.iterdir()) for p in sorted(top.rglob("*.sfz"))]
    else:
        pairs = [(options.folder / lib.name / lib.program, options.folder / lib.name) for lib in LIBRARIES]
    rows: list[dict[str, object]] = []
    for program, folder in pairs:
        row: dict[str, object] = {"program": str(program.relative_to(options.folder))}
        try:
            found = mapping(program, folder)
            row |= found._asdict()
            said = f"{found.mapped} of {found.sounding} sounding regions mapped of {found.regions}; {found.notes} notes"
        except TetradError as error:
            row["error"] = said = str(error)
        rows.append(row)
        if not options.json:
            print(f"{row['program']}: {said}")
    if options.json:
        print(json.dumps({"rows": rows}))
    return 0 if all("error" not in row and row["mapped"] == row["sounding"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
