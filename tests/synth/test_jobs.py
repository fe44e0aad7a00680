"""The same work in this process, in a pool, on a local Dask cluster, and on one of real processes that get lost."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from synth import jobs
from synth.errors import TetradError
from synth.jobs import run_jobs
from tests.synth import job_work
from tests.synth.dask_cluster import ROOT, cluster
from tests.synth.job_work import Task


@pytest.fixture(params=["process", "pool", "dask"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Arguments of `run_jobs` for each of the places to work in on one machine."""
    if request.param != "dask":
        monkeypatch.setattr(jobs, "_has_dask", lambda: False)
    return {"workers": 1 if request.param == "process" else 2}


def collected(function: Callable[[Any], Any], items: Any, **options: Any) -> dict[int, Any]:
    """Index -> result; each comes once."""
    results: dict[int, Any] = {}

    def keep(index: int, result: Any) -> None:
        assert index not in results
        results[index] = result

    run_jobs(function, items, on_result=keep, **options)
    return results


def test_results_are_the_same_wherever_they_are_made(place: dict[str, Any]) -> None:
    assert collected(job_work.square, range(30), **place) == {i: i * i for i in range(30)}
    assert collected(job_work.square, [], **place) == {}


def test_few_items_are_under_way_at_a_time(place: dict[str, Any]) -> None:
    taken, done, most = 0, 0, 0

    def items() -> Iterator[int]:
        nonlocal taken, most
        for number in range(200):
            taken += 1
            most = max(most, taken - done)
            yield number

    def count(index: int, result: int) -> None:
        nonlocal done
        done += 1

    run_jobs(job_work.square, items(), on_result=count, **place)
    assert done == 200
    assert most <= 2 * place["workers"] + 1


