"""Settings: how the screen looks and what it shows. The screen itself keeps these, not the engine."""

from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import BooleanProperty, ObjectProperty, StringProperty

from synth.errors import TetradError
from ui import theme as themes
from ui.pages.settings import rows  # noqa: F401  (its rules are used in this file's)
from ui.pages.settings.section import Section
from ui.store import Kept
from ui.texts import text
from ui.widgets.touch_button import TouchButton

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

MOST_STRIP_KEY = 108
NOTE_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def key_words(key: int) -> str:
    """A MIDI key, 60 is C4: "C3 (48)"."""
    return f"{NOTE_NAMES[key % 12]}{key // 12 - 1} ({key})"


class ThemePreview(TouchButton):
    """A theme in its own colours: its name, what is chosen, the four corners. chosen: it is the one in use."""

    chosen = BooleanProperty(False)
    preview = ObjectProperty(themes.STAGE)


class LookSection(Section):
    """kept: what the store has."""

    kept = ObjectProperty(Kept())
    chosen = StringProperty("")
    writable = BooleanProperty(True)

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        for theme in themes.THEMES.values():
            preview = ThemePreview(preview=theme, text=text(f"settings.theme.{theme.name}"))
            preview.bind(on_release=lambda touched: self.choose(touched.preview.name))
            self.ids.previews.add_widget(preview)
        self.app.bind(theme=self._themed)
        self.refresh()

    def refresh(self) -> None:
        self.kept, self.chosen = self.app.store.kept, self.app.theme.name
        self.writable = not self.app.store.trouble
        for preview in self.ids.previews.children:
            preview.chosen = preview.preview.name == self.chosen
            preview.icon = "check" if preview.chosen else ""

    def _themed(self, *_: object) -> None:
        self.refresh()

    def choose(self, name: str) -> None:
        """Another theme."""
        self._try(lambda: self.app.choose_theme(name))

    def change(self, **values: Any) -> None:
        """Something else that the store keeps."""
        self._try(lambda: self.app.store.change(**values))

    def _try(self, work: Any) -> None:
        try:
            work()
        except TetradError as error:
            self.mirror.say(str(error), "warning")
        self.refresh()

    @staticmethod
    def key_words(key: object) -> str:
        """The strip's lowest key."""
        return key_words(int(key)) if isinstance(key, int | float) else text("settings.unknown")
