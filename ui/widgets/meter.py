"""A level in dBFS as a bar, its peak as a line, and a word where it clips."""

from pathlib import Path

from kivy.lang import Builder
from kivy.properties import BooleanProperty, NumericProperty
from kivy.uix.widget import Widget

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

LOWEST_DBFS = -60.0


def share_of(level_dbfs: float) -> float:
    """How far along a meter a level is, 0..1: from LOWEST_DBFS to 0, in equal steps for equal decibels."""
    return min(max(1.0 - level_dbfs / LOWEST_DBFS, 0.0), 1.0)


class Meter(Widget):
    """level_dbfs: now. peak_dbfs: highest of late. clipped: it was at full scale of late."""

    level_dbfs = NumericProperty(LOWEST_DBFS)
    peak_dbfs = NumericProperty(LOWEST_DBFS)
    clipped = BooleanProperty(False)
