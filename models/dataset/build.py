"""Rendering a whole note set into a directory: resumable, in several processes, the same bytes every time.

    plan -> for each instrument, in a process of its own: render, write, describe -> examples.json -> manifest.json

A note that is there and readable is kept. The manifest is written first as not complete, which claims the directory
for these settings, and last as complete.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from models.dataset import manifest, note_file
from models.dataset.notes import InstrumentPlan, limit_notes, plan_instruments
from models.dataset.render import render_note
from models.dataset.soundfont import read_sound_font
from models.workers import deaf_to_interrupts
from synth.command import progress
from synth.errors import TetradError

DEFAULT_GAIN_DB = -6.0  # the loudest note of the two fonts (MuseScore General, program 97) then peaks at -0.6 dB
SILENCE_PEAK = 1e-4  # -80 dB: where a preset has no sample for a key


@dataclass(frozen=True)
class BuildResult:
    """Counts of a finished set."""

    n_notes: int
    n_instruments: int
    n_silent: int


def build_note_set(
    directory: Path, font_paths: list[Path], *, jobs: int, limit: int | None, gain_db: float = DEFAULT_GAIN_DB
) -> BuildResult:
    """Make, finish or verify the note set in `directory`.

    Args: `jobs` processes; `limit` notes at most, spread over all instruments (None: all).
    Raises TetradError: an unusable font, a directory with other content, a note over full scale, a full disk.
    """
    fonts = [read_sound_font(path) for path in font_paths]
    if len({font.key for font in fonts}) != len(fonts):
        keys = ", ".join(font.key for font in fonts)
        raise TetradError(f"the sound fonts' names are {keys}; different ones were expected; name each font once")
    plans = plan_instruments(fonts)
    if limit is not None:
        plans = limit_notes(plans, limit)
    if not plans:
        raise TetradError("the sound fonts hold no pitched General MIDI program; at least one was expected")
    set_settings = manifest.settings(fonts, gain_db, limit)
    _claim(directory, set_settings)
    described = chain.from_iterable(_render_all(directory, plans, gain_db, jobs))
    n_planned = sum(len(plan.strikes) for plan in plans)
    entries = list(progress(described, description="notes", total=n_planned, unit="note"))
    examples = [entry for entry in entries if entry is not None]
    manifest.write_finished(directory, set_settings, examples, n_silent=len(entries) - len(examples))
    n_instruments = len({entry["instrument_str"] for entry in examples})
    return BuildResult(len(examples), n_instruments, len(entries) - len(examples))


def _claim(directory: Path, set_settings: dict[str, object]) -> None:
    """Make the directory ready for a set with these settings, or raise TetradError when it holds something else."""
    try:
        present = manifest.read_manifest(directory)
        if present is not None and present["settings"] != set_settings:
            raise TetradError(
                f"{directory} holds a note set made with other settings (fonts, limit, gain or software); the same "
                "were expected; name another directory, or remove that one"
            )
        directory.mkdir(parents=True, exist_ok=True)
        if present is None:
            if any(directory.iterdir()):
                raise TetradError(
                    f"{directory} holds files but no note set; an empty or new directory was expected; name another"
                )
            manifest.write_unfinished(directory, set_settings)
        for name in (note_file.AUDIO_DIR, note_file.LOW_AUDIO_DIR):
            (directory / name).mkdir(exist_ok=True)
            for leftover in (directory / name).glob(".*.part*"):  # of a killed run
                leftover.unlink()
    except OSError as error:
        raise TetradError(
            f"cannot make a note set in {directory}: {error.strerror}; a writable directory was expected; name another"
        ) from error


def _render_all(
    directory: Path, plans: list[InstrumentPlan], gain_db: float, jobs: int
) -> Iterator[list[manifest.Example | None]]:
    """The examples of each instrument in the order of `plans`; None stands for a silent note."""
    # Never in this process: TinySoundFont crashes on some damaged fonts. Fresh processes, as a forked copy of one with
    # threads (a progress bar's, a numeric library's) may hang.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        try:  # when this generator is closed, `map` cancels what has not begun; what has (2 s at most) is waited for
            with deaf_to_interrupts():  # `map` starts the processes at once
                results = pool.map(
                    _render_instrument, [directory] * len(plans), plans, [gain_db] * len(plans), chunksize=1
                )
            yield from results
        except BrokenProcessPool as error:
            raise TetradError(
                "a rendering process crashed or was killed (a damaged sound font, too little memory); it was expected "
                "to finish; run the command again, with --jobs 1 or the sound font installed anew if it recurs"
            ) from error


def _render_instrument(directory: Path, plan: InstrumentPlan, gain_db: float) -> list[manifest.Example | None]:
    return [_render_one(directory, plan, pitch, velocity, gain_db) for pitch, velocity in plan.strikes]


def _render_one(
    directory: Path, plan: InstrumentPlan, pitch: int, velocity: int, gain_db: float
) -> manifest.Example | None:
    name = plan.note_name(pitch, velocity)
    measured = _already_there(directory, name)
    if measured is None:
        audio = render_note(plan.font.path, plan.preset, pitch, velocity, gain_db)
        if np.abs(audio).max() < SILENCE_PEAK:
            return None
        measured = note_file.write_note(directory, name, audio)
    return manifest.example(plan, pitch, velocity, measured)


def _already_there(directory: Path, name: str) -> dict[str, object] | None:
    """What `describe_note` says of a note that an earlier run finished; None when it has to be rendered."""
    try:
        return note_file.describe_note(directory, name)
    except TetradError:
        return None  # missing or damaged: rendering it again is the remedy
