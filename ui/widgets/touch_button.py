"""A button for a finger: an icon, words, or both."""

from functools import lru_cache
from typing import Any

from kivy.core.text import Label as CoreLabel
from kivy.properties import BooleanProperty, ColorProperty, NumericProperty, OptionProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from ui.widgets.held import Held


@lru_cache(512)
def words_width_px(words: str, font_name: str, font_size: float, bold: bool) -> float:
    """Of one line."""
    return float(CoreLabel(font_name=font_name, font_size=font_size, bold=bold).get_extents(words)[0])


class TouchButton(BoxLayout):
    """At least 9 mm each way on the 7-inch screen (its rule in base.kv).

    active: it is chosen or on (shown by colour and by what its icon says). kind: "normal", "primary" (what one most
    likely wants), "danger" or "plain" (without a ground). stacked: the icon above the words. Events: `on_press`,
    `on_release` (the finger left it on the button), `on_long_press` (after 0.6 s; `on_release` then stays away where
    `long_press` is True). Icon and words stand together in its middle; `centred` False: at its left.
    """

    __events__ = ("on_press", "on_release", "on_long_press")

    text = StringProperty("")
    icon = StringProperty("")
    kind = OptionProperty("normal", options=["normal", "primary", "danger", "plain"])
    active = BooleanProperty(False)
    stacked = BooleanProperty(False)
    pressed = BooleanProperty(False)
    bold = BooleanProperty(False)
    long_press = BooleanProperty(False)
    centred = BooleanProperty(True)
    font_size = NumericProperty(16)
    font_name = StringProperty("Roboto")
    icon_size = NumericProperty(24)
    foreground = ColorProperty((1, 1, 1, 1))

    def __init__(self, **values: object) -> None:
        self._held = Held(self._long)
        super().__init__(**values)
        for name in ("text", "font_name", "font_size", "bold", "centred"):
            self.fbind(name, self._trigger_layout)

    def do_layout(self, *arguments: Any) -> None:
        """As a box does, and then what is narrower than the button moves to its middle."""
        super().do_layout(*arguments)
        if self.stacked or not self.icon or not self.centred or len(self.children) != 2:
            return
        label, icon = self.children
        room_px = self.width - self.padding[0] - self.padding[2] - icon.width
        if self.text:
            words_px = words_width_px(self.text, self.font_name, self.font_size, self.bold)
            room_px = max(room_px - self.spacing - words_px, 0.0)
        # Places only: a box lays out anew when a child's size changes.
        icon.x += room_px / 2.0
        label.x += room_px / 2.0

    def on_touch_down(self, touch) -> bool:  # type: ignore[no-untyped-def]
        if self.disabled or touch.is_mouse_scrolling or not self.collide_point(*touch.pos):
            return False
        touch.grab(self)
        self.pressed = True
        if self.long_press:
            self._held.begin()
        self.dispatch("on_press")
        return True

    def on_touch_move(self, touch) -> bool:  # type: ignore[no-untyped-def]
        if touch.grab_current is not self:
            return False
        self.pressed = self.pressed and self.collide_point(*touch.pos)
        return True

    def on_touch_up(self, touch) -> bool:  # type: ignore[no-untyped-def]
        if touch.grab_current is not self:
            return False
        touch.ungrab(self)
        self._held.end()
        if self.pressed:
            self.pressed = False
            self.dispatch("on_release")
        return True

    def _long(self) -> None:
        if self.pressed:
            self.pressed = False
            self.dispatch("on_long_press")

    def on_press(self) -> None:
        """For those who bind to it."""

    def on_release(self) -> None:
        """For those who bind to it."""

    def on_long_press(self, *_: object) -> None:
        """For those who bind to it. Kivy calls it for the property `long_press` too, with arguments."""
