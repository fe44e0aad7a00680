"""`tetrad grid build` and `show` with shipped instruments and networks: what is there stays, and refusals in a line."""

import dataclasses
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from synth import cli
from synth.grid import report
from synth.grid.build import build_pairs, networks, plan_build
from synth.grid.pair_path import PairPath
from synth.grid.store import GridStore
from synth.instruments.library import Library

pytestmark = pytest.mark.slow  # some 10 s: it computes ten paths, and the first use of a kernel compiles it

NAMES = ["flute", "kalimba", "oboe"]


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TETRAD_HOME", str(tmp_path_factory.mktemp("home")))


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    """A `tetrad grid` command that ends well -> its JSON."""
    status = cli.main(["grid", *map(str, arguments), "--json"])
    captured = capsys.readouterr()
    assert status == 0, captured.err
    found: dict[str, Any] = json.loads(captured.out)
    return found


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line that a `tetrad grid` command complains in."""
    assert cli.main(["grid", *map(str, arguments)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("tetrad: error: ")
    assert error.count("\n") == 1
    return error


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all pairs of NAMES."""
    folder = tmp_path_factory.mktemp("grid")
    assert cli.main(["grid", "build", *NAMES, "--folder", str(folder), "--workers", "1", "--json"]) == 0
    return folder


