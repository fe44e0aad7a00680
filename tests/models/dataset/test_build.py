"""Whole note sets: layout, determinism, resuming, refusals. All through `tetrad model data` or its function."""

import hashlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.dataset.build import build_note_set
from models.dataset.note_file import write_note
from synth import cli
from synth.errors import TetradError
from tests.models.dataset.conftest import N_LIMIT


def _contents(directory):
    """Relative path -> SHA-256 of every file."""
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def test_layout(note_set_dir, font_path):
    manifest = json.loads((note_set_dir / "manifest.json").read_text())
    examples = json.loads((note_set_dir / "examples.json").read_text())
    assert (manifest["format"], manifest["format_version"], manifest["complete"]) == ("tetrad-note-set", 2, True)
    assert manifest["settings"]["fonts"][0]["sha256"] == hashlib.sha256(font_path.read_bytes()).hexdigest()
    assert manifest["counts"]["notes"] == len(examples)
    assert manifest["counts"]["notes"] + manifest["counts"]["silent_notes_left_out"] == N_LIMIT
    assert manifest["counts"]["silent_notes_left_out"] > 0  # the viola has no samples above key 70
    files = {path for path in _contents(note_set_dir) if path.startswith("audio")}
    assert files == {f"{folder}/{name}.flac" for name in examples for folder in ("audio", "audio16")}
    names = {example["instrument_str"] for example in examples.values()}
    assert names == {
        "test_tones_011_vibraphone",
        "test_tones_041_viola",
        "test_tones_073_flute",
        "test_tones_025b016_mandolin",
    }
    assert manifest["splits"]["held_out"] == ["test_tones_041_viola"]
    assert sorted(itertools.chain(*manifest["splits"].values())) == sorted(names)


