"""Taking the files of one recorded instrument into a note set's directory."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from models.dataset import note_file
from models.dataset.notes import LOW_RATE_HZ
from models.dataset.recordings import SUSTAINING_DB, RecordedInstrument, read_low_recording, read_recording
from synth.errors import TetradError

_HIGHEST_PEAK = 0.98
Strike = tuple[int, int]


def read_all(
    directory: Path, plan: RecordedInstrument, *, skip_broken: bool
) -> tuple[dict[Strike, dict[str, object]], list[str]]:
    """Write each recording's note where it is not there yet; all with one gain, below 0 dB only if one would clip.

    Returns (MIDI note, velocity) -> what `describe_note` says, and a line for each recording that was passed over.
    Raises TetradError for an unusable recording unless `skip_broken`.
    """
    present = {s: note_file.already_there(directory, plan.note_name(*s), plan.rate_hz) for s in plan.strikes}
    left_out: list[str] = []
    if all(present.values()):
        return {s: note for s, note in present.items() if note is not None}, left_out
    read = read_low_recording if plan.rate_hz == LOW_RATE_HZ else read_recording
    audio: dict[Strike, np.ndarray] = {}
    for strike in plan.strikes:  # all of them, as the gain depends on all
        try:
            audio[strike] = read(plan.recordings[strike])
        except TetradError as error:
            if not skip_broken:
                raise
            left_out.append(str(error))
    peak = max((float(np.abs(samples).max()) for samples in audio.values()), default=0.0)
    gain = _HIGHEST_PEAK / peak if peak > 1.0 else 1.0
    notes = {
        strike: present[strike] or note_file.write_note(directory, plan.note_name(*strike), samples * gain)
        for strike, samples in audio.items()
    }
    return notes, left_out


def sustains(notes: Iterable[dict[str, object]]) -> bool:
    """Whether the notes go on sounding while held, by the median of their `held_db`; a silent end counts as no."""
    held_db = [-np.inf if note["held_db"] is None else float(str(note["held_db"])) for note in notes]
    return bool(held_db) and float(np.median(held_db)) > SUSTAINING_DB
