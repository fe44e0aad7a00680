"""A bar: how much of the whole there is."""

from kivy.properties import NumericProperty, StringProperty
from kivy.uix.widget import Widget


class Bar(Widget):
    """share: 0..1. kind: "", "good", "warning" or "danger" is its colour; whoever shows it says the same in words."""

    share = NumericProperty(0.0)
    kind = StringProperty("")
