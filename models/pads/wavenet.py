"""Pads from the WaveNet decoder: the embeddings that the engine goes through at a place, made into sound at 16 kHz.

The decoder's levels are its own, so each note gets the loudness of the engine's note at its place (BS.1770), and is
cleaned as the original cleans NSynth's output: wild samples, offset, what is before the onset.
"""

from __future__ import annotations

import functools
import time
from pathlib import Path

import numpy as np
import soxr
import torch

from models.autoencoder import Autoencoder
from models.checkpoint import load_model, model_id
from models.generation import Generator, Starting, generate
from models.generation_cuda import GraphGenerator
from models.morph.loudness import loudness_lufs
from models.pads import clean, harmonic
from models.pads.job import Job, RenderedRow, decoder, finish_row, prepared
from models.pads.plan import WAVENET_RATE_HZ
from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ, Float32Array
from synth.instruments.cleaning import without_offset
from synth.paths import pretrained_dir
from synth.voices.apart import embeddings_of_notes

MOST_NOTES = 128
"""Of a job. All of a job's notes are generated together, and what is drawn for one depends on its place among them."""
CHECKPOINT = pretrained_dir() / "checkpoint.safetensors"
_MOST_GAIN_DB = 30.0


@functools.lru_cache(maxsize=1)
def _network(checkpoint: Path) -> tuple[Autoencoder, Starting]:
    model, _ = load_model(checkpoint)
    found = decoder().model_id
    known = model_id(model)
    if known != found:
        raise TetradError(
            f"{checkpoint} is of network {known}, but the decoder here is {found}; the two that belong together were "
            "expected; write the pair anew with `tetrad model export`"
        )
    generator = GraphGenerator(model.wavenet) if torch.cuda.is_available() else Generator(model.wavenet)
    return model, generator


def generated(job: Job) -> Float32Array:
    """The decoder's own sound of every note, float32 [notes, n] at 16 kHz."""
    model, generator = _network(CHECKPOINT)
    corners = [prepared(corner) for corner in job.corners]
    z = embeddings_of_notes(
        corners, decoder(), job.notes, velocity=job.velocity, held_s=job.held_s, total_s=job.total_s, paths=job.paths
    )
    keys = torch.tensor([float(note.key) for note in job.notes])
    velocities = torch.full_like(keys, float(job.velocity))
    with torch.no_grad():
        conditioning = model.wavenet_conditioning(torch.from_numpy(z), keys, velocities)
    n_samples = round(job.total_s * WAVENET_RATE_HZ)
    seed = (job.seed << 32) + job.stream
    return generate(generator, conditioning, seed=seed, n_samples=n_samples)


def render(job: Job) -> list[RenderedRow]:
    """One row for each note; the notes of a key begin at the same sample of what was generated, at the first onset."""
    sounds = [cleaned(sound) for sound in generated(job)]
    played = harmonic.sounds(job)
    onsets: dict[int, int] = {}
    for note, sound in zip(job.notes, sounds, strict=True):
        onset = clean.onset_sample(sound, WAVENET_RATE_HZ)
        onsets[note.key] = min(onset, onsets.get(note.key, onset))
    return [
        finish_row(as_loud(sound[onsets[note.key] :], engine), job, note.key, cut=True)
        for note, sound, engine in zip(job.notes, sounds, played, strict=True)
    ]


def cleaned(sound: Float32Array) -> Float32Array:
    """Without wild samples and offset."""
    around_zero, _ = without_offset(clean.without_clicks(sound), WAVENET_RATE_HZ, [])
    return around_zero.astype(np.float32)


def as_loud(sound: Float32Array, wanted: Float32Array) -> Float32Array:
    """At the loudness of another sound, as far as the peak allows."""
    levels = [loudness_lufs(soxr.resample(audio, WAVENET_RATE_HZ, SAMPLE_RATE_HZ)) for audio in (sound, wanted)]
    gain_db = levels[1] - levels[0]
    if not np.isfinite(gain_db):
        return sound
    return sound * np.float32(10.0 ** (min(gain_db, _MOST_GAIN_DB) / 20.0))


def seconds_a_note(job: Job, sample_s: float = 0.1) -> float:
    """Wall-clock seconds for a note of the job, from generating `sample_s` of each."""
    _, generator = _network(CHECKPOINT)
    zeros = np.zeros((len(job.notes), 4, generator.config.n_conditioning), np.float32)
    n_samples = round(sample_s * WAVENET_RATE_HZ)
    generate(generator, zeros, seed=0, n_samples=64)
    began = time.perf_counter()
    generate(generator, zeros, seed=0, n_samples=n_samples)
    took_s = time.perf_counter() - began
    return took_s * job.total_s / sample_s / len(job.notes)
