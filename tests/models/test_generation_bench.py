"""`tetrad bench wavenet` prints what it says."""

import argparse
import json

import pytest

from models.bench_wavenet import BenchWavenetCommand
from synth.errors import TetradError


def run(*argv: str) -> int:
    command = BenchWavenetCommand()
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(argv))


SHORT = ("--config", "small", "--batch", "2", "--precision", "float32", "--seconds", "0.05", "--threads", "1")


def test_rows_hold_the_plain_step_and_the_fast_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*SHORT, "--json") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["precision"] for row in rows] == ["plain step", "float32"]
    for row in rows:
        assert (row["config"], row["batch"], row["threads"]) == ("small", 2, 1)
        assert row["samples_per_s"] > 0.0
    assert rows[1]["ratio"] == pytest.approx(rows[1]["samples_per_s"] / rows[0]["samples_per_s"])


def test_the_table_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*SHORT) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:3] == ["config", "batch", "threads"]
    assert lines[3].split()[:4] == ["small", "2", "1", "float32"]


@pytest.mark.parametrize("wrong", [("--seconds", "0"), ("--batch", "0")])
def test_nonsense_is_refused(wrong: tuple[str, str]) -> None:
    with pytest.raises(TetradError, match="more than 0"):
        run("--config", "small", *wrong)
