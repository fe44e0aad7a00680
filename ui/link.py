"""The screen's connection to the engine: the only file here that knows the client.

What the client's thread hears waits in a queue that Kivy's main thread empties before its next frame: of statuses the
newest counts, notices and answers come all, in their order. Nothing here waits for the engine, and nothing raises:
trouble is words for the player.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

from kivy.clock import Clock

from synth.errors import TetradError
from synth.io.client import Client, State
from ui.mirror import Mirror

STATUS_RATE_HZ = 30.0
HANGS_AFTER_S = 3.0
"""Of silence; the protocol promises a line a second."""
LOOK_PERIOD_S = 1.0
NAME = "screen"

Answer = Callable[[dict[str, Any]], object]
Failure = Callable[[str], object]


class EngineLink:
    """Sends commands, and keeps the mirror. path: the engine's socket, by default the usual one."""

    def __init__(self, mirror: Mirror, path: Path | str | None = None) -> None:
        self.mirror = mirror
        self._heard: deque[Callable[[], object]] = deque()
        self._status: Mapping[str, Any] | None = None
        self._empty = Clock.create_trigger(self._take_all, 0)
        self._watch: Any = None
        self._said: dict[str, float] = {}
        self._sent_s: dict[str, float] = {}
        self._client = Client(
            path, name=NAME, on_status=self._on_status, on_notice=self._on_notice, on_state=self._on_state
        )

    def start(self) -> None:
        """Look for the engine from now on."""
        self._client.subscribe(STATUS_RATE_HZ)
        self._client.start()
        self._watch = Clock.schedule_interval(self._look, LOOK_PERIOD_S)

    def close(self) -> None:
        """End the connection; keys that this screen holds go up in the engine."""
        if self._watch is not None:
            self._watch.cancel()
        self._client.close()
        self._empty.cancel()

    @property
    def name(self) -> str:
        """What the engine knows this screen as."""
        return NAME

    def own_s(self, what: str) -> float:
        """When this screen itself last set a parameter ("attack") or a corner ("corner.nw"), or sent a command
        ("undo"): seconds of `time.monotonic`, minus infinity for never."""
        return self._sent_s.get(what, -math.inf)

    def send(self, command: str, /, **fields: Any) -> bool:
        """A command without an answer. False, and words for the player where it was no use; never waits."""
        self._remember(command, fields)
        try:
            self._client.send(command, **fields)
        except TetradError as error:
            self._complain(error)
            return False
        return True

    def ask(self, command: str, /, *, then: Answer | None = None, failed: Failure | None = None, **fields: Any) -> None:
        """A command with an answer, on the main thread: `then(result)`, or `failed(words)` (by default the player
        reads the words)."""
        self._remember(command, fields)
        try:
            future = self._client.ask(command, **fields)
        except TetradError as error:
            self._fail(failed, error)
            return
        future.add_done_callback(partial(self._answered, then, failed))

    def _remember(self, command: str, fields: Mapping[str, Any]) -> None:
        match command, fields:
            case "set", {"parameter": str(name)}:
                self._sent_s[name] = time.monotonic()
            case "corner", {"corner": str(corner)}:
                self._sent_s[f"corner.{corner}"] = time.monotonic()
            case "undo" | "redo" | "compare" | "patch_load" | "patch_save" | "set_many", _:
                self._sent_s[command] = time.monotonic()

    # In the client's thread.

    def _on_status(self, status: Mapping[str, Any], _: Mapping[str, Any]) -> None:
        self._status = status
        self._empty()

    def _on_notice(self, name: str, data: Mapping[str, Any]) -> None:
        self._later(partial(self.mirror.take_notice, name, data))

    def _on_state(self, state: State, words: str) -> None:
        self._later(partial(self.mirror.take_state, state.value, words, self._client.engine, self._client.process))

    def _answered(self, then: Answer | None, failed: Failure | None, future: Future[dict[str, Any]]) -> None:
        error = future.exception()
        if error is not None:
            self._later(partial(self._fail, failed, error))
        elif then is not None:
            self._later(partial(then, future.result()))

    def _later(self, work: Callable[[], object]) -> None:
        self._heard.append(work)
        self._empty()

    # On the main thread.

    def _take_all(self, _: float) -> None:
        status, self._status = self._status, None
        if status is not None:
            self.mirror.take_status(status)
        for _ in range(len(self._heard)):
            self._heard.popleft()()

    def _look(self, _: float) -> None:
        """Whether a connected engine still speaks."""
        mirror, silent_s = self.mirror, self._client.silent_s
        if mirror.connection == "connected" and silent_s > HANGS_AFTER_S:
            mirror.take_state(
                "hanging", f"the engine has said nothing for {silent_s:.0f} s", mirror.engine, mirror.process
            )
        elif mirror.connection == "hanging" and self._client.connected and silent_s < HANGS_AFTER_S:
            mirror.take_state("connected", self._client.words, mirror.engine, mirror.process)

    def _fail(self, failed: Failure | None, error: BaseException) -> None:
        if failed is not None:
            failed(str(error))
        else:
            self._complain(error)

    def _complain(self, error: BaseException) -> None:
        """Once in two seconds the same: a finger on the surface sends a hundred commands a second."""
        words, now_s = str(error), time.monotonic()
        if self.mirror.connection != "connected":
            return  # the banner says it already
        if now_s - self._said.get(words, -10.0) > 2.0:
            self._said = {words: now_s}
            self.mirror.say(words, "warning")
