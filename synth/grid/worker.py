"""Paths between instruments, computed in a process of its own: `python -m synth.grid.worker`.

In, one JSON line for each pair:

    {"first": "flute", "second": "strings", "libraries": [folder, ...], "folder": folder of the grid}

Out, for each in turn, when the path is in the grid or why it is not:

    {"done": {"notes": 8, "cpu_s": 1.6}}
    {"error": "found this, expected that, do this"}

At its start it says {"ready": true} once. It runs when nothing else wants the core (SCHED_IDLE where there is that,
nice 19), takes at most 800 MB of memory and 600 s of a core for a pair, and ends when its input ends.
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

NICE = 19
MOST_CPU_S = 600
"""Of a core for one pair, which takes 2 s, 20 on a slow board, and a minute more when kernels are compiled first: a
worker that goes round in circles ends by SIGXCPU, while one that waits for a busy machine has all the time it needs."""


def main() -> int:
    """Compute paths until the input ends."""
    lines = Lines(take_output())
    _give_way()
    limit_memory()
    waiting = listen()
    # Imported here, so that the listening thread ends the process whatever these do.
    from synth.instruments.encoder import Encoder
    from synth.voices.decoder import Decoder

    try:
        decoder, encoder = Decoder(), Encoder()
    except TetradError as error:
        lines.write({"error": str(error)})
        return 1
    lines.write({"ready": True})
    while True:
        lines.write(_answer(waiting.get(), decoder, encoder))


def _give_way() -> None:
    """Whatever else wants the core has it."""
    if give_way(NICE) and hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _answer(message: Mapping[str, Any], decoder: Any, encoder: Any) -> dict[str, Any]:
    from synth.grid.compute import MADE, pair_path
    from synth.grid.store import GridStore
    from synth.instruments.library import Library

    begin_s = time.process_time()
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    limit_s = int(begin_s) + MOST_CPU_S
    resource.setrlimit(resource.RLIMIT_CPU, (limit_s if hard == resource.RLIM_INFINITY else min(limit_s, hard), hard))
    try:
        library = Library([Path(folder) for folder in message["libraries"]])
        first, second = (library.load(message[end]) for end in ("first", "second"))
        path = pair_path(first, second, decoder, encoder)
        GridStore(Path(message["folder"])).write(path, MADE)
    except TetradError as error:
        return {"error": str(error)}
    except MemoryError:
        limit_mb = MOST_DATA_BYTES // 2**20
        return {"error": f"the path needs more than {limit_mb} MB of memory; the straight line stays"}
    except Exception as error:
        if os.environ.get("TETRAD_DEBUG"):
            raise
        where = f"{type(error).__name__}: {error}"[:300]
        return {"error": f"computing the path broke down ({where}); this is a defect of Tetrad: report it"}
    return {"done": {"notes": len(path.notes), "cpu_s": round(time.process_time() - begin_s, 3)}}


if __name__ == "__main__":
    sys.exit(main())
