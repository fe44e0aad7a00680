"""Icons, drawn as lines and areas: they follow the theme's colours and every size, and need no font.

A drawing is on a field of 24 by 24, y upwards. `line`: points, smooth and open; `loop`: closed; `area`: a convex shape;
`ring`, `disc`: a circle's centre and radius; `arc`: centre, radius, from and to in degrees, clockwise from the top.
"""

from kivy.graphics import Color, Ellipse, Line, Mesh, SmoothLine
from kivy.properties import ColorProperty, StringProperty
from kivy.uix.widget import Widget

FIELD = 24.0
STROKE = 1.0  # half of it on either side, of the field's 24
Shape = tuple[str, tuple[float, ...]]

_STAR = (12, 21, 14.6, 14.8, 21.5, 14.3, 16.2, 9.9, 18, 3.2, 12, 7, 6, 3.2, 7.8, 9.9, 2.5, 14.3, 9.4, 14.8)

ICONS: dict[str, tuple[Shape, ...]] = {
    # Pages.
    "play": (("loop", (3, 3, 21, 3, 21, 21, 3, 21)), ("disc", (14, 14, 3)), ("line", (6, 6, 9, 10, 11, 12))),
    "instruments": (("line", (4, 20, 4, 4)), ("line", (9, 20, 9, 4)), ("loop", (13, 5, 16, 4, 20.5, 19, 17.5, 20))),
    "sound": (
        ("line", (5, 3, 5, 21)),
        ("line", (12, 3, 12, 21)),
        ("line", (19, 3, 19, 21)),
        ("disc", (5, 15, 2.6)),
        ("disc", (12, 8, 2.6)),
        ("disc", (19, 13, 2.6)),
    ),
    "patches": tuple(("loop", (x, y, x + 7, y, x + 7, y + 7, x, y + 7)) for x in (3, 14) for y in (3, 14)),
    "settings": (
        ("ring", (12, 12, 3.2)),
        ("ring", (12, 12, 7)),
        *(
            ("line", (12 + 7 * x, 12 + 7 * y, 12 + 10 * x, 12 + 10 * y))
            for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1), (0.7, 0.7), (-0.7, 0.7), (0.7, -0.7), (-0.7, -0.7))
        ),
    ),
    # Corners: a shape of its own for each, since colour alone is no sign.
    "nw": (("loop", (12, 20, 3.5, 5, 20.5, 5)),),
    "ne": (("ring", (12, 12, 8.5)),),
    "sw": (("loop", (4, 4, 20, 4, 20, 20, 4, 20)),),
    "se": (("loop", (12, 2.5, 21.5, 12, 12, 21.5, 2.5, 12)),),
    # What can be done.
    "lock": (("loop", (5, 3, 19, 3, 19, 13, 5, 13)), ("arc", (12, 13, 4.5, -90, 90))),
    "unlock": (("loop", (5, 3, 19, 3, 19, 13, 5, 13)), ("arc", (8, 13, 4.5, -90, 60))),
    "panic": (
        ("loop", (8, 2.5, 16, 2.5, 21.5, 8, 21.5, 16, 16, 21.5, 8, 21.5, 2.5, 16, 2.5, 8)),
        ("line", (8, 8, 16, 16)),
        ("line", (8, 16, 16, 8)),
    ),
    "record": (("ring", (12, 12, 9)), ("disc", (12, 12, 5))),
    "stop": (("area", (6, 6, 18, 6, 18, 18, 6, 18)),),
    "start": (("area", (7, 4, 20, 12, 7, 20)),),
    "loop": (("arc", (12, 12, 8, 30, 330)), ("line", (8, 22, 8, 17.5, 3.5, 17.5))),
    "mirror": (("line", (3, 12, 21, 12)), ("line", (7, 16, 3, 12, 7, 8)), ("line", (17, 16, 21, 12, 17, 8))),
    "latch": (("disc", (12, 15, 4)), ("line", (4, 5, 20, 5)), ("line", (12, 11, 12, 5))),
    "keys": (
        ("loop", (2.5, 4, 21.5, 4, 21.5, 20, 2.5, 20)),
        ("line", (9, 4, 9, 20)),
        ("line", (15, 4, 15, 20)),
        ("area", (7.5, 10, 10.5, 10, 10.5, 20, 7.5, 20)),
        ("area", (13.5, 10, 16.5, 10, 16.5, 20, 13.5, 20)),
    ),
    "search": (("ring", (10, 14, 6.5)), ("line", (15, 9, 21, 3))),
    "star": (("loop", _STAR),),
    "starred": (("loop", _STAR), ("disc", (12, 11.5, 5.2))),
    "plus": (("line", (12, 4, 12, 20)), ("line", (4, 12, 20, 12))),
    "minus": (("line", (4, 12, 20, 12)),),
    "close": (("line", (5, 5, 19, 19)), ("line", (5, 19, 19, 5))),
    "check": (("line", (4, 12, 10, 6, 20, 19)),),
    "undo": (
        ("line", (9, 20, 4, 15, 9, 10)),
        ("line", (4, 15, 14, 15)),
        ("arc", (14, 10, 5, 0, 180)),
        ("line", (14, 5, 8, 5)),
    ),
    "redo": (
        ("line", (15, 20, 20, 15, 15, 10)),
        ("line", (20, 15, 10, 15)),
        ("arc", (10, 10, 5, 180, 360)),
        ("line", (10, 5, 16, 5)),
    ),
    "trash": (
        ("line", (4, 19, 20, 19)),
        ("loop", (6, 19, 7.5, 3, 16.5, 3, 18, 19)),
        ("line", (9, 19, 9, 21.5, 15, 21.5, 15, 19)),
    ),
    "back": (("line", (15, 21, 6, 12, 15, 3)),),
    "forward": (("line", (9, 21, 18, 12, 9, 3)),),
    "up": (("line", (3, 8, 12, 17, 21, 8)),),
    "down": (("line", (3, 16, 12, 7, 21, 16)),),
    "compare": (("loop", (3, 4, 11, 4, 11, 20, 3, 20)), ("area", (13, 4, 21, 4, 21, 20, 13, 20))),
    "warning": (("loop", (12, 21, 2.5, 4, 21.5, 4)), ("line", (12, 15, 12, 9.5)), ("disc", (12, 6.8, 1))),
    "mic": (
        ("loop", (9, 10, 15, 10, 15, 21, 9, 21)),
        ("arc", (12, 12, 6.5, 90, 270)),
        ("line", (12, 5.5, 12, 2.5)),
        ("line", (8, 2.5, 16, 2.5)),
    ),
    "folder": (("loop", (2.5, 4, 21.5, 4, 21.5, 17, 11, 17, 9, 20, 2.5, 20)),),
    "save": (
        ("line", (12, 21, 12, 9)),
        ("line", (7, 13.5, 12, 8.5, 17, 13.5)),
        ("line", (3.5, 9, 3.5, 3, 20.5, 3, 20.5, 9)),
    ),
    "tag": (("loop", (3, 12, 12, 21, 21, 21, 21, 12, 12, 3)), ("disc", (17, 17, 1.6))),
    "edit": (("loop", (4, 4, 5, 9, 16, 20, 20, 16, 9, 5)), ("line", (13.5, 17.5, 17.5, 13.5))),
    "listen": (
        ("loop", (3, 9, 8, 9, 13, 4, 13, 20, 8, 15, 3, 15)),
        ("arc", (13, 12, 5, 45, 135)),
        ("arc", (13, 12, 8.5, 45, 135)),
    ),
    "keep": (("arc", (12, 12, 9, -60, 240)), ("line", (12, 18, 12, 12, 16, 9))),
    "knob": (("ring", (12, 12, 9)), ("line", (12, 12, 17, 18))),
    "board": (
        ("loop", (2.5, 5, 21.5, 5, 21.5, 19, 2.5, 19)),
        *(("ring", (x, y, 2)) for x in (7.5, 16.5) for y in (9, 15)),
    ),
    "info": (("ring", (12, 12, 9.5)), ("line", (12, 13, 12, 7)), ("disc", (12, 16.5, 1.2))),
    "midi": (
        ("ring", (12, 12, 9.5)),
        *(("disc", place) for place in ((6.5, 12, 1.2), (8, 8, 1.2), (12, 6.4, 1.2), (16, 8, 1.2), (17.5, 12, 1.2))),
    ),
    "audio": (("line", (3, 12, 6, 12, 8, 18, 11, 5, 14, 20, 16, 9, 18, 12, 21, 12)),),
    "health": (("line", (2.5, 12, 8, 12, 10.5, 18, 14, 5, 16, 12, 21.5, 12)),),
    "theme": (("ring", (12, 12, 9.5)), ("area", (12, 2.5, 18.7, 5.3, 21.5, 12, 18.7, 18.7, 12, 21.5))),
    "tuning": (("line", (9, 21, 9, 12, 12, 9.5, 15, 12, 15, 21)), ("line", (12, 9.5, 12, 2.5))),
}


