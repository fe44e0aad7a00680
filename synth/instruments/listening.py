"""Listening to a recording: what of it is the note, which note it is, and what is wrong with it.

A found note becomes one that can be analysed: one channel at 48 kHz from its onset, with its key. The steps are read,
mix, repair what was clipped (`clipping.py`), remove the offset, resample, find where the sound begins and ends
(`boundaries.py`), find the pitch, bring it to its key where it is further from it than the analysis looks. What was
done beyond that is said, one line each, in `remarks`. Loudness is left to `build.py`, which matches whole instruments.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ
from synth.instruments.boundaries import Boundaries, cut_out, find_boundaries
from synth.instruments.cleaning import checked, one_channel, without_offset
from synth.instruments.clipping import repair_channels
from synth.instruments.heard import Heard, about_octaves, best_of_each, gathered_remarks, shorten_to_budget, with_keys
from synth.instruments.keys import Estimator, find_key
from synth.instruments.notes import Finding, FoundNote, SourceNote
from synth.instruments.pitch import estimate_pitch
from synth.instruments.resampling import to_engine_rate

__all__ = ["CancelledError", "Heard", "listen", "listen_all"]

LONGEST_S = 60.0
"""Of a note; an instrument's file holds no longer ones (`format.MOST_FRAMES`)."""
LONGEST_READ_S = 120.0
"""Of a recording: a minute of silence before a minute of sound."""
SILENCE_PEAK = 1e-4
"""-80 dBFS, three steps of 16 bits: what dither and an open input leave."""
PADDED_S = 0.1
FAR_CENTS = 50.0
"""From here on a recording is brought to its key by resampling; nearer ones are for the analysis (70 cents) to measure
and for the engine to correct, as much as the player wants."""
MOST_GAIN_DB = 40.0
NOISY_BELOW_DB = 50.0
"""Noise that is closer to the sound's peak than this is mentioned."""


class CancelledError(TetradError):
    """Somebody asked for the listening to end."""


def listen(
    found: FoundNote,
    *,
    pitch: int | None = None,
    pitched: bool | None = None,
    correct_tuning: bool = True,
    estimate: Estimator = estimate_pitch,
) -> Heard:
    """Read one recording and find the note in it.

    pitch, pitched: the player's word, which goes over the source's, which goes over the estimate; pitched False means
    that the key does not move the sound. correct_tuning: bring a recording that is more than 50 cents from its key to
    it. Raises TetradError for a recording that can't be read, is silent, or has too few numbers in it.
    """
    remarks: list[str] = []
    raw = checked(found.read(), found.name, LONGEST_READ_S, remarks)
    samples, clipping = repair_channels(raw.samples, raw.rate_hz)
    channel, rate_hz = one_channel(samples, remarks), raw.rate_hz
    del raw, samples  # two minutes of two channels at 192 kHz have 180 MB
    if clipping.n_samples:
        share = {0: "none", clipping.n_samples: "all"}.get(clipping.n_repaired, str(clipping.n_repaired))
        remarks.append(f"{clipping.n_samples} samples clipped, {share} of them repaired")
    channel, dc = without_offset(channel, rate_hz, remarks)
    audio = np.asarray(to_engine_rate(channel, rate_hz), dtype=np.float32)
    if float(np.abs(audio).max(initial=0.0)) < SILENCE_PEAK:
        raise TetradError(f"{found.name} is silent (it peaks under -80 dBFS); a sound was expected; record it louder")
    bounds = find_boundaries(audio)
    if found.loop_s is not None:  # the source's loop is part of the note, however soft it is there
        loop_end = min(round(found.loop_s[1] * SAMPLE_RATE_HZ), audio.size)
        bounds = bounds._replace(stop=max(bounds.stop, loop_end), end=max(bounds.end, loop_end))
    audio = cut_out(audio, bounds, round(LONGEST_S * SAMPLE_RATE_HZ))
    _say_boundaries(bounds, remarks)
    pitched = found.pitched if pitched is None else pitched
    key = find_key(found, audio, pitch, pitched, estimate, remarks)
    start_s, ratio = bounds.start / SAMPLE_RATE_HZ, 1.0
    if correct_tuning and abs(key.cents) > FAR_CENTS:
        ratio = 2.0 ** (key.cents / 1200.0)
        audio = np.asarray(to_engine_rate(audio, round(SAMPLE_RATE_HZ / ratio)), dtype=np.float32)
        remarks.append(f"it sounds {key.cents:+.0f} cents off its key, and was tuned to it")
    gain_db = float(np.clip(found.gain_db, -MOST_GAIN_DB, MOST_GAIN_DB))
    audio = audio[: round(LONGEST_S * SAMPLE_RATE_HZ)] * np.float32(10.0 ** (gain_db / 20.0))
    audio = np.pad(audio, (0, max(0, round(PADDED_S * SAMPLE_RATE_HZ) - audio.size)))
    duration_s = audio.size / SAMPLE_RATE_HZ
    note = SourceNote(
        audio=audio,
        pitch=key.key,
        velocity=found.velocity,
        release_s=_moved(found.release_s, start_s, ratio, duration_s),
        loop_s=_moved_loop(found.loop_s, start_s, ratio, duration_s, remarks),
        pitched=key.word,
    )
    return Heard(
        name=found.name,
        note=note,
        remarks=tuple(remarks),
        onset_s=bounds.onset / SAMPLE_RATE_HZ,
        end_s=bounds.end / SAMPLE_RATE_HZ,
        noise_floor_db=bounds.noise_floor_db,
        clipped_samples=clipping.n_samples,
        dc=dc,
        pitch=key.heard,
        pitch_confidence=key.confidence,
        pitched=key.pitched,
        tuning_cents=key.cents,
        gain_db=gain_db,
        key_was_given=key.was_given,
    )


