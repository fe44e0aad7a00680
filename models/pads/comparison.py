"""How near the two decoders come to a pad's notes as the engine plays them, detail and all."""

from __future__ import annotations

import dataclasses

import numpy as np
import soxr

from models.pads import wavenet
from models.pads.job import Job, decoder
from models.pads.plan import WAVENET_RATE_HZ
from models.pitch_check import estimate_pitch_hz
from synth.frames import SAMPLE_RATE_HZ, Float32Array, pitch_to_hz
from synth.instruments.format import Instrument
from synth.instruments.library import Library
from synth.lsd import log_spectral_distance_db
from synth.voices.apart import SpotNote, render_notes
from synth.voices.prepared import PreparedInstrument

_SURE = 0.5
"""Confidence from which a pitch counts, as in `models.evaluate`."""


def without_detail(instrument: Instrument) -> Instrument:
    """The instrument as the network alone knows it: no detail, no residual."""
    notes = tuple(dataclasses.replace(n, detail=np.zeros_like(n.detail), residual=None) for n in instrument.notes)
    return dataclasses.replace(instrument, notes=notes)


def compare_decoders(job: Job) -> dict[str, dict[str, float]]:
    """{"wavenet", "harmonic"}: medians over the job's notes of "lsd_db" and "pitch_cents", and "judged", the share of
    notes whose pitch could be told. All sounds at 16 kHz and at the loudness of the engine's note."""
    library = Library()
    known = {corner.name: library.load(corner.name) for corner in job.corners}
    full = {name: PreparedInstrument(instrument) for name, instrument in known.items()}
    bare = {name: PreparedInstrument(without_detail(instrument)) for name, instrument in known.items()}
    played = _sounds(job, full)
    found = {
        "wavenet": [wavenet.cleaned(sound) for sound in wavenet.generated(job)],
        "harmonic": list(_sounds(job, bare)),
    }
    return {
        name: _measure(job.notes, [wavenet.as_loud(s, p) for s, p in zip(sounds, played, strict=True)], played)
        for name, sounds in found.items()
    }


def _sounds(job: Job, instruments: dict[str, PreparedInstrument]) -> Float32Array:
    corners = [instruments[corner.name] for corner in job.corners]
    parts = [
        render_notes(
            corners,
            decoder(),
            job.notes[first : first + 32],
            velocity=job.velocity,
            held_s=job.held_s,
            total_s=job.total_s,
            seed=job.seed,
            sample_rate_hz=WAVENET_RATE_HZ,
            paths=job.paths,
        )
        for first in range(0, len(job.notes), 32)
    ]
    return np.concatenate(parts)


def _measure(notes: tuple[SpotNote, ...], sounds: list[Float32Array], played: Float32Array) -> dict[str, float]:
    distances = [log_spectral_distance_db(p, s) for s, p in zip(sounds, played, strict=True)]
    cents = []
    for note, sound in zip(notes, sounds, strict=True):
        wanted_hz = float(pitch_to_hz(note.key))
        found_hz, confidence = estimate_pitch_hz(soxr.resample(sound, WAVENET_RATE_HZ, SAMPLE_RATE_HZ), wanted_hz)
        if confidence > _SURE:
            cents.append(abs(1200.0 * np.log2(found_hz / wanted_hz)))
    return {
        "lsd_db": float(np.median(distances)),
        "pitch_cents": float(np.median(cents)) if cents else float("nan"),
        "judged": len(cents) / len(notes),
    }
