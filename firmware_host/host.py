"""Board and engine put together: the link's thread moves the panel, this one lets time pass and lights the LEDs."""

import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from firmware_host.lamps import duty
from firmware_host.link import Condition, Link
from firmware_host.messages import Brightness, Hello, Leds, State
from firmware_host.panel import Panel
from firmware_host.settings import BoardSettings
from synth.errors import TetradError


class Host:
    """A context manager that looks for board and engine, and keeps them together.

    socket: the engine's; None: the usual one. say: is told, in words, what the player should know, by any thread.
    """

    def __init__(self, settings: BoardSettings, say: Callable[[str], object], socket: Path | None = None) -> None:
        self.panel = Panel(settings, say, socket)
        self._say = say
        self._levels: tuple[int, ...] = ()
        self.link = Link(settings.port, on_board=self._board, on_state=self._state, on_condition=self._condition)
        self.link.want(Brightness(duty(settings.brightness)))

    def __enter__(self) -> "Host":
        self.panel.start()
        self.link.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.link.close()
        self.panel.close()

    def run(self, stopped: Callable[[], bool], parent: TextIO | None = None) -> None:
        """Until `stopped` says so, or `parent`, where there is one, has ended: whoever started us holds its other end.
        Raises TetradError when a part of this program breaks down."""
        while not stopped():
            self.look()
            rest_s = self.panel.rest_s(time.monotonic())
            if parent is None:
                time.sleep(rest_s)
            elif select.select([parent], [], [], rest_s)[0] and not parent.readline():
                return

    def look(self) -> None:
        """What time alone brings; as often as `Panel.rest_s` says."""
        for part, failure in (("board's link", self.link.failure), ("engine's client", self.panel.engine.failure)):
            if failure is not None:
                raise TetradError(
                    f"the {part} broke down: {type(failure).__name__}: {failure}; report this"
                ) from failure
        levels = self.panel.look(time.monotonic())
        if levels != self._levels:  # each wish wakes the link's thread
            self._levels = levels
            self.link.want(Leds(levels))

    def _board(self, hello: Hello) -> None:
        self.panel.hello(hello.counts_per_detent)

    def _state(self, state: State) -> None:
        self.panel.state(state, time.monotonic())

    def _condition(self, condition: Condition, words: str) -> None:
        if condition in (Condition.LOOKING, Condition.REFUSED):
            self.panel.lost()
        if condition is not Condition.CLOSED:
            self._say(words)
            self.panel.present(words, condition is Condition.CONNECTED)
