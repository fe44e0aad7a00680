"""`synth.jobs` on Dask: a cluster of this machine's cores, or one that runs already. The only file with Dask.

Dask's scheduler hands out tasks, moves a lost worker's to another one and tries again what failed; here is what it does
not do: keep the number of tasks at a time small, refuse workers that would compute something else, and say in one line
what is wrong. Whoever reaches a scheduler can run code on its workers, so it belongs in a network of one's own (or
behind Dask's TLS); the local cluster listens on the loopback interface.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from typing import Any, TypeVar

import dask
from distributed import Client, Future, LocalCluster, wait
from distributed.scheduler import KilledWorker

from synth.errors import TetradError
from synth.jobs import WINDOW_PER_WORKER, Refused, attempt, deaf_to_interrupts, gave_up, identity, opened

T = TypeVar("T")
R = TypeVar("R")

ANSWER_S = 8.0
"""To wait for a scheduler; and for its first worker."""
PATIENCE_S = 30.0
"""Without a worker in mid-work, before giving up."""


def run_on_dask(
    function: Callable[[T], R],
    items: Iterable[T],
    on_result: Callable[[int, R], None],
    *,
    address: str | None,
    workers: int,
    retries: int,
    gpu: bool,
) -> None:
    """See `synth.jobs.run_jobs`. Without an `address`, on `workers` processes of this machine."""
    with _quiet(), _client(address, workers, retries) as client:
        here = identity()
        _check_workers(client, here)
        resources = {"GPU": 1} if gpu and _workers_with_gpu(client) else None
        todo = enumerate(items)
        waiting: dict[Future[Any], int] = {}
        window = _Window(client)
        try:
            while True:
                while len(waiting) < window.size() and (following := next(todo, None)) is not None:
                    index, item = following
                    future = client.submit(
                        _answer, function, item, here, pure=False, retries=retries, resources=resources
                    )
                    waiting[future] = index
                if not waiting:
                    return
                for future in _finished(client, waiting):
                    index = waiting.pop(future)
                    result = _result(future, index)
                    future.release()
                    on_result(index, result)
        finally:
            for future in waiting:
                future.release()


def _answer(function: Callable[[T], R], item: T, wanted: str) -> R | Refused:
    """What a worker does. Workers may join at any time, so each task looks where it is."""
    refused = _mismatch(identity(), wanted)
    return attempt(function, item) if refused is None else refused


def _mismatch(found: str, wanted: str) -> Refused | None:
    if found == wanted:
        return None
    return Refused(f"a Dask worker has {found}; {wanted} was expected, as here; install the same on the workers")


class _Window:
    """How many tasks may be handed out: two for each thread of the workers that are there."""

    def __init__(self, client: Client) -> None:
        self._client, self._size, self._asked_s = client, 0, -1e9

    def size(self) -> int:
        if time.monotonic() - self._asked_s > 1.0:
            self._size = max(2, WINDOW_PER_WORKER * sum(self._client.ncores().values()))
            self._asked_s = time.monotonic()
        return self._size


@contextlib.contextmanager
def _client(address: str | None, workers: int, retries: int) -> Iterator[Client]:
    with contextlib.ExitStack() as stack:
        if address is None:
            # Its threads start here and start the processes, also those that replace lost ones: all are deaf.
            with dask.config.set({"distributed.scheduler.allowed-failures": retries}), deaf_to_interrupts():
                cluster = stack.enter_context(
                    LocalCluster(
                        n_workers=workers,
                        threads_per_worker=1,
                        processes=True,
                        host="127.0.0.1",
                        dashboard_address=None,
                        silence_logs=logging.CRITICAL,
                    )
                )
                client = stack.enter_context(Client(cluster, set_as_default=False))
        else:
            try:
                client = stack.enter_context(Client(address, timeout=ANSWER_S, set_as_default=False))
            except (OSError, ValueError, TimeoutError) as error:
                raise TetradError(
                    f"no Dask scheduler answers at {address} ({_reason(error)}); the address of a running one was "
                    "expected, such as tcp://host:8786; start it with `dask scheduler`, or leave --dask out"
                ) from error
        stack.enter_context(client.as_current())
        yield client


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What Dask logs of lost workers and closed connections, this file says in one line where it matters."""
    log = logging.getLogger("distributed")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


def _check_workers(client: Client, here: str) -> None:
    try:
        client.wait_for_workers(1, timeout=ANSWER_S)
    except TimeoutError as error:
        raise TetradError(
            "the Dask scheduler has no workers; at least one was expected; start one with `dask worker ADDRESS`"
        ) from error
    for worker, found in client.run(identity, on_error="return").items():
        if isinstance(found, BaseException):
            raise TetradError(
                f"the Dask worker {worker} can't run Tetrad ({_reason(found)}); {here} was expected; install it there"
            ) from found
        if (refused := _mismatch(found, here)) is not None:
            raise TetradError(refused.message)


def _workers_with_gpu(client: Client) -> bool:
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return any(worker["resources"].get("GPU", 0) >= 1 for worker in workers)


def _finished(client: Client, waiting: Iterable[Future[Any]]) -> list[Future[Any]]:
    """At least one future that is done. Raises TetradError when nobody is left to do them."""
    alone_since_s: float | None = None
    while True:
        try:
            return list(wait(list(waiting), timeout=5.0, return_when="FIRST_COMPLETED").done)
        except TimeoutError:
            try:
                alone = not client.scheduler_info(n_workers=-1)["workers"]
            except OSError as error:
                raise _went_away("the scheduler") from error
            now_s = time.monotonic()
            alone_since_s = (alone_since_s or now_s) if alone else None
            if alone_since_s is not None and now_s - alone_since_s > PATIENCE_S:
                raise _went_away("the last worker") from None
        except CancelledError as error:
            raise _went_away("the scheduler") from error


def _went_away(who: str) -> TetradError:
    return TetradError(
        f"{who} of the Dask cluster went away in mid-work; it was expected to stay; what is finished stays: run the "
        "command again"
    )


def _result(future: Future[Any], index: int) -> Any:
    try:
        return opened(future.result())
    except TetradError:
        raise
    except KilledWorker as error:
        raise gave_up(index, "its workers were lost one after another") from error
    except CancelledError as error:
        raise _went_away("the scheduler") from error
    except Exception as error:
        raise gave_up(index, _reason(error)) from error


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
