"""Folders of notes, SFZ files and NSynth sets become note sets; broken files stop it or are named."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models import control_data
from models.dataset import folders
from models.dataset.build import build_note_set
from models.dataset.folders import read_folder
from models.dataset.nsynth_set import read_nsynth
from models.dataset.reader import NoteSet
from synth import cli
from synth.errors import TetradError
from synth.frames import BAND_EDGES_HZ, LEVEL_FLOOR_DB, pitch_to_hz
from tests.models.dataset.make_soundfont import TestPreset, write_sound_font


def _tone(pitch, rate_hz, seconds=2.0, level=0.3, n_partials=6, lead_s=0.0):
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    f0_hz = float(pitch_to_hz(pitch))
    k = np.arange(1, min(n_partials, int(0.45 * rate_hz / f0_hz)) + 1)[:, None]
    audio = (np.sin(2 * np.pi * k * f0_hz * time_s) / k).sum(axis=0)
    return np.concatenate([np.zeros(round(lead_s * rate_hz)), level * audio / np.abs(audio).max()])


def _folder(root, names, rate_hz=44_100, **tone):
    root.mkdir()
    for name, pitch in names.items():
        soundfile.write(root / name, _tone(pitch, rate_hz, **tone), rate_hz)
    return root


def _nsynth(root, instruments, rate_hz=16_000, seconds=4.0):
    """A set in NSynth's own format: keys as in its README, 16-bit WAV."""
    (root / "audio").mkdir(parents=True)
    entries: dict[str, dict[str, object]] = {}
    for i, (name, (family, n_partials)) in enumerate(instruments.items()):
        for pitch in (50, 57, 64):
            note = f"{name}-{pitch:03d}-100"
            soundfile.write(root / "audio" / f"{note}.wav", _tone(pitch, rate_hz, seconds, 0.5, n_partials), rate_hz)
            entries[note] = {
                "note": len(entries), "note_str": note, "instrument": i, "instrument_str": name, "pitch": pitch,
                "velocity": 100, "sample_rate": 16_000, "qualities": [0] * 10, "qualities_str": ["bright"],
                "instrument_family": 3, "instrument_family_str": family, "instrument_source": 1,
                "instrument_source_str": "electronic",
            }  # fmt: skip
    (root / "examples.json").write_text(json.dumps(entries))
    return root


def test_names_of_files_tell_the_notes(tmp_path):
    names = {
        "C4.wav": 60,
        "D#5v8.wav": 75,
        "my flute Bb3.flac": 58,
        "x_48_090.wav": 48,
        "070.wav": 70,
        "a-1_vl3.wav": 9,
    }
    found = read_folder(_folder(tmp_path / "Wooden Flute", names)).instruments[0]
    assert found.name == "wooden_flute"
    velocities = {60: 100, 75: 8, 58: 100, 48: 90, 70: 100, 9: 3}
    assert set(found.recordings) == set(velocities.items())


def test_a_description_names_instrument_and_layers(tmp_path):
    folder = _folder(tmp_path / "f", {"A3v4.wav": 57, "A3v16.wav": 57})
    (folder / "instrument.toml").write_text(
        'name = "grand"\nfamily = "keyboard"\nsustains = false\nheld_out = true\noctave_shift = 1\n'
        'licence = "CC BY 3.0"\nvelocities = {4 = 40, 16 = 120}\n'
    )
    collection = read_folder(folder)
    grand = collection.instruments[0]
    assert (grand.name, grand.split, grand.sustains, collection.description["licence"]) == (
        "grand", "held_out", False, "CC BY 3.0",
    )  # fmt: skip
    assert set(grand.recordings) == {(69, 40), (69, 120)}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("colour = 1", "unknown key 'colour'"),
        ("sustains = 1", "expected a bool"),
        ('family = "kazoo"', "family 'kazoo'"),
        ("velocities = {4 = 200}", "1..127"),
        ("velocities = {5 = 20}", "no velocity for it"),
        ("name = ", "TOML"),
        ("octave_shift = 9", "expected 0..127"),
        ('name = "Grand Piano"', "small letters"),
    ],
)
def test_unusable_descriptions(tmp_path, text, complaint):
    folder = _folder(tmp_path / "f", {"A3v4.wav": 57})
    (folder / "instrument.toml").write_text(text)
    with pytest.raises(TetradError, match=complaint):
        read_folder(folder)


