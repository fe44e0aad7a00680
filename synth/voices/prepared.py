"""An instrument made ready for the engine: its notes in contiguous tables, and which of them a key and velocity use."""

import math
from typing import Any, NamedTuple

import numpy as np

from synth.frames import (
    FRAME_RATE_HZ,
    HOP,
    N_BANDS,
    N_PARTIALS,
    SAMPLE_RATE_HZ,
    Float32Array,
    Float64Array,
    partial_frequencies_hz,
)
from synth.instruments.format import Instrument, Note
from synth.voices.landmarks import BEGIN_DB, attack_frames, fall_frames, missing_rise_db
from synth.voices.segments import Records

MOST_CHOICES = 256
RESIDUAL_FADE = round(0.020 * SAMPLE_RATE_HZ)
"""Samples over which a residual ends and the noise bands come back, as sine and cosine."""
RESIDUAL_MARGIN = 2
"""Zeros before and after each residual: what interpolation reads beyond its ends."""
NOTES_PER_CORNER = 4
"""Two neighbouring pitches times two neighbouring velocities."""
EXPECTED_FRAMES = 31
"""A quarter of a second: how far stealing looks ahead."""
RINGING_DROP_DB = 15.0
"""From the loudest of its first half to the mean of its second: an unpitched sound that falls by more rings out."""
_SMOOTHING = np.array([1.0, 2.0, 3.0, 2.0, 1.0])
"""Triangle over partial number: what is left after it is single partials, what it keeps is formants."""
_VELOCITY_DB_PER_DECADE = 40.0
"""Level follows the square of velocity, as in General MIDI 2's recommendation and most sound fonts."""


_QUARTER_TURN = np.uint32(1 << 30)
"""A note's phases are a cosine's."""

NOTE = np.dtype(
    [
        ("first", np.int64),  # row of its frame 0
        ("n_frames", np.int64),
        ("z_first", np.int64),  # row of its embedding frame 0
        ("z_length", np.int64),
        ("loop_start", np.int64),  # frames; no loop when loop_end <= loop_start
        ("loop_end", np.int64),
        ("hold_end", np.int64),  # the last frame that a held note reaches
        ("release_start", np.int64),
        ("pitch", np.float64),
        ("tuning_cents", np.float64),
        ("inharmonicity", np.float64),
        ("hold_fade", np.float64),  # dB per frame lost past hold_end
        ("release_fade", np.float64),  # dB per frame lost in a release that can't use recorded frames
        ("begin", np.float64),  # frames from the onset until it is heard, 1 at least
        ("attack", np.float64),  # frames from the onset until it is nearly as loud as it gets, 1 at least
        ("missing_begin", np.float64),  # dB of the rise from where it is heard, likewise
        ("missing_rise", np.float64),  # dB of the attack's last that it has behind it in its first frame, 0 or more
        ("fall", np.float64),  # frames from the key's release until it is 40 dB softer, 1 at least
        ("pitched", np.int64),  # 0: no key moves it
        ("free", np.int64),  # 1: its partials are at `octaves`, not where a key and the law put them
        ("octaves", np.float32, (N_PARTIALS,)),  # its partials above its fundamental
        ("has_phases", np.int64),
        ("phase", np.uint32, (N_PARTIALS,)),  # at its first sample, for the oscillators' sine
        ("residual_first", np.int64),  # where its first sample is
        ("residual_end", np.int64),  # samples that a held note may use; 0: none
    ],
    align=True,
)
FRAME = np.dtype(
    [
        ("smooth", np.float32, (N_PARTIALS,)),  # dB: detail of the partials, smoothed over partial number
        ("rough", np.float32, (N_PARTIALS,)),  # dB: the rest of it
        ("band", np.float32, (N_BANDS + 1,)),  # dB: detail of the bands; cents: of the deviation
        ("loudness", np.float32),  # dB
        ("rise", np.float32),  # dB by which the loudest of the next EXPECTED_FRAMES is louder, 0 or more
    ],
    align=True,
)


class NoteTable(NamedTuple):
    """notes NOTE [N]; the frames of all notes one after another, FRAME [R]; likewise z float32 [sum of Tz, 16] and the
    residuals, float32 [M] at 48 kHz."""

    notes: Records
    frames: Records
    z: Float32Array
    residual: Float32Array


class Choice(NamedTuple):
    """The notes for a key: places in the table, weights that sum to 1, and dB for the velocity at depth 1.

    lead: the heaviest note, if it has a residual, else -1. free: one of them has partial frequencies of its own.
    """

    notes: tuple[int, ...]
    weights: tuple[float, ...]
    velocity_db: float
    lead: int
    free: bool


