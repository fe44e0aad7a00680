"""A fader: drag anywhere on it, and the value follows from where it was."""

from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.lang import Builder
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty

from ui.widgets.fine_drag import FineDrag
from ui.widgets.parameter_cell import ParameterCell
from ui.widgets.setting import Setting

REST_S = 0.8
"""A finger that rests so long in the middle of a drag wants to aim."""

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


class Fader(ParameterCell):
    """One parameter of continuous values.

    Dragged along; ten times finer while the finger is more than 14 mm above or below where it came down, or after it
    rested for 0.8 s (`fine`, which is shown). Double tap: the default, which has a mark. Long press: the menu.
    scroller: the ScrollView that it lies in, or None; moving across first scrolls that.
    """

    travel = NumericProperty(0.0)
    default_travel = NumericProperty(0.0)
    zero_travel = NumericProperty(0.0)
    fine = BooleanProperty(False)
    track_x = NumericProperty(0.0)
    track_y = NumericProperty(0.0)
    track_width = NumericProperty(1.0)
    track_height = NumericProperty(2.0)
    scroller: Any = ObjectProperty(None, allownone=True)

    def __init__(self, setting: Setting, **values: Any) -> None:
        self._drag: FineDrag | None = None
        self._rest = Clock.create_trigger(self._rested, REST_S)
        parameter = setting.parameter
        super().__init__(setting, **values)
        self.default_travel = parameter.to_travel(parameter.default)
        # What can go both ways is drawn from its middle, the rest from the left.
        self.zero_travel = parameter.to_travel(0.0) if parameter.minimum == -parameter.maximum else 0.0

    def on_touch_down(self, touch) -> bool:  # type: ignore[no-untyped-def]
        taken = super().on_touch_down(touch)
        if touch is self._held_by:
            self.setting.hold()
            if touch.is_double_tap:
                self.no_long_press()
                self.setting.wish(self.setting.parameter.default)
            per_mm = App.get_running_app().sizes.px_per_mm
            length_mm = max(self.width, 1.0) / per_mm
            self._drag = FineDrag(
                self.setting.travel, touch.x / per_mm, touch.y / per_mm, length_mm, self._can_scroll()
            )
        return taken

    def on_touch_move(self, touch) -> bool:  # type: ignore[no-untyped-def]
        drag = self._drag
        if touch.grab_current is not self or touch is not self._held_by or drag is None:
            return bool(super().on_touch_move(touch))
        per_mm, before = App.get_running_app().sizes.px_per_mm, drag.travel
        if drag.move(touch.x / per_mm, touch.y / per_mm):
            self.no_long_press()
            self._rest.cancel()
            self._rest()
        if drag.state == "scrolling":
            self._scroll(touch.dy)
        elif drag.travel != before:
            self.setting.wish(self.setting.parameter.from_travel(drag.travel))
        self.fine = drag.fine
        return True

    def forget_finger(self) -> None:
        if self._held_by is not None:
            self.setting.let_go()
        self._rest.cancel()
        self._drag, self.fine = None, False
        super().forget_finger()

    def _rested(self, _: float) -> None:
        if self._drag is not None:
            self._drag.rest()
            self.fine = self._drag.fine

    def _can_scroll(self) -> bool:
        scroller = self.scroller
        return scroller is not None and bool(scroller.children) and scroller.children[0].height > scroller.height

    def _scroll(self, dy_px: float) -> None:
        hidden_px = self.scroller.children[0].height - self.scroller.height
        if hidden_px > 0.0:
            self.scroller.scroll_y = min(max(self.scroller.scroll_y - dy_px / hidden_px, 0.0), 1.0)

    def _show(self, *_: Any) -> None:
        super()._show()
        self.travel = self.setting.travel
