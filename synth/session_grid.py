"""The session's paths between instruments: looked up when corners change, computed in the background when missing.

A surface sounds at once, along straight lines where nobody has computed a path. What is in the grid is read in the
loader's thread some ms later; what is not is computed by the refiner's worker, and sounding notes go over to it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from synth.control.commands import Command
from synth.control.corners import Corner
from synth.errors import TetradError
from synth.grid.pair_file import read_pair_header
from synth.grid.refine import GridProcess, Refiner
from synth.grid.store import GridStore
from synth.grid.surface_pairs import Pair, surface_pairs
from synth.voices.prepared import PreparedInstrument

if TYPE_CHECKING:
    from synth.session import Session

MOST_GIVEN = 64
"""Paths that the engine holds, 60 KB each at most: those of sixteen surfaces, the four that sound always among them."""


class SessionGrid:
    """The four edges' paths. `follow` is called with the session's lock, everything else without.

    store: where paths are; None: all lines are straight, and nothing is computed. refine: compute what is missing.
    """

    def __init__(
        self,
        session: Session,
        store: GridStore | None,
        *,
        refine: bool = True,
        start: Callable[[], GridProcess] = GridProcess,
    ) -> None:
        self._session = session
        self._store = store
        self._folder = None if store is None else store.folder
        self.say: Callable[[str], object] = lambda _words: None
        """Called besides the notice, in any thread, with what is wrong."""
        self._lock = threading.Lock()  # guards what follows
        self._wanted: tuple[Pair, ...] = ()
        self._given: OrderedDict[tuple[str, str], Pair] = OrderedDict()
        libraries = session.loader.library.directories
        self.refiner = (
            None
            if store is None
            else Refiner(libraries, store.folder, self._computed, self._trouble, enabled=refine, start=start)
        )

    def follow(self, instruments: Mapping[Corner, PreparedInstrument | None]) -> None:
        """These stand in the corners now, None where it is silent."""
        if self.refiner is None:
            return
        pairs = tuple(surface_pairs(instruments))
        with self._lock:
            self._wanted = pairs
            for pair in pairs:
                if self._given.get(pair[:2]) == pair:
                    self._given.move_to_end(pair[:2])
            all_given = all(self._given.get(pair[:2]) == pair for pair in pairs)
        if not all_given:
            self._session.loader.run(lambda: self._look_up(pairs))

    def enable(self, on: bool) -> None:
        """Compute what is missing, or let it be."""
        if self.refiner is not None:
            self.refiner.enable(on)

    def status(self) -> dict[str, Any]:
        """The status `grid`."""
        with self._lock:
            wanted, known = len(self._wanted), sum(self._given.get(pair[:2]) == pair for pair in self._wanted)
        refiner = {"refining": False, "waiting": 0} if self.refiner is None else self.refiner.status()
        return {"pairs": wanted, "known": known, **refiner}

    def close(self) -> None:
        """Ends the worker; a path that was not finished does not come about."""
        if self.refiner is not None:
            self.refiner.close()

    # In the loader's or the refiner's thread.

    def _look_up(self, pairs: Sequence[Pair]) -> None:
        try:
            missing = [pair for pair in pairs if not self._give(pair) and not self._refused(pair)]
        except Exception as error:  # noqa: BLE001  (nobody waits for this; the straight lines sound)
            self._trouble(f"the grid in {self._folder} can't be used ({type(error).__name__}: {error}); report this")
            return
        with self._lock:
            still_wanted = [pair for pair in missing if pair in self._wanted]
        if self.refiner is not None:
            self.refiner.want(still_wanted)

    def _computed(self, pair: Pair) -> None:
        if self._give(pair):
            self._session.notify("path_changed", first=pair.first, second=pair.second)

    def _give(self, pair: Pair) -> bool:
        """Let the engine have a pair's path, if it is in the grid and the engine lacks it."""
        assert self._store is not None
        with self._lock:
            if self._given.get(pair[:2]) == pair:
                return True
        engine = self._session.engine
        path = self._store.find(*pair, engine.model_id)
        for words in self._store.take_remarks():
            self._trouble(words)
        if path is None:
            return False
        engine.set_path(pair.first, pair.second, path)
        with self._lock:
            self._given[pair[:2]] = pair
            self._given.move_to_end(pair[:2])
            sounding = {wanted[:2] for wanted in self._wanted}
            spare = [names for names in self._given if names not in sounding]
            dropped = spare[: max(len(self._given) - MOST_GIVEN, 0)]
            for names in dropped:
                del self._given[names]
        for names in dropped:
            engine.set_path(*names, None)
        return True

    def _refused(self, pair: Pair) -> bool:
        """There is a path of other networks, which is somebody's work: `tetrad grid build --rebuild` replaces it."""
        assert self._store is not None
        try:
            header = read_pair_header(self._store.path_of(pair.first, pair.second))
        except (TetradError, OSError):
            return False  # there is none, or it is damaged, and that was said
        return bool(header["model_id"] != self._session.engine.model_id)

    def _trouble(self, words: str) -> None:
        self._session.notify("warning", words=words)
        self.say(words)


def _refine(session: Session, command: Command) -> None:
    session.grid.enable(command["on"])


GRID_METHODS: dict[str, Callable[[Session, Command], None]] = {"grid_refine": _refine}
