"""What a knob, a pedal or another screen changes, large, for a moment: the same focus for touch and knob.

Touches go through. `ui.turned` decides what is shown; here it is put into words and drawn.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kivy.animation import Animation
from kivy.app import App
from kivy.clock import Clock
from kivy.lang import Builder
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from ui.fonts import font_for, short
from ui.texts import ENGLISH, text
from ui.turned import Card, Turned
from ui.values import name_words, travel_of, value_words

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

LOOK_PERIOD_S = 0.1
FADE_S = 0.25
LONGEST = 40
PROGRAMS = 128


class ChangeCard(BoxLayout):
    """One thing that changes. travel, default_travel: 0..1, shown where has_travel."""

    icon = StringProperty("knob")
    title = StringProperty("")
    title_font = StringProperty("Roboto")
    value = StringProperty("")
    value_font = StringProperty("Roboto")
    by = StringProperty("")
    has_travel = BooleanProperty(False)
    travel = NumericProperty(0.0)
    default_travel = NumericProperty(0.0)


class Overlay(BoxLayout):
    """The last two or three changes. held(name, True) while a finger is on that parameter's fader: it shows it.
    place: the widget over whose middle they are."""

    place = ObjectProperty(None, rebind=True)

    def __init__(self, **values: Any) -> None:
        super().__init__(opacity=0.0, **values)
        app = App.get_running_app()
        self._app, self._mirror = app, app.mirror
        self._turned = Turned(app.link.own_s, app.link.name)
        self._held: set[str] = set()
        self._shown: list[Card] = []
        self._watch: Any = None
        app.lists.want("table")
        self._mirror.bind(
            connections=lambda *_: self._turned.connected(),
            parameters=self._take_parameters,
            corners=self._take_corners,
            patch=self._take_patch,
            focus=self._take_focus,
            instruments=self._rename,
            on_notice=self._take_notice,
        )

    def held(self, name: str, down: bool) -> None:
        """A finger here is on a parameter, or left it."""
        (self._held.add if down else self._held.discard)(name)

    def _take_parameters(self, _: object, values: Mapping[str, float]) -> None:
        self._turned.take_parameters(values, time.monotonic())
        self._refresh()

    def _take_corners(self, _: object, corners: Mapping[str, Mapping[str, Any]]) -> None:
        self._turned.take_corners(corners, time.monotonic())
        self._refresh()

    def _take_patch(self, _: object, patch: Mapping[str, Any]) -> None:
        self._turned.take_patch(patch["name"], patch["number"], time.monotonic())
        self._refresh()

    def _take_focus(self, _: object, focus: Mapping[str, Any]) -> None:
        if focus.get("instrument"):
            self._app.lists.want("instruments")  # for what people call it
        self._turned.take_focus(focus)
        self._refresh()

    def _rename(self, *_: object) -> None:
        self._build(self._shown)

    def _take_notice(self, _: object, notice: str, data: Mapping[str, Any]) -> None:
        if notice == "parameter_changed":
            self._turned.take_notice(data, time.monotonic())
            self._refresh()

    def _refresh(self, *_: object) -> None:
        cards = [card for card in self._turned.cards(time.monotonic()) if not self._is_seen(card)]
        if cards == self._shown:
            return
        if cards:
            self._build(cards)
            Animation.cancel_all(self, "opacity")
            self.opacity = 1.0
            if self._watch is None:
                self._watch = Clock.schedule_interval(self._refresh, LOOK_PERIOD_S)
        else:
            Animation(opacity=0.0, duration=FADE_S).start(self)
            self._watch.cancel()
            self._watch = None
        self._shown = cards

    def _is_seen(self, card: Card) -> bool:
        """A finger is on its fader, or the page shows it anyway."""
        return (card.kind == "parameter" and card.name in self._held) or (
            card.kind == "patch" and self._app.root is not None and self._app.root.current == "patches"
        )

    def _build(self, cards: list[Card]) -> None:
        while len(self.children) > len(cards):
            self.remove_widget(self.children[0])
        while len(self.children) < len(cards):
            self.add_widget(ChangeCard())
        for widget, card in zip(self.children[::-1], cards, strict=True):
            self._fill(widget, card)

    def _fill(self, widget: ChangeCard, card: Card) -> None:
        widget.has_travel = False
        match card.kind:
            case "parameter":
                widget.icon, widget.title = "knob", name_words(card.name)
                parameter = next((one for one in self._mirror.table if one.name == card.name), None)
                widget.value = value_words(parameter, card.value) if parameter is not None else f"{card.value:g}"
                if parameter is not None:
                    widget.has_travel = True
                    widget.travel = travel_of(parameter, card.value)
                    widget.default_travel = travel_of(parameter, parameter.default)
            case "corner":
                widget.icon, widget.value = card.name, self._instrument_words(card.other)
                widget.title = text("overlay.corner", corner=text(f"corner.{card.name}"))
            case "browsed":
                widget.icon, widget.value = card.name, self._instrument_words(card.other)
                widget.title = text("overlay.browsed", corner=text(f"corner.{card.name}"))
            case _:
                bank, program = divmod(max(card.number, 0), PROGRAMS)
                widget.icon, widget.value = "patches", card.name
                widget.title = text("overlay.patch", number=f"{bank}.{program}")
        key = f"overlay.by.{card.by}"
        who = text(key) if key in ENGLISH else short(card.by, 20)
        widget.by = text("overlay.by", who=who) if who else ""
        widget.value_font, widget.value = font_for(widget.value), short(widget.value, LONGEST)
        widget.title_font, widget.title = font_for(widget.title), short(widget.title, LONGEST)

    def _instrument_words(self, name: str) -> str:
        """As people call it, where that is known."""
        for corner in self._mirror.corners.values():
            if corner["instrument"] == name and corner["display_name"]:
                return str(corner["display_name"])
        found: Mapping[str, Any] = next((one for one in self._mirror.instruments if one.get("name") == name), {})
        return str(found.get("display_name") or name)

    def on_touch_down(self, _: object) -> bool:
        return False
