"""How much the middle of a path is like an instrument: how far it is from real notes, and from its own embedding."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import soxr
import torch

from models.audio import log_mel
from models.dataset.reader import Example, NoteSet
from synth.frames import EMBEDDING_HOP, ENCODER_RATE_HZ, Float32Array, pitch_to_hz
from synth.instruments.format import Note
from synth.instruments.resampling import to_encoder_rate
from synth.instruments.spread import spread_evenly

Float16Array = npt.NDArray[np.float16]
FARTHEST_SEMITONES = 3
"""Real notes are brought to the key from no further than this: their formants move by at most 19 %."""
RANGE_DB = 80.0
"""What is further than this below the loudest frame of a note does not count."""


class EncodeNote(Protocol):
    """`synth.instruments.encoder.Encoder.run`, or something like it."""

    def __call__(self, wave: Float32Array, f0_hz: float, inharmonicity: float) -> Float32Array:
        """`wave` float32 [N] at 16 kHz, its pitch and stretch -> z float32 [ceil(N / 512), 16]."""


class FamilyConfidence(Protocol):
    """How sure a classifier is of the family of a note that it hears."""

    def __call__(self, audio_16k: Float32Array) -> float:
        """float32 [n] at 16 kHz -> 0..1, the probability of the likeliest family."""


@dataclass(frozen=True)
class MiddleMeasures:
    """Of the whole note in the middle of a path: how far in dB from the nearest real note and which that is, how far
    from its own embedding (see `embedding_distance`), and the classifier's confidence; NaN where not asked for."""

    nearest_real_db: float
    nearest_real: str
    embedding_distance: float
    family_confidence: float


class RealNotes:
    """Log-mel spectra of a note set's notes at one key, one of each instrument, brought to exactly that key."""

    def __init__(self, note_set: NoteSet, key: int, most: int | None = None) -> None:
        """Reads the nearest note, of the highest velocity, of every instrument (or `most` of them, evenly spread)."""
        notes = nearest_notes(note_set, key)
        chosen = [notes[i] for i in spread_evenly(len(notes), most)]
        self.groups = np.array([note.group for note in chosen])
        self.names = [note.name for note in chosen]
        self._spectra = [spectrum_db(_at_key(note_set.audio_16k(note.name), note.pitch, key)) for note in chosen]

    def nearest_db(self, sound_16k: Float32Array, without: Collection[str] = ()) -> tuple[float, str]:
        """Mean difference in dB to the nearest real note, and which one. (nan, "") when there is none.

        Frame by frame from the onset, both levelled at their loudest frame. Notes of the groups `without` (of the
        path's two ends) don't count: the question is whether the sound is like any *other* real note.
        """
        spectrum = spectrum_db(sound_16k).astype(np.float32)
        candidates = np.flatnonzero(~np.isin(self.groups, list(without)))
        best, found = float("nan"), ""
        for i in candidates:
            n = min(spectrum.shape[0], len(self._spectra[i]))
            distance = float(np.abs(spectrum[:n] - self._spectra[i][:n]).mean())
            if not found or distance < best:
                best, found = distance, self.names[i]
        return best, found


@dataclass(frozen=True)
class Listener:
    """What is asked of a sound: the real notes of a key, an encoder and a classifier, where there are any."""

    real_notes: Callable[[int], RealNotes]
    encode: EncodeNote | None
    family_confidence: FamilyConfidence | None

    def listen(
        self, sound: Float32Array, at_east: float, ends: Sequence[Note], groups: Collection[str], key: int
    ) -> MiddleMeasures:
        """Measure a whole note at `key`, float32 [n] at 48 kHz, `at_east` 0..1 of the way between `ends`."""
        low = to_encoder_rate(sound)
        nearest_db, nearest = self.real_notes(key).nearest_db(low, without=groups)
        distance = confidence = float("nan")
        if self.encode is not None:
            distance = embedding_distance(low, ends, float(pitch_to_hz(key)), self.encode, at_east)
        if self.family_confidence is not None:
            confidence = self.family_confidence(low)
        return MiddleMeasures(nearest_db, nearest, distance, confidence)


def mean_of(measured: Sequence[MiddleMeasures]) -> MiddleMeasures:
    return MiddleMeasures(
        nearest_real_db=float(np.mean([m.nearest_real_db for m in measured])),
        nearest_real=", ".join(m.nearest_real for m in measured),
        embedding_distance=float(np.mean([m.embedding_distance for m in measured])),
        family_confidence=float(np.mean([m.family_confidence for m in measured])),
    )


def nearest_notes(note_set: NoteSet, key: int) -> list[Example]:
    """Of every instrument with a note within FARTHEST_SEMITONES of `key` the nearest, of the highest velocity."""
    best: dict[str, Example] = {}
    for note in note_set:
        if abs(note.pitch - key) <= FARTHEST_SEMITONES and note.held_db is not None:
            rival = best.get(note.instrument)
            if rival is None or _rank(note, key) < _rank(rival, key):
                best[note.instrument] = note
    return list(best.values())


def spectrum_db(sound_16k: Float32Array) -> Float16Array:
    """Log-mel float16 [frames, 80] in dB over the loudest frame, not below -RANGE_DB, whatever the sound's level."""
    level = np.asarray(sound_16k, np.float32) / max(float(np.abs(sound_16k).max()), 1e-9)  # log_mel ends at -100 dB
    mel = log_mel(torch.from_numpy(np.ascontiguousarray(level)), ENCODER_RATE_HZ).numpy()
    loudest_db = 10.0 * np.log10((10.0 ** (mel.astype(np.float64) / 10.0)).sum(axis=1).max())
    spectrum: Float16Array = np.maximum(mel - loudest_db, -RANGE_DB).astype(np.float16)
    return spectrum


def embedding_distance(
    sound_16k: Float32Array, ends: Sequence[Note], key_hz: float, encode: EncodeNote, at_east: float = 0.5
) -> float:
    """How far the embedding of a path's sound is from the blend of the ends' embeddings that it was made of.

    Root mean square over frames and numbers, in units of the distance of the two ends: 0 is perfect agreement, 0.5 as
    far off as the ends are from the middle. `at_east` is where on the path the sound is, 0..1.
    """
    west, east = ends
    n = min(west.z.shape[0], east.z.shape[0], sound_16k.size // EMBEDDING_HOP)
    inharmonicity = (1.0 - at_east) * west.inharmonicity + at_east * east.inharmonicity
    z = encode(sound_16k, key_hz, inharmonicity)[:n]
    wanted = (1.0 - at_east) * west.z[:n] + at_east * east.z[:n]
    return float(np.sqrt(np.mean((z - wanted) ** 2) / np.mean((west.z[:n] - east.z[:n]) ** 2)))


def _rank(note: Example, key: int) -> tuple[int, int]:
    return abs(note.pitch - key), -note.velocity


def _at_key(sound_16k: Float32Array, pitch: int, key: int) -> Float32Array:
    """The same note at `key`, by resampling."""
    if pitch == key:
        return sound_16k
    ratio = 2.0 ** ((key - pitch) / 12.0)
    tuned: Float32Array = soxr.resample(sound_16k, ENCODER_RATE_HZ * ratio, ENCODER_RATE_HZ, quality="HQ")
    return tuned
