"""The library: filters, the list, and beside or above it what is known of the selected instrument."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kivy.clock import Clock
from kivy.lang import Builder
from kivy.properties import BooleanProperty, ListProperty, ObjectProperty, OptionProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout

from ui.fonts import font_for, short
from ui.mirror import CORNER_NAMES
from ui.pages.instruments.detail import Detail
from ui.pages.instruments.search import Entry, Wanted
from ui.texts import text
from ui.widgets.list import List

if TYPE_CHECKING:
    from ui.pages.instruments.page import InstrumentsPage

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

LONGEST_TITLE = 60
ROW_MM = 10.5
BESIDE_MM, ABOVE_MM = 105.0, 105.0
"""From this width on the details stand beside the list, from this height on above it; else instead of it."""


def family_text(family: str) -> str:
    """A family as people say it; what an engine of another version has, as it comes."""
    return family.replace("_", " ")


class InstrumentRow(ButtonBehavior, BoxLayout):
    """One instrument of the list."""

    title = StringProperty("")
    title_font = StringProperty("Roboto")
    about = StringProperty("")
    about_font = StringProperty("Roboto")
    favourite = BooleanProperty(False)
    selected = BooleanProperty(False)
    corners = ListProperty(["", "", "", ""])

    def __init__(self, browser: "Browser", **values: object) -> None:
        super().__init__(**values)
        self._browser = browser
        self._entry: Entry | None = None

    def show(self, entry: Entry) -> None:
        """It stands for this instrument now."""
        self._entry = entry
        page = self._browser.page
        self.title, self.title_font = short(entry.title, LONGEST_TITLE), font_for(entry.title)
        whose = "instruments.shipped" if entry.shipped else "instruments.of_yours"
        about = short(" · ".join((family_text(entry.family), text(whose), *entry.tags)), LONGEST_TITLE)
        self.about, self.about_font = about, font_for(about)
        self.favourite, self.selected = entry.favourite, page.selected == entry.name
        held = page.app.mirror.corners
        self.corners = [name if held[name]["instrument"] == entry.name else "" for name in CORNER_NAMES]

    def on_release(self) -> None:
        if self._entry is not None:
            self._browser.tapped(self._entry)

    def favour(self) -> None:
        """Its star was touched."""
        if self._entry is not None:
            self._browser.page.favour(self._entry)

    def listen(self) -> None:
        """Its loudspeaker was touched."""
        if self._entry is not None:
            self._browser.page.listen(self._entry.name)


class Browser(BoxLayout):
    """place: where the details are: "beside" the list, "above" it, or "instead" of it. wanted: the filter."""

    page: "InstrumentsPage" = ObjectProperty(None)
    place = OptionProperty("beside", options=["beside", "above", "instead"])
    wanted = ObjectProperty(Wanted())
    empty_words = StringProperty("")

    def __init__(self, page: "InstrumentsPage", **values: object) -> None:
        self.list = List(lambda: InstrumentRow(self))
        self.detail = Detail(page)
        super().__init__(page=page, **values)
        self.ids.list_place.add_widget(self.list)
        page.app.bind(sizes=self._resized)
        self._resized()
        self._chips: list[tuple[Any, Wanted]] = []
        self._find = Clock.create_trigger(self._filter, -1)
        self._stand = Clock.create_trigger(self._arrange, -1)
        self.bind(size=self._stand, wanted=self._refound)
        page.bind(index=self._index_changed, selected=self._selected)
        page.app.mirror.bind(corners=self.list.refresh)
        page.app.mirror.bind(connection=self._find)
        self._index_changed()
        self._stand()

    def entered(self) -> None:
        self.list.refresh()

    def left(self) -> None:
        self.ids.search.rest()

    def tapped(self, entry: Entry) -> None:
        """A row was touched; the selected one's again: it is no longer."""
        self.ids.search.rest()
        self.page.selected = "" if self.page.selected == entry.name else entry.name

    def look_for(self, words: str) -> None:
        """The search field has other words."""
        self.wanted = self.wanted._replace(words=words)

    def choose(self, chip: Wanted) -> None:
        """A chip was touched: its filter is added, or taken away where it counted already."""
        now = self.wanted
        if chip.family:
            self.wanted = now._replace(family="" if now.family == chip.family else chip.family)
        elif chip.tag:
            self.wanted = now._replace(tag="" if now.tag == chip.tag else chip.tag)
        elif chip.favourites:
            self.wanted = now._replace(favourites=not now.favourites)
        elif chip.own:
            self.wanted = now._replace(own=not now.own)
        else:
            self.wanted = Wanted(words=now.words)

    def _refound(self, *_: object) -> None:
        self.list.to_top()
        self._find()

    def _index_changed(self, *_: object) -> None:
        self._make_chips()
        self._find()

    def _selected(self, *_: object) -> None:
        self.list.refresh()
        self._stand()

    def _filter(self, _: float) -> None:
        index, mirror = self.page.index, self.page.app.mirror
        self.list.items = index.find(self.wanted)
        if self.list.items:
            self.empty_words = ""
        elif index.entries:
            self.empty_words = text("instruments.none_found")
        elif mirror.connection == "connected":
            self.empty_words = text("instruments.none")
        else:
            self.empty_words = text("instruments.no_engine")
        self._mark_chips()

    def _make_chips(self) -> None:
        from kivy.factory import Factory

        index = self.page.index
        chips = [
            (Wanted(), "", text("instruments.all")),
            (Wanted(favourites=True), "starred", text("instruments.favourites")),
            (Wanted(own=True), "", text("instruments.own")),
            *((Wanted(family=family), "", family_text(family)) for family in index.families()),
            *((Wanted(tag=tag), "tag", short(tag, 20)) for tag in index.tags()),
        ]
        if [chip for chip, _, _ in chips] == [chip for _, chip in self._chips]:
            return
        row = self.ids.chips
        row.clear_widgets()
        self._chips = []
        for chip, icon, words in chips:
            button = Factory.Chip(icon=icon, text=words, font_name=font_for(words))
            button.bind(on_release=lambda _, chip=chip: self.choose(chip))
            row.add_widget(button)
            self._chips.append((button, chip))

    def _mark_chips(self) -> None:
        now = self.wanted
        for button, chip in self._chips:
            if chip == Wanted():
                button.active = now == Wanted(words=now.words)
            else:
                button.active = all(not value or value == getattr(now, name) for name, value in chip._asdict().items())

    def _resized(self, *_: object) -> None:
        sizes = self.page.app.sizes
        self.list.row_height, self.list.bar_width = sizes.mm(ROW_MM), sizes.mm(1.5)

    def _arrange(self, _: float) -> None:
        """Where list and details stand."""
        sizes, selected = self.page.app.sizes, bool(self.page.selected)
        if sizes.wide and self.width >= sizes.mm(BESIDE_MM):
            self.place = "beside"
        else:
            self.place = "above" if not sizes.wide and self.height >= sizes.mm(ABOVE_MM) else "instead"
        body = self.ids.body
        hidden = self.place == "instead" and selected
        wanted = [
            *([self.detail] if self.place != "beside" and selected else []),
            *([] if hidden else [self.ids.found]),
            *([self.detail] if self.place == "beside" and selected else []),
        ]
        if body.children[::-1] != wanted:
            body.clear_widgets()
            for part in wanted:
                body.add_widget(part)
        bar = self.ids.filters
        bar.height, bar.opacity, bar.disabled = (0, 0, True) if hidden else (bar.minimum_height, 1, False)
        self.detail.size_hint = (0.85, 1) if self.place == "beside" else (1, 1)
