"""What every widget of one parameter shares: its name, value and controller, its frame, and its menu."""

from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import BooleanProperty, ObjectProperty, StringProperty
from kivy.uix.floatlayout import FloatLayout

from ui.values import name_words, value_words
from ui.widgets.held import Held
from ui.widgets.parameter_menu import open_menu
from ui.widgets.setting import Setting

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


class ParameterCell(FloatLayout):
    """name: of the parameter. words: its name for people. value_words: its value in its unit. controller: "CC 74",
    or "". focused: the board or another screen has it under its hand. learning: it waits for a controller.

    A long press anywhere that nothing else takes opens the menu.
    """

    setting: Setting = ObjectProperty(None)
    name = StringProperty("")
    words = StringProperty("")
    value_words = StringProperty("")
    controller = StringProperty("")
    focused = BooleanProperty(False)
    learning = BooleanProperty(False)
    pressed = BooleanProperty(False)

    def __init__(self, setting: Setting, **values: Any) -> None:
        self._held = Held(self._long_pressed)
        self._held_by: Any = None
        name = setting.parameter.name
        super().__init__(setting=setting, name=name, words=name_words(name), **values)
        setting.bind(value=self._show)
        self._show()

    @property
    def numbers(self) -> list[int]:
        """The controllers that `controller` names."""
        return [int(word) for word in self.controller.replace(",", " ").split() if word.isdecimal()]

    def open_menu(self) -> None:
        """What can be done with this parameter, beside setting it."""
        open_menu(self.setting, self.words, self.controller)

    def no_long_press(self) -> None:
        """The finger on the cell means something else."""
        self._held.end()

    def forget_finger(self) -> None:
        """The finger on the cell means nothing any more."""
        self.no_long_press()
        self._held_by, self.pressed = None, False

    def on_touch_down(self, touch) -> bool:  # type: ignore[no-untyped-def]
        if super().on_touch_down(touch):
            return True
        if touch.is_mouse_scrolling or not self.collide_point(*touch.pos):
            return False
        self.forget_finger()  # the newest finger counts: the one before may never end
        touch.grab(self)
        self._held_by, self.pressed = touch, True
        self._held.begin()
        return True

    def on_touch_move(self, touch) -> bool:  # type: ignore[no-untyped-def]
        if touch.grab_current is not self:
            return bool(super().on_touch_move(touch))
        if touch is self._held_by and not self.collide_point(*touch.pos):
            self.forget_finger()
        return True

    def on_touch_up(self, touch) -> bool:  # type: ignore[no-untyped-def]
        if touch.grab_current is not self:
            return bool(super().on_touch_up(touch))
        touch.ungrab(self)
        if touch is self._held_by:
            self.forget_finger()
        return True

    def _long_pressed(self) -> None:
        self.forget_finger()
        self.open_menu()

    def _show(self, *_: Any) -> None:
        self.value_words = value_words(self.setting.parameter, self.setting.value)
