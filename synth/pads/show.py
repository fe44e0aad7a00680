"""what is in a pad, and whether it is whole"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from synth.command import add_json_argument, print_json, progress
from synth.control.corners import Corner
from synth.errors import TetradError
from synth.instruments.keys import key_name
from synth.pads.pad_file import FULL_SCALE, Pad
from synth.pictures import drawing

_NO_LEVEL_DB = -120.0


class ShowCommand:
    """`tetrad pads show PAD`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("pad", metavar="PAD", type=Path)
        parser.add_argument("--check", action="store_true", help="also read all samples and compare their checksums")
        parser.add_argument("--picture", metavar="OUT.png", type=Path, help="a sheet of its cells' spectrograms")
        parser.add_argument("--pitch", type=int, help="MIDI number of the sheet's pitch (default: the middle one)")
        add_json_argument(parser)

    def run(self, args: argparse.Namespace) -> int:
        pad = Pad.open(args.pad)
        if args.check:
            for number in progress(range(pad.spec.n_rows), description="checking", unit="rows"):
                pad.note(*pad.spec.row_place(number))
        found = describe(pad)
        if args.picture:
            drawing("pad-sheet")(pad, _pitch_index(pad, args.pitch), args.picture)
            found["picture"] = args.picture
        if args.json:
            print_json(found)
            return 0
        _print(found)
        return 0


def describe(pad: Pad) -> dict[str, Any]:
    """What is known of a pad; levels are those of its corners' notes in the middle pitch, RMS in dB."""
    spec = pad.spec
    last, middle = spec.resolution - 1, len(spec.pitches) // 2
    places = {Corner.NW: (last, 0), Corner.NE: (last, last), Corner.SW: (0, 0), Corner.SE: (0, last)}
    levels = {corner: _level_db(pad.note(*place, middle)) for corner, place in places.items()}
    return {
        "path": pad.path,
        "name": spec.name,
        "corners": {corner.name: spec.corners[corner] for corner in Corner},
        "corner_levels_db": {corner.name: round(levels[corner], 1) for corner in Corner},
        "resolution": spec.resolution,
        "pitches": list(spec.pitches),
        "velocity": spec.velocity,
        "notes": spec.n_rows,
        "sample_rate_hz": spec.sample_rate_hz,
        "longest_s": max(row.n_samples for row in pad.rows) / spec.sample_rate_hz,
        "looped": sum(row.loop_end > 0 for row in pad.rows),
        "released": sum(row.release_start < row.n_samples for row in pad.rows),
        "bytes": pad.path.stat().st_size,
        "decoder": spec.decoder,
        "seed": spec.seed,
        "model_id": spec.model_id,
        "normalisation": spec.normalisation,
        "source": spec.source,
    }


def _print(found: dict[str, Any]) -> None:
    corners = ", ".join(f"{place} {name}" for place, name in found["corners"].items())
    lowest, highest = (key_name(found["pitches"][i]) for i in (0, -1))
    made = ", ".join(str(found[key]) for key in ("decoder", "model_id", "normalisation", "source") if found[key])
    side = found["resolution"]
    print(
        f"{found['name']}: {corners}\n"
        f"{found['notes']} notes: {side} by {side} cells of {len(found['pitches'])} pitches, {lowest} to {highest}, "
        f"velocity {found['velocity']}\n"
        f"up to {found['longest_s']:.2f} s at {found['sample_rate_hz']} Hz, {found['looped']} with a loop, "
        f"{found['released']} with a release, {found['bytes'] / 1e6:.1f} MB\n"
        f"made by: {made or 'not known'}, seed {found['seed']}"
    )
    if "picture" in found:
        print(f"{found['picture']}: its cells")


def _level_db(samples: np.ndarray[Any, np.dtype[np.int16]]) -> float:
    power = float(np.mean(np.square(samples / FULL_SCALE)))
    return 10.0 * float(np.log10(power)) if power > 1e-12 else _NO_LEVEL_DB


def _pitch_index(pad: Pad, wanted: int | None) -> int:
    pitches = pad.spec.pitches
    if wanted is None:
        return len(pitches) // 2
    if wanted not in pitches:
        raise TetradError(f"the pad {pad.path} has no pitch {wanted}; it has {', '.join(map(str, pitches))}")
    return pitches.index(wanted)
