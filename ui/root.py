"""The whole screen: a page, the way to the others, and what lies above all pages."""

import gc
import importlib
import traceback

from kivy.app import App
from kivy.factory import Factory
from kivy.logger import Logger
from kivy.properties import BooleanProperty, ObjectProperty, StringProperty
from kivy.uix.floatlayout import FloatLayout

from ui.banner import Banner
from ui.lock import Awake, LockButton, LockGuard
from ui.overlay import Overlay
from ui.page import Page
from ui.texts import text
from ui.toast import Toast
from ui.widgets.touch_button import TouchButton

PAGES = {
    "play": ("ui.pages.play.page", "PlayPage"),
    "instruments": ("ui.pages.instruments.page", "InstrumentsPage"),
    "sound": ("ui.pages.sound.page", "SoundPage"),
    "patches": ("ui.pages.patches.page", "PatchesPage"),
    "settings": ("ui.pages.settings.page", "SettingsPage"),
}
"""Name -> module and class. The name is also that of its icon, and of its text `nav.NAME`."""


class RailButton(TouchButton):
    """The way to one page. words: they stand below its icon."""

    page = StringProperty("")
    words = BooleanProperty(False)


class Root(FloatLayout):
    """current: name of the page that is shown. slim: the way to the other pages is icons only, as on the play page."""

    current = StringProperty("")
    slim = BooleanProperty(True)
    banner = ObjectProperty(None, rebind=True)

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._pages: dict[str, Page] = {}
        for name in PAGES:
            button = RailButton(icon=name, page=name)
            button.bind(on_release=lambda touched: self.show(touched.page))
            self.ids.rail.add_widget(button)
        self.bind(current=self._mark, slim=self._mark)
        self.lock = LockButton(icon="lock", kind="plain", stacked=True)
        self.ids.rail.add_widget(self.lock)
        self.overlay = Overlay(place=self.ids.page_area)
        self.banner = Banner(place=self.ids.page_area)
        self.toast = Toast()
        self.guard = LockGuard(self.ids.page_area, self.lock)
        for above in (self.overlay, self.banner, self.toast, self.guard):
            self.add_widget(above)
        self.awake = Awake()
        App.get_running_app().mirror.bind(on_words=lambda _, words, kind: self.toast.say(words, kind))
        self.show("play")

    def show(self, name: str) -> None:
        """Another page; one that can't be made says so, and the others go on."""
        if name == self.current:
            return
        area = self.ids.page_area
        if self.current in self._pages:
            self._pages[self.current].left()
        area.clear_widgets()
        self.current = name
        self.slim = name == "play"
        try:
            if name not in self._pages:
                module, class_name = PAGES[name]
                self._pages[name] = getattr(importlib.import_module(module), class_name)()
                # It stays. Python's collector would look through 300,000 such objects again and again, 0.3 s each time,
                # while a finger waits.
                gc.freeze()
            page = self._pages[name]
            area.add_widget(page)
            page.entered()
        except Exception as error:  # noqa: BLE001  (a page that is broken must not take the others with it)
            self._pages.pop(name, None)
            Logger.error("Page: %s: %s", name, traceback.format_exc())
            area.clear_widgets()
            area.add_widget(Factory.Words(text=text("trouble.page", what=f"{type(error).__name__}: {error}")))

    def _mark(self, *_: object) -> None:
        self.lock.words = not self.slim
        for button in self.ids.rail.children:
            if isinstance(button, RailButton):
                button.active, button.words = button.page == self.current, not self.slim
