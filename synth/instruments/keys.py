"""Which key a recording belongs on: what the player says, else its source, else what is heard."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ, Float32Array
from synth.instruments.notes import FoundNote
from synth.instruments.pitch import PitchEstimate

Estimator = Callable[[Float32Array], PitchEstimate]

SHORTEST_PITCHED_S = 0.05
"""Two periods of MIDI 28. Shorter sounds are clicks, whatever their spectrum."""
CONFIDENT, SURE = 0.5, 0.9
"""From the first on, an estimate tells by how much a recording is off its key; from the second on it may contradict
what its source says."""
DOUBTFUL = 0.6
"""An estimate below is said to be one; A1 to A6 of a real piano had 0.69 to 0.97."""
PITCH_FROM_S = 10.0
"""Of a longer recording, the beginning tells its pitch."""
UNPITCHED_KEY = 60
AGREEING_CENTS = 100.0
_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


class Key(NamedTuple):
    """key: 0..127. cents: of the recording against it. heard: as it sounds, MIDI. word: for `SourceNote.pitched`."""

    key: int
    cents: float
    heard: float
    confidence: float
    pitched: bool
    word: bool | None
    was_given: bool


def find_key(
    found: FoundNote,
    audio: Float32Array,
    pitch: int | None,
    pitched: bool | None,
    estimate: Estimator,
    remarks: list[str],
) -> Key:
    """The key of `audio`, float32 [N] at 48 kHz from its onset; what is doubtful goes into `remarks`.

    pitch, pitched: the player's word. Raises TetradError where the player says that it has a pitch, and none is heard.
    """
    given = found.pitch if pitch is None else pitch
    was_given = given is not None
    if audio.size < SHORTEST_PITCHED_S * SAMPLE_RATE_HZ and pitched is None:
        remarks.append(f"it lasts {1000 * audio.size / SAMPLE_RATE_HZ:.0f} ms, and was taken as a sound without pitch")
        pitched = False
    if pitched is False:
        key = UNPITCHED_KEY if given is None else given
        return Key(key, 0.0, float(key), 0.0, False, False, was_given)
    heard = estimate(audio[: round(PITCH_FROM_S * SAMPLE_RATE_HZ)])
    tonal = (heard.pitched or pitched is True) and bool(np.isfinite(heard.pitch))
    if given is None:
        return _estimated_key(found.name, heard, tonal, pitched, remarks)
    declared = 0.0 if found.tuning_cents is None else float(np.clip(found.tuning_cents, -2400.0, 2400.0))
    cents = declared
    word = True if pitched or (tonal and heard.confidence >= SURE) else None
    if not tonal or heard.confidence < CONFIDENT:
        return Key(given, cents, given + cents / 100.0, heard.confidence, bool(pitched) or tonal, word, True)
    measured = 100.0 * (heard.pitch - given)
    if min(abs(measured - declared), abs(measured)) <= AGREEING_CENTS:
        cents = measured
    elif heard.confidence >= SURE:
        said = "the player" if pitch is not None else "its source"
        remarks.append(f"it sounds like {key_name(heard.pitch)}; {said} says {key_name(given)}, and was believed")
    return Key(given, cents, heard.pitch, heard.confidence, True, word, True)


def _estimated_key(name: str, heard: PitchEstimate, tonal: bool, pitched: bool | None, remarks: list[str]) -> Key:
    if not tonal:
        if pitched:
            raise TetradError(f"{name}: no pitch could be heard in it; say which key it is, or take it without pitch")
        remarks.append("no pitch could be heard in it")
        return Key(UNPITCHED_KEY, 0.0, float(UNPITCHED_KEY), heard.confidence, False, False, False)
    key = int(np.clip(round(heard.pitch), 0, 127))
    if heard.confidence < DOUBTFUL:
        remarks.append(f"it was heard as {key_name(key)} with a confidence of {heard.confidence:.2f} only")
    sure = True if pitched or heard.confidence >= SURE else None
    return Key(key, 100.0 * (heard.pitch - key), heard.pitch, heard.confidence, True, sure, False)


def key_name(pitch: float) -> str:
    """The nearest key, C4 = 60, with the cents beside it: "A4", "C#3 -31 cents"."""
    nearest = round(pitch)
    name = f"{_NAMES[nearest % 12]}{nearest // 12 - 1}"
    cents = round(100.0 * (pitch - nearest))
    return f"{name} {cents:+d} cents" if cents else name
