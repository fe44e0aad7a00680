"""The locked mode, for the stage: only what plays takes touches. And the screen stays awake while it is played.

A widget plays when its class or object has `plays = True` (the surface, the key strip); all else is out of reach while
`store.kept.locked`, and says so. The lock is opened by holding it for HOLD_S, with a ring that closes.
"""

from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.graphics import Color, SmoothLine
from kivy.properties import BooleanProperty, NumericProperty
from kivy.uix.widget import Widget

from synth.errors import TetradError
from ui.texts import text
from ui.widgets.touch_button import TouchButton

HOLD_S = 1.5
RING_PERIOD_S = 1 / 30
REST_S = 300.0
"""So long after the last note and touch the screen may go dark."""


class LockButton(TouchButton):
    """A touch locks; a hold of HOLD_S unlocks. held: how far that is, 0..1. words: they stand below the icon."""

    held = NumericProperty(0.0)
    words = BooleanProperty(False)
    locked = BooleanProperty(False)

    def __init__(self, **values: Any) -> None:
        self._timer: Any = None
        self._ring: SmoothLine | None = None
        self._colour: Color | None = None
        super().__init__(**values)
        self.locked = App.get_running_app().store.kept.locked
        self.bind(held=self._draw, pressed=self._pressed, on_release=self._released)

    def set_locked(self, locked: bool) -> None:
        """From now on, and at the next start."""
        app = App.get_running_app()
        try:
            app.store.change(locked=locked)
        except TetradError as error:  # a full disk, say: it is locked all the same, until the screen ends
            app.mirror.say(str(error), "warning")
        self.locked = locked
        if locked:
            app.root.show("play")
        app.mirror.say(text("lock.locked" if locked else "lock.unlocked"))

    def _released(self, _: object) -> None:
        if not self.locked and self.held < 1.0:
            self.set_locked(True)
        elif self.locked and self.held < 1.0:
            App.get_running_app().mirror.say(text("lock.hold"))

    def _pressed(self, _: object, pressed: bool) -> None:
        if pressed and self.locked:
            self.held = 0.0
            self._timer = Clock.schedule_interval(self._hold, RING_PERIOD_S)
        elif not pressed:
            self._stop()
            Clock.schedule_once(self._forget, 0)  # after `on_release`, which asks how long it was held

    def _forget(self, _: float) -> None:
        if not self.pressed:
            self.held = 0.0

    def _hold(self, passed_s: float) -> None:
        self.held = min(self.held + passed_s / HOLD_S, 1.0)
        if self.held >= 1.0:
            self._stop()
            self.set_locked(False)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _draw(self, *_: object) -> None:
        if self._ring is None or self._colour is None:
            with self.canvas.after:
                self._colour = Color(0, 0, 0, 0)
                self._ring = SmoothLine(width=1)
        app = App.get_running_app()
        self._colour.rgba = (*app.theme.accent[:3], 1.0 if self.held > 0.0 else 0.0)
        self._ring.width = app.sizes.mm(0.6)
        radius = min(self.width, self.height) / 2 - app.sizes.mm(1)
        self._ring.circle = (self.center_x, self.center_y, radius, 0, 360 * max(self.held, 0.01))


class LockGuard(Widget):
    """Lies over the whole screen and takes every touch that may not pass while it is locked. below: what lies under it;
    key: the lock's button, which is always in reach."""

    def __init__(self, below: Widget, key: LockButton, **values: Any) -> None:
        super().__init__(**values)
        self._below, self._key = below, key

    def on_touch_down(self, touch) -> bool:  # type: ignore[no-untyped-def]
        if not self._key.locked or self._key.collide_point(*touch.pos) or plays_at(self._below, *touch.pos):
            return False
        App.get_running_app().mirror.say(text("lock.locked"))
        return True


def plays_at(widget: Widget, x: float, y: float) -> bool:
    """Whether a widget that plays is there. x, y: in the coordinates of the widget's children, pixels."""
    return any(
        getattr(child, "plays", False) or plays_at(child, *child.to_local(x, y))
        for child in widget.children
        if child.collide_point(x, y)
    )


class Awake:
    """Keeps the screen from going dark while notes sound or a finger is down, and for REST_S after that."""

    def __init__(self) -> None:
        self._fingers: set[Any] = set()
        self._rest = Clock.create_trigger(self._rested, REST_S)
        self._mirror = App.get_running_app().mirror
        self._mirror.fbind("notes", self._played)
        Window.bind(on_touch_down=self._touched, on_touch_up=self._left)
        self._stay()

    def _played(self, _: object, notes: list[object]) -> None:
        if notes:
            self._stay()

    def _touched(self, _: object, touch: Any) -> None:
        self._fingers.add(touch.uid)
        self._stay()

    def _left(self, _: object, touch: Any) -> None:
        self._fingers.discard(touch.uid)
        self._stay()

    def _stay(self) -> None:
        if Window.allow_screensaver:
            Window.allow_screensaver = False
        self._rest.cancel()
        self._rest()

    def _rested(self, _: float) -> None:
        if self._fingers or self._mirror.notes:
            self._stay()
        else:
            Window.allow_screensaver = True
