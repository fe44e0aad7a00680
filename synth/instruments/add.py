"""make an instrument of recordings: a file, a folder, an SFZ, a sound font, a note set; or take one that is made"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from tqdm import tqdm

from synth.command import add_json_argument, print_json, progress_bar
from synth.control.address import socket_path
from synth.control.commands import CUTS
from synth.errors import TetradError
from synth.instruments.bundle import is_instrument_file
from synth.instruments.format import FAMILIES
from synth.instruments.import_request import ImportRequest, ImportResult, is_there
from synth.io.client import EngineGoneError

CORNERS = ("nw", "ne", "sw", "se")
STEP_WORDS = {"find": "looking", "listen": "listening", "build": "analysing", "write": "writing"}


class AddCommand:
    """`tetrad instruments add SOURCE...`: into the player's library, or `--library`; by a running engine, if asked."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "sources",
            type=Path,
            nargs="+",
            metavar="SOURCE",
            help="recordings of one instrument, a folder of them (flute_60.wav, Piano C#4 ff.flac ...), an SFZ file, a "
            "sound font, a note set in NSynth's layout, or .tetrad-instrument files",
        )
        what = parser.add_argument_group("what of it")
        what.add_argument("--instrument", help="which one, of a note set or of a folder with several")
        what.add_argument("--preset", help="of a sound font: its name, or bank:program")
        what.add_argument("--cut", choices=CUTS, default="auto", help="one note in a recording, or several in a row")
        what.add_argument("--velocities", type=int, nargs="+", help="take only these velocities")
        what.add_argument("--keys", type=int, nargs="+", help="take only these keys (MIDI notes)")
        heard = add_hearing_arguments(parser)
        heard.add_argument("--release-s", type=float, help="when the key was let go in each recording, in seconds")
        about = add_naming_arguments(parser)
        about.add_argument("--origin", default="", help="where the recordings are from")
        where = add_place_arguments(parser)
        where.add_argument("--again", action="store_true", help="add it though the library has it already")
        add_json_argument(parser)

    def run(self, args: argparse.Namespace) -> int:
        requests = [_request(args, sources) for sources in _groups(args.sources)]
        into_engine = engine_is_wanted(args)
        if into_engine and (args.library or args.keys or args.velocities or args.release_s is not None):
            raise TetradError(
                "--library, --keys, --velocities and --release-s were given, which the engine does not take; "
                "leave them out, or --into-engine and --corner"
            )
        results = []
        for request in requests:
            result = carry_out(request, request.sources[0].name, into_engine=into_engine, corner=args.corner)
            results.append(result)
            if not args.json:
                print_result(result)
        if args.json:
            print_json({"instruments": [result.to_json() for result in results]})
        return 0


