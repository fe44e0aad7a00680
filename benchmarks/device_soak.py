"""The whole instrument at full speed: is nothing lost, stuck or broken after two hours?

    python -m benchmarks.device_soak --minutes 120 --log soak.jsonl

`tetrad play` with its touchscreen (on an X server without a screen) and a board's host (on a simulated board), as it
starts them itself. At once and at random: keys, wheels and pedals by MIDI bytes on a DIN line, up to five fingers,
encoders, knobs and buttons, the cable pulled out, and a script that sets, saves, loads, renames, removes, undoes,
changes corners, records gestures and imports sung notes. Beside it a trivial callback of its own is the control for
lost blocks. After every minute all is let go, and looked at; a JSON line of it is added to the log, from which
`--summarize` makes the report of a soak that was cut off. Exit status 1: a limit was broken.
"""

import argparse
import contextlib
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.jack_server import jack_server
from benchmarks.soaking.control import Control
from benchmarks.soaking.costs import Memory
from benchmarks.soaking.hands import Fingers, Hand, Keyboard
from benchmarks.soaking.instrument import Instrument
from benchmarks.soaking.ledger import Ledger
from benchmarks.soaking.report import broken, markdown, report
from benchmarks.soaking.round import Round
from benchmarks.soaking.script import Script
from benchmarks.soaking.window import Window, WindowGoneError
from firmware_host.simulate import PtyBoard
from synth.command import stop_signals
from synth.control.patch_autosave import restore
from synth.errors import TetradError
from tests.ui.display import Display

START_WITHIN_S = 180.0
"""The very first start compiles for a minute, on a quiet machine."""
IMPORTS_END_WITHIN_S = 120.0


class Log:
    """Rows, a line of JSON each, added to a file; `rows` has those of this soak."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.rows: list[dict[str, Any]] = []

    def add(self, row: dict[str, Any]) -> None:
        """One more, on disk at once."""
        self.rows.append(row)
        if self._path is not None:
            with self._path.open("a") as file:
                file.write(json.dumps(row) + "\n")


def read_log(path: Path) -> list[dict[str, Any]]:
    """The rows of the last soak in a log; a last line that was cut off is left out."""
    rows: list[dict[str, Any]] = []
    for line in path.read_text().splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            row = json.loads(line)
            rows = [row] if row["row"] == "begin" else [*rows, row]
    return rows


def soak(args: argparse.Namespace, log: Log, stopping: threading.Event) -> None:
    """All minutes of it, and the end."""
    log.add(
        {"row": "begin", "at": time.strftime("%Y-%m-%d %H:%M:%S"), **arguments_of(args), "load": os.getloadavg()[0]}
    )
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tetrad-")))
        home, scratch = folder / "home", folder / "scratch"
        home.mkdir()
        scratch.mkdir()
        # Each has a sequence of its own: what one does changes nothing of what another will do.
        keyboard, fingers_chance, hand_chance, script_chance = (random.Random(f"{args.seed} {n}") for n in range(4))
        keys = stack.enter_context(Keyboard(keyboard))
        board = stack.enter_context(PtyBoard(link_path=folder / "board"))
        screen_pin = ("taskset", "-c", args.core_screen) if args.core_screen else ()
        display = stack.enter_context(Display(screen_pin))
        window = stack.enter_context(Window(folder / "window", args.core_screen))
        if args.audio == "jack":
            stack.enter_context(jack_server(args.block, synchronous=False))
        control = stack.enter_context(Control(args.audio, args.block, args.core_engine))
        environment = {
            **window.environment,
            "TETRAD_HOME": str(home),
            "KIVY_HOME": str(home / "kivy"),
            "DISPLAY": display.name,
            "SDL_VIDEODRIVER": "x11",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "PYTHONUNBUFFERED": "1",
        }
        block = ["--block", str(args.block)] if args.audio == "null" else []
        parts = ["--audio", args.audio, "--voices", str(args.voices), "--board", str(board.link_path), *block]
        parts += ["--din", keys.device, "--midi", "nobody", "--refine" if args.refine else "--no-refine"]
        instrument = stack.enter_context(Instrument(home, parts, environment, args.core_engine))
        ledger = Ledger(home)
        script = Script(instrument.socket, ledger, scratch, script_chance, args.import_every)
        stack.callback(script.client.close)
        try:
            script.connect(START_WITHIN_S)
            window.wait_for_screen(1, START_WITHIN_S)
        except (TetradError, WindowGoneError) as error:
            log.add(_end([*instrument.new_crashes(), f"it did not start: {error}"], []))
            return
        fingers, hand = Fingers(window, fingers_chance), Hand(board, hand_chance)
        fingers.show_keys()
        memory = stack.enter_context(Memory(instrument.pid))
        round_ = Round(instrument, script, window, (keys, fingers), hand, control, ledger, memory)
        end_s = time.monotonic() + 60.0 * args.minutes
        while (left_s := end_s - time.monotonic()) > 0.0 and instrument.alive and not stopping.is_set():
            row = round_.minute(min(args.round_seconds, left_s), stopping)
            if stopping.is_set():  # Ctrl-C is told to all programs of a terminal: what they did then is no finding
                return
            log.add(row)
            print(_line(row), file=sys.stderr, flush=True)
        script.finish_imports(IMPORTS_END_WITHIN_S)
        instrument.end()
        crashes = instrument.new_crashes()
        state, warning = restore(home / "current.json")
        lost = [*ledger.lost_at_the_end(), *([warning or "the current patch is gone"] if state is None else [])]
        log.add(_end(crashes, lost, patches=len(ledger.patches), instruments=len(ledger.instruments)))


def _end(crashes: list[str], lost: list[str], **kept: int) -> dict[str, Any]:
    """The log's last row. kept: how many of what was acknowledged were read back."""
    return {"row": "end", "crashes": crashes, "lost_patches": lost, "troubles": [], "kept": kept}


