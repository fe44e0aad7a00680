"""The parent's side of a peer's process."""

import json
import os
import select
import subprocess
import sys
import time
from types import TracebackType
from typing import Any, Self

from benchmarks.peers.peer import PeerError

LONGEST_WAIT_S = 180.0
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


class Host:
    """A peer in a process of its own, on the cores of this one. Use it as a context manager.

    start_s: from starting the process until it could play. Raises PeerError where the peer says why it can't.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        command = [sys.executable, "-m", "benchmarks.peers.child", name]
        began_s = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **ONE_THREAD},
        )
        try:
            opened = self._answer()
        except PeerError:
            self.close()
            raise
        self.start_s = time.perf_counter() - began_s
        self.block: int = opened["block"]
        self.rate_hz: int = opened["rate_hz"]
        self.n_weights: int | None = opened["n_weights"]

    def ask(self, what: str, **arguments: object) -> dict[str, Any]:
        """One question of benchmarks.peers.child. Raises PeerError with the peer's words, or when it died or hangs."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write((json.dumps({"ask": what, **arguments}) + "\n").encode())
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise PeerError(f"{self.name} is gone; an answer was expected; run it alone to see why.") from error
        return self._answer()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], LONGEST_WAIT_S)[0]:
            raise PeerError(f"{self.name} said nothing for {LONGEST_WAIT_S:g} s; an answer was expected.")
        line = self._process.stdout.readline()
        if not line:
            raise PeerError(f"{self.name} died; run `python -m benchmarks.peers.child {self.name}` to see why.")
        found: dict[str, Any] = json.loads(line)
        if "error" in found:
            raise PeerError(f"{self.name}: {found['error']}")
        return found
