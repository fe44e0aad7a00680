"""The bank when the power goes, the disk is full, or something foreign lies in its folder: nothing is lost."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from synth.control.patch import write_patch
from synth.control.patch_bank import INDEX_NAME, TRASH_NAME, PatchBank
from synth.errors import TetradError
from synth.files import atomic_path
from tests.synth.control.bank_parts import contents, edited, make_bank, reopened, table


@pytest.fixture
def bank(tmp_path: Path) -> PatchBank:
    return make_bank(tmp_path)


@pytest.fixture
def shipped(bank: PatchBank) -> Path:
    return bank.folder.parent / "shipped"


def test_a_file_with_a_very_long_name_can_be_removed(bank: PatchBank) -> None:
    write_patch(bank.folder / f"{'long' * 50}.json", edited("One"))
    (bank.folder / f"{'long' * 50}.json").rename(bank.folder / f"{'long' * 62}.json")
    bank.rescan()
    bank.remove("One")
    assert bank.restore().name == "One"


def test_a_damaged_file_is_skipped_in_words_and_never_overwritten(bank: PatchBank) -> None:
    bank.save(edited("Mine"), 9)
    path = bank.named("Mine").path
    path.write_bytes(path.read_bytes()[:100])
    damaged = path.read_bytes()
    again = reopened(bank)
    assert again.find("Mine") is None
    assert len(again.warnings) == 1
    assert again.warnings[0].startswith(f"skipped a damaged patch, which stays as it is: {path} is not JSON")
    again.save(edited("Mine", 0.3))
    assert path.read_bytes() == damaged
    assert again.named("Mine").number == 9
    write_patch(path, edited("Mended"))
    last = reopened(again)
    assert table(last) == [(0, "Glass"), (1, "Wood"), (2, "Mended"), (9, "Mine")]


def test_a_file_that_is_gone_gets_its_number_again_when_it_comes_back(bank: PatchBank, tmp_path: Path) -> None:
    bank.save(edited("Mine"), 9)
    shutil.move(bank.named("Mine").path, tmp_path / "elsewhere.json")
    again = reopened(bank)
    for number in range(20):
        again.save(edited(f"New {number}"))
    assert again.at(9) is None
    shutil.move(tmp_path / "elsewhere.json", bank.folder / "back.json")
    again.rescan()
    assert again.named("Mine").number == 9


@pytest.mark.parametrize("content", ["", '{"format": "tetrad-patch-index", "version": 9, "numbers": {}}', "\0" * 50])
def test_a_damaged_index_is_set_aside(bank: PatchBank, content: str) -> None:
    bank.save(edited("Mine"), 9)
    (bank.folder / INDEX_NAME).write_text(content)
    again = reopened(bank)
    assert table(again) == [(0, "Glass"), (1, "Wood"), (2, "Mine")]
    assert "the patches' numbers are new, by name" in again.warnings[0]
    aside = [path for path in bank.folder.iterdir() if "damaged" in path.name]
    assert [path.read_text() for path in aside] == [content]
    assert reopened(again).warnings == ()


def test_two_files_of_one_name_are_both_there(bank: PatchBank) -> None:
    bank.save(edited("Mine", 0.1))
    write_patch(bank.folder / "zz.json", edited("mine", 0.2))
    again = reopened(bank)
    assert [(entry.name, entry.patch.value("reverb")) for entry in again.entries()[2:]] == [
        ("Mine", 0.1),
        ("mine (2)", 0.2),
    ]
    assert "have one name" in again.warnings[0]
    again.rename("mine (2)", "Other")
    assert reopened(again).warnings == ()
    assert reopened(again).named("Other").patch.value("reverb") == 0.2


def test_foreign_files_do_no_harm(bank: PatchBank) -> None:
    (bank.folder / "notes.txt").write_text("mine")
    (bank.folder / "folder.json").mkdir()
    (bank.folder / "link.json").symlink_to("nowhere")
    os.mkfifo(bank.folder / "pipe.json")
    (bank.folder / ".hidden.json").write_text("x")
    again = reopened(bank)
    assert table(again) == [(0, "Glass"), (1, "Wood")]
    assert len(again.warnings) == 3
    again.save(edited("Link"))
    again.save(edited("Folder"))
    assert table(reopened(again))[2:] == [(2, "Link"), (3, "Folder")]
    assert (bank.folder / "link.json").is_symlink()


_SAVER = """
import sys
from pathlib import Path
from synth.control.patch import Patch
from synth.control.patch_bank import PatchBank
bank = PatchBank(Path(sys.argv[1]), Path(sys.argv[2]))
points = [{"time_s": number / 125, "x": 0.5, "y": 0.5} for number in range(5000)]
gesture = {"format": "tetrad-path", "version": 1, "points": points}
for number in range(int(sys.argv[3]), 1_000_000):
    patch = Patch(name="Mine").with_values({"reverb": number / 1_000_000}).with_gesture(gesture)
    bank.save(patch)
    print(number, flush=True)
    bank.rename("Mine", "Renamed")
    bank.rename("Renamed", "Mine")