def test_folders_without_notes(tmp_path):
    with pytest.raises(TetradError, match="is not a folder"):
        read_folder(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(TetradError, match="holds no recordings"):
        read_folder(tmp_path / "empty")
    with pytest.raises(TetradError, match="does not tell its key"):
        read_folder(_folder(tmp_path / "f", {"noise.wav": 60}))


def test_sfz_regions(tmp_path):
    _folder(tmp_path / "Samples", {"one.wav": 60, "two.wav": 60, "three.wav": 64})
    (tmp_path / "My Bass.sfz").write_text(
        "// a comment <region> sample=no.wav\n<control> default_path=Samples\\\n<global> lovel=1 hivel=64\n"
        "<group> volume=-3\n<region> sample=one.wav key=c4 // C4\n"
        "<region> sample=two.wav pitch_keycenter=60 lovel=65 hivel=127 volume=2\n"
        "<group> <region> sample=three.wav lokey=64 hikey=70\n<region> sample=off.wav key=60 trigger=release\n"
        "<region> sample=*sine key=61\n"
    )
    bass = read_folder(tmp_path / "My Bass.sfz").instruments[0]
    assert bass.name == "my_bass"
    found = {strike: (r.path.name, r.gain_db) for strike, r in bass.recordings.items()}
    assert found == {(60, 33): ("one.wav", -3.0), (60, 96): ("two.wav", 2.0), (64, 33): ("three.wav", 0.0)}
    (tmp_path / "none.sfz").write_text("<region> sample=*sine key=60")
    with pytest.raises(TetradError, match="no region with a recording"):
        read_folder(tmp_path / "none.sfz")
    (tmp_path / "odd.sfz").write_text("<region> sample=a.wav key=h9")
    with pytest.raises(TetradError, match=r"region of a\.wav"):
        read_folder(tmp_path / "odd.sfz")


def test_a_set_of_recordings_and_a_font(tmp_path):
    folder = _folder(tmp_path / "horn", {"C3.wav": 48, "C4.wav": 60}, lead_s=0.5, n_partials=12)
    write_sound_font(tmp_path / "Test Tones.sf2", (TestPreset(0, 73, "Flute"),))
    arguments = ["model", "data", str(tmp_path / "set"), "--jobs", "1"]
    arguments += ["--fonts", str(tmp_path / "Test Tones.sf2"), "--folders", str(folder)]
    assert cli.main(arguments) == 0
    notes = NoteSet.open(tmp_path / "set")
    assert {e.font for e in notes} == {"test_tones", "horn"}
    horn = notes.examples(instrument="horn")
    assert {(e.program, e.velocity, e.rate_hz, e.sustains) for e in horn} == {(None, 100, 48_000, False)}
    audio = notes.audio_48k(horn[0].name)
    assert np.abs(audio[:1200]).max() > 0.1  # the half second of silence is gone
    assert not audio[round(2.01 * 48_000) :].any()
    manifest = json.loads((tmp_path / "set" / "manifest.json").read_text())
    assert manifest["settings"]["recorded"][0]["key"] == "horn"
    again = (tmp_path / "set" / "examples.json").read_bytes()
    assert cli.main(arguments) == 0  # finished already
    assert (tmp_path / "set" / "examples.json").read_bytes() == again


def test_one_gain_for_an_instrument_over_full_scale(tmp_path):
    folder = tmp_path / "loud"
    folder.mkdir()
    for name, level in (("C3.wav", 2.0), ("C4.wav", 0.5)):
        soundfile.write(folder / name, _tone(48, 48_000, level=level), 48_000, subtype="FLOAT")
    build_note_set(tmp_path / "set", [], jobs=1, limit=None, recorded=[read_folder(folder)])
    peaks = [e.peak for e in NoteSet.open(tmp_path / "set")]
    assert peaks[0] == pytest.approx(0.98, abs=1e-3)
    assert peaks[1] == pytest.approx(0.98 / 4, abs=1e-3)


def test_copies_are_grouped_and_can_be_dropped(tmp_path):
    original = _folder(tmp_path / "original", {"C3.wav": 48, "A3.wav": 57, "F4.wav": 65})
    copy = _folder(tmp_path / "remake", {"C3.wav": 48, "A3.wav": 57, "F4.wav": 65}, level=0.1)
    other = _folder(tmp_path / "whistle", {"C3.wav": 48, "A3.wav": 57, "F4.wav": 65}, n_partials=1)
    (copy / "instrument.toml").write_text("held_out = true")
    sources = [read_folder(path) for path in (original, copy, other)]
    result = build_note_set(tmp_path / "all", [], jobs=1, limit=None, recorded=sources)
    assert (result.n_instruments, result.n_different) == (3, 2)
    entries = json.loads((tmp_path / "all" / "examples.json").read_text()).values()
    assert {(e["instrument_str"], e["group"], e["split"], e.get("copy_of")) for e in entries} == {
        ("original", "original", "held_out", None),
        ("remake", "original", "held_out", "original"),
        ("whistle", "whistle", "train", None),
    }
    dropped = build_note_set(tmp_path / "few", [], jobs=1, limit=None, recorded=sources, drop_copies=True)
    assert (dropped.n_instruments, dropped.n_copies_dropped) == (2, 1)
    assert NoteSet.open(tmp_path / "few").instruments(split="held_out") == ["original"]


def test_broken_recordings_stop_or_are_named(tmp_path, capsys):
    folder = _folder(tmp_path / "oboe", {"C4.wav": 60, "D4.wav": 62, "E4.wav": 64, "F4.wav": 65})
    (folder / "D4.wav").write_bytes(b"RIFF")
    soundfile.write(folder / "E4.wav", _tone(64, 44_100, 0.1), 44_100)
    soundfile.write(folder / "F4.wav", np.zeros(44_100), 44_100)
    arguments = ["model", "data", str(tmp_path / "set"), "--fonts", "--folders", str(folder), "--jobs", "1"]
    assert cli.main(arguments) == 1
    assert "D4.wav can't be read" in capsys.readouterr().err
    assert cli.main([*arguments, "--skip-broken"]) == 0
    said = capsys.readouterr().out
    assert "1 notes of 1 instruments" in said
    for name, reason in (("D4.wav", "can't be read"), ("E4.wav", "sounds for 0.100 s"), ("F4.wav", "is silent")):
        assert any(name in line and reason in line for line in said.splitlines())
    assert len(json.loads((tmp_path / "set" / "manifest.json").read_text())["left_out"]) == 3


def test_nothing_usable(tmp_path):
    folder = _folder(tmp_path / "oboe", {"C4.wav": 60}, seconds=0.05)
    source = read_folder(folder)
    with pytest.raises(TetradError, match=r"no note .* can be used .*sounds for 0\.050 s"):
        build_note_set(tmp_path / "set", [], jobs=1, limit=None, recorded=[source], skip_broken=True)
    with pytest.raises(TetradError, match="no pitched instrument"):
        build_note_set(tmp_path / "set2", [], jobs=1, limit=None)
    with pytest.raises(TetradError, match="come twice, oboe"):
        build_note_set(tmp_path / "set3", [], jobs=1, limit=None, recorded=[source, source])


@pytest.fixture(scope="module")
def nsynth_set(tmp_path_factory):
    root = tmp_path_factory.mktemp("nsynth")
    train = _nsynth(
        root / "nsynth-train", {"guitar_electronic_001": ("guitar", 40), "organ_electronic_007": ("organ", 3)}
    )
    valid = _nsynth(root / "nsynth-valid", {"reed_electronic_000": ("reed", 12)})
    arguments = ["model", "data", str(root / "set"), "--fonts", "--nsynth", str(train)]
    assert cli.main([*arguments, "--nsynth-held-out", str(valid), "--jobs", "1"]) == 0
    return root / "set"


def test_an_nsynth_set_keeps_its_split_and_rate(nsynth_set):
    notes = NoteSet.open(nsynth_set)
    assert notes.instruments(split="train") == ["guitar_electronic_001", "organ_electronic_007"]
    assert notes.instruments(split="held_out") == ["reed_electronic_000"]
    assert {(e.font, e.rate_hz) for e in notes.examples(split="train")} == {("nsynth-train", 16_000)}
    entry = json.loads((nsynth_set / "examples.json").read_text())["reed_electronic_000-057-100"]
    assert (entry["qualities_str"], entry["instrument_family_str"], entry["sample_rate"]) == (
        ["bright"],
        "reed",
        16_000,
    )
    assert entry["sustains"] is True
    assert list((nsynth_set / "audio").iterdir()) == []
    low, audio = (read("organ_electronic_007-057-100") for read in (notes.audio_16k, notes.audio_48k))
    assert (low.shape, audio.shape, audio.dtype) == ((64_000,), (192_000,), np.float32)
    np.testing.assert_allclose(audio[3000:180_000:3], low[1000:60_000], atol=2e-3)


def test_what_16_khz_does_not_tell_is_no_target(nsynth_set):
    notes = NoteSet.open(nsynth_set)
    assert control_data.prepare(notes, jobs=1) == []
    data = control_data.load(nsynth_set, ["guitar_electronic_001"])
    for i, pitch in enumerate(data.pitch):
        rows = data.rows[i].astype(np.float32)
        partial_hz = float(pitch_to_hz(pitch)) * np.arange(1, 101)
        known = np.concatenate([partial_hz < 7250.0, BAND_EDGES_HZ[1:] < 7250.0])
        unknown = np.concatenate([partial_hz > 7350.0, BAND_EDGES_HZ[1:] > 7350.0])
        assert unknown.sum() > 30
        assert np.isnan(rows[:, :-1][:, unknown]).all()
        assert np.isfinite(rows[:, :-1][:, known]).all()
        assert np.isfinite(rows[:, -1]).all()
        assert rows[100, 0] > LEVEL_FLOOR_DB + 60


def test_known_levels():
    everything = control_data.known_levels(440.0, 1e-3, 48_000)
    assert everything.shape == (164,)
    assert everything.all()
    half = control_data.known_levels(1000.0, 0.0, 16_000)
    assert list(np.flatnonzero(half[:100])) == list(range(7))
    assert half[100:].sum() == np.count_nonzero(BAND_EDGES_HZ[1:] <= 7300.0)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"pitch": 200}, "pitch 200"),
        ({"velocity": None}, "velocity None"),
        ({"instrument_family_str": "kazoo"}, "'kazoo'"),
        ({"sample_rate": 44_100}, "44100 Hz"),
    ],
)
def test_an_unusable_nsynth_list(tmp_path, change, complaint):
    directory = _nsynth(tmp_path / "n", {"organ_electronic_007": ("organ", 3)})
    entries = json.loads((directory / "examples.json").read_text())
    entries["organ_electronic_007-050-100"] |= change
    (directory / "examples.json").write_text(json.dumps(entries))
    with pytest.raises(TetradError, match=complaint):
        read_nsynth(directory, held_out=False)


