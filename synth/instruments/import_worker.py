"""Imports in a process of its own, asked by JSON lines: `python -m synth.instruments.import_worker`.

In, one line for each import: `{"request": {...}}` (`ImportRequest.to_json`). Out, for each import in turn:

    {"progress": {"step": "listen", "done": 3, "total": 16}}      any number of them, at most 20 a second
    {"done": {...}}                                               `ImportResult.to_json`
    {"error": "found this, expected that, do this", "duplicate": "flute" or null}

At its start it says {"ready": true} once. It gives way to whatever plays (nice 10), takes at most 800 MB of memory, and
ends when its input ends, in the middle of an import too: an engine that dies leaves no worker behind. To cancel, kill
it; what it leaves are hidden temporary files with its process number in their names.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synth.errors import TetradError
from synth.worker_main import MOST_DATA_BYTES, Lines, give_way, limit_memory, listen, take_output

NICE = 10
MOST_PROGRESS_HZ = 20.0


class ProgressLines(Lines):
    """Progress at most 20 times a second, its first and last of a step always."""

    _told_s = 0.0

    def progress(self, step: str, done: int, total: int) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s >= 1.0 / MOST_PROGRESS_HZ or done in (0, total):
            self._told_s = now_s
            self.write({"progress": {"step": step, "done": done, "total": total}})


def main() -> int:
    """Carry out imports until the input ends."""
    lines = ProgressLines(take_output())
    give_way(NICE)
    limit_memory()
    waiting = listen()
    # Imported here, so that the listening thread ends the process whatever these do.
    from synth.instruments.importing import Networks

    networks = Networks()
    lines.write({"ready": True})
    while True:
        lines.write(_answer(waiting.get(), networks, lines))


def _answer(message: Mapping[str, Any], networks: Any, lines: ProgressLines) -> dict[str, Any]:
    from synth.instruments.import_request import ImportRequest
    from synth.instruments.importing import DuplicateError, import_instrument

    try:
        request = ImportRequest.from_json(message["request"])
        result = import_instrument(
            request,
            on_progress=lambda progress: lines.progress(progress.step, progress.done, progress.total),
            networks=networks,
        )
    except DuplicateError as error:
        return {"error": str(error), "duplicate": error.name}
    except TetradError as error:
        return {"error": str(error), "duplicate": None}
    except MemoryError:
        limit_mb = MOST_DATA_BYTES // 2**20
        return {"error": f"the import needs more than {limit_mb} MB of memory; import fewer or shorter notes at once"}
    except Exception as error:
        if os.environ.get("TETRAD_DEBUG"):
            raise
        where = f"{type(error).__name__}: {error}"[:300]
        return {"error": f"the import broke down ({where}); this is a defect of Tetrad: report it, with the file"}
    return {"done": result.to_json() | {"peak_rss_mb": round(_peak_rss_mb(), 1)}}


def _peak_rss_mb() -> float:
    """The most memory of this program so far. Linux's ru_maxrss counts what its parent had when it was started, too."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024.0


if __name__ == "__main__":
    sys.exit(main())
