"""What a worker process does at its start: it gives way to what plays, and answers its parent in JSON lines.

A worker ends when its input ends, in the middle of its work too: an engine that dies leaves none behind. Its parent is
`synth.worker_process`.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import resource
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

MOST_DATA_BYTES = 800 * 1024 * 1024
"""Of memory that is written to. NumPy, ONNX Runtime and both networks take 160 MB of it before the first note."""

Requests = queue.Queue[dict[str, Any]]


class Lines:
    """Writes JSON lines."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, message: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(message) + "\n")
        self._file.flush()


def take_output() -> TextIO:
    """The standard output, for JSON lines alone: what libraries print must not stand between them, and goes to the
    standard error from now on."""
    file = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return file


def give_way(nice: int) -> bool:
    """Let others have the cores first. False where TETRAD_AT_ONCE is set: for tests, on machines that are never idle.

    Linux may share the cores among sessions before it looks at niceness (autogroups). The engine gives a worker a
    session, for Ctrl-C, and there nice 10 alone took half a core from a busy engine; with its group's, an eighth.
    """
    if os.environ.get("TETRAD_AT_ONCE"):
        return False
    os.nice(nice)
    group = Path("/proc/self/autogroup")
    if os.getsid(0) == os.getpid() and group.exists():  # never the group of whoever started us
        with contextlib.suppress(OSError):  # only so many changes a second are allowed; the work is the work
            group.write_text(str(nice), encoding="ascii")
    return True


def limit_memory(most_bytes: int = MOST_DATA_BYTES) -> None:
    """Beyond so much, Python raises MemoryError instead of the machine swapping."""
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    limit = most_bytes if hard == resource.RLIM_INFINITY else min(most_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def listen() -> Requests:
    """Requests as they come, read by a thread that ends the process, whatever it does, at the end of the input."""
    waiting: Requests = queue.Queue()
    threading.Thread(target=_read_requests, args=(waiting,), name="requests", daemon=True).start()
    return waiting


def _read_requests(waiting: Requests) -> None:
    for line in sys.stdin:
        waiting.put(json.loads(line))
    os._exit(0)
