"""One patch in the grid: its number, its name as large as it goes, its tags; and whether it sounds."""

from pathlib import Path

from kivy.lang import Builder
from kivy.properties import BooleanProperty, ObjectProperty, StringProperty

from ui.fonts import font_for, short
from ui.pages.patches.choice import Row, number_words
from ui.texts import text
from ui.widgets.touch_button import TouchButton

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

MOST_SHOWN = 60
"""Letters of a name; the label wraps them into two lines, and cuts off what is beyond."""


class Tile(TouchButton):
    """row: the patch, None for an empty place. loaded: it sounds (frame and check); edited: and was changed since (star
    and word); waiting: it was touched and the engine has not answered yet."""

    row = ObjectProperty(None, allownone=True)
    loaded = BooleanProperty(False)
    edited = BooleanProperty(False)
    waiting = BooleanProperty(False)
    number_words = StringProperty("")
    name_words = StringProperty("")
    name_font = StringProperty("Roboto")
    tag_words = StringProperty("")
    tag_font = StringProperty("Roboto")
    state_words = StringProperty("")

    def __init__(self, **values: object) -> None:
        super().__init__(long_press=True, **values)
        self.bind(loaded=self._say, edited=self._say, waiting=self._say)

    def on_row(self, _: object, row: Row | None) -> None:
        """Another patch is in this place."""
        if row is None:
            self.number_words = self.name_words = self.tag_words = ""
            return
        tags = " · ".join(row.tags)
        self.number_words = number_words(row.number)
        self.name_words, self.name_font = short(row.name, MOST_SHOWN), font_for(row.name)
        self.tag_words, self.tag_font = short(tags, MOST_SHOWN), font_for(tags)

    def on_touch_down(self, touch) -> bool:  # type: ignore[no-untyped-def]
        return self.row is not None and super().on_touch_down(touch)

    def _say(self, *_: object) -> None:
        if self.waiting:
            self.state_words = text("patches.loading")
        else:
            self.state_words = text("patches.edited") if self.loaded and self.edited else ""
