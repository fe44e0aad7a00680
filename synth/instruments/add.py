"""make an instrument from a folder of recorded notes, or from a note set in NSynth's layout"""

from __future__ import annotations

import argparse
import difflib
import re
from pathlib import Path

from synth.command import progress
from synth.errors import TetradError
from synth.instruments import sources
from synth.instruments.build import Description, build_instrument
from synth.instruments.encoder import Encoder
from synth.instruments.format import FAMILIES, SUFFIX, write_instrument
from synth.paths import user_instruments_dir
from synth.voices.decoder import Decoder


class AddCommand:
    """`tetrad instruments add SOURCE`: files in the player's library, or in `--library`."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("source", type=Path, help="folder of notes (flute_60.wav ...), or of a note set")
        parser.add_argument("--instrument", help="which instrument of a note set")
        parser.add_argument("--name", help="name in the library: small letters, digits and hyphens")
        parser.add_argument("--display-name", help="name on the screen")
        parser.add_argument("--family", choices=FAMILIES, help="default: what the note set says, or keyboard")
        parser.add_argument("--author", default="", help="who recorded it")
        parser.add_argument("--licence", default="", help="under which licence")
        parser.add_argument("--origin", default="", help="where the recordings are from")
        parser.add_argument("--release-s", type=float, help="when the key was let go in each recording, in seconds")
        parser.add_argument("--velocities", type=int, nargs="+", help="take only these velocities")
        parser.add_argument("--keys", type=int, nargs="+", help="take only these keys (MIDI notes)")
        parser.add_argument("--library", type=Path, help="directory to write to, instead of the player's library")

    def run(self, args: argparse.Namespace) -> int:
        found, family = self._find(args)
        kept = [
            n
            for n in found
            if (not args.velocities or n.velocity in args.velocities) and (not args.keys or n.pitch in args.keys)
        ]
        name = args.name or _slug(args.instrument or args.source.resolve().name)
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,47}", name):
            raise TetradError(
                f"the name {name!r} can't be used; expected small letters, digits and hyphens, at most 48"
            )
        library = args.library or user_instruments_dir()
        if args.library is None:
            _make_directory(library)
        description = Description(
            name=name,
            display_name=args.display_name or name.replace("-", " ").title(),
            family=args.family or family,
            author=args.author,
            licence=args.licence,
            source=args.origin or args.source.name,
        )
        encoder, decoder = Encoder(), Decoder()
        notes = [sources.read_note(n) for n in progress(kept, description="reading", unit="note")]
        bar = progress(range(len(notes)), description=name, unit="note")
        instrument = build_instrument(notes, description, encoder, decoder, on_note=bar.update)
        bar.close()
        path = library / f"{name}{SUFFIX}"
        size = write_instrument(instrument, path)
        print(f"{path}: {len(instrument.notes)} notes, {size / 1000:.0f} kB")
        return 0

    def _find(self, args: argparse.Namespace) -> tuple[list[sources.FoundNote], str]:
        """The recordings and the family that their source names."""
        if not args.source.is_dir():
            raise TetradError(f"{args.source} is not a folder; expected recorded notes, such as flute_60.wav, in it")
        if not (args.source / "examples.json").is_file():
            return sources.folder_notes(args.source), "keyboard"
        instruments = sources.note_set(args.source)
        if args.instrument not in instruments:
            near = (
                difflib.get_close_matches(args.instrument or "", instruments, n=3, cutoff=0.3) or list(instruments)[:3]
            )
            raise TetradError(
                f"{args.source} has no instrument {args.instrument!r}; "
                f"name one with --instrument, such as {', '.join(near)}"
            )
        entries = instruments[args.instrument]
        family = str(next(iter(entries.values())).get("instrument_family_str", "keyboard"))
        release_s = sources.SET_RELEASE_S if args.release_s is None else args.release_s
        return sources.note_set_notes(args.source, entries, release_s), family


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TetradError(
            f"the library {path} can't be made ({error.strerror}); set TETRAD_HOME to a place that can"
        ) from error
