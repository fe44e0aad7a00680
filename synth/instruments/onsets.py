"""Where notes begin in a recording with many in a row, and whether it is one: a note, a chord, a loop stay whole.

Onsets are peaks of the spectral flux of a log-frequency spectrum whose bins were widened by a maximum filter
(SuperFlux: Böck and Widmer, "Maximum filter vibrato suppression for onset detection", DAFx 2013), above the mean around
them (peak picking of Böck, Krebs and Schedl, "Evaluating the online capabilities of onset detection methods", ISMIR
2012). A note begins after a pause, or at an onset where the level leaps; what comes in a rhythm is one sound.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soxr

from synth.frames import Float32Array
from synth.instruments.notes import RawAudio

RATE_HZ = 16_000
HOP = 160
"""10 ms. Cuts are as exact; a note's exact onset is found later, when it is listened to."""
HOP_S = HOP / RATE_HZ
_WINDOW = 1024
_BANDS_PER_OCTAVE = 12
_LOWEST_HZ = 40.0
_RANGE_DB = 60.0
"""Below the loudest bin everything is silence."""
_LAG = 3
"""Frames between the spectra that are compared: half a window, as in SuperFlux."""
_FRAMES_AT_ONCE = 1000
"""Of 1024 samples and 513 bins: 12 MB."""
_NOVELTY_DB = 1.2
"""Mean rise of the bands over the mean around, from which a peak is an onset."""
SILENT_DB = -80.0
"""Recordings that are nowhere louder hold nothing."""
PAUSE_S = 0.1
"""Silence that separates notes; the gap of a tremolo at 5 Hz is shorter."""
RHYTHM_S = 0.7
"""Median time between onsets below which they are a rhythm, not notes that were recorded one after the other."""
RUNNING_S = 0.8
"""The same without pauses."""
SLOW_S = 1.2
"""The same where they are uneven as well, or die away like an echo."""
STRUM_S = 0.25
"""Onsets nearer than this begin one note: a strum, a roll, a grace."""
LEAP_DB, SURE_LEAP_DB = 10.0, 15.0
"""Rise of the level within 80 ms that begins a note without a pause; among notes with pauses."""
PLAIN = "one note"
"""The reason where there was nothing to decide."""
_PRE_ROLL_S = 0.03
_TAIL_S = 0.2


class Cuts(NamedTuple):
    """Notes as (start, end) in seconds of the recording, none if it is silent, and one line on what was decided."""

    notes: list[tuple[float, float]]
    reason: str


class Curves(NamedTuple):
    """What is known of a recording every 10 ms. level_db: RMS, dB of full scale. novelty: of the spectrum, in dB."""

    level_db: Float32Array
    novelty_db: Float32Array

    @property
    def duration_s(self) -> float:
        return len(self.level_db) * HOP_S


def cut(samples: Float32Array, rate_hz: int, *, force: bool = False) -> list[tuple[int, int]]:
    """(start, end) of each note in samples, float32 [N] or [N, channels]; one where there is nothing to cut, none where
    there is nothing to hear. force: cut at every onset, in a rhythm too."""
    both = samples if samples.ndim == 2 else samples[:, np.newaxis]
    cuts = decide(curves([RawAudio(both, rate_hz)]), force=force)
    return [(round(start * rate_hz), min(round(end * rate_hz), len(samples))) for start, end in cuts.notes]


