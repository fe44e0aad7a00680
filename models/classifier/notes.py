"""What the classifier learns from: recordings of a note set as features, with the truth about each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models import control_data
from models.classifier.features import LOWEST_PITCH, N_PITCHES, Features, features
from models.classifier.qualities import QUALITIES, labels
from models.control_data import ControlSet
from models.dataset.reader import NoteSet
from synth.command import progress
from synth.errors import TetradError
from synth.instruments.format import FAMILIES

Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Truth:
    """Of n notes: `pitch` MIDI note int64 [n], `family` index into FAMILIES int64 [n], `quality` bool [n, 8]."""

    pitch: Int64Array
    family: Int64Array
    quality: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class LabelledNotes:
    """`features` uint8 [n, 125, 294] of the recordings, and their truth."""

    features: Features
    truth: Truth

    @property
    def n_notes(self) -> int:
        return len(self.features)


def recordings(data: ControlSet) -> npt.NDArray[np.float32]:
    """The recordings that the encoder hears, float32 [n, 64000] at 16 kHz, -1..1."""
    return data.wave.astype(np.float32) / np.float32(32767.0)


def truth_of(data: ControlSet, note_set: NoteSet) -> Truth:
    """Pitch and family as the note set says, qualities measured from the recordings; 30 ms a note.

    Raises TetradError for a pitch that the classifier can't say.
    """
    pitch = data.pitch.round().astype(np.int64)
    outside = np.flatnonzero((pitch < LOWEST_PITCH) | (pitch >= LOWEST_PITCH + N_PITCHES))
    if outside.size:
        raise TetradError(
            f"{data.note_str[outside[0]]} has pitch {pitch[outside[0]]}; the classifier knows {LOWEST_PITCH} to "
            f"{LOWEST_PITCH + N_PITCHES - 1}; leave the note out of the set"
        )
    quality = [labels(audio, float(f0_hz)) for audio, f0_hz in zip(recordings(data), data.f0_hz, strict=True)]
    family = [FAMILIES.index(note_set[name].family) for name in data.note_str]
    return Truth(pitch, np.array(family), np.array(quality).reshape(-1, len(QUALITIES)))


def labelled_notes(note_set: NoteSet, split: str) -> LabelledNotes:
    """All notes of one side of the split that have a pitch, each once: 60 ms a note on one core.

    Sixteen or more instruments are read at a time: their sounds take ten times the space of the features. (Not one at a
    time, as an instrument without any pitched note is an error.)
    """
    names = note_set.instruments(split=split)
    if not names:
        raise TetradError(f"{note_set.directory} has no {split} notes; a set with both sides was expected")
    parts: list[LabelledNotes] = []
    groups = np.array_split(np.array(names), max(1, len(names) // 16))
    for group in progress(groups, description="listening", unit="group"):
        data = control_data.load(note_set.directory, group.tolist())
        heard = np.stack([features(audio) for audio in recordings(data)])
        parts.append(LabelledNotes(heard, truth_of(data, note_set)))
    return LabelledNotes(
        np.concatenate([part.features for part in parts]),
        Truth(
            np.concatenate([part.truth.pitch for part in parts]),
            np.concatenate([part.truth.family for part in parts]),
            np.concatenate([part.truth.quality for part in parts]),
        ),
    )