def _line(row: dict[str, Any]) -> str:
    """Of a minute, while it goes on."""
    lost = row["lost_blocks"]
    memory = ", ".join(f"{part} {value:.1f}" for part, value in row["memory_mb"].items())
    bad = ", ".join(
        f"{len(row[kind])} {kind.replace('_', ' ')}"
        for kind in ("crashes", "stuck_notes", "lost_patches", "troubles")
        if row[kind]
    )
    return (
        f"{row['at_s']:8.1f} s: lost {lost['ours']} ({lost['control']}) of {row['blocks']} blocks, "
        f"{row['frames_per_s']} frames/s, {memory} MB{', ' if bad else ''}{bad}"
    )


def arguments_of(args: argparse.Namespace) -> dict[str, Any]:
    """What a soak was asked for."""
    return {name: value for name, value in vars(args).items() if name not in ("log", "json", "summarize")}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=120.0, help="(default %(default)g)")
    parser.add_argument("--round-seconds", type=float, default=60.0, help="between two looks (default %(default)g)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--audio", choices=("jack", "null"), default="jack", help="a JACK server of its own, or the clock"
    )
    parser.add_argument("--block", type=int, default=256, help="samples (default %(default)s)")
    parser.add_argument("--voices", type=int, default=16, help="(default %(default)s, as on the device)")
    parser.add_argument("--import-every", type=float, default=90.0, metavar="S", help="(default %(default)g s)")
    parser.add_argument("--core-engine", default="", metavar="CORE", help="of the engine, what it starts, the control")
    parser.add_argument("--core-screen", default="", metavar="CORE", help="of the screen and its X server")
    parser.add_argument("--refine", action=argparse.BooleanOptionalAction, default=True, help="paths in the background")
    parser.add_argument("--log", type=Path, metavar="FILE", help="a line of JSON is added to it every minute")
    parser.add_argument(
        "--summarize", type=Path, metavar="LOG", help="report of the last soak in a log; nothing is run"
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON, not as Markdown")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    args = parser().parse_args(argv)
    if args.summarize is not None:
        rows = read_log(args.summarize)
    else:
        log = Log(args.log)
        with stop_signals() as stopping:
            soak(args, log, stopping)
        rows = log.rows
    found = report(rows)
    print(json.dumps(found) if args.json else markdown(found))
    return 1 if broken(found) else 0


if __name__ == "__main__":
    sys.exit(main())
