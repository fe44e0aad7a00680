"""Choosing files for an instrument with a finger: places, folders, and what is in them."""

import os
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kivy.clock import Clock
from kivy.factory import Factory
from kivy.lang import Builder
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout

from ui.fonts import font_for, short
from ui.pages.instruments.files import Item, Kind, Listing, is_sayable, places, read_folder, shown
from ui.texts import text
from ui.widgets.list import List

if TYPE_CHECKING:
    from ui.pages.instruments.page import InstrumentsPage

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

ICONS = {
    Kind.FOLDER: "folder",
    Kind.SOUND: "audio",
    Kind.SFZ: "keys",
    Kind.SOUND_FONT: "keys",
    Kind.INSTRUMENT: "instruments",
}
ROW_MM = 9.5


class FileRow(ButtonBehavior, BoxLayout):
    """One file or folder."""

    icon = StringProperty("")
    name = StringProperty("")
    font = StringProperty("Roboto")
    chosen = BooleanProperty(False)

    def __init__(self, files: "FileBrowser", **values: object) -> None:
        super().__init__(**values)
        self._files = files
        self._item: Item | None = None

    def show(self, item: Item) -> None:
        """It stands for this one now."""
        self._item = item
        self.icon = ICONS[item.kind] if item.sayable else "warning"
        self.name, self.font = short(item.name, 80), font_for(item.name)
        self.chosen = item.path in self._files.chosen

    def on_release(self) -> None:
        if self._item is not None:
            self._files.tapped(self._item)


class FileBrowser(BoxLayout):
    """folder: where it is. chosen: paths, in the order in which they were touched. sounds: recordings in this folder.
    words: why nothing is to be seen. unpitched: what is imported is a drum or a noise."""

    page: "InstrumentsPage" = ObjectProperty(None)
    folder = StringProperty("")
    folder_words = StringProperty("")
    words = StringProperty("")
    n_chosen = NumericProperty(0)
    sounds = NumericProperty(0)
    unpitched = BooleanProperty(False)

    def __init__(self, page: "InstrumentsPage", **values: object) -> None:
        self.list = List(lambda: FileRow(self))
        self.chosen: dict[str, Item] = {}
        self._home = Path.home()
        self._asked = 0
        super().__init__(page=page, **values)
        self.ids.list_place.add_widget(self.list)
        page.app.bind(sizes=self._resized)
        self._resized()

    def entered(self) -> None:
        """Places are looked for anew: a stick may have been plugged in."""
        row = self.ids.places
        row.clear_widgets()
        for place in places(self._home):
            words = text(place.key) if place.key else short(place.name, 20)
            chip = Factory.Chip(icon="folder", text=words, font_name=font_for(words))
            chip.bind(on_release=lambda _, path=place.path: self.go(path))
            row.add_widget(chip)
        self.go(self.folder or str(self._home))

    def left(self) -> None:
        """Nothing is chosen any more."""
        self.chosen = {}
        self.n_chosen = 0

    def go(self, folder: str) -> None:
        """Into another folder; it is read in a thread, since a stick may take seconds."""
        if folder != self.folder:
            self.left()
        self.folder = folder
        self.folder_words = shown(folder)
        self.list.items, self.sounds, self.words = [], 0, text("instruments.reading")
        self._asked += 1
        work = partial(self._read, self._asked, folder)
        threading.Thread(target=work, name="reading a folder", daemon=True).start()

    def up(self) -> None:
        """Into the folder that this one is in."""
        self.go(os.path.dirname(self.folder) or "/")  # noqa: PTH120  (any bytes)

    def tapped(self, item: Item) -> None:
        """Into a folder; a file is chosen, or no longer."""
        if item.kind is Kind.FOLDER:
            self.go(item.path)
        elif not item.sayable:
            self.page.app.mirror.say(text("instruments.no_text", name=short(item.name, 60)), "warning")
        else:
            if self.chosen.pop(item.path, None) is None:
                self.chosen[item.path] = item
            self.n_chosen = len(self.chosen)
            self.list.refresh()

    def add_together(self) -> None:
        """What is chosen becomes one instrument."""
        self._add([list(self.chosen)])

    def add_each(self) -> None:
        """What is chosen becomes as many instruments."""
        self._add([[path] for path in self.chosen])

    def add_folder(self) -> None:
        """All recordings of this folder become one instrument."""
        if is_sayable(self.folder):
            self._add([[self.folder]])
        else:
            self.page.app.mirror.say(text("instruments.no_text", name=short(self.folder_words, 60)), "warning")

    def _add(self, instruments: list[list[str]]) -> None:
        for paths in instruments:
            self.page.import_files(paths=paths, **({"unpitched": True} if self.unpitched else {}))
        self.page.show_view("imports")

    def _read(self, number: int, folder: str) -> None:
        """In a thread."""
        listing = read_folder(folder)
        Clock.schedule_once(lambda _: self._take(number, listing))

    def _take(self, number: int, listing: Listing) -> None:
        if number != self._asked:
            return
        self.list.items, self.sounds = list(listing.items), listing.sounds
        self.list.to_top()
        self.words = text(listing.trouble[0], words=listing.trouble[1]) if listing.trouble else ""

    def _resized(self, *_: Any) -> None:
        sizes = self.page.app.sizes
        self.list.row_height, self.list.bar_width = sizes.mm(ROW_MM), sizes.mm(1.5)
