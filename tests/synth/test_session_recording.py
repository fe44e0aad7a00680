"""Recording through the engine's protocol: the real program and client, and a voice on a JACK server."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from synth.control.status import problems
from synth.errors import TetradError
from synth.instruments.format import SUFFIX, read_instrument
from synth.io.client import Client
from tests.listening import wait_until
from tests.synth.instruments.singer import Singer, song, sung


@pytest.fixture
def home(jack_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return {**jack_environment, "TETRAD_HOME": str(tmp_path / "home"), "TETRAD_SOCKET": str(tmp_path / "s")}


@pytest.fixture
def notices() -> list[tuple[str, dict[str, Any]]]:
    return []


@pytest.fixture
def engine(home: dict[str, str], notices: list[tuple[str, dict[str, Any]]]) -> Iterator[Client]:
    """A running engine that plays to nowhere: its JACK server is for the input."""
    command = [sys.executable, "-m", "synth", "--audio", "null", "--osc", "-1", "--no-refine", "--voices", "8"]
    with subprocess.Popen(command, env=home, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as program:
        assert program.stdout is not None
        for line in program.stdout:
            if line.startswith("Playing"):
                break
        try:
            client = Client(home["TETRAD_SOCKET"], on_notice=lambda name, data: notices.append((name, dict(data))))
            with client:
                yield client
        finally:
            program.terminate()  # a server that waits for clients waits for a killed one, too


@pytest.fixture
def singer(jack_server: str) -> Iterator[Singer]:
    singer = Singer(jack_server)
    yield singer
    singer.close()


def test_a_note_is_sung_into_a_corner_while_the_engine_plays(
    engine: Client, singer: Singer, tmp_path: Path, notices: list[tuple[str, dict[str, Any]]]
) -> None:
    inputs = engine.request("inputs")["inputs"]
    assert "JACK Audio Connection Kit: system" in [one["device"] for one in inputs]
    engine.subscribe(30.0)
    engine.wait_for(lambda status: status["input"] == {"state": "off", "words": ""}, 60.0)
    engine.request("note_on", key=48)
    opened = engine.request("record_input_start", device="jack", notes=1)
    assert opened == {"device": "JACK Audio Connection Kit: system", "sample_rate_hz": 48_000, "channels": 2}
    with pytest.raises(TetradError, match="an input is being recorded already"):
        engine.request("record_input_start")
    engine.wait_for(lambda status: status["input"]["state"] == "waiting", 60.0)
    singer.sing(song(sung(57.0, 1.2)))
    engine.wait_for(lambda status: status["input"]["state"] == "recording", 60.0)
    status = engine.wait_for(lambda status: status["input"]["state"] == "ready", 60.0)
    assert problems(status) == []
    assert -20.0 < status["input"]["peak_dbfs"] < -8.0
    status = engine.wait_for(lambda status: status["input"]["takes"][0]["heard"] != "", 60.0)
    assert status["input"]["takes"][0]["heard"].startswith("A3")
    assert "heard A3" in status["input"]["words"]
    with pytest.raises(TetradError, match="can't be used"):
        engine.request("record_input_stop", name="Not A Name")
    stopped = engine.request("record_input_stop", name="sung", display_name="Sung", family="vocal", corner="se")
    assert round(stopped["takes"][0]["pitch"]) == 57
    status = engine.wait_for(lambda status: status["corners"]["se"]["instrument"] == "sung", 60.0)
    assert status["input"]["state"] == "off"
    instrument = read_instrument(tmp_path / "home" / "instruments" / f"sung{SUFFIX}")
    assert [note.pitch for note in instrument.notes] == [57]
    assert instrument.family == "vocal"
    wait_until(lambda: not (tmp_path / "home" / "takes").exists(), "the takes' end")
    states = [data["state"] for name, data in notices if name == "input_changed"]
    assert {"waiting", "recording", "ready", "off"} <= set(states)


@pytest.mark.long
def test_cancelling_and_what_goes_wrong_leave_nothing(engine: Client, singer: Singer, tmp_path: Path) -> None:
    for command in ("record_input_stop", "record_input_cancel"):
        with pytest.raises(TetradError, match="no input is being recorded"):
            engine.request(command)
    with pytest.raises(TetradError, match="no audio input is called 'harpsichord'"):
        engine.request("record_input_start", device="harpsichord")
    engine.subscribe(30.0)
    engine.request("record_input_start", device="jack")
    singer.sing(song(sung(60.0, 0.5)))
    engine.wait_for(lambda status: len(status["input"].get("takes", ())) == 1, 60.0)
    engine.request("record_input_cancel")
    engine.wait_for(lambda status: status["input"]["state"] == "off", 60.0)
    assert not (tmp_path / "home" / "takes").exists()
    engine.request("record_input_start", device="jack")
    with pytest.raises(TetradError, match="no note was heard"):
        engine.request("record_input_stop")
    wait_until(lambda: not (tmp_path / "home" / "takes").exists(), "the empty folder's end")


def test_an_import_that_fails_keeps_the_takes(
    engine: Client, singer: Singer, tmp_path: Path, notices: list[tuple[str, dict[str, Any]]]
) -> None:
    engine.subscribe(30.0)
    engine.request("record_input_start", device="jack", notes=1)
    singer.sing(song(sung(60.0, 0.5)))
    engine.wait_for(lambda status: status["input"]["state"] == "ready", 60.0)
    engine.request("record_input_stop", name="flute")  # which ships

    def warnings() -> list[str]:
        return [data["words"] for name, data in notices if name == "warning"]

    wait_until(warnings, "the warning")
    (words,) = warnings()
    assert "there is an instrument flute already" in words
    (folder,) = (tmp_path / "home" / "takes").iterdir()
    assert str(folder) in words
    assert [path.name for path in folder.iterdir()] == ["recording take 1.flac"]
