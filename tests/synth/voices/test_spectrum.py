"""The spectra that the status tells of, against those of the sound itself."""

import numpy as np
import pytest

from synth.control.events import NoteOn, SetParameter
from synth.instruments.library import Library
from synth.voices.decoder import Decoder
from synth.voices.engine import Engine
from synth.voices.spectrum import FLOOR_DB, N_OCTAVES, OCTAVE_EDGES_HZ, octave_of

RATE = 48_000


def engine_with(instrument: str, **parameters: float) -> Engine:
    decoder = Decoder()
    engine = Engine([Library().load(instrument)] * 4, decoder, n_voices=16, warm_up=False)
    for name, value in parameters.items():
        engine.push(SetParameter(0, name, value))
    return engine


def measured_db(sound: np.ndarray) -> np.ndarray:
    """Power of each octave of float32 [n, 2], both channels together, in dB."""
    window = np.hanning(len(sound))[:, None]
    power = (np.abs(np.fft.rfft(sound * window, axis=0)) ** 2).sum(axis=1) * 2.0 / len(sound) / (window**2).sum()
    octave = octave_of(np.asarray(np.fft.rfftfreq(len(sound), 1.0 / RATE), np.float64))
    return 10.0 * np.log10(np.bincount(octave, power, minlength=N_OCTAVES) + 1e-12)


@pytest.mark.parametrize("instrument", ["flute", "harpsichord", "saw-lead"])
@pytest.mark.parametrize("key", [38, 64, 90])
def test_a_notes_octaves_are_those_of_its_sound(instrument: str, key: int) -> None:
    engine = engine_with(instrument, volume=-12.0)
    engine.push(NoteOn(0, 0, key, 100))
    engine.render(RATE // 2)
    told = []
    blocks = []
    for _ in range(20):
        blocks.append(engine.render(480))
        (note,) = engine.status()["notes"]
        told.append(10.0 ** (np.array(note["spectrum_db"]) / 10.0))
    heard_db = measured_db(np.concatenate(blocks))
    told_db = 10.0 * np.log10(np.mean(told, axis=0))
    loud = heard_db > heard_db.max() - 35.0
    assert np.abs(told_db - heard_db)[loud].max() < 3.0
    # What can't be heard is not shown as if it could.
    assert (told_db - heard_db.max())[heard_db < heard_db.max() - 60.0].max(initial=-99.0) < -45.0


def test_unison_voices_are_one_note_with_all_their_power() -> None:
    alone, many = engine_with("flute"), engine_with("flute", unison=8.0, unison_detune=0.0, unison_width=0.0)
    spectra = []
    for engine in (alone, many):
        engine.push(NoteOn(0, 0, 60, 100))
        engine.push(NoteOn(0, 1, 72, 100))
        engine.render(RATE // 4)
        notes = engine.status()["notes"]
        assert sorted(note["key"] for note in notes) == [60, 72]
        spectra.append({note["key"]: np.array(note["spectrum_db"]) for note in notes})
    for key in (60, 72):
        assert spectra[0][key].max() == pytest.approx(spectra[1][key].max(), abs=1.5)


def test_frequencies_fall_into_their_octaves_and_all_bands_stay_inside() -> None:
    middles = np.sqrt(OCTAVE_EDGES_HZ[:-1] * OCTAVE_EDGES_HZ[1:])
    assert octave_of(middles).tolist() == list(range(N_OCTAVES))
    assert octave_of(np.array([0.0, 20.0, 20_000.0])).tolist() == [0, 0, N_OCTAVES - 1]


def test_a_note_that_has_hardly_begun_is_hardly_there() -> None:
    engine = engine_with("flute")
    engine.push(NoteOn(100, 0, 60, 100))
    engine.advance(101)
    (begun,) = engine.status()["notes"]
    engine.render(RATE // 2)
    (sounding,) = engine.status()["notes"]
    assert len(begun["spectrum_db"]) == len(sounding["spectrum_db"]) == N_OCTAVES
    assert FLOOR_DB <= max(begun["spectrum_db"]) < max(sounding["spectrum_db"]) - 20.0
