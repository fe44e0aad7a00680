"""What the player types: `pads show`, `render --source pad` and `play --source pad`, and what bad input is told."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synth import cli
from synth.errors import TetradError
from synth.io.midi_file import TimedMessage, write_midi_file
from synth.pads.pad_file import Pad
from synth.pads.pad_header import header_bytes
from synth.pads.show import ShowCommand
from tests.synth.pads.pad_parts import Samples, level_at, make_pad


def tone(y: int, x: int, hz: float) -> Samples:
    """North-east has the second partial, all others the first."""
    return 0.25 * np.sin(2.0 * np.pi * hz * (2 if (y, x) == (2, 2) else 1) * np.arange(24_000) / 48_000)


@pytest.fixture
def pad(tmp_path: Path) -> Path:
    path = tmp_path / "test.tetrad-pad"
    make_pad(path, tone, loop=(4000, 20_000))
    return path


@pytest.fixture
def score(tmp_path: Path) -> Path:
    path = tmp_path / "score.mid"
    write_midi_file(path, [TimedMessage(0.0, bytes((0x90, 69, 100))), TimedMessage(1.0, bytes((0x80, 69, 0)))])
    return path


def show(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command = ShowCommand()
    command.add_arguments(parser)
    return command.run(parser.parse_args(list(arguments)))


def test_show_says_what_is_in_a_pad(pad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(str(pad), "--check") == 0
    words = capsys.readouterr().out
    assert words.startswith("test: NW north-west, NE north-east, SW south-west, SE south-east\n")
    assert "27 notes: 3 by 3 cells of 3 pitches, C3 to C5, velocity 100" in words
    assert show(str(pad), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["looped"] == 27
    assert found["released"] == 0
    assert found["longest_s"] == 0.5
    assert found["corner_levels_db"]["NE"] == pytest.approx(-15.1, abs=0.1)


def test_show_checks_the_samples(pad: Path) -> None:
    data = bytearray(pad.read_bytes())
    data[header_bytes(Pad.open(pad).spec) + 5 * 48_000 + 7] ^= 1
    pad.write_bytes(data)
    assert show(str(pad), "--json") == 0
    with pytest.raises(TetradError, match="cell x 1, y 0 and pitch 72 does not match its checksum"):
        show(str(pad), "--check")


def test_render_plays_a_pad_where_the_finger_is(pad: Path, score: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    base = ["render", str(score), str(out), "--source", "pad", "--pad", str(pad), "--volume", "0"]
    for place, hz in (("1,1", 880.0), ("0,0", 440.0)):
        assert cli.main([*base, "--xy", place, "--json"]) == 0
        samples, rate = soundfile.read(out)
        assert rate == 48_000
        # The rendered pitch that is nearest to 69 is 72: it is read more slowly.
        assert level_at(samples[4800:43_200, 0], hz) == pytest.approx(0.25, rel=0.03)
        assert level_at(samples[4800:43_200, 0], 1320.0 - hz) < 0.003


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--source", "pad"], "without a pad"),
        (["--pad", "PAD"], "with --source instruments; add --source pad"),
        (["--source", "pad", "--pad", "PAD", "--corners", "a", "b", "c", "d"], "whose corners are rendered"),
        (["--source", "pad", "--pad", "nowhere"], "cannot read nowhere"),
        (["--source", "pad", "--pad", "SCORE"], "is not a pad"),
    ],
)
def test_bad_input_gets_one_line(
    pad: Path, score: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    names = {"PAD": str(pad), "SCORE": str(score)}
    given = [names.get(argument, argument) for argument in arguments]
    assert cli.main(["render", str(score), str(tmp_path / "out.wav"), *given]) == 1
    error = capsys.readouterr().err
    assert error.startswith("tetrad: error: ")
    assert words in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.slow
def test_play_plays_a_pad(pad: Path, tmp_path: Path) -> None:
    arguments = ["--source", "pad", "--pad", str(pad), "--audio", "null", "--demo", "--headless", "--seconds", "3"]
    program = subprocess.run(
        [sys.executable, "-m", "synth.cli", "play", "--osc", "-1", *arguments],
        env={**os.environ, "TETRAD_HOME": str(tmp_path / "home")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert program.returncode == 0, program.stderr
    assert "Pad: test. Corners: NW north-west, NE north-east, SW south-west, SE south-east" in program.stdout
    peak_db = float(program.stdout.rsplit("peak ", 1)[1].split()[0])
    assert -40.0 < peak_db < 0.0
    assert not list((tmp_path / "home").rglob("current.json"))
