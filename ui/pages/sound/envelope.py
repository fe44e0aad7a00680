"""The envelope as a curve with handles: each is dragged by a finger of its own."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.lang import Builder
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, StringProperty
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.widget import Widget

from ui.pages.sound.envelope_shape import MOVES, EnvelopeShape
from ui.texts import text
from ui.values import name_words, value_words
from ui.widgets.setting import Setting

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


class Handle(Widget):
    """name: of envelope_shape.HANDLES. letter: what it is, on it. disc: its diameter. stem_*: ends of the line that
    ties it to the curve."""

    name = StringProperty("")
    letter = StringProperty("")
    held = BooleanProperty(False)
    disc = NumericProperty(1.0)
    stem_top = NumericProperty(0.0)
    stem_bottom = NumericProperty(0.0)


class EnvelopeCurve(FloatLayout):
    """settings: by the parameters' names; those of envelope_shape.NEEDED must be there.

    curve_points, ground: the curve, and what lies below it as a mesh's vertices. words: what the fingers change.
    """

    curve_points = ListProperty([])
    ground = ListProperty([])
    ground_indices = ListProperty([])
    lane = ListProperty([0.0, 0.0, 0.0])
    key_up = NumericProperty(0.0)
    low = NumericProperty(0.0)
    high = NumericProperty(0.0)
    words = StringProperty("")

    def __init__(self, settings: Mapping[str, Setting], **values: Any) -> None:
        self._settings = settings
        self._held: dict[Any, tuple[Handle, float, float]] = {}
        super().__init__(**values)
        names = self.shape().handles
        self.handles = {name: Handle(name=name, letter=text(f"sound.handle.{name}")) for name in names}
        for handle in self.handles.values():
            self.add_widget(handle)
        self._redraw = Clock.create_trigger(self._draw, -1)
        for setting in settings.values():
            setting.bind(value=self._later)
        self.bind(pos=self._later, size=self._later)
        self._draw()

    def _later(self, *_: Any) -> None:
        """Several values move in one frame; the curve is computed once."""
        self._redraw()

    def shape(self) -> EnvelopeShape:
        """As it is drawn now."""
        parameters = {name: setting.parameter for name, setting in self._settings.items()}
        return EnvelopeShape(self.x, self.y, self.width, self.height, App.get_running_app().sizes.touch, parameters)

    @property
    def values(self) -> dict[str, float]:
        """Of the parameters, as they are shown."""
        return {name: setting.value for name, setting in self._settings.items()}

    def _draw(self, *_: Any) -> None:
        shape, values = self.shape(), self.values
        self.key_up, self.low, self.high = shape.key_up, shape.low, shape.high
        self.lane = [*shape.start_lane, shape.bottom + shape.touch / 2.0] if "position" in shape.handles else [0, 0, 0]
        points = shape.curve(values)
        self.curve_points = [number for point in points for number in point]
        self.ground = [number for x, y in points for number in (x, y, 0, 0, x, shape.low, 0, 0)]
        self.ground_indices = list(range(2 * len(points)))
        for name, handle in self.handles.items():
            x, y = shape.place(name, values)
            handle.size = shape.touch, shape.touch
            handle.center = x, y
            if name == "attack":
                handle.stem_top, handle.stem_bottom = y, shape.high
            elif name == "release":
                handle.stem_top, handle.stem_bottom = shape.low, y
            else:
                handle.stem_top = handle.stem_bottom = y

    def _nearest(self, x: float, y: float) -> Handle | None:
        """The handle under a finger."""
        near = min(self.handles.values(), key=lambda handle: math.dist(handle.center, (x, y)))
        reach = App.get_running_app().sizes.touch * 0.75
        return near if math.dist(near.center, (x, y)) <= reach else None

    def on_touch_down(self, touch) -> bool:  # type: ignore[no-untyped-def]
        if touch.is_mouse_scrolling or not self.collide_point(*touch.pos):
            return False
        handle = self._nearest(*touch.pos)
        if handle is None:
            return True
        # The newest finger counts: the one before may never end.
        for before in [held for held, (other, _, _) in self._held.items() if other is handle]:
            self._release(before)
        touch.grab(self)
        handle.held = True
        self._held[touch] = handle, handle.center_x - touch.x, handle.center_y - touch.y
        for name in MOVES[handle.name]:
            self._settings[name].hold()
            if touch.is_double_tap:
                self._settings[name].wish(self._settings[name].parameter.default)
        self._say()
        return True

    def on_touch_move(self, touch) -> bool:  # type: ignore[no-untyped-def]
        if touch.grab_current is not self or touch not in self._held:
            return False
        if touch.is_double_tap:  # the default must not be dragged away by a finger that rolls
            return True
        handle, right, up = self._held[touch]
        wanted = self.shape().values_at(handle.name, touch.x + right, touch.y + up, self.values)
        for name, value in wanted.items():
            self._settings[name].wish(value)
        self._say()
        return True

    def on_touch_up(self, touch) -> bool:  # type: ignore[no-untyped-def]
        if touch.grab_current is not self:
            return False
        touch.ungrab(self)
        if touch in self._held:
            self._release(touch)
        self._say()
        return True

    def _release(self, touch: Any) -> None:
        handle, _, _ = self._held.pop(touch)
        handle.held = False
        for name in MOVES[handle.name]:
            self._settings[name].let_go()

    def _say(self) -> None:
        names = [name for handle, _, _ in self._held.values() for name in MOVES[handle.name]]
        self.words = "   ".join(
            f"{name_words(name)} {value_words(self._settings[name].parameter, self._settings[name].value)}"
            for name in names
        )
