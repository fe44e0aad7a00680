"""The classifier hears pitch, kind and qualities; it learns; its file is checked; it judges recordings and rows."""

import argparse
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import save_file

from models import control_data
from models.classifier import training
from models.classifier.accuracy import accuracy, evaluate_classifier
from models.classifier.features import N_BINS, N_FRAMES, features
from models.classifier.judge import Judgement, classify, distance_to_nearest, family_confidence, name_of_family
from models.classifier.network import Classifier, ClassifierConfig, levels_of
from models.classifier.notes import LabelledNotes, Truth, labelled_notes, recordings
from models.classifier.qualities import QUALITIES, labels, measures
from models.classifier.training import Batches, ClassifierRun, ClassifierTraining, TrainClassifierCommand
from models.classifier.weights import load_classifier, save_classifier
from models.control_data import ControlSet
from models.dataset.reader import NoteSet
from synth import cli
from synth.errors import TetradError
from synth.frames import N_PARTIALS, pitch_to_hz
from synth.instruments.format import FAMILIES
from synth.instruments.resampling import to_engine_rate
from tests.models.dataset.make_soundfont import write_sound_font

TIME_S = np.arange(64_000) / 16_000.0
HELD = np.clip((3.0 - TIME_S) / 0.02, 0.0, 1.0)  # let go at 3 s, over 20 ms
Sound = npt.NDArray[np.float64]


def note(pitch: float, tilt: float = 1.0, decay_db_per_s: float = 0.0, *, odd: bool = False) -> Sound:
    """Partials falling as k^-tilt, at 16 kHz, read from a table of one period."""
    f0_hz = float(pitch_to_hz(pitch))
    k = np.arange(1, int(7500.0 / f0_hz) + 1)
    level = np.where(odd & (k % 2 == 0), 0.0, k**-tilt)
    spectrum = np.zeros(8193, complex)
    spectrum[1 : k.size + 1] = 8192.0 * level * np.exp(1j * k * k)
    period = np.append(np.fft.irfft(spectrum), np.nan)
    period[-1] = period[0]
    sound = np.interp(f0_hz * TIME_S % 1.0 * 16384.0, np.arange(16385), period)
    return 0.1 * sound * HELD * 10.0 ** (-decay_db_per_s * TIME_S / 20.0)


@pytest.mark.parametrize("pitch", [48, 60, 83, 100])
def test_a_tone_is_loudest_in_the_middle_of_its_semitone(pitch: int) -> None:
    heard = features(np.sin(2.0 * np.pi * float(pitch_to_hz(pitch)) * TIME_S))
    assert heard.shape == (N_FRAMES, N_BINS)
    assert set(heard[10:-10].argmax(axis=1)) == {3 * (pitch - 21) + 1}
    assert heard.max() == 160


def test_features_know_no_level_and_no_rate() -> None:
    sound = note(50)
    heard = features(sound).astype(int)
    np.testing.assert_array_equal(features(1e-3 * sound), heard)
    high = features(to_engine_rate(sound, 16_000), 48_000).astype(int)
    below_7_khz = slice(0, 3 * 95)
    assert np.abs(high - heard)[8:, below_7_khz].max() <= 2  # 1 dB; before that, the resamplers ring at the onset
    short = features(sound[:16_000])
    assert short[40:].max() == 0  # a second of sound, then nothing
    np.testing.assert_array_equal(short[:20], heard[:20])


@pytest.mark.parametrize(
    ("sound", "rate_hz", "words"),
    [
        (np.zeros(64_000), 16_000, "silent"),
        (np.full(64_000, np.nan), 16_000, "not numbers"),
        (np.ones((2, 64_000)), 16_000, "one channel"),
        (np.ones(0), 16_000, "one channel"),
        (np.ones(64_000), 44_100, "44100 Hz"),
    ],
)
def test_what_cannot_be_classified_is_said(sound: Sound, rate_hz: int, words: str) -> None:
    with pytest.raises(TetradError, match=words):
        features(sound, rate_hz)


def has(sound: Sound, pitch: float) -> set[str]:
    found = labels(sound, float(pitch_to_hz(pitch)))
    assert found.shape == (len(QUALITIES),)
    return {name for name, yes in zip(QUALITIES, found, strict=True) if yes}


def test_bright_and_dark_are_relative_to_the_pitch() -> None:
    for pitch in (40, 60, 75):
        assert "bright" in has(note(pitch, 0.0), pitch)
        assert "dark" in has(note(pitch, 4.0), pitch)
        assert not {"bright", "dark"} & has(note(pitch, 1.5), pitch)


