"""Has somebody else changed the player's library? Another process, or the player with a file manager."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from synth.instruments.format import SUFFIX
from synth.instruments.labels import FILE_NAME

PERIOD_S = 1.0

Seen = dict[str, tuple[int, int]]


class LibraryWatch:
    """Looks at the folder's time once a second (some microseconds), at its files when that has changed.

    Every file that is put there, replaced or removed changes the folder; all of Tetrad's writers replace files.
    Any thread may call.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._looked_s = time.monotonic()
        self._folder_ns = self._time_ns()
        self._seen = self._look()

    def due(self) -> bool:
        """The folder has changed since it was last looked at; at most once a second."""
        now_s = time.monotonic()
        with self._lock:
            if now_s - self._looked_s < PERIOD_S:
                return False
            self._looked_s = now_s
            return self._time_ns() != self._folder_ns

    def changes(self) -> set[str] | None:
        """Names of instruments that are new, gone or another since the last call, or None when nothing has changed.

        An empty set: only what the player says of them (`labels`).
        """
        with self._lock:
            before, self._folder_ns = self._seen, self._time_ns()
            self._seen = self._look()
            different = {name for name in before.keys() | self._seen.keys() if before.get(name) != self._seen.get(name)}
        if not different:
            return None
        return {name.removesuffix(SUFFIX) for name in different if name != FILE_NAME}

    def _time_ns(self) -> int:
        try:
            return self._folder.stat().st_mtime_ns
        except OSError:
            return 0

    def _look(self) -> Seen:
        found: Seen = {}
        for path in [*self._folder.glob(f"[!.]*{SUFFIX}"), self._folder / FILE_NAME]:
            try:
                status = path.stat()
            except OSError:
                continue  # it went while we looked, or there is none
            found[path.name] = (status.st_mtime_ns, status.st_size)
        return found
