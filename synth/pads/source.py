"""What sounds: instruments through the network, or a pad. The arguments of `tetrad render` and `tetrad play`."""

import argparse
from pathlib import Path

from synth.errors import TetradError
from synth.pads.loaded_pad import LoadedPad, read_pad

INSTRUMENTS, PAD = "instruments", "pad"


def add_source_arguments(parser: argparse._ActionsContainer) -> None:
    """Declare --source and --pad."""
    parser.add_argument(
        "--source", choices=(INSTRUMENTS, PAD), default=INSTRUMENTS, help="what sounds (default: instruments)"
    )
    parser.add_argument("--pad", metavar="FILE", type=Path, help="the pad of --source pad (`tetrad pads show FILE`)")


def chosen_pad(args: argparse.Namespace, *, corners_given: bool) -> LoadedPad | None:
    """The pad that was asked for, read into memory; None for instruments. TetradError where the arguments do not fit
    together, or the pad is damaged."""
    if args.source != PAD:
        if args.pad is not None:
            raise TetradError(f"--pad {args.pad} was given with --source {args.source}; add --source pad")
        return None
    if args.pad is None:
        raise TetradError("--source pad was given without a pad; one was expected; add --pad FILE")
    if corners_given:
        raise TetradError("--corners was given with --source pad, whose corners are rendered; leave one of them out")
    return read_pad(args.pad)
