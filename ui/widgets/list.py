"""A list of thousands of rows of one height, of which only those in sight are widgets.

Kivy's RecycleView looks at all its data whenever any of it changes; here a change costs what is in sight.
"""

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any, Protocol

from kivy.clock import Clock
from kivy.properties import NumericProperty, ObjectProperty
from kivy.uix.scrollview import ScrollView
from kivy.uix.widget import Widget

_OUT_OF_SIGHT = -100_000.0


class Row(Protocol):
    """A widget for one item at a time."""

    pos: tuple[float, float]
    size: tuple[float, float]
    disabled: bool

    def show(self, item: Any) -> None:
        """From now on it stands for this one."""


def rows_in_sight(n_items: int, row_px: float, view_px: float, scroll_y: float) -> range:
    """Which rows a view of that height shows. scroll_y: 1 at the top, 0 at the end, as Kivy has it."""
    if n_items == 0 or row_px <= 0:
        return range(0)
    hidden_px = max(n_items * row_px - view_px, 0.0)
    above_px = min(max(1.0 - scroll_y, 0.0), 1.0) * hidden_px
    first = min(int(above_px / row_px), n_items - 1)
    return range(first, min(first + ceil(view_px / row_px) + 1, n_items))


class List(ScrollView):
    """`make_row` makes a row; `items` are what rows are shown: give it a new list, don't change the one it has."""

    row_height = NumericProperty(48.0)
    items: Sequence[Any] = ObjectProperty([])

    def __init__(self, make_row: Callable[[], Any], **values: Any) -> None:
        self._make_row = make_row
        self._rows: list[Any] = []
        self._shown: list[int] = []
        super().__init__(do_scroll_x=False, scroll_timeout=250, scroll_type=["bars", "content"], **values)
        self._field = Widget(size_hint=(1, None), height=0)
        self.add_widget(self._field)
        self._place = Clock.create_trigger(self._lay, -1)
        self._anew = True
        self.bind(scroll_y=self._place, size=self.refresh, row_height=self.refresh, items=self.refresh)
        self._field.bind(width=self.refresh)

    def refresh(self, *_: object) -> None:
        """Before the next frame every row in sight shows its item anew."""
        self._anew = True
        self._place()

    def to_top(self) -> None:
        """The first row is in sight."""
        self.scroll_y = 1.0
        self._place()

    def reveal(self, index: int) -> None:
        """That row is in sight, in the middle where it can be."""
        hidden_px = len(self.items) * self.row_height - self.height
        if hidden_px > 0:
            above_px = (index + 0.5) * self.row_height - self.height / 2.0
            self.scroll_y = 1.0 - min(max(above_px / hidden_px, 0.0), 1.0)

    @property
    def rows(self) -> list[Any]:
        """The widgets of the items in sight, from the top."""
        shown = [(index, row) for index, row in zip(self._shown, self._rows, strict=True) if index >= 0]
        return [row for _, row in sorted(shown, key=lambda one: one[0])]

    def _lay(self, _: float) -> None:
        height = len(self.items) * self.row_height
        if self._field.height != height:
            self._field.height = height
        needed = ceil(self.height / self.row_height) + 1
        while len(self._rows) < needed:
            self._rows.append(self._make_row())
            self._shown.append(-1)
            self._field.add_widget(self._rows[-1])
        sight = rows_in_sight(len(self.items), self.row_height, self.height, self.scroll_y)
        free = {index % len(self._rows): index for index in sight}
        for slot, row in enumerate(self._rows):
            index = free.get(slot, -1)
            if index == self._shown[slot] and not self._anew:
                continue
            self._shown[slot] = index
            row.disabled = index < 0
            row.size = self._field.width, self.row_height
            row.pos = self._field.x, (height - (index + 1) * self.row_height if index >= 0 else _OUT_OF_SIGHT)
            if index >= 0:
                row.show(self.items[index])
        self._anew = False
