"""`python -m ui`: the screen. A client of the engine, which need not run yet."""

import argparse
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ui.kivy_settings import FPS, WindowSettings, configure
from ui.theme import THEMES

ENDS_WITHIN_S = 3.0
"""A screen that hangs does not stop by itself."""


def _size(words: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{3,4})x(\d{3,4})", words)
    if match is None:
        raise argparse.ArgumentTypeError(f"{words!r} is no size; 800x480 was expected, say")
    return int(match[1]), int(match[2])


def main(argv: list[str] | None = None) -> int:
    """Run the screen until its window is closed."""
    parser = argparse.ArgumentParser(prog="python -m ui", description="Tetrad's touch screen, a client of the engine.")
    parser.add_argument("--socket", type=Path, metavar="PATH", help="where the engine is (default: the usual place)")
    parser.add_argument("--size", type=_size, default=(800, 480), metavar="WxH", help="of the window (default 800x480)")
    parser.add_argument("--fullscreen", action="store_true", help="the whole screen, without a mouse pointer")
    parser.add_argument("--rotation", type=int, choices=(0, 90, 180, 270), default=0, help="of a screen that hangs so")
    parser.add_argument("--theme", choices=tuple(THEMES), help="for the beginning (default: the last one)")
    parser.add_argument("--fps", type=int, default=FPS, metavar="N", help=f"most frames a second (default {FPS})")
    parser.add_argument("--tuio", default="", metavar="HOST:PORT", help="take fingers from a TUIO sender, too")
    parser.add_argument("--with-parent", action="store_true", help="end when the standard input does")
    args = parser.parse_args(argv)
    width_px, height_px = args.size
    configure(WindowSettings(width_px, height_px, args.rotation, args.fullscreen, args.fps, args.tuio))

    from kivy.core.window import Window

    if Window is None:
        print("tetrad: error: no window could be opened; a display was expected; set DISPLAY", file=sys.stderr)
        return 1
    from ui.app import TetradApp

    app = TetradApp(socket=args.socket, theme=args.theme)
    if args.with_parent:
        threading.Thread(target=_end_with_parent, args=(app.stop,), name="parent", daemon=True).start()
    app.run()
    return 0


def _end_with_parent(stop: Callable[[], object]) -> None:
    """Whoever started us holds the other end, and a kill lets go of it: it must not leave a second screen behind."""
    from kivy.clock import Clock

    while sys.stdin.readline():
        pass
    Clock.schedule_once(lambda _: stop())
    time.sleep(ENDS_WITHIN_S)
    os._exit(0)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # Kivy's and SDL's destructors run in no order of ours, and some drivers crash in theirs.
    os._exit(status)
