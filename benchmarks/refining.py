"""Blocks and control frames that are lost while paths between instruments are computed, and while none are.

An asynchronous server of our own with a dummy card behaves like hardware: a late client loses its block. Streams with
the whole engine take turns, one alone and one beside the worker that computes pair after pair (synth.grid.worker); what
the machine itself loses, both lose.

    python -m benchmarks.refining --voices 32 --period 128
"""

import argparse
import contextlib
import itertools
import json
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.jack_server import jack_server
from benchmarks.streams import Held, play
from synth.bench import sustaining_corners
from synth.grid.refine import GridProcess
from synth.grid.surface_pairs import pair_of
from synth.instruments.library import Library
from synth.live import LiveEngine
from synth.voices.decoder import Decoder
from synth.voices.engine import Engine


class Computing:
    """A worker, ready and compiled, that computes pair after pair while it is told to."""

    def __init__(self, library: Library, n_instruments: int, folder: Path) -> None:
        self._library, self._folder = library, folder
        instruments = [library.load(name) for name in library.names()[:n_instruments]]
        self._pairs = itertools.cycle(pair_of(*two) for two in itertools.combinations(instruments, 2))
        self._process = GridProcess()
        self._stopping = threading.Event()
        self.n_paths = -1  # the first, in which it compiles, is none
        self._next()

    def _next(self) -> None:
        self._process.run(next(self._pairs), self._library.directories, self._folder)
        self.n_paths += 1

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._next()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        self._stopping.clear()
        thread = threading.Thread(target=self._work)
        thread.start()
        yield
        self._stopping.set()
        thread.join()

    def close(self) -> None:
        self._process.close()


def compare(n_voices: int, period: int, seconds: float, turns: int, n_instruments: int) -> dict[str, Any]:
    """Both streams, taking turns."""
    library = Library()
    corners, decoder = sustaining_corners(library), Decoder()
    found: dict[str, list[dict[str, float]]] = {"alone": [], "computing": []}
    with tempfile.TemporaryDirectory() as folder, jack_server(period, synchronous=False):
        computing = Computing(library, n_instruments, Path(folder))
        for name in itertools.islice(itertools.cycle(found), 2 * turns):
            engine = Engine(corners, decoder, n_voices=n_voices)
            with computing.running() if name == "computing" else contextlib.nullcontext():
                turn = play(LiveEngine(engine, Held(n_voices)), seconds)
            found[name].append({**turn, "late_frames": engine.late_frames})
            print(name, found[name][-1], computing.n_paths, file=sys.stderr, flush=True)
        computing.close()
    result: dict[str, Any] = {"voices": n_voices, "period": period, "paths": computing.n_paths}
    for name, of_turns in found.items():
        result[name] = {key: int(sum(turn[key] for turn in of_turns)) for key in ("blocks", "lost", "late_frames")}
    return result


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--voices", type=int, default=32)
    parser.add_argument("--period", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each turn (default %(default)s)")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--instruments", type=int, default=57, help="whose pairs are computed (default %(default)s)")
    args = parser.parse_args()
    print(json.dumps(compare(args.voices, args.period, args.seconds, args.turns, args.instruments)))


if __name__ == "__main__":
    main()
