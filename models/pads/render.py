"""Render pads: one of four instruments, or all combinations of a set."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.pads import clean, harmonic
from models.pads.job import Job, Named, RenderedRow, decoder, named
from models.pads.plan import (
    DECODERS,
    NORMALISE,
    ORIGINAL_PITCHES,
    PadSet,
    distinct_notes,
    file_name,
    original_distinct,
    read_settings,
)
from models.pads.writing import SetWriting
from synth.command import add_json_argument, print_json, progress, progress_bar
from synth.errors import TetradError
from synth.grid.pair_path import PairPath
from synth.grid.store import GridStore
from synth.instruments.library import Library
from synth.jobs import add_jobs_arguments, available_cores, run_jobs
from synth.voices.apart import MOST_PLACES, SpotNote

_DEFAULTS = PadSet((("a",),) * 4)
_SETTINGS = ("resolution", "pitches", "velocity", "seconds", "rate", "seed", "normalise", "decoder")
_WARM_UP_S = 0.5
_CALIBRATION_NOTES = 32
_MOST_COMPARED = 128
_LEAST_PEAK = 1e-6


class RenderPadsCommand:
    """`tetrad pads render OUT --corners NW NE SW SE` or `--set SETTINGS.toml`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("out", metavar="OUT", type=Path, help="the pad's file; with --set the folder for all pads")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--corners", nargs=4, metavar=("NW", "NE", "SW", "SE"), help="instruments of one pad")
        what.add_argument(
            "--set", metavar="SETTINGS.toml", type=Path, help="lists of instruments: a pad for each choice"
        )
        d = _DEFAULTS
        parser.add_argument("--resolution", type=int, metavar="N", help=f"cells along a side (default {d.resolution})")
        pitches = f"{ORIGINAL_PITCHES[0]}, {ORIGINAL_PITCHES[1]}, ... {ORIGINAL_PITCHES[-1]}"
        parser.add_argument("--pitches", type=int, nargs="+", metavar="KEY", help=f"MIDI keys (default {pitches})")
        parser.add_argument("--velocity", type=int, metavar="V", help=f"1 to 127, of all notes (default {d.velocity})")
        parser.add_argument("--decoder", choices=DECODERS, help="what makes the sound (default harmonic, the engine's)")
        parser.add_argument(
            "--seconds", type=float, metavar="S", help=f"of a note, its last quarter released (default {d.seconds:g})"
        )
        parser.add_argument("--rate", type=int, metavar="HZ", help=f"sample rate (default {d.rate}; wavenet 16000)")
        parser.add_argument("--seed", type=int, metavar="N", help="of phases, noise and samples (default 0)")
        parser.add_argument(
            "--normalise",
            choices=NORMALISE,
            help="pad: one gain for all (default); note: each to -12 dBFS, as the original; none: the engine's level",
        )
        parser.add_argument(
            "--plan", action="store_true", help="say how many notes, how large, how long; render nothing"
        )
        parser.add_argument(
            "--compare", action="store_true", help="with --decoder wavenet: measure it and the harmonic decoder"
        )
        parser.add_argument("--grid", metavar="FOLDER", type=Path, help="of the pairs' paths (default the player's)")
        add_jobs_arguments(parser)
        add_json_argument(parser)

    def run(self, args: argparse.Namespace) -> int:
        pads = _pad_set(args)
        if args.compare and pads.decoder != "wavenet":
            raise TetradError("--compare measures the WaveNet decoder; --decoder wavenet was expected with it")
        library = Library()
        names = dict.fromkeys(name for names in pads.corners for name in names)
        instruments = {name: named(name, library) for name in names}
        if args.plan:
            _print_plan(_plan(pads, instruments, args), args.json)
            return 0
        began = time.perf_counter()
        paths = [args.out]
        if args.set:
            _make_folder(args.out)
            paths = [args.out / file_name(corners) for corners in pads.combinations()]
        writing = _render(pads, paths, instruments, args)
        report = {
            "path": args.out,
            "pads": len(paths),
            "rows": pads.n_rows,
            "rendered": writing.n_rendered,
            "copied": writing.n_copied,
            "gain_db": None if writing.gain is None else 20.0 * math.log10(writing.gain),
            "seconds": time.perf_counter() - began,
        }
        if args.compare:
            report["compared"] = compare(pads, instruments)
        _print_done(report, args.json)
        return 0


def _pad_set(args: argparse.Namespace) -> PadSet:
    given = {name: getattr(args, name) for name in _SETTINGS if getattr(args, name) is not None}
    if "pitches" in given:
        given["pitches"] = tuple(sorted(set(given["pitches"])))
    if args.set:
        return read_settings(args.set, given)
    return PadSet(tuple((name,) for name in args.corners), **given)  # type: ignore[arg-type]


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TetradError(f"cannot make the folder {folder}: {error.strerror}; name another") from error


def _job(pads: PadSet, corners: Sequence[Named], notes: Sequence[SpotNote]) -> Job:
    nw, ne, sw, se = corners
    return Job((nw, ne, sw, se), tuple(notes), pads.velocity, pads.seconds, pads.rate_hz, pads.seed, 1.0)


def corner_gain(pads: PadSet, instruments: Mapping[str, Named]) -> float | None:
    """By what all samples are multiplied; None where each note gets a gain of its own.

    For a pad as a whole it follows from the notes in the corners alone, which are few: it is the same whenever and
    wherever a part of the set is rendered.
    """
    if pads.normalise != "pad":
        return 1.0 if pads.normalise == "none" else None
    corner = [SpotNote(0.0, 0.0, key) for key in pads.pitches]
    jobs = [_job(pads, [sound] * 4, corner) for sound in instruments.values()]
    peak = max(harmonic.peak(job) for job in progress(jobs, description="levels", unit="sound"))
    return clean.PAD_PEAK / max(peak, _LEAST_PEAK)


