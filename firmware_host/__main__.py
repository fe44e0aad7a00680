"""`python -m firmware_host`: the encoder board's host, beside the engine; `tetrad play --board` starts it too."""

import argparse
import contextlib
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from firmware_host.host import Host
from firmware_host.settings import BoardSettings, read_settings
from firmware_host.simulate import PtyBoard
from synth.command import stop_signals
from synth.errors import TetradError

SIMULATED = "sim"


def main(argv: Sequence[str] | None = None) -> int:
    """Run until Ctrl-C or SIGTERM; returns the exit status."""
    args = _parser().parse_args(argv)
    try:
        with contextlib.ExitStack() as stack:
            stopping = stack.enter_context(stop_signals())
            settings = _settings()
            port = args.port
            if port == SIMULATED:
                port = stack.enter_context(PtyBoard(name="simulated board")).device
            if port is not None:
                settings = dataclasses.replace(settings, port=port)
            host = stack.enter_context(Host(settings, _say, args.socket))
            host.run(stopping.is_set, sys.stdin if args.with_parent else None)
    except TetradError as error:
        print(f"tetrad board: error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m firmware_host", description=(__doc__ or "").partition(":")[2])
    parser.add_argument(
        "--port", metavar="PORT", help="such as /dev/ttyUSB0; sim: a board that nobody touches (default: any)"
    )
    parser.add_argument("--socket", type=Path, metavar="PATH", help="where the engine is (default: the usual place)")
    parser.add_argument("--with-parent", action="store_true", help="end when the standard input does")
    return parser


def _settings() -> BoardSettings:
    try:
        return read_settings()
    except TetradError as error:
        _say(f"the board's settings are as by default: {error}")
        return BoardSettings()


def _say(words: str) -> None:
    print(words, flush=True)


if __name__ == "__main__":
    sys.exit(main())
