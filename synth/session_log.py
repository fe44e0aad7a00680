"""What the engine said, for screens that come later: the last 200 lines, in words, with their time and kind."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synth.session import Session

MOST_LINES = 200
LINES_PER_S = 20.0
"""More of them are kept, and not told one by one: a client that is refused 2,000 times a second must not flood the
others."""
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
        if may_tell:
            self._session.notify("log_line", **line)

    def listening(self, notify: Callable[..., None]) -> Callable[..., None]:
        """`notify`, which writes down what a player would read."""

        def notify_and_keep(notice: str, **data: Any) -> None:
            notify(notice, **data)
            if notice in _WORDS_OF:
                self.say(notice, _WORDS_OF[notice](data))

        return notify_and_keep
