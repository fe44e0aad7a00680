"""Render the note set that the networks learn from, out of General MIDI sound fonts."""

import argparse
import os
from pathlib import Path

from models.dataset.build import DEFAULT_GAIN_DB, build_note_set
from models.dataset.soundfont import default_font_paths
from synth.command import add_json_argument, print_json


class DataCommand:
    """`tetrad model data OUT_DIR`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("directory", metavar="OUT_DIR", type=Path, help="new directory, or one to go on with")
        parser.add_argument(
            "--fonts",
            metavar="FILE",
            type=Path,
            nargs="+",
            help="SF2 or SF3 files with General MIDI programs (default: FluidR3 and MuseScore General, from Debian)",
        )
        parser.add_argument(
            "--jobs", type=_positive, default=os.cpu_count() or 1, help="processes (default: all cores)"
        )
        parser.add_argument("--limit", metavar="N", type=_positive, help="only N notes, spread over all instruments")
        parser.add_argument(
            "--gain-db",
            type=float,
            default=DEFAULT_GAIN_DB,
            help="gain of every note on top of the font's level (default: %(default)s)",
        )
        add_json_argument(parser)

    def run(self, args: argparse.Namespace) -> int:
        result = build_note_set(
            args.directory,
            args.fonts or default_font_paths(),
            jobs=args.jobs,
            limit=args.limit,
            gain_db=args.gain_db,
        )
        if args.json:
            print_json(
                {
                    "directory": args.directory,
                    "notes": result.n_notes,
                    "instruments": result.n_instruments,
                    "silent_notes_left_out": result.n_silent,
                }
            )
        else:
            print(f"{result.n_notes} notes of {result.n_instruments} instruments in {args.directory}")
        return 0


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not a positive number")
    return value
