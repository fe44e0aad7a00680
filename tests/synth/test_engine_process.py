"""`python -m synth`, the engine by itself, and a client beside it; killed, and started again."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from synth.control.status import problems
from synth.io.client import Client, RefusedError
from tests.listening import wait_until

pytestmark = pytest.mark.slow


@contextmanager
def engine(home: Path) -> Iterator["subprocess.Popen[str]"]:
    """A running engine without a sound card, with data and a socket of its own."""
    command = [sys.executable, "-m", "synth", "--audio", "null", "--osc", "-1", "--no-refine"]
    environment = {**os.environ, "TETRAD_HOME": str(home), "TETRAD_SOCKET": str(home / "s")}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        for line in program.stdout:
            if line.startswith("Playing"):
                break
        try:
            yield program
        finally:
            program.kill()


@pytest.mark.long
def test_a_client_plays_it_and_a_killed_engine_comes_back_with_its_sound(tmp_path: Path) -> None:
    with engine(tmp_path) as program, Client(tmp_path / "s") as client:
        client.subscribe(30.0)
        client.wait_for(lambda status: "patch" in status, 30.0)
        assert problems(client.status) == []
        assert client.request("patch_load", name="Bowed Glass")["warnings"] == []
        client.request("set_many", values={"release": 4.0, "tempo": 97.0})
        client.request("note_on", key=60)
        client.request("point", x=0.2, y=0.9)
        status = client.wait_for(lambda status: status["levels"]["peak_dbfs"][0] > -60.0, 30.0)
        assert [note["key"] for note in status["notes"]] == [60]
        client.wait_for(lambda status: abs(status["point"]["x"] - 0.2) < 1e-3, 30.0)
        with pytest.raises(RefusedError, match="flute"):
            client.request("corner", corner="nw", instrument="flut")
        kept = client.request("keep", seconds=5.0)
        assert Path(kept["path"]).parent == tmp_path / "recordings"
        state = tmp_path / "current.json"
        wait_until(lambda: state.exists() and '"tempo": 97.0' in state.read_text(), "the autosave", 10)
        second = subprocess.run(
            [sys.executable, "-m", "synth", "--audio", "null", "--osc", "-1", "--no-refine"],
            env={**os.environ, "TETRAD_HOME": str(tmp_path), "TETRAD_SOCKET": str(tmp_path / "s")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 1
        assert "another engine is running" in second.stderr.splitlines()[-1]
        program.send_signal(signal.SIGKILL)
    with engine(tmp_path), Client(tmp_path / "s") as client:
        status = client.request("status")
        assert status["patch"]["name"] == "Bowed Glass"
        assert status["patch"]["edited"]
        assert status["parameters"]["tempo"] == 97.0
        assert status["parameters"]["x"] == 0.2
