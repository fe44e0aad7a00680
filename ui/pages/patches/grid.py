"""The grid: pages of tiles that turn by a swipe. It holds only the tiles that are seen, however large the bank is."""

from kivy.app import App
from kivy.properties import BooleanProperty, ListProperty, NumericProperty
from kivy.uix.gridlayout import GridLayout

from ui.pages.patches.choice import Row, n_pages, page_of
from ui.pages.patches.tile import Tile

TILE_MM = (34.0, 15.0)
"""The least of a tile: a name of twelve letters at arm's length, and twice what a finger needs."""
SWIPE_MM = 12.0
MOST_COLUMNS, MOST_ROWS = 6, 6


class PatchGrid(GridLayout):
    """rows_shown: the patches, filtered. page: which page is shown, from 0. loaded: number of the patch that sounds, -1
    for none; edited: it was changed. waiting: number of the patch on its way, or -1.

    Events: `on_load(row)` for a touch, `on_details(row)` for a long one.
    """

    __events__ = ("on_load", "on_details")

    rows_shown: list[Row] = ListProperty([])
    page = NumericProperty(0)
    pages = NumericProperty(1)
    loaded = NumericProperty(-1)
    waiting = NumericProperty(-1)
    edited = BooleanProperty(False)

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self.bind(size=self._arrange, rows_shown=self._fill, page=self._fill)
        self.bind(loaded=self._mark, waiting=self._mark, edited=self._mark)
        App.get_running_app().bind(sizes=self._arrange)
        self._arrange()

    def turn(self, by: int) -> None:
        """To another page; the first comes after the last."""
        self.page = (self.page + by) % self.pages

    def show(self, number: int) -> bool:
        """Turn to the page of a patch. False where it is not among those shown."""
        page = page_of(self.rows_shown, number, len(self.children))
        if page is not None:
            self.page = page
        return page is not None

    def _arrange(self, *_: object) -> None:
        """As many tiles as there is room for; the patch that came first on the page stays on it."""
        sizes = App.get_running_app().sizes
        wide, high = (sizes.mm(length) for length in TILE_MM)
        columns = int(min(max((self.width + sizes.gap) // (wide + sizes.gap), 1), MOST_COLUMNS))
        rows = int(min(max((self.height + sizes.gap) // (high + sizes.gap), 1), MOST_ROWS))
        if self.cols == columns and len(self.children) == columns * rows:
            return
        first = self.page * len(self.children)
        self.clear_widgets()
        self.cols = columns
        for _ in range(columns * rows):
            tile = Tile()
            tile.bind(
                on_release=lambda touched: self.dispatch("on_load", touched.row),
                on_long_press=lambda touched: self.dispatch("on_details", touched.row),
            )
            self.add_widget(tile)
        self.pages = n_pages(self.rows_shown, columns * rows)
        self.page = min(first // (columns * rows), self.pages - 1)
        self._fill()

    def _fill(self, *_: object) -> None:
        tiles = self.children[::-1]
        self.pages = n_pages(self.rows_shown, len(tiles))
        if self.page >= self.pages:
            self.page = self.pages - 1  # fills anew
            return
        start = int(self.page) * len(tiles)
        for place, tile in enumerate(tiles):
            index = start + place
            tile.row = self.rows_shown[index] if index < len(self.rows_shown) else None
        self._mark()

    def _mark(self, *_: object) -> None:
        for tile in self.children:
            number = -1 if tile.row is None else tile.row.number
            tile.loaded = number >= 0 and number == self.loaded
            tile.waiting = number >= 0 and number == self.waiting
            tile.edited = self.edited

    def on_touch_down(self, touch) -> bool:  # type: ignore[no-untyped-def]
        if not self.collide_point(*touch.pos):
            return False
        if touch.is_mouse_scrolling:
            self.turn(1 if touch.button == "scrollup" else -1)
            return True
        super().on_touch_down(touch)
        touch.grab(self)
        return True

    def on_touch_move(self, touch) -> bool:  # type: ignore[no-untyped-def]
        if touch.grab_current is not self:
            return super().on_touch_move(touch)
        sizes, moved_px = App.get_running_app().sizes, touch.x - touch.ox
        if abs(moved_px) > sizes.mm(SWIPE_MM) and abs(moved_px) > 2 * abs(touch.y - touch.oy):
            touch.ungrab(self)
            for tile in self.children:
                tile.pressed = False  # the finger turned the page, it touched no patch
            self.turn(1 if moved_px < 0 else -1)
        return True

    def on_load(self, row: Row) -> None:
        """For those who bind to it."""

    def on_details(self, row: Row) -> None:
        """For those who bind to it."""