def test_decay_and_release_are_told_by_the_level() -> None:
    assert "fast_decay" in has(note(60, decay_db_per_s=20.0), 60)
    assert "fast_decay" not in has(note(60, decay_db_per_s=5.0), 60)
    assert "long_release" not in has(note(60), 60)
    ringing = note(60) + 0.5 * (TIME_S > 3.0) * np.sin(2.0 * np.pi * 261.63 * TIME_S) * np.exp(3.0 - TIME_S)
    assert "long_release" in has(ringing, 60)
    gone = note(60, decay_db_per_s=30.0)
    assert "long_release" not in has(gone, 60)  # what was not there before the release is not released


def test_changes_of_level_are_told_apart() -> None:
    steady = has(note(60), 60)
    assert not {"nonlinear_env", "tempo_synced"} & steady
    swell = has(note(60) * np.minimum(TIME_S / 2.0, 1.0), 60)
    assert "nonlinear_env" in swell
    assert "tempo_synced" not in swell
    tremolo = has(note(60) * (1.0 + 0.3 * np.sin(2.0 * np.pi * 5.0 * TIME_S)), 60)
    assert "tempo_synced" in tremolo
    assert "nonlinear_env" not in tremolo


def test_foreign_tones_and_thumps_are_heard() -> None:
    tone = note(60, 1.2)
    assert not {"multiphonic", "percussive"} & has(tone, 60)
    assert "multiphonic" in has(tone + 0.05 * HELD * np.sin(2.0 * np.pi * 370.0 * TIME_S), 60)
    for cents, foreign in ((40.0, False), (80.0, True)):  # the tenth partial of a stiff string, and of none
        high = 0.05 * HELD * np.sin(2.0 * np.pi * 2616.26 * 2.0 ** (cents / 1200.0) * TIME_S)
        assert ("multiphonic" in has(tone + high, 60)) == foreign
    thump = np.random.default_rng(1).standard_normal(TIME_S.size) * np.exp(-TIME_S / 0.01)
    assert "percussive" in has(tone + 0.3 * thump, 60)


def test_qualities_of_silence_are_refused() -> None:
    with pytest.raises(TetradError, match="not silent"):
        measures(np.zeros(64_000), 440.0)


def made_notes(pitches: range) -> LabelledNotes:
    """Three kinds: a steady organ, a dull plucked bass, a hollow reed."""
    sounds = [(pitch, "organ", note(pitch)) for pitch in pitches]
    sounds += [(pitch, "bass", note(pitch, tilt=2.0, decay_db_per_s=20.0)) for pitch in pitches]
    sounds += [(pitch, "reed", note(pitch, odd=True)) for pitch in pitches]
    truth = Truth(
        np.array([pitch for pitch, _, _ in sounds]),
        np.array([FAMILIES.index(name) for _, name, _ in sounds]),
        np.array([labels(sound, float(pitch_to_hz(pitch))) for pitch, _, sound in sounds]),
    )
    return LabelledNotes(np.stack([features(sound) for _, _, sound in sounds]), truth)


@pytest.fixture(scope="module")
def trained() -> ClassifierRun:
    config = ClassifierTraining(batch_size=12)
    run = ClassifierRun(made_notes(range(48, 84, 3)), config, ClassifierConfig())
    for step in range(120):
        run.step(step / 120)
    return run


@pytest.mark.slow
def test_it_learns_pitch_family_and_qualities_of_keys_it_never_heard(trained: ClassifierRun) -> None:
    unheard = made_notes(range(49, 84, 6))
    with torch.no_grad():
        scores = trained.ema(levels_of(torch.from_numpy(unheard.features)))
    judgement = Judgement(
        scores.pitch.argmax(dim=1).numpy() + 21,
        scores.family.softmax(dim=1).numpy(),
        scores.quality.sigmoid().numpy(),
        scores.embedding.numpy(),
    )
    found = accuracy(judgement, unheard.truth)
    assert found["pitch"] >= 0.95
    assert found["family"] >= 0.85
    assert found["quality"] >= 0.9


