"""The parts of a patch that have formats of their own, as what they mean: MIDI settings, tuning, gesture.

Each function raises TetradError for a document that means nothing. Results are kept, so that the patches that come of
one another by a turned knob do not read the same tuning again.
"""

import functools

from synth.control.gesture import Gesture
from synth.control.json_document import JsonObject
from synth.control.midi_settings import MidiSettings
from synth.control.tuning import Tuning
from synth.surface_path import path_points


@functools.lru_cache(maxsize=256)
def midi_settings(document: JsonObject) -> MidiSettings:
    """The settings that a patch's `midi` describes."""
    return MidiSettings.from_json(document.to_json())


@functools.lru_cache(maxsize=64)
def tuning_of(document: JsonObject | None) -> Tuning:
    """The tuning that a patch's `tuning` describes; twelve equal steps for None."""
    return Tuning() if document is None else Tuning.from_json(document.to_json())


@functools.lru_cache(maxsize=8)  # one of five minutes takes some 10 MB
def gesture_of(document: JsonObject) -> Gesture:
    """The way over the surface that a patch's `gesture` describes."""
    return Gesture(path_points(document.to_json(), "the gesture"))
