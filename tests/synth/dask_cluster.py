"""A Dask scheduler and workers in processes of their own, as `dask scheduler` and `dask worker` start them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Cluster:
    """`address` of the scheduler; `workers` are its processes, one thread each."""

    def __init__(self, folder: Path, prefix: Sequence[str] = (), host: str = "127.0.0.1") -> None:
        self._folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        file = folder / "scheduler.json"
        options = ["--host", host, "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
        self._scheduler = _start([*prefix, *_dask("scheduler"), *options], folder)
        deadline_s = time.monotonic() + 60.0
        while not file.exists() or not file.read_text().endswith("}"):
            if self._scheduler.poll() is not None or time.monotonic() > deadline_s:
                raise AssertionError("the Dask scheduler did not start")
            time.sleep(0.05)
        text = file.read_text()
        self.address = text.partition('"address": "')[2].partition('"')[0]

    def start_worker(
        self, *options: str, prefix: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """One more worker; it may take some seconds to come."""
        arguments = [self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard", *options]
        arguments += ["--local-directory", str(self._folder)]
        process = _start([*prefix, *_dask("worker"), *arguments], self._folder, environment)
        self.workers.append(process)
        return process

    def kill_scheduler(self) -> None:
        self._scheduler.kill()
        self._scheduler.wait()

    def close(self) -> None:
        for process in [*self.workers, self._scheduler]:
            process.send_signal(signal.SIGKILL)
            process.wait()


@contextmanager
def cluster(folder: Path, n_workers: int = 0) -> Iterator[Cluster]:
    started = Cluster(folder)
    try:
        for _ in range(n_workers):
            started.start_worker()
        yield started
    finally:
        started.close()


def _dask(word: str) -> list[str]:
    return [sys.executable, "-m", "dask", word]


def _start(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **(environment or {})}
    with (folder / "dask.log").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=log)
