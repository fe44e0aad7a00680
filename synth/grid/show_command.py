"""what is in the grid, and pictures of a path"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from synth.command import add_json_argument, print_json
from synth.errors import TetradError
from synth.grid.build_command import add_grid_folder_argument
from synth.grid.pair_file import read_pair, read_pair_header
from synth.grid.pair_path import N_WARP, NotePath
from synth.grid.store import GridStore
from synth.pictures import drawing


class ShowCommand:
    """`tetrad grid show [FIRST SECOND]`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "pair", metavar="INSTRUMENT", nargs="*", help="two of them: their path (default: the whole)"
        )
        add_grid_folder_argument(parser)
        parser.add_argument("--picture", metavar="OUT.png", type=Path, help="draw rainbowgrams along the pair's path")
        parser.add_argument("--key", type=int, help="MIDI note of the picture (default: the path's nearest middle C)")
        parser.add_argument("--points", type=int, default=5, help="of the picture, 2 to 21 (default %(default)s)")
        add_json_argument(parser)

    def run(self, args: argparse.Namespace) -> int:
        store = GridStore(args.folder)
        if len(args.pair) not in (0, 2):
            raise TetradError(f"{len(args.pair)} instruments were named; two were expected, or none for the whole grid")
        if args.pair:
            return self._show_pair(store, args)
        if args.picture is not None:
            raise TetradError("a picture of the whole grid was asked for; the two instruments of a path were expected")
        found = store.summary()
        about: dict[str, Any] = {
            "folder": store.folder,
            "pairs": found.n_pairs,
            "size_bytes": found.size_bytes,
            "notes": found.n_notes,
            "notes_bent": found.n_bent,
            "by_model": found.by_model,
            "problems": list(found.problems),
        }
        if args.json:
            print_json(about)
            return 1 if found.problems else 0
        if not found.n_pairs and not found.problems:
            print(f"there are no paths in {store.folder}; `tetrad grid build` makes them")
            return 0
        print(f"{store.folder}: {found.n_pairs} pairs, {found.size_bytes / 1e6:.1f} MB")
        print(f"{found.n_notes} notes, {found.n_bent} of them bent")
        for model_id, n_pairs in found.by_model.items():
            print(f"network {model_id}: {n_pairs} pairs")
        for problem in found.problems:
            print(f"problem: {problem}")
        return 1 if found.problems else 0

    def _show_pair(self, store: GridStore, args: argparse.Namespace) -> int:
        file = store.path_of(*args.pair)
        if not file.is_file():
            raise TetradError(
                f"{store.folder} has no path between {args.pair[0]} and {args.pair[1]}; one was expected; make it with "
                f"`tetrad grid build {args.pair[0]} {args.pair[1]}`"
            )
        header, path = read_pair_header(file), read_pair(file)
        if args.picture is not None:
            if not 2 <= args.points <= 21:
                raise TetradError(f"{args.points} points were asked for; 2 to 21 were expected")
            drawing("grid-path")(path, args.picture, key=args.key, n_points=args.points)
        about = {key: header[key] for key in ("first", "second", "first_id", "second_id", "model_id", "made")}
        about |= {"file": file, "size_bytes": file.stat().st_size, "notes": [_note(note) for note in path.notes]}
        if args.json:
            print_json(about)
            return 0
        for key, value in about.items():
            if key != "notes":
                print(f"{key:12}{value}")
        for note in path.notes:
            shown = _note(note)
            bend = f"bends by up to {shown['largest_bend']}" if shown["bent"] else "no bend"
            quarters = ", ".join(f"{u:.3f}" for u in shown["quarters"])
            print(f"  pitch {note.pitch:3} velocity {note.velocity:3}  u at 1/4, 1/2, 3/4: {quarters}  {bend}")
        return 0


def _note(note: NotePath) -> dict[str, Any]:
    """What a path does at one note. `quarters`: u where the finger is at 1/4, 1/2 and 3/4."""
    s = np.linspace(0.0, 1.0, N_WARP)
    return {
        "pitch": note.pitch,
        "velocity": note.velocity,
        "quarters": [round(float(u), 4) for u in np.interp([0.25, 0.5, 0.75], s, note.warp)],
        "largest_shift": round(float(np.abs(note.warp - s).max()), 4),
        "bent": bool(note.bend.any()),
        "largest_bend": round(float(np.abs(note.bend).max()), 3),
    }