def add_hearing_arguments(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """What a player knows better than the analysis."""
    heard = parser.add_argument_group("how it is heard")
    heard.add_argument("--pitch", type=int, metavar="KEY", help="MIDI key that was recorded, if you know better")
    heard.add_argument("--unpitched", action="store_true", help="the key does not move it: a drum, speech, a noise")
    heard.add_argument("--keep-tuning", action="store_true", help="leave what is far off its key as it is")
    return heard


def add_naming_arguments(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """What the library shows of it."""
    about = parser.add_argument_group("what it is called")
    about.add_argument("--name", help="in the library: small letters, digits and hyphens")
    about.add_argument("--display-name", help="on the screen")
    about.add_argument("--family", choices=FAMILIES, help="default: what the source says, or keyboard")
    about.add_argument("--author", default="", help="who recorded it")
    about.add_argument("--licence", default="", help="under which licence")
    about.add_argument("--tag", action="append", default=[], dest="tags", help="a word to find it by")
    return about


def add_place_arguments(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Into which library and corner."""
    where = parser.add_argument_group("where it goes")
    where.add_argument("--replace", action="store_true", help="an instrument of the same name goes into the trash")
    where.add_argument("--into-engine", action="store_true", help="the running engine makes it, if there is one")
    where.add_argument("--corner", choices=CORNERS, help="and puts it there")
    where.add_argument("--library", type=Path, help="directory to write to, instead of the player's library")
    return where


def requested(args: argparse.Namespace, sources: tuple[Path, ...]) -> ImportRequest:
    """What the arguments above ask for, of `sources`. Raises TetradError for what can't be asked for."""
    return ImportRequest(
        sources=sources,
        name=args.name,
        display_name=args.display_name,
        family=args.family,
        author=args.author,
        licence=args.licence,
        tags=tuple(args.tags),
        pitch=args.pitch,
        unpitched=args.unpitched,
        correct_tuning=not args.keep_tuning,
        replace=args.replace,
        library=args.library and args.library.resolve(),
    )


def engine_is_wanted(args: argparse.Namespace) -> bool:
    """By --into-engine or --corner, and there may be one. Raises TetradError for a corner without an engine."""
    there = socket_path().exists()
    if args.corner is not None and not there:
        raise TetradError(f"no engine answers at {socket_path()}, so there is no corner {args.corner}; start one")
    return (args.into_engine or args.corner is not None) and there


def carry_out(request: ImportRequest, label: str, *, into_engine: bool, corner: str | None) -> ImportResult:
    """Import with a progress bar called `label`, by a running engine or here."""
    with ImportBar(label) as bar:
        result = _by_engine(request, corner, bar.update) if into_engine else None
        return result or _here(request, bar.update)


class ImportBar:
    """A progress bar for each step of an import."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._step = ""
        self._bar: tqdm[Any] | None = None

    def update(self, step: str, done: int, total: int) -> None:
        if step != self._step:
            self._close()
            self._step = step
            self._bar = progress_bar(max(total, 1), description=f"{self._source}: {STEP_WORDS[step]}", unit="notes")
        assert self._bar is not None
        self._bar.update(done - self._bar.n)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()

    def __enter__(self) -> ImportBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()


def print_result(result: ImportResult) -> None:
    """What was made of it, for a person."""
    for remark in result.remarks:
        print(f"  {remark}")
    notes = "1 note" if result.notes == 1 else f"{result.notes} notes"
    kind = "sustains" if result.sustains else "decays"
    print(f"{result.name} ({result.display_name}): {notes}, {kind}, {result.size_bytes / 1000:.0f} kB, {result.path}")
    if result.picture is not None:
        print(f"  a picture of what was understood: {result.picture}")


def _groups(sources: list[Path]) -> list[tuple[Path, ...]]:
    """Instrument files are one instrument each; everything else is one together."""
    if all(map(is_instrument_file, sources)):
        return [(source,) for source in sources]
    return [tuple(sources)]


def _request(args: argparse.Namespace, sources: tuple[Path, ...]) -> ImportRequest:
    for source in sources:
        if not is_there(source):
            raise TetradError(f"there is no {source}; a recording, a folder, an SFZ or a sound font was expected")
    return dataclasses.replace(
        requested(args, tuple(source.resolve() for source in sources)),
        origin=args.origin,
        instrument=args.instrument,
        preset=args.preset,
        cut=args.cut,
        release_s=args.release_s,
        velocities=tuple(args.velocities or ()),
        keys=tuple(args.keys or ()),
        again=args.again,
    )


def _here(request: ImportRequest, on_progress: Callable[[str, int, int], None]) -> ImportResult:
    from synth.instruments.importing import import_instrument  # not needed where the engine does it, and slow

    return import_instrument(request, lambda progress: on_progress(progress.step, progress.done, progress.total))


def _by_engine(
    request: ImportRequest, corner: str | None, on_progress: Callable[[str, int, int], None]
) -> ImportResult | None:
    """None when no engine answers, and it does not matter where the instrument is made."""
    from synth.instruments.engine_import import import_by_engine

    try:
        return import_by_engine(request, corner, on_progress)
    except EngineGoneError:
        if corner is not None:
            raise
        return None
