"""What the engine said: the last 200 lines, in words, with their time and kind, for screens that come later; and a file
of lines, `logs/engine.log`, for whoever looks for the reason of something afterwards.

The file is bounded: at LONGEST_FILE_BYTES it becomes `engine.log.1`, and what was that goes. It is written by a thread
of its own, and a disk that does not take a line costs that line.
"""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synth.session import Session

MOST_LINES = 200
LINES_PER_S = 20.0
"""More of them are kept, and not told one by one: a client that is refused 2,000 times a second must not flood the
others."""
LONGEST_FILE_BYTES, OLDER_FILES = 256 * 1024, 1
MOST_WAITING = 1000
"""Lines for the file; what comes while so many wait is not written."""
_WORDS_OF: dict[str, Callable[[dict[str, Any]], str]] = {
    "warning": lambda data: str(data["words"]),
    "audio_changed": lambda data: str(data["words"]),
    "midi_ports_changed": lambda data: f"MIDI inputs: {', '.join(data['ports']) or 'none'}",
    "patch_changed": lambda data: f"patch {data['name']}",
    "recording_saved": lambda data: f"{data['path']}, {data['seconds']:.1f} s",
    "midi_learned": lambda data: f"controller {data['controller']} sets {data['parameter']}",
}
"""Notices that are lines of the log as well. Its kind is the notice's name."""


class EngineLog:
    """Lines of the log. Any thread may call."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lines: deque[dict[str, Any]] = deque(maxlen=MOST_LINES)
        self._lock = threading.Lock()
        self._allowance, self._allowance_at_s = LINES_PER_S, time.monotonic()
        self._file: LogFile | None = None

    def keep(self, path: Path) -> None:
        """Write lines into a file, too, from now on until `close`."""
        self._file = LogFile(path)

    def close(self) -> None:
        """What was said is in the file."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def lines(self) -> list[dict[str, Any]]:
        """The oldest first: {"time_s" (since 1970), "kind", "words"}."""
        with self._lock:
            return list(self._lines)

    def say(self, kind: str, words: str) -> None:
        """One more line; everybody is told."""
        line = {"time_s": time.time(), "kind": kind, "words": words}
        with self._lock:
            self._lines.append(line)
            now_s = time.monotonic()
            self._allowance = min(self._allowance + (now_s - self._allowance_at_s) * LINES_PER_S, LINES_PER_S)
            self._allowance_at_s = now_s
            may_tell = self._allowance >= 1.0
            self._allowance -= may_tell
        file = self._file
        if file is not None and may_tell:
            file.write(kind, words)
        if may_tell:
            self._session.notify("log_line", **line)

    def listening(self, notify: Callable[..., None]) -> Callable[..., None]:
        """`notify`, which writes down what a player would read."""

        def notify_and_keep(notice: str, **data: Any) -> None:
            notify(notice, **data)
            if notice in _WORDS_OF:
                self.say(notice, _WORDS_OF[notice](data))

        return notify_and_keep


class LogFile:
    """Lines on disk: "2026-11-23T15:12:22+0100 warning: no sound card". Any thread may write; it never waits or raises.

    lost: lines that the disk did not take.
    """

    def __init__(self, path: Path) -> None:
        self._lines: queue.Queue[logging.LogRecord] = queue.Queue(MOST_WAITING)
        self._handler = _Handler(path)
        self._listener = logging.handlers.QueueListener(self._lines, self._handler)
        self._listener.start()

    @property
    def lost(self) -> int:
        return self._handler.lost

    def write(self, kind: str, words: str) -> None:
        line = f"{kind}: {' '.join(words.split())}"
        record = logging.LogRecord("tetrad.engine", logging.INFO, "", 0, line, None, None)
        try:
            self._lines.put_nowait(record)
        except queue.Full:
            self._handler.lost += 1

    def close(self) -> None:
        """Everything that was written before is in the file."""
        self._listener.stop()
        self._handler.close()


class _Handler(logging.handlers.RotatingFileHandler):
    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=LONGEST_FILE_BYTES, backupCount=OLDER_FILES, encoding="utf-8", delay=True)
        self.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
        self.lost = 0
        self._folder = path.parent

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            self.lost += 1
            return
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (logging's name; its own prints a traceback)
        del record
        self.lost += 1
        if self.stream is not None:
            stream, self.stream = self.stream, None
            with contextlib.suppress(OSError):  # what it could not write before it can't now
                stream.close()
