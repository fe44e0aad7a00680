"""Make an instrument of recorded notes: level, analyse, encode, and keep what the decoder gets wrong as detail."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from synth.errors import TetradError
from synth.frames import (
    BAND_K_WEIGHTING_DB,
    FRAME_RATE_HZ,
    HIGHEST_PARTIAL_HZ,
    HOP,
    LEVEL_FLOOR_DB,
    N_PARTIALS,
    Float32Array,
    Float64Array,
    frame_loudness_db,
    k_weighting_db,
)
from synth.instruments.analysis import NoteAnalysis
from synth.instruments.encoder import Encoder
from synth.instruments.format import DETAIL_STEP, Instrument, Note, quantise_detail
from synth.instruments.header import MOST_RESIDUAL_SAMPLES
from synth.instruments.note_model import as_noise, model_note
from synth.instruments.notes import SourceNote
from synth.instruments.resampling import to_encoder_rate
from synth.instruments.residual import choose_residual, with_end
from synth.instruments.residual_codec import quantise_residual
from synth.instruments.resynthesis import partials_hz
from synth.voices.decoder import Decoder
from synth.voices.zwindow import z_windows

REFERENCE_LOUDNESS_DB = -20.0
"""K-weighted loudness of the loudest frame of an instrument: soft stays soft, no instrument is louder than another."""
SILENCE_DB = -90.0
"""Loudest frame of a recording with nothing in it: quieter than the dither of 16 bits."""
INAUDIBLE_DB = 85.0
"""What is further than this below the note's peak gets no detail: it can't be heard, but costs bytes."""
FAR_DB = 1.5
"""Free partials and a residual come within 0.5 dB of a recording; where they do not, the residual alone does."""
WHOLE_SHARE = 0.7
RESIDUAL_STEP = 2.0**-13
"""Grid of a residual over the recording's peak: its noise is 89 dB below that."""
SHORTEST_LOOP_S = 0.5
LOOP_FADE_DB = 3.0
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
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class MeasuredNote:
    """A note before its level among the others is known. `loop` is control frames [start, end), (0, 0) for none."""

    analysis: NoteAnalysis
    loudness_db: Float32Array
    release: int
    drop_db: float
    loop: tuple[int, int]
    residual: Float32Array | None


