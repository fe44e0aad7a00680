"""`bench_engine` measures what it says, with the real parts; how fast is for the command to say, not for a test."""

import signal

import pytest

from synth.bench import bench_engine, busy_neighbour
from synth.errors import TetradError
from tests.synth.voices.engine_parts import AnalyticDecoder, Sound, instrument, silent_rows, steady


def test_rows_have_every_share_and_the_parts_add_up() -> None:
    corners = [instrument(steady({1: -40}))] * 4
    rows = bench_engine(corners, AnalyticDecoder(), [1, 20], 0.5, 256)
    assert [(row["voices"], row["block_size"], row["sample_rate"]) for row in rows] == [
        (1, 256, 48_000),
        (20, 256, 48_000),
    ]
    for row in rows:
        assert 0.0 < row["median_share"] <= row["p999_share"] <= row["worst_share"]
        assert row["decoder_share"] + row["control_share"] + row["audio_share"] > 0.0
        assert row["blocks_over"] >= 0


def test_notes_that_end_are_said_to_be_of_no_use() -> None:
    rows = silent_rows(40)
    rows[:20, 0] = -20.0
    corners = [instrument(Sound(rows, release_start=39), sustains=False)] * 4
    with pytest.raises(TetradError, match="of 2 notes sounded"):
        bench_engine(corners, AnalyticDecoder(), [2], 3.0)


def test_the_neighbour_is_gone_afterwards() -> None:
    with busy_neighbour() as process:
        assert process.poll() is None
    assert process.returncode == -signal.SIGKILL
