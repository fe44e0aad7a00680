"""benchmarks/device_soak.py: what it says of a log, what its ledger and its hands see, and a short soak of it all."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.device_soak import main, read_log
from benchmarks.soaking.control import Control
from benchmarks.soaking.hands import Keyboard
from benchmarks.soaking.instrument import Instrument
from benchmarks.soaking.ledger import Ledger
from benchmarks.soaking.report import broken, markdown, report
from benchmarks.soaking.script import Script, silence
from benchmarks.soaking.window import Window, WindowGoneError
from synth.control.midi_bytes import MidiParser
from synth.control.patch import Patch, write_patch
from synth.control.patch_bank import PatchBank
from tests.listening import wait_until
from tests.ui.engine import EngineProcess


def minute(number: int, **values: Any) -> dict[str, Any]:
    """A minute in which all was well."""
    row = {
        "row": "minute",
        "at_s": 60.0 * number,
        "seconds": 60.0,
        "done": {"notes": 10},
        "crashes": [],
        "stuck_notes": [],
        "lost_patches": [],
        "troubles": [],
        "warnings": [],
        "blocks": 11250,
        "lost_blocks": {"ours": 1, "control": 1},
        "late_frames": 2,
        "frames_per_s": 30.0,
        "memory_mb": {"engine": 500.0, "screen": 150.0},
        "stolen_s": 0.1,
        "load": 2.0,
    }
    return row | values


BEGIN = {"row": "begin"}
END = {"row": "end", "crashes": [], "lost_patches": [], "troubles": [], "kept": {"patches": 3}}


def test_a_soak_in_which_all_was_well() -> None:
    found = report([BEGIN, *(minute(n) for n in range(1, 31)), END])
    assert broken(found) == []
    assert set(found["limits"].values()) == {True}
    assert found["complete"]
    assert found["done"] == {"notes": 300}
    assert (found["lost_blocks"], found["late_frames"]) == ({"ours": 30, "control": 30}, 60)


@pytest.mark.parametrize(
    ("limit", "row"),
    [
        ("0 crashes", {"crashes": ["the screen broke down (signal 11)"]}),
        ("0 stuck notes", {"stuck_notes": [{"channel": 0, "key": 60, "level_db": -3.0}]}),
        ("0 lost patches", {"lost_patches": ["patch Soak 3: no file holds it"]}),
        ("no block lost that a trivial callback keeps", {"lost_blocks": {"ours": 2, "control": 1}}),
        ("memory growth under 10 MB", {"memory_mb": {"engine": 900.0, "screen": 150.0}}),
    ],
)
def test_each_limit_is_broken_by_what_it_forbids_and_by_nothing_else(limit: str, row: dict[str, Any]) -> None:
    found = report([BEGIN, *(minute(n) for n in range(1, 30)), minute(30, **row), END])
    assert broken(found) == [limit]
    assert f"| {limit} | **no** |" in markdown(found)


@pytest.mark.parametrize("kind", ["crashes", "lost_patches"])
def test_what_is_found_after_the_engines_end_counts(kind: str) -> None:
    found = report([BEGIN, minute(1), {**END, kind: ["one"]}])
    assert broken(found) == [f"0 {kind.replace('_', ' ')}"]
    assert "- one (1 times)" in markdown(found)


def test_memory_is_a_line_after_the_warm_up_of_all_processes_together() -> None:
    rows = [minute(n, memory_mb={"engine": 400.0 + 30.0 * min(n, 10), "screen": 100.0}) for n in range(1, 41)]
    assert report([BEGIN, *rows, END])["memory_growth_mb"] == pytest.approx(0.0, abs=0.01)
    # 0.2 MB a minute in one and 0.15 in the other, for the 30 minutes after the first ten: 6.0 and 4.5.
    rows = [minute(n, memory_mb={"engine": 400.0 + 0.2 * n, "screen": 100.0 + 0.15 * n}) for n in range(1, 41)]
    found = report([BEGIN, *rows, END])
    assert found["memory"]["engine"]["by_line_mb"] == pytest.approx(6.0)
    assert found["memory"]["screen"]["last_less_first_mb"] == pytest.approx(4.5)
    assert broken(found) == ["memory growth under 10 MB"]


def test_of_a_soak_that_was_too_short_memory_is_not_judged() -> None:
    found = report([BEGIN, minute(1), minute(2, memory_mb={"engine": 900.0, "screen": 150.0}), END])
    assert found["limits"]["memory growth under 10 MB"] is None
    assert broken(found) == []


def test_a_log_that_was_cut_off_makes_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    earlier = [BEGIN, minute(1, crashes=["an earlier soak's"]), END]
    lines = [json.dumps(row) for row in (*earlier, BEGIN, minute(1), minute(2, crashes=["x"]))]
    log.write_text("\n".join(lines) + '\n{"row": "minu')
    assert [row["row"] for row in read_log(log)] == ["begin", "minute", "minute"]
    assert main(["--summarize", str(log), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["crashes"], found["complete"], found["seconds"]) == (["x"], False, 120.0)
    assert "cut off" in markdown(found)


class TestLedger:
    @pytest.fixture
    def bank(self, tmp_path: Path) -> PatchBank:
        return PatchBank(tmp_path / "patches")

    @pytest.fixture
    def ledger(self, tmp_path: Path, bank: PatchBank) -> Ledger:
        ledger = Ledger(tmp_path)
        for n in range(3):
            bank.save(Patch(name=f"Soak {n}", tags=(f"soak-{n}",)))
            ledger.saved(f"Soak {n}", f"soak-{n}")
        assert ledger.lost(self.listed(bank)) == []
        return ledger

    @staticmethod
    def listed(bank: PatchBank) -> list[str]:
        bank.rescan()
        return [entry.name for entry in bank.entries()]

    def test_what_was_saved_renamed_and_removed_is_not_lost(self, bank: PatchBank, ledger: Ledger) -> None:
        bank.save(Patch(name="Soak 1", tags=("soak-9",)))
        ledger.saved("Soak 1", "soak-9")
        bank.rename("Soak 0", "Other")
        ledger.renamed("Soak 0", "Other")
        bank.remove("Soak 2")
        ledger.removed("Soak 2")
        assert ledger.lost(self.listed(bank)) == []
        assert ledger.lost_at_the_end() == []
        assert ledger.patches == ["Soak 1", "Other"]

    def test_a_file_that_is_gone_or_damaged_is_lost_once(self, bank: PatchBank, ledger: Ledger) -> None:
        bank.named("Soak 0").path.unlink()
        path = bank.named("Soak 1").path
        path.write_bytes(path.read_bytes()[:-20])
        words = ledger.lost(["Soak 0", "Soak 1", "Soak 2"])
        assert [line.partition(":")[0] for line in words[1:]] == ["patch Soak 0", "patch Soak 1"]
        assert "soak-1.json can't be read" in words[0]
        assert ledger.lost(["Soak 2"]) == words[:1]

    def test_an_older_save_in_its_place_is_a_loss(self, bank: PatchBank, ledger: Ledger) -> None:
        ledger.saved("Soak 1", "soak-7")  # acknowledged, and not on disk
        (words,) = ledger.lost(self.listed(bank))
        assert "what was saved as soak-7 is gone; its tags are soak-1" in words

    def test_a_patch_that_the_engine_does_not_list_is_lost(self, ledger: Ledger) -> None:
        assert ledger.lost(["Soak 0", "Soak 2"]) == ["patch Soak 1: the engine does not list it"]

    def test_a_file_that_changes_by_itself_is_lost(self, bank: PatchBank, ledger: Ledger) -> None:
        entry = bank.named("Soak 1")
        write_patch(entry.path, entry.patch.with_values({"x": 0.123}))
        assert ledger.lost(self.listed(bank)) == ["patch Soak 1: it changed, and nobody saved it"]

    def test_unless_the_board_may_have_saved_over_it(self, bank: PatchBank, ledger: Ledger) -> None:
        bank.save(Patch(name="Soak 1"))
        ledger.maybe_overwritten()
        assert ledger.lost(self.listed(bank)) == []

    def test_an_import_that_is_gone_is_lost_at_the_end(self, bank: PatchBank, ledger: Ledger) -> None:
        ledger.imported("sung-1")
        (words,) = ledger.lost_at_the_end()
        assert words.startswith("instrument sung-1: ")


class Line:
    """What comes out of a keyboard's pseudo-terminal: keys and pedals that are down, and how many were struck."""

    def __init__(self, device: str) -> None:
        self._file = os.open(device, os.O_RDONLY | os.O_NOCTTY)
        os.set_blocking(self._file, False)
        self._parser = MidiParser()
        self.down: set[tuple[int, int]] = set()
        self.pedals: dict[tuple[int, int], int] = {}
        self.struck = self.n_bytes = self.n_whole_bytes = 0

    def read(self) -> None:
        with contextlib.suppress(BlockingIOError):  # nothing new
            data = os.read(self._file, 65536)
            self.n_bytes += len(data)
            for message in self._parser.feed(data):
                self.n_whole_bytes += len(message)
                self._take(message)

    def silent_after(self, struck: int) -> bool:
        self.read()
        return self.struck == struck and not self.down and set(self.pedals.values()) == {0}

    def close(self) -> None:
        os.close(self._file)

    def _take(self, message: bytes) -> None:
        kind, channel = message[0] & 0xF0, message[0] & 0x0F
        if kind == 0x90 and message[2]:
            self.down.add((channel, message[1]))
            self.struck += 1
        elif kind in (0x80, 0x90):
            self.down.discard((channel, message[1]))
        elif kind == 0xB0 and message[1] in (64, 66):
            self.pedals[channel, message[1]] = message[2]


