"""`tetrad bench grid` with one pair, and a sheet of pictures of a path, through the engine."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth import cli

pytestmark = pytest.mark.slow  # some 20 s: it plays 42 notes of 1.5 s, and draws four of 4 s


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TETRAD_HOME", str(tmp_path / "home"))


def test_the_grid_is_evener_than_the_straight_line_as_the_engine_plays_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench", "grid", "--pairs", "1", "--workers", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pairs_per_s"] > 0.0
    assert found["notes_per_s"] > found["pairs_per_s"]
    assert 1.0 <= found["evenness"]["grid"] < found["evenness"]["straight"]
    assert [set(row) for row in found["rows"]] == [{"west", "east", "key", "grid", "straight"}]


@pytest.mark.long
def test_a_sheet_of_a_path_has_a_row_with_the_grid_and_one_without(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = ["--folder", str(tmp_path / "grid")]
    assert cli.main(["grid", "build", "flute", "kalimba", *folder, "--workers", "1"]) == 0
    out = tmp_path / "sheet.png"
    command = ["grid", "show", "flute", "kalimba", *folder, "--picture", str(out), "--points", "3"]
    assert cli.main(command) == 0, capsys.readouterr().err
    with Image.open(out) as picture:
        shown = np.asarray(picture.convert("L"), np.float64)
    upper, lower = np.array_split(shown[22:], 2)  # without the lowest label's place
    assert shown.shape[1] == 52 + 3 * (375 + 12)
    assert min(upper.std(), lower.std()) > 10.0
    middle = slice(52 + 387, 52 + 387 + 375)
    assert np.abs(upper[:, middle] - lower[:, middle]).mean() > 1.0
