"""One group of parameters: its faders in columns, and the envelope's curve beside or above its own."""

import math
from collections.abc import Mapping
from typing import Any

from kivy.app import App
from kivy.factory import Factory
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.gridlayout import GridLayout

from ui.pages.sound.envelope import EnvelopeCurve
from ui.pages.sound.envelope_shape import NEEDED
from ui.pages.sound.groups import CURVE_MM, TITLE_MM
from ui.texts import text
from ui.widgets.choice import widget_for
from ui.widgets.fader import Fader
from ui.widgets.parameter_cell import ParameterCell
from ui.widgets.setting import Setting

TALLEST_MM = 13.0
"""Of a row: a taller fader is no easier to hit."""


class GroupPanel(BoxLayout):
    """settings: the group's parameters. height_px: what there is; it becomes higher where that is too little.

    cells: parameter -> its widget.
    """

    def __init__(
        self,
        name: str,
        settings: Mapping[str, Setting],
        *,
        columns: int,
        titled: bool,
        height_px: float,
        scroller: Any,
    ) -> None:
        sizes = App.get_running_app().sizes
        super().__init__(orientation="vertical", spacing=sizes.gap, size_hint_y=None)
        self.cells: dict[str, ParameterCell] = {}
        if titled:
            title = Factory.Small(text=text(f"sound.group.{name}"), bold=True)
            title.size_hint_y, title.height = None, sizes.mm(TITLE_MM)
            self.add_widget(title)
            height_px -= title.height + sizes.gap
        curved = name == "envelope" and all(part in settings for part in NEEDED)
        beside = curved and columns > 1
        rows = math.ceil(len(settings) / (1 if beside else columns))
        curve_px = 0.0 if beside or not curved else max(CURVE_MM * sizes.px_per_mm, height_px * 0.4)
        left_px = height_px - curve_px - (sizes.gap if curve_px else 0.0)
        row_px = min(max((left_px - (rows - 1) * sizes.gap) / rows, sizes.touch), sizes.mm(TALLEST_MM))
        grid = GridLayout(cols=1 if beside else columns, spacing=sizes.gap, size_hint_y=None)
        grid.row_default_height, grid.row_force_default = row_px, True
        grid.height = rows * row_px + (rows - 1) * sizes.gap
        for parameter, setting in settings.items():
            cell = widget_for(setting)
            if isinstance(cell, Fader):
                cell.scroller = scroller
            self.cells[parameter] = cell
            grid.add_widget(cell)
        if not curved:
            self.add_widget(grid)
        else:
            curve = EnvelopeCurve(settings)
            self.curve = curve
            if beside:
                both = BoxLayout(spacing=sizes.gap, size_hint_y=None, height=max(height_px, grid.height))
                curve.size_hint_x, grid.size_hint_x = columns - 0.8, 1.0
                grid.pos_hint = {"top": 1}
                both.add_widget(curve)
                both.add_widget(grid)
                self.add_widget(both)
            else:
                curve.size_hint_y, curve.height = None, max(curve_px, height_px - grid.height - sizes.gap)
                self.add_widget(curve)
                self.add_widget(grid)
        self.bind(minimum_height=self.setter("height"))
