"""The queue of imports with workers of every kind: good ones, dying ones, silent ones, and ones that talk nonsense."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from synth.errors import TetradError
from synth.instruments.import_process import ImportProcess
from synth.instruments.import_queue import MOST_WAITING, ImportQueue, Job, State
from synth.instruments.import_request import ImportRequest
from tests.listening import wait_until

WORKER = """
import json, os, pathlib, signal, sys, time
def say(**message):
    print(json.dumps(message), flush=True)
say(ready=True)
for line in sys.stdin:
    request = json.loads(line)["request"]
    what = pathlib.Path(request["sources"][0]).name
    library = pathlib.Path(request["library"])
    (library / f".new.{os.getpid()}-0123abcd.part.png").write_text("half")
    for done in range(3):
        say(progress={"step": "build", "done": done, "total": 2})
    if what == "die":
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "exit":
        sys.exit(3)
    if what in ("hang", "slow"):
        time.sleep(600)
    if what == "nonsense":
        print("[1, 2", flush=True)
    if what == "flood":
        sys.stdout.write("x" * 8_000_000)
        sys.stdout.flush()
        time.sleep(600)
    if what == "fail":
        say(error="found this", duplicate=None)
    if what == "double":
        say(error="it is there", duplicate="flute")
    if what.startswith("good"):
        (library / f".new.{os.getpid()}-0123abcd.part.png").unlink()
        say(done={"name": what, "display_name": what, "path": str(library / what), "picture": None, "notes": 1,
                  "size_bytes": os.getpid(), "sustains": True, "remarks": ["all well"], "replaced": False})
