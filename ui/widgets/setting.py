"""One parameter as the screen sets it: what a finger wishes is shown at once, and what the engine says after that.

Every widget that shows a parameter shows the same `Setting`, so a fader and a curve's handle move together.
"""

import time
from collections.abc import Iterable, Iterator
from typing import Any

from kivy.clock import Clock
from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty

from synth.control.parameters import Parameter
from ui.link import EngineLink
from ui.mirror import Mirror

SEND_PERIOD_S = 1.0 / 60.0
YIELD_AFTER_S = 0.3
"""After the last touch: a status takes 33 ms, and one that was on its way must not pull a fader back."""
HELD_AT_MOST_S = 10.0
"""Without a movement: after that the finger is one that never ends (its panel was unplugged), or means nothing new."""


class Setting(EventDispatcher):
    """value: to be shown, in the parameter's unit. touched: fingers that hold it.

    tells: the engine is told what a finger holds (its command `focus`), so that the board shows the same.
    """

    tells = BooleanProperty(False)

    value = NumericProperty(0.0)
    touched = NumericProperty(0)
    parameter: Parameter = ObjectProperty(None)

    def __init__(self, parameter: Parameter, link: EngineLink) -> None:
        super().__init__(parameter=parameter, value=parameter.default)
        self._link = link
        self._heard: float | None = None
        self._moved_s = 0.0
        self._unsent: float | None = None
        self._next = Clock.create_trigger(self._after_period, SEND_PERIOD_S)
        self._yield = Clock.create_trigger(self._show_heard, YIELD_AFTER_S)

    @property
    def travel(self) -> float:
        """Of the value shown, 0..1."""
        return self.parameter.to_travel(self.value)

    @property
    def wishing(self) -> bool:
        """The value shown is a finger's wish, not yet the engine's."""
        held = self.touched and time.monotonic() - self._moved_s < HELD_AT_MOST_S
        return bool(held or self._yield.is_triggered)

    def hold(self) -> None:
        """A finger is on it."""
        self.touched += 1
        self._moved_s = time.monotonic()
        self._yield.cancel()
        if self.tells and self.touched == 1:
            self._link.send("focus", parameter=self.parameter.name)

    def let_go(self) -> None:
        """A finger has left it."""
        self.touched = max(self.touched - 1, 0)
        if not self.touched:
            self._yield()
            if self.tells:
                self._link.send("focus")

    def wish(self, value: float) -> None:
        """Shown at once, and sent: at most 60 times a second, the last value always."""
        self._moved_s = time.monotonic()
        wanted = self.parameter.clamp(value)
        if wanted == self.value:
            return
        if self._next.is_triggered:
            self._unsent = wanted
        else:
            self._send(wanted)
        self.value = wanted
        if not self.touched:
            self._yield.cancel()
            self._yield()

    def hear(self, value: float) -> None:
        """The engine says this."""
        self._heard = value
        if not self.wishing:
            self.value = value

    def _send(self, value: float) -> None:
        self._unsent = None
        self._link.send("set", parameter=self.parameter.name, value=value)
        self._next()

    def _after_period(self, _: float) -> None:
        if self._unsent is not None:
            self._send(self._unsent)

    def _show_heard(self, _: float) -> None:
        if self._heard is not None and not self.touched:
            self.value = self._heard


class Settings:
    """A `Setting` for each parameter of a table, fed by the mirror while `listening`."""

    def __init__(self, link: EngineLink, mirror: Mirror, parameters: Iterable[Parameter]) -> None:
        self._mirror = mirror
        self._by_name = {parameter.name: Setting(parameter, link) for parameter in parameters}
        self._listening = False

    def __getitem__(self, name: str) -> Setting:
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    @property
    def touched(self) -> bool:
        """A finger holds one of them."""
        return any(setting.touched for setting in self._by_name.values())

    def tell(self) -> None:
        """The engine knows the command `focus`: it hears what fingers hold from now on."""
        for setting in self._by_name.values():
            setting.tells = True

    def listen(self, listening: bool = True) -> None:
        """Follow the engine, or no longer (a hidden page moves nothing)."""
        if listening and not self._listening:
            self._mirror.bind(parameters=self._take)
            self._take(self._mirror, self._mirror.parameters)
        elif self._listening and not listening:
            self._mirror.unbind(parameters=self._take)
        self._listening = listening

    def _take(self, _: Any, values: dict[str, float]) -> None:
        for name, setting in self._by_name.items():
            if name in values:
                setting.hear(values[name])
