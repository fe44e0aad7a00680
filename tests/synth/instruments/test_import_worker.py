"""The worker as a process: what it says, how much it may take, when it ends."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from synth.instruments.format import SUFFIX
from synth.instruments.import_process import ImportProcess
from synth.instruments.import_request import ImportRequest
from synth.instruments.import_worker import NICE
from synth.instruments.library import Library
from synth.worker_main import MOST_DATA_BYTES
from tests.listening import wait_until
from tests.synth.instruments.library_parts import put
from tests.synth.instruments.recordings import write_tone

COMMAND = [sys.executable, "-m", "synth.instruments.import_worker"]


@pytest.fixture
def worker() -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def read(worker: "subprocess.Popen[str]") -> dict[str, Any]:
    assert worker.stdout is not None
    message: dict[str, Any] = json.loads(worker.stdout.readline())
    return message


def ask(worker: "subprocess.Popen[str]", request: ImportRequest) -> list[dict[str, Any]]:
    """Everything that it says to a request, the answer last."""
    assert worker.stdin is not None
    worker.stdin.write(json.dumps({"request": request.to_json()}) + "\n")
    worker.stdin.flush()
    messages = [read(worker)]
    while "progress" in messages[-1]:
        messages.append(read(worker))
    return messages


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this kernel has no autogroups")
def test_it_gives_way_to_the_engine_by_its_session_too_and_leaves_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TETRAD_AT_ONCE")
    ours = Path("/proc/self/autogroup").read_text()
    for own_session in (True, False):
        with subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=own_session
        ) as process:
            assert read(process) == {"ready": True}
            group = Path(f"/proc/{process.pid}/autogroup").read_text()
            assert os.getpriority(os.PRIO_PROCESS, process.pid) == min(os.getpriority(os.PRIO_PROCESS, 0) + NICE, 19)
            process.kill()
        assert (group.endswith(f" nice {NICE}\n") and group != ours) if own_session else group == ours
    assert Path("/proc/self/autogroup").read_text() == ours


def test_it_imports_one_after_the_other_and_tells_how_far_it_is(
    worker: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    assert read(worker) == {"ready": True}
    library = tmp_path / "library"
    request = ImportRequest((write_tone(tmp_path / "box_57.wav", 57),), library=library)
    *progress, last = ask(worker, request)
    assert last["done"]["path"] == str(library / f"box{SUFFIX}")
    assert {message["progress"]["step"] for message in progress} >= {"find", "build", "write"}
    assert ask(worker, request)[-1]["duplicate"] == "box"
    error = ask(worker, ImportRequest((tmp_path / "none.wav",), library=library))[-1]
    assert "none.wav" in error["error"]
    assert error["duplicate"] is None


def test_its_memory_is_limited(worker: "subprocess.Popen[str]") -> None:
    read(worker)
    limits = Path(f"/proc/{worker.pid}/limits").read_text()
    (line,) = [line for line in limits.splitlines() if line.startswith("Max data size")]
    assert int(line.split()[3]) == MOST_DATA_BYTES


def test_it_ends_when_its_input_ends_in_the_middle_of_an_import_too(
    worker: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    assert worker.stdin is not None
    paths = tuple(write_tone(tmp_path / f"long_{key}.wav", key, 4.0) for key in range(40, 70, 2))
    request = ImportRequest(paths, library=tmp_path / "library")
    worker.stdin.write(json.dumps({"request": request.to_json()}) + "\n")
    worker.stdin.close()
    wait_until(lambda: worker.poll() is not None, "the worker's end")
    assert worker.returncode == 0
    assert list((tmp_path / "library").glob("*")) == []


def test_the_engines_side_of_it_gets_a_result(tmp_path: Path) -> None:
    theirs = put(Library([tmp_path / "theirs"]), "voice")
    process = ImportProcess()
    steps: list[str] = []
    result = process.run(
        ImportRequest((theirs,), library=tmp_path / "library"), lambda step, _done, _total: steps.append(step)
    )
    assert result.path.is_file()
    assert steps == ["find"]
    alive = [process.alive]
    process.kill()
    alive.append(process.alive)
    assert alive == [True, False]
    process.close(tmp_path / "library")


def test_it_survives_the_interrupt_that_ends_the_engine(tmp_path: Path) -> None:
    """Ctrl-C goes to the terminal's foreground group; the worker is none of it."""
    process = ImportProcess()
    assert os.getpgid(process._process.pid) != os.getpgid(0)
    process._process.send_signal(signal.SIGCONT)
    process.close()
