"""Instruments from disk, made ready for the engine in a thread of their own, and kept."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from synth.errors import TetradError
from synth.instruments.format import Instrument
from synth.instruments.library import Library
from synth.voices.prepared import PreparedInstrument

KEPT_BYTES = 256 * 1024 * 1024
"""All 57 shipped instruments are 241 MB when they are ready; the least recently used go first."""

Prepare = Callable[[Instrument], PreparedInstrument]
"""`Engine.prepare`: makes an instrument ready, or refuses with a TetradError what was made with another network."""


def _n_bytes(instrument: PreparedInstrument) -> int:
    return sum(array.nbytes for array in instrument.table)


class InstrumentLoader:
    """`load` gives a future; what is kept is there at once. Any thread may call.

    Reading an instrument and making it ready takes 30 ms in the median, 150 at most (57 shipped instruments, one busy
    core), so what a patch may need is loaded ahead: `load_ahead`.
    """

    def __init__(self, library: Library, prepare: Prepare, kept_bytes: int = KEPT_BYTES) -> None:
        self.library = library
        self._prepare = prepare
        self._kept_bytes = kept_bytes
        self._kept: OrderedDict[str, PreparedInstrument] = OrderedDict()
        self._lock = threading.Lock()
        # Two threads, so that what a player waits for does not queue behind what is loaded ahead.
        self._wanted = ThreadPoolExecutor(1, thread_name_prefix="loader")
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="load-ahead")
        self._closing = False
        self._forgotten = 0  # grows when a file has changed: what was being read meanwhile may be the old one

    def kept(self, name: str) -> PreparedInstrument | None:
        """The instrument, if it is ready."""
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._kept.get(name)

    def load(self, name: str) -> Future[PreparedInstrument]:
        """The instrument, ready or in some 30 ms. The future's exception is a TetradError in words."""
        ready = self.kept(name)
        if ready is None:
            return self._wanted.submit(self._read, name)
        future: Future[PreparedInstrument] = Future()
        future.set_result(ready)
        return future

    def load_ahead(self, names: Iterable[str]) -> Future[int]:
        """Reads what is not there yet, in order, until the space is used; what can't be read is passed over, for now:
        whoever asks for it by name is told why. The future's result is how many are kept."""
        return self._ahead.submit(self._read_ahead, list(names))

    def run(self, work: Callable[[], object]) -> None:
        """Have something else that reads files done in the loader's thread, after what was asked for before. It says
        itself what goes wrong; nothing is begun any more when the loader is closed."""
        with contextlib.suppress(RuntimeError):  # closed
            self._wanted.submit(work)

    def forget(self, name: str) -> None:
        """The file has changed: read it anew when it is wanted."""
        with self._lock:
            self._kept.pop(name, None)
            self._forgotten += 1

    def close(self) -> None:
        """Ends the threads; what they were reading is dropped."""
        self._closing = True
        self._wanted.shutdown(wait=True, cancel_futures=True)
        self._ahead.shutdown(wait=True, cancel_futures=True)

    def _read_ahead(self, names: list[str]) -> int:
        for name in names:
            with self._lock:
                full = sum(map(_n_bytes, self._kept.values())) >= self._kept_bytes
            if full or self._closing:
                break
            if self.kept(name) is None:
                try:
                    self._read(name)
                except TetradError:
                    continue
        return len(self._kept)

    def _read(self, name: str) -> PreparedInstrument:
        ready = self.kept(name)
        if ready is not None:
            return ready
        before = -1
        while before != self._forgotten:
            before = self._forgotten
            prepared = self._prepare(self.library.load(name))
        with self._lock:
            self._kept[name] = prepared
            while len(self._kept) > 1 and sum(map(_n_bytes, self._kept.values())) > self._kept_bytes:
                self._kept.popitem(last=False)
        return prepared
