"""Where recorded notes come from: whatever a player names, found and described, not read yet."""

from __future__ import annotations

import functools
from pathlib import Path

from synth.errors import TetradError
from synth.instruments import folders, note_sets, onsets
from synth.instruments.audio_files import FORMATS, LONGEST_FILE_S, LONGEST_S, AudioFacts, examine, read_audio, stretches
from synth.instruments.most_notes import thinned
from synth.instruments.note_names import parse, parse_range
from synth.instruments.notes import Finding, FoundNote
from synth.instruments.sfz import find_sfz
from synth.instruments.soundfont import find_preset

SOUND_FONT_SUFFIXES = (".sf2", ".sf3")
STRETCH_S = 20.0
"""Of a long file that is held at once while onsets are looked for: 15 MB at 96 kHz in stereo."""
MOST_LISTED = 12
LONGEST_NOTE_S = 60.0
"""Of a file that is one note. Longer ones without pauses are music."""


def find(
    source: Path,
    *,
    instrument: str | None = None,
    preset: str | None = None,
    pitch: int | None = None,
    cut: bool | None = None,
) -> Finding:
    """The notes of an audio file, a folder of notes, an NSynth set, an SFZ file, or a preset of a sound font.

    A folder with SFZ files in it is read by them. instrument: which of a set, of a folder with several, of a folder's
    SFZ files. preset: of a sound font, by name or as bank:program. pitch: the player's word for one recording, MIDI key
    0..127. cut: True cuts an audio file at every onset, False takes it as one note, None decides.
    Raises TetradError when there is nothing to be found.
    """
    if pitch is not None and not 0 <= pitch <= 127:
        raise TetradError(f"the pitch {pitch} is no MIDI key; 0 to 127 was expected, such as 60 for C4")
    suffix = source.suffix.lower()
    is_folder = _is_folder(source)
    if not is_folder and suffix not in (".sfz", *SOUND_FONT_SUFFIXES):
        return find_in_file(source, pitch=pitch, cut=cut)
    if pitch is not None or cut is not None:
        raise TetradError(f"{source} is no single recording; only of one can a pitch be said, or whether to cut it")
    if is_folder and (source / note_sets.LIST_NAME).is_file():
        return note_sets.find_note_set(source, instrument)
    if is_folder:
        programs = folders.files_in(source, (".sfz",), [])
        return _one_of(programs, source, instrument) if programs else folders.find_folder(source, instrument)
    return find_sfz(source) if suffix == ".sfz" else find_preset(source, preset)


def find_in_file(path: Path, *, pitch: int | None = None, cut: bool | None = None) -> Finding:
    """One audio file: one note, or many in a row. See `find`; a pitch means one note unless `cut` is True.

    What was decided is the first of `problems` where it is not plain.
    """
    facts = examine(path)
    problems = [facts.problem] if facts.problem else []
    if pitch is not None and cut is None:
        cut = False
    if facts.duration_s > LONGEST_FILE_S:
        raise TetradError(
            f"{path} lasts {facts.duration_s / 60.0:.0f} minutes; at most {LONGEST_FILE_S / 60.0:.0f} were expected; "
            "cut out what you want"
        )
    if cut is False:
        return _one_note(path, facts, pitch, problems)
    found = onsets.decide(onsets.curves(stretches(path, STRETCH_S)), force=cut is True)
    if not found.notes:
        raise TetradError(f"{path} holds {found.reason}; a sound was expected; record it louder")
    if len(found.notes) == 1:
        if cut is None and facts.duration_s > LONGEST_NOTE_S:
            raise TetradError(
                f"{path} lasts {facts.duration_s:.0f} s, {found.reason}; a note of at most {LONGEST_NOTE_S:.0f} s, or "
                "notes with pauses between them, were expected; cut out what you want"
            )
        if found.reason != onsets.PLAIN:
            problems.append(f"{path.name}: {found.reason}")
        return _one_note(path, facts, pitch, problems)
    if pitch is not None:
        raise TetradError(
            f"{path} holds {len(found.notes)} notes; a pitch can be said of one; leave it out or don't cut"
        )
    return _row_of_notes(path, found, problems)


def _one_of(programs: list[Path], library: Path, wanted: str | None) -> Finding:
    """The one SFZ file of a sample library's folder, or the wanted one; samples may lie anywhere in the folder."""
    fitting = [p for p in programs if wanted is None or wanted.lower() in (p.name.lower(), p.stem.lower())]
    if len(fitting) != 1:
        listed = ", ".join(p.relative_to(library).as_posix() for p in programs[:MOST_LISTED])
        more = f" and {len(programs) - MOST_LISTED} more" if len(programs) > MOST_LISTED else ""
        raise TetradError(
            f"{library} is a library of {len(programs)} SFZ files, {listed}{more}; name one of them as instrument"
        )
    return find_sfz(fitting[0], folder=library)


def _one_note(path: Path, facts: AudioFacts, pitch: int | None, problems: list[str]) -> Finding:
    reading = parse(path.stem)
    end_s = None
    if facts.duration_s > LONGEST_S:
        end_s = LONGEST_S
        problems.append(f"{path.name} lasts {facts.duration_s:.0f} s; its first {LONGEST_S:.0f} s were taken")
    note = FoundNote(
        path.name,
        functools.partial(read_audio, path, 0.0, end_s),
        reading.pitch if pitch is None else pitch,
        reading.velocity or folders.DEFAULT_VELOCITY,
    )
    return Finding(reading.name or path.stem, (note,), problems=tuple(problems), origin=path.name)


def _row_of_notes(path: Path, found: onsets.Cuts, problems: list[str]) -> Finding:
    """Notes cut from one file. A name such as `Violin.C4B4` gives their keys, where there are as many."""
    reading = parse(path.stem)
    keys: list[int | None] = [None] * len(found.notes)
    span = parse_range(path.stem)
    problems.append(f"{path.name} was {found.reason}")
    if span is not None and span[1] - span[0] + 1 == len(keys):
        keys = list(range(span[0], span[1] + 1))
        problems.append(f"their keys are {span[0]} to {span[1]}, by the name")
    notes = []
    for (start_s, end_s), key in zip(found.notes, keys, strict=True):
        name = f"{path.name} from {start_s:.2f} to {end_s:.2f} s"
        read = functools.partial(read_audio, path, start_s, min(end_s, start_s + LONGEST_S))
        notes.append(FoundNote(name, read, key, reading.velocity or folders.DEFAULT_VELOCITY))
    kept, said = thinned(notes)
    return Finding(reading.name or path.stem, tuple(kept), problems=(*problems, *said), origin=path.name)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:
        raise TetradError(f"{path} can't be read ({error.strerror}); {FORMATS}, or a folder, was expected") from error
