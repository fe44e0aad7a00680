"""The current patch survives whatever happens to the process."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from synth.control.patch import Patch
from synth.control.patch_autosave import Autosave, State, restore, state_bytes
from synth.control.patch_parts import gesture_of
from tests.synth.control.test_patch import random_patch


def until(condition: Callable[[], bool]) -> None:
    """Waits for what a thread does; the limit is only there to end a test that would never end."""
    limit = time.monotonic() + 30.0
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.005)


def test_the_state_comes_back(tmp_path: Path) -> None:
    dice = random.Random(7)
    for number in range(20):
        state = State(random_patch(dice), dice.choice((None, "Glass")))
        with Autosave(tmp_path / "new" / f"{number % 2}.json") as autosave:
            autosave.note(*state)
        assert restore(autosave.path) == (state, "")


def test_nothing_is_there_at_the_first_start(tmp_path: Path) -> None:
    assert restore(tmp_path / "none" / "current.json") == (None, "")


def test_it_is_written_without_closing(tmp_path: Path) -> None:
    path = tmp_path / "current.json"
    with Autosave(path) as autosave:
        for number in range(100):
            autosave.note(Patch().with_values({"reverb": number / 100}), "Init")
        last = State(Patch().with_values({"reverb": 0.99}), "Init")
        until(lambda: path.exists() and restore(path) == (last, ""))
        autosave.note(Patch(name="Later"))
        until(lambda: restore(path) == (State(Patch(name="Later")), ""))


def test_kill_9_leaves_the_last_state_or_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "current.json"
    code = (
        "import itertools, sys\nfrom pathlib import Path\nfrom synth.control.patch import Patch\n"
        "from synth.control.patch_autosave import Autosave\n"
        "autosave = Autosave(Path(sys.argv[1]), period_s=0.0)\n"
        "said = False\n"
        "for number in itertools.cycle(range(1000)):\n"
        "    points = [{'time_s': t / 125, 'x': number / 1000, 'y': 0.5} for t in range(1500)]\n"
        "    gesture = {'format': 'tetrad-path', 'version': 1, 'points': points}\n"
        "    autosave.note(Patch().with_values({'reverb': number / 1000}).with_gesture(gesture))\n"
        "    if not said and autosave.path.exists(): said = True; print('there', flush=True)\n"
    )
    dice = random.Random(8)
    for _ in range(6):
        with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"there\n"
            time.sleep(dice.random() * 0.05)
            process.send_signal(signal.SIGKILL)
        state, warning = restore(path)
        assert warning == ""
        assert state is not None
        assert state.patch.gesture is not None
        points = gesture_of(state.patch.gesture).points
        assert [point.x for point in points] == [state.patch.value("reverb")] * 1500


def test_a_disk_that_fills_up_is_said_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory in the file's place stands in for the disk."""
    monkeypatch.setattr("synth.control.patch_autosave.RETRY_S", 0.01)
    path = tmp_path / "current.json"
    path.mkdir()
    with Autosave(path, period_s=0.0) as autosave:
        autosave.note(Patch(name="Mine"))
        until(lambda: autosave.failure is not None)
        assert "is a directory" in str(autosave.failure)
        assert autosave.news().startswith("the current patch is not kept: ")
        assert autosave.news() == ""
        path.rmdir()
        until(lambda: autosave.failure is None)
        assert (autosave.news(), autosave.news()) == ("the current patch is kept again", "")
        assert restore(path) == (State(Patch(name="Mine")), "")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-20],
        lambda data: b"",
        lambda data: data.replace(b'"stored": "Glass"', b'"stored": 7'),
        lambda data: data.replace(b'"version": 1', b'"version": 2', 1),
        lambda data: data.replace(b'"x": 0.5', b'"x": 5'),
        lambda data: data.replace(b"tetrad-state", b"tetrad-patch"),
    ],
)
def test_a_damaged_state_is_set_aside_and_said(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "current.json"
    whole = state_bytes(State(Patch(name="Mine"), "Glass"))
    assert damage(whole) != whole
    for number in range(2):
        path.write_bytes(damage(whole))
        state, warning = restore(path)
        assert state is None
        assert warning.startswith(f"the last patch could not be restored: {path}")
        assert "\n" not in warning
        assert not path.exists()
        assert len(list(tmp_path.iterdir())) == number + 1
        assert {kept.read_bytes() for kept in tmp_path.iterdir()} == {damage(whole)}
