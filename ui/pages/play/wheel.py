"""A corner's instruments as a wheel, spun by a finger: favourites first, then the family that is there, then the rest.

Only the rows that can be seen exist; five thousand instruments cost as much as fifty.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.lang import Builder
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.widget import Widget

from ui.fonts import font_for, short
from ui.mirror import CORNER_NAMES
from ui.pages.play.touches import FLICK_WINDOW_S, TAP_MM, approach
from ui.texts import text

Instrument = Mapping[str, Any]
ROW_MM = 9.5
LONGEST_NAME = 28
SPIN_S, LEAST_ROWS_S = 0.28, 1.5
"""Friction of the wheel, and the speed below which it goes to the nearest row."""
REST_ROWS = 0.01
BULGE = 0.16
"""How far the ends of the wheel stand back, of its width."""


def ordered(instruments: Iterable[Instrument], family: str) -> list[Instrument]:
    """Favourites, then the family's, then all others; each by what they are called. What has no name is left out."""

    def place(one: Instrument) -> tuple[int, str, str]:
        group = 0 if one.get("favourite") is True else 1 if one.get("family") == family else 2
        return group, shown_name(one).casefold(), str(one["name"])

    return sorted((one for one in instruments if isinstance(one.get("name"), str) and one["name"]), key=place)


def shown_name(one: Instrument) -> str:
    """What people call an instrument."""
    called = one.get("display_name")
    return called if isinstance(called, str) and called else str(one.get("name", ""))


class WheelRow(BoxLayout):
    """One instrument on the wheel. near: 1 in the middle, 0 at the ends."""

    name = StringProperty("")
    name_font = StringProperty("Roboto")
    family = StringProperty("")
    favourite = BooleanProperty(False)
    chosen = BooleanProperty(False)
    near = NumericProperty(1.0)

    def show(self, one: Instrument, chosen: bool) -> None:
        """Another instrument, or the same."""
        name = shown_name(one)
        self.name, self.name_font = short(name, LONGEST_NAME), font_for(name)
        self.family, self.favourite = str(one.get("family", "")), one.get("favourite") is True
        self.chosen = chosen


class WheelFace(Widget):
    """The wheel itself. items: instruments; chosen: name of one; turned: how many rows it is turned; it goes round
    where there are more instruments than rows.
    Event: `on_choice(name)`."""

    __events__ = ("on_choice",)

    items: list[Instrument] = ListProperty([])
    chosen = StringProperty("")
    turned = NumericProperty(0.0)
    west = BooleanProperty(True)

    def __init__(self, clock: Callable[[], float] = time.monotonic, **values: Any) -> None:
        super().__init__(**values)
        self._clock = clock
        self._sizes = App.get_running_app().sizes
        self._rows: list[WheelRow] = []
        self._way: list[tuple[float, float]] = []
        self._grabbed_at = 0.0
        self._spin: tuple[float, float, float] | None = None  # from, to (rows), since (s)
        self._frames: Any = None
        self._place = Clock.create_trigger(lambda _: self._place_rows(), -1)
        self.bind(pos=self._place, size=self._place, items=self._place, chosen=self._place, turned=self._place)

    def turn_to(self, name: str) -> None:
        """The instrument of that name comes to the middle, if there is one."""
        self.turned = next((i for i, one in enumerate(self.items) if one["name"] == name), 0)

    def stop(self) -> None:
        """It moves no more."""
        self._spin = None
        if self._frames is not None:
            self._frames.cancel()
            self._frames = None

    @property
    def row_px(self) -> float:
        return float(self._sizes.mm(ROW_MM))

    def on_touch_down(self, touch: Any) -> bool:
        if not self.collide_point(*touch.pos) or not self.items:
            return False
        if touch.is_mouse_scrolling:
            step = 1.0 if touch.button == "scrollup" else -1.0
            self._go(self.turned, self._held(round(self.turned) + step))
            return True
        touch.grab(self)
        self.stop()
        self._grabbed_at = self.turned
        self._way = [(self._clock(), touch.y)]
        return True

    def on_touch_move(self, touch: Any) -> bool:
        if touch.grab_current is not self:
            return False
        self._way = [*self._way[-30:], (self._clock(), touch.y)]
        self.turned = self._held(self._grabbed_at + (touch.y - touch.oy) / self.row_px)
        return True

    def on_touch_up(self, touch: Any) -> bool:
        if touch.grab_current is not self:
            return False
        touch.ungrab(self)
        if abs(touch.y - touch.oy) <= self._sizes.mm(TAP_MM):
            self._tapped(touch.y)
            return True
        now_s = self._clock()
        recent = [one for one in self._way if now_s - one[0] <= FLICK_WINDOW_S]
        speed = 0.0
        if len(recent) > 1:
            speed = (touch.y - recent[0][1]) / self.row_px / max(now_s - recent[0][0], 1e-3)
        ahead = speed * SPIN_S if abs(speed) > LEAST_ROWS_S else 0.0
        self._go(self.turned, self._held(round(self.turned + ahead)))
        return True

    def on_choice(self, name: str) -> None:
        """For those who bind to it."""

    def _tapped(self, y_px: float) -> None:
        number = round(self.turned + (self.center_y - y_px) / self.row_px)
        if self._round or 0 <= number < len(self.items):
            self._go(self.turned, float(number))
            self.dispatch("on_choice", str(self.items[number % len(self.items)]["name"]))

    @property
    def _round(self) -> bool:
        """It goes round and round: there are more instruments than rows."""
        return len(self.items) > self._most_rows

    @property
    def _most_rows(self) -> int:
        return int(self.height / self.row_px) + 2

    def _held(self, turned: float) -> float:
        return turned if self._round else min(max(turned, 0.0), max(len(self.items) - 1.0, 0.0))

    def _go(self, start: float, target: float) -> None:
        self._spin = (start, target, self._clock())
        if self._frames is None:
            self._frames = Clock.schedule_interval(self._step, 0)

    def _step(self, _: float) -> None:
        if self._spin is None:
            self.stop()
            return
        start, target, since_s = self._spin
        self.turned = approach(start, target, SPIN_S, self._clock() - since_s)
        if abs(self.turned - target) < REST_ROWS:
            self.turned = target % max(len(self.items), 1)
            self.stop()

    def _place_rows(self) -> None:
        """The rows that are seen, from above to below, on the rim of a wheel whose hub lies beside the screen."""
        n_shown = min(self._most_rows, len(self.items))
        while len(self._rows) < n_shown:
            self._rows.append(WheelRow())
            self.add_widget(self._rows[-1])
        while len(self._rows) > n_shown:
            self.remove_widget(self._rows.pop())
        first = round(self.turned) - n_shown // 2
        if not self._round:
            first = 0
        for row, number in zip(self._rows, range(first, first + n_shown), strict=True):
            one = self.items[number % len(self.items)]
            row.show(one, one["name"] == self.chosen)
            away = number - self.turned
            share = min(abs(away) * self.row_px / max(self.height / 2.0, 1.0), 1.0)
            back = BULGE * self.width * (1.0 - (1.0 - share * share) ** 0.5)
            row.size = self.width * (1.0 - BULGE), self.row_px
            row.x = self.x + (self.width * BULGE - back if self.west else back)
            row.center_y = self.center_y - away * self.row_px
            inside = row.y >= self.y - 0.5 * self.row_px and row.top <= self.top + 0.5 * self.row_px
            row.near = 1.0 - share
            row.opacity = (1.0 - 0.75 * share) if inside else 0.0