@pytest.mark.slow
def test_it_judges_any_sound_and_says_how_sure_it_is(trained: ClassifierRun) -> None:
    sounds = [note(58), note(58, tilt=2.0, decay_db_per_s=20.0)]
    judgement = classify(trained.ema, sounds, 16_000)
    assert list(judgement.pitch) == [58, 58]
    assert [name_of_family(judgement, i) for i in range(2)] == ["organ", "bass"]
    np.testing.assert_allclose(judgement.family_share.sum(axis=1), 1.0, rtol=1e-5)
    assert judgement.quality[1, QUALITIES.index("fast_decay")]
    sure = family_confidence(trained.ema, sounds[0], 16_000)
    assert sure == pytest.approx(float(judgement.family_share[0].max()), abs=1e-5)
    near = distance_to_nearest(judgement.embedding, classify(trained.ema, [note(59)], 16_000).embedding)
    assert near[0] < 0.2 < near[1]  # the organ's neighbour is an organ
    assert distance_to_nearest(judgement.embedding, judgement.embedding) == pytest.approx(0.0, abs=1e-6)
    axes = np.eye(3, 128, dtype=np.float32)
    np.testing.assert_allclose(distance_to_nearest(axes, axes[1:]), [1.0, 0.0, 0.0])


def test_the_same_seed_gives_the_same_weights() -> None:
    notes = made_notes(range(50, 60, 5))

    def weights(seed: int) -> dict[str, torch.Tensor]:
        run = ClassifierRun(notes, ClassifierTraining(batch_size=4, seed=seed), ClassifierConfig())
        for step in range(3):
            run.step(step / 3)
        return run.ema.state_dict()

    first, again, other = weights(1), weights(1), weights(2)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["family.weight"], other["family.weight"])


def test_a_note_that_is_moved_in_key_has_moved_in_pitch() -> None:
    sound = features(np.sin(2.0 * np.pi * float(pitch_to_hz(60)) * TIME_S))[None]
    notes = LabelledNotes(sound, Truth(np.array([60]), np.array([0]), np.zeros((1, len(QUALITIES)), bool)))
    batches = Batches(notes, ClassifierTraining(batch_size=40))
    levels, truth = batches(7)
    assert set(truth.pitch) == set(range(57, 64))
    assert list(levels[:, 60].argmax(dim=1)) == [3 * (pitch - 21) + 1 for pitch in truth.pitch]
    np.testing.assert_allclose(levels.amax(dim=(1, 2)), 1.0, rtol=1e-6)
    assert levels.min() >= 0.0
    assert levels[:, 20:, 3 * 60 :].max() <= 0.26  # where nothing sounds there is noise, at -60 dB at most
    again, _ = batches(7)
    assert torch.equal(levels, again)
    assert not torch.equal(levels, batches(8)[0])


def test_a_moved_note_stays_on_the_scale() -> None:
    quiet = np.zeros((1, N_FRAMES, N_BINS), np.uint8)
    quiet[:, :, 1] = 160  # pitch 21
    notes = LabelledNotes(quiet, Truth(np.array([21]), np.array([0]), np.zeros((1, len(QUALITIES)), bool)))
    _, truth = Batches(notes, ClassifierTraining(batch_size=40))(0)
    assert set(truth.pitch) == {21, 22, 23, 24}


def test_weights_come_back_and_foreign_files_do_not(tmp_path: Path) -> None:
    run = ClassifierRun(made_notes(range(50, 56, 5)), ClassifierTraining(batch_size=4), ClassifierConfig())
    run.step(0.0)
    path = tmp_path / "deeper" / "c.safetensors"
    save_classifier(path, run)
    heard = levels_of(torch.from_numpy(run.batches.notes.features))
    with torch.no_grad():
        torch.testing.assert_close(load_classifier(path)(heard).family, run.ema(heard).family)
    state = {name: tensor.contiguous() for name, tensor in run.ema.state_dict().items()}
    good = {
        "format": "tetrad-classifier",
        "version": "1",
        "config": json.dumps(run.ema.config.to_dict()),
        "families": json.dumps(FAMILIES),
        "qualities": json.dumps(QUALITIES),
    }
    cases: list[tuple[dict[str, torch.Tensor], dict[str, str], str]] = [
        (state, {}, "None version None"),
        (state, good | {"version": "9"}, "version 9"),
        (state, good | {"qualities": '["loud"]'}, "other qualities"),
        (state, good | {"config": '{"depth": 3}'}, "unknown|expected"),
        (state, good | {"config": json.dumps(ClassifierConfig(width=8).to_dict())}, "does not fit"),
        ({name: state[name] for name in list(state)[1:]}, good, "Missing key"),
    ]
    for tensors, metadata, words in cases:
        save_file(tensors, tmp_path / "wrong.safetensors", metadata)
        with pytest.raises(TetradError, match=words) as error:
            load_classifier(tmp_path / "wrong.safetensors")
        assert "\n" not in str(error.value)
        assert "train-classifier" in str(error.value)
    (tmp_path / "noise").write_bytes(b"\x80\x04 a pickle")
    for name in ("noise", "missing"):
        with pytest.raises(TetradError, match="can't be read"):
            load_classifier(tmp_path / name)


