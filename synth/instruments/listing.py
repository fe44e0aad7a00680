"""what instruments there are, and what is known of each"""

from __future__ import annotations

import argparse
import sys

from synth.command import add_json_argument, print_json
from synth.frames import FRAME_RATE_HZ
from synth.instruments.catalogue import Catalogue
from synth.instruments.format import read_instrument
from synth.instruments.library import Library

COLUMNS = ("name", "family", "notes", "sustains", "licence", "source", "size_bytes")


class ListCommand:
    """`tetrad instruments list`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_json_argument(parser)

    def run(self, args: argparse.Namespace) -> int:
        catalogue = Catalogue(Library())
        rows = [{column: entry.to_json()[column] for column in COLUMNS} for entry in catalogue.entries()]
        damaged = catalogue.damaged  # the others are to be seen all the same
        for reason in damaged:
            print(f"tetrad: error: {reason}", file=sys.stderr)
        if args.json:
            print_json({"instruments": rows})
            return 1 if damaged else 0
        for row in rows:
            kind = "sustains" if row["sustains"] else "decays"
            size_kb = round(row["size_bytes"] / 1000)
            print(
                f"{row['name']:24} {row['family']:10} {row['notes']:3} notes  {kind:8} {size_kb:4} kB  {row['licence']}"
            )
        return 1 if damaged else 0


class ShowCommand:
    """`tetrad instruments show NAME`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name")
        add_json_argument(parser)

    def run(self, args: argparse.Namespace) -> int:
        instrument = read_instrument(Library().path(args.name))
        keys = ("name", "display_name", "family", "sustains", "author", "licence", "source", "model_id")
        summary = {key: getattr(instrument, key) for key in keys}
        notes = [
            {
                "pitch": n.pitch,
                "velocity": n.velocity,
                "tuning_cents": n.tuning_cents,
                "inharmonicity": n.inharmonicity,
                "duration_s": n.n_frames / FRAME_RATE_HZ,
                "loop_s": [n.loop_start / FRAME_RATE_HZ, n.loop_end / FRAME_RATE_HZ],
                "release_s": n.release_start / FRAME_RATE_HZ,
            }
            for n in instrument.notes
        ]
        if args.json:
            print_json(summary | {"notes": notes})
            return 0
        for key, value in summary.items():
            print(f"{key:14}{value}")
        for note in notes:
            print("  " + "  ".join(f"{key} {value}" for key, value in note.items()))
        return 0