"""


class Listener:
    """What a queue told."""

    def __init__(self) -> None:
        self.changes: list[tuple[int, State, str, float]] = []
        self.done: list[str] = []
        self.on_done: Callable[[Job], object] = lambda _job: None

    def change(self, job: Job) -> None:
        self.changes.append((job.number, job.state, job.step, job.share))

    def finished(self, job: Job) -> None:
        self.done.append(job.instrument)
        self.on_done(job)

    def states(self, number: int) -> list[State]:
        return [state for n, state, _, _ in self.changes if n == number]


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def imports(listener: Listener) -> Iterator[ImportQueue]:
    def start() -> ImportProcess:
        return ImportProcess([sys.executable, "-c", WORKER], silent_s=5.0)

    queue = ImportQueue(listener.change, listener.finished, start=start, idle_s=60.0)
    yield queue
    queue.close()


def request(folder: Path, what: str) -> ImportRequest:
    return ImportRequest((folder / what,), library=folder)


def over(*jobs: Job) -> None:
    wait_until(lambda: all(job.state not in (State.WAITING, State.RUNNING) for job in jobs), "the imports")


def test_imports_are_carried_out_in_turn_by_one_worker(
    imports: ImportQueue, listener: Listener, tmp_path: Path
) -> None:
    jobs = [imports.add(request(tmp_path, f"good{n}")) for n in range(3)]
    over(*jobs)
    assert [job.state for job in jobs] == [State.DONE] * 3
    assert listener.done == ["good0", "good1", "good2"]
    assert listener.states(1) == [State.RUNNING] * 4 + [State.DONE]
    shares = [share for number, _, _, share in listener.changes if number == 2]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    results: list[Any] = [job.result for job in jobs]
    assert len({result.size_bytes for result in results}) == 1  # the worker's process number
    assert jobs[0].to_json()["remarks"] == ["all well"]
    assert imports.status() == {"waiting": 0}


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("die", "by the signal SIGSEGV"),
        ("exit", "with status 3"),
        ("nonsense", "the import ended"),
        ("flood", "the import ended"),
        ("fail", "found this"),
        ("double", "it is there"),
    ],
)
def test_a_failure_is_said_in_one_line_and_the_next_import_succeeds(
    imports: ImportQueue, tmp_path: Path, what: str, words: str
) -> None:
    bad, good = imports.add(request(tmp_path, what)), imports.add(request(tmp_path, "good"))
    over(bad, good)
    assert bad.state is State.FAILED
    assert words in bad.words
    assert "\n" not in bad.words
    assert bad.duplicate == ("flute" if what == "double" else "")
    assert good.state is State.DONE
    if what in ("die", "exit", "nonsense", "flood"):
        assert list(tmp_path.iterdir()) == []  # its half-written file is gone


def test_a_silent_worker_is_ended_and_said(listener: Listener, tmp_path: Path) -> None:
    queue = ImportQueue(
        listener.change,
        listener.finished,
        start=lambda: ImportProcess([sys.executable, "-c", WORKER], silent_s=1.0),
    )
    job = queue.add(request(tmp_path, "hang"))
    over(job)
    assert job.state is State.FAILED
    assert "said nothing for 1 s" in job.words
    queue.close()
    assert list(tmp_path.iterdir()) == []


def test_a_running_import_and_a_waiting_one_are_cancelled(
    imports: ImportQueue, listener: Listener, tmp_path: Path
) -> None:
    running, waiting, next_one = (imports.add(request(tmp_path, what)) for what in ("slow", "good1", "good2"))
    wait_until(lambda: running.step == "build" and running.done == 2, "progress")
    assert imports.status()["waiting"] == 2
    assert imports.status()["source"] == "slow"
    assert imports.cancel(waiting.number) == [2]
    assert imports.cancel(running.number) == [1]
    over(running, waiting, next_one)
    assert [job.state for job in (running, waiting, next_one)] == [State.CANCELLED, State.CANCELLED, State.DONE]
    assert listener.done == ["good2"]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(TetradError, match="import 1 is not under way"):
        imports.cancel(1)
    with pytest.raises(TetradError, match="no import is under way"):
        imports.cancel()


def test_a_worker_that_can_not_be_started_is_said(listener: Listener, tmp_path: Path) -> None:
    queue = ImportQueue(listener.change, listener.finished, start=lambda: ImportProcess([str(tmp_path / "none")]))
    job = queue.add(request(tmp_path, "good"))
    over(job)
    assert "the import can't be started" in job.words
    queue.close()


def test_an_idle_worker_ends_and_another_is_started_when_it_is_wanted(listener: Listener, tmp_path: Path) -> None:
    started: list[ImportProcess] = []

    def start() -> ImportProcess:
        started.append(ImportProcess([sys.executable, "-c", WORKER]))
        return started[-1]

    queue = ImportQueue(listener.change, listener.finished, start=start, idle_s=0.0)
    over(queue.add(request(tmp_path, "good")))
    wait_until(lambda: not started[0].alive, "the end of the idle worker")
    over(queue.add(request(tmp_path, "good")))
    queue.close()
    assert len(started) == 2
    assert not started[1].alive


def test_too_many_waiting_imports_are_refused(imports: ImportQueue, tmp_path: Path) -> None:
    first = imports.add(request(tmp_path, "slow"))
    wait_until(lambda: first.state is State.RUNNING, "the first import")
    for _ in range(MOST_WAITING):
        imports.add(request(tmp_path, "good"))
    with pytest.raises(TetradError, match=f"at most {MOST_WAITING} may"):
        imports.add(request(tmp_path, "good"))
    assert len(imports.cancel()) == MOST_WAITING + 1


def test_closing_in_the_middle_of_an_import_ends_its_worker(listener: Listener, tmp_path: Path) -> None:
    started: list[ImportProcess] = []

    def start() -> ImportProcess:
        started.append(ImportProcess([sys.executable, "-c", WORKER]))
        return started[-1]

    queue = ImportQueue(listener.change, listener.finished, start=start)
    job = queue.add(request(tmp_path, "slow"))
    wait_until(lambda: job.done == 2, "progress")
    queue.close()
    assert not started[0].alive
    assert job.state is State.FAILED
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(TetradError, match="imports are waiting"):
        queue.add(request(tmp_path, "good"))


def test_what_its_owner_breaks_ends_an_import_and_not_the_queue(
    imports: ImportQueue, listener: Listener, tmp_path: Path
) -> None:
    def refuse(job: Job) -> None:
        if job.instrument == "good1":
            raise TetradError("the corner is gone")
        if job.instrument == "good2":
            raise ZeroDivisionError

    listener.on_done = refuse
    jobs = [imports.add(request(tmp_path, f"good{n}")) for n in (1, 2, 3)]
    over(*jobs)
    assert jobs[0].words == "the corner is gone"
    assert "ZeroDivisionError" in jobs[1].words
    assert jobs[2].state is State.DONE


def test_any_thread_may_ask_and_finished_imports_are_kept_for_a_while(imports: ImportQueue, tmp_path: Path) -> None:
    stop = threading.Event()
    seen: list[int] = []

    def watch() -> None:
        while not stop.is_set():
            seen.append(len(imports.jobs()))
            imports.status()
            time.sleep(0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(40):
        over(imports.add(request(tmp_path, "good")))
    stop.set()
    watcher.join()
    numbers = [job.number for job in imports.jobs()]
    assert numbers == list(range(9, 41))
    assert max(seen) <= 33


def test_requests_go_there_and_back_as_json(tmp_path: Path) -> None:
    plain = ImportRequest((tmp_path / "a.wav",))
    assert plain.to_json() == {"sources": [str(tmp_path / "a.wav")]}
    full = ImportRequest(
        (tmp_path / "a.wav", tmp_path / "b.wav"),
        name="mine",
        tags=("x", "y"),
        pitch=60,
        cut="single",
        correct_tuning=False,
        keys=(60,),
        library=tmp_path,
    )
    for one in (plain, full):
        assert ImportRequest.from_json(one.to_json()) == one
    with pytest.raises(TetradError, match="may stand there"):
        ImportRequest.from_json({"sources": ["a"], "colour": "red"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"sources": ()},
        {"name": "Not A Name"},
        {"family": "drums"},
        {"pitch": 128},
        {"cut": "maybe"},
        {"tags": ("x" * 99,)},
        {"display_name": ""},
    ],
    ids=str,
)
def test_what_can_not_be_asked_for_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(TetradError) as error:
        ImportRequest(**{"sources": (Path("a.wav"),)} | wrong)
    assert "\n" not in str(error.value)
