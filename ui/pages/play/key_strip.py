"""Keys on the screen: play without MIDI. Every finger plays its own; sliding goes from key to key."""

from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.core.text import Label as CoreLabel
from kivy.graphics import Color, Ellipse, Rectangle, RoundedRectangle
from kivy.lang import Builder
from kivy.properties import NumericProperty, ObjectProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from synth.errors import TetradError
from ui.pages.play.held_keys import HeldKeys
from ui.pages.play.keys import KeyArea, areas, key_at, n_white_keys, name_of, velocity_at
from ui.theme import Colour, contrast, mixed

LEAST_KEY_MM = 9.5
LOWEST, HIGHEST_START = 0, 108
OCTAVE = 12


class Keyboard(Widget):
    """keys: what holds them (set by the page). lowest: its first key, a C."""

    keys: HeldKeys | None = ObjectProperty(None, allownone=True)
    lowest = NumericProperty(48)

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._app = App.get_running_app()
        self._areas: list[KeyArea] = []
        self._fingers: dict[object, KeyArea] = {}
        self._paint: dict[int, tuple[Color, Color, Color | None, Colour]] = {}
        self._lit: set[int] = set()
        self._ink: Colour = (0.0, 0.0, 0.0, 1.0)
        self.bind(pos=self._draw, size=self._draw, lowest=self._draw)
        self._app.bind(theme=self._draw, sizes=self._draw)
        self._app.mirror.bind(notes=self._light)

    def on_touch_down(self, touch: Any) -> bool:
        if touch.is_mouse_scrolling or not self.collide_point(*touch.pos):
            return False
        touch.grab(self)
        self._play(touch.uid, *touch.pos)
        return True

    def on_touch_move(self, touch: Any) -> bool:
        if touch.grab_current is not self:
            return False
        self._play(touch.uid, *touch.pos)
        return True

    def on_touch_up(self, touch: Any) -> bool:
        if touch.grab_current is not self:
            return False
        touch.ungrab(self)
        self._leave(touch.uid)
        self._light()
        return True

    def let_go(self) -> None:
        """No finger is on the keys any more."""
        for finger in list(self._fingers):
            self._leave(finger)
        self._light()

    def _play(self, finger: object, x_px: float, y_px: float) -> None:
        y = (y_px - self.y) / max(self.height, 1.0)
        area = key_at(self._areas, (x_px - self.x) / max(self.width, 1.0), min(max(y, 0.0), 1.0))
        before = self._fingers.get(finger)
        if area is None or self.keys is None or (before is not None and before.key == area.key):
            return
        self._leave(finger)
        if self.keys.press(area.key, velocity_at(area, y), finger):
            self._fingers[finger] = area
        self._light()

    def _leave(self, finger: object) -> None:
        area = self._fingers.pop(finger, None)
        if area is not None and self.keys is not None:
            self.keys.release(area.key, finger)

    def _light(self, *_: object) -> None:
        """Keys that sound have the theme's accent and a dot, those under a finger at once."""
        lit = {area.key for area in self._fingers.values()} | {note.key for note in self._app.mirror.notes}
        for key in (self._lit ^ lit) & self._paint.keys():
            face, dot, words, plain = self._paint[key]
            face.rgba = self._app.theme.accent if key in lit else plain
            dot.a = 1.0 if key in lit else 0.0
            if words is not None:
                words.rgba = self._app.theme.on_accent if key in lit else self._ink
        self._lit = lit

    def _draw(self, *_: object) -> None:
        """Everything anew; where nothing but the light changes this is not called."""
        sizes, theme = self._app.sizes, self._app.theme
        self._areas = areas(int(self.lowest), n_white_keys(self.width, sizes.mm(LEAST_KEY_MM)))
        self._paint, self._lit = {}, set()
        bright, dark = sorted((theme.text, theme.background), key=lambda one: contrast(one, (0.0, 0.0, 0.0, 1.0)))[::-1]
        white = mixed(bright, dark, 0.0 if theme.name == "contrast" else 0.14)
        ink = self._ink = mixed(dark, bright, 0.25)
        gap_px, radius_px = max(sizes.mm(0.25), 1.0), sizes.radius * 0.6
        self.canvas.clear()
        with self.canvas:
            for area in self._areas:
                left, right = self.x + area.left * self.width, self.x + area.right * self.width
                bottom, top = self.y + area.bottom * self.height, self.y + area.top * self.height
                plain = dark if area.black else white
                if area.black:
                    Color(*ink)
                    Rectangle(pos=(left - gap_px, bottom - gap_px), size=(right - left + 2 * gap_px, top - bottom))
                face = Color(*plain)
                RoundedRectangle(
                    pos=(left + gap_px / 2, bottom), size=(right - left - gap_px, top - bottom), radius=[radius_px]
                )
                words = None
                if not area.black and area.key % OCTAVE == 0:
                    label = CoreLabel(text=name_of(area.key), font_size=sizes.small, color=(1, 1, 1, 1))
                    label.refresh()
                    words = Color(*ink)
                    middle = (left + right - label.texture.width) / 2.0
                    Rectangle(texture=label.texture, pos=(middle, bottom + sizes.mm(0.6)), size=label.texture.size)
                dot = Color(*theme.on_accent[:3], 0.0)
                side = sizes.mm(2.0)
                Ellipse(pos=((left + right - side) / 2.0, bottom + sizes.mm(5.0)), size=(side, side))
                self._paint[area.key] = (face, dot, words, plain)
        self._light()


class KeyStrip(BoxLayout):
    """The keyboard, and two buttons that move it by an octave."""

    plays = True  # in the locked mode, too

    keys: HeldKeys | None = ObjectProperty(None, allownone=True)
    lowest = NumericProperty(48)

    def __init__(self, **values: Any) -> None:
        app = App.get_running_app()
        kept = app.store.kept.strip_key
        super().__init__(lowest=kept - kept % OCTAVE, **values)

    def shift(self, octaves: int) -> None:
        """Up or down; at the ends of MIDI's keys it stays."""
        lowest = int(self.lowest) + OCTAVE * octaves
        if not LOWEST <= lowest <= HIGHEST_START:
            return
        self.let_go()
        self.lowest = lowest
        app = App.get_running_app()
        try:
            app.store.change(strip_key=lowest)
        except (OSError, TetradError) as error:
            app.mirror.say(str(error), "warning")

    def let_go(self) -> None:
        """No finger is on the keys any more."""
        self.ids.keyboard.let_go()


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
