"""What the sections about MIDI share: the settings that the engine keeps, and changing them."""

from typing import Any

from kivy.clock import Clock
from kivy.properties import ObjectProperty

from ui.pages.settings import (
    midi_model,
    rows,  # noqa: F401  (its rules are used in the sections')
)
from ui.pages.settings.section import Section
from ui.texts import text

SETTLE_S = 0.6
"""After the last touch the engine's settings count again; the mirror asks for them within 0.2 s of a change."""


class MidiSettingsSection(Section):
    """settings: with every key there; {} until the engine has told."""

    settings: dict[str, Any] = ObjectProperty({})

    def __init__(self, **values: Any) -> None:
        self._yield = Clock.create_trigger(self._take_now, SETTLE_S)
        super().__init__(**values)
        self.mirror.bind(midi_settings=self._take)
        self.lists.want("midi_settings")
        self._take()

    def change(self, change: dict[str, Any]) -> None:
        """The player's wish: shown at once, and asked of the engine, whose answer counts."""
        if not self.settings or self.mirror.connection != "connected":
            return
        self.settings = midi_model.known({**self.settings, **change})
        self._yield.cancel()
        self._yield()
        self.link.ask("midi_settings", settings=self.settings, failed=self._refused)

    def _refused(self, words: str) -> None:
        self.mirror.say(words, "warning")
        self._take_now()

    def _take(self, *_: object) -> None:
        if not self._yield.is_triggered:
            self._take_now()

    def _take_now(self, *_: object) -> None:
        self.settings = midi_model.known(self.mirror.midi_settings)

    # What the rules show.

    @staticmethod
    def semitones(value: object) -> str:
        """A bend range."""
        if not isinstance(value, int | float):
            return text("settings.unknown")
        return text("settings.midi.semitones", n=f"{value:g}")

    @staticmethod
    def target_choices() -> list[tuple[str, str]]:
        """Where pressure and slide can go."""
        return [(name, text(f"settings.target.{name}")) for name in midi_model.TARGETS]

    @staticmethod
    def target(settings: dict[str, Any], route: str) -> str:
        """Where one of them goes."""
        return midi_model.target(settings, route)

    @staticmethod
    def depth(settings: dict[str, Any], route: str) -> int:
        """How far, in per cent."""
        return round(100.0 * midi_model.depth(settings, route))

    def route_to(self, route: str, to: str) -> None:
        """Pressure or slide moves something else."""
        self.change(midi_model.with_route(self.settings, route, to=to))

    def route_far(self, route: str, percent: float) -> None:
        """It moves it so far."""
        self.change(midi_model.with_route(self.settings, route, far=percent / 100.0))