def test_examples_describe_their_audio(note_set_dir):
    for name, example in json.loads((note_set_dir / "examples.json").read_text()).items():
        path = note_set_dir / "audio" / f"{name}.flac"
        audio, rate_hz = soundfile.read(path)
        low, low_rate_hz = soundfile.read(note_set_dir / "audio16" / f"{name}.flac")
        assert (rate_hz, len(audio), low_rate_hz, len(low)) == (48_000, 192_000, 16_000, 64_000)
        assert soundfile.info(path).subtype == "PCM_24"
        assert example["peak"] == np.abs(audio).max()
        assert example["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert name == f"{example['instrument_str']}-{example['pitch']:03d}-{example['velocity']:03d}"
        assert abs(example["held_db"]) < 0.1  # a looped sine


def test_the_same_command_gives_the_same_bytes_in_any_number_of_processes(note_set_dir, font_path, tmp_path):
    build_note_set(tmp_path / "again", [font_path], jobs=2, limit=N_LIMIT)
    assert _contents(tmp_path / "again") == _contents(note_set_dir)


def test_a_set_with_missing_and_damaged_notes_is_made_whole(note_set_dir, font_path, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(note_set_dir, copy)
    files = sorted((copy / "audio").iterdir())
    files[0].unlink()
    files[1].write_bytes(files[1].read_bytes()[:1000])
    sorted((copy / "audio16").iterdir())[2].write_bytes(b"")
    (copy / "examples.json").unlink()
    (copy / "audio" / ".killed.1-2.part.flac").write_bytes(b"half")
    kept = files[3].stat().st_mtime_ns
    build_note_set(copy, [font_path], jobs=1, limit=N_LIMIT)
    assert _contents(copy) == _contents(note_set_dir)
    assert files[3].stat().st_mtime_ns == kept


def _started(font_path, directory):
    """`tetrad model data` of 60 notes in a process of its own, which has written the first ones."""
    command = [sys.executable, "-m", "synth.cli", "model", "data", str(directory), "--fonts", str(font_path)]
    process = subprocess.Popen(
        [*command, "--jobs", "2", "--limit", "60"], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while not list(directory.glob("audio/test*.flac")):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
    return process


@pytest.mark.long
def test_an_interrupted_run_leaves_whole_files_and_goes_on(font_path, tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    process = _started(font_path, cut)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: to the renderers, too
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert json.loads((cut / "manifest.json").read_text())["complete"] is False
    for path in cut.glob("audio/*.flac"):
        assert soundfile.info(path).frames == 192_000
    build_note_set(whole, [font_path], jobs=2, limit=60)
    assert len(list(cut.glob("audio/*.flac"))) < len(list(whole.glob("audio/*.flac")))
    build_note_set(cut, [font_path], jobs=2, limit=60)
    assert _contents(cut) == _contents(whole)


@pytest.mark.long
def test_a_crash_of_a_rendering_process_loses_nothing(font_path, tmp_path):
    process = _started(font_path, tmp_path / "out")
    threads = Path(f"/proc/{process.pid}/task").iterdir()
    children = [pid for thread in threads for pid in (thread / "children").read_text().split()]
    names = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
    renderer = next(int(pid) for pid, name in names.items() if b"spawn_main" in name)
    os.kill(renderer, signal.SIGKILL)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    assert stderr == ""
    build_note_set(tmp_path / "whole", [font_path], jobs=1, limit=60)
    assert _contents(tmp_path / "out") == _contents(tmp_path / "whole")


def _refusal(capsys, *arguments):
    """Run `tetrad model data ...`; returns its one line of complaint."""
    assert cli.main(["model", "data", *map(str, arguments)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_a_bad_font_leaves_nothing_behind(capsys, tmp_path):
    bad = tmp_path / "bad.sf2"
    bad.write_bytes(b"RIFF")
    assert "bad.sf2 starts with" in _refusal(capsys, tmp_path / "out", "--fonts", bad)
    assert not (tmp_path / "out").exists()


def test_other_content_is_not_touched(capsys, tmp_path, font_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    assert "holds files but no note set" in _refusal(capsys, tmp_path, "--fonts", font_path)
    assert _contents(tmp_path).keys() == {"thesis.txt"}


def test_other_settings_are_refused(capsys, note_set_dir, font_path):
    before = _contents(note_set_dir)
    complaint = _refusal(capsys, note_set_dir, "--fonts", font_path, "--limit", 3)
    assert "other settings" in complaint
    assert _contents(note_set_dir) == before


def test_one_font_twice_is_refused(capsys, tmp_path, font_path):
    assert "each font once" in _refusal(capsys, tmp_path / "out", "--fonts", font_path, font_path)


def test_a_file_in_place_of_the_directory(capsys, tmp_path, font_path):
    (tmp_path / "file").write_text("x")
    assert "directory" in _refusal(capsys, tmp_path / "file", "--fonts", font_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_directory(capsys, tmp_path, font_path):
    tmp_path.chmod(0o500)
    assert "writable directory" in _refusal(capsys, tmp_path / "out", "--fonts", font_path)


def test_a_path_that_cannot_be_made(capsys, font_path):
    assert "writable directory" in _refusal(capsys, "/proc/no-such-place/out", "--fonts", font_path)


def test_too_loud_a_note_is_refused_in_any_process(capsys, tmp_path, font_path):
    for jobs in (1, 2):
        complaint = _refusal(
            capsys, tmp_path / f"out{jobs}", "--fonts", font_path, "--gain-db", 20, "--limit", 2, "--jobs", jobs
        )
        assert "over full scale" in complaint
        assert not list((tmp_path / f"out{jobs}" / "audio").iterdir())


def test_audio_that_is_not_a_number_is_refused(tmp_path):
    audio = np.zeros(192_000)
    audio[7] = np.nan
    with pytest.raises(TetradError, match="not numbers"):
        write_note(tmp_path, "note", audio)
    assert not list(tmp_path.iterdir())


def test_json_output(capsys, tmp_path, font_path):
    assert cli.main(["model", "data", str(tmp_path / "out"), "--fonts", str(font_path), "--limit", "2", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["notes"] + result["silent_notes_left_out"] == 2
    assert result["instruments"] == result["notes"] > 0
