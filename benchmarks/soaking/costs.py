"""What a soak measures from outside: the processes of an instrument, their memory, and what the machine took."""

import contextlib
import os
import statistics
import threading
from pathlib import Path
from types import TracebackType

from benchmarks.screen_wire import memory_mb

EVERY_S = 5.0
PARTS = {"screen": "benchmarks.soaking.screen", "board": "firmware_host"}
"""Process beside the engine -> the module that it runs."""


def processes(engine: int) -> dict[str, int]:
    """Numbers of the engine's process and of those of PARTS that it has started and that live."""
    found = {"engine": engine}
    for tasks in Path(f"/proc/{engine}/task").glob("*/children"):
        for child in tasks.read_text().split():
            with contextlib.suppress(OSError):  # it has ended
                words = Path(f"/proc/{child}/cmdline").read_text().split("\0")
                found |= {part: int(child) for part, module in PARTS.items() if module in words}
    return found


class Memory:
    """Looks at the processes' memory (PSS, MB) every EVERY_S; a context manager. `medians` begins anew."""

    def __init__(self, engine: int) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._seen: dict[str, list[float]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)

    def medians(self) -> dict[str, float]:
        """Of each process since the last call, looking once more now."""
        self._look()
        with self._lock:
            seen, self._seen = self._seen, {}
        return {part: round(statistics.median(values), 2) for part, values in seen.items()}

    def _look(self) -> None:
        found: dict[str, float] = {}
        with contextlib.suppress(OSError):  # the engine has ended
            for part, process in processes(self._engine).items():
                with contextlib.suppress(OSError, KeyError):  # it ends just now: its file is empty, or gone
                    found[part] = memory_mb(process)["pss"]
        with self._lock:
            for part, value in found.items():
                self._seen.setdefault(part, []).append(value)

    def _run(self) -> None:
        while not self._over.wait(EVERY_S):
            self._look()

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()


def stolen_s() -> float:
    """What a virtual machine's host took from its cores since the start (proc(5), "steal"), in seconds."""
    return int(Path("/proc/stat").read_text().split()[8]) / os.sysconf("SC_CLK_TCK")
