"""What a section of the settings is: made when it is chosen, moving nothing while the page is hidden."""

from collections.abc import Mapping
from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.uix.boxlayout import BoxLayout

from ui.fonts import short
from ui.link import EngineLink
from ui.lists import Lists
from ui.mirror import Mirror
from ui.texts import text

UNKNOWN = "There is no command"
"""So an engine answers to what only a newer one can."""


class Section(BoxLayout):
    """A column of rows that scrolls, or, with SCROLLS False, fills the place and scrolls by itself.

    It is made anew each time: bind its methods, which Kivy keeps weakly, never a lambda that knows it.

    refresh_s: so often `refresh` is called while it is shown; 0: never. `refresh` also runs once as it is shown.
    """

    SCROLLS = True
    refresh_s = 0.0

    def __init__(self, **values: Any) -> None:
        self._timer: Any = None
        super().__init__(**values)

    @property
    def app(self) -> Any:
        """The application: theme, sizes, store."""
        return App.get_running_app()

    @property
    def mirror(self) -> Mirror:
        """What is known of the engine."""
        found: Mirror = self.app.mirror
        return found

    @property
    def link(self) -> EngineLink:
        """The way to the engine."""
        found: EngineLink = self.app.link
        return found

    @property
    def lists(self) -> Lists:
        """The lists that the mirror is to keep."""
        found: Lists = self.app.lists
        return found

    @staticmethod
    def part(whole: Any, name: str) -> Any:
        """An entry of a dict, or an attribute; None where there is none. A rule that read `root.settings.get(...)`
        itself would not hear of changes: it follows properties of widgets only."""
        return whole.get(name) if isinstance(whole, Mapping) else getattr(whole, name, None)

    @staticmethod
    def refusal(words: str) -> str:
        """What an engine refused, short; one of before the command is named as such."""
        return (
            text("settings.old_engine") if UNKNOWN in words else text("settings.engine_says", words=short(words, 200))
        )

    def entered(self) -> None:
        """It is shown now."""
        self.left()
        self.refresh()
        if self.refresh_s > 0.0:
            self._timer = Clock.schedule_interval(lambda _: self.refresh(), self.refresh_s)

    def left(self) -> None:
        """It is hidden now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def refresh(self) -> None:
        """Bring what is shown up to date."""
