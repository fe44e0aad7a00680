"""Work for `tests/synth/test_jobs.py`, in a module that worker processes can import."""

import os
import signal
import time
from pathlib import Path
from typing import NamedTuple

from synth.errors import TetradError


class Task(NamedTuple):
    """`log` is a folder in which each run leaves a file `NUMBER-PID-TIME`."""

    number: int
    log: Path
    lasts_s: float = 0.0


def square(number: int) -> int:
    return number * number


def note_run(task: Task) -> int:
    """Leaves a trace and returns the number of the process."""
    (task.log / f"{task.number}-{os.getpid()}-{time.monotonic_ns()}").touch()
    time.sleep(task.lasts_s)
    return os.getpid()


def runs(log: Path) -> list[int]:
    """The numbers of the tasks that were run, sorted."""
    return sorted(int(path.name.partition("-")[0]) for path in log.iterdir())


def refuse_three(task: Task) -> int:
    note_run(task)
    if task.number == 3:
        raise TetradError("number 3 has no square; another was expected; leave it out")
    return square(task.number)


def stumble_twice(task: Task) -> int:
    """Fails the first two times with task 1."""
    note_run(task)
    if task.number == 1 and runs(task.log).count(1) < 3:
        raise OSError("the disk is busy")
    return square(task.number)


def always_stumble(task: Task) -> int:
    note_run(task)
    raise OSError("the disk is busy")


def die_once(task: Task) -> int:
    """Takes its process with it the first time with task 2."""
    note_run(task)
    if task.number == 2 and runs(task.log).count(2) < 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return square(task.number)


def always_die(task: Task) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0
