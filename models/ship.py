"""make the shipped instruments of `shipped.toml` from a note set, with the current network"""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path
from typing import Any

from models.dataset.manifest import read_manifest
from models.dataset.notes import HELD_S
from models.dataset.reader import DATA_HELP, DEFAULT_DIRECTORY, Example, NoteSet
from synth.command import progress
from synth.errors import TetradError
from synth.instruments.build import Description, build_instrument
from synth.instruments.encoder import Encoder
from synth.instruments.format import SUFFIX, write_instrument
from synth.instruments.notes import SourceNote
from synth.instruments.spread import spread_evenly
from synth.paths import shipped_instruments_dir
from synth.voices.decoder import Decoder

TABLE = Path(__file__).with_name("shipped.toml")


def chosen_notes(note_set: NoteSet, instrument: str, velocities: list[int], most_keys: int) -> list[Example]:
    """At most `most_keys` notes of each velocity, evenly spread over the instrument's keys."""
    chosen = []
    for velocity in velocities:
        notes = note_set.examples(instrument=instrument, velocity=velocity)
        if not notes:
            raise TetradError(f"the note set has no instrument {instrument} at velocity {velocity}; see {TABLE.name}")
        chosen += [notes[i] for i in spread_evenly(len(notes), most_keys)]
    return chosen


def origin_of(note: Example, settings: dict[str, Any]) -> tuple[str, str, str]:
    """Author, licence and source of an instrument, from the manifest's `settings`."""
    for font in settings["fonts"]:
        if font["key"] == note.font:
            source = f"preset {note.preset} ({note.instrument}) of {font['title']}, Debian {font['debian_package']}"
            return font["origin"], font["licence"], source
    for recorded in settings["recorded"]:
        if recorded["key"] == note.font:
            return recorded["origin"], recorded["licence"], f"recordings ({note.instrument}): {recorded['origin']}"
    raise TetradError(f"the note set's manifest says nothing of {note.font}; make the set again")


def ship(note_set: NoteSet, library: Path, only: list[str] | None = None) -> dict[str, int]:
    """Write every instrument of the table (or those named in `only`) into `library`; returns their sizes in bytes."""
    table: dict[str, Any] = tomllib.loads(TABLE.read_text())
    manifest = read_manifest(note_set.directory)
    assert manifest is not None
    settings: Any = manifest["settings"]
    encoder, decoder = Encoder(), Decoder()
    sizes = {}
    entries = [e for e in table["instrument"] if only is None or e["name"] in only]
    for entry in progress(entries, description="instruments", unit="inst"):
        velocities = entry.get("velocities", table["velocities"])
        notes = chosen_notes(note_set, entry["from"], velocities, table["most_keys"])
        author, licence, source = origin_of(notes[0], settings)
        description = Description(
            name=entry["name"],
            display_name=entry["name"].replace("-", " ").title(),
            family=notes[0].family,
            author=author,
            licence=licence,
            source=source,
            sustains=notes[0].sustains,
        )
        recordings = [SourceNote(note_set.audio_48k(n.name), n.pitch, n.velocity, HELD_S) for n in notes]
        instrument = build_instrument(recordings, description, encoder, decoder)
        sizes[entry["name"]] = write_instrument(instrument, library / f"{entry['name']}{SUFFIX}")
    return sizes


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", default=DEFAULT_DIRECTORY, help=DATA_HELP)
    parser.add_argument("--library", type=Path, default=shipped_instruments_dir())
    parser.add_argument("--only", nargs="+", help="names of the table to make")
    args = parser.parse_args(arguments)
    try:
        sizes = ship(NoteSet.open(args.data), args.library, args.only)
    except TetradError as error:
        print(f"models.ship: error: {error}", file=sys.stderr)
        return 1
    print(f"{len(sizes)} instruments, {sum(sizes.values()) / 1e6:.1f} MB, largest {max(sizes.values()) / 1e3:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