def curves(stretches: Iterable[RawAudio]) -> Curves:
    """Level and novelty of a recording that comes in stretches of one rate. Takes 32 kB a second of it, whatever its
    rate and channels."""
    filters = _filters()
    levels: list[Float32Array] = []
    spectra: list[Float32Array] = []
    resampler: soxr.ResampleStream | None = None
    rest = np.zeros(_WINDOW // 2, np.float32)  # frame i is centred on sample i HOP
    for stretch in stretches:
        if not len(stretch.samples):
            continue
        if resampler is None:
            resampler = soxr.ResampleStream(stretch.rate_hz, RATE_HZ, 1, dtype="float32", quality="MQ")
        rest = np.concatenate([rest, resampler.resample_chunk(_one_channel(stretch.samples))])
        rest = _frames(rest, filters, levels, spectra)
    if resampler is not None:
        rest = np.concatenate([rest, resampler.resample_chunk(np.zeros(0, np.float32), last=True)])
        _frames(np.concatenate([rest, np.zeros(_WINDOW // 2, np.float32)]), filters, levels, spectra)
    if not levels:
        return Curves(np.zeros(0, np.float32), np.zeros(0, np.float32))
    return Curves(np.concatenate(levels), _novelty_db(np.concatenate(spectra)))


def decide(found: Curves, *, force: bool = False) -> Cuts:
    """Which stretches are notes. See `cut`."""
    level_db = found.level_db
    if not len(level_db) or level_db.max() < SILENT_DB:
        return Cuts([], "nothing but silence")
    silence_db = _silence_db(level_db)
    onsets = _onsets(found, silence_db)
    if force:
        chosen, reason = onsets, f"cut into {len(onsets)} at every onset, as asked"
    else:
        chosen, reason = _chosen(onsets, _islands(level_db, silence_db))
    if len(chosen) < 2:
        return Cuts([(0.0, found.duration_s)], reason)
    return Cuts(_stretches(chosen, level_db, silence_db), reason)


class _Onset(NamedTuple):
    """frame: where. rise_db: of the level. peak_db: the level after it."""

    frame: int
    rise_db: float
    peak_db: float

    @property
    def time_s(self) -> float:
        return self.frame * HOP_S


def _one_channel(samples: Float32Array) -> Float32Array:
    """The mean of the channels, or the loudest where they cancel each other."""
    mean = samples.mean(axis=1, dtype=np.float32)
    powers = np.mean(samples * samples, axis=0)
    if float(np.mean(mean * mean)) < 0.1 * float(powers.max()):
        return np.ascontiguousarray(samples[:, int(np.argmax(powers))])
    return mean


def _filters() -> Float32Array:
    """Triangles, 12 an octave from 40 Hz to 8 kHz, [bins, bands]; where bins are coarser, one band a bin."""
    hz = np.fft.rfftfreq(_WINDOW, 1.0 / RATE_HZ)
    n = int(np.log2(RATE_HZ / 2 / _LOWEST_HZ) * _BANDS_PER_OCTAVE)
    centres = np.unique(np.round(_LOWEST_HZ * 2.0 ** (np.arange(n) / _BANDS_PER_OCTAVE) / hz[1]))
    bins = np.arange(hz.size)
    bank = [
        np.interp(bins, [low, centre, high], [0.0, 1.0, 0.0])
        for low, centre, high in zip(centres[:-2], centres[1:-1], centres[2:], strict=True)
    ]
    return np.asarray(bank, np.float32).T


def _frames(
    samples: Float32Array, filters: Float32Array, levels: list[Float32Array], spectra: list[Float32Array]
) -> Float32Array:
    """Appends the levels and spectra of the whole windows in `samples`; returns what is left."""
    n = (len(samples) - _WINDOW) // HOP + 1
    if n < 1:
        return samples
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[: n * HOP : HOP]
    centre = windows[:, (_WINDOW - HOP) // 2 : (_WINDOW + HOP) // 2]
    levels.append((10.0 * np.log10(np.mean(centre * centre, axis=1) + 1e-12)).astype(np.float32))
    hann = np.hanning(_WINDOW).astype(np.float32)
    for start in range(0, n, _FRAMES_AT_ONCE):
        magnitude = np.abs(np.fft.rfft(windows[start : start + _FRAMES_AT_ONCE] * hann)).astype(np.float32)
        spectra.append(magnitude @ filters)
    return samples[n * HOP :]


def _novelty_db(spectrum: Float32Array) -> Float32Array:
    """Mean rise of the bands from `_LAG` frames before, vibrato left out; [n]."""
    top = float(spectrum.max(initial=0.0)) + 1e-9
    rise = np.zeros(len(spectrum), np.float32)
    for start in range(0, len(spectrum), _FRAMES_AT_ONCE):
        some = spectrum[max(start - _LAG, 0) : start + _FRAMES_AT_ONCE] / top
        db = 20.0 * np.log10(np.maximum(some, 10.0 ** (-_RANGE_DB / 20.0)))
        if not start:  # before the recording there was silence
            db = np.concatenate([np.full((_LAG, db.shape[1]), -_RANGE_DB, np.float32), db])
        padded = np.pad(db, ((0, 0), (1, 1)), mode="edge")
        widened = np.maximum(np.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])
        rise[start : start + _FRAMES_AT_ONCE] = np.maximum(db[_LAG:] - widened[:-_LAG], 0.0).mean(axis=1)
    return rise


def _silence_db(level_db: Float32Array) -> float:
    """Level below which nothing sounds: 45 dB under the loudest, or 9 dB over the noise where that is higher, but never
    less than 30 dB under the loudest: a drum loop has no noise floor."""
    loudest = float(level_db.max())
    noise = float(np.percentile(level_db, 5.0))
    return max(loudest - 45.0, min(noise + 9.0, loudest - 30.0))


def _onsets(found: Curves, silence_db: float) -> list[_Onset]:
    """Peaks of the novelty, each the largest within 30 ms and well over the mean of 170 ms, at most one in 50 ms."""
    level_db, novelty = found.level_db, found.novelty_db
    padded = np.pad(novelty, 10)
    around: npt.NDArray[np.float32] = np.lib.stride_tricks.sliding_window_view(padded, 21)  # -100 ms .. +100 ms
    is_peak = (novelty >= around[:, 7:14].max(axis=1)) & (novelty >= around[:, :18].mean(axis=1) + _NOVELTY_DB)
    onsets: list[_Onset] = []
    for frame in np.flatnonzero(is_peak):
        after = level_db[max(frame - 1, 0) : frame + 15]
        before = np.sort(level_db[max(frame - 10, 0) : max(frame - 1, 1)])
        peak_db = float(after.max())
        if peak_db < silence_db + 6.0 or (onsets and (frame - onsets[-1].frame) * HOP_S < 0.05):
            continue
        rise_db = peak_db - float(before[min(1, before.size - 1)]) if frame > 2 else np.inf
        onsets.append(_Onset(int(frame), rise_db, peak_db))
    return onsets


def _chosen(onsets: list[_Onset], islands: list[_Onset]) -> tuple[list[_Onset], str]:
    """Those that begin notes, and why. islands: the beginnings of sound after pauses, however slow."""
    separate = _spaced(islands)
    if len(separate) >= 2:
        typical_db = float(np.median([o.peak_db for o in separate]))
        separate = [o for o in separate if o.peak_db >= typical_db - 25.0]
    if len(separate) >= 2:
        spacing_s = _median_spacing_s(separate)
        leaps = [o for o in onsets if o.rise_db >= SURE_LEAP_DB and o.peak_db >= typical_db - 12.0]
        far = [o for o in leaps if all(abs(o.time_s - s.time_s) >= 0.4 * spacing_s for s in separate)]
        notes = sorted([*separate, *_spaced(far)])
        spacing_s = _median_spacing_s(notes)
        if spacing_s < RHYTHM_S or (spacing_s < SLOW_S and not _even(notes)):
            return [], f"its {len(notes)} onsets are {spacing_s:.2f} s apart, a rhythm: taken as one sound"
        if _dies_away(separate) and spacing_s < SLOW_S:
            return [], f"each of its {len(separate)} onsets is weaker than the last, an echo: taken as one sound"
        return notes, f"cut into {len(notes)} notes at the pauses between them"
    leaps = _spaced([o for o in onsets if o.rise_db >= LEAP_DB])
    if leaps:
        loudest_db = max(o.peak_db for o in leaps)
        leaps = [o for o in leaps if o.peak_db >= loudest_db - 20.0]
    if len(leaps) >= 3 and not _dies_away(leaps):
        spacing_s = _median_spacing_s(leaps)
        if spacing_s >= RUNNING_S and _even(leaps):
            return leaps, f"cut into {len(leaps)} notes where the level leaps"
        return [], f"its {len(leaps)} onsets have no pauses between them: taken as one sound"
    return [], PLAIN


def _islands(level_db: Float32Array, silence_db: float) -> list[_Onset]:
    """Where sound begins after a pause: 50 ms or more of it, that rise 10 dB over silence."""
    sounding = np.concatenate([[False], level_db >= silence_db, [False]])
    edges = np.flatnonzero(np.diff(sounding.astype(np.int8)))
    islands: list[_Onset] = []
    last_end = -np.inf
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        peak_db = float(level_db[start:end].max())
        pause_s = (start - last_end) * HOP_S
        if peak_db < silence_db + 10.0 or end - start < 5:
            continue  # the pause goes on
        if pause_s >= PAUSE_S:
            islands.append(_Onset(int(start), peak_db - silence_db, peak_db))
        last_end = float(end)
    return islands


def _even(onsets: list[_Onset]) -> bool:
    """Whether they come as evenly as notes do that are recorded one after the other; one that was missed shows."""
    spacing_s = np.diff([o.time_s for o in onsets])
    typical_s = float(np.median(spacing_s))
    return bool(spacing_s.max() <= 1.6 * typical_s and spacing_s.min() >= 0.6 * typical_s)


def _spaced(onsets: list[_Onset]) -> list[_Onset]:
    """Without those that follow another at once."""
    kept: list[_Onset] = []
    for onset in onsets:
        if not kept or onset.time_s - kept[-1].time_s >= STRUM_S:
            kept.append(onset)
    return kept


def _median_spacing_s(onsets: list[_Onset]) -> float:
    return float(np.median(np.diff([o.time_s for o in onsets])))


def _dies_away(onsets: list[_Onset]) -> bool:
    """Three or more, each at least 2 dB weaker than the one before."""
    return len(onsets) > 2 and bool(np.all(np.diff([o.peak_db for o in onsets]) < -2.0))


def _stretches(onsets: list[_Onset], level_db: Float32Array, silence_db: float) -> list[tuple[float, float]]:
    """From shortly before each onset to where its sound has ended, or the next begins."""
    ends = [o.time_s - _PRE_ROLL_S for o in onsets[1:]] + [len(level_db) * HOP_S]
    stretches = []
    for onset, limit_s in zip(onsets, ends, strict=True):
        stop = max(round(limit_s / HOP_S), onset.frame + 1)
        sounding = np.flatnonzero(level_db[onset.frame : stop] >= silence_db)
        last_s = (onset.frame + (int(sounding[-1]) if sounding.size else 0) + 1) * HOP_S
        stretches.append((max(onset.time_s - _PRE_ROLL_S, 0.0), min(last_s + _TAIL_S, max(limit_s, last_s))))
    return stretches