@pytest.fixture
def grid(built: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    folder = tmp_path / "grid"
    folder.mkdir()
    for path in built.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_what_is_there_stays_and_a_new_instrument_adds_its_pairs(
    capsys: pytest.CaptureFixture[str], grid: Path
) -> None:
    before = digests(grid)
    assert list(before) == ["flute+kalimba.tetrad-pair", "flute+oboe.tetrad-pair", "kalimba+oboe.tetrad-pair"]
    stamps = {path: path.stat().st_mtime_ns for path in grid.iterdir()}
    again = run(capsys, "build", *NAMES, "--folder", grid, "--workers", 1)
    assert (again["pairs_made"], again["pairs_there"], again["bytes_written"]) == (0, 3, 0)
    more = run(capsys, "build", *NAMES, "celesta", "--folder", grid, "--workers", 1)
    assert (more["pairs_made"], more["pairs_there"], more["instruments"]) == (3, 3, 4)
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    assert len(digests(grid)) == 6


@pytest.mark.long
def test_any_number_of_processes_make_the_same_bytes(
    capsys: pytest.CaptureFixture[str], built: Path, tmp_path: Path
) -> None:
    made = run(capsys, "build", *NAMES, "--folder", tmp_path / "two", "--workers", 2)
    assert made["pairs_made"] == 3
    assert digests(tmp_path / "two") == digests(built)


def test_a_build_that_is_stopped_keeps_what_is_finished(built: Path, tmp_path: Path) -> None:
    store = GridStore(tmp_path / "cut")
    plan = plan_build(Library(), NAMES, store, networks()[0].model_id, rebuild=False)
    assert len(plan.todo) == 3

    def stop(path: PairPath, size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_pairs(plan, store, workers=1, on_pair=stop)
    assert store.names() == [("flute", "kalimba")]
    plan = plan_build(Library(), NAMES, store, networks()[0].model_id, rebuild=False)
    assert plan.todo == (("flute", "oboe"), ("kalimba", "oboe"))
    build_pairs(plan, store, workers=1, on_pair=lambda path, size: None)
    assert digests(tmp_path / "cut") == digests(built)


def test_a_damaged_path_is_made_again(capsys: pytest.CaptureFixture[str], built: Path, grid: Path) -> None:
    path = grid / "flute+oboe.tetrad-pair"
    path.write_bytes(path.read_bytes()[:-1])
    assert cli.main(["grid", "show", "--folder", str(grid)]) == 1
    assert "problem: " in capsys.readouterr().out
    assert run(capsys, "build", *NAMES, "--folder", grid, "--workers", 1)["pairs_made"] == 1
    assert digests(grid) == digests(built)


def test_another_model_is_refused_with_both_identities_and_the_remedy(
    capsys: pytest.CaptureFixture[str], built: Path, grid: Path
) -> None:
    store = GridStore(grid)
    model_id = networks()[0].model_id
    todo = plan_build(Library(), NAMES, GridStore(grid / "none"), model_id, rebuild=False)
    assert todo.n_there == 0
    made: list[PairPath] = []
    one = dataclasses.replace(todo, todo=todo.todo[:1])
    build_pairs(one, GridStore(grid / "none"), workers=1, on_pair=lambda path, size: made.append(path))
    store.write(dataclasses.replace(made[0], model_id="0123456789abcdef"))
    error = refusal(capsys, "build", *NAMES, "--folder", grid)
    assert "0123456789abcdef" in error
    assert model_id in error
    assert "tetrad grid build --rebuild" in error
    again = run(capsys, "build", *NAMES, "--folder", grid, "--rebuild", "--workers", 1)
    assert (again["pairs_made"], again["pairs_replaced"], again["pairs_there"]) == (1, 1, 2)
    assert (
        digests(built).items() <= {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in grid.glob("*.*")}.items()
    )


def test_what_cannot_be_built_is_told_in_a_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "no instrument is called 'flut'" in refusal(capsys, "build", "flut", "oboe", "--folder", tmp_path)
    assert "0 workers" in refusal(capsys, "build", *NAMES, "--folder", tmp_path / "new", "--workers", 0)
    (tmp_path / "file").write_text("in the way")
    assert "can't be made" in refusal(capsys, "build", *NAMES, "--report", tmp_path / "file")


def test_show_tells_what_is_in_the_grid_and_in_a_path(capsys: pytest.CaptureFixture[str], built: Path) -> None:
    whole = run(capsys, "show", "--folder", built)
    assert whole["pairs"] == 3
    assert whole["by_model"] == {networks()[0].model_id: 3}
    assert whole["size_bytes"] == sum(path.stat().st_size for path in built.iterdir())
    pair = run(capsys, "show", "oboe", "flute", "--folder", built)
    assert (pair["first"], pair["second"]) == ("flute", "oboe")
    assert all(0.0 < low < middle < high < 1.0 for low, middle, high in (n["quarters"] for n in pair["notes"]))
    assert cli.main(["grid", "show", "oboe", "flute", "--folder", str(built)]) == 0
    assert capsys.readouterr().out.count("pitch ") == len(pair["notes"])


def test_show_refuses_in_a_line(capsys: pytest.CaptureFixture[str], built: Path, tmp_path: Path) -> None:
    assert "tetrad grid build viola violin" in refusal(capsys, "show", "viola", "violin", "--folder", built)
    assert "1 instruments were named" in refusal(capsys, "show", "oboe", "--folder", built)
    assert "the two instruments" in refusal(capsys, "show", "--picture", tmp_path / "p.png", "--folder", built)
    assert "2 to 21" in refusal(
        capsys, "show", "oboe", "flute", "--folder", built, "--picture", tmp_path / "p.png", "--points", 1
    )
    assert cli.main(["grid", "show", "--folder", str(tmp_path / "empty")]) == 0
    assert "there are no paths" in capsys.readouterr().out


def test_the_report_has_numbers_and_pictures(capsys: pytest.CaptureFixture[str], built: Path, tmp_path: Path) -> None:
    made = run(capsys, "build", *NAMES, "--folder", built, "--workers", 1, "--report", tmp_path / "report")
    content = json.loads((tmp_path / "report" / "report.json").read_text())
    assert content["evenness"] == made["evenness"]
    assert [(p["first"], p["second"]) for p in content["pairs"]] == [
        ("flute", "kalimba"), ("flute", "oboe"), ("kalimba", "oboe"),
    ]  # fmt: skip
    assert made["evenness"]["grid"]["worst"] < 1.13 < made["evenness"]["straight"]["median"]
    assert made["evenness"]["n_worse"] == 0
    for name in ("evenness", "worst", "warps"):
        with Image.open(tmp_path / "report" / f"{name}.png") as picture:
            assert picture.width == 840
            assert np.ptp(np.asarray(picture.convert("L"))) > 200  # not blank


def test_a_report_without_matplotlib_keeps_the_numbers(
    capsys: pytest.CaptureFixture[str], built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    error = refusal(capsys, "build", *NAMES, "--folder", built, "--workers", "1", "--report", tmp_path / "report")
    assert "matplotlib" in error
    assert (tmp_path / "report" / "report.json").is_file()


def test_the_summary_counts_what_became_worse() -> None:
    def pair(straight: float, grid: float) -> report.PairReport:
        return report.PairReport("a", "b", 60, 100, straight, grid, False, np.zeros(33, np.float32))

    found = report.summarise([pair(1.2, 1.0), pair(1.0, 1.04), pair(1.0, 1.06)])
    assert (found["n_worse"], found["n_pairs"]) == (1, 3)
    assert (found["grid"]["median"], found["grid"]["worst"], found["straight"]["worst"]) == (1.04, 1.06, 1.2)
