"""A drawing in millimetres as SVG text: lines, circles, boxes and words, in groups that have a name."""

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

Point = tuple[float, float]


def number(value: float) -> str:
    """A length in mm, to a thousandth, without needless zeros."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


class Drawing:
    """Shapes in mm, x right and y down from the sheet's upper left corner; `text()` is the file."""

    def __init__(self, width_mm: float, height_mm: float, title: str) -> None:
        self._size = (width_mm, height_mm)
        self._title = title
        self._lines: list[str] = []

    def open(self, name: str, **style: str) -> None:
        """Begin a group; keywords are SVG attributes with _ for -."""
        attributes = "".join(f" {key.replace('_', '-')}={quoteattr(value)}" for key, value in style.items())
        self._lines.append(f"<g id={quoteattr(name)}{attributes}>")

    def close(self) -> None:
        """End the group that was begun last."""
        self._lines.append("</g>")

    def _add(self, element: str, numbers: dict[str, float], extra: dict[str, str]) -> None:
        attributes = "".join(f' {key}="{number(value)}"' for key, value in numbers.items())
        attributes += "".join(f" {key.replace('_', '-')}={quoteattr(value)}" for key, value in extra.items())
        self._lines.append(f"<{element}{attributes}/>")

    def line(self, start: Point, end: Point, **extra: str) -> None:
        """A straight line."""
        self._add("line", {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]}, extra)

    def curve(self, start: Point, bend: Point, end: Point, **extra: str) -> None:
        """A quadratic curve that leaves `start` and reaches `end` in the direction of `bend`."""
        (x0, y0), (x1, y1), (x2, y2) = ((number(x), number(y)) for x, y in (start, bend, end))
        self._add("path", {}, {"d": f"M{x0},{y0} Q{x1},{y1} {x2},{y2}", **extra})

    def circle(self, centre: Point, radius_mm: float, **extra: str) -> None:
        """A circle."""
        self._add("circle", {"cx": centre[0], "cy": centre[1], "r": radius_mm}, extra)

    def box(self, corner: Point, size: Point, radius_mm: float = 0.0, **extra: str) -> None:
        """A rectangle from its upper left corner, its own corners rounded by `radius_mm`."""
        numbers = {"x": corner[0], "y": corner[1], "width": size[0], "height": size[1]}
        self._add("rect", numbers | ({"rx": radius_mm} if radius_mm else {}), extra)

    def polygon(self, points: Sequence[Point], **extra: str) -> None:
        """A closed line through `points`."""
        joined = " ".join(f"{number(x)},{number(y)}" for x, y in points)
        self._add("polygon", {}, {"points": joined, **extra})

    def words(self, place: Point, text: str, size_mm: float, anchor: str = "start", **extra: str) -> None:
        """Text whose base line begins ("start"), ends ("end") or has its middle ("middle") at `place`."""
        attributes = "".join(f" {key.replace('_', '-')}={quoteattr(value)}" for key, value in extra.items())
        self._lines.append(
            f'<text x="{number(place[0])}" y="{number(place[1])}" font-size="{number(size_mm)}" '
            f'text-anchor="{anchor}"{attributes}>{escape(text)}</text>'
        )

    def text(self) -> str:
        """The SVG file; printed without scaling, a millimetre is a millimetre."""
        width, height = (number(length) for length in self._size)
        head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm" '
        head += f'viewBox="0 0 {width} {height}" font-family="DejaVu Sans, Arial, sans-serif">'
        sheet = [f"<title>{escape(self._title)}</title>", f'<rect width="{width}" height="{height}" fill="white"/>']
        return "\n".join([head, *sheet, *self._lines, "</svg>", ""])
