"""What stands in a corner of the surface: the picture of its instrument's family, the corner's sign, and the name."""

from pathlib import Path

from kivy.lang import Builder
from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from synth.control.corners import PLACES, Corner
from ui.fonts import font_for, short
from ui.pages.play.families import FamilyPicture
from ui.texts import text

__all__ = ["CornerPlate", "FamilyPicture"]

Builder.load_file(str(Path(__file__).with_suffix(".kv")))
LONGEST_NAME = 22


class CornerPlate(BoxLayout):
    """corner: nw, ne, sw or se. It only shows; the surface takes the touches, and asks `badge_has`."""

    corner = StringProperty("nw")
    number = NumericProperty(0)
    east = BooleanProperty(False)
    family = StringProperty("")
    name = StringProperty("")
    name_font = StringProperty("Roboto")
    wanted = StringProperty("")
    wanted_font = StringProperty("Roboto")
    pressed = BooleanProperty(False)

    def __init__(self, corner: Corner, **values: object) -> None:
        east = PLACES[corner][0] > 0.5
        super().__init__(corner=corner.name.lower(), number=int(corner), east=east, **values)
        if east:
            words = self.ids.words
            self.remove_widget(words)
            self.add_widget(words, index=1)  # of a row: before the picture

    def take(self, entries: dict[str, str]) -> None:
        """The mirror's entries of this corner."""
        name = entries["display_name"] or entries["instrument"] or text("corner.empty")
        self.name, self.name_font, self.family = short(name, LONGEST_NAME), font_for(name), entries["family"]
        wanted = entries["wanted"]
        self.wanted = text("play.wanted", name=short(wanted, LONGEST_NAME)) if wanted else ""
        self.wanted_font = font_for(wanted)

    def badge_has(self, x_px: float, y_px: float) -> bool:
        """Whether a finger is on the picture: only that opens the corner, so that the surface beside it stays free."""
        return bool(self.ids.badge.collide_point(x_px, y_px))
