"""The refiner with workers of every kind: good ones, dying ones, silent ones, and ones that refuse."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from synth.control.corners import Corner
from synth.grid.refine import MOST_FAILURES, MOST_WAITING, GridProcess, Refiner
from synth.grid.surface_pairs import Pair, surface_pairs
from tests.listening import wait_until

WORKER = """
import json, os, pathlib, signal, sys, time
def say(**message):
    print(json.dumps(message), flush=True)
say(ready=True)
for line in sys.stdin:
    request = json.loads(line)
    what, folder = request["first"], pathlib.Path(request["folder"])
    tries = folder / f"{what}.tries"
    tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
    part = folder / f".new.{os.getpid()}-0123abcd.part.tetrad-pair"
    part.write_text("half")
    if what.startswith("die") or (what.startswith("once") and tries.read_text() == "x"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if what.startswith("hang") or (what == "held" and not (folder / "go").exists()):
        time.sleep(600)
    part.unlink()
    if what.startswith("refuse"):
        say(error=f"found {what}, expected that, do this")
    else:
        (folder / f"{what}.done").write_text(request["second"] + " " + " ".join(request["libraries"]))
        say(done={"notes": 1, "cpu_s": 0.1})
"""


def pair(first: str) -> Pair:
    return Pair(first, "zither", "1", "2")


class Told:
    """What a refiner told, and the workers that it started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths: list[str] = []
        self.troubles: list[str] = []
        self.workers: list[GridProcess] = []
        self.silent_s = 30.0

    def path(self, pair: Pair) -> None:
        if pair.first == "unusable":
            raise ZeroDivisionError("no use")
        self.paths.append(pair.first)

    def start(self) -> GridProcess:
        self.workers.append(GridProcess([sys.executable, "-c", WORKER], self.silent_s))
        return self.workers[-1]

    def tries(self, first: str) -> int:
        file = self.folder / f"{first}.tries"
        return len(file.read_text()) if file.exists() else 0


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


@pytest.fixture
def refiner(told: Told) -> Iterator[Refiner]:
    refiner = Refiner([Path("instruments")], told.folder, told.path, told.troubles.append, start=told.start, settle_s=0)
    yield refiner
    refiner.close()
    assert not any(worker.alive for worker in told.workers)
    assert not list(told.folder.glob(".*"))


def test_pairs_are_computed_one_after_the_other_by_one_worker_of_low_priority(refiner: Refiner, told: Told) -> None:
    refiner.want([pair("a"), pair("b"), pair("a")])
    refiner.want([pair("c")])
    wait_until(lambda: len(told.paths) == 3, "three paths")
    assert sorted(told.paths) == ["a", "b", "c"]
    assert (told.folder / "a.done").read_text() == "zither instruments"
    assert len(told.workers) == 1
    assert told.troubles == []
    wait_until(lambda: refiner.status() == {"refining": True, "waiting": 0}, "the end")


def test_the_pairs_of_now_come_before_those_of_earlier_and_the_oldest_are_dropped(refiner: Refiner, told: Told) -> None:
    refiner.want([pair("held")])
    wait_until(lambda: refiner.status().get("computing") == "held + zither", "the first pair")
    refiner.want([pair("early1"), pair("early2")])
    refiner.want([pair("late"), pair("early2"), pair("held")])
    assert refiner.status()["waiting"] == 3
    (told.folder / "go").touch()
    refiner.enable(False)
    wait_until(lambda: "computing" not in refiner.status(), "the end of the worker")
    assert refiner.status() == {"refining": False, "waiting": 4}
    refiner.enable(True)
    wait_until(lambda: len(told.paths) == 4, "four paths")
    assert told.paths == ["held", "late", "early2", "early1"]
    assert told.troubles == []
    refiner.enable(False)
    refiner.want([pair("old")])
    refiner.want([pair(f"new{n}") for n in range(MOST_WAITING)])
    assert refiner.status()["waiting"] == MOST_WAITING


def test_a_worker_that_dies_is_tried_once_more_and_then_said_once_and_left(refiner: Refiner, told: Told) -> None:
    refiner.want([pair("die"), pair("once"), pair("good")])
    wait_until(lambda: len(told.paths) == 2, "the other paths")
    assert told.paths == ["once", "good"]
    assert told.tries("die") == told.tries("once") == 2
    assert len(told.troubles) == 1
    assert "between die and zither: computing the path ended by the signal SIGSEGV" in told.troubles[0]
    assert "\n" not in told.troubles[0]
    refiner.want([pair("die"), pair("better")])
    wait_until(lambda: "better" in told.paths, "the next path")
    assert told.tries("die") == 2
    assert len(told.troubles) == 1
    refiner.want([pair("die")._replace(first_id="other")])  # another sound of that name
    wait_until(lambda: len(told.troubles) == 2, "its words")


def test_a_silent_worker_is_ended_tried_once_more_and_said(refiner: Refiner, told: Told) -> None:
    told.silent_s = 1.0
    refiner.want([pair("hang"), pair("good")])
    wait_until(lambda: told.paths == ["good"], "the other path")
    assert told.tries("hang") == 2
    assert "said nothing for 1 s" in told.troubles[0]


def test_a_refusal_is_said_and_the_same_worker_goes_on(refiner: Refiner, told: Told) -> None:
    refiner.want([pair("refuse"), pair("unusable"), pair("good")])
    wait_until(lambda: told.paths == ["good"], "the other path")
    assert told.tries("refuse") == 1
    assert told.troubles[0] == "no path between refuse and zither: found refuse, expected that, do this"
    assert "ZeroDivisionError: no use" in told.troubles[1]
    assert len(told.workers) == 1


def test_what_is_wrong_with_every_pair_ends_the_trying(refiner: Refiner, told: Told) -> None:
    refiner.want(pair(f"refuse{n}") for n in range(MOST_FAILURES + 2))
    wait_until(lambda: len(told.troubles) == MOST_FAILURES, "the failures")
    assert "no more are tried" in told.troubles[-1]
    refiner.want([pair("good")])
    wait_until(lambda: "computing" not in refiner.status(), "the end")
    assert refiner.status() == {"refining": True, "waiting": 0}
    assert told.tries(f"refuse{MOST_FAILURES}") == 0


def test_a_worker_that_can_not_be_started_is_said(told: Told) -> None:
    refiner = Refiner(
        [], told.folder, told.path, told.troubles.append, start=lambda: GridProcess([str(told.folder)]), settle_s=0
    )
    refiner.want([pair("good")])
    wait_until(lambda: told.troubles, "its words")
    assert "computing the path can't be started" in told.troubles[0]
    refiner.close()


def test_closing_in_the_middle_of_a_pair_ends_its_worker_without_words(refiner: Refiner, told: Told) -> None:
    refiner.want([pair("hang")])
    wait_until(lambda: told.tries("hang"), "the worker")
    refiner.close()
    assert told.troubles == []
    assert not told.workers[0].alive
    refiner.want([pair("good")])
    assert refiner.status()["waiting"] == 0


def test_an_idle_worker_ends_and_another_is_started_when_it_is_wanted(told: Told) -> None:
    refiner = Refiner([], told.folder, told.path, told.troubles.append, start=told.start, settle_s=0, idle_s=0.05)
    refiner.want([pair("a")])
    wait_until(lambda: told.workers and not told.workers[0].alive, "the end of the idle worker")
    refiner.want([pair("b")])
    wait_until(lambda: told.paths == ["a", "b"], "both paths")
    assert len(told.workers) == 2
    refiner.close()


def test_nothing_is_begun_while_somebody_goes_through_patches(told: Told) -> None:
    refiner = Refiner([], told.folder, told.path, told.troubles.append, start=told.start, settle_s=600.0)
    refiner.want([pair("a")])
    assert refiner.status() == {"refining": True, "waiting": 1}
    refiner.close()
    assert told.workers == []


class Instrument:
    def __init__(self, name: str) -> None:
        self.name, self.sound_id = name, f"id of {name}"


def test_the_pairs_of_a_surface_are_those_of_its_edges() -> None:
    a, b, c = Instrument("a"), Instrument("b"), Instrument("c")
    corners = {Corner.NW: b, Corner.NE: a, Corner.SW: a, Corner.SE: c}
    assert surface_pairs(corners) == [
        Pair("a", "c", "id of a", "id of c"),
        Pair("a", "b", "id of a", "id of b"),
    ]
    assert surface_pairs({**corners, Corner.SW: None}) == [
        Pair("a", "b", "id of a", "id of b"),
        Pair("a", "c", "id of a", "id of c"),
    ]
    assert surface_pairs(dict.fromkeys(Corner, a)) == []
    assert surface_pairs({}) == []


def test_the_real_worker_gives_way_and_ends_with_its_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TETRAD_AT_ONCE")
    process = GridProcess()
    assert process.read() == {"ready": True}
    assert os.getpriority(os.PRIO_PROCESS, process.number) == 19
    if hasattr(os, "SCHED_IDLE"):
        assert os.sched_getscheduler(process.number) == os.SCHED_IDLE
    process.close(tmp_path)
    assert not process.alive
