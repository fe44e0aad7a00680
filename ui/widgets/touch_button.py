"""A button for a finger: an icon, words, or both."""

from kivy.clock import Clock
from kivy.properties import BooleanProperty, ColorProperty, NumericProperty, OptionProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

LONG_PRESS_S = 0.6


class TouchButton(BoxLayout):
    """At least 9 mm each way on the 7-inch screen (its rule in base.kv).

    active: it is chosen or on (shown by colour and by what its icon says). kind: "normal", "primary" (what one most
    likely wants), "danger" or "plain" (without a ground). stacked: the icon above the words. Events: `on_press`,
    `on_release` (the finger left it on the button), `on_long_press` (after 0.6 s; `on_release` then stays away where
    `long_press` is True).
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
    font_size = NumericProperty(16)
    font_name = StringProperty("Roboto")
    icon_size = NumericProperty(24)
    foreground = ColorProperty((1, 1, 1, 1))

    def __init__(self, **values: object) -> None:
        self._held = Clock.create_trigger(self._long, LONG_PRESS_S)
        super().__init__(**values)

    def on_touch_down(self, touch) -> bool:  # type: ignore[no-untyped-def]
        if self.disabled or touch.is_mouse_scrolling or not self.collide_point(*touch.pos):
            return False
        touch.grab(self)
        self.pressed = True
        if self.long_press:
            self._held()
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
        self._held.cancel()
        if self.pressed:
            self.pressed = False
            self.dispatch("on_release")
        return True

    def _long(self, _: float) -> None:
        if self.pressed:
            self.pressed = False
            self.dispatch("on_long_press")

    def on_press(self) -> None:
        """For those who bind to it."""

    def on_release(self) -> None:
        """For those who bind to it."""

    def on_long_press(self, *_: object) -> None:
        """For those who bind to it. Kivy calls it for the property `long_press` too, with arguments."""