def test_an_error_in_words_ends_the_work_and_is_not_tried_again(place: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(TetradError, match="number 3 has no square"):
        collected(job_work.refuse_three, [Task(i, tmp_path) for i in range(1000)], **place)
    assert job_work.runs(tmp_path).count(3) == 1
    assert len(job_work.runs(tmp_path)) < 1000


def test_what_fails_is_tried_again(place: dict[str, Any], tmp_path: Path) -> None:
    found = collected(job_work.stumble_twice, [Task(i, tmp_path) for i in range(4)], **place)
    assert found == {0: 0, 1: 1, 2: 4, 3: 9}
    assert job_work.runs(tmp_path) == [0, 1, 1, 1, 2, 3]


def test_what_fails_once_too_often_is_named(place: dict[str, Any], tmp_path: Path) -> None:
    expected = OSError if place["workers"] == 1 else TetradError
    with pytest.raises(expected, match="the disk is busy"):
        collected(job_work.always_stumble, [Task(0, tmp_path)], retries=1, **place)
    assert job_work.runs(tmp_path) == [0, 0]


@pytest.mark.parametrize("place", ["pool", "dask"], indirect=True)
def test_a_lost_process_loses_nothing(place: dict[str, Any], tmp_path: Path) -> None:
    found = collected(job_work.die_once, [Task(i, tmp_path) for i in range(12)], **place)
    assert found == {i: i * i for i in range(12)}
    assert set(job_work.runs(tmp_path)) == set(range(12))


@pytest.mark.parametrize("place", ["pool", "dask"], indirect=True)
def test_work_that_kills_every_process_ends_in_words(place: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(TetradError, match="item 1 of the work failed again and again"):
        collected(job_work.always_die, [Task(0, tmp_path)], **place)


@pytest.mark.parametrize("place", ["pool", "dask"], indirect=True)
def test_isolated_work_never_runs_in_this_process(place: dict[str, Any], tmp_path: Path) -> None:
    found = collected(job_work.note_run, [Task(0, tmp_path)], workers=1, isolated=True)
    assert found[0] != os.getpid()


def test_no_workers_are_refused() -> None:
    with pytest.raises(TetradError, match="0 workers"):
        collected(job_work.square, [1], workers=0)


@pytest.mark.slow
@pytest.mark.parametrize("has_dask", [False, True])
def test_ctrl_c_keeps_what_is_finished_and_leaves_no_process(has_dask: bool, tmp_path: Path) -> None:
    """The whole group gets the signal, as from a terminal."""
    log = tmp_path / "log"
    log.mkdir()
    program = f"""
import sys
from pathlib import Path
from synth import jobs
from tests.synth import job_work
if __name__ == "__main__":
    jobs._has_dask = lambda: {has_dask}
    items = (job_work.Task(i, Path({str(log)!r}), 0.2) for i in range(1000))
    try:
        jobs.run_jobs(job_work.note_run, items, workers=2, on_result=lambda i, _: print(i, flush=True))
    except KeyboardInterrupt:
        sys.exit(130)
"""
    (tmp_path / "program.py").write_text(program)
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "program.py")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    first = [process.stdout.readline() for _ in range(3)]
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == b""
    assert {int(line) for line in first} <= set(job_work.runs(log))
    deadline_s = time.monotonic() + 60.0
    while _is_there(process.pid):  # multiprocessing's own helper ends a moment after us
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


@pytest.mark.slow
def test_killing_one_of_two_dask_workers_loses_no_finished_item(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    with cluster(tmp_path, 2) as dask:
        results: dict[int, int] = {}
        before_kill: set[int] = set()

        def keep(index: int, pid: int) -> None:
            assert index not in results
            results[index] = pid
            if len(set(results.values())) == 2 and dask.workers[0].poll() is None:
                before_kill.update(results)
                dask.workers[0].kill()
                dask.workers[0].wait()

        run_jobs(job_work.note_run, [Task(i, log, 0.1) for i in range(40)], on_result=keep, dask=dask.address)
    runs = job_work.runs(log)
    assert sorted(results) == list(range(40))
    assert before_kill
    assert before_kill < set(results)
    assert all(runs.count(index) == 1 for index in before_kill)
    assert len(runs) <= 40 + 3  # what the lost one had: one under way, and one or two that it had not delivered
    assert set(results.values()) == {dask.workers[0].pid, dask.workers[1].pid}


@pytest.mark.slow
@pytest.mark.long
def test_tasks_for_a_gpu_go_to_workers_that_have_one(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    tasks = [Task(i, log, 0.05) for i in range(12)]
    with cluster(tmp_path, 1) as dask:
        plain = dask.workers[0].pid
        assert set(collected(job_work.note_run, tasks, dask=dask.address, gpu=True).values()) == {plain}
        with_gpu = dask.start_worker("--resources", "GPU=1").pid
        found: set[int] = set()
        while with_gpu not in found:  # until it has come
            found = set(collected(job_work.note_run, tasks, dask=dask.address).values())
        assert set(collected(job_work.note_run, tasks, dask=dask.address, gpu=True).values()) == {with_gpu}


@pytest.mark.slow
def test_a_worker_with_another_version_is_refused(tmp_path: Path) -> None:
    overlay = tmp_path / "old" / "synth"
    overlay.mkdir(parents=True)
    real = ROOT / "synth"
    lines = '__version__ = "0.0.1"', f"__path__.append({str(real)!r})", f"__file__ = {str(real / '__init__.py')!r}"
    (overlay / "__init__.py").write_text("\n".join(lines))
    with cluster(tmp_path) as dask:
        dask.start_worker(environment={"PYTHONPATH": f"{overlay.parent}{os.pathsep}{ROOT}"})
        with pytest.raises(TetradError, match=r"worker has Tetrad 0\.0\.1 .*; Tetrad 0\.1.* was expected"):
            collected(job_work.square, [1], dask=dask.address)


@pytest.mark.slow
def test_a_worker_with_another_model_is_refused_when_it_joins_late(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "decoder.onnx").write_bytes(b"another")
    with cluster(tmp_path, 1) as dask:

        def bring_another(index: int, pid: int) -> None:
            if len(dask.workers) == 1:
                dask.start_worker(environment={"TETRAD_MODEL": str(tmp_path / "model")})

        tasks = (Task(i, log, 0.1) for i in range(1000))
        with pytest.raises(TetradError, match=r"a Dask worker has .*, model"):
            run_jobs(job_work.note_run, tasks, dask=dask.address, on_result=bring_another)


@pytest.mark.long
def test_a_cluster_that_is_not_there_or_goes_away_is_told_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(TetradError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9 "):
        collected(job_work.square, [1], dask="tcp://127.0.0.1:9")
    with pytest.raises(TetradError, match="no Dask scheduler answers at no such thing"):
        collected(job_work.square, [1], dask="no such thing")
    with cluster(tmp_path) as dask:
        with pytest.raises(TetradError, match="has no workers"):
            collected(job_work.square, [1], dask=dask.address)
        dask.start_worker()
        threading.Timer(8.0, dask.kill_scheduler).start()
        with pytest.raises(TetradError, match="the scheduler of the Dask cluster went away"):
            collected(job_work.note_run, (Task(i, tmp_path, 0.1) for i in range(10_000)), dask=dask.address)


def test_identity_names_version_code_and_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    jobs.identity.cache_clear()
    shipped = jobs.identity()
    assert shipped.startswith("Tetrad 0.")
    monkeypatch.setenv("TETRAD_MODEL", str(tmp_path))
    jobs.identity.cache_clear()
    assert jobs.identity() != shipped
    jobs.identity.cache_clear()


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
