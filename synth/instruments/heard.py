"""What was heard of recordings, and which of the notes that were heard make an instrument."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from synth.frames import SAMPLE_RATE_HZ
from synth.instruments.boundaries import faded_out
from synth.instruments.keys import SURE, key_name
from synth.instruments.notes import SourceNote

MOST_SAMPLES = 20 * 60 * SAMPLE_RATE_HZ
"""Of all notes of an instrument together: 230 MB. More are cut, the longest first."""
LOWEST_KIT_KEY = 36
"""The first key of several sounds without pitch: where drum kits begin."""


@dataclass(frozen=True)
class Heard:
    """A note ready to be analysed, and what was found out about its recording.

    onset_s, end_s: of the sound in the recording as it was found; `note.audio` begins at most 2 ms before the onset.
    noise_floor_db: RMS, dB of full scale; None where there was no stretch without the sound. clipped_samples: at the
    recording's own rate. dc: the offset that was removed, full scale 1.0. pitch: as it sounds, a MIDI number with its
    fraction; the key where nothing is known of it. tuning_cents: of the recording against the key, before any
    correction. pitch_confidence: 0..1 of the estimate, 0 if none was made. gain_db: what the source adds, applied.
    """

    name: str
    note: SourceNote
    remarks: tuple[str, ...]
    onset_s: float
    end_s: float
    noise_floor_db: float | None
    clipped_samples: int
    dc: float
    pitch: float
    pitch_confidence: float
    pitched: bool
    tuning_cents: float
    gain_db: float
    key_was_given: bool


def shorten_to_budget(heard: list[Heard], longest: int) -> int:
    """Cut the longest notes, in place, to what all may last together; the length that no note is longer than."""
    sizes = np.sort([min(h.note.audio.size, longest) for h in heard])
    if sizes.sum() > MOST_SAMPLES:
        # The n - i longest notes share what the i shorter ones leave: the last share that is not below a shorter one.
        shorter = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        share = (MOST_SAMPLES - shorter) / np.arange(sizes.size, 0, -1)
        longest = max(int(share[np.flatnonzero(share <= sizes)[0]]), SAMPLE_RATE_HZ)
    heard[:] = [h if h.note.audio.size <= longest else _shortened(h, longest) for h in heard]
    return longest


def _shortened(heard: Heard, longest: int) -> Heard:
    duration_s, loop_s, release_s = longest / SAMPLE_RATE_HZ, heard.note.loop_s, heard.note.release_s
    note = replace(
        heard.note,
        audio=faded_out(heard.note.audio[:longest]),
        loop_s=None if loop_s is None or loop_s[1] > duration_s else loop_s,
        release_s=None if release_s is None or release_s >= duration_s else release_s,
    )
    return replace(heard, note=note)


def with_keys(heard: list[Heard], remarks: list[str]) -> list[Heard]:
    """Sounds without pitch and key get keys from 36 up, in their order; among notes with a pitch they are left out."""
    homeless = [h for h in heard if not (h.pitched or h.key_was_given)]
    if len(heard) == 1 or not homeless:
        return heard
    others = [h for h in heard if h.pitched or h.key_was_given]
    if len(homeless) < len(others):
        why = "no pitch could be heard; put its key into its name to take it"
        remarks += [f"left out: {one.name}: {why}" for one in homeless]
        return others
    taken = {h.note.pitch for h in others}
    free = [key for key in (*range(LOWEST_KIT_KEY, 128), *range(LOWEST_KIT_KEY)) if key not in taken]
    remarks += [f"left out: {one.name}: all keys are taken" for one in homeless[len(free) :]]
    placed = [replace(h, note=replace(h.note, pitch=k), pitch=float(k)) for h, k in zip(homeless, free, strict=False)]
    remarks.append(f"{len(placed)} sounds without pitch lie on keys of their own, from {key_name(free[0])} up")
    return others + placed


def about_octaves(heard: list[Heard]) -> list[str]:
    """One line where most notes sound the same number of octaves from what their source says."""
    off = [round((h.pitch - h.note.pitch) / 12.0) for h in heard if h.key_was_given and h.pitch_confidence >= SURE]
    for octaves in sorted({o for o in off if o}, key=off.count, reverse=True)[:1]:
        if off.count(octaves) > max(2, len(off) // 2):
            far = "an octave" if abs(octaves) == 1 else f"{abs(octaves)} octaves"
            where = "lower" if octaves < 0 else "higher"
            return [f"{off.count(octaves)} of {len(off)} notes sound {far} {where} than their source says"]
    return []


def best_of_each(heard: list[Heard], remarks: list[str]) -> list[Heard]:
    """Of notes with one key and velocity the longer, the louder, the less clipped; sorted by key and velocity."""
    best: dict[tuple[int, int], Heard] = {}
    for one in heard:
        place = one.note.pitch, one.note.velocity
        rival = best.get(place)
        if rival is None:
            best[place] = one
            continue
        winner, loser = (one, rival) if _quality(one) > _quality(rival) else (rival, one)
        best[place] = winner
        remarks.append(
            f"left out: {loser.name}: {winner.name} has its key, {key_name(place[0])}, and velocity, {place[1]}, too"
        )
    return [best[place] for place in sorted(best)]


def _quality(heard: Heard) -> float:
    """In doublings of the duration: 12 dB of level are worth one, 1 % of clipped samples costs one."""
    audio = heard.note.audio
    level_db = 10.0 * np.log10(float(np.mean(np.square(audio, dtype=np.float64))) + 1e-12)
    return float(np.log2(audio.size) + level_db / 12.0 - 100.0 * heard.clipped_samples / audio.size)


def gathered_remarks(heard: list[Heard]) -> list[str]:
    """What was remarked on each note, one line each; on more than three notes, one line together."""
    names: dict[str, list[str]] = {}
    for one in heard:
        for remark in one.remarks:
            names.setdefault(remark, []).append(one.name)
    lines = []
    for remark, notes in names.items():
        who = f"{len(notes)} notes, from {notes[0]} to {notes[-1]}" if len(notes) > 3 else ", ".join(notes)
        lines.append(f"{who}: {remark}")
    return lines
