"""`tetrad instruments ...`, the real program: alone, and beside a running engine."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from synth.instruments.format import SUFFIX, read_instrument
from synth.instruments.library import Library
from synth.io.client import Client
from tests.synth.instruments.library_parts import put
from tests.synth.instruments.recordings import write_tone

Run = Callable[..., "subprocess.CompletedProcess[str]"]
TETRAD = [sys.executable, "-m", "synth.cli"]


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment with a library and a socket of its own."""
    return {**os.environ, "TETRAD_HOME": str(tmp_path / "home"), "TETRAD_SOCKET": str(tmp_path / "s")}


@pytest.fixture
def run(home: dict[str, str]) -> Run:
    def tetrad(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        command = [*TETRAD, "instruments", *map(str, arguments)]
        return subprocess.run(command, env=home, capture_output=True, text=True, check=False)

    return tetrad


def rows(run: Run, *arguments: str) -> list[str]:
    result = run("list", "--json", *arguments)
    assert result.returncode == 0, result.stderr
    return [row["name"] for row in json.loads(result.stdout)["instruments"]]


def test_an_instrument_is_added_named_tagged_removed_and_brought_back(run: Run, tmp_path: Path) -> None:
    path = write_tone(tmp_path / "box_57.wav", 57)
    result = run("add", path, "--tag", "wood", "--licence", "CC0", "--json")
    assert result.returncode == 0, result.stderr
    (added,) = json.loads(result.stdout)["instruments"]
    assert (added["name"], added["notes"]) == ("box", 1)
    assert run("rename", "box", "Cigar Box").stdout == "box is shown as Cigar Box\n"
    assert rows(run, "--search", "cigar") == ["box"]
    assert rows(run, "--tag", "wood", "--family", "keyboard") == ["box"]
    assert run("tag", "box", "old", "small").returncode == 0
    assert rows(run, "--tag", "wood") == []
    shown = json.loads(run("show", "box", "--json").stdout)
    assert (shown["display_name"], shown["tags"], shown["licence"]) == ("Cigar Box", ["old", "small"], "CC0")
    assert run("show", "box", "--picture").stdout.strip() == added["picture"] == shown["picture"]
    assert run("remove", "box").returncode == 0
    assert "box" not in rows(run)
    assert run("restore").stdout == "box is back\n"
    again = run("add", path)
    assert again.returncode == 1
    assert again.stderr.strip().count("\n") == 0
    assert "in the library already, as box" in again.stderr


def test_an_exported_file_is_added_by_another_player(run: Run, tmp_path: Path, home: dict[str, str]) -> None:
    put(Library([tmp_path / "home" / "instruments"]), "mine", "Mine")
    assert run("rename", "mine", "Ours").returncode == 0
    assert run("export", "mine", tmp_path).stdout.strip() == str(tmp_path / f"mine{SUFFIX}")
    home["TETRAD_HOME"] = str(tmp_path / "other")
    result = run("add", tmp_path / f"mine{SUFFIX}")
    assert result.returncode == 0, result.stderr
    assert read_instrument(tmp_path / "other" / "instruments" / f"mine{SUFFIX}").display_name == "Ours"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "nowhere.wav"), "there is no nowhere.wav"),
        (("add", "text_60.wav"), "text_60.wav"),
        (("add", ".", "--name", "Not A Name"), "can't be used"),
        (("add", "text_60.wav", "--corner", "nw"), "no engine answers"),
        (("remove", "flute"), "comes with Tetrad"),
        (("restore",), "nothing was removed"),
        (("rename", "flut", "x"), "did you mean flute"),
        (("tag", "flute", "x" * 41), "1 to 40 characters"),
        (("export", "flute", "."), "exists"),
    ],
    ids=str,
)
def test_what_goes_wrong_is_one_line(run: Run, tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    (tmp_path / "text_60.wav").write_text("no sound")
    (tmp_path / f"flute{SUFFIX}").write_text("in the way")
    places = {"nowhere.wav", "text_60.wav", "."}
    result = run(*(tmp_path / argument if argument in places else argument for argument in arguments))
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert words.replace("nowhere", f"{tmp_path}/nowhere") in line
    assert "defect" not in line


def test_a_picture_that_there_is_not_is_said(run: Run) -> None:
    result = run("show", "flute", "--picture")
    assert result.returncode == 1
    assert "flute has no picture" in result.stdout


@pytest.fixture
def engine(home: dict[str, str]) -> Iterator[Client]:
    """A running engine without a sound card."""
    command = [sys.executable, "-m", "synth", "--audio", "null", "--osc", "-1", "--no-refine", "--voices", "8"]
    with subprocess.Popen(command, env=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        for line in program.stdout:
            if line.startswith("Playing"):
                break
        try:
            with Client(home["TETRAD_SOCKET"]) as client:
                yield client
        finally:
            program.kill()


@pytest.mark.slow
@pytest.mark.long
def test_a_running_engine_makes_the_instrument_and_puts_it_into_a_corner(
    run: Run, tmp_path: Path, engine: Client
) -> None:
    path = write_tone(tmp_path / "box_57.wav", 57)
    engine.subscribe(30.0)
    result = run("add", path, "--corner", "se", "--display-name", "The Box")
    assert result.returncode == 0, result.stderr
    assert "box (The Box): 1 note" in result.stdout
    status = engine.wait_for(lambda status: status["corners"]["se"]["instrument"] == "box", 60.0)
    assert status["corners"]["se"]["display_name"] == "The Box"
    assert status["health"]["underflows"] >= 0
    again = run("add", path, "--into-engine")
    assert again.returncode == 1
    assert "in the library already" in again.stderr
    refused = run("add", path, "--into-engine", "--keys", "57")
    assert "which the engine does not take" in refused.stderr
    assert run("rename", "box", "Cigar Box").returncode == 0
    engine.wait_for(lambda status: status["corners"]["se"]["display_name"] == "Cigar Box", 60.0)
