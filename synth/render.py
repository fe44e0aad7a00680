"""Render a MIDI file to a WAV file, with four instruments and a finger's way between them."""

import argparse
import sys
from pathlib import Path

import numpy as np

from synth.command import add_json_argument, print_json
from synth.control.events import NoteOn, SetParameter
from synth.control.midi_channels import PERCUSSION_CHANNEL
from synth.control.parameters import parameter_named
from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ, Float32Array
from synth.grid.store import GridStore
from synth.io.midi_file import read_midi_file
from synth.io.spectrogram import write_spectrogram
from synth.pads.pad_engine import PadEngine
from synth.pads.source import add_source_arguments, chosen_pad
from synth.performance import (
    DEFAULT_CORNERS,
    make_engine,
    render_to_wav,
    score_events,
    with_path,
)
from synth.surface_path import PathPoint, read_path
from synth.voices.engine import Engine

DEFAULT_VOICES = 64
LIMITED_DBFS = -1.0  # where the engine's limiter begins to bend


class RenderCommand:
    """`tetrad render SCORE.mid OUT.wav`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("score", metavar="SCORE.mid", type=Path, help="standard MIDI file, format 0 or 1")
        parser.add_argument("out", metavar="OUT.wav", type=Path, help="48 kHz, 24 bits, stereo")
        add_playing_arguments(parser)
        add_source_arguments(parser)
        way = parser.add_mutually_exclusive_group()
        add_position_argument(way)
        way.add_argument("--path", metavar="PATH.json", type=Path, help="where the finger is over time (tetrad-path)")
        default_db = parameter_named("volume").default
        parser.add_argument("--volume", type=float, metavar="DB", help=f"level of the whole (default {default_db:g})")
        parser.add_argument(
            "--evenness",
            type=_share,
            metavar="E",
            help="0: straight lines between the corners; 1: their paths (default 1)",
        )
        add_grid_argument(parser)
        parser.add_argument("--seed", type=int, default=0, metavar="N", help="of phases and noise (default 0)")
        parser.add_argument("--spectrogram", metavar="OUT.png", type=Path, help="also draw a picture of the sound")
        add_json_argument(parser)

    def run(self, args: argparse.Namespace) -> int:
        points = read_path(args.path) if args.path else (PathPoint(0.0, *args.xy),)
        messages = read_midi_file(args.score)
        events = score_events(messages)
        if not any(isinstance(event, NoteOn) for event in events):
            raise TetradError(f"{args.score} plays on the percussion channel only; melodic notes were expected")
        if args.volume is not None:
            events.insert(0, SetParameter(0, "volume", args.volume))
        if args.evenness is not None:
            events.insert(0, SetParameter(0, "evenness", args.evenness))
        pad = chosen_pad(args, corners_given=args.corners is not DEFAULT_CORNERS)
        if pad is not None:
            engine: Engine = PadEngine(pad, n_voices=args.voices, seed=args.seed)
        else:
            store = GridStore(args.grid)
            engine = make_engine(args.corners, n_voices=args.voices, seed=args.seed, grid=store)
            for remark in store.take_remarks():
                print(remark, file=sys.stderr)
        blocks: list[Float32Array] | None = [] if args.spectrogram else None
        summary = render_to_wav(engine, with_path(events, points), args.out, keep=blocks)
        if blocks is not None:
            write_spectrogram(args.spectrogram, np.concatenate(blocks), SAMPLE_RATE_HZ, f"Tetrad: {args.score.name}")
        percussion = sum(data[0] == 0x90 | PERCUSSION_CHANNEL and data[2] > 0 for _, data in messages)
        if args.json:
            print_json({"path": args.out, **summary._asdict(), "percussion_notes_left_out": percussion})
            return 0
        left_out = f", {percussion} percussion notes left out" if percussion else ""
        limited = " (limited; quieter: --volume)" if summary.peak_dbfs > LIMITED_DBFS else ""
        stolen = f", {summary.stolen} stolen (more voices: --voices)" if summary.stolen else ""
        print(
            f"{args.out}: {summary.duration_s:.1f} s, {summary.notes} notes{left_out}{stolen}, "
            f"peak {summary.peak_dbfs:.1f} dBFS{limited}, {summary.real_time_factor:.1f} times real time"
        )
        return 0


def add_playing_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what rendering and playing have in common: --corners and --voices."""
    parser.add_argument(
        "--corners",
        nargs=4,
        metavar=("NW", "NE", "SW", "SE"),
        default=DEFAULT_CORNERS,
        help=f"instruments of the corners (default {' '.join(DEFAULT_CORNERS)}; `tetrad instruments list` shows all)",
    )
    parser.add_argument(
        "--voices", type=int, default=DEFAULT_VOICES, metavar="N", help=f"most notes at once (default {DEFAULT_VOICES})"
    )


def add_position_argument(parser: argparse._ActionsContainer) -> None:
    """Declare --xy, a pair of numbers 0..1 (default the middle)."""
    parser.add_argument(
        "--xy",
        type=_position,
        default=(0.5, 0.5),
        metavar="X,Y",
        help="where the finger stays: x from west to east, y from south to north, each 0 to 1 (default 0.5,0.5)",
    )


def add_grid_argument(parser: argparse._ActionsContainer) -> None:
    """Declare --grid, a folder (default None: the player's own)."""
    parser.add_argument(
        "--grid", metavar="FOLDER", type=Path, help="of paths between instruments (default: the player's own)"
    )


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0.0 <= share <= 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} lies outside 0 to 1")
    return share


def _position(text: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not two numbers with a comma between them") from None
    if not (0.0 <= x <= 1.0 and 0.0 <= y <= 1.0):
        raise argparse.ArgumentTypeError(f"{text!r} lies outside the surface; each number is 0 to 1")
    return x, y
