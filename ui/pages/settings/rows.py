"""The rows that settings are made of: something to read, to switch, to choose or to count, with its name beside it.

Each has a `value`, which is the engine's or the store's, and shows `shown`: the player's wish at once, and the value
again SETTLE_S after the last touch. `on_wish(wish)` says what the player wants.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.core.text import Label as Measure
from kivy.lang import Builder
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from ui.fonts import font_for
from ui.pages.settings.bar import Bar
from ui.widgets.held import Held
from ui.widgets.touch_button import TouchButton

__all__ = ["Bar", "BarRow", "ChoiceRow", "FactRow", "LinkRow", "Row", "StepRow", "SwitchRow"]

SETTLE_S = 0.3
REPEAT_AFTER_S, REPEAT_S = 0.45, 0.09
"""A held plus or minus goes on by itself."""


class Row(BoxLayout):
    """label: what it is. help: what to know of it, below. narrow: name above, not beside."""

    __events__ = ("on_wish",)

    label = StringProperty("")
    help = StringProperty("")
    narrow = BooleanProperty(False)
    settle_s = NumericProperty(SETTLE_S)
    value: Any = ObjectProperty(None, allownone=True)
    shown: Any = ObjectProperty(None, allownone=True)

    def __init__(self, **values: Any) -> None:
        self._settle = Clock.create_trigger(self._yield, SETTLE_S)
        super().__init__(**values)

    def wish(self, wish: Any) -> None:
        """The player wants this."""
        self.shown = wish
        self._settle.cancel()
        self._settle.timeout = self.settle_s
        self._settle()
        self.dispatch("on_wish", wish)

    def on_value(self, _: Any, value: Any) -> None:
        if not self._settle.is_triggered:
            self.shown = value

    def on_wish(self, wish: Any) -> None:
        """For those who bind to it."""

    def _yield(self, _: float) -> None:
        self.shown = self.value


class FactRow(Row):
    """Something to read. kind: "", "good", "warning" or "danger"; all but "" have a sign besides their colour."""

    words = StringProperty("")
    kind = StringProperty("")


class LinkRow(Row):
    """One button: what it says, and its icon. disabled_button: it can't be pressed now."""

    words = StringProperty("")
    icon = StringProperty("")
    kind = StringProperty("normal")


class SwitchRow(Row):
    """On or off."""


class StepRow(Row):
    """A number: minus, the number in `words`, plus. Held, it goes on."""

    minimum = NumericProperty(0)
    maximum = NumericProperty(100)
    step = NumericProperty(1)
    words = StringProperty("")

    def __init__(self, **values: Any) -> None:
        self._direction = 0
        self._first = Held(self._again, REPEAT_AFTER_S)
        self._next = Held(self._again, REPEAT_S)
        super().__init__(**values)

    def begin(self, direction: int) -> None:
        """A finger is on minus (-1) or plus (1)."""
        self.end()
        self._direction = direction
        self._once()
        self._first.begin()

    def end(self) -> None:
        """It is gone."""
        self._first.end()
        self._next.end()

    def _again(self) -> None:
        button = self.ids.minus if self._direction < 0 else self.ids.plus
        if not button.pressed or self.get_root_window() is None:
            self.end()
            return
        self._once()
        self._next.begin()

    def _once(self) -> None:
        before = self.shown if isinstance(self.shown, int | float) else self.minimum
        wish = min(max(before + self._direction * self.step, self.minimum), self.maximum)
        if wish != before:
            self.wish(wish)


class ChoiceRow(Row):
    """Some of several. choices: [(key, words)]. many: `value` is a tuple of keys, and a touch adds or removes one;
    otherwise it is one key. full: each choice has a line of its own, for long names."""

    choices: list[tuple[Any, str]] = ListProperty([])
    many = BooleanProperty(False)
    full = BooleanProperty(False)

    def __init__(self, **values: Any) -> None:
        self._buttons: dict[Any, TouchButton] = {}
        super().__init__(**values)
        self.bind(shown=self._mark)
        App.get_running_app().bind(sizes=self._fit)

    def on_kv_post(self, base_widget: Any) -> None:
        """The area for the buttons is there from here on."""
        self.bind(choices=self._build)
        self._build()

    def _chosen(self) -> Sequence[Any]:
        if not self.many:
            return (self.shown,)
        return self.shown if isinstance(self.shown, tuple) else ()

    def _touched(self, key: Any, _: TouchButton) -> None:
        if not self.many:
            self.wish(key)
            return
        chosen = self._chosen()
        kept = tuple(one for one in chosen if one != key)
        self.wish(kept if key in chosen else (*kept, key))

    def _build(self, *_: object) -> None:
        area = self.ids.area
        area.clear_widgets()
        self._buttons = {}
        for key, words in self.choices:
            button = TouchButton(text=words, font_name=font_for(words))
            button.bind(on_release=partial(self._touched, key))
            self._buttons[key] = button
            area.add_widget(button)
        self._fit()
        self._mark()

    def _mark(self, *_: object) -> None:
        chosen = self._chosen()
        for key, button in self._buttons.items():
            button.active = key in chosen
            button.icon = "check" if button.active else ""

    def _fit(self, *_: object) -> None:
        """Each button as wide as its words and the tick that it may get."""
        sizes = App.get_running_app().sizes
        for button in self._buttons.values():
            button.font_size, button.icon_size = sizes.body, sizes.mm(4)
            button.height = sizes.touch
            if self.full:
                button.size_hint = (1, None)
                continue
            words_px = Measure(font_size=sizes.body, font_name=button.font_name).get_extents(button.text)[0]
            button.size_hint = (None, None)
            button.width = min(words_px + 4 * sizes.gap + sizes.mm(4), max(self.ids.area.width, sizes.touch))


class BarRow(Row):
    """A share 0..1 of something as a bar, and in words. kind: as of FactRow."""

    share = NumericProperty(0.0)
    words = StringProperty("")
    kind = StringProperty("")


Builder.load_file(str(Path(__file__).with_name("rows.kv")))
