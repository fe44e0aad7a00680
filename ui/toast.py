"""Something for the player to read, for a moment, above all pages."""

from kivy.animation import Animation
from kivy.clock import Clock
from kivy.properties import StringProperty
from kivy.uix.label import Label

from ui.fonts import font_for, short

SHOWN_S, LONGEST = 5.0, 240


class Toast(Label):
    """One at a time; a new one takes the place of the one before. Touches go through it."""

    kind = StringProperty("info")

    def __init__(self, **values: object) -> None:
        super().__init__(opacity=0.0, **values)
        self._hide = Clock.create_trigger(self._fade, SHOWN_S)

    def say(self, words: str, kind: str = "info") -> None:
        """kind: "info" or "warning"."""
        self._hide.cancel()
        Animation.cancel_all(self, "opacity")
        self.text, self.kind, self.font_name = short(words, LONGEST), kind, font_for(words)
        self.opacity = 1.0
        self._hide()

    def _fade(self, _: float) -> None:
        Animation(opacity=0.0, duration=0.4).start(self)

    def on_touch_down(self, _: object) -> bool:
        return False
