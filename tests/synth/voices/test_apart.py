"""Many notes at once are each what the engine plays when it is alone."""

import numpy as np
import pytest

from synth.control.events import NoteOff, NoteOn, SetParameter
from synth.errors import TetradError
from synth.frames import FRAMES_PER_EMBEDDING, Float32Array
from synth.instruments.format import Instrument
from synth.voices.apart import SETTLE_FRAMES, SpotNote, embeddings_of_notes, render_notes
from synth.voices.engine import Engine
from synth.voices.voice import GROUP_SIZE
from tests.synth.voices.engine_parts import HOP, AnalyticDecoder, instrument, steady
from tests.synth.voices.test_engine_timing import noisy

ONSET = SETTLE_FRAMES * HOP
HELD_S, TOTAL_S = 0.4, 0.6
NOTES = [SpotNote(0.0, 1.0, 60), SpotNote(0.25, 0.5, 60), SpotNote(0.25, 0.5, 47), SpotNote(1.0, 0.0, 72)]

CROWD = [SpotNote(0.5, 0.25, key) for key in range(36, 36 + GROUP_SIZE)]
"""So many that the last of them would tick on the grid of another group."""


def corners() -> list[Instrument]:
    bright = instrument(steady({k: -20.0 - k for k in range(1, 30)}), name="bright")
    hollow = instrument(steady({1: -12.0, 3: -20.0, 5: -30.0}, seed=3), sustains=False, name="hollow")
    return [bright, instrument(noisy(), name="breath"), hollow, bright]


def alone(four: list[Instrument], note: SpotNote, seed: int) -> Float32Array:
    engine = Engine(four, AnalyticDecoder(), n_voices=1, seed=seed, warm_up=False)
    for name, value in (("x", note.x), ("y", note.y), ("volume", 0.0)):
        engine.push(SetParameter(0, name, value))
    engine.push(NoteOn(ONSET, key=note.key, velocity=90))
    engine.push(NoteOff(ONSET + round(HELD_S * 48_000), key=note.key))
    return engine.render(ONSET + round(TOTAL_S * 48_000))[ONSET:, 0]


def test_each_note_is_the_engines_own() -> None:
    four = corners()
    notes = [*CROWD, *NOTES]
    sounds = render_notes(four, AnalyticDecoder(), notes, velocity=90, held_s=HELD_S, total_s=TOTAL_S, seed=5)
    assert sounds.shape == (len(notes), round(TOTAL_S * 48_000))
    for note, sound in zip(notes[-5:], sounds[-5:], strict=True):
        wanted = alone(four, note, seed=5)
        assert np.abs(wanted).max() > 0.01
        np.testing.assert_allclose(sound, wanted, atol=1e-6)


def test_a_note_does_not_depend_on_the_others_or_their_order() -> None:
    four = corners()
    settings = {"velocity": 90, "held_s": 0.2, "total_s": 0.3}
    together = render_notes(four, AnalyticDecoder(), NOTES, **settings)  # type: ignore[arg-type]
    backwards = render_notes(four, AnalyticDecoder(), NOTES[::-1], **settings)  # type: ignore[arg-type]
    np.testing.assert_array_equal(together, backwards[::-1])


def test_what_does_not_fit_is_refused() -> None:
    places = [SpotNote(i / 20.0, 0.0, 60) for i in range(17)]
    for notes in (places, [NOTES[0], NOTES[0]], []):
        with pytest.raises(TetradError, match=r"render them in parts"):
            render_notes(corners(), AnalyticDecoder(), notes, velocity=90, held_s=0.1, total_s=0.2)


def test_embeddings_are_the_notes_own_in_a_corner_and_their_blend_between() -> None:
    first, second = instrument(steady({1: -20.0}, seed=1)), instrument(steady({1: -20.0}, seed=2))
    notes = [SpotNote(0.0, 1.0, 60), SpotNote(1.0, 1.0, 60), SpotNote(0.25, 1.0, 60)]
    z = embeddings_of_notes(
        [first, second, first, second], AnalyticDecoder(), notes, velocity=100, held_s=0.3, total_s=0.4
    )
    assert z.shape == (3, 13, 16)
    assert np.isfinite(z).all()
    n = 20 // FRAMES_PER_EMBEDDING  # before the loop's beginning, time is the note's own
    ends = [end.notes[0].z[:n] for end in (first, second)]
    np.testing.assert_allclose(z[0, :n], ends[0], atol=1e-5)
    np.testing.assert_allclose(z[1, :n], ends[1], atol=1e-5)
    np.testing.assert_allclose(z[2, :n], 0.75 * ends[0] + 0.25 * ends[1], atol=1e-5)
