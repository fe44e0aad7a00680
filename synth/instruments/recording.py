"""record notes from a microphone or a line, one after the other, and make an instrument of them"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import sys
import time
from pathlib import Path

from synth.command import add_json_argument, print_json, stop_signals
from synth.errors import TetradError
from synth.instruments.add import (
    add_hearing_arguments,
    add_naming_arguments,
    add_place_arguments,
    carry_out,
    engine_is_wanted,
    print_result,
    requested,
)
from synth.instruments.import_request import ImportRequest, ImportResult
from synth.instruments.record_screen import LineScreen, Screen, TerminalScreen, Wish
from synth.instruments.takes import (
    LOOK_PERIOD_S,
    MOST_TAKES,
    TakeRecorder,
    WrittenTake,
    given_folder,
    remove_if_empty,
    remove_takes,
    takes_folder,
)
from synth.instruments.trigger import LONGEST_S
from synth.io.audio_input import AudioInput

SHORTEST_TAKE_S, LONGEST_TAKE_S = 0.2, 60.0
"""The longest is an instrument's longest note."""


class RecordCommand:
    """`tetrad instruments record`: takes are kept until an instrument has been made of them."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.description = (
            "Record notes from a microphone or a line: be quiet for a moment, then sing or play. Every note is taken "
            "when it begins and until it has faded; Enter ends, Esc gives up."
        )
        what = parser.add_argument_group("what is recorded")
        what.add_argument("--device", help="the input: a number, or part of its name (default: the first that works)")
        what.add_argument("--rate", type=int, metavar="HZ", help="sample rate (default: 48000, or what the device has)")
        what.add_argument("--notes", type=int, help="so many notes, and then it ends (without a terminal: 1)")
        what.add_argument(
            "--seconds", type=float, default=LONGEST_S, help=f"longest time of one note (default: {LONGEST_S:g})"
        )
        add_hearing_arguments(parser)
        add_naming_arguments(parser)
        where = add_place_arguments(parser)
        where.add_argument("--keep-takes", type=Path, metavar="FOLDER", help="keep the recordings there, as FLAC")
        add_json_argument(parser)

    def run(self, args: argparse.Namespace) -> int:
        into_engine = engine_is_wanted(args)
        request = _request(args)
        terminal = sys.stdin.isatty() and sys.stderr.isatty()
        notes = _notes(args, terminal)
        folder = takes_folder(request.to_library().own_folder) if args.keep_takes is None else None
        screen: Screen = TerminalScreen() if terminal else LineScreen()
        try:
            with AudioInput(args.device, args.rate) as source:
                screen.say(f"recording from {source.device} at {source.sample_rate_hz} Hz")
                recorder = TakeRecorder(
                    source, folder or given_folder(args.keep_takes), notes=notes, longest_s=args.seconds
                )
                try:
                    finished = _record(recorder, screen)
                except TetradError as error:
                    raise TetradError(f"{error}{_where(recorder.takes)}") from error
                takes, remarks, problem = recorder.takes, recorder.remarks(), recorder.problem
                origin = f"recorded from {source.device}"
        finally:
            if folder is not None:
                remove_if_empty(folder)
        for remark in remarks:
            screen.say(remark)
        if not finished:
            if folder is not None:
                remove_takes(take.path for take in takes)
            print("given up; nothing was added", file=sys.stderr)
            return 1
        if not takes:
            raise TetradError(problem or "no note was heard; one at least was expected; play louder or nearer")
        request = dataclasses.replace(
            request, sources=tuple(take.path.resolve() for take in takes), origin=request.origin or origin
        )
        result = _import(request, takes, into_engine=into_engine, corner=args.corner)
        if folder is not None:
            remove_takes(take.path for take in takes)
        if args.json:
            print_json({"instruments": [result.to_json()], "takes": [take.to_json() for take in takes]})
        else:
            print_result(result)
        return 0


def _request(args: argparse.Namespace) -> ImportRequest:
    """What will be asked for, checked before anybody sings; its sources come later."""
    if not SHORTEST_TAKE_S <= args.seconds <= LONGEST_TAKE_S:
        raise TetradError(
            f"--seconds is {args.seconds:g}; {SHORTEST_TAKE_S:g} to {LONGEST_TAKE_S:g} go; give another length"
        )
    if args.notes is not None and not 1 <= args.notes <= MOST_TAKES:
        raise TetradError(f"--notes is {args.notes}; 1 to {MOST_TAKES} go; give another number")
    if args.pitch is not None and args.notes not in (None, 1):
        raise TetradError("--pitch was given for several notes; it suits one; leave it out, or record one by one")
    request = dataclasses.replace(requested(args, (Path(),)), cut="single")
    if args.library and (args.into_engine or args.corner):
        raise TetradError("--library was given, which the engine does not take; leave it out, or --into-engine")
    if request.name is not None and not request.replace and request.name in request.to_library().paths():
        raise TetradError(f"there is an instrument {request.name} already; choose another name, or give --replace")
    return request


def _notes(args: argparse.Namespace, terminal: bool) -> int | None:
    if args.notes is not None:
        return int(args.notes)
    return 1 if args.pitch is not None or not terminal else None


def _record(recorder: TakeRecorder, screen: Screen) -> bool:
    """Until it is over or somebody says so. False when it was given up."""
    told = 0
    with stop_signals() as stopping, screen, contextlib.closing(recorder):
        while not recorder.over:
            next_s = time.monotonic() + LOOK_PERIOD_S
            recorder.step()
            told = _tell(recorder, screen, told)
            wish = screen.wait(max(next_s - time.monotonic(), 0.0))
            if wish is Wish.GIVE_UP or stopping.is_set():
                return False
            if wish is Wish.END:
                break
        recorder.finish()
        _tell(recorder, screen, told)
    return True


def _tell(recorder: TakeRecorder, screen: Screen, told: int) -> int:
    """Takes that were heard since, a line each, and the meter. Gives how many have been told of."""
    takes = recorder.takes
    while told < len(takes) and takes[told].heard:
        take = takes[told]
        told += 1
        clipped = ", CLIPPED" if take.clipped_samples else ""
        cut = ", cut" if take.cut else ""
        screen.say(f"note {told}: {take.heard}, {take.seconds:.1f} s{cut}{clipped}")
    screen.show(recorder.status())
    return told


def _import(
    request: ImportRequest, takes: tuple[WrittenTake, ...], *, into_engine: bool, corner: str | None
) -> ImportResult:
    """Whatever goes wrong, the takes stay, and it is said where."""
    try:
        return carry_out(request, "recording", into_engine=into_engine, corner=corner)
    except TetradError as error:
        raise TetradError(f"{error}{_where(takes)}") from error
    except BaseException:
        print(_where(takes).removeprefix("; "), file=sys.stderr)
        raise


def _where(takes: tuple[WrittenTake, ...]) -> str:
    """What is said of takes that stay, behind what went wrong."""
    if not takes:
        return ""
    return f"; the takes are in {takes[0].path.parent}; `tetrad instruments add` makes an instrument of them, too"