class Icon(Widget):
    """One of ICONS; "" is nothing. Fits into the smaller of its sides."""

    name = StringProperty("")
    color = ColorProperty((1, 1, 1, 1))

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._colour: Color | None = None
        self.bind(name=self._draw, pos=self._draw, size=self._draw, color=self._tint)
        self._draw()

    def drawing(self) -> tuple[Shape, ...]:
        """What `name` is drawn as."""
        return ICONS[self.name]

    def _tint(self, *_: object) -> None:
        if self._colour is not None:
            self._colour.rgba = self.color

    def _draw(self, *_: object) -> None:
        self.canvas.clear()
        side = min(self.size)
        if not self.name or side <= 0:
            return
        scale = side / FIELD
        # Of x and width, not of center_x: Kivy tells of a new size before its own centre has followed.
        left, bottom = self.x + (self.width - side) / 2.0, self.y + (self.height - side) / 2.0
        with self.canvas:
            self._colour = Color(*self.color)
            for kind, numbers in self.drawing():
                _draw_shape(kind, numbers, left, bottom, scale)


def _draw_shape(kind: str, numbers: tuple[float, ...], left: float, bottom: float, scale: float) -> None:
    """One shape, with the colour and into the canvas that are in use."""
    width = max(STROKE * scale, 1.0)
    if kind in ("line", "loop", "area"):
        xs = [left + x * scale for x in numbers[0::2]]
        ys = [bottom + y * scale for y in numbers[1::2]]
        points = [value for pair in zip(xs, ys, strict=True) for value in pair]
        if kind == "area":
            vertices = [value for x, y in zip(xs, ys, strict=True) for value in (x, y, 0.0, 0.0)]
            Mesh(vertices=vertices, indices=list(range(len(xs))), mode="triangle_fan")
        else:
            SmoothLine(points=points, width=width, close=kind == "loop", joint="round", cap="round")
        return
    x, y, radius = left + numbers[0] * scale, bottom + numbers[1] * scale, numbers[2] * scale
    if kind == "disc":
        Ellipse(pos=(x - radius, y - radius), size=(2 * radius, 2 * radius))
    elif kind == "ring":
        SmoothLine(circle=(x, y, radius), width=width)
    else:
        Line(circle=(x, y, radius, numbers[3], numbers[4]), width=width)
