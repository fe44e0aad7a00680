"""walks a maker through every control of the board, and says what is wired wrong"""

import argparse
import queue
import time

from firmware_host.events import Reader
from firmware_host.link import Condition, Link
from firmware_host.messages import Diagnostics, DiagnosticsRequest, Hello, Leds, Message, State
from firmware_host.settings import read_settings
from firmware_host.walk import Step, Walk
from synth.command import stop_signals
from synth.errors import TetradError

FOUND_WITHIN_S = 10.0
STEP_S = 60.0
DIAGNOSTICS_WITHIN_S = 2.0


class TestCommand:
    """`tetrad board test`"""

    __test__ = False  # pytest: not a test of ours

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--port", metavar="PORT", help="such as /dev/ttyUSB0 (default: wherever a board answers)")
        parser.add_argument(
            "--patience", type=float, default=STEP_S, metavar="S", help="seconds for each control (default 60)"
        )

    def run(self, args: argparse.Namespace) -> int:
        messages: queue.Queue[Message] = queue.Queue()
        settings = read_settings()
        reader = Reader(reversed_encoders=settings.reversed_encoders, reversed_knobs=settings.reversed_knobs)
        with stop_signals() as stopping, Link(args.port or settings.port, on_message=messages.put) as link:
            if not link.wait(FOUND_WITHIN_S):
                raise TetradError(link.words)
            print(link.words, flush=True)
            walk, said, until_s = Walk(), None, time.monotonic() + args.patience
            while (step := walk.step) is not None and not stopping.is_set():
                if step is not said and reader.knobs:  # what moved before its first STATE the board can't tell
                    said, until_s = step, time.monotonic() + args.patience
                    link.want(Leds(_light(step)))
                    print(step.instruction, flush=True)
                _take(walk, reader, messages)
                if time.monotonic() > until_s:
                    _say(walk.skip())
                if link.condition is Condition.CLOSED:
                    raise TetradError(link.words)
            _diagnose(link, messages)
        if walk.step is not None:
            return 1
        print("Every control is right." if not walk.remarks else f"{len(walk.remarks)} remarks: see above.")
        return 1 if walk.remarks else 0


def _take(walk: Walk, reader: Reader, messages: "queue.Queue[Message]") -> None:
    """One message, or a short wait."""
    try:
        message = messages.get(timeout=0.05)
    except queue.Empty:
        message = None
    now_s = time.monotonic()
    events = []
    if isinstance(message, Hello):
        reader.forget(message.counts_per_detent)
    elif isinstance(message, State):
        events = reader.read(message, now_s)
    for event in [*events, *reader.look(now_s)]:
        _say(walk.take(event))


def _diagnose(link: Link, messages: "queue.Queue[Message]") -> None:
    """What the board counted meanwhile: contacts that jumped two steps at once are bad solder or a bad encoder."""
    link.send(DiagnosticsRequest())
    until_s = time.monotonic() + DIAGNOSTICS_WITHIN_S
    while (left_s := until_s - time.monotonic()) > 0.0:
        try:
            message = messages.get(timeout=left_s)
        except queue.Empty:
            break
        if isinstance(message, Diagnostics):
            print(message, flush=True)
            return
    print("The board did not tell its diagnostics.", flush=True)


def _light(step: Step) -> tuple[int, ...]:
    return tuple(255 if led == step.led else 0 for led in range(4))


def _say(words: str) -> None:
    if words:
        print(words, flush=True)