class Wheel(FloatLayout):
    """`Wheel("nw").open()`: above the page until it is closed, or a finger comes down beside it.

    details: called with the corner's name by the button of that name.
    """

    corner = StringProperty("nw")
    number = NumericProperty(0)
    west = BooleanProperty(True)
    title = StringProperty("")
    title_font = StringProperty("Roboto")
    empty = BooleanProperty(False)
    details = ObjectProperty(None, allownone=True)

    def __init__(self, corner: str, **values: Any) -> None:
        super().__init__(corner=corner, number=CORNER_NAMES.index(corner), west=corner.endswith("w"), **values)
        self._app = App.get_running_app()
        self._mirror = self._app.mirror
        self._fill()
        self.ids.spinner.turn_to(self._mirror.corners[corner]["instrument"])
        self._show()

    def open(self) -> "Wheel":
        """Above the page, from now on."""
        self._mirror.bind(instruments=self._fill, corners=self._show)
        self._app.lists.want("instruments")
        self._app.root.add_widget(self)
        return self

    def close(self) -> None:
        """It is gone; closing twice does nothing."""
        if self.parent is None:
            return
        self.ids.spinner.stop()
        self._mirror.unbind(instruments=self._fill, corners=self._show)
        self.parent.remove_widget(self)

    def choose(self, name: str) -> None:
        """That instrument comes into the corner; until it is there the title says so."""
        self.ids.spinner.chosen = name
        self._app.link.ask("corner", corner=self.corner, instrument=name, failed=self._refused)

    def show_details(self) -> None:
        self.close()
        if self.details is not None:
            self.details(self.corner)

    def show_instruments(self) -> None:
        self.close()
        self._app.root.show("instruments")

    def on_touch_down(self, touch: Any) -> bool:
        if not super().on_touch_down(touch) and not self.ids.panel.collide_point(*touch.pos):
            self.close()
        return True

    def on_touch_move(self, touch: Any) -> bool:
        super().on_touch_move(touch)
        return True

    def on_touch_up(self, touch: Any) -> bool:
        super().on_touch_up(touch)
        return True

    def _refused(self, words: str) -> None:
        self._mirror.say(words, "warning")
        self._show()

    def _fill(self, *_: object) -> None:
        spinner = self.ids.spinner
        n_before = len(spinner.items)
        spinner.items = ordered(self._mirror.instruments, self._mirror.corners[self.corner]["family"])
        self.empty = not spinner.items
        if not n_before:
            spinner.turn_to(self._mirror.corners[self.corner]["instrument"])

    def _show(self, *_: object) -> None:
        there = self._mirror.corners[self.corner]
        name = short(there["display_name"] or there["instrument"] or text("corner.empty"), LONGEST_NAME)
        values = {"corner": text(f"corner.{self.corner}"), "name": name}
        wanted = there["wanted"]
        self.ids.spinner.chosen = wanted or there["instrument"]
        if wanted:
            self.title = text("play.corner_wanted", wanted=short(wanted, LONGEST_NAME), **values)
        else:
            self.title = text("play.corner", **values)
        self.title_font = font_for(self.title)


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
