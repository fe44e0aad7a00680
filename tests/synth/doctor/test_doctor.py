"""The command, as a player and as a script call it; a check that breaks down; and a real engine."""

import argparse
import json
import os
import threading
import zipfile
from pathlib import Path

import pytest

from synth.doctor import engine as running
from synth.doctor.check import Check, Verdict, fail, failed, ok, warn, worst
from synth.doctor.commands import DoctorCommand, as_text
from synth.doctor.engine import Asked, RunningEngine, ask_engine
from synth.doctor.examine import examine, guarded, our_groups
from synth.doctor.machine import Machine
from synth.doctor.report import write_report
from synth.errors import TetradError
from tests.ui.engine import EngineProcess


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TETRAD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TETRAD_SOCKET", str(tmp_path / "s"))


def doctor(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command = DoctorCommand()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


def test_json_has_the_checks_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    status = doctor("--json")
    result = json.loads(capsys.readouterr().out)
    assert list(result) == ["checks"]
    assert all(list(check) == ["name", "verdict", "value", "remedy"] for check in result["checks"])
    verdicts = {check["verdict"] for check in result["checks"]}
    assert verdicts <= {"ok", "warn", "fail"}
    assert status == int("fail" in verdicts)
    assert all(bool(check["remedy"]) == (check["verdict"] != "ok") for check in result["checks"])
    names = [check["name"] for check in result["checks"]]
    assert len(set(names)) == len(names)
    assert {"sound card", "MIDI inputs", "model", "instruments that ship", "disk space", "temperature"} <= set(names)


def test_a_person_reads_verdict_figure_and_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor("--report", str(tmp_path / "r.zip")) in (0, 1)
    words = capsys.readouterr().out
    assert " ok   model: " in words
    assert "look into it before you send it" in words
    assert (tmp_path / "r.zip").stat().st_size > 1000


def test_the_text() -> None:
    found = [ok("disk", "4 GB"), warn("governor", "ondemand " * 12, "sudo this"), fail("card", "none", "plug one in")]
    assert as_text(found, width=60).splitlines() == [
        " ok   disk: 4 GB",
        "warn  governor: ondemand ondemand ondemand ondemand ondemand",
        "      ondemand ondemand ondemand ondemand ondemand ondemand",
        "      ondemand",
        "      -> sudo this",
        "FAIL  card: none",
        "      -> plug one in",
        "",
        "1 ok, 1 warn, 1 fail",
    ]
    assert "\x1b[31mFAIL" in as_text(found, colour=True)
    assert (worst(found), worst(found[:2]), worst([])) == (Verdict.FAIL, Verdict.WARN, Verdict.OK)


def test_no_check_can_end_the_others() -> None:
    def defect() -> list[Check]:
        raise KeyError("velocity")

    def refusal() -> list[Check]:
        raise TetradError("a was found; b was expected; do c")

    groups = [("one", defect), ("two", refusal), ("three", lambda: [ok("three", "fine")])]
    found = examine(Asked(), Machine(), groups)
    assert [check.verdict for check in found] == [Verdict.FAIL, Verdict.FAIL, Verdict.OK]
    assert "KeyError" in found[0].value
    assert found[1] == fail("two", "a was found; b was expected", "do c")


def test_a_check_that_hangs_is_left() -> None:
    forever = threading.Event()
    found = guarded("driver", lambda: [ok("x", "y")] if forever.wait() else [], within_s=0.05)
    forever.set()
    assert (found[0].verdict, found[0].name) == (Verdict.FAIL, "driver")
    assert "no answer" in found[0].value


def test_an_error_of_one_part_has_a_remedy_too() -> None:
    assert failed("x", TetradError("it burns")).remedy


def test_of_a_running_engine_its_own_words_count(engine: EngineProcess) -> None:
    asked = ask_engine(engine.socket)
    assert asked.engine is not None
    assert asked.engine.pid == engine.pid
    found = {check.name: check for check in running.checks(asked)}
    assert found["running engine"].verdict is Verdict.OK
    assert found["engine: voices"].value == "64 of 64 may sound"
    assert found["engine: lost messages"].verdict is Verdict.OK
    groups = dict(our_groups(asked, Machine()))
    assert groups["sound card"]()[0].value == "the engine plays without one"
    assert "audio thread" in groups["real-time priority"]()[1].value + groups["real-time priority"]()[1].remedy


def test_the_archive_of_a_running_engine(
    engine: EngineProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TETRAD_HOME", str(engine.home))
    engine.client.request("patch_save", name="Liebesbrief")
    path = write_report(tmp_path / "r.zip", [], ask_engine(engine.socket).engine, Machine())
    with zipfile.ZipFile(path) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert json.loads(texts["status.json"])["voices"]["most"] == 64
    assert "assignments" in texts["midi_map.json"]
    assert "another patch" in texts["log.txt"]
    assert "liebesbrief" not in "".join(texts.values()).casefold()


def test_no_engine_is_no_trouble(tmp_path: Path) -> None:
    assert ask_engine(tmp_path / "s") == Asked()
    assert running.checks(Asked())[0].verdict is Verdict.OK
    (tmp_path / "left").write_text("")  # as a killed engine leaves its socket: nobody listens there
    assert ask_engine(tmp_path / "left") == Asked()


def faring(**health: float) -> RunningEngine:
    fine = {"underflows": 0, "worst_block_share": 0.3, "block_share": 0.1, "late_frames": 0, "lost_segments": 0}
    status = {
        "health": {**fine, "dropped_events": 0, "clock_samples": 48_000 * 3600, **health},
        "audio": {"device": "USB", "state": "running", "sample_rate_hz": 48_000, "block_samples": 256},
        "voices": {"limit": 64, "most": 64},
        "midi": {"dropped": 0},
    }
    return RunningEngine("tetrad 0.0.1", 0, status)


@pytest.mark.parametrize(
    ("health", "name", "verdict"),
    [
        ({}, "engine: late blocks", "ok"),
        ({"underflows": 3}, "engine: late blocks", "warn"),
        ({"underflows": 300}, "engine: late blocks", "fail"),
        ({"block_share": 0.9}, "engine: late blocks", "warn"),
        ({"late_frames": 400}, "engine: late control frames", "ok"),
        ({"late_frames": 4_000}, "engine: late control frames", "warn"),
        ({"dropped_events": 1}, "engine: lost messages", "warn"),
        ({}, "running engine", "warn"),  # of another version
    ],
)
def test_how_an_engine_fares(health: dict[str, float], name: str, verdict: str) -> None:
    found = {check.name: check for check in running.checks(Asked(faring(**health)))}
    assert found[name].verdict == verdict


def test_a_late_block_that_nobody_hears_is_no_failure() -> None:
    engine = faring(underflows=300)
    silent = RunningEngine(engine.name, 0, {**engine.status, "audio": {"state": "none", "sample_rate_hz": 48_000}})
    assert {check.verdict for check in running.checks(Asked(silent))} <= {Verdict.OK, Verdict.WARN}


def test_an_engine_of_another_user_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s").write_text("")
    real_access = os.access
    # Root may open everything: what another user is told has to be planted.
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path / "s" and real_access(path, mode))
    check = running.checks(ask_engine(tmp_path / "s"))[0]
    assert check.verdict is Verdict.FAIL
    assert check.remedy == f"run: sudo -u {(tmp_path / 's').owner()} tetrad doctor"


def test_a_folder_that_may_not_be_read_is_named() -> None:
    def refuse() -> list[Check]:
        raise PermissionError(13, "Permission denied", "/var/lib/tetrad")

    [check] = guarded("data", refuse)
    assert (check.verdict, check.value) == (Verdict.FAIL, "/var/lib/tetrad may not be read by this user")
    assert "sudo -u tetrad" in check.remedy


def test_where_an_engines_sound_goes() -> None:
    engine = faring()
    assert running.sound(engine).value == "USB, in use by the engine at 48000 Hz, blocks of 256 samples, 5.3 ms"
    gone = RunningEngine("", 0, {"audio": {"device": "USB", "state": "waiting", "words": "it is gone"}})
    assert running.sound(gone).verdict is Verdict.FAIL
    assert running.sound(RunningEngine("")).verdict is Verdict.WARN
