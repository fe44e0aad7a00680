"""Networks, instruments, patches, settings, disk: each damaged once, and found by its own reader."""

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from synth.control.patch_bank import shipped_patches_dir
from synth.doctor import data, disk, kernels
from synth.doctor.check import Check, Verdict
from synth.doctor.versions import libraries, versions
from synth.grid.pair_file import SUFFIX as PAIR_SUFFIX
from synth.paths import pretrained_dir, shipped_instruments_dir


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A player's folder with an instrument, a patch, settings and a current sound."""
    for name in ("instruments", "patches", "grid"):
        (tmp_path / name).mkdir()
    shutil.copy(shipped_instruments_dir() / "flute.tetrad-instrument", tmp_path / "instruments")
    patch = next(iter(sorted(shipped_patches_dir().glob("*.json"))))
    shutil.copy(patch, tmp_path / "patches" / "mine.json")
    (tmp_path / "settings.toml").write_text("[audio]\nblock_samples = 256\n")
    state = {"format": "tetrad-state", "version": 1, "stored": None, "patch": json.loads(patch.read_text())}
    (tmp_path / "current.json").write_text(json.dumps(state))
    return tmp_path


def checks(home: Path) -> dict[str, Check]:
    return {check.name: check for check in data.own(home)}


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0x40
    path.write_bytes(content)


def test_all_is_well(home: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    found = checks(home)
    assert [check for check in found.values() if check.verdict is not Verdict.OK] == []
    assert found["own instruments"].value.startswith("1, all read")
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*")} == before


def test_what_ships_is_whole() -> None:
    found = data.shipped()
    assert {check.verdict for check in found} == {Verdict.OK}
    assert found[1].value.startswith(f"{len(list(shipped_instruments_dir().glob('*.tetrad-instrument')))}, all read")


def test_an_empty_folder_is_well(tmp_path: Path) -> None:
    found = checks(tmp_path)
    assert {check.verdict for check in found.values()} == {Verdict.OK}
    assert found["own patches"].value == "none"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("instruments/flute.tetrad-instrument", "own instruments"),
        ("patches/mine.json", "own patches"),
        ("patches/.numbers.json", "patches' numbers"),
        ("instruments/.library.json", "instruments' names"),
        ("settings.toml", "settings"),
        ("current.json", "current sound"),
    ],
)
def test_a_damaged_file_is_found_and_left_alone(home: Path, file: str, name: str) -> None:
    (home / file).write_text('{"format": "tetrad-patch"')
    found = checks(home)
    assert [check.name for check in found.values() if check.verdict is Verdict.FAIL] == [name]
    assert found[name].remedy
    assert (home / file).read_text() == '{"format": "tetrad-patch"'


def test_one_flipped_bit_of_an_instrument(home: Path) -> None:
    path = home / "instruments/flute.tetrad-instrument"
    flip(path, path.stat().st_size // 2)
    check = checks(home)["own instruments"]
    assert check.verdict is Verdict.FAIL
    assert "1 of 1 can't be read" in check.value
    assert "flute" in check.value


def test_a_path_that_is_damaged_is_only_a_warning(home: Path) -> None:
    (home / "grid" / f"cello+flute{PAIR_SUFFIX}").write_bytes(b"damaged")
    check = checks(home)["paths between instruments"]
    assert (check.verdict, check.value[:18]) == (Verdict.WARN, "1 can't be read; 0")


@pytest.fixture
def networks(tmp_path: Path) -> Path:
    for name in ("model.json", "encoder.onnx", "decoder.onnx"):
        shutil.copy(pretrained_dir() / name, tmp_path)
    return tmp_path


def test_the_networks_are_whole(networks: Path) -> None:
    assert data.model(networks).verdict is Verdict.OK


def test_a_flipped_bit_of_a_network(networks: Path) -> None:
    flip(networks / "encoder.onnx", 700_000)
    check = data.model(networks)
    assert check.verdict is Verdict.FAIL
    assert "encoder.onnx fails its checksum" in check.value


@pytest.mark.parametrize("name", ["decoder.onnx", "model.json"])
def test_a_network_that_is_missing(networks: Path, name: str) -> None:
    (networks / name).unlink()
    check = data.model(networks)
    assert check.verdict is Verdict.FAIL
    assert name in check.value


def test_networks_that_are_not_of_one_model(networks: Path) -> None:
    described = json.loads((networks / "model.json").read_text())
    (networks / "model.json").write_text(json.dumps(described | {"model_id": "0123456789abcdef"}))
    assert "not of one model" in data.model(networks).value


def test_a_folder_that_can_be_written(tmp_path: Path) -> None:
    assert {check.verdict for check in disk.checks(tmp_path)} <= {Verdict.OK, Verdict.WARN}
    assert disk.data_folder(tmp_path, os.geteuid()).verdict is Verdict.OK
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    check = disk.data_folder(tmp_path / "a" / "b", os.geteuid())
    assert check.verdict is Verdict.OK
    assert "the first start makes it" in check.value


def test_a_folder_of_another_user(tmp_path: Path) -> None:
    check = disk.data_folder(tmp_path, os.geteuid() + 1)
    assert check.verdict is Verdict.FAIL
    assert "chown" in check.remedy


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into every folder")
def test_a_folder_without_the_right_to_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert disk.data_folder(tmp_path, os.geteuid()).verdict is Verdict.FAIL


def test_a_disk_that_takes_nothing_more(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys, pathlib\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from synth.doctor.disk import data_folder\n"
        "check = data_folder(pathlib.Path(sys.argv[1]), os.geteuid())\n"
        "print(check.verdict, check.value)\n"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", program, str(tmp_path)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10)),
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith("fail cannot write")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("free_mb", "verdict"), [(40.0, "fail"), (400.0, "warn"), (4_000.0, "ok")])
def test_room_on_the_disk(free_mb: float, verdict: str) -> None:
    assert disk.room(free_mb, 16_000.0, Path("/data")).verdict == verdict


def test_kernels(tmp_path: Path) -> None:
    assert "up to a minute" in kernels.compiled(tmp_path / "not-there").value
    (tmp_path / "io").mkdir()
    (tmp_path / "io" / "sound_cards._callback-43.py311.1.nbc").write_bytes(b"x")
    assert kernels.compiled(tmp_path).verdict is Verdict.WARN
    (tmp_path / "io" / f"{kernels.LAST}-43.py311.1.nbc").write_bytes(b"x" * 100_000)
    check = kernels.compiled(tmp_path)
    assert (check.verdict, check.value[:9]) == (Verdict.OK, "2 in 0.1 ")


def test_libraries_that_are_missing_or_old() -> None:
    there = versions()
    assert {"numpy", "numba", "onnxruntime"} <= set(there)
    assert libraries().verdict is Verdict.OK

    def version(name: str) -> str:
        return {"numpy": "1.26.4"}.get(name) or there.get(name, "99")

    old = libraries(version)
    assert (old.verdict, old.value) == (Verdict.FAIL, "numpy 1.26.4 is older than 2.1")
