"""The play page: the surface fills it; below are the bar and the keys. First start asks for nothing."""

from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.core.window import Window
from kivy.lang import Builder
from kivy.properties import BooleanProperty

from ui.page import Page
from ui.pages.play.details import DetailsDialog, open_details
from ui.pages.play.gesture_bar import GestureBar
from ui.pages.play.held_keys import HeldKeys, SurfaceNote
from ui.pages.play.key_strip import KeyStrip
from ui.pages.play.surface import Surface
from ui.pages.play.wheel import Wheel

__all__ = ["GestureBar", "KeyStrip", "PlayPage", "Surface"]

Builder.load_file(str(Path(__file__).with_name("page.kv")))


class PlayPage(Page):
    """key_strip: the keys are shown."""

    key_strip = BooleanProperty(True)

    def __init__(self, **values: Any) -> None:
        app = App.get_running_app()
        super().__init__(key_strip=app.store.kept.key_strip, **values)
        self._app = app
        self.keys = HeldKeys(app.link.send)
        self.note = SurfaceNote(self.keys, latch=app.store.kept.latch)
        self.surface: Surface = self.ids.surface
        self.strip: KeyStrip = self.ids.strip
        self.bar: GestureBar = self.ids.bar
        self.surface.note, self.strip.keys = self.note, self.keys
        self.bar.bind(on_latch=self._latch, on_keys=self._show_keys, on_panic=self._silenced)
        self.surface.bind(on_corner=self._open_wheel, on_corner_details=self._open_details)
        self._above: Wheel | DetailsDialog | None = None
        app.mirror.bind(connection=self._connection)
        # A window that is hidden, or another one's turn, never hears of the finger's end.
        Window.bind(on_hide=self._let_go, on_minimize=self._let_go, on_close=self._let_go)
        Window.bind(focus=self._focus)

    def left(self) -> None:
        """Nothing that a finger held here goes on without it; only a latched note does."""
        if self._above is not None:
            self._above.close()
        if not self.note.latch:
            self._let_go()

    def _open_wheel(self, _: Surface, corner: str) -> None:
        self._above = Wheel(corner, details=self._details).open()

    def _open_details(self, _: Surface, corner: str) -> None:
        self._details(corner)

    def _details(self, corner: str) -> None:
        self._above = open_details(corner)

    def _latch(self, _: GestureBar, on: bool) -> None:
        self.note.latch = on

    def _show_keys(self, _: GestureBar, on: bool) -> None:
        self.strip.let_go()
        self.key_strip = on

    def _silenced(self, _: GestureBar) -> None:
        self.keys.forget()
        self._let_go()

    def _connection(self, _: object, connection: str) -> None:
        if connection != "connected":
            self.keys.forget()
            self._let_go()

    def _focus(self, _: object, focus: bool) -> None:
        if not focus:
            self._let_go()

    def _let_go(self, *_: object) -> None:
        self.strip.let_go()
        self.surface.let_go()
        self.keys.let_all_go()
