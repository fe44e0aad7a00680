"""The screen as a Kivy application: makes its parts, connects them, and ends them. Nothing is decided here."""

from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.core.window import Window
from kivy.lang import Builder
from kivy.properties import ObjectProperty
from kivy.uix.widget import Widget

from ui import theme as themes
from ui.link import EngineLink
from ui.lists import Lists
from ui.mirror import Mirror
from ui.store import Store
from ui.texts import text

HERE = Path(__file__).parent


class TetradApp(App):
    """`theme` and `sizes` are what kv rules read; both are replaced when they change."""

    theme = ObjectProperty(themes.STAGE, rebind=True)
    sizes = ObjectProperty(themes.sizes(800, 480), rebind=True)
    title = text("app.title")

    def __init__(self, socket: Path | None = None, theme: str | None = None, **values: Any) -> None:
        super().__init__(**values)
        self.store = Store()
        self.theme = themes.THEMES[theme or self.store.kept.theme]
        self.mirror = Mirror()
        self.link = EngineLink(self.mirror, socket)
        self.lists = Lists(self.link, self.mirror)

    def build(self) -> Widget:
        Window.bind(size=self._resized)
        self._resized(Window, Window.size)
        Builder.load_file(str(HERE / "base.kv"))
        from ui.root import Root

        return Root()

    def on_start(self) -> None:
        self.link.start()
        if self.store.trouble:
            self.mirror.say(self.store.trouble, "warning")

    def on_stop(self) -> None:
        self.link.close()

    def choose_theme(self, name: str) -> None:
        """One of `ui.theme.THEMES`, from now on and at the next start."""
        self.theme = themes.THEMES[name]
        self.store.change(theme=name)

    def load_kv(self, filename: str | None = None) -> None:
        """Kivy would look for tetrad.kv; rules are loaded where they are used."""

    def _resized(self, _: Any, size: tuple[float, float]) -> None:
        self.sizes = themes.sizes(*size)
