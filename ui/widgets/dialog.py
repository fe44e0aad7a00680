"""A question above everything else: words or a widget, and buttons. Everything below it waits."""

from collections.abc import Callable, Sequence
from pathlib import Path

from kivy.app import App
from kivy.lang import Builder
from kivy.properties import ObjectProperty, StringProperty
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.textinput import TextInput
from kivy.uix.widget import Widget

from ui.fonts import font_for
from ui.texts import text
from ui.widgets.touch_button import TouchButton

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

Button = tuple[str, str, Callable[[], object] | None]
"""Its text, its kind (of TouchButton), and what it does before the dialog closes; None only closes."""


class Dialog(FloatLayout):
    """`Dialog("Remove?", words, buttons=[...]).open()`. body: a widget of fixed height between words and buttons.

    A touch beside it closes it as the first button without an action does.
    """

    title = StringProperty("")
    words = StringProperty("")
    panel = ObjectProperty(None)

    def __init__(
        self, title: str, words: str = "", *, body: Widget | None = None, buttons: Sequence[Button] = ()
    ) -> None:
        super().__init__(title=title, words=words)
        self.ids.words.font_name, self.ids.title.font_name = font_for(words), font_for(title)
        if body is not None:
            self.ids.body.add_widget(body)
        for label, kind, action in buttons or [(text("close"), "normal", None)]:
            button = TouchButton(text=label, kind=kind, font_name=font_for(label))
            button.bind(on_release=lambda _, action=action: self.done(action))
            self.ids.buttons.add_widget(button)

    def open(self) -> "Dialog":
        """Above all pages, from now until it is closed."""
        App.get_running_app().root.add_widget(self)
        return self

    def close(self) -> None:
        """It is gone; closing twice does nothing."""
        if self.parent is not None:
            self.parent.remove_widget(self)

    def done(self, action: Callable[[], object] | None = None) -> None:
        """It closes, and what was chosen is done."""
        self.close()
        if action is not None:
            action()

    def on_touch_down(self, touch) -> bool:  # type: ignore[no-untyped-def]
        if not super().on_touch_down(touch) and not self.panel.collide_point(*touch.pos):
            self.close()
        return True

    def on_touch_move(self, touch) -> bool:  # type: ignore[no-untyped-def]
        super().on_touch_move(touch)
        return True

    def on_touch_up(self, touch) -> bool:  # type: ignore[no-untyped-def]
        super().on_touch_up(touch)
        return True


class Field(TextInput):
    """One line of text, written on the screen's keyboard or a real one. most: letters at most."""

    def __init__(self, most: int = 300, **values: object) -> None:
        self._most = most
        super().__init__(multiline=False, write_tab=False, **values)
        self.bind(text=self._choose_font)
        self._choose_font()

    def insert_text(self, substring: str, from_undo: bool = False) -> None:
        room = self._most - len(self.text) + len(self.selection_text or "")
        super().insert_text(substring.replace("\n", " ")[: max(room, 0)], from_undo=from_undo)

    def _choose_font(self, *_: object) -> None:
        self.font_name = font_for(self.text or self.hint_text)


def confirm(title: str, words: str, yes: str, then: Callable[[], object], *, kind: str = "danger") -> Dialog:
    """A question with one way on, called `yes`, and one back."""
    return Dialog(title, words, buttons=[(text("cancel"), "normal", None), (yes, kind, then)]).open()


def ask_text(
    title: str, then: Callable[[str], object], *, value: str = "", hint: str = "", most: int = 300, words: str = ""
) -> Dialog:
    """One line of text, `value` at first; `then` gets it without space around it, unless it is empty."""
    field = Field(most=most, text=value, hint_text=hint)

    def finish() -> None:
        given = field.text.strip()
        if given:
            then(given)

    dialog = Dialog(
        title,
        words,
        body=field,
        buttons=[(text("cancel"), "normal", None), (text("ok"), "primary", finish)],
    )

    def entered(_: Field) -> None:
        dialog.close()
        finish()

    field.bind(on_text_validate=entered)
    dialog.open()
    field.focus = True
    return dialog
