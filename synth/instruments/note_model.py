"""Everything that is measured of one note: by the law of strings, or by partials of its own, or as noise.

The law comes first: it has one number for a hundred partials, follows a vibrato, and moves with the key as an
instrument does. Free partials are taken where they leave far less of the recording, and neither where neither holds
much of it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synth.frames import HOP, LEVEL_FLOOR_DB, N_PARTIALS, Float32Array, Float64Array, pitch_to_hz
from synth.instruments.analysis import (
    Measured,
    NoteAnalysis,
    analysis_by_law,
    analysis_of_noise,
    check_audio,
    control_frames,
    explained_share,
    fit_partials,
    measure,
    measure_law,
    read_between,
)
from synth.instruments.free_partials import find_free_partials, number_partials, window_lengths
from synth.instruments.noise_bands import noise_bands
from synth.instruments.resynthesis import fade_in

LAW_IS_ENOUGH = 0.97
"""Share of the energy: what is left is below -15 dB, and mostly breath or hammer."""
FREE_LEAVES = 0.4
"""Free partials are taken if they leave no more than this share of what the law leaves, 4 dB less."""
FREE_SHARE = 0.4
"""Least share of the energy that free partials must explain. A cymbal's are 0.1, a snare drum's 0.3, a tom's 0.8."""
FREE_SHARE_UNPITCHED = 0.7
"""Of what is known to have no pitch: a snare drum is not made of the two lines that its skin gives."""
LARGEST_TUNING_CENTS = 60.0


def model_note(audio: npt.ArrayLike, pitch: float, pitched: bool | None = None) -> NoteAnalysis:
    """Control frames, ratios if the partials have their own, start phases, and the rest of the recording.

    `audio` float [N] at 48 kHz from its onset, full scale 1.0. `pitched` False: it has no pitch, so the law is not
    tried, though it may have partials; None: find out. Raises TetradError as `analyse_note` does.
    """
    samples = check_audio(audio)
    law: NoteAnalysis | None = None
    left = np.inf
    if pitched is not False:
        fit = fit_partials(samples, float(pitch_to_hz(pitch)))
        measured = measure_law(samples, fit)
        law = analysis_by_law(samples, pitch, fit, measured)
        if law.pitched:
            left = 1.0 - law.explained_share
            law = _with_phases(law, samples, measured, np.arange(measured.start_turns.size))
            if law.explained_share >= LAW_IS_ENOUGH:
                return law
    free = _by_free_partials(samples, pitch, FREE_SHARE_UNPITCHED if pitched is False else FREE_SHARE)
    if free is not None and 1.0 - free.explained_share <= FREE_LEAVES * left:
        return free
    if law is not None and law.pitched:
        return law
    return as_noise(samples, pitch, 0.0 if free is None else free.explained_share)


def as_noise(samples: Float32Array, pitch: float, share: float) -> NoteAnalysis:
    """`samples` without any partials: noise bands, and all of the recording as its rest."""
    noise = analysis_of_noise(samples, pitch, share)
    return NoteAnalysis(noise.frames, noise.pitch, 0.0, 0.0, False, share, rest=samples)


def _by_free_partials(samples: Float32Array, pitch: float, least_share: float) -> NoteAnalysis | None:
    """None where there are none, or where they hold too little of the sound."""
    frequency_hz = find_free_partials(samples)
    if frequency_hz.size == 0:
        return None
    measured = measure(samples, frequency_hz, window_lengths(frequency_hz))
    share = explained_share(samples, measured.rest)
    if share < least_share:
        return None
    tuning = _tuning_cents(frequency_hz, pitch)
    f0_hz = float(pitch_to_hz(pitch + tuning / 100.0))
    columns = number_partials(frequency_hz, f0_hz)
    ratios = np.arange(1, N_PARTIALS + 1, dtype=np.float32)
    ratios[columns] = (frequency_hz / f0_hz).astype(np.float32)
    levels = np.full((-(-samples.size // HOP), N_PARTIALS), LEVEL_FLOOR_DB, dtype=np.float32)
    levels[:, columns] = np.maximum(20.0 * np.log10(measured.magnitude + 1e-9), LEVEL_FLOOR_DB)
    frames = control_frames(levels, noise_bands(measured.rest), measured.deviation_cents)
    analysis = NoteAnalysis(frames, float(pitch), tuning, 0.0, True, share, ratios)
    return _with_phases(analysis, samples, measured, columns)


def _tuning_cents(frequency_hz: Float64Array, pitch: float) -> float:
    """Of the partial nearest to the key, if one is near: then it is the strike note. 0 otherwise."""
    cents = 1200.0 * np.log2(frequency_hz / float(pitch_to_hz(pitch)))
    nearest = float(cents[np.argmin(np.abs(cents))])
    return nearest if abs(nearest) <= LARGEST_TUNING_CENTS else 0.0


def _with_phases(
    analysis: NoteAnalysis, samples: Float32Array, measured: Measured, columns: npt.NDArray[np.int64]
) -> NoteAnalysis:
    """Adds the start phases, and the rest of the recording as it sounds beside partials that fade in."""
    phases = np.zeros(N_PARTIALS, dtype=np.uint8)
    phases[columns] = np.round(measured.start_turns * 256.0).astype(np.int64) % 256
    rest = measured.rest if measured.frame_time is None else _unwarped(measured.rest, measured.frame_time)
    missing = (samples - rest) * (1.0 - fade_in(samples.size))
    return NoteAnalysis(
        analysis.frames,
        analysis.pitch,
        analysis.tuning_cents,
        analysis.inharmonicity,
        analysis.pitched,
        analysis.explained_share,
        analysis.ratios,
        phases,
        (rest + missing).astype(np.float32),
    )


def _unwarped(rest: Float32Array, frame_time: Float64Array) -> Float32Array:
    """Read at the warped time of each sample: float32 [N] -> [N]."""
    return read_between(rest, np.interp(np.arange(rest.size), np.arange(frame_time.size) * HOP, frame_time))
