"""Folders, note sets and single files, as a player names them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from synth.errors import TetradError
from synth.instruments import folders
from synth.instruments.audio_files import LONGEST_S
from synth.instruments.most_notes import thinned
from synth.instruments.notes import Finding, FoundNote, RawAudio
from synth.instruments.sources import find
from tests.synth.instruments.make_audio import RATE_HZ, noise, note, row, write

SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


def _keys(finding: Finding) -> list[tuple[int | None, int]]:
    return [(n.pitch, n.velocity) for n in finding.notes]


def test_the_forerunners_layout(tmp_path: Path) -> None:
    for key in range(24, 85, 4):
        write(tmp_path / "brass" / f"sound_{key}.wav", note(key, 0.2))
    finding = find(tmp_path / "brass")
    assert finding.name == "brass"
    assert _keys(finding) == [(key, 100) for key in range(24, 85, 4)]
    assert finding.problems == ()
    raw = finding.notes[3].read()
    assert raw.rate_hz == 16_000
    assert np.abs(raw.samples[:, 0] - note(36, 0.2)).max() < 1e-4


def test_velocity_folders_one_level_down(tmp_path: Path) -> None:
    for dynamic in ("pp", "mf", "ff"):
        for key in ("C3", "C4"):
            write(tmp_path / dynamic / f"horn_{key}.flac", note(60, 0.2))
    write(tmp_path / "ff" / "deeper" / "horn_C5.flac", note(60, 0.2))
    assert sorted(_keys(find(tmp_path)), key=str) == sorted(
        [(key, velocity) for key in (48, 60) for velocity in (33, 80, 112)], key=str
    )


def test_one_broken_file_in_fifty(tmp_path: Path) -> None:
    for key in range(40, 90):
        write(tmp_path / f"flute_{key}.flac", note(key, 0.1))
    (tmp_path / "flute_47.flac").write_bytes(b"this was a flute once")
    finding = find(tmp_path)
    assert len(finding.notes) == 49
    assert 47 not in [n.pitch for n in finding.notes]
    assert len(finding.problems) == 1
    assert "flute_47.flac" in finding.problems[0]
    for path in tmp_path.iterdir():
        path.write_bytes(b"nor was any")
    with pytest.raises(TetradError, match="none of the 50 recordings"):
        find(tmp_path)


def test_what_does_not_belong_is_ignored(tmp_path: Path) -> None:
    write(tmp_path / "x_60.wav", note(60, 0.1))
    shutil.copy(tmp_path / "x_60.wav", tmp_path / "._x_62.wav")
    write(tmp_path / "__MACOSX" / "x_64.wav", note(60, 0.1))
    (tmp_path / "readme.txt").write_text("hello")
    (tmp_path / "x_66.wav").mkdir()
    os.mkfifo(tmp_path / "x_68.wav")
    finding = find(tmp_path)
    assert _keys(finding) == [(60, 100)]
    assert finding.problems == ()


def test_no_path_leads_out_of_the_folder(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside_60.wav", note(60, 0.1))
    inside = write(tmp_path / "in" / "x_62.wav", note(60, 0.1))
    (tmp_path / "in" / "x_64.wav").symlink_to(outside)
    (tmp_path / "in" / "out").symlink_to(tmp_path)
    (tmp_path / "in" / "x_66.wav").symlink_to(inside)
    (tmp_path / "in" / "x_67.wav").symlink_to("x_67.wav")
    finding = find(tmp_path / "in")
    assert [n.pitch for n in finding.notes] == [62, 66]
    assert sorted(p.split()[0] for p in finding.problems) == ["out", "x_64.wav", "x_67.wav"]


def test_several_takes_and_instruments(tmp_path: Path) -> None:
    for name in ("flute", "oboe"):
        for key in (60, 64):
            for take in (1, 2, 3):
                write(tmp_path / f"{name}_{key}_rr{take}.wav", note(key, 0.1))
    finding = find(tmp_path)
    assert len(finding.notes) == 4
    assert any("8 further takes" in p for p in finding.problems)
    assert any("flute, oboe" in p or "oboe, flute" in p for p in finding.problems)
    finding = find(tmp_path, instrument="oboe")
    assert [n.name for n in finding.notes] == ["oboe_60_rr1.wav", "oboe_64_rr1.wav"]
    with pytest.raises(TetradError, match="tuba"):
        find(tmp_path, instrument="tuba")


def test_names_without_keys_leave_the_pitch_open(tmp_path: Path) -> None:
    for name in ("morning", "noon", "evening"):
        write(tmp_path / f"{name}.wav", note(60, 0.1))
    assert _keys(find(tmp_path)) == [(None, 100)] * 3


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(TetradError, match="holds no recordings"):
        find(tmp_path)


def test_too_many_files_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MOST_FILES", 5)
    for key in range(6):
        (tmp_path / f"x_{key}.wav").touch()
    with pytest.raises(TetradError, match="over 5 files"):
        find(tmp_path)


def test_notes_are_thinned_evenly() -> None:
    def nothing() -> RawAudio:
        raise AssertionError

    found = [FoundNote(f"{k}", nothing, k, v) for k in range(20, 110) for v in range(5, 125, 10)]
    kept, said = thinned(found)
    assert 400 < len(kept) <= 512
    assert len(said) == 1
    assert f"{len(kept)} of them" in said[0]
    assert {n.pitch for n in kept} == set(range(20, 110))
    open_pitch = [FoundNote(f"{i}", nothing) for i in range(1000)]
    kept, said = thinned(open_pitch)
    assert len(kept) == 512
    assert kept[0] is open_pitch[0]
    assert kept[-1] is open_pitch[-1]
    assert thinned(found[:512]) == (found[:512], [])


def test_a_folder_with_an_sfz_is_read_by_it(tmp_path: Path) -> None:
    write(tmp_path / "Samples" / "x_60.wav", note(60, 0.1))
    (tmp_path / "Programs").mkdir()
    (tmp_path / "Programs" / "Horn.sfz").write_text("<region> sample=../Samples/x_60.wav key=64 pitch_keycenter=64")
    assert [n.pitch for n in find(tmp_path).notes] == [64]
    (tmp_path / "Programs" / "Tuba.sfz").write_text("<region> sample=../Samples/x_60.wav key=40")
    with pytest.raises(TetradError, match=r"2 SFZ files, Programs/Horn\.sfz, Programs/Tuba\.sfz"):
        find(tmp_path)
    assert [n.pitch for n in find(tmp_path, instrument="tuba").notes] == [40]


# Sets in NSynth's layout


def _note_set(directory: Path) -> Path:
    entries = {}
    for instrument, family in (("reed_acoustic_000", "reed"), ("odd_000", "theremin")):
        for key in (60, 64):
            name = f"{instrument}-{key:03d}-100"
            entries[name] = {
                "pitch": key, "velocity": 100, "instrument_str": instrument, "instrument_family_str": family
            }  # fmt: skip
            write(directory / "audio" / f"{name}.wav", note(key, 0.2))
    (directory / "examples.json").write_text(json.dumps(entries))
    return directory


def test_an_instrument_of_a_note_set(tmp_path: Path) -> None:
    finding = find(_note_set(tmp_path), instrument="reed_acoustic_000")
    assert (finding.name, finding.family, _keys(finding)) == ("reed_acoustic_000", "reed", [(60, 100), (64, 100)])
    assert finding.notes[0].release_s == 3.0
    assert finding.notes[1].read().samples.shape == (3200, 1)
    assert find(tmp_path, instrument="odd_000").family is None
    for wanted in (None, "reed"):
        with pytest.raises(TetradError, match=r"2 instruments.*reed_acoustic_000"):
            find(tmp_path, instrument=wanted)


def test_a_set_with_a_note_missing(tmp_path: Path) -> None:
    (_note_set(tmp_path) / "audio" / "reed_acoustic_000-060-100.wav").unlink()
    finding = find(tmp_path, instrument="reed_acoustic_000")
    assert [n.pitch for n in finding.notes] == [64]
    assert "missing" in finding.problems[0]


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("../../secret", {}),
        ("/etc/secret", {}),
        ("a\0b", {}),
        ("..", {}),
        ("reed_acoustic_000-060-100", {"pitch": 128}),
        ("reed_acoustic_000-060-100", {"pitch": "60"}),
        ("reed_acoustic_000-060-100", {"velocity": 0}),
        ("reed_acoustic_000-060-100", {"velocity": True}),
    ],
)
def test_hostile_entries_are_left_out(key: str, change: dict[str, object], tmp_path: Path) -> None:
    _note_set(tmp_path / "set")
    write(tmp_path / "secret.wav", note(60, 0.1))
    path = tmp_path / "set" / "examples.json"
    entries = json.loads(path.read_text())
    entries[key] = {"pitch": 60, "velocity": 90, "instrument_str": "reed_acoustic_000"} | change
    path.write_text(json.dumps(entries))
    finding = find(tmp_path / "set", instrument="reed_acoustic_000")
    assert "secret" not in " ".join(n.name for n in finding.notes)
    assert len(finding.problems) == 1
    assert finding.problems[0].count("\n") == 0


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"a": 1}', b'{"a": {"instrument_str": 5}}', b"\xff\xfe", b"[" * 100_000, b"null"]
)
def test_what_is_no_list_of_notes(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "examples.json").write_bytes(content)
    with pytest.raises(TetradError, match=r"examples\.json"):
        find(tmp_path)


def test_a_set_whose_recording_leads_out(tmp_path: Path) -> None:
    recording = _note_set(tmp_path / "set") / "audio" / "reed_acoustic_000-060-100.wav"
    recording.unlink()
    recording.symlink_to(write(tmp_path / "outside.wav", note(60, 0.1)))
    assert "leads out" in find(tmp_path / "set", instrument="reed_acoustic_000").problems[0]


# One file


def test_one_note_in_a_file(tmp_path: Path) -> None:
    finding = find(write(tmp_path / "Big Horn C#4 v90.wav", note(61)))
    assert (finding.name, _keys(finding), finding.problems) == ("Big Horn", [(61, 90)], ())
    finding = find(tmp_path / "Big Horn C#4 v90.wav", pitch=50)
    assert _keys(finding) == [(50, 90)]
    assert len(finding.notes[0].read().samples) == RATE_HZ


def test_a_row_of_notes_in_a_file(tmp_path: Path) -> None:
    sound, starts_s = row([note(p) for p in SCALE], 0.4)
    path = write(tmp_path / "flute scale.flac", sound)
    finding = find(path)
    assert [n.pitch for n in finding.notes] == [None] * 8
    assert "cut into 8 notes" in finding.problems[0]
    raw = finding.notes[2].read().samples[:, 0]
    onset = int(np.argmax(np.abs(raw) > 0.02))
    assert abs(onset / RATE_HZ - 0.03) < 0.02
    assert f"from {starts_s[2] - 0.03:.2f} to" in finding.notes[2].name
    assert len(find(path, cut=False).notes) == 1
    assert len(find(path, pitch=60).notes) == 1
    with pytest.raises(TetradError, match="8 notes"):
        find(path, pitch=60, cut=True)


def test_a_row_with_its_range_in_the_name(tmp_path: Path) -> None:
    sound, _ = row([note(p, 0.7) for p in range(60, 72)], 0.4)
    finding = find(write(tmp_path / "Flute.ff.C4B4.aiff", sound))
    assert _keys(finding) == [(p, 112) for p in range(60, 72)]


def test_long_files(tmp_path: Path) -> None:
    """In stretches; a row is cut, music is refused, and an hour and a half too."""
    sound, _ = row([note(p, 2.0) for p in SCALE] * 5, 3.0)
    finding = find(write(tmp_path / "rows.flac", sound))  # 200 s
    assert len(finding.notes) == 40
    assert "cut into 40 notes" in finding.problems[0]
    music = write(tmp_path / "music.flac", np.tile(noise(10.0, -20.0), 13))
    with pytest.raises(TetradError, match=r"lasts 130 s"):
        find(music)
    finding = find(music, cut=False)
    assert f"first {LONGEST_S:.0f} s" in finding.problems[0]
    assert len(finding.notes[0].read().samples) == LONGEST_S * RATE_HZ
    long = write(tmp_path / "long.flac", np.zeros(1000 * 5401, np.float32), 1000)
    with pytest.raises(TetradError, match="90 minutes"):
        find(long)


def test_short_silent_and_broken_files(tmp_path: Path) -> None:
    assert len(find(write(tmp_path / "click.wav", note(60, 0.01))).notes) == 1
    with pytest.raises(TetradError, match="silence"):
        find(write(tmp_path / "silence.wav", np.zeros(RATE_HZ, np.float32)))
    path = write(tmp_path / "half.flac", note(60, 4.0))
    path.write_bytes(path.read_bytes()[:20_000])
    finding = find(path)
    assert "breaks off" in finding.problems[0]
    assert len(finding.notes[0].read().samples) > RATE_HZ / 2


def test_what_can_not_be_said(tmp_path: Path) -> None:
    write(tmp_path / "x_60.wav", note(60, 0.1))
    with pytest.raises(TetradError, match="no single recording"):
        find(tmp_path, pitch=60)
    with pytest.raises(TetradError, match="no MIDI key"):
        find(tmp_path / "x_60.wav", pitch=128)
    for missing in ("nothing.wav", "nothing.sfz", "nothing.sf2", "nothing"):
        with pytest.raises(TetradError):
            find(tmp_path / missing)


def test_importing_sources_loads_no_heavy_library() -> None:
    """The import worker starts for every instrument."""
    program = (
        "import sys, synth.instruments.sources; "
        "print([m for m in ('fluidsynth', 'onnxruntime', 'PIL', 'numba') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
