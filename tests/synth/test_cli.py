"""The dispatcher: what a player sees, and what a shell gets."""

import os
import signal
import subprocess
import sys
import time
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from synth import __version__, cli
from synth.command import print_json

TETRAD = [sys.executable, "-m", "synth.cli"]
COMMANDS = '''"""Commands that go wrong in every way."""
import sys, time
from synth.command import Group, add_json_argument
from synth.errors import TetradError

class Fail:
    def add_arguments(self, parser):
        parser.add_argument("how")
    def run(self, args):
        if args.how == "player":
            raise TetradError("found a;\\nexpected b; do c")
        if args.how == "defect":
            raise KeyError("velocity")
        if args.how == "module":
            import torch_is_not_here.nn
        if args.how == "file":
            open("/nowhere/at/all")
        if args.how == "wait":
            print("waiting", flush=True)
            time.sleep(60)
        if args.how == "flood":
            for _ in range(100_000):
                print("note on")
        return {"status3": 3}.get(args.how, 0)

class Words(Group):
    commands = {"fail": "unruly:Fail", "missing": "no_such_module:X"}
'''


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Environment in which a second distribution adds the commands above, as an installed package would."""
    (tmp_path / "unruly.py").write_text(COMMANDS)
    info = tmp_path / "unruly-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: unruly\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[tetrad.commands]\nfail = unruly:Fail\nwords = unruly:Words\n")
    return {**os.environ, "PYTHONPATH": str(tmp_path)}


def tetrad(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*TETRAD, *arguments], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["fail", "player"], 1, "found a; expected b; do c"),
        (["words", "fail", "player"], 1, "found a; expected b; do c"),
        (["fail", "file"], 1, "/nowhere/at/all: No such file or directory; check the name and its rights"),
        (["words", "missing"], 1, "the Python module no_such_module is not installed; this command needs it"),
        (["fail", "module"], 1, "the Python module torch_is_not_here is not installed"),
        (["fail", "defect"], 1, "KeyError: 'velocity' (in unruly.py, line 13); this is a defect of Tetrad"),
    ],
)
def test_a_failure_is_one_line(environment: dict[str, str], arguments: list[str], status: int, message: str) -> None:
    result = tetrad(environment, *arguments)
    assert result.returncode == status
    assert result.stdout == ""
    assert result.stderr.startswith(f"tetrad: error: {message}")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--debug", "fail", "defect"], ["fail", "--debug", "defect"]])
def test_debug_adds_the_traceback(environment: dict[str, str], arguments: list[str]) -> None:
    result = tetrad(environment, *arguments)
    assert result.returncode == 1
    assert "Traceback (most recent call last)" in result.stderr
    assert 'raise KeyError("velocity")' in result.stderr


@pytest.mark.parametrize("arguments", [[], ["fail"], ["no-such-command"], ["words"], ["fail", "player", "--loud"]])
def test_wrong_usage_is_status_2(environment: dict[str, str], arguments: list[str]) -> None:
    result = tetrad(environment, *arguments)
    assert result.returncode == 2
    assert result.stderr.startswith("usage: tetrad")


def test_a_commands_status_is_the_processes(environment: dict[str, str]) -> None:
    assert tetrad(environment, "fail", "status3").returncode == 3
    assert tetrad(environment, "fail", "fine").returncode == 0


def test_help_imports_no_command(environment: dict[str, str]) -> None:
    """The module's first docstring line is shown although importing any command would end the process."""
    code = (
        "import sys\nclass Bomb:\n def find_spec(self, name, path=None, target=None):\n"
        "  if name in {'torch', 'numpy', 'numba'}: raise SystemExit('imported ' + name)\n"
        "sys.meta_path.insert(0, Bomb())\nfrom synth import cli\ncli.main(['--help'])\n"
    )
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0
    assert "Commands that go wrong in every way" in result.stdout
    assert "Make the data set, train" in result.stdout


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        cli.main(["--version"])
    assert leaving.value.code == 0
    assert capsys.readouterr().out == f"tetrad {__version__}\n"


def test_ctrl_c_is_130_and_one_line(environment: dict[str, str]) -> None:
    with subprocess.Popen(
        [*TETRAD, "fail", "wait"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        time.sleep(0.2)  # from print to sleep
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert errors == "tetrad: stopped\n"


def test_a_reader_that_goes_away_is_no_error_message(environment: dict[str, str]) -> None:
    result = subprocess.run(
        ["bash", "-c", 'set -o pipefail; "$@" | head -n 1', "bash", *TETRAD, "fail", "flood"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == "note on\n"
    assert result.stderr == ""
    assert result.returncode == 141


def test_a_missing_training_package_names_the_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A device has no torch: hide it, and ask for training."""
    hide = EntryPoints([EntryPoint("train", "torch:Trainer", "tetrad.commands")])
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: hide)
    assert cli.main(["train"]) == 1
    error = capsys.readouterr().err
    assert "torch is not installed" in error
    assert "pip install 'tetrad[models]'" in error
    assert error.count("\n") == 1


def test_json_is_one_line_and_strict(capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    print_json({"rows": np.array([1.5, np.nan]), "voices": np.int64(3), "worst": float("inf"), "path": Path("a")})
    assert capsys.readouterr().out == '{"rows": [1.5, null], "voices": 3, "worst": null, "path": "a"}\n'
