"""Pads from the harmonic decoder: every note as the engine plays it at that place, many at once, each alone."""

from __future__ import annotations

import numpy as np

from models.pads.job import Job, RenderedRow, decoder, finish_row, prepared
from synth.frames import Float32Array
from synth.voices.apart import render_notes

MOST_NOTES = 96
"""Of a job: 74 MB of samples while it is under way and 37 MB of rows. 45 notes at once cost 48 ms each, 120 46 ms."""


def sounds(job: Job) -> Float32Array:
    """The job's notes at its rate, float32 [notes, n], at the engine's level (0 dB of volume)."""
    corners = [prepared(corner) for corner in job.corners]
    return render_notes(
        corners,
        decoder(),
        job.notes,
        velocity=job.velocity,
        held_s=job.held_s,
        total_s=job.total_s,
        seed=job.seed,
        sample_rate_hz=job.rate_hz,
        paths=job.paths,
    )


def render(job: Job) -> list[RenderedRow]:
    """One row for each note. The engine begins a note at its onset, so nothing is cut there."""
    return [finish_row(sound, job, note.key) for sound, note in zip(sounds(job), job.notes, strict=True)]


def peak(job: Job) -> float:
    """The largest sample of all the notes, linear."""
    return float(np.abs(sounds(job)).max())