def test_an_nsynth_set_that_is_empty_or_of_another_rate(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "examples.json").write_text("{}")
    with pytest.raises(TetradError, match="lists no notes"):
        read_nsynth(tmp_path / "empty", held_out=False)
    with pytest.raises(TetradError, match=r"examples\.json"):
        read_nsynth(tmp_path / "nowhere", held_out=False)
    fast = _nsynth(tmp_path / "fast", {"organ_electronic_007": ("organ", 3)}, rate_hz=22_050)
    with pytest.raises(TetradError, match="is at 22050 Hz"):
        build_note_set(tmp_path / "s", [], jobs=1, limit=None, recorded=[read_nsynth(fast, held_out=False)])


def test_a_damaged_set_is_analysed_without_its_broken_notes(tmp_path):
    folder = _folder(tmp_path / "oboe", {"C4.wav": 60, "F4.wav": 65})
    build_note_set(tmp_path / "set", [], jobs=1, limit=None, recorded=[read_folder(folder)])
    (tmp_path / "set" / "audio" / "oboe-060-100.flac").write_bytes(b"fLaC")
    notes = NoteSet.open(tmp_path / "set")
    with pytest.raises(TetradError, match=r"cannot read .*oboe-060-100"):
        control_data.prepare(notes, jobs=1)
    lines = control_data.prepare(notes, jobs=1, skip_broken=True)
    assert len(lines) == 1
    assert "oboe-060-100" in lines[0]
    assert control_data.load(tmp_path / "set", ["oboe"]).note_str == ["oboe-065-100"]


def test_the_description_of_the_salamander_piano(tmp_path):
    folder = _folder(tmp_path / "piano", {"A0v4.wav": 21, "D#5v16.wav": 75})
    shutil.copy(Path(folders.__file__).with_name("salamander.toml"), folder / "instrument.toml")
    collection = read_folder(folder)
    assert set(collection.instruments[0].recordings) == {(21, 40), (75, 120)}
    assert collection.description["licence"] == "CC BY 3.0"
