"""Making a whole note set in a directory: resumable, in several processes, the same bytes every time.

    plan -> for each instrument, in a process of its own: render or read, write, describe
         -> which instruments sound alike, the split -> examples.json -> manifest.json

A note that is there and readable is kept. The manifest is written first as not complete, which claims the directory
for these settings, and last as complete.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.dataset import manifest, note_file
from models.dataset.duplicates import copies, find_alike, group, note_levels, settle_split
from models.dataset.notes import InstrumentPlan, Plan, limit_notes, plan_instruments
from models.dataset.recordings import Collection, RecordedInstrument
from models.dataset.render import render_note
from models.dataset.soundfont import read_sound_font
from models.dataset.take import read_all, sustains
from synth.command import progress_bar
from synth.errors import TetradError
from synth.frames import Float32Array
from synth.jobs import run_jobs

DEFAULT_GAIN_DB = -6.0  # the loudest note of the two fonts (MuseScore General, program 97) then peaks at -0.6 dB
SILENCE_PEAK = 1e-4  # -80 dB: where a preset has no sample for a key
_COMPARED_VELOCITY = 80
_COMPARED_KEY_STEP = 4  # semitones at least between the keys that are compared for duplicates


@dataclass(frozen=True)
class BuildResult:
    """Counts of a finished set. `left_out`: one line for each broken recording that was passed over."""

    n_notes: int
    n_instruments: int
    n_silent: int
    n_different: int = 0
    n_copies_dropped: int = 0
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Made:
    """What a process made of one instrument. `levels`: key -> `note_levels` of a note of middle velocity."""

    examples: list[manifest.Example]
    n_silent: int = 0
    levels: dict[int, Float32Array] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def build_note_set(
    directory: Path,
    font_paths: list[Path],
    *,
    jobs: int,
    dask: str | None = None,
    limit: int | None,
    gain_db: float = DEFAULT_GAIN_DB,
    recorded: Sequence[Collection] = (),
    skip_broken: bool = False,
    drop_copies: bool = False,
) -> BuildResult:
    """Make, finish or verify the note set in `directory`.

    Args: `jobs` processes, or the address of a `dask` cluster, whose workers find the same files at the same paths;
    `limit` notes at most, spread over all instruments (None: all); `gain_db` for the fonts;
    `recorded` instruments beside the fonts'; `skip_broken`: pass over unusable recordings instead of stopping;
    `drop_copies`: leave out instruments that play another's samples in the same way.
    Raises TetradError: an unusable font, a directory with other content, a note over full scale, a full disk, an
    instrument named twice, an unusable recording.
    """
    fonts = [read_sound_font(path) for path in font_paths]
    if len({font.key for font in fonts}) != len(fonts):
        keys = ", ".join(font.key for font in fonts)
        raise TetradError(f"the sound fonts' names are {keys}; different ones were expected; name each font once")
    plans: list[Plan] = [*plan_instruments(fonts), *(i for source in recorded for i in source.instruments)]
    twice = [name for name, n in Counter(plan.name for plan in plans).items() if n > 1]
    if twice:
        raise TetradError(f"{len(twice)} instruments come twice, {twice[0]} first; each was expected once; rename one")
    if limit is not None:
        plans = limit_notes(plans, limit)
    if not plans:
        raise TetradError("the sources hold no pitched instrument; at least one was expected; name others")
    set_settings = manifest.settings(
        fonts, gain_db, limit, [source.description for source in recorded], drop_copies=drop_copies
    )
    _claim(directory, set_settings)
    made = _make_all(directory.resolve(), plans, gain_db, skip_broken, jobs, dask)
    _remove_leftovers(directory)
    return _finish(directory, set_settings, made, drop_copies)


def _finish(directory: Path, set_settings: dict[str, object], made: dict[str, _Made], drop_copies: bool) -> BuildResult:
    """Compare the instruments, settle the split and write the lists."""
    names = [name for name, result in made.items() if result.examples]
    left_out = [line for result in made.values() for line in result.left_out]
    if not names:
        broken = f" ({left_out[0]})" if left_out else ""
        raise TetradError(f"no note of the sources can be used{broken}; at least one was expected; name others")
    pairs = find_alike({name: made[name].levels for name in names})
    groups, copy_of = group(names, pairs), copies(names, pairs)
    split = settle_split({name: str(made[name].examples[0]["split"]) for name in names}, groups)
    examples = [
        entry | {"group": groups[name], "split": split[name]} | ({"copy_of": copy_of[name]} if name in copy_of else {})
        for name in names
        if not (drop_copies and name in copy_of)
        for entry in made[name].examples
    ]
    n_silent = sum(result.n_silent for result in made.values())
    manifest.write_finished(directory, set_settings, examples, n_silent, pairs, left_out)
    return BuildResult(
        n_notes=len(examples),
        n_instruments=len({entry["instrument_str"] for entry in examples}),
        n_silent=n_silent,
        n_different=len({entry["group"] for entry in examples}),
        n_copies_dropped=len(copy_of) if drop_copies else 0,
        left_out=tuple(left_out),
    )


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
        _remove_leftovers(directory)
    except OSError as error:
        raise TetradError(
            f"cannot make a note set in {directory}: {error.strerror}; a writable directory was expected; name another"
        ) from error


def _remove_leftovers(directory: Path) -> None:
    """What a killed run, or a process that crashed in this one, was writing."""
    for name in (note_file.AUDIO_DIR, note_file.LOW_AUDIO_DIR):
        for leftover in (directory / name).glob(".*.part*"):
            leftover.unlink()


class _Work(NamedTuple):
    directory: Path
    plan: Plan
    gain_db: float
    skip_broken: bool


def _make_all(
    directory: Path, plans: Sequence[Plan], gain_db: float, skip_broken: bool, jobs: int, dask: str | None
) -> dict[str, _Made]:
    """What was made of each instrument, in the order of `plans`."""
    found: dict[int, _Made] = {}
    with progress_bar(sum(len(plan.strikes) for plan in plans), description="notes", unit="notes") as bar:

        def keep(index: int, made: _Made) -> None:
            found[index] = made
            bar.update(len(plans[index].strikes))

        work = (_Work(directory, plan, gain_db, skip_broken) for plan in plans)
        # Never in this process: TinySoundFont crashes on some damaged fonts.
        run_jobs(_make_one, work, on_result=keep, workers=jobs, dask=dask, isolated=True)
    return {plan.name: found[index] for index, plan in enumerate(plans)}


def _make_one(work: _Work) -> _Made:
    directory, plan, gain_db, skip_broken = work
    if isinstance(plan, RecordedInstrument):
        measured, left_out = read_all(directory, plan, skip_broken=skip_broken)
        examples = [manifest.example(plan, *strike, note) for strike, note in measured.items()]
        if plan.sustains is None:
            goes_on = sustains(measured.values())
            examples = [entry | {"sustains": goes_on} for entry in examples]
        return _Made(examples, 0, _levels(directory, examples), left_out)
    assert isinstance(plan, InstrumentPlan)
    notes = [_render_one(directory, plan, pitch, velocity, gain_db) for pitch, velocity in plan.strikes]
    examples = [entry for entry in notes if entry is not None]
    return _Made(examples, len(notes) - len(examples), _levels(directory, examples))


def _render_one(
    directory: Path, plan: InstrumentPlan, pitch: int, velocity: int, gain_db: float
) -> manifest.Example | None:
    """The entry of a note; None for silence."""
    name = plan.note_name(pitch, velocity)
    measured = note_file.already_there(directory, name)
    if measured is None:
        audio = render_note(plan.font.path, plan.preset, pitch, velocity, gain_db)
        if np.abs(audio).max() < SILENCE_PEAK:
            return None
        measured = note_file.write_note(directory, name, audio)
    return manifest.example(plan, pitch, velocity, measured)


def _levels(directory: Path, examples: Sequence[manifest.Example]) -> dict[int, Float32Array]:
    """Key -> levels of its note nearest the middle velocity, for keys at least 4 semitones apart."""
    nearest: dict[int, tuple[int, str]] = {}
    for entry in examples:
        pitch = int(str(entry["pitch"]))
        candidate = (abs(int(str(entry["velocity"])) - _COMPARED_VELOCITY), str(entry["note_str"]))
        nearest[pitch] = min(candidate, nearest.get(pitch, candidate))
    levels: dict[int, Float32Array] = {}
    last = -_COMPARED_KEY_STEP
    for pitch in sorted(nearest):
        if pitch - last >= _COMPARED_KEY_STEP:
            path = note_file.low_audio_path(directory, nearest[pitch][1])
            levels[pitch] = note_levels(note_file.read_low_audio(path), pitch)
            last = pitch
    return levels
