"""`tetrad render`, the real program on other people's music, and what it says to bad input."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synth import cli, demo
from synth.control.events import AllNotesOff, NoteOn
from synth.frames import HOP, SAMPLE_RATE_HZ
from synth.grid.pair_path import N_WARP, PairPath, straight
from synth.grid.store import GridStore
from synth.instruments.library import Library
from synth.io.midi_file import TimedMessage, write_midi_file
from synth.performance import BLOCK, DEFAULT_CORNERS, path_events, score_events, with_path
from synth.surface_path import PathPoint

MULTI_TRACK = Path("/usr/share/games/openttd/baseset/openmsx/5432gone_redfarn.mid")  # 60 s, six channels, drums


@pytest.fixture
def short_score(tmp_path: Path) -> Path:
    """A chord of three notes and a pedal that nobody lets go of."""
    messages = [TimedMessage(0.1 * key, bytes((0x90, 48 + 7 * key, 100))) for key in range(3)]
    write_midi_file(tmp_path / "chord.mid", [TimedMessage(0.0, b"\xb0\x40\x7f"), *messages])
    return tmp_path / "chord.mid"


def sound(path: Path) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    samples, _ = soundfile.read(path, dtype="float32", always_2d=True)
    return samples


def test_the_default_corners_are_four_shipped_instruments() -> None:
    assert len(set(DEFAULT_CORNERS)) == 4
    assert set(DEFAULT_CORNERS) <= set(Library().names())


@pytest.mark.slow
def test_a_real_score_with_four_corners_and_a_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path_file = tmp_path / "path.json"
    points = [
        {"time_s": t, "x": x, "y": y} for t, x, y in ((0, 0, 1), (15, 1, 1), (30, 1, 0), (45, 0, 0), (60, 0.5, 0.5))
    ]
    path_file.write_text(json.dumps({"format": "tetrad-path", "version": 1, "points": points}))
    out = tmp_path / "out.wav"
    names = Library().names()
    corners = [names[(index * len(names)) // 4] for index in range(4)]
    picture = tmp_path / "out.png"
    arguments = [
        "render",
        str(MULTI_TRACK),
        str(out),
        "--path",
        str(path_file),
        "--spectrogram",
        str(picture),
        "--json",
    ]
    assert cli.main([*arguments, "--corners", *corners]) == 0
    output = capsys.readouterr().out
    report = json.loads(output)
    assert output.count("\n") == 1
    assert report["notes"] > 900
    assert report["percussion_notes_left_out"] > 100
    info = soundfile.info(out)
    assert (info.samplerate, info.channels, info.subtype) == (48_000, 2, "PCM_24")
    assert info.frames / 48_000 == pytest.approx(report["duration_s"])
    samples = sound(out)
    assert 0.05 < np.abs(samples).max() < 1.0
    assert 20 * np.log10(np.abs(samples).max()) == pytest.approx(report["peak_dbfs"], abs=0.01)
    assert np.abs(samples[-HOP:]).max() < 1e-5
    assert not np.array_equal(samples[:, 0], samples[:, 1])  # stereo
    # A click would be a kink; where blocks and control frames meet there are none that the music does not have itself.
    kinks = np.abs(np.diff(samples, 2, axis=0)).max(axis=1)
    seams = np.zeros(len(kinks), bool)
    for offset in range(-2, 1):
        seams[BLOCK + offset :: BLOCK] = True
    assert kinks[seams].max() <= kinks[~seams].max()
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_same_seed_gives_the_same_bytes(short_score: Path, tmp_path: Path) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert cli.main(["render", str(short_score), str(tmp_path / f"{name}.wav"), "--seed", seed]) == 0
    a, b, c = ((tmp_path / f"{name}.wav").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_keys_and_pedals_that_stay_down_end_with_the_score(short_score: Path, tmp_path: Path) -> None:
    assert cli.main(["render", str(short_score), str(tmp_path / "a.wav")]) == 0
    samples = sound(tmp_path / "a.wav")
    assert len(samples) < 31 * SAMPLE_RATE_HZ
    assert np.abs(samples[-HOP:]).max() < 1e-5


def test_the_position_is_heard(short_score: Path, tmp_path: Path) -> None:
    for name, position in (("nw", "0,1"), ("se", "1,0")):
        assert cli.main(["render", str(short_score), str(tmp_path / f"{name}.wav"), "--xy", position]) == 0
    north_west, south_east = (
        np.abs(np.fft.rfft(sound(tmp_path / f"{name}.wav")[:24_000, 0], 24_000)) for name in ("nw", "se")
    )
    alike = np.corrcoef(north_west, south_east)[0, 1]
    assert alike < 0.98


def test_paths_of_a_grid_are_heard_and_evenness_0_is_the_straight_line(
    short_score: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (Library().load(name) for name in ("clarinet", "flute"))
    late = np.concatenate([np.zeros(N_WARP - 1), [1.0]]).astype(np.float32)
    note = straight(60, 100)._replace(warp=late)
    path = PairPath(first.name, second.name, first.sound_id, second.sound_id, first.model_id, (note,))
    GridStore(tmp_path / "late").write(path)
    GridStore(tmp_path / "other").write(replace(path, model_id="0123456789abcdef"))
    corners = ["--corners", "clarinet", "flute", "clarinet", "flute", "--xy", "0.5,0.5"]
    heard = {}
    for name, more in {
        "straight": ["--grid", str(tmp_path / "none"), "--evenness", "0"],
        "late": ["--grid", str(tmp_path / "late")],
        "late-0": ["--grid", str(tmp_path / "late"), "--evenness", "0"],
    }.items():
        assert cli.main(["render", str(short_score), str(tmp_path / f"{name}.wav"), *corners, *more]) == 0
        heard[name] = sound(tmp_path / f"{name}.wav")
        assert capsys.readouterr().err == ""
    assert np.array_equal(heard["straight"], heard["late-0"])
    n_both = min(len(heard["late"]), len(heard["straight"]))
    assert np.abs(heard["late"][:n_both] - heard["straight"][:n_both]).max() > 0.01
    assert (
        cli.main(["render", str(short_score), str(tmp_path / "o.wav"), *corners, "--grid", str(tmp_path / "other")])
        == 0
    )
    words = capsys.readouterr().err
    assert words.count("\n") == 1
    assert "0123456789abcdef" in words
    assert first.model_id in words
    assert "tetrad grid build --rebuild" in words


@pytest.mark.parametrize("evenness", ["-0.1", "1.1", "nan", "much"])
def test_an_evenness_outside_0_to_1_is_wrong_usage(short_score: Path, evenness: str) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["render", str(short_score), "out.wav", f"--evenness={evenness}"])
    assert ended.value.code == 2


def test_percussion_is_left_out_and_times_become_samples() -> None:
    messages = [
        TimedMessage(0.5, b"\x99\x24\x40"),
        TimedMessage(1.0, b"\x90\x3c\x40"),
        TimedMessage(2.0, b"\xb0\x7b\x00"),
    ]
    assert score_events(messages) == [NoteOn(48_000, 0, 60, 64), AllNotesOff(96_000, 0)]


def test_a_path_becomes_steps_of_one_frame_only_while_it_moves() -> None:
    points = (PathPoint(0.0, 0.0, 0.5), PathPoint(0.016, 0.0, 0.5), PathPoint(0.032, 1.0, 0.5))
    steps = list(path_events(points, end_s=60.0))
    assert [(step.time_samples, step.name) for step in steps] == [(0, "x"), (0, "y"), (3 * HOP, "x"), (4 * HOP, "x")]
    assert [step.value for step in steps] == pytest.approx([0.0, 0.5, 0.5, 1.0])
    merged = with_path(score_events(demo.messages()), demo.finger_path())
    assert [event.time_samples for event in merged] == sorted(event.time_samples for event in merged)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["render", "none.mid", "out.wav"], "cannot read none.mid: No such file"),
        (["render", "empty.mid", "out.wav"], "empty.mid is empty"),
        (["render", "chord.mid", "out.wav", "--path", "empty.mid"], "empty.mid is not JSON"),
        (["render", "chord.mid", "no/out.wav"], "cannot write no/out.wav: there is no directory no"),
        (["render", "chord.mid", "."], ". is a directory"),
        (["render", "chord.mid", "out.wav", "--voices", "0"], "0 voices were asked for"),
        (["render", "chord.mid", "out.wav", "--corners", f"{DEFAULT_CORNERS[0]}x", "b", "c", "d"], DEFAULT_CORNERS[0]),
    ],
)
def test_bad_input_is_one_line_status_1_and_nothing_half_written(
    short_score: Path,
    arguments: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = short_score.parent
    (folder / "empty.mid").touch()
    monkeypatch.chdir(folder)
    assert cli.main(arguments) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert message in output.err
    assert output.err.startswith("tetrad: error: ")
    assert output.err.count("\n") == 1
    assert sorted(path.name for path in folder.iterdir()) == ["chord.mid", "empty.mid"]


@pytest.mark.parametrize("position", ["0.5", "2,0", "a,b", "nan,0"])
def test_a_position_outside_the_surface_is_wrong_usage(short_score: Path, position: str) -> None:
    with pytest.raises(SystemExit) as leaving:
        cli.main(["render", str(short_score), "out.wav", "--xy", position])
    assert leaving.value.code == 2
