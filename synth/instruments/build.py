"""Make an instrument of recorded notes: level, analyse, encode, and keep what the decoder gets wrong as detail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from synth.errors import TetradError
from synth.frames import (
    FRAME_RATE_HZ,
    LEVEL_FLOOR_DB,
    N_PARTIALS,
    Float32Array,
    frame_loudness_db,
)
from synth.instruments.analysis import NoteAnalysis, analyse_note
from synth.instruments.encoder import Encoder
from synth.instruments.format import DETAIL_STEP, Instrument, Note, quantise_detail
from synth.instruments.notes import SourceNote
from synth.instruments.resampling import to_encoder_rate
from synth.voices.decoder import Decoder
from synth.voices.zwindow import z_windows

REFERENCE_LOUDNESS_DB = -20.0
"""K-weighted loudness of the loudest frame of an instrument: soft stays soft, no instrument is louder than another."""
SILENCE_DB = -90.0
"""Loudest frame of a recording with nothing in it: quieter than the dither of 16 bits."""
INAUDIBLE_DB = 85.0
"""What is further than this below the note's peak gets no detail: it can't be heard, but costs bytes."""
SHORTEST_LOOP_S = 0.5
SUSTAIN_DROP_DB = 12.0
"""A sound that falls by less over the held part is one that sustains."""


@dataclass(frozen=True)
class Description:
    """What an instrument says of itself; `sustains` None means: find out."""

    name: str
    display_name: str
    family: str
    author: str
    licence: str
    source: str
    sustains: bool | None = None


def build_instrument(
    notes: Sequence[SourceNote],
    description: Description,
    encoder: Encoder,
    decoder: Decoder,
    on_note: Callable[[], object] = lambda: None,
) -> Instrument:
    """Analyse and encode `notes` (any order, no pitch and velocity twice). `on_note` is called after each.

    Raises TetradError for no notes, silent notes, NaN, and an encoder and decoder that were not trained together.
    """
    if not notes:
        raise TetradError(f"{description.name}: no notes were found; expected at least one recording")
    if encoder.model_id != decoder.model_id:
        raise TetradError(
            f"the encoder is of model {encoder.model_id}, the decoder of {decoder.model_id}; expected one pair; "
            "run `tetrad model export` again"
        )
    ordered = sorted(notes, key=lambda n: (n.pitch, n.velocity))
    analyses = [analyse_note(n.audio, n.pitch) for n in ordered]
    loudness = [frame_loudness_db(a.frames.partial_db, a.frames.band_db, a.f0_hz, a.inharmonicity) for a in analyses]
    loudest = max(float(x.max()) for x in loudness)
    if loudest <= SILENCE_DB:
        raise TetradError(f"{description.name}: all notes are silent; expected recordings of an instrument")
    gain_db = REFERENCE_LOUDNESS_DB - loudest
    releases = [
        find_release(x) if n.release_s is None else min(round(n.release_s * FRAME_RATE_HZ), x.size)
        for x, n in zip(loudness, ordered, strict=True)
    ]
    sustains = description.sustains
    if sustains is None:
        sustains = bool(np.median([_drop_db(x, r) for x, r in zip(loudness, releases, strict=True)]) < SUSTAIN_DROP_DB)
    built = []
    for source, analysis, loud, release in zip(ordered, analyses, loudness, releases, strict=True):
        built.append(_build_note(source, analysis, loud + gain_db, gain_db, release, sustains, encoder, decoder))
        on_note()
    return Instrument(
        name=description.name,
        display_name=description.display_name,
        family=description.family,
        sustains=sustains,
        author=description.author,
        licence=description.licence,
        source=description.source,
        model_id=decoder.model_id,
        notes=tuple(built),
    )


def _build_note(
    source: SourceNote,
    analysis: NoteAnalysis,
    loudness_db: Float32Array,
    gain_db: float,
    release: int,
    sustains: bool,
    encoder: Encoder,
    decoder: Decoder,
) -> Note:
    measured = analysis.frames.rows()
    silent = measured[:, :-1] <= LEVEL_FLOOR_DB
    measured[:, :-1] += gain_db
    measured[:, :-1][silent] = LEVEL_FLOOR_DB
    gain = np.float32(10.0 ** (gain_db / 20.0))
    z = (
        encoder.run(to_encoder_rate(source.audio) * gain, analysis.f0_hz, analysis.inharmonicity)
        .astype(np.float16)
        .astype(np.float32)
    )
    decoded = decode_note(z, measured.shape[0], float(source.pitch), float(source.velocity), decoder)
    start, end = find_loop(measured, release) if sustains else (0, 0)
    return Note(
        pitch=source.pitch,
        velocity=source.velocity,
        tuning_cents=round(analysis.tuning_cents, 2),
        inharmonicity=analysis.inharmonicity,
        z=z,
        detail=detail_rows(measured, decoded),
        loudness_db=loudness_db,
        loop_start=start,
        loop_end=end,
        release_start=release,
    )


def decode_note(z: Float32Array, n_frames: int, pitch: float, velocity: float, decoder: Decoder) -> Float32Array:
    """All frames of one note, z float32 [Tz, 16] -> rows float32 [T, 165]."""
    window = z_windows(z, np.arange(n_frames, dtype=np.float64))
    return decoder.run(
        window, np.full(n_frames, pitch, dtype=np.float32), np.full(n_frames, velocity, dtype=np.float32)
    )


def detail_rows(measured: Float32Array, decoded: Float32Array) -> Float32Array:
    """Measured minus decoded, float32 [T, 165], in the steps of the file. Nothing where neither can be heard."""
    floor = measured[:, :-1].max() - INAUDIBLE_DB
    wanted = np.maximum(measured[:, :-1], floor - 10.0)
    inaudible = (wanted < floor) & (decoded[:, :-1] < floor)
    detail = np.empty_like(measured)
    detail[:, :-1] = np.where(inaudible, 0.0, wanted - decoded[:, :-1])
    # Partials that did not exist at the recording's pitch say nothing of those that will at a lower one.
    detail[:, :N_PARTIALS][:, measured[:, :N_PARTIALS].max(axis=0) <= LEVEL_FLOOR_DB] = 0.0
    detail[:, -1] = measured[:, -1] - decoded[:, -1]
    return quantise_detail(detail).astype(np.float32) * np.float32(DETAIL_STEP)


def find_release(loudness_db: Float32Array) -> int:
    """Control frame at which a held sound was let go; the number of frames, [T], if that can't be told.

    It is where the loudness last is within 6 dB of its median over the first half, if it falls by another 20 dB within
    half a second from there. A sound that has faded by 12 dB before then decays by itself.
    """
    n_frames = int(loudness_db.size)
    held_db = float(np.median(loudness_db[n_frames // 10 : max(n_frames // 2, n_frames // 10 + 1)]))
    last = int(np.flatnonzero(loudness_db > held_db - 6.0)[-1])
    after = loudness_db[min(last + round(FRAME_RATE_HZ / 2), n_frames - 1)]
    faded = float(loudness_db[last]) < float(loudness_db.max()) - SUSTAIN_DROP_DB
    return n_frames if faded or after > held_db - 26.0 else last + 1


def _drop_db(loudness_db: Float32Array, release: int) -> float:
    """By how much the loudness falls from the first second to the last quarter second before the release."""
    early = loudness_db[: min(release, round(FRAME_RATE_HZ))].max()
    return float(early - loudness_db[max(0, release - 31) : release].mean())


def find_loop(measured: Float32Array, release: int) -> tuple[int, int]:
    """The stretch of the held part whose ends sound most alike, as control frames [start, end); (0, 0) if too short.

    `measured` float32 [T, 165]. Ends are compared as averages over 7 frames, weighted by their audibility, among all
    stretches of at least half a second that leave out the first quarter of the held part and its last 40 ms.
    """
    first, last = max(4, release // 4), release - 5
    shortest = round(SHORTEST_LOOP_S * FRAME_RATE_HZ)
    if last - first < shortest:
        return 0, 0
    levels = np.maximum(measured[:release, :-1], measured[:, :-1].max() - 60.0).astype(np.float64)
    sums = np.cumsum(np.pad(levels, ((4, 3), (0, 0)), mode="edge"), axis=0)
    smooth = (sums[7:] - sums[:-7])[: levels.shape[0]] / 7.0
    best, found = np.inf, (first, last)
    for start in range(first, last - shortest, 2):
        ends = smooth[start + shortest : last : 2]
        distance = np.abs(ends - smooth[start]).mean(axis=1)
        # A longer loop repeats less often: 0.2 dB of likeness are worth doubling its length.
        distance -= 0.2 * np.log2((shortest + 2.0 * np.arange(ends.shape[0])) / shortest)
        index = int(np.argmin(distance))
        if distance[index] < best:
            best, found = float(distance[index]), (start, start + shortest + 2 * index)
    return found
