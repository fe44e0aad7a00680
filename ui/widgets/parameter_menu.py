"""What a long press on a parameter offers: type a value, MIDI learn, forget its controllers, its default."""

from collections.abc import Callable, Sequence

from kivy.app import App
from kivy.uix.gridlayout import GridLayout

from synth.errors import TetradError
from ui.texts import text
from ui.typed_values import range_words, value_of_text
from ui.values import value_words
from ui.widgets.controllers import without_controllers
from ui.widgets.dialog import Dialog, ask_text
from ui.widgets.setting import Setting
from ui.widgets.touch_button import TouchButton

Item = tuple[str, bool, Callable[[], object]]
"""Its words, whether it is what is chosen now, what it does."""


def open_menu(setting: Setting, words: str, controller: str) -> Dialog:
    """The menu of one parameter. controller: "CC 74", or "" where no controller moves it."""
    parameter, app = setting.parameter, App.get_running_app()
    default = value_words(parameter, parameter.default)
    items: list[Item] = [
        (text("parameter_menu.type"), False, lambda: ask_value(setting, words)),
        (text("parameter_menu.default", value=default), False, lambda: setting.wish(parameter.default)),
        (text("parameter_menu.learn"), False, lambda: app.link.send("midi_learn", parameter=parameter.name)),
    ]
    if controller:
        items.append((text("parameter_menu.forget", controller=controller), False, lambda: forget(setting)))
    return choose(words, items, parameter.description)


def choose(title: str, items: Sequence[Item], words: str = "", columns: int = 2) -> Dialog:
    """A dialog with one button for each item; a touch on one does it and closes the dialog."""
    sizes = App.get_running_app().sizes
    body = GridLayout(cols=columns, spacing=sizes.gap, size_hint_y=None)
    body.row_default_height, body.row_force_default = sizes.touch, True
    body.bind(minimum_height=body.setter("height"))
    dialog = Dialog(title, words, body=body)
    for label, active, action in items:
        button = TouchButton(text=label, active=active)
        button.bind(on_release=lambda _, action=action: dialog.done(action))
        body.add_widget(button)
    return dialog.open()


def ask_value(setting: Setting, words: str) -> None:
    """The player types a value; what means nothing is said in words, and changes nothing."""
    parameter = setting.parameter

    def typed(given: str) -> None:
        try:
            setting.wish(value_of_text(parameter, given))
        except TetradError as error:
            App.get_running_app().mirror.say(str(error), "warning")

    ask_text(words, typed, value=value_words(parameter, setting.value), hint=range_words(parameter), most=40)


def forget(setting: Setting) -> None:
    """No controller moves the parameter from now on. The engine is asked first how MIDI is understood, so that what
    another screen changed since stays."""
    link = App.get_running_app().link

    def answered(result: dict[str, object]) -> None:
        settings = result.get("settings")
        if isinstance(settings, dict):
            link.send("midi_settings", settings=without_controllers(setting.parameter, settings))

    link.ask("midi_settings", then=answered)
