"""A level in dBFS as a bar, its peak as a line, and another colour and a sign where it clips."""

from pathlib import Path

from kivy.lang import Builder
from kivy.properties import AliasProperty, BooleanProperty, NumericProperty
from kivy.uix.widget import Widget

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

LOWEST_DBFS = -60.0
WARM_DBFS = -6.0
"""From here on a note that is played a little louder clips."""


def share_of(level_dbfs: float) -> float:
    """How far along a meter a level is, 0..1: from LOWEST_DBFS to 0, in equal steps for equal decibels."""
    return min(max(1.0 - level_dbfs / LOWEST_DBFS, 0.0), 1.0)


class Meter(Widget):
    """level_dbfs: now. peak_dbfs: highest of late. clipped: at full scale of late. The shares are of the width."""

    level_dbfs = NumericProperty(LOWEST_DBFS)
    peak_dbfs = NumericProperty(LOWEST_DBFS)
    clipped = BooleanProperty(False)
    warm_share = NumericProperty(share_of(WARM_DBFS))

    def _level_share(self) -> float:
        return share_of(self.level_dbfs)

    def _peak_share(self) -> float:
        return share_of(self.peak_dbfs)

    level_share = AliasProperty(_level_share, bind=["level_dbfs"])
    peak_share = AliasProperty(_peak_share, bind=["peak_dbfs"])