def _say_boundaries(bounds: Boundaries, remarks: list[str]) -> None:
    length = bounds.stop - bounds.start
    if length > LONGEST_S * SAMPLE_RATE_HZ:
        remarks.append(f"it lasts {length / SAMPLE_RATE_HZ:.0f} s, and was cut after {LONGEST_S:.0f}")
    if bounds.noise_floor_db is not None and bounds.noise_floor_db > bounds.peak_db - NOISY_BELOW_DB:
        below_db = bounds.peak_db - bounds.noise_floor_db
        where = (
            f", and was cut where the sound meets it, after {length / SAMPLE_RATE_HZ:.1f} s" if bounds.audible else ""
        )
        remarks.append(f"it has noise {below_db:.0f} dB under the sound{where}")


def _moved(time_s: float | None, start_s: float, ratio: float, duration_s: float) -> float | None:
    """A time of the recording in the note; None before its onset."""
    moved_s = 0.0 if time_s is None else (time_s - start_s) * ratio
    return min(moved_s, duration_s) if moved_s > 0.0 else None


def _moved_loop(
    loop_s: tuple[float, float] | None, start_s: float, ratio: float, duration_s: float, remarks: list[str]
) -> tuple[float, float] | None:
    if loop_s is None:
        return None
    start, end = max((loop_s[0] - start_s) * ratio, 0.0), (loop_s[1] - start_s) * ratio
    if not start < end <= duration_s + 1e-3:
        remarks.append(f"its loop from {loop_s[0]:.3f} to {loop_s[1]:.3f} s is outside its sound, and was left out")
        return None
    return start, min(end, duration_s)


def listen_all(
    finding: Finding,
    on_progress: Callable[[int, int], object] = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
    *,
    pitch: int | None = None,
    pitched: bool | None = None,
    correct_tuning: bool = True,
    estimate: Estimator = estimate_pitch,
) -> tuple[list[Heard], list[str]]:
    """Listen to every note of a finding: what was heard, sorted by key and velocity, no two alike, and remarks.

    A note that can't be read or heard is named in the remarks and left out, and so is the lesser of two for the same
    key and velocity. `pitch`, the player's word, is for findings of one note. on_progress(notes done, notes in all);
    `cancelled` is asked before each note. Raises CancelledError, and TetradError if nothing could be heard.
    """
    heard: list[Heard] = []
    remarks: list[str] = []
    failures: list[str] = []
    longest = round(LONGEST_S * SAMPLE_RATE_HZ)
    if pitch is not None and len(finding.notes) > 1:
        raise TetradError(
            f"{finding.name} holds {len(finding.notes)} notes; a key was given, which suits one note; leave it out"
        )
    for index, found in enumerate(finding.notes):
        if cancelled():
            raise CancelledError(f"{finding.name}: cancelled after {index} of {len(finding.notes)} notes")
        try:
            heard.append(listen(found, pitch=pitch, pitched=pitched, correct_tuning=correct_tuning, estimate=estimate))
        except TetradError as error:
            failures.append(str(error))
        else:
            longest = shorten_to_budget(heard, longest)
        on_progress(index + 1, len(finding.notes))
    if not heard:
        why = failures[0] if failures else "it holds no notes; at least one recording was expected"
        others = f" (and {len(failures) - 1} more like it)" if len(failures) > 1 else ""
        raise TetradError(f"{finding.name}: nothing could be heard: {why}{others}")
    if longest < round(LONGEST_S * SAMPLE_RATE_HZ):
        remarks.append(f"so many notes are kept for {longest / SAMPLE_RATE_HZ:.1f} s each")
    remarks += [f"left out: {failure}" for failure in failures]
    heard = with_keys(heard, remarks)
    remarks += about_octaves(heard)
    kept = best_of_each(heard, remarks)
    return kept, remarks + gathered_remarks(kept)
