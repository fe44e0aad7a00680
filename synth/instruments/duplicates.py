"""Is an instrument in the library already? Told by what it was made of, or by what it is."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable

from synth.errors import TetradError
from synth.instruments.format import read_header
from synth.instruments.header import content_hash
from synth.instruments.labels import read_labels
from synth.instruments.library import Library
from synth.instruments.notes import SourceNote


def recordings_hash(notes: Iterable[SourceNote]) -> str:
    """SHA-256 of notes ready to be analysed, whatever their order and their files' names."""
    digests = []
    for note in notes:
        digest = hashlib.sha256(struct.pack("<iid", note.pitch, note.velocity, note.release_s or -1.0))
        digest.update(repr((note.loop_s, note.pitched)).encode())
        digest.update(note.audio.tobytes())
        digests.append(digest.digest())
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()


def made_of(library: Library, recordings: str) -> str | None:
    """The name of the player's instrument that was made of recordings with this hash."""
    present = library.paths()
    labels = read_labels(library.own_folder)
    return next((name for name, label in labels.items() if label.recordings == recordings and name in present), None)


def sounding_like(library: Library, content: str) -> str | None:
    """The name of the instrument whose content has this hash."""
    for name, path in library.paths().items():
        try:
            found = content_hash(read_header(path))
        except (TetradError, OSError):
            continue  # a damaged or vanished file is nobody's double; `list` tells of it
        if found == content:
            return name
    return None