def build_instrument(
    notes: Sequence[SourceNote],
    description: Description,
    encoder: Encoder,
    decoder: Decoder,
    on_note: Callable[[], object] = lambda: None,
) -> Instrument:
    """Analyse and encode `notes` (any order, no pitch and velocity twice).

    `on_note` is called after each that was measured, which is most of the work.
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
    measured = []
    for source in ordered:
        measured.append(measure_note(source, description.sustains))
        on_note()
    loudest = max(float(m.loudness_db.max()) for m in measured)
    if loudest <= SILENCE_DB:
        raise TetradError(f"{description.name}: all notes are silent; expected recordings of an instrument")
    gain_db = REFERENCE_LOUDNESS_DB - loudest
    sustains = description.sustains
    if sustains is None:
        sustains = bool(np.median([m.drop_db for m in measured]) < SUSTAIN_DROP_DB)
    longest = _longest_residual([m.residual for m in measured])
    built = []
    for source, heard in zip(ordered, measured, strict=True):
        built.append(_build_note(source, heard, gain_db, longest, encoder, decoder))
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
        tags=description.tags,
    )


def measure_note(source: SourceNote, sustains: bool | None) -> MeasuredNote:
    """All that can be known of a note without the others. `sustains` None: it has a loop if it seems to sustain."""
    analysis = model_note(source.audio, source.pitch, source.pitched)
    measured = _measured(source, analysis, sustains)
    kept = choose_residual(source.audio, analysis, _residual_limit(measured))
    whole = kept.samples is not None and kept.samples.size > WHOLE_SHARE * source.audio.size
    if source.pitched is False and analysis.pitched and (whole or kept.after_db > FAR_DB):
        # With the recording itself to hand, lines beside it only move against those that are in it.
        analysis = as_noise(source.audio, source.pitch, 0.0)
        measured = _measured(source, analysis, sustains)
        kept = choose_residual(source.audio, analysis, _residual_limit(measured))
    return dataclasses.replace(measured, residual=kept.samples, analysis=dataclasses.replace(analysis, rest=None))


def _measured(source: SourceNote, analysis: NoteAnalysis, sustains: bool | None) -> MeasuredNote:
    loudness_db = _loudness_db(analysis)
    n_frames = loudness_db.size
    release = find_release(loudness_db)
    if source.release_s is not None:
        release = min(round(source.release_s * FRAME_RATE_HZ), n_frames)
    drop_db = _drop_db(loudness_db, release)
    loop = (0, 0)
    if source.loop_s is not None:
        loop = _given_loop(source.loop_s, release)
    elif sustains is not False and drop_db < SUSTAIN_DROP_DB and source.pitched is not False and analysis.pitched:
        loop = find_loop(loudness_db, release)
    return MeasuredNote(analysis, loudness_db, release, drop_db, loop, None)


def _residual_limit(measured: MeasuredNote) -> int:
    return (measured.loop[1] or measured.loudness_db.size) * HOP


def _loudness_db(analysis: NoteAnalysis) -> Float32Array:
    """`frame_loudness_db`, with the partials where they are."""
    frames = analysis.frames
    if analysis.ratios is None:
        return frame_loudness_db(frames.partial_db, frames.band_db, analysis.f0_hz, analysis.inharmonicity)
    weight_db = k_weighting_db(partials_hz(analysis.f0_hz, 0.0, analysis.ratios))
    power = (10.0 ** (frames.partial_db / 10.0)) @ (10.0 ** (weight_db / 10.0) / 2.0)
    power += (10.0 ** (frames.band_db / 10.0)) @ 10.0 ** (BAND_K_WEIGHTING_DB / 10.0)
    return np.maximum(10.0 * np.log10(power + 1e-30), LEVEL_FLOOR_DB).astype(np.float32)


def _longest_residual(residuals: Sequence[Float32Array | None]) -> int:
    """Samples that no residual may exceed so that all of them fit into a file."""
    lengths = np.array([0 if r is None else r.size for r in residuals])
    longest = int(lengths.max())
    while int(np.minimum(lengths, longest).sum()) > MOST_RESIDUAL_SAMPLES:
        longest = longest * 9 // 10
    return longest


def _build_note(
    source: SourceNote, heard: MeasuredNote, gain_db: float, longest_residual: int, encoder: Encoder, decoder: Decoder
) -> Note:
    analysis = heard.analysis
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
    residual = heard.residual
    if residual is not None:
        if residual.size > longest_residual:
            residual = with_end(residual, longest_residual)
        step = float(np.abs(source.audio).max() * gain) * RESIDUAL_STEP
        residual = quantise_residual(residual * gain, step)
    start, end = heard.loop
    return Note(
        pitch=source.pitch,
        velocity=source.velocity,
        tuning_cents=round(analysis.tuning_cents, 2),
        inharmonicity=analysis.inharmonicity,
        z=z,
        detail=detail_rows(measured, decoded, partials_hz(analysis.f0_hz, analysis.inharmonicity, analysis.ratios)),
        loudness_db=heard.loudness_db + np.float32(gain_db),
        loop_start=start,
        loop_end=end,
        release_start=heard.release,
        ratios=analysis.ratios,
        phases=analysis.phases,
        residual=residual,
        pitched=analysis.pitched if source.pitched is None else source.pitched,
    )


def decode_note(z: Float32Array, n_frames: int, pitch: float, velocity: float, decoder: Decoder) -> Float32Array:
    """All frames of one note, z float32 [Tz, 16] -> rows float32 [T, 165]."""
    window = z_windows(z, np.arange(n_frames, dtype=np.float64))
    return decoder.run(
        window, np.full(n_frames, pitch, dtype=np.float32), np.full(n_frames, velocity, dtype=np.float32)
    )


def detail_rows(measured: Float32Array, decoded: Float32Array, frequency_hz: Float64Array) -> Float32Array:
    """Measured minus decoded, float32 [T, 165], in the steps of the file. Nothing where neither can be heard.

    `frequency_hz` [100] of the partials: those above 20 kHz could not be measured at the recording's pitch, and that
    says nothing of what they are at a lower one.
    """
    floor = measured[:, :-1].max() - INAUDIBLE_DB
    wanted = np.maximum(measured[:, :-1], floor - 10.0)
    inaudible = (wanted < floor) & (decoded[:, :-1] < floor)
    detail = np.empty_like(measured)
    detail[:, :-1] = np.where(inaudible, 0.0, wanted - decoded[:, :-1])
    detail[:, :N_PARTIALS][:, frequency_hz >= HIGHEST_PARTIAL_HZ] = 0.0
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


def find_loop(loudness_db: Float32Array, release: int) -> tuple[int, int]:
    """The stretch of the held part that may be repeated, as control frames [start, end); (0, 0) if it is too short.

    `loudness_db` float32 [T]. The engine walks a loop back and forth, so its ends need not be alike, and the longest
    one is the best: all but the first quarter of the held part and its last 40 ms. Where the sound fades meanwhile, it
    would swell on the way back: then the loop is as long as the fade takes for 3 dB, but at least half a second.
    """
    first, last = max(4, release // 4), release - 5
    shortest = round(SHORTEST_LOOP_S * FRAME_RATE_HZ)
    if last - first < shortest:
        return 0, 0
    frame = np.arange(last - first) - 0.5 * (last - first - 1)
    fade_db_per_frame = abs(float(frame @ loudness_db[first:last])) / float(frame @ frame)
    longest = LOOP_FADE_DB / max(fade_db_per_frame, 1e-9)
    return max(first, last - max(shortest, int(min(longest, last)))), last


def _given_loop(loop_s: tuple[float, float], release: int) -> tuple[int, int]:
    """The source's loop as frames [start, end) before the release; at least four, for loops of a single period.

    (0, 0) for one that ends before it starts, or starts outside the held part.
    """
    start_s, end_s = loop_s
    if not 0.0 <= start_s < min(end_s, release / FRAME_RATE_HZ):
        return 0, 0
    end = round(min(end_s * FRAME_RATE_HZ, release))
    return max(0, min(round(start_s * FRAME_RATE_HZ), end - 4)), end
