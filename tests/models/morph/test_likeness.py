"""Real notes and embeddings as a measure of the middle, with the notes of a small sound font."""

from pathlib import Path

import numpy as np
import pytest

from models.dataset.build import build_note_set
from models.dataset.reader import NoteSet
from models.morph.likeness import (
    FARTHEST_SEMITONES,
    Listener,
    RealNotes,
    embedding_distance,
    mean_of,
    nearest_notes,
    spectrum_db,
)
from synth.frames import Float32Array
from tests.models.dataset.make_soundfont import write_sound_font
from tests.synth.voices.engine_parts import note, steady


@pytest.fixture(scope="module")
def note_set(tmp_path_factory: pytest.TempPathFactory) -> NoteSet:
    root = tmp_path_factory.mktemp("real")
    write_sound_font(root / "Test Tones.sf2")
    build_note_set(root / "notes", [root / "Test Tones.sf2"], jobs=1, limit=12)
    return NoteSet.open(root / "notes")


def test_one_note_of_each_instrument_near_the_key(note_set: NoteSet) -> None:
    for key in (60, 70, 79):
        found = nearest_notes(note_set, key)
        near = [n for n in note_set if abs(n.pitch - key) <= FARTHEST_SEMITONES]
        assert {n.instrument for n in found} == {n.instrument for n in near}
        assert len({n.instrument for n in found}) == len(found) > 0
        for n in found:
            assert abs(n.pitch - key) == min(abs(m.pitch - key) for m in near if m.instrument == n.instrument)


def test_a_real_note_is_nearest_to_itself_at_any_level(note_set: NoteSet) -> None:
    wanted = nearest_notes(note_set, 70)[-1]
    real = RealNotes(note_set, wanted.pitch)
    audio = note_set.audio_16k(wanted.name).astype(np.float32)
    distance_db, name = real.nearest_db(0.25 * audio)
    assert name == wanted.name
    assert distance_db < 0.1
    other_db, other = real.nearest_db(audio, without=[wanted.group])
    assert other != name
    assert not distance_db > other_db
    noise = (0.1 * np.random.default_rng(0).standard_normal(audio.size)).astype(np.float32)
    assert real.nearest_db(noise)[0] > 20.0


def test_a_note_is_brought_to_the_key(note_set: NoteSet) -> None:
    """A stationary tone a semitone lower is nearly the recording itself, but at the recorded key."""
    recorded = nearest_notes(note_set, 70)[0]
    real = RealNotes(note_set, recorded.pitch + 1)
    n = np.arange(64_000)
    assert recorded.name in real.names
    there, here = (
        real.nearest_db(np.interp(n * ratio, n, note_set.audio_16k(recorded.name)).astype(np.float32))[0]
        for ratio in (2.0 ** (1 / 12), 1.0)
    )
    assert there < 0.5 * here


def test_without_real_notes_there_is_no_distance(note_set: NoteSet) -> None:
    distance, name = RealNotes(note_set, 5).nearest_db(np.ones(64_000, np.float32))
    assert np.isnan(distance)
    assert name == ""


def test_most_real_notes(note_set: NoteSet) -> None:
    assert len(RealNotes(note_set, 60, most=1).names) == 1


def test_a_spectrum_is_relative_to_its_loudest_frame() -> None:
    tone = np.sin(np.arange(16_000) * 0.2).astype(np.float32)
    found = spectrum_db(tone)
    np.testing.assert_allclose(found.astype(float), spectrum_db(1e-2 * tone).astype(float), atol=0.1)
    assert found.min() == -80.0
    assert found.max() <= 0.0


def test_agreement_with_the_embedding() -> None:
    ends = [note(steady({1: -20}, seed=seed)) for seed in (1, 2)]
    asked = []

    def encode(wave: Float32Array, f0_hz: float, inharmonicity: float) -> Float32Array:
        asked.append((wave.size, f0_hz, inharmonicity))
        return 0.5 * ends[0].z + 0.5 * ends[1].z

    sound = np.ones(64_000, np.float32)
    assert embedding_distance(sound, ends, 220.0, encode) == pytest.approx(0.0, abs=1e-6)
    assert embedding_distance(sound, ends, 220.0, encode, at_east=0.0) == pytest.approx(0.5, abs=1e-6)
    assert embedding_distance(sound, ends, 220.0, lambda *_: ends[1].z, at_east=0.0) == pytest.approx(1.0, abs=1e-6)
    assert asked[0] == (64_000, 220.0, 0.0)


def test_a_listener_asks_what_it_has(note_set: NoteSet) -> None:
    ends = [note(steady({1: -20}, seed=seed)) for seed in (1, 2)]
    sound = np.sin(np.arange(192_000) * 0.05).astype(np.float32)
    real = RealNotes(note_set, 60)
    deaf = Listener(lambda _: real, None, None).listen(sound, 0.5, ends, [], 60)
    assert np.isnan(deaf.family_confidence)
    assert np.isnan(deaf.embedding_distance)
    assert deaf.nearest_real in real.names
    heard = Listener(lambda _: real, lambda *_: ends[0].z, lambda audio: audio.size / 1e5)
    found = heard.listen(sound, 1.0, ends, [], 60)
    assert found.family_confidence == pytest.approx(0.64)
    assert found.embedding_distance == pytest.approx(1.0)
    mean = mean_of([found, heard.listen(sound, 0.0, ends, [], 60)])
    assert mean.embedding_distance == pytest.approx(0.5)
    assert Path(mean.nearest_real.split(", ")[0]).name == found.nearest_real
