"""Parameters of whole numbers: a few choices side by side, many in a list of their own, counts with minus and plus."""

from functools import partial
from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.lang import Builder
from kivy.properties import BooleanProperty

from synth.control.parameters import Parameter
from ui.texts import text
from ui.widgets.fader import Fader
from ui.widgets.parameter_cell import ParameterCell
from ui.widgets.parameter_menu import choose
from ui.widgets.setting import Setting
from ui.widgets.touch_button import TouchButton

SIDE_BY_SIDE = 3
"""So many names of up to eight letters fit beside a parameter's own in 40 mm times two."""

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


class Choice(ParameterCell):
    """A parameter whose values have names."""

    picks = BooleanProperty(False)

    def __init__(self, setting: Setting, **values: Any) -> None:
        self._buttons: list[TouchButton] = []
        super().__init__(setting, **values)
        choices = setting.parameter.choices
        self.picks = len(choices) > SIDE_BY_SIDE
        if self.picks:
            button = TouchButton(icon="down")
            button.bind(on_release=lambda _: self.pick())
            self._buttons.append(button)
        else:
            for index, name in enumerate(choices):
                button = TouchButton(text=name)
                # Not as arguments: the rule of a button sets these two anew.
                button.padding, button.font_size = 0, App.get_running_app().sizes.small
                button.bind(on_release=lambda _, index=index: setting.wish(float(index)))
                self._buttons.append(button)
        for button in self._buttons:
            self.ids.buttons.add_widget(button)
        self._show()

    def pick(self) -> None:
        """All choices, in a dialog."""
        setting = self.setting
        items = [
            (name, index == round(setting.value), partial(setting.wish, float(index)))
            for index, name in enumerate(setting.parameter.choices)
        ]
        choose(self.words, items, columns=2 if len(items) < 5 else 3 if len(items) < 10 else 4)

    def _show(self, *_: Any) -> None:
        super()._show()
        if self.picks:
            for button in self._buttons:
                button.text = self.value_words
        else:
            for index, button in enumerate(self._buttons):
                button.active = index == round(self.setting.value)


class Stepper(ParameterCell):
    """A parameter of whole numbers without names."""

    def step(self, by: int) -> None:
        """So many up."""
        self.setting.wish(self.setting.value + by)


def widget_for(setting: Setting, **values: Any) -> ParameterCell:
    """The widget that suits a parameter."""
    parameter: Parameter = setting.parameter
    if parameter.choices:
        return Choice(setting, **values)
    return Stepper(setting, **values) if parameter.curve == "step" else Fader(setting, **values)


def controller_words(numbers: list[int]) -> str:
    """ "CC 74", "CC 1, 74", or "" for none."""
    return text("fader.controller", numbers=", ".join(str(number) for number in numbers)) if numbers else ""
