"""The surface: one pad. Fingers go to the engine first, then to the picture; what sounds is seen as light.

Frames come from one Clock interval, which runs while something moves and only then: no touch event is needed for a
frame, and a finger that rests, or none, costs nothing.
"""

import time
from collections.abc import Callable
from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.graphics import Color, InstructionGroup, Line, Rectangle
from kivy.properties import BooleanProperty, ObjectProperty
from kivy.uix.widget import Widget

from synth.control.corners import Corner
from ui.mirror import CORNER_NAMES
from ui.pages.play.corner_plate import CornerPlate
from ui.pages.play.held_keys import SurfaceNote
from ui.pages.play.light import LightCanvas, NoteLights
from ui.pages.play.textures import corner_mix, field_pixels, texture
from ui.pages.play.touches import TAP_MM, Point, Touches, clamp, pixel_of, share_of
from ui.pages.play.trail import Trail, TrailCanvas
from ui.widgets.held import Held

INSET_MM = 4.0
"""From the surface's edge to where the point can go: half a fingertip."""
YIELD_S = 0.3
"""After the last touch the point is shown where the engine has it."""
MOST_RINGS = 10
LONGEST_FRAME_S = 0.1


class Surface(Widget):
    """note: what a touch plays (set by the page). moving: its frames are running.

    Events: `on_corner(name)` for a tap on a corner's picture, `on_corner_details(name)` for a long press.
    """

    __events__ = ("on_corner", "on_corner_details")
    plays = True  # in the locked mode, too

    note: SurfaceNote | None = ObjectProperty(None, allownone=True)
    moving = BooleanProperty(False)

    def __init__(self, clock: Callable[[], float] = time.monotonic, **values: Any) -> None:
        super().__init__(**values)
        self._clock = clock
        app = App.get_running_app()
        self._app, self._mirror, self._send = app, app.mirror, app.link.send
        self.touches = Touches()
        self.lights, self._trail = NoteLights(), Trail()
        self._shown = (0.5, 0.5)
        self._own_until_s = 0.0
        self._on_badge: dict[object, tuple[CornerPlate, float, float, Held]] = {}
        self._frames: Any = None
        self._drawn_s = 0.0
        self._yield = Clock.create_trigger(lambda _: self._follow(), YIELD_S + 0.02)
        self._build_canvas()
        self.plates = {corner.name.lower(): CornerPlate(corner) for corner in Corner}
        for plate in self.plates.values():
            self.add_widget(plate)
            plate.bind(size=self._place_all)
        self.bind(pos=self._place_all, size=self._place_all)
        app.bind(theme=self._paint, sizes=self._place_all)
        self._mirror.bind(corners=self._take_corners, notes=self._take_notes, point=self._follow)
        self._take_corners()
        self._paint()

    # Fingers.

    def on_touch_down(self, touch: Any) -> bool:
        if touch.is_mouse_scrolling or not self.collide_point(*touch.pos):
            return False
        touch.grab(self)
        plate = self._plate_at(*touch.pos)
        if plate is None:
            self._finger_down(touch.uid, *touch.pos)
        else:
            plate.pressed = True
            held = Held(lambda: self._held_on_badge(touch.uid))
            held.begin()
            self._on_badge[touch.uid] = (plate, touch.x, touch.y, held)
        return True

    def on_touch_move(self, touch: Any) -> bool:
        if touch.grab_current is not self:
            return False
        waiting = self._on_badge.get(touch.uid)
        if waiting is not None:
            _, x, y, _ = waiting
            if abs(touch.x - x) + abs(touch.y - y) > self._app.sizes.mm(TAP_MM):
                self._leave_badge(touch.uid)
                self._finger_down(touch.uid, *touch.pos)
            return True
        self._say(self.touches.move(touch.uid, *self._shares(*touch.pos), self._clock()))
        self._touched()
        return True

    def on_touch_up(self, touch: Any) -> bool:
        if touch.grab_current is not self:
            return False
        touch.ungrab(self)
        if touch.uid in self._on_badge:
            self.dispatch("on_corner", self._leave_badge(touch.uid).corner)
            return True
        plays = self._mirror.gesture["state"] == "playing"
        ending = self.touches.up(touch.uid, self._clock(), may_glide=not plays)
        self._say(ending.point)
        if not self.touches and ending.led and self.note is not None:
            self.note.lift(ending.tap)
        self._touched()
        return True

    def let_go(self) -> None:
        """No finger is here any more, whatever the panel says: another page, a hidden window, an engine that left."""
        for number in list(self._on_badge):
            self._leave_badge(number)
        self._say(self.touches.lose_all())
        if self.note is not None:
            self.note.stop()
        self._touched()

    def on_corner(self, name: str) -> None:
        """For those who bind to it."""

    def on_corner_details(self, name: str) -> None:
        """For those who bind to it."""

    def _finger_down(self, number: object, x_px: float, y_px: float) -> None:
        first = self.touches.leader
        point = self.touches.down(number, *self._shares(x_px, y_px), self._clock())
        self._say(point)
        if self.touches.leader is not first and first is None and self.note is not None:
            self.note.touch(self._mirror.notes)
            self._trail.clear()
        self._touched()

    def _say(self, point: Point | None) -> None:
        if point is not None:
            self._send("point", x=round(point.x, 5), y=round(point.y, 5), touching=point.touching)
            self._shown = point.x, point.y
            self._own_until_s = self._clock() + YIELD_S
            self._yield.cancel()
            self._yield()

    def _held_on_badge(self, number: object) -> None:
        if number in self._on_badge:
            plate = self._leave_badge(number)
            self.dispatch("on_corner_details", plate.corner)

    def _leave_badge(self, number: object) -> CornerPlate:
        plate, _, _, held = self._on_badge.pop(number)
        held.end()
        plate.pressed = False
        return plate

    def _plate_at(self, x_px: float, y_px: float) -> CornerPlate | None:
        if self._app.store.kept.locked:
            return None
        return next((plate for plate in self.plates.values() if plate.badge_has(x_px, y_px)), None)

    # Places.

    def _shares(self, x_px: float, y_px: float) -> tuple[float, float]:
        inset_px = self._app.sizes.mm(INSET_MM)
        return share_of(x_px, self.x, self.width, inset_px), share_of(y_px, self.y, self.height, inset_px)

    def pixels(self, x: float, y: float) -> tuple[float, float]:
        """Where a place of the surface is in the window."""
        inset_px = self._app.sizes.mm(INSET_MM)
        return pixel_of(x, self.x, self.width, inset_px), pixel_of(y, self.y, self.height, inset_px)

    # What is seen.

    def _take_corners(self, *_: object) -> None:
        for name in CORNER_NAMES:
            self.plates[name].take(self._mirror.corners[name])

    def _take_notes(self, *_: object) -> None:
        self.lights.take(self._mirror.notes)
        self._start()

    def _follow(self, *_: object) -> None:
        """The point, where the engine has it; while a finger or its flick leads, the engine only follows."""
        if self.touches or self.touches.glide is not None or self._clock() < self._own_until_s:
            return
        point = self._mirror.point
        self._shown = min(max(point["x"], 0.0), 1.0), min(max(point["y"], 0.0), 1.0)
        self._touched()

    def _touched(self) -> None:
        """The point may be elsewhere: the picture follows with the next frame."""
        self._trail.add(self._clock(), *self.pixels(*self._shown))
        self._draw_point()
        self._start()

    def _start(self) -> None:
        if self._frames is None:
            self._drawn_s = self._clock()
            self._frames = Clock.schedule_interval(self._step, 0)
            self.moving = True

    def _step(self, _: float) -> None:
        now_s = self._clock()
        seconds, self._drawn_s = clamp(now_s - self._drawn_s, 0.0, LONGEST_FRAME_S), now_s
        point = self.touches.step(now_s)
        if point is not None:
            self._say(point)
            self._trail.add(now_s, *self.pixels(*self._shown))
            self._draw_point()
        trailing = bool(self._trail)
        if trailing:
            self._trail.step(now_s)
            width_px = self._app.sizes.mm(3.2)
            self._trail_canvas.draw(self._trail, now_s, width_px, corner_mix(self._app.theme, *self._shown))
        lit = self.lights.step(seconds)
        if lit:
            self._draw_lights()
        if not (lit or trailing or self.touches.restless):
            self._frames.cancel()
            self._frames = None
            self.moving = False

    def _build_canvas(self) -> None:
        self._trail_canvas, self._light_canvas = TrailCanvas(), LightCanvas()
        with self.canvas.before:
            Color(1, 1, 1, 1)
            self._field = Rectangle()
        self.canvas.add(self._trail_canvas.group)
        self.canvas.add(self._light_canvas.group)
        self._rings = InstructionGroup()
        self.canvas.add(self._rings)
        self._ring_colour, self._halo_colour = Color(1, 1, 1, 0), Color(1, 1, 1, 0)
        self._ring_lines = [Line(width=1.0) for _ in range(MOST_RINGS)]
        self._halo_line = Line(width=1.0)
        for one in (self._ring_colour, *self._ring_lines, self._halo_colour, self._halo_line):
            self._rings.add(one)

    def _paint(self, *_: object) -> None:
        self._field.texture = texture(field_pixels(self._app.theme))
        self._draw_lights()
        self._draw_point()

    def _place_all(self, *_: object) -> None:
        sizes = self._app.sizes
        self.touches.width_mm = max(self.width / sizes.px_per_mm, 1.0)
        self.touches.height_mm = max(self.height / sizes.px_per_mm, 1.0)
        self._field.pos, self._field.size = self.pos, self.size
        edge = sizes.mm(1.2)
        for name, plate in self.plates.items():
            plate.x = self.right - plate.width - edge if name.endswith("e") else self.x + edge
            plate.y = self.top - plate.height - edge if name.startswith("n") else self.y + edge
        self._trail.clear()
        self._draw_lights()
        self._draw_point()
        self._start()

    def _draw_lights(self) -> None:
        self._light_canvas.draw(self.lights, self.pixels, self._app.sizes.px_per_mm, self._app.theme)

    def _draw_point(self) -> None:
        """A ring where the point is, larger under a finger; a thin one under each further finger."""
        sizes, theme = self._app.sizes, self._app.theme
        x_px, y_px = self.pixels(*self._shown)
        down = bool(self.touches)
        self._halo_colour.rgba = (*theme.text[:3], 0.95 if down else 0.7)
        self._halo_line.width = sizes.stroke * (1.0 if down else 0.7)
        self._halo_line.circle = (x_px, y_px, sizes.mm(5.5 if down else 2.2))
        self._ring_colour.rgba = (*theme.muted[:3], 0.8)
        others = [finger for finger in self.touches if finger is not self.touches.leader][:MOST_RINGS]
        for finger, line in zip(others, self._ring_lines, strict=False):
            line.circle = (*self.pixels(finger.x, finger.y), sizes.mm(4.5))
        for line in self._ring_lines[len(others) :]:
            if line.points:
                line.points = []
