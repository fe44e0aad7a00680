"""Words to look for, with a way to be rid of them."""

from pathlib import Path

from kivy.lang import Builder
from kivy.properties import StringProperty
from kivy.uix.boxlayout import BoxLayout

from ui.widgets.dialog import Field

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


class SearchBar(BoxLayout):
    """`words` follows every letter. hint: what stands there while it is empty."""

    words = StringProperty("")
    hint = StringProperty("")

    def clear(self) -> None:
        """Nothing is looked for."""
        self.ids.field.text = ""

    def rest(self) -> None:
        """The keyboard goes away."""
        field: Field = self.ids.field
        field.focus = False
