"""`tetrad`: finds the command that was asked for, runs it, and turns every failure into one line and a status.

Commands are entry points of the group `tetrad.commands`; `synth.command` says how one is written. This file knows
none of them, so no import runs upward. Exit status: 0 done, 1 failed (one line on stderr), 2 wrong usage,
130 stopped by Ctrl-C, 141 the reader of our output went away. `--debug` shows tracebacks.
"""

import argparse
import importlib.metadata
import os
import sys
import traceback
from pathlib import Path

from synth import __version__
from synth.command import LazyParser, add_commands
from synth.errors import TetradError

DONE, FAILED, STOPPED, READER_WENT_AWAY = 0, 1, 130, 141
MODELS_EXTRA = "pip install 'tetrad[models]', or `make models` in a checkout"
# Import name of an optional package -> how it gets there.
REMEDIES = {
    "torch": MODELS_EXTRA,
    "torchaudio": MODELS_EXTRA,
    "tinysoundfont": "`make models` in a checkout, or pip install --no-deps tinysoundfont",
    "onnx": MODELS_EXTRA,
    "scipy": MODELS_EXTRA,
    "onnxscript": MODELS_EXTRA,
    "safetensors": MODELS_EXTRA,
    "google": MODELS_EXTRA,
    "google_crc32c": MODELS_EXTRA,
    "matplotlib": MODELS_EXTRA,
}


def main(argv: list[str] | None = None) -> int:
    """Run one command line (default: the process's own) and return its exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    debug = "--debug" in arguments
    try:
        status = _run(arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Python would flush stdout once more at exit and complain: give it somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_WENT_AWAY
    except KeyboardInterrupt:
        print("tetrad: stopped", file=sys.stderr)
        return STOPPED
    except Exception as error:
        if debug:
            traceback.print_exc()
        print(f"tetrad: error: {_one_line(error)}", file=sys.stderr)
        return FAILED


def _run(arguments: list[str]) -> int:
    parser = LazyParser(
        prog="tetrad", description="An open neural timbre synthesizer: four instruments, one touch surface."
    )
    parser.add_argument("--version", action="version", version=f"tetrad {__version__}")
    entry_points = importlib.metadata.entry_points(group="tetrad.commands")
    add_commands(parser, {entry_point.name: entry_point.value for entry_point in entry_points})
    args: argparse.Namespace = parser.parse_args(arguments)
    return int(args.run(args))


def _one_line(error: Exception) -> str:
    if isinstance(error, TetradError):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        remedy = REMEDIES.get(package, "reinstall Tetrad (`make play` in a checkout)")
        return f"the Python module {error.name} is not installed; this command needs it; {remedy}"
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{os.fsdecode(error.filename)}: {error.strerror}; check the name and its rights"
    where = traceback.extract_tb(error.__traceback__)[-1]
    what = " ".join(str(error).split()) or "no message"
    return (
        f"{type(error).__name__}: {what} (in {Path(where.filename).name}, line {where.lineno}); "
        "this is a defect of Tetrad; run again with --debug and report what it prints"
    )


if __name__ == "__main__":
    sys.exit(main())
