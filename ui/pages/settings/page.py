"""The page of settings: its sections at the left (above, where it is narrow), and the one that was chosen."""

import importlib
from pathlib import Path
from typing import NamedTuple

from kivy.clock import Clock
from kivy.lang import Builder
from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.scrollview import ScrollView

from ui.page import Page
from ui.pages.settings.section import Section
from ui.texts import text
from ui.widgets.touch_button import TouchButton

Builder.load_file(str(Path(__file__).with_name("page.kv")))


class Place(NamedTuple):
    """A section: its icon, and the module and class that make it."""

    icon: str
    module: str
    class_name: str


SECTIONS = {
    "audio": Place("audio", "sound_out", "SoundOutSection"),
    "midi": Place("midi", "midi", "MidiSection"),
    "mpe": Place("keys", "mpe", "MpeSection"),
    "controls": Place("knob", "controls", "ControlsSection"),
    "board": Place("board", "board", "BoardSection"),
    "tuning": Place("tuning", "tuning", "TuningSection"),
    "look": Place("theme", "look", "LookSection"),
    "health": Place("health", "health", "HealthSection"),
    "log": Place("keep", "log", "LogSection"),
    "about": Place("info", "about", "AboutSection"),
}
"""Name -> what it is. The name is also that of its text `settings.section.NAME`."""


class SectionButton(TouchButton):
    """The way to one section."""

    section = StringProperty("")


class Scroller(ScrollView):
    """Where a section that scrolls is shown."""


class SettingsPage(Page):
    """current: name of the section that is shown. beside: the list of sections is at the left, not above."""

    current = StringProperty("")
    beside = BooleanProperty(True)

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._section: Section | None = None
        self._scroller = Scroller()
        self._shown = False
        for name, place in SECTIONS.items():
            button = SectionButton(section=name, icon=place.icon, text=text(f"settings.section.{name}"))
            button.bind(on_release=lambda touched: self.choose(touched.section))
            self.ids.menu.add_widget(button)
        self.choose("audio")

    def choose(self, name: str) -> None:
        """Another section. Raises KeyError for one that there isn't."""
        place = SECTIONS[name]
        if name == self.current:
            return
        if self._section is not None and self._shown:
            self._section.left()
        # Nine sections at once are 50 MB where Mesa draws; one is made in a tenth of a second.
        module = importlib.import_module(f"ui.pages.settings.{place.module}")
        section = self._section = getattr(module, place.class_name)()
        area = self.ids.area
        area.clear_widgets()
        self._scroller.clear_widgets()
        self.current = name
        if section.SCROLLS:
            self._scroller.add_widget(section)
            self._scroller.scroll_y = 1.0
            area.add_widget(self._scroller)
        else:
            area.add_widget(section)
        for button in self.ids.menu.children:
            button.active = button.section == name
        if not self.beside:
            Clock.schedule_once(self._bring_into_view)
        if self._shown:
            section.entered()

    def _bring_into_view(self, _: float) -> None:
        for button in self.ids.menu.children:
            if button.active and self.ids.menu.width > self.ids.menu_scroll.width:
                self.ids.menu_scroll.scroll_to(button, animate=False)

    @property
    def section(self) -> Section:
        """The one that is shown."""
        assert self._section is not None
        return self._section

    def entered(self) -> None:
        """It is shown now, and so is its section."""
        self._shown = True
        self.section.entered()

    def left(self) -> None:
        """It is hidden now."""
        self._shown = False
        self.section.left()