def smooth_over_partials(detail: Float32Array) -> Float32Array:
    """Five-tap triangular mean over the last axis, [..., 100] -> [..., 100], with fewer taps at the ends."""
    share = np.convolve(np.ones(N_PARTIALS), _SMOOTHING, mode="same")
    padded = np.pad(detail, [(0, 0)] * (detail.ndim - 1) + [(2, 2)])
    total = sum(_SMOOTHING[i] * padded[..., i : i + N_PARTIALS] for i in range(5))
    return np.asarray(total / share, np.float32)


def _hold_fade_db(note: Note, hold_end: int, sustains: bool) -> float:
    """How fast a note goes on to decay when it is held beyond its recording: the slope of its last second."""
    if sustains:
        return 0.0
    n = min(hold_end, int(FRAME_RATE_HZ))
    slope = float(note.loudness_db[hold_end - n] - note.loudness_db[hold_end]) / n if n > 0 else 0.0
    return min(max(slope, 3.0 / FRAME_RATE_HZ), 60.0 / FRAME_RATE_HZ)


def _release_fade_db(note: Note) -> float:
    """How fast a note fades after its key when its recorded release can't be used."""
    n = min(note.n_frames - 1 - note.release_start, int(0.2 * FRAME_RATE_HZ))
    if n < 2:
        return 240.0 / FRAME_RATE_HZ  # no recorded release: 60 dB in a quarter of a second
    drop = float(note.loudness_db[note.release_start] - note.loudness_db[note.release_start + n])
    return min(max(drop / n, 60.0 / FRAME_RATE_HZ), 500.0 / FRAME_RATE_HZ)


def _rings_out(note: Note, sustains: bool) -> bool:
    """Whether letting go of its key leaves a note alone: drums have no dampers. A loop or a word, which keeps its
    level, does end with its key."""
    if note.pitched or sustains:
        return False
    halfway = note.n_frames // 2
    early, late = note.loudness_db[: halfway + 1], note.loudness_db[halfway:]
    return float(early.max() - late.mean()) > RINGING_DROP_DB


def _note_records(instrument: Instrument) -> Records:
    records = np.zeros(len(instrument.notes), NOTE)
    first = z_first = residual_first = 0
    for record, note in zip(records, instrument.notes, strict=True):
        rings_out = _rings_out(note, instrument.sustains)
        release = note.n_frames if rings_out else min(note.release_start, note.n_frames)
        hold_end = min(release, note.n_frames - 1)
        record["first"], record["n_frames"] = first, note.n_frames
        record["z_first"], record["z_length"] = z_first, note.z.shape[0]
        if instrument.sustains:
            record["loop_start"], record["loop_end"] = note.loop_start, min(note.loop_end, note.n_frames - 1)
        record["hold_end"], record["release_start"] = hold_end, release
        record["pitch"], record["tuning_cents"] = note.pitch, note.tuning_cents
        record["inharmonicity"] = note.inharmonicity
        record["hold_fade"] = _hold_fade_db(note, hold_end, instrument.sustains)
        record["release_fade"] = 0.0 if rings_out else _release_fade_db(note)
        record["begin"] = attack_frames(note.loudness_db, BEGIN_DB)
        record["missing_begin"] = missing_rise_db(note.loudness_db, BEGIN_DB)
        record["attack"] = attack_frames(note.loudness_db)
        record["missing_rise"] = missing_rise_db(note.loudness_db)
        record["fall"] = fall_frames(note.loudness_db, release, float(record["release_fade"]))
        record["pitched"], record["free"] = note.pitched, note.ratios is not None or not note.pitched
        record["octaves"] = _octaves(note)
        if note.phases is not None:
            record["has_phases"] = 1
            record["phase"] = (note.phases.astype(np.uint32) << 24) + _QUARTER_TURN
        if note.residual is not None:
            record["residual_first"] = residual_first + RESIDUAL_MARGIN
            record["residual_end"] = _residual_end(note, record)
            residual_first += int(record["residual_end"]) + 2 * RESIDUAL_MARGIN
        first += note.n_frames
        z_first += note.z.shape[0]
    return records


def _octaves(note: Note) -> Float64Array:
    """How far the partials are above the fundamental, in octaves, [100]: its own ratios, or the law's."""
    ratios = partial_frequencies_hz(1.0, note.inharmonicity)
    return np.asarray(np.log2(ratios if note.ratios is None else note.ratios), np.float64)


def _residual_end(note: Note, record: Any) -> int:
    """Up to which sample of its residual a held note reads: its loop, or the key's release in the recording."""
    end = 0 if note.residual is None else note.residual.size
    if record["loop_end"] > record["loop_start"]:
        return min(int(record["loop_end"]) * HOP, end)
    return min(int(record["hold_end"]) * HOP, end) if note.release_start < note.n_frames else end