"""


def test_kill_9_during_saves_loses_nothing_that_was_saved(tmp_path: Path, shipped: Path) -> None:
    """Ten killings at random moments, at the same bank: what was acknowledged, or newer, is there, whole."""
    dice = random.Random(6)
    own = tmp_path / "own"
    first = 1
    for _ in range(10):
        with subprocess.Popen(
            [sys.executable, "-c", _SAVER, str(own), str(shipped), str(first)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            acknowledged = int(process.stdout.readline())
            threading.Event().wait(dice.random() * 0.05)
            process.send_signal(signal.SIGKILL)
            acknowledged = max([acknowledged, *(int(line) for line in process.stdout if line.endswith("\n"))])
        bank = PatchBank(own, shipped)
        assert bank.warnings == ()
        found = [entry for entry in bank.entries() if not entry.shipped]
        assert [entry.name for entry in found] in (["Mine"], ["Renamed"])
        number = round(found[0].patch.value("reverb") * 1_000_000)
        assert number in (acknowledged, acknowledged + 1)
        assert found[0].patch.gesture is not None
        if found[0].name == "Renamed":
            bank.rename("Renamed", "Mine")
        first = number + 1


_FULL = """
import resource, signal, sys
from pathlib import Path
from synth.control.patch import Patch
from synth.control.patch_bank import PatchBank
from synth.errors import TetradError
from synth.files import atomic_path
bank = PatchBank(Path(sys.argv[1]), Path(sys.argv[2]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (900, 900))
def attempt(change):
    try: change()
    except TetradError as error: print(error)
attempt(lambda: bank.save(Patch(name="Mine").with_values({"reverb": 0.2})))
attempt(lambda: bank.save(Patch(name="New"), 4))
attempt(lambda: bank.rename("Mine", "Yours"))
attempt(lambda: bank.tag("Glass", ["x"]))
print([(entry.number, entry.name, entry.patch.value("reverb")) for entry in bank.entries()])
"""


def test_a_full_disk_is_one_line_and_leaves_everything(bank: PatchBank) -> None:
    """A file size limit stands in for the full disk: the kernel refuses the write either way."""
    bank.save(edited("Mine", 0.1))
    before = {path: path.read_bytes() for path in bank.folder.iterdir() if path.is_file()}
    command = [sys.executable, "-c", _FULL, str(bank.folder), str(bank.folder.parent / "shipped")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = result.stdout.splitlines()
    assert len(lines) == 5
    assert all(line.startswith("cannot write ") for line in lines[:4])
    assert lines[4] == "[(0, 'Glass', 0.0), (1, 'Wood', 0.0), (2, 'Mine', 0.1)]"
    assert {path: path.read_bytes() for path in bank.folder.iterdir() if path.is_file()} == before
    assert contents(reopened(bank)) == contents(bank)


def test_a_folder_that_can_not_be_made_is_a_warning(tmp_path: Path, shipped: Path) -> None:
    (tmp_path / "file").write_text("x")
    bank = PatchBank(tmp_path / "file" / "own", shipped)
    assert table(bank) == [(0, "Glass"), (1, "Wood")]
    assert "patches can't be saved there" in bank.warnings[0]
    with pytest.raises(TetradError, match="cannot write"):
        bank.save(edited("Mine"))
    assert table(bank) == [(0, "Glass"), (1, "Wood")]


def test_readers_never_see_half_a_change(bank: PatchBank) -> None:
    """While patches are saved, moved and removed, a reader finds every number that a listing has."""
    stop = threading.Event()
    seen: list[str] = []

    def read() -> None:
        while not stop.is_set():
            numbers = [entry.number for entry in bank.entries()]
            if len(set(numbers)) != len(numbers):
                seen.append(f"{numbers}")
            fixed = bank.at(500)
            if fixed is None or fixed.name != "Fixed":
                seen.append(f"{fixed}")

    bank.save(edited("Fixed"), 500)
    reader = threading.Thread(target=read)
    reader.start()
    for number in range(12):
        bank.save(edited("Mine", number / 100))
        bank.move("Mine", number + 10)
        if number % 3 == 0:
            bank.remove("Mine")
    stop.set()
    reader.join()
    assert seen == []


def test_what_a_killed_writer_left_goes_and_nothing_else_does(bank: PatchBank) -> None:
    """The test's parent is a process that lives."""
    old = bank.folder / f".mine.{os.getppid()}-0123abcd.part.json"
    fresh = bank.folder / f".mine.{os.getppid()}-0123abce.part.json"
    dead = bank.folder / f".mine.{2**22 + 1}-0123abcd.part.json"  # Linux numbers no process so
    ours = bank.folder / f".mine.{os.getpid()}-0123abcd.part.json"  # an earlier process's that had our number
    players = bank.folder / ".my.partition"
    for path in (old, fresh, dead, ours, players):
        path.write_text("x")
    os.utime(old, (0, 0))
    os.utime(players, (0, 0))
    with atomic_path(bank.folder / "other.json") as being_written:
        bank.rescan()
        assert being_written.exists()
    assert [path.exists() for path in (old, fresh, dead, ours, players)] == [False, True, False, False, True]


def test_the_trash_is_bounded(bank: PatchBank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synth.trash.MOST_FILES", 5)
    for number in range(20):
        bank.save(edited("Mine", number / 100))
    values = [found.patch.value("reverb") for found in bank.discarded()]
    assert values == [0.18, 0.17, 0.16, 0.15, 0.14]
    assert len(list((bank.folder / TRASH_NAME).iterdir())) == 5
