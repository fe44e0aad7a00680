"""As many of the found notes as an instrument holds."""

from __future__ import annotations

from collections.abc import Sequence

from synth.instruments.notes import FoundNote
from synth.instruments.thinning import MOST_NOTES, evenly, thin


def thinned(notes: Sequence[FoundNote], most: int = MOST_NOTES) -> tuple[list[FoundNote], list[str]]:
    """At most `most` of the notes, and a line that says so (none where all were taken). Keys and their layers are
    thinned evenly; where not every key is known, the notes are, in their order."""
    if len(notes) <= most:
        return list(notes), []
    places = {id(note): (note.pitch, note.velocity) for note in notes if note.pitch is not None}
    kept = thin(notes, lambda note: places[id(note)], most) if len(places) == len(notes) else evenly(notes, most)
    return kept, [
        f"{len(notes)} notes were found; {len(kept)} of them, evenly spread, were taken (an instrument holds {most})"
    ]
