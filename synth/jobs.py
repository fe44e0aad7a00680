"""One place that does the same pure work on many items: in this process, in several, or on a Dask cluster.

The work is a function that can be imported by name; what it is given and what it returns can be pickled. Its result
depends on the item alone, so it is the same wherever it was made. `run_jobs` keeps no result, and hands out a few items
more than there are workers, so memory doesn't grow with the list.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import importlib.util
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import synth
from synth.errors import TetradError
from synth.paths import model_dir

T = TypeVar("T")
R = TypeVar("R")

WINDOW_PER_WORKER = 2
"""Items handed out for each worker: one under way, and one that is there when it is done."""
ADDRESS_HELP = "do the work on a running Dask cluster (its scheduler's address, such as tcp://host:8786)"


@dataclass(frozen=True)
class Refused:
    """A TetradError on its way home: the same item would fail again anywhere, so it is not tried again."""

    message: str


def run_jobs(
    function: Callable[[T], R],
    items: Iterable[T],
    *,
    on_result: Callable[[int, R], None],
    workers: int | None = None,
    dask: str | None = None,
    retries: int = 2,
    gpu: bool = False,
    isolated: bool = False,
) -> None:
    """Call `function` on every item, and `on_result(index of the item, result)` in this thread as each is done.

    Args: `workers`: processes on this machine (None: as many as this process has cores; 1: this process itself).
    `dask`: address of a cluster to do it on instead. `retries`: how often an item is tried again whose worker was lost
    or that raised anything but TetradError. `gpu`: only on workers that announce the resource GPU, where a cluster has
    any. `isolated`: never in this process (work that may crash). `items` is read as it is handed out.

    Several processes are a local Dask cluster where Dask is installed (the extra `scale`), else a process pool. A
    lost worker loses what it was working on (in a process pool: what all were working on), which is done again.
    Ctrl-C, and an error in `on_result`, drop what is under way and go on to the caller.

    Raises TetradError: what the function raised, first come; an item that failed once too often; an address that does
    not answer within 10 s or has no workers; a worker with other code or another model.
    """
    n = available_cores() if workers is None else workers
    if n < 1:
        raise TetradError(f"{n} workers were given; at least 1 was expected; give another number")
    if dask is not None or ((n > 1 or isolated) and _has_dask()):
        from synth.dask_jobs import run_on_dask

        run_on_dask(function, items, on_result, address=dask, workers=n, retries=retries, gpu=gpu)
    elif n > 1 or isolated:
        _run_in_pool(function, items, on_result, n, retries)
    else:
        for index, item in enumerate(items):
            on_result(index, opened(attempt(function, item, retries)))


def add_jobs_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `--workers` and `--dask` (args.workers, args.dask), as `run_jobs` takes them."""
    parser.add_argument("--workers", metavar="N", type=int, help="processes to work in (default: one for each core)")
    parser.add_argument("--dask", metavar="ADDRESS", help=ADDRESS_HELP)


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def attempt(function: Callable[[T], R], item: T, retries: int = 0) -> R | Refused:
    """The function's result; `Refused` where it raised TetradError. Anything else it raises is tried again."""
    for left in range(retries, -1, -1):
        try:
            return function(item)
        except TetradError as error:
            return Refused(str(error))
        except Exception:
            if left == 0:
                raise
    raise AssertionError("retries can't be negative")


def opened(answer: R | Refused) -> R:
    """What `attempt` returned, or the TetradError that it met."""
    if isinstance(answer, Refused):
        raise TetradError(answer.message)
    return answer


@functools.cache
def identity() -> str:
    """What this installation computes with: version, code and networks. Equal identities give equal results."""
    root = Path(synth.__file__).resolve().parent
    code = hashlib.sha256()
    for package in (root, root.parent / "models"):
        for path in sorted(package.rglob("*.py")):
            code.update(path.relative_to(root.parent).as_posix().encode() + path.read_bytes())
    model = hashlib.sha256()
    for path in sorted(model_dir().glob("*.onnx")):
        model.update(path.name.encode() + path.read_bytes())
    return f"Tetrad {synth.__version__} (code {code.hexdigest()[:8]}, model {model.hexdigest()[:8]})"


@contextlib.contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Processes and threads started inside never receive SIGINT; this process receives it when the block ends.

    A terminal sends Ctrl-C to workers, too. One that is still importing has no handler yet and would print a traceback;
    a blocked signal, which exec passes on, covers it from its first instruction.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def single_threaded() -> Iterator[None]:
    """Processes started inside get one BLAS thread each: they share the cores already."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def gave_up(item_number: int, reason: str) -> TetradError:
    """The error for an item that failed once too often. Items are counted from 1, as people do."""
    return TetradError(
        f"item {item_number + 1} of the work failed again and again ({reason}); results were expected; what is "
        "finished stays: run the command again, with --workers 1 --debug if it recurs"
    )


def _has_dask() -> bool:
    return importlib.util.find_spec("distributed") is not None


def _run_in_pool(
    function: Callable[[T], R], items: Iterable[T], on_result: Callable[[int, R], None], workers: int, retries: int
) -> None:
    """A pool is lost with any of its processes, so what was handed out is kept and goes into a new one."""
    todo = enumerate(items)
    handed_out: dict[int, T] = {}
    losses: dict[int, int] = {}
    finished = False
    while not finished:
        # Fresh processes, as a forked copy of one with threads (a progress bar's, a numeric library's) may hang.
        pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
        try:
            _feed_pool(pool, function, todo, handed_out, on_result, workers * WINDOW_PER_WORKER, retries)
            finished = True
        except BrokenProcessPool:
            for index in handed_out:
                losses[index] = losses.get(index, 0) + 1
                if losses[index] > retries:
                    raise gave_up(index, "a process crashed or was killed") from None
        finally:
            pool.shutdown(cancel_futures=True)


def _feed_pool(
    pool: ProcessPoolExecutor,
    function: Callable[[T], R],
    todo: Iterator[tuple[int, T]],
    handed_out: dict[int, T],
    on_result: Callable[[int, R], None],
    window: int,
    retries: int,
) -> None:
    """Keep `window` items in the pool until all are done; `handed_out` holds those without a result."""
    waiting: dict[Future[Any], int] = {}

    def hand_out(index: int, item: T) -> None:
        handed_out[index] = item
        with single_threaded(), deaf_to_interrupts():  # a pool starts processes when it is given something
            waiting[pool.submit(attempt, function, item, retries)] = index

    for index, item in list(handed_out.items()):
        hand_out(index, item)
    while True:
        while len(waiting) < window and (following := next(todo, None)) is not None:
            hand_out(*following)
        if not waiting:
            return
        for future in wait(waiting, return_when=FIRST_COMPLETED).done:
            index = waiting.pop(future)
            try:
                result = opened(future.result())
            except (TetradError, BrokenProcessPool):
                raise
            except Exception as error:
                raise gave_up(index, f"{type(error).__name__}: {error}") from error
            del handed_out[index]
            on_result(index, result)