@pytest.fixture(scope="module")
def note_set(tmp_path_factory: pytest.TempPathFactory) -> NoteSet:
    root = tmp_path_factory.mktemp("classifier")
    write_sound_font(root / "Test Tones.sf2")
    fonts = ["--fonts", str(root / "Test Tones.sf2"), "--jobs", "1", "--limit", "12"]
    assert cli.main(["model", "data", str(root / "notes"), *fonts]) == 0
    found = NoteSet.open(root / "notes")
    control_data.prepare(found, jobs=1)
    return found


@pytest.mark.slow
def test_reconstructions_are_judged_beside_their_originals(trained: ClassifierRun, note_set: NoteSet) -> None:
    data = control_data.load(note_set.directory, note_set.instruments()).spread(4)

    def an_octave_up(given: ControlSet) -> npt.NDArray[np.float16]:
        rows = given.rows.copy()
        rows[:, :, :N_PARTIALS] = -120.0
        rows[:, :, 1] = given.rows[:, :, 0]  # the test font's notes are sines: the second partial alone
        return rows

    found = evaluate_classifier(trained.ema, note_set, data, an_octave_up)
    original, octave, measured = (found[name] for name in ("original", "reconstruction", "measured"))
    assert isinstance(original, dict)
    assert isinstance(octave, dict)
    assert {"pitch", "family", "quality"} <= set(original)
    assert measured == pytest.approx(
        original, abs=0.15, nan_ok=True
    )  # the frames that were measured sound like the recording
    assert octave["pitch"] < original["pitch"] or original["pitch"] == 0.0
    drop = found["drop"]
    assert isinstance(drop, dict)
    assert drop["pitch"] == pytest.approx(original["pitch"] - octave["pitch"])
    assert found["n_notes"] == data.n_notes
    silent = evaluate_classifier(trained.ema, note_set, data.spread(1), lambda given: np.full_like(given.rows, -120.0))
    assert isinstance(silent["reconstruction"], dict)  # a network that is silent is wrong, not an error


def test_accuracy_counts() -> None:
    truth = Truth(np.array([60, 61]), np.array([0, 1]), np.eye(2, len(QUALITIES), dtype=bool))
    family = np.zeros((2, len(FAMILIES)), np.float32)
    family[:, 0] = 1.0
    judgement = Judgement(
        np.array([60, 62]), family, np.zeros((2, len(QUALITIES)), np.float32), np.zeros((2, 128), np.float32)
    )
    assert accuracy(judgement, truth) == {"pitch": 0.5, "family": 0.5, "quality": 1.0 - 2 / 16, "quality_balanced": 0.5}


@pytest.mark.slow
def test_the_truth_of_a_note_set(note_set: NoteSet) -> None:
    notes = labelled_notes(note_set, "train")
    data = control_data.load(note_set.directory, note_set.instruments(split="train"))
    assert notes.n_notes == data.n_notes
    assert [FAMILIES[i] for i in notes.truth.family] == [note_set[name].family for name in data.note_str]
    np.testing.assert_array_equal(notes.truth.pitch, data.pitch)
    np.testing.assert_array_equal(notes.features[0], features(recordings(data)[0]))
    # Sines are dark, steady and of one pitch.
    found = dict(zip(QUALITIES, notes.truth.quality.mean(axis=0), strict=True))
    assert found["dark"] == 1.0
    assert found["bright"] == found["multiphonic"] == found["fast_decay"] == 0.0


def run_command(*arguments: str) -> int:
    command, parser = TrainClassifierCommand(), argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(arguments))


@pytest.mark.slow
def test_the_command_trains_and_an_interrupt_keeps_what_was_learned(
    note_set: NoteSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "c.safetensors"
    assert run_command(str(note_set.directory), "--out", str(out), "--steps", "2", "--json") == 0
    assert json.loads(capsys.readouterr().out)["step"] == 2
    assert isinstance(load_classifier(out), Classifier)
    assert run_command(str(note_set.directory), "--out", str(out), "--minutes", "0.005", "--json") == 0
    assert json.loads(capsys.readouterr().out)["minutes"] >= 0.0
    step = ClassifierRun.step

    def interrupted(run: ClassifierRun, share: float) -> None:
        if run.done.step == 1:
            raise KeyboardInterrupt
        step(run, share)

    out.unlink()
    monkeypatch.setattr(training.ClassifierRun, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_command(str(note_set.directory), "--out", str(out), "--steps", "9")
    load_classifier(out)
