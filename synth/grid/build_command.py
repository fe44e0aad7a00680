"""precompute even paths between instruments"""

from __future__ import annotations

import argparse
from pathlib import Path

from synth.command import add_json_argument, print_json, progress_bar
from synth.errors import TetradError
from synth.grid.build import build_pairs, networks, plan_build
from synth.grid.pair_path import PairPath
from synth.grid.report import measure_pairs, summarise, write_report
from synth.grid.store import GridStore
from synth.instruments.library import Library
from synth.jobs import add_jobs_arguments
from synth.paths import shipped_instruments_dir


class BuildCommand:
    """`tetrad grid build [INSTRUMENT...]`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "instruments",
            metavar="INSTRUMENT",
            nargs="*",
            help="all pairs of these; one alone is paired with every shipped one (default: all pairs of the shipped)",
        )
        add_grid_folder_argument(parser)
        add_jobs_arguments(parser)
        parser.add_argument("--rebuild", action="store_true", help="make paths of another model anew, not refuse them")
        parser.add_argument(
            "--report", metavar="FOLDER", type=Path, help="write what was gained, in numbers and pictures"
        )
        add_json_argument(parser)

    def run(self, args: argparse.Namespace) -> int:
        library, store = Library(), GridStore(args.folder)
        names = list(args.instruments)
        if len(set(names)) < 2:
            names += Library([shipped_instruments_dir()]).names()
        if args.report is not None:
            _make_folder(args.report)
        model_id = networks()[0].model_id
        plan = plan_build(library, names, store, model_id, rebuild=args.rebuild)
        n_notes = n_bent = n_bytes = 0
        with progress_bar(len(plan.todo), description="paths", unit="pairs") as bar:

            def count(path: PairPath, size: int) -> None:
                nonlocal n_notes, n_bent, n_bytes
                n_notes += len(path.notes)
                n_bent += sum(bool(note.bend.any()) for note in path.notes)
                n_bytes += size
                bar.update(1)

            seconds = build_pairs(plan, store, workers=args.workers, dask=args.dask, on_pair=count)
        result: dict[str, object] = {
            "folder": store.folder,
            "model_id": model_id,
            "instruments": len(plan.files),
            "pairs_made": len(plan.todo),
            "pairs_there": plan.n_there,
            "pairs_replaced": len(plan.replaced),
            "notes_made": n_notes,
            "notes_bent": n_bent,
            "bytes_written": n_bytes,
            "seconds": round(seconds, 2),
        }
        if args.report is not None:
            measured = measure_pairs(plan.files, store, workers=args.workers, dask=args.dask)
            write_report(args.report, measured, result)
            result |= {"report": args.report, "evenness": summarise(measured)}
        if args.json:
            print_json(result)
            return 0
        print(
            f"{len(plan.todo)} paths ({n_notes} notes, {n_bent} of them bent) made in {seconds:.0f} s; "
            f"{plan.n_there} were there; {store.folder}"
        )
        if args.report is not None:
            print(f"report: {args.report}")
        return 0


def add_grid_folder_argument(parser: argparse.ArgumentParser) -> None:
    """Declare `--folder` (args.folder): where paths lie."""
    parser.add_argument("--folder", type=Path, help="where the paths lie (default: the folder grid of the user's data)")


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TetradError(
            f"{path} can't be made ({error.strerror}); a folder for the report was expected; name another"
        ) from error
