"""how long an instrument takes to make, and how much its corner then sounds like the recordings"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from synth.command import add_json_argument, print_report, progress
from synth.errors import TetradError
from synth.instruments.bench_engine_import import time_engine_imports
from synth.instruments.build import Description, build_instrument
from synth.instruments.encoder import Encoder
from synth.instruments.fidelity import NORTH_WEST, corner_lsd_db, corner_pairs, render_note
from synth.instruments.format import Instrument
from synth.instruments.library import Library
from synth.instruments.listening import listen
from synth.instruments.note_sets import SET_RELEASE_S, NoteEntries, note_set, note_set_notes, read_note
from synth.instruments.notes import SourceNote
from synth.instruments.residual import SHARP_MS, rise_ms
from synth.instruments.spread import spread_evenly
from synth.lsd import log_spectral_distance_db
from synth.voices.decoder import Decoder

HELD_S, TOTAL_S = 3.0, 4.0
NOTE_SET = Path("data/notes")
"""Where `make data` puts it, seen from the checkout."""
PITCHED = "pitched"


def recordings_of(instrument: Instrument, directory: Path, notes: NoteEntries, most: int) -> list[SourceNote]:
    """The recordings in a note set that a shipped instrument was made of; none if it was made of others.

    `notes` is what `note_set(directory)` read.
    """
    for name, entries in notes.items():
        if f"({name})" in instrument.source:
            wanted = {(n.pitch, n.velocity) for n in instrument.notes}
            found = [n for n in note_set_notes(directory, entries, SET_RELEASE_S) if (n.pitch, n.velocity) in wanted]
            return [read_note(found[i]) for i in spread_evenly(len(found), most)]
    return []


def rendered_recordings(instrument: Instrument, decoder: Decoder, most: int) -> list[SourceNote]:
    """Where there is no note set: what the engine plays of a shipped instrument serves as the recording of another."""
    notes = [instrument.notes[i] for i in spread_evenly(len(instrument.notes), most)]
    return [
        SourceNote(
            render_note([instrument] * 4, NORTH_WEST, n.pitch, n.velocity, HELD_S, TOTAL_S, decoder),
            n.pitch,
            n.velocity,
            HELD_S,
        )
        for n in notes
    ]


class Corner(NamedTuple):
    """One note of a set with kinds: its distance in dB, and how long recording and note take to rise, in ms."""

    kind: str
    lsd_db: float
    rise_ms: int
    played_rise_ms: int


def corners_of_set(directory: Path, entries: NoteEntries, encoder: Encoder, decoder: Decoder) -> list[Corner]:
    """Every sound of a set whose entries tell a `kind` (`benchmarks/import_set.py` writes one), imported as a player's
    recording is, and played at its corner."""
    corners = []
    for name, notes in progress(entries.items(), description="corners", unit="sound"):
        for note_str, entry in notes.items():
            found = note_set_notes(directory, {note_str: entry}, None)[0]
            heard = listen(replace(found, pitched=cast(bool | None, entry.get("pitched")))).note
            instrument = build_instrument([heard], Description(name, name, "mallet", "", "", ""), encoder, decoder)
            for recording, sound in corner_pairs(instrument, [heard], decoder):
                distance_db = log_spectral_distance_db(recording, sound)
                corners.append(Corner(str(entry["kind"]), distance_db, rise_ms(recording), rise_ms(sound)))
    return corners


def summary(corners: Sequence[Corner]) -> dict[str, float]:
    """lsd_db: median and p90. Of n, sharp rise within 10 ms in the recording, and kept_sharp of these when played."""
    lsd_db = [corner.lsd_db for corner in corners]
    sharp = [corner for corner in corners if corner.rise_ms < SHARP_MS]
    return {
        "n": len(corners),
        "median": float(np.median(lsd_db)),
        "p90": float(np.percentile(lsd_db, 90)),
        "sharp": len(sharp),
        "kept_sharp": sum(corner.played_rise_ms < SHARP_MS for corner in sharp),
    }


def bench_set(directory: Path, entries: NoteEntries) -> dict[str, object]:
    """-> the object of `tetrad bench import --json` for a set with kinds: "pitched", and others, which are unpitched or
    inharmonic."""
    corners = corners_of_set(directory, entries, Encoder(), Decoder())
    pitched = [corner for corner in corners if corner.kind == PITCHED]
    others = [corner for corner in corners if corner.kind != PITCHED]
    if not pitched or not others:
        raise TetradError(f"{directory} holds {len(pitched)} pitched and {len(others)} other sounds; expected both")
    names = [name for name, notes in entries.items() if any(n["kind"] == PITCHED for n in notes.values())]
    chosen = [names[i] for i in spread_evenly(len(names), 16)]
    sixteen = [read_note(note_set_notes(directory, entries[name], None)[0]) for name in chosen]
    by_kind = {kind: summary([c for c in corners if c.kind == kind]) for kind in sorted({c.kind for c in corners})}
    return {
        **asdict(time_engine_imports(_distinct(sixteen))),
        "corner_lsd_db": {key: summary(pitched)[key] for key in ("median", "p90")},
        "pitched": summary(pitched),
        "unpitched": summary(others),
        "kinds": by_kind,
        "n_notes": len(corners),
        "recordings": str(directory),
    }


def bench_import(directory: Path | None, n_instruments: int | None, notes_each: int) -> dict[str, object]:
    """-> the object of `tetrad bench import --json`.

    `corner_lsd_db` is over `notes_each` notes of each shipped instrument, imported anew and played through the engine.
    The times are those of an engine in another process that plays 32 voices meanwhile (`bench_engine_import`).
    """
    library = Library()
    names = library.names()[:n_instruments]
    if not names:
        library.load("")
    decoder, encoder = Decoder(), Encoder()
    entries = note_set(directory) if directory else {}
    if directory and all("kind" in entry for notes in entries.values() for entry in notes.values()):
        return bench_set(directory, entries)
    recordings: list[SourceNote] = []
    distances: list[float] = []
    for name in progress(names, description="corners", unit="inst"):
        instrument = library.load(name)
        found = (
            recordings_of(instrument, directory, entries, notes_each)
            if directory
            else rendered_recordings(instrument, decoder, notes_each)
        )
        if not found:
            continue
        again = build_instrument(found, _description(instrument), encoder, decoder)
        distances += corner_lsd_db(again, found, decoder)
        recordings += found
    if not recordings:
        raise TetradError(f"{directory} holds no recordings of the shipped instruments; give the set they were made of")
    sixteen = _distinct([recordings[i % len(recordings)] for i in range(16)])
    by_engine = time_engine_imports(sixteen)
    return {
        **asdict(by_engine),
        "corner_lsd_db": {"median": float(np.median(distances)), "p90": float(np.percentile(distances, 90))},
        "n_notes": len(distances),
        "recordings": str(directory) if directory else "rendered from the shipped instruments",
    }


def _distinct(notes: list[SourceNote]) -> list[SourceNote]:
    """Some recordings may be there twice, which is no instrument: give each a velocity of its own."""
    return [replace(n, velocity=60 + i) for i, n in enumerate(notes)]


def _description(instrument: Instrument) -> Description:
    return Description(
        name=instrument.name,
        display_name=instrument.display_name,
        family=instrument.family,
        author=instrument.author,
        licence=instrument.licence,
        source=instrument.source,
        sustains=instrument.sustains,
    )


class BenchImportCommand:
    """`tetrad bench import`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "data",
            type=Path,
            nargs="?",
            default=NOTE_SET if NOTE_SET.is_dir() else None,
            help=f"note set of the recordings (default: {NOTE_SET}, or sounds rendered on the spot if it is not there)",
        )
        parser.add_argument("--instruments", type=int, help="how many of the shipped instruments (default: all)")
        parser.add_argument("--notes", type=int, default=3, help="notes of each (default %(default)s)")
        add_json_argument(parser)

    def run(self, args: argparse.Namespace) -> int:
        if args.data is not None and not args.data.is_dir():
            raise TetradError(f"{args.data} is not a folder; expected a note set; make one with `tetrad model data`")
        result = bench_import(args.data, args.instruments, args.notes)
        print_report(result, as_json=args.json)
        return 0
