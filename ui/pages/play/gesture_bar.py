"""The bar below the surface: latch, the gesture, what was played, undo. What finds no room waits behind one handle."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.lang import Builder
from kivy.properties import BooleanProperty, NumericProperty
from kivy.uix.gridlayout import GridLayout

from synth.errors import TetradError
from ui.fonts import short
from ui.texts import text
from ui.widgets.touch_button import TouchButton

LEAST_BUTTON_MM = 11.5
SPEEDS = (0.5, 1.0, 2.0, 4.0)
LONGEST_WORDS = 120


class BarButton(TouchButton):
    """An icon above a word."""


class GestureBar(GridLayout):
    """opened: everything is shown, in as many rows as it takes. Events: `on_latch(on)`, `on_keys(on)`, `on_panic`."""

    __events__ = ("on_latch", "on_keys", "on_panic")

    opened = BooleanProperty(False)
    n_rows = NumericProperty(1)

    def __init__(self, **values: Any) -> None:
        super().__init__(cols=1, **values)
        self._app = App.get_running_app()
        self._link, self._mirror, self._store = self._app.link, self._app.mirror, self._app.store
        self._mirrored = self._in_time = False
        self._speed = 1.0
        actions: dict[str, tuple[str, Callable[[], object]]] = {
            "latch": ("latch", self._latch),
            "gesture": ("edit", self._record),
            "loop": ("start", self._play),
            "keep": ("keep", self._keep),
            "panic": ("panic", self._panic),
            "undo": ("undo", self._undo),
            "keys": ("keys", self._keys),
            "record": ("record", self._record_sound),
            "mirrored": ("mirror", self._mirror_way),
            "in_time": ("health", self._in_time_way),
            "speed": ("forward", self._next_speed),
            "clear": ("trash", self._clear),
        }
        self.buttons: dict[str, BarButton] = {}
        for name, (icon, action) in actions.items():
            button = BarButton(icon=icon, text=text(f"play.{name}") if name != "speed" else "")
            button.bind(on_release=lambda _, action=action: action())
            self.buttons[name] = button
        self._more = BarButton(icon="up", text=text("play.more"))
        self._more.bind(on_release=lambda _: setattr(self, "opened", not self.opened))
        self.bind(width=self._arrange, opened=self._arrange)
        self._app.bind(sizes=self._arrange)
        self._mirror.bind(gesture=self._show, recording=self._show, patch=self._show)
        self._arrange()
        self._show()

    def _arrange(self, *_: object) -> None:
        """As many as fit side by side; the last of a row that is too short is the handle."""
        fit = max(int(self.width // self._app.sizes.mm(LEAST_BUTTON_MM)), 3)
        buttons: list[BarButton] = list(self.buttons.values())
        if fit < len(buttons):
            buttons.insert(fit - 1, self._more)
            if not self.opened:
                buttons = buttons[:fit]
        self._more.icon, self._more.text = ("down", text("play.less")) if self.opened else ("up", text("play.more"))
        self.clear_widgets()
        self.cols = min(fit, len(buttons))
        self.n_rows = -(-len(buttons) // self.cols)
        for button in buttons:
            self.add_widget(button)

    def _show(self, *_: object) -> None:
        state, shown = self._mirror.gesture["state"], self.buttons
        recording, playing = state == "recording", state == "playing"
        shown["gesture"].active, shown["gesture"].icon = recording, "stop" if recording else "edit"
        shown["gesture"].text = text("play.gesture_stop" if recording else "play.gesture")
        shown["loop"].active, shown["loop"].icon = playing, "stop" if playing else "start"
        shown["loop"].text = text("play.loop_stop" if playing else "play.loop")
        shown["loop"].disabled = shown["clear"].disabled = state not in ("ready", "playing")
        shown["latch"].active = self._store.kept.latch
        shown["keys"].active = self._store.kept.key_strip
        shown["mirrored"].active, shown["in_time"].active = self._mirrored, self._in_time
        shown["speed"].active, shown["speed"].text = self._speed != 1.0, text("play.speed", factor=self._speed)
        sounding = self._mirror.recording["state"] == "on"
        shown["record"].active, shown["record"].icon = sounding, "stop" if sounding else "record"
        shown["record"].text = text("play.record_stop" if sounding else "play.record")
        shown["undo"].disabled = not self._mirror.patch["undo"]

    # What the buttons do.

    def _remember(self, **values: Any) -> None:
        try:
            self._store.change(**values)
        except (OSError, TetradError) as error:
            self._mirror.say(str(error), "warning")
        self._show()

    def _latch(self) -> None:
        self._remember(latch=not self._store.kept.latch)
        self.dispatch("on_latch", self._store.kept.latch)

    def _keys(self) -> None:
        self._remember(key_strip=not self._store.kept.key_strip)
        self.dispatch("on_keys", self._store.kept.key_strip)

    def _panic(self) -> None:
        self._link.send("panic")
        self.dispatch("on_panic")

    def _record(self) -> None:
        if self._mirror.gesture["state"] == "recording":
            self._link.send("gesture_stop")
        else:
            self._link.send("gesture_record", in_time=self._in_time)

    def _play(self) -> None:
        if self._mirror.gesture["state"] == "playing":
            self._link.send("gesture_stop")
        else:
            self._loop()

    def _loop(self) -> None:
        fields = {"loop": True, "mirrored": self._mirrored, "in_time": self._in_time, "speed": self._speed}
        self._link.send("gesture_play", **fields)

    def _change_way(self) -> None:
        """How it is played has changed: while it plays, it does so from now on."""
        self._show()
        if self._mirror.gesture["state"] == "playing":
            self._loop()

    def _mirror_way(self) -> None:
        self._mirrored = not self._mirrored
        self._change_way()

    def _in_time_way(self) -> None:
        self._in_time = not self._in_time
        self._change_way()

    def _next_speed(self) -> None:
        self._speed = SPEEDS[(SPEEDS.index(self._speed) + 1) % len(SPEEDS)]
        self._change_way()

    def _clear(self) -> None:
        self._link.send("gesture_clear")

    def _keep(self) -> None:
        self._link.ask("keep", then=self._kept)

    def _kept(self, result: dict[str, Any]) -> None:
        seconds, path = result.get("seconds"), str(result.get("path", ""))
        if isinstance(seconds, int | float):
            self._mirror.say(text("play.kept", seconds=float(seconds), file=short(Path(path).name, LONGEST_WORDS)))

    def _record_sound(self) -> None:
        if self._mirror.recording["state"] == "on":
            self._link.ask("record_stop", then=self._kept)
        else:
            self._link.send("record_start")

    def _undo(self) -> None:
        self._link.ask("undo", then=self._undone)

    def _undone(self, result: dict[str, Any]) -> None:
        what = result.get("undone")
        if isinstance(what, str):
            self._mirror.say(text("play.undone", what=short(what, LONGEST_WORDS)))

    def on_latch(self, on: bool) -> None:
        """For those who bind to it."""

    def on_keys(self, on: bool) -> None:
        """For those who bind to it."""

    def on_panic(self) -> None:
        """For those who bind to it."""


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
