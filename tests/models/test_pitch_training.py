"""The networks for pitch learn from a handful of tones made here, and the note set is halved by program."""

import json
import math
import random

import numpy as np
import pytest
import soundfile

from benchmarks.pitch import keys_found
from benchmarks.pitch_recordings import labelled_files
from models.pitch_data import (
    Task,
    chord_tasks,
    disturbed,
    held_out,
    make,
    noise_tasks,
    note_tasks,
    sounding_key,
)
from models.pitch_training import rows_of, train, write
from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ
from synth.instruments import pitch_network
from synth.instruments.pitch_features import key_to_hz, pitch_features


class Tone:
    """A tone of ten partials whose levels chance decides; can be sent to another process."""

    def __init__(self, key: float) -> None:
        self.key = key

    def __call__(self, chance: random.Random) -> np.ndarray:
        time_s = np.arange(SAMPLE_RATE_HZ // 2) / SAMPLE_RATE_HZ
        turns = key_to_hz(self.key) * time_s
        return np.sum([0.3 ** chance.random() / k * np.sin(2 * np.pi * k * turns) for k in range(1, 11)], axis=0)


def tones(keys: range, seed: int) -> list[Task]:
    return [Task(f"tone-{key}-{seed}", "tone", float(key), Tone(key), seed + key) for key in keys]


def test_networks_learn_keys_and_what_has_none(tmp_path) -> None:
    rows = rows_of(tones(range(36, 84, 2), 100) + tones(range(37, 84, 2), 200), disturb=False, jobs=1)
    network = train(rows, rows_of(noise_tasks(24, 1), disturb=False, jobs=1))
    path = tmp_path / "network.npz"
    write(network, path, "tones")
    read = pitch_network.read(path)
    unseen = rows_of(tones(range(40, 80, 3), 900), disturb=False, jobs=1)
    found = [read.judge(row.features) for row in unseen]
    assert np.mean([21 + int(np.argmax(j.shares)) == row.key for j, row in zip(found, unseen, strict=True)]) >= 0.9
    assert all(j.pitched > 0.5 for j in found)
    noises = [read.judge(row.features) for row in rows_of(noise_tasks(8, 50), disturb=False, jobs=1)]
    assert np.mean([j.pitched < 0.5 for j in noises]) >= 0.8
    assert found[0].shares.sum() == pytest.approx(1.0, abs=1e-5)


def test_a_program_is_in_one_half_only(tmp_path) -> None:
    (tmp_path / "audio").mkdir()
    examples = {}
    for program in (0, 1, 2, 3, None):
        name = f"font_{program}-060-080"
        soundfile.write(tmp_path / "audio" / f"{name}.flac", Tone(60)(random.Random(0)) * 0.1, 24_000)
        examples[name] = {"pitch": 60, "program": program, "instrument_family_str": "organ"}
    (tmp_path / "examples.json").write_text(json.dumps(examples), encoding="utf-8")
    halves = [note_tasks(tmp_path, 99, measuring=half, seed=1, keys=range(60, 61)) for half in (False, True)]
    assert {task.name for task in halves[0]} == {"font_0-060-080", "font_1-060-080", "font_3-060-080"}
    assert {task.name for task in halves[1]} == {"font_2-060-080", "font_None-060-080"}
    assert held_out(None)
    example = make(halves[0][0], disturb=False)
    assert example is not None
    assert example.audio.size == SAMPLE_RATE_HZ  # brought to 48 kHz
    assert np.abs(example.audio).max() == pytest.approx(0.5)
    with pytest.raises(TetradError, match="expected a note set"):
        note_tasks(tmp_path / "audio", 1, measuring=False, seed=1, keys=range(60, 61))


def test_disturbing_tells_the_key_that_it_leaves() -> None:
    audio = Tone(60)(random.Random(0))
    moved = 0
    for seed in range(12):
        changed, key = disturbed(audio, 60.0, random.Random(seed))
        spectrum = np.abs(np.fft.rfft(changed * np.hanning(changed.size), 1 << 18))
        hz = np.argmax(spectrum) * SAMPLE_RATE_HZ / (1 << 18)
        harmonic = hz / key_to_hz(key)
        assert abs(1200 * math.log2(harmonic / round(harmonic))) < 10.0
        moved += key != 60.0
    assert moved >= 2


def test_a_chord_has_no_key_and_is_more_than_its_root() -> None:
    notes = tones(range(40, 80), 3)
    chord = chord_tasks(notes, 3, 1)[0]
    example = make(chord, disturb=False)
    assert example is not None
    assert math.isnan(example.key)
    root = next(task for task in notes if chord.name == f"chord-{task.name}")
    alone = make(root, disturb=False)
    assert alone is not None
    met = [pitch_features(e.audio).rows[round(root.key) - 21, -12 - 2] for e in (alone, example)]
    assert met[1] < met[0]


def test_recordings_are_labelled_by_their_names(tmp_path) -> None:
    names = {
        "salamander/velocity8/audio/D#4v8.ogg": 63,
        "olpc-berklee/femalevoice_aa_Db4.mp3": 61,
        "olpc-berklee/berklee/malevoices_oo2_C#4.mp3": 61,
        "olpc-berklee/water_3.mp3": None,
        "weresax/Samples/alto/db2_f_rr1_dnm.wav": 49,
        "tonejs-instruments/guitar-nylon/Cs5.mp3": 73,
        "philharmonia/audio/cor anglais/english-horn_B4_1_piano_normal.mp3": 71,
        "philharmonia/audio/cello/cello_As2_1_mezzo-piano_arco-normal.mp3": 46,
        "philharmonia/audio/trombone/trombone_As2_1_mezzo-piano_normal.mp3": 46,
        "black-and-green-guitars/Samples/black/stac/staccato_f3_rr1.wav": 41,
    }
    left_out = [
        "olpc-berklee/README.md",
        "weresax/Samples/alto/db2_f_rr2_dnm.wav",
        "tonejs-instruments/trumpet/As3.mp3",
        "philharmonia/audio/trombone/trombone_As2_1_forte_normal.mp3",
        "philharmonia/audio/cello/cello_As2_1_mezzo-piano_arco-harmonic.mp3",
    ]
    for name in [*names, *left_out]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "sonic-pi-samples").mkdir()
    found = {file.path.relative_to(tmp_path).as_posix(): file.key for file in labelled_files(tmp_path)}
    assert found == names


def test_the_benchmark_counts_semitones_octaves_and_none() -> None:
    pitches = (60.4, 60.6, 72.1, 48.0, float("nan"))
    told = [{"truth": (60.0, 1.0, True, 0.0), "it": (pitch, 0.95, True, 0.1)} for pitch in pitches]
    found = keys_found(told, "it")
    assert (found["right"], found["octave_errors"], found["right_where_sure"]) == (0.2, 0.4, 0.2)


def test_a_stop_below_the_key_and_harmonics_above_it_are_known() -> None:
    def heard(ratios: list[float]) -> float:
        time_s = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
        turns = key_to_hz(57.0) * time_s
        sines = [np.sin(2 * np.pi * r * turns) / len(ratios) for r in ratios]
        return sounding_key(pitch_features(np.sum(sines, axis=0).astype(np.float32)), 57.0)

    assert heard([1, 2, 3, 4]) == 57.0
    assert heard([1, 3, 5, 7]) == 57.0
    assert heard([0.5, 1, 1.5, 2]) == 45.0
    assert heard([2, 4, 6]) == 69.0
    assert heard([4, 8]) == 81.0
