"""make the note set that the networks learn from, out of sound fonts, recordings and NSynth sets"""

import argparse
import os
from pathlib import Path

from models.dataset.build import DEFAULT_GAIN_DB, build_note_set
from models.dataset.folders import read_folder
from models.dataset.nsynth_set import read_nsynth
from models.dataset.soundfont import default_font_paths
from synth.command import add_json_argument, print_json
from synth.jobs import ADDRESS_HELP


class DataCommand:
    """`tetrad model data OUT_DIR`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("directory", metavar="OUT_DIR", type=Path, help="new directory, or one to go on with")
        parser.add_argument(
            "--fonts",
            metavar="FILE",
            type=Path,
            nargs="*",
            help="SF2 or SF3 files with General MIDI programs (default: FluidR3 and MuseScore General, from Debian; "
            "--fonts without a file: none)",
        )
        parser.add_argument(
            "--folders",
            metavar="PATH",
            type=Path,
            nargs="+",
            default=[],
            help="instruments that were recorded: folders of single notes (C4.wav, flute_60_090.flac; an "
            "instrument.toml in it may say more), or SFZ files",
        )
        parser.add_argument(
            "--nsynth",
            metavar="DIR",
            type=Path,
            nargs="+",
            default=[],
            help="parts of the NSynth set to train on (examples.json and audio/*.wav, 16 kHz)",
        )
        parser.add_argument(
            "--nsynth-held-out",
            metavar="DIR",
            type=Path,
            nargs="+",
            default=[],
            help="parts of the NSynth set to hold out from training, such as nsynth-valid",
        )
        parser.add_argument(
            "--skip-broken",
            action="store_true",
            help="pass over recordings that cannot be used, and name them at the end (default: stop at the first)",
        )
        parser.add_argument(
            "--drop-copies",
            action="store_true",
            help="leave out instruments that play another one's samples in the same way",
        )
        parser.add_argument(
            "--jobs", type=_positive, default=os.cpu_count() or 1, help="processes (default: all cores)"
        )
        parser.add_argument("--dask", metavar="ADDRESS", help=ADDRESS_HELP + "; files lie at the same paths there")
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
            default_font_paths() if args.fonts is None else args.fonts,
            jobs=args.jobs,
            dask=args.dask,
            limit=args.limit,
            gain_db=args.gain_db,
            recorded=[
                *(read_folder(path) for path in args.folders),
                *(read_nsynth(path, held_out=False) for path in args.nsynth),
                *(read_nsynth(path, held_out=True) for path in args.nsynth_held_out),
            ],
            skip_broken=args.skip_broken,
            drop_copies=args.drop_copies,
        )
        if args.json:
            print_json(
                {
                    "directory": args.directory,
                    "notes": result.n_notes,
                    "instruments": result.n_instruments,
                    "instruments_that_differ": result.n_different,
                    "copies_dropped": result.n_copies_dropped,
                    "silent_notes_left_out": result.n_silent,
                    "broken_left_out": list(result.left_out),
                }
            )
        else:
            print(
                f"{result.n_notes} notes of {result.n_instruments} instruments in {args.directory}; "
                f"{result.n_different} instruments differ"
            )
            for line in result.left_out:
                print(f"left out: {line}")
        return 0


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not a positive number")
    return value
