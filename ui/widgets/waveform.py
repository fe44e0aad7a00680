"""A recording as a picture, and where it begins and ends: two handles that a finger moves."""

from kivy.graphics import Color, Line, Mesh, Rectangle
from kivy.properties import BooleanProperty, ColorProperty, ListProperty, NumericProperty
from kivy.uix.widget import Widget

LEAST = 0.02
"""Of the whole between the handles."""
LEAST_HEIGHT = 0.02


def outline(peaks: list[float], x: float, y: float, width: float, height: float) -> list[float]:
    """Vertices (x, y, u, v) of a strip that is as high as the peaks, 0..1, about the middle."""
    vertices: list[float] = []
    step = width / max(len(peaks) - 1, 1)
    for index, peak in enumerate(peaks):
        half = max(min(peak, 1.0), LEAST_HEIGHT) * height / 2.0
        at = x + index * step
        vertices += (at, y + height / 2.0 - half, 0.0, 0.0, at, y + height / 2.0 + half, 0.0, 0.0)
    return vertices


def moved(start: float, end: float, handle: str, at: float) -> tuple[float, float]:
    """Both ends after one of them, "start" or "end", went to `at`; they stay in order, and in 0..1."""
    if handle == "start":
        return min(max(at, 0.0), end - LEAST), end
    return start, max(min(at, 1.0), start + LEAST)


class Waveform(Widget):
    """peaks: 0..1, from left to right. start, end: what is kept, 0..1 of the width. movable: a finger moves the ends,
    and `on_trimmed` comes when it leaves. kept: nothing of it is, where False."""

    __events__ = ("on_trimmed",)

    peaks = ListProperty([])
    start = NumericProperty(0.0)
    end = NumericProperty(1.0)
    movable = BooleanProperty(False)
    kept = BooleanProperty(True)
    moving = BooleanProperty(False)
    color = ColorProperty((1, 1, 1, 1))
    faint = ColorProperty((1, 1, 1, 0.3))
    handle_color = ColorProperty((1, 1, 1, 1))

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._handle = ""
        for name in ("peaks", "start", "end", "pos", "size", "kept", "movable", "color", "faint", "handle_color"):
            self.fbind(name, self._draw)
        self._draw()

    def on_trimmed(self) -> None:
        """For those who bind to it."""

    def on_touch_down(self, touch) -> bool:  # type: ignore[no-untyped-def]
        if not self.movable or self.disabled or not self.collide_point(*touch.pos) or self._handle or not self.kept:
            return False
        touch.grab(self)
        at = (touch.x - self.x) / max(self.width, 1.0)
        self._handle = "start" if abs(at - self.start) <= abs(at - self.end) else "end"
        self.moving = True
        self._move(touch.x)
        return True

    def on_touch_move(self, touch) -> bool:  # type: ignore[no-untyped-def]
        if touch.grab_current is not self:
            return False
        self._move(touch.x)
        return True

    def on_touch_up(self, touch) -> bool:  # type: ignore[no-untyped-def]
        if touch.grab_current is not self:
            return False
        touch.ungrab(self)
        self._handle, self.moving = "", False
        self.dispatch("on_trimmed")
        return True

    def _move(self, x: float) -> None:
        self.start, self.end = moved(self.start, self.end, self._handle, (x - self.x) / max(self.width, 1.0))

    def _draw(self, *_: object) -> None:
        self.canvas.clear()
        if len(self.peaks) < 2 or self.width <= 0:
            return
        with self.canvas:
            self._strip(0.0, 1.0, self.faint)
            if self.kept:
                self._strip(self.start, self.end, self.color)
            if self.movable and self.kept:
                Color(*self.handle_color)
                grip = self.height * 0.16
                for at in (self.start, self.end):
                    x = self.x + at * self.width
                    Line(points=[x, self.y, x, self.top], width=1.6)
                    for y in (self.y, self.top - grip):
                        Rectangle(pos=(x - grip / 2.0, y), size=(grip, grip))

    def _strip(self, start: float, end: float, colour: list[float]) -> None:
        last = len(self.peaks) - 1
        first, final = round(start * last), max(round(end * last), round(start * last) + 1)
        peaks = self.peaks[first : final + 1]
        if len(peaks) < 2:
            return
        Color(*colour)
        x, width = self.x + first / last * self.width, (len(peaks) - 1) / last * self.width
        vertices = outline(peaks, x, self.y, width, self.height)
        Mesh(vertices=vertices, indices=list(range(len(vertices) // 4)), mode="triangle_strip")
