"""Paths computed from what the engine plays: held against the engine itself and against its sound."""

import dataclasses
import itertools
import subprocess
import sys

import numpy as np
import pytest
import torch

from models.audio import log_mel
from synth.control.events import NoteOn, SetParameter
from synth.errors import TetradError
from synth.frames import HOP, SAMPLE_RATE_HZ, ControlFrames, Float64Array, pitch_to_hz
from synth.grid import compute, heard
from synth.grid.pair_file import quantised
from synth.grid.pair_path import N_WARP, PairPath
from synth.grid.played import PlayedPath
from synth.grid.retime import even_warp, evenness, steps_db
from synth.instruments.encoder import Encoder
from synth.instruments.format import Instrument
from synth.instruments.library import Library
from synth.instruments.resynthesis import resynthesise
from synth.paths import shipped_instruments_dir
from synth.voices.decoder import Decoder
from synth.voices.engine import Engine
from synth.voices.prepared import PreparedInstrument
from synth.voices.segments import N_LEVELS
from synth.voices.voice import HELD, VOICE


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder()


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder()


@pytest.fixture(scope="module")
def pluck_and_bow() -> tuple[Instrument, Instrument]:
    library = Library([shipped_instruments_dir()])
    return library.load("kalimba"), library.load("violin")


def test_equal_steps_of_the_finger_are_equal_steps_of_what_is_heard() -> None:
    # Where u = s^2 is heard as s, steps of u are unlike, and the warp is s^2.
    places = np.linspace(0.0, 1.0, 101)
    warp = even_warp(places, np.diff(np.sqrt(places)))
    np.testing.assert_allclose(warp, np.linspace(0.0, 1.0, N_WARP) ** 2, atol=3e-3)
    assert warp[0] == 0.0
    assert warp[-1] == 1.0


def test_a_path_along_which_nothing_changes_is_straight() -> None:
    places = np.linspace(0.0, 1.0, 33)
    np.testing.assert_allclose(even_warp(places, np.zeros(32)), np.linspace(0.0, 1.0, N_WARP), atol=1e-7)
    assert evenness(np.zeros(32)) == 1.0


def test_a_path_stands_still_nowhere() -> None:
    steps = np.zeros(32)
    steps[10] = 3.0
    warp = even_warp(np.linspace(0.0, 1.0, 33), steps)
    assert np.diff(warp).min() > 0.0


def test_steps_are_weighed_by_the_time_that_frames_stand_for() -> None:
    mels = np.zeros((3, 2, heard.N_MELS), np.float32)
    mels[1, 0], mels[2, 1] = 2.0, 4.0
    np.testing.assert_allclose(steps_db(mels, np.array([0.25, 0.75])), [0.25 * 2.0, 0.25 * 2.0 + 0.75 * 4.0])
    np.testing.assert_allclose(compute.frame_weights((0, 1, 2, 4, 8)).sum(), 1.0)


