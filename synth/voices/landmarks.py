"""Landmarks of a note in time, by which notes of unlike instruments are brought together."""

import numpy as np

from synth.frames import FRAME_RATE_HZ, Float32Array

ATTACK_DB = 6.0
"""An attack is over this far below the loudest of the first second. Over the 57 shipped instruments that is 1 frame
(8 ms) for what is plucked or struck, 2 to 20 for most winds and strings, 53 for the slowest pad (medians over the notes
of each). With 3 dB it would be the swell and the vibrato: 12 instead of 6 frames for an accordion, 35 instead of 18 for
a violin."""
BEGIN_DB = 20.0
"""A note has begun at a tenth of its amplitude, where rise times are usually measured from."""
FALL_DB = 40.0
LONGEST_ATTACK = round(FRAME_RATE_HZ)


def attack_frames(loudness_db: Float32Array, below_db: float = ATTACK_DB) -> float:
    """Frames from the onset until the loudness, float32 [T] in dB, first comes within `below_db` of the loudest of its
    first second; 1 to LONGEST_ATTACK."""
    first = loudness_db[:LONGEST_ATTACK]
    return float(max(int(np.argmax(first >= first.max() - below_db)), 1))


def missing_rise_db(loudness_db: Float32Array, below_db: float = ATTACK_DB) -> float:
    """How much of the last `below_db` of its rise a note, float32 [T] in dB, has already behind it in its first frame;
    0 to `below_db`. What is struck is there at once: there is no rise that could be made slower."""
    first = loudness_db[:LONGEST_ATTACK]
    return max(float(loudness_db[0] - first.max()) + below_db, 0.0)


def fall_frames(loudness_db: Float32Array, release_start: int, release_fade: float) -> float:
    """Frames from the recorded release until the loudness, float32 [T] in dB, is FALL_DB softer, or to the note's end;
    at least 1. Where no release was recorded, what `release_fade`, in dB a frame, makes of it; the whole note where
    that is 0 too, since letting go of its key does not end it."""
    release = loudness_db[release_start:]
    if release.size > 1:
        return float(np.argmax(np.append(release[:-1] < release[0] - FALL_DB, True)) or 1)
    return max(FALL_DB / release_fade, 1.0) if release_fade > 0.0 else float(loudness_db.size)
