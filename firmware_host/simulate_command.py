"""a board without hardware on a pseudo-terminal, with a hand that follows a script"""

import argparse
import time
from pathlib import Path

from firmware_host import hand
from firmware_host.simulate import PtyBoard
from synth.command import stop_signals
from synth.errors import TetradError


class SimulateCommand:
    """`tetrad board simulate`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--script", type=Path, metavar="FILE", help="what the hand does (default: nothing)")
        parser.add_argument("--link", type=Path, metavar="PATH", help="a name for the port that stays the same")
        parser.add_argument("--seconds", type=float, metavar="N", help="stop after N seconds (default: Ctrl-C)")

    def run(self, args: argparse.Namespace) -> int:
        moves = [] if args.script is None else hand.moves(_text(args.script))
        end_s = float("inf") if args.seconds is None else time.monotonic() + args.seconds
        with stop_signals() as stopping, PtyBoard(moves, link_path=args.link, on_move=_print_move) as board:
            port = args.link or board.device
            print(f"A simulated board is at {port}: tetrad play --board {port}", flush=True)
            while not stopping.wait(0.05) and time.monotonic() < end_s:
                continue
        return 0


def _print_move(move: hand.Move) -> None:
    print(move, flush=True)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TetradError(f"{path} can't be read ({error}); a hand's script was expected; name another") from error
