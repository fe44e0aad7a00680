"""what instruments there are, and what is known of each"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from synth.command import add_json_argument, print_json
from synth.frames import FRAME_RATE_HZ
from synth.instruments.catalogue import Catalogue
from synth.instruments.format import FAMILIES, Note, read_instrument
from synth.instruments.labels import Label, read_labels
from synth.instruments.library import Library

COLUMNS = ("name", "family", "notes", "sustains", "licence", "source", "size_bytes", "display_name", "tags", "shipped")


class ListCommand:
    """`tetrad instruments list`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--search", default="", help="words, all in name, family, author, source or tags")
        parser.add_argument("--tag", default="", help="only instruments that have it")
        parser.add_argument("--family", default="", choices=FAMILIES, help="only instruments of this family")
        add_json_argument(parser)

    def run(self, args: argparse.Namespace) -> int:
        catalogue = Catalogue(Library())
        found = [entry for entry in catalogue.entries() if entry.has(args.search, args.tag, args.family)]
        damaged = catalogue.damaged  # the others are to be seen all the same
        for reason in damaged:
            print(f"tetrad: error: {reason}", file=sys.stderr)
        if args.json:
            rows = [{column: entry.to_json()[column] for column in COLUMNS} for entry in found]
            print_json({"instruments": rows})
            return 1 if damaged else 0
        for entry in found:
            kind = "sustains" if entry.sustains else "decays"
            about = entry.licence if entry.shipped else ", ".join(["your own", *entry.tags])
            print(
                f"{entry.name:24} {entry.family:10} {entry.notes:3} notes  {kind:8} "
                f"{round(entry.size_bytes / 1000):4} kB  {about}"
            )
        return 1 if damaged else 0


class ShowCommand:
    """`tetrad instruments show NAME`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--picture", action="store_true", help="print only where the picture of it is")
        add_json_argument(parser)

    def run(self, args: argparse.Namespace) -> int:
        library = Library()
        if args.picture:
            picture = library.picture(args.name)
            if args.json:
                print_json({"picture": picture})
            else:
                print(picture or f"{args.name} has no picture; `tetrad instruments add` makes one")
            return 0 if picture is not None else 1
        about = describe(library, args.name)
        if args.json:
            print_json(about)
            return 0
        notes = about.pop("notes")
        for key, value in about.items():
            print(f"{key:14}{', '.join(value) if isinstance(value, list) else value}")
        for note in notes:
            print("  " + "  ".join(f"{key} {value}" for key, value in note.items()))
        return 0


def describe(library: Library, name: str) -> dict[str, Any]:
    """Everything that is known of an instrument, as JSON has it. Raises TetradError."""
    instrument = read_instrument(library.path(name))
    label = read_labels(library.own_folder).get(name, Label())
    picture = library.picture(name)
    keys = ("display_name", "family", "sustains", "author", "licence", "source", "model_id")
    about = {"name": name} | {key: getattr(instrument, key) for key in keys}
    if label.display_name is not None:
        about["display_name"] = label.display_name
    about["tags"] = list(instrument.tags if label.tags is None else label.tags)
    about["favourite"] = label.favourite
    about["picture"] = "" if picture is None else str(picture)
    return about | {"notes": [_note(note) for note in instrument.notes]}


def _note(note: Note) -> dict[str, Any]:
    return {
        "pitch": note.pitch,
        "velocity": note.velocity,
        "tuning_cents": note.tuning_cents,
        "inharmonicity": note.inharmonicity,
        "duration_s": note.n_frames / FRAME_RATE_HZ,
        "loop_s": [note.loop_start / FRAME_RATE_HZ, note.loop_end / FRAME_RATE_HZ],
        "release_s": note.release_start / FRAME_RATE_HZ,
        "pitched": note.pitched,
    }
