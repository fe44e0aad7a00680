"""shows what board and computer say to each other, decoded; keeps it in a file, and decodes such files"""

import argparse
import contextlib
import sys
import time
from pathlib import Path
from typing import TextIO

from firmware_host.capture import Capture, LiveDecoder, read, summary
from firmware_host.link import Condition, Link
from firmware_host.settings import read_settings
from synth.command import stop_signals
from synth.errors import TetradError


class MonitorCommand:
    """`tetrad board monitor`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--port", metavar="PORT", help="such as /dev/ttyUSB0 (default: wherever a board answers)")
        parser.add_argument("--capture", type=Path, metavar="FILE", help="keep all bytes there, too")
        parser.add_argument("--decode", type=Path, metavar="FILE", help="decode a capture instead of a port")
        parser.add_argument("--seconds", type=float, metavar="N", help="stop after N seconds (default: Ctrl-C)")

    def run(self, args: argparse.Namespace) -> int:
        if args.decode is not None:
            return _decode(args.decode)
        with contextlib.ExitStack() as stack:
            stopping = stack.enter_context(stop_signals())
            capture = None
            if args.capture is not None:
                capture = Capture(stack.enter_context(_opened(args.capture)))
            watcher = _Watcher(capture)
            port = args.port or read_settings().port
            link = stack.enter_context(Link(port, on_traffic=watcher.traffic, on_condition=watcher.condition))
            end_s = float("inf") if args.seconds is None else time.monotonic() + args.seconds
            while not stopping.wait(0.05) and time.monotonic() < end_s:
                if link.failure is not None:
                    raise TetradError(f"the monitor can't go on: {link.failure}; see to it, and start again")
        return 0


class _Watcher:
    """Prints what goes over the wire, and keeps it."""

    def __init__(self, capture: Capture | None) -> None:
        self._capture, self._decoder = capture, LiveDecoder()
        self._started_s = time.monotonic()

    def traffic(self, direction: str, device: str, data: bytes) -> None:
        if self._capture is not None:
            self._capture.traffic(direction, device, data)
        for event in self._decoder.feed(time.monotonic() - self._started_s, direction, device, data):
            print(event, flush=True)

    def condition(self, condition: Condition, words: str) -> None:
        del condition
        print(f"# {words}", flush=True)


def _opened(path: Path) -> TextIO:
    try:
        return path.open("x", encoding="ascii")  # what was captured before is not to be lost
    except OSError as error:
        raise TetradError(f"{path} can't be written ({error.strerror}); name another file") from error


def _decode(path: Path) -> int:
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            events = list(read(file))
    except OSError as error:
        raise TetradError(f"{path} can't be read ({error.strerror}); a capture was expected; name another") from error
    for event in events:
        print(event)
    for name, count in summary(events).items():
        print(f"# {name}: {count}")
    sys.stdout.flush()
    return 0