def _residuals(instrument: Instrument, records: Records) -> Float32Array:
    """The residuals as far as they are used, each with its margins; one that is cut short fades out."""
    parts = [np.zeros(0, np.float32)]
    for record, note in zip(records, instrument.notes, strict=True):
        if note.residual is None:
            continue
        used = np.pad(note.residual[: record["residual_end"]], RESIDUAL_MARGIN).astype(np.float32)
        if record["residual_end"] < note.residual.size:
            to_the_end = np.arange(used.size, 0, -1) - RESIDUAL_MARGIN
            used *= np.sin(0.5 * np.pi * np.clip(to_the_end / RESIDUAL_FADE, 0.0, 1.0)).astype(np.float32)
        parts.append(used)
    return np.concatenate(parts)


def _rise_db(loudness_db: Float32Array) -> Float32Array:
    """By how much the loudest of the next EXPECTED_FRAMES is louder than a frame: float32 [T] -> [T]."""
    padded = np.pad(loudness_db, (0, EXPECTED_FRAMES), constant_values=-np.inf)
    ahead = np.lib.stride_tricks.sliding_window_view(padded, EXPECTED_FRAMES + 1).max(axis=1)
    return np.asarray(ahead - loudness_db, np.float32)


def _frame_records(instrument: Instrument) -> Records:
    detail = np.concatenate([note.detail for note in instrument.notes]).astype(np.float32)
    records = np.zeros(detail.shape[0], FRAME)
    records["smooth"] = smooth_over_partials(detail[:, :N_PARTIALS])
    records["rough"] = detail[:, :N_PARTIALS] - records["smooth"]
    records["band"] = detail[:, N_PARTIALS:]
    records["loudness"] = np.concatenate([note.loudness_db for note in instrument.notes])
    records["rise"] = np.concatenate([_rise_db(note.loudness_db) for note in instrument.notes])
    return records


class PreparedInstrument:
    """Build one when an instrument is put into a corner, never in the audio thread (about 10 ms for 30 notes)."""

    def __init__(self, instrument: Instrument) -> None:
        notes = instrument.notes
        self.name = instrument.name
        self.sound_id = instrument.sound_id
        self.model_id = instrument.model_id
        self.sustains = instrument.sustains
        records = _note_records(instrument)
        self.table = NoteTable(
            records,
            _frame_records(instrument),
            np.ascontiguousarray(np.concatenate([note.z for note in notes]), dtype=np.float32),
            _residuals(instrument, records),
        )
        self.unpitched = not all(note.pitched for note in notes)
        self._by_pitch: dict[int, list[tuple[int, int]]] = {}
        for place, note in enumerate(notes):
            self._by_pitch.setdefault(note.pitch, []).append((note.velocity, place))
        self._choices: dict[tuple[int, int], Choice] = {}

    def choose(self, key: int, velocity: int) -> Choice:
        """The notes for a key and velocity: the neighbouring recorded pitches, weighted by distance in semitones, and
        at each the neighbouring velocity layers, weighted likewise. Outside the recorded range, the nearest."""
        choice = self._choices.get((key, velocity))
        if choice is None:
            if len(self._choices) >= MOST_CHOICES:  # 128 keys by 127 velocities would be 8 MB an instrument
                self._choices.clear()
            # Not read again: another engine that plays this instrument may clear them in another thread.
            choice = self._choices[key, velocity] = self._choose(key, velocity)
        return choice

    @property
    def pitches(self) -> list[int]:
        """Keys that were recorded, rising."""
        return sorted(self._by_pitch)

    def _choose(self, key: int, velocity: int) -> Choice:
        notes: list[int] = []
        weights: list[float] = []
        velocity_db = 0.0
        for pitch, pitch_weight in neighbours(sorted(self._by_pitch), key):
            layers = dict(sorted(self._by_pitch[pitch]))
            lowest, highest = min(layers), max(layers)
            reached = min(max(velocity, lowest), highest)
            velocity_db += pitch_weight * _VELOCITY_DB_PER_DECADE * math.log10(velocity / max(reached, 1))
            for layer, layer_weight in neighbours(list(layers), reached):
                notes.append(layers[layer])
                weights.append(pitch_weight * layer_weight)
        heaviest = notes[weights.index(max(weights))]
        lead = heaviest if self.table.notes["residual_end"][heaviest] > 0 else -1
        free = bool(self.table.notes["free"][notes].any())
        return Choice(tuple(notes), tuple(weights), velocity_db, lead, free)


def neighbours(values: list[int], wanted: int) -> list[tuple[int, float]]:
    """The one or two of the sorted `values` around `wanted`, with linear weights."""
    above = next((value for value in values if value >= wanted), values[-1])
    below = next((value for value in reversed(values) if value <= wanted), values[0])
    if above <= below:
        return [(above, 1.0)]
    share = (wanted - below) / (above - below)
    return [(below, 1.0 - share), (above, share)]