def test_the_keyboard_speaks_midi_and_lets_everything_go() -> None:
    with Keyboard(random.Random(3)) as keyboard, contextlib.closing(Line(keyboard.device)) as line:
        over = threading.Event()
        playing = threading.Thread(target=keyboard.play, args=(over,))
        playing.start()
        while keyboard.counts["notes"] < 20:
            time.sleep(0.02)
            line.read()
        over.set()
        playing.join()
        keyboard.let_go()
        wait_until(lambda: line.silent_after(keyboard.counts["notes"]), "all that was struck, and its end")
    assert line.n_bytes < line.n_whole_bytes  # running status left some out


@pytest.mark.slow
def test_the_control_counts_the_blocks_of_a_clock() -> None:
    with Control("null", 256) as control:
        before = control.counts()["blocks"]
        while control.counts()["blocks"] < before + 20:
            time.sleep(0.02)
        assert set(control.counts()) == {"blocks", "lost", "process"}
    with pytest.raises(EOFError, match="has ended"):
        control.counts()


def test_nobody_to_ask_is_said(tmp_path: Path) -> None:
    with Window(tmp_path / "w") as window, pytest.raises(WindowGoneError, match="no screen is there"):
        window.ask("page")


@pytest.mark.long
def test_a_screen_that_breaks_down_and_an_engine_that_is_killed_are_crashes(tmp_path: Path) -> None:
    (tmp_path / "small_screen.py").write_text("raise SystemExit(3)")
    environment = {"TETRAD_SCREEN": "small_screen", "PYTHONPATH": str(tmp_path), "DISPLAY": ":none"}
    environment |= {"TETRAD_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    crashes: list[str] = []

    def found(words: str) -> bool:
        crashes.extend(instrument.new_crashes())
        return any(words in crash for crash in crashes)

    with Instrument(tmp_path, ["--audio", "null", "--no-refine"], environment) as instrument:
        wait_until(lambda: found("the screen broke down (status 3)"), "the screen's crash")
        os.kill(instrument.pid, signal.SIGKILL)
        wait_until(lambda: not instrument.alive, "the engine's end")
        assert found("the engine ended with -9")


@pytest.mark.long
def test_a_key_that_nobody_lets_go_is_a_stuck_note(engine: EngineProcess, tmp_path: Path) -> None:
    script = Script(engine.socket, Ledger(tmp_path), tmp_path, random.Random(1), 1e9)
    script.connect(60.0)
    try:
        engine.client.request("note_on", key=64, channel=5)
        engine.client.wait_for(lambda status: bool(status["notes"]))
        assert [(note["channel"], note["key"]) for note in silence(script, 1.0)] == [(5, 64)]
        engine.client.request("note_off", key=64, channel=5)
        assert silence(script, 30.0) == []
    finally:
        script.client.close()


@pytest.mark.long
def test_a_short_soak_of_everything(tmp_path: Path) -> None:
    """Twenty seconds by the clock's audio: each player has played, and nothing is crashed, stuck or lost."""
    log = tmp_path / "log"
    command = [sys.executable, "-m", "benchmarks.device_soak", "--minutes", "0.33", "--round-seconds", "10"]
    command += ["--audio", "null", "--import-every", "10", "--no-refine", "--log", str(log), "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(ended.stdout)
    assert found["complete"]
    assert (found["crashes"], found["stuck_notes"], found["lost_patches"]) == ([], [], [])
    assert found["troubles"] == []
    for done in (
        "notes",
        "heard messages",
        "swipes",
        "detents",
        "presses",
        "set_many",
        "patch_save",
        "instrument_import",
    ):
        assert found["done"][done] > 0, done
    assert set(found["memory"]) == {"engine", "screen", "board"}
    assert found["blocks"] > 0
    assert found["kept"]["patches"] > 0
    assert found["kept"]["instruments"] > 0
    assert len(read_log(log)) == 4