def test_a_path_is_played_as_the_engine_plays_it(
    decoder: Decoder, pluck_and_bow: tuple[Instrument, Instrument]
) -> None:
    """Levels and frequencies of a voice of a real engine, at three places and moments, off the recorded pitches."""
    first, second = (PreparedInstrument(one) for one in pluck_and_bow)
    places, frames, key = np.array([0.0, 0.3, 1.0]), (0, 2, 5), 62
    played = PlayedPath(first, second, decoder, len(places), len(frames))
    for velocity in (100, 50):  # what a note left behind must not change the next
        found = played.play(key, velocity, places, frames).reshape(3, 3).copy()
    onset = SAMPLE_RATE_HZ // 5
    for p, k in itertools.product(range(3), range(3)):
        engine = Engine([first, second] * 2, decoder, n_voices=1, warm_up=False)
        for name, value in (("x", places[p]), ("y", 0.0), ("volume", 0.0)):
            engine.push(SetParameter(0, name, float(value)))
        engine.push(NoteOn(onset, key=key, velocity=50))
        engine.advance(onset + 1 + HOP * max(frames[k] - 1, 0) + (HOP // 2 if frames[k] else 0))
        bank = engine._conductor._bank
        (v,) = np.flatnonzero(bank["state"] == HELD)
        assert bank["frame"][v] == frames[k] + 1
        np.testing.assert_allclose(found[p, k]["level_to"], bank["level_to"][v], rtol=2e-3, atol=2e-6)
        np.testing.assert_allclose(found[p, k]["f0"], bank["f0"][v], rtol=1e-6)


def test_log_mel_levels_are_those_of_the_sound() -> None:
    """Five partials and the noise of eight bands, steady: within 1 dB of the spectrogram where one can hear them."""
    key, n_frames = 57, 100
    partial_db = np.full((n_frames, 100), -120.0, np.float32)
    partial_db[:, :5] = [-20.0, -26.0, -23.0, -40.0, -35.0]
    band_db = np.full((n_frames, 64), -120.0, np.float32)
    band_db[:, 44:52] = -45.0
    frames = ControlFrames(partial_db, band_db, np.zeros(n_frames, np.float32))
    sound = resynthesise(frames, float(pitch_to_hz(key)), 1e-4, n_frames * HOP)
    expected = log_mel(torch.from_numpy(sound)[None], SAMPLE_RATE_HZ).numpy()[0, 10:-10]
    expected = 10.0 * np.log10((10.0 ** (expected / 10.0)).mean(axis=0))

    voice = np.zeros(1, VOICE)
    levels = np.concatenate([partial_db[0], band_db[0]])
    voice["level_to"] = np.where(levels > -100.0, 10.0 ** (levels / 20.0), 0.0)
    assert voice["level_to"].shape == (1, N_LEVELS)
    voice["f0"], voice["inharmonicity"] = pitch_to_hz(key) / SAMPLE_RATE_HZ, 1e-4
    found = heard.log_mels_db(voice)[0]
    loud = expected > -75.0
    assert loud.sum() > 25
    np.testing.assert_allclose(found[loud], expected[loud], atol=1.0)
    np.testing.assert_allclose(found.max(), expected.max(), atol=0.1)


def heard_steps(ends: list[Instrument], key: int, paths: list[PairPath], decoder: Decoder) -> Float64Array:
    """Log-mel steps between eleven places of the engine's own sound."""
    sounds = []
    for x in np.linspace(0.0, 1.0, 11):
        engine = Engine([*ends, *ends], decoder, n_voices=1, warm_up=False, paths=paths)
        for name, value in (("x", x), ("y", 0.0), ("volume", 0.0)):
            engine.push(SetParameter(0, name, float(value)))
        engine.push(NoteOn(SAMPLE_RATE_HZ // 5, key=key, velocity=115))
        sounds.append(engine.render(SAMPLE_RATE_HZ * 6 // 5)[SAMPLE_RATE_HZ // 5 :, 0])
    mels = log_mel(torch.from_numpy(np.stack(sounds)), SAMPLE_RATE_HZ).numpy()
    return np.asarray(np.abs(np.diff(mels, axis=0)).mean(axis=(1, 2), dtype=np.float64))


@pytest.fixture(scope="module")
def path(decoder: Decoder, encoder: Encoder, pluck_and_bow: tuple[Instrument, Instrument]) -> PairPath:
    few = [dataclasses.replace(one, notes=one.notes[2:5]) for one in pluck_and_bow]
    return compute.pair_path(few[0], few[1], decoder, encoder)


def test_a_computed_path_is_even_to_the_ear(
    decoder: Decoder, pluck_and_bow: tuple[Instrument, Instrument], path: PairPath
) -> None:
    """Eleven sounds of the engine itself: largest over mean step at most 1.2, where the straight line has over 1.3."""
    few = [dataclasses.replace(one, notes=one.notes[2:5]) for one in pluck_and_bow]
    key = path.notes[2].pitch
    straight = evenness(heard_steps(few, key, [], decoder))
    assert straight > 1.3
    assert evenness(heard_steps(few, key, [path], decoder)) < min(1.2, 0.85 * straight)


def test_a_path_names_what_it_was_made_of(
    path: PairPath, decoder: Decoder, encoder: Encoder, pluck_and_bow: tuple[Instrument, Instrument]
) -> None:
    assert (path.first, path.second, path.model_id) == ("kalimba", "violin", decoder.model_id)
    recorded = {note.pitch for one in pluck_and_bow for note in one.notes[2:5]}
    assert [(note.pitch, note.velocity) for note in path.notes] == [(pitch, 115) for pitch in sorted(recorded)]
    few = [dataclasses.replace(one, notes=one.notes[2:5]) for one in pluck_and_bow]
    assert compute.identity(few[0])[1:] == (path.first_id, path.model_id)
    assert quantised(path).notes[0].warp.tolist() == path.notes[0].warp.tolist()
    turned = compute.pair_path(few[1], few[0], decoder, encoder)
    assert all(np.array_equal(a.warp, b.warp) for a, b in zip(path.notes, turned.notes, strict=True))


_IN_ANOTHER_PROCESS = """
import dataclasses, hashlib
from synth.grid.compute import pair_path
from synth.instruments.encoder import Encoder
from synth.instruments.library import Library
from synth.paths import shipped_instruments_dir
from synth.voices.decoder import Decoder
library = Library([shipped_instruments_dir()])
few = [dataclasses.replace(one, notes=one.notes[2:5]) for one in (library.load("violin"), library.load("kalimba"))]
other = [dataclasses.replace(one, notes=one.notes[:1]) for one in few]
pair_path(*other, Decoder(), Encoder())  # what was computed before must not matter
path = pair_path(*few, Decoder(), Encoder())
print(hashlib.sha256(b"".join(n.warp.tobytes() + n.bend.tobytes() for n in path.notes)).hexdigest())
"""


def test_another_process_computes_the_same_bytes(path: PairPath) -> None:
    import hashlib

    wanted = hashlib.sha256(b"".join(n.warp.tobytes() + n.bend.tobytes() for n in path.notes)).hexdigest()
    done = subprocess.run([sys.executable, "-c", _IN_ANOTHER_PROCESS], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == wanted


def with_notes(instrument: Instrument, places: list[tuple[int, int]]) -> Instrument:
    note = instrument.notes[0]
    return dataclasses.replace(
        instrument, notes=tuple(dataclasses.replace(note, pitch=pitch, velocity=velocity) for pitch, velocity in places)
    )


def test_which_notes_a_path_has(pluck_and_bow: tuple[Instrument, Instrument]) -> None:
    first, second = pluck_and_bow
    few = with_notes(first, [(40, 100), (50, 100)]), with_notes(second, [(45, 100), (50, 100)])
    assert compute.path_notes(*few) == [(40, 100), (45, 100), (50, 100)]
    layers = with_notes(first, [(40, 30), (40, 60), (40, 90)]), with_notes(second, [(45, 120)])
    assert compute.path_notes(*layers) == [(40, 30), (40, 120), (45, 30), (45, 120)]
    many = (
        with_notes(first, [(pitch, 100) for pitch in range(20, 100, 2)]),
        with_notes(second, [(pitch, 100) for pitch in (31, 52, 63, 96, 103)]),
    )
    notes = compute.path_notes(*many)
    assert len(notes) == compute.MOST_NOTES
    assert {20, 52, 96, 103} <= {pitch for pitch, _ in notes}
    assert notes == sorted(set(notes)) == compute.path_notes(many[1], many[0])


def test_what_is_no_pair_is_refused(
    decoder: Decoder, encoder: Encoder, pluck_and_bow: tuple[Instrument, Instrument]
) -> None:
    first, second = pluck_and_bow
    with pytest.raises(TetradError, match="kalimba was given twice"):
        compute.pair_path(first, first, decoder, encoder)
    stranger = dataclasses.replace(second, model_id="another-network")
    with pytest.raises(TetradError, match=f"another-network, but the path's is {decoder.model_id}"):
        compute.pair_path(first, stranger, decoder, encoder)
