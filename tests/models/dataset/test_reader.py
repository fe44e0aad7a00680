"""Reading note sets, whole and broken."""

import hashlib
import json
import shutil

import numpy as np
import pytest
import soundfile

from models.dataset.reader import NoteSet
from synth.errors import TetradError
from synth.instruments.resampling import to_encoder_rate


@pytest.fixture
def copy(note_set_dir, tmp_path):
    return shutil.copytree(note_set_dir, tmp_path / "copy")


def _refusal(directory):
    with pytest.raises(TetradError) as caught:
        NoteSet.open(directory)
    return str(caught.value)


def _edit(directory, **changes):
    path = directory / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_filters(note_set_dir):
    notes = NoteSet.open(note_set_dir)
    assert len(notes) == len(list(notes)) > 6
    held_out = notes.examples(split="held_out")
    assert {e.program for e in held_out} == {41}
    assert len(held_out) + len(notes.examples(split="train")) == len(notes)
    flutes = notes.examples(instrument="test_tones_073_flute")
    assert flutes
    assert {(e.family, e.bank, e.sustains, e.preset) for e in flutes} == {("flute", 0, True, "Flute")}
    assert {e.velocity for e in notes.examples(velocity=80)} == {80}
    assert {e.family for e in notes.examples(family="mallet")} == {"mallet"}
    assert notes.instruments(split="held_out") == ["test_tones_041_viola"]
    with pytest.raises(TetradError, match="train or held_out"):
        notes.examples(split="test")


def test_audio(note_set_dir):
    notes = NoteSet.open(note_set_dir)
    for example in notes:
        audio, low = notes.audio_48k(example.name), notes.audio_16k(example.name)
        assert (audio.dtype, audio.shape, low.dtype, low.shape) == (np.float32, (192_000,), np.float32, (64_000,))
        assert np.abs(audio).max() == np.float32(example.peak) > 0.05
        assert np.abs(to_encoder_rate(audio.astype(np.float64)) - low).max() < 1e-6
        # The tone lies below 1 kHz, so the 16 kHz version is every third sample; edges apart, where both ring.
        assert np.abs(audio[3000:140_000:3] - low[1000:46_667]).max() < 1e-3 * example.peak


def test_an_unknown_note(note_set_dir):
    with pytest.raises(TetradError, match="no note theremin-060-080"):
        NoteSet.open(note_set_dir).audio_48k("theremin-060-080")


def test_no_set(tmp_path):
    assert "tetrad model data" in _refusal(tmp_path)
    assert "tetrad model data" in _refusal(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    assert "is not a directory" in _refusal(tmp_path / "file")


def test_another_format(copy):
    _edit(copy, format="nsynth")
    assert "'nsynth'" in _refusal(copy)
    (copy / "manifest.json").write_text("[1]")
    assert "'list'" in _refusal(copy)
    (copy / "manifest.json").write_text("{")
    assert "cannot read" in _refusal(copy)


def test_a_newer_version(copy):
    _edit(copy, format_version=3)
    assert "version 3; a note set of format tetrad-note-set, version 1 to 2, was expected" in _refusal(copy)


def test_a_set_of_version_1_has_no_groups_and_opens_all_the_same(copy):
    path = copy / "examples.json"
    entries = json.loads(path.read_text())
    for entry in entries.values():
        del entry["group"]
    path.write_text(json.dumps(entries))
    _edit(copy, format_version=1, examples_sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    notes = NoteSet.open(copy)
    assert len(notes) == len(entries)
    assert all(e.group == e.instrument and e.rate_hz == 48_000 for e in notes)


def test_an_unfinished_set(copy):
    _edit(copy, complete=False)
    assert "not complete" in _refusal(copy)


def test_changed_examples(copy):
    with (copy / "examples.json").open("a") as file:
        file.write(" ")
    assert "SHA-256" in _refusal(copy)
    (copy / "examples.json").unlink()
    assert "cannot read" in _refusal(copy)


@pytest.mark.parametrize("folder", ["audio", "audio16"])
def test_a_missing_file_is_named(copy, folder):
    victim = sorted((copy / folder).iterdir())[1]
    victim.unlink()
    assert victim.name in _refusal(copy)
    shutil.rmtree(copy / folder)
    assert "audio files are missing" in _refusal(copy)


def test_unfit_audio(copy):
    notes = NoteSet.open(copy)
    name = next(iter(notes)).name
    path = copy / "audio" / f"{name}.flac"
    whole = path.read_bytes()
    samples = np.zeros(192_000, np.float32)
    samples[5] = np.nan

    def complaint():
        with pytest.raises(TetradError) as caught:
            notes.audio_48k(name)
        return str(caught.value)

    soundfile.write(path, samples, 48_000, format="WAV", subtype="FLOAT")
    assert "holds 1 samples that are not numbers" in complaint()
    soundfile.write(path, np.zeros(100), 44_100, format="FLAC")
    assert "100 samples in 1 channels at 44100 Hz" in complaint()
    path.write_bytes(b"")
    assert str(path) in complaint()
    path.write_bytes(whole[: len(whole) // 2])
    assert str(path) in complaint()