def seconds_a_note(pads: PadSet, instruments: Mapping[str, Named]) -> float:
    """Of one core, measured: a part of a job of the first pad is rendered and thrown away."""
    corners = [instruments[names[0]] for names in pads.corners]
    share = np.linspace(0.0, 1.0, math.isqrt(MOST_PLACES))
    notes = [SpotNote(float(x), float(y), key) for key in pads.pitches for x in share for y in share]
    notes = notes[:: max(len(notes) // _CALIBRATION_NOTES, 1)][:_CALIBRATION_NOTES]
    harmonic.render(dataclasses.replace(_job(pads, corners, notes[:1]), total_s=_WARM_UP_S))
    began = time.process_time()
    harmonic.render(_job(pads, corners, notes))
    per_note = (time.process_time() - began) / len(notes)
    if pads.decoder == "wavenet":
        from models.pads import wavenet

        per_note += wavenet.seconds_a_note(_job(pads, corners, notes)) * available_cores()
    return per_note


def _plan(pads: PadSet, instruments: Mapping[str, Named], args: argparse.Namespace) -> dict[str, Any]:
    distinct = distinct_notes(pads)
    per_note = seconds_a_note(pads, instruments)
    workers = args.workers or available_cores()
    original = original_distinct(pads)
    return {
        "pads": pads.n_pads,
        "rows": pads.n_rows,
        "distinct_notes": distinct,
        "original_distinct_notes": original,
        "bytes": pads.n_bytes,
        "core_seconds_a_note": per_note,
        "workers": workers,
        "estimate_s": distinct * per_note / workers,
        "original_estimate_s": original * per_note / workers,
    }


def _print_plan(plan: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(plan)
        return
    hours, minutes = divmod(round(plan["estimate_s"] / 60.0), 60)
    print(
        f"{plan['pads']} pads of {plan['rows'] // plan['pads']:,} notes: {plan['rows']:,} rows, of which "
        f"{plan['distinct_notes']:,} are to be rendered (each once; the original's weights would need "
        f"{plan['original_distinct_notes']:,})"
    )
    print(f"{plan['bytes'] / 1e9:.1f} GB on disk")
    print(
        f"about {hours} h {minutes:02d} min with {plan['workers']} workers, "
        f"at {1e3 * plan['core_seconds_a_note']:.0f} ms of a core for a note (measured just now)"
    )


def _print_done(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    print(
        f"{report['path']}: {report['pads']} {'pad' if report['pads'] == 1 else 'pads'}, {report['rows']:,} rows: "
        f"{report['rendered']:,} rendered, {report['copied']:,} copied from others, in {report['seconds']:.1f} s"
    )
    for name, measures in report.get("compared", {}).items():
        print(f"{name}: LSD {measures['lsd_db']:.2f} dB, pitch {measures['pitch_cents']:.1f} cents off in the median")


def _render(
    pads: PadSet, paths: Sequence[Path], instruments: Mapping[str, Named], args: argparse.Namespace
) -> SetWriting:
    """All rows that are not there yet. Ctrl-C leaves what is finished for the next time."""
    from_wavenet = pads.decoder == "wavenet"
    render: Callable[[Job], list[RenderedRow]] = harmonic.render
    most_notes, workers = harmonic.MOST_NOTES, args.workers
    if from_wavenet:
        from models.pads import wavenet

        render, most_notes = wavenet.render, wavenet.MOST_NOTES
        workers = workers or 1  # its own threads use the cores
    gain = corner_gain(pads, instruments)
    store = GridStore(args.grid)
    with progress_bar(pads.n_rows, description="rendering", unit="rows") as bar:
        writing = SetWriting(
            pads,
            paths,
            instruments,
            model_id=decoder().model_id,
            gain=gain,
            most_notes=most_notes,
            whole_groups=from_wavenet,
            paths_of=functools.partial(paths_between, store, decoder().model_id),
            on_row=bar.update,
        )
        with contextlib.closing(writing):
            run_jobs(render, writing.jobs(), on_result=writing.take, workers=workers, dask=args.dask, gpu=from_wavenet)
    return writing


def paths_between(store: GridStore, model_id: str, corners: Sequence[Named]) -> tuple[PairPath, ...]:
    """Those of the four edges' pairs that are in the store."""
    nw, ne, sw, se = corners
    found: dict[tuple[str, str], PairPath] = {}
    for first, second in ((sw, se), (nw, ne), (sw, nw), (se, ne)):
        path = store.find(first.name, second.name, first.sound_id, second.sound_id, model_id)
        if path is not None:
            found[path.first, path.second] = path
    return tuple(found[pair] for pair in sorted(found))


def compare(pads: PadSet, instruments: Mapping[str, Named]) -> dict[str, dict[str, float]]:
    """Medians over the notes of the first pad: log-spectral distance to the engine's note, which has the recordings'
    detail, and how far the pitch is off; of the WaveNet decoder and of the harmonic decoder alone, both as loud."""
    from models.pads.comparison import compare_decoders

    corners = [instruments[names[0]] for names in pads.corners]
    last = pads.resolution - 1
    notes = [
        SpotNote(x / last, y / last, key) for y in range(last + 1) for x in range(last + 1) for key in pads.pitches
    ]
    return compare_decoders(_job(pads, corners, notes[:_MOST_COMPARED]))
