"""The panel as a drilling template: to scale on A4, with the distances of all centres from the lower left corner."""

from .netlist import Netlist, Panel, Point
from .panel import CUT, ENGRAVE, REFERENCE, Box, Circle, Shape, Words, shapes
from .svg import Drawing, number

PAGE_MM = (297.0, 210.0)
STYLES = {
    REFERENCE: {"fill": "none", "stroke": "#aaa", "stroke_width": "0.2", "stroke_dasharray": "1.5 1"},
    CUT: {"fill": "none", "stroke": "#d00000", "stroke_width": "0.25"},
    ENGRAVE: {"fill": "black", "stroke": "none"},
}
SIZES = "#2060c0"


class _Page:
    """Panel coordinates (y up) to the page's (y down), with the panel in the page's middle."""

    def __init__(self, panel: Panel) -> None:
        self._left = (PAGE_MM[0] - panel.size_mm[0]) / 2
        self._bottom = (PAGE_MM[1] + panel.size_mm[1]) / 2

    def at(self, place: Point) -> Point:
        return (self._left + place[0], self._bottom - place[1])


def _draw(drawing: Drawing, page: _Page, shape: Shape) -> None:
    match shape:
        case Circle():
            drawing.circle(page.at(shape.centre), shape.diameter / 2, data_part=shape.name)
        case Box():
            corner = (shape.centre[0] - shape.size[0] / 2, shape.centre[1] + shape.size[1] / 2)
            drawing.box(page.at(corner), shape.size, shape.corner, data_part=shape.name)
        case Words():
            # Capitals are 0.73 of the type size high in the usual sans serifs.
            drawing.words(page.at(shape.place), shape.text, shape.height / 0.73, "middle")


def _draw_sizes(drawing: Drawing, page: _Page, panel: Panel) -> None:
    """Cross hairs at all centres; at the lower and left edge the x and y of each, in mm from the corner."""
    centres = [*panel.places_mm.values(), *panel.screws_mm]
    for x, y in centres:
        drawing.line(page.at((x - 2, y)), page.at((x + 2, y)))
        drawing.line(page.at((x, y - 2)), page.at((x, y + 2)))
    style = {"fill": SIZES, "stroke": "none"}
    for x in sorted({place[0] for place in centres}):
        drawing.line(page.at((x, 0)), page.at((x, 1.0)))
        tip = page.at((x + 0.6, 1.4))
        drawing.words(tip, number(x), 1.8, transform=f"rotate(-90 {number(tip[0])} {number(tip[1])})", **style)
    for y in sorted({place[1] for place in centres}):
        drawing.line(page.at((0, y)), page.at((1.0, y)))
        drawing.words(page.at((1.4, y - 0.6)), number(y), 1.8, **style)
    width, height = (number(length) for length in panel.size_mm)
    said = (
        f"{panel.title}: {width} x {height} mm. Red is cut, dashed only shown. Sizes are mm from the lower left corner."
    )
    drawing.words(page.at((14, panel.size_mm[1] - 3.6)), said, 2.2, **style)
    # A bar outside the panel shows whether the printer kept to the scale.
    left, low = PAGE_MM[0] / 2 - 50, PAGE_MM[1] - 5.5
    drawing.line((left, low), (left + 100, low))
    for x in (left, left + 100):
        drawing.line((x, low - 1.2), (x, low + 1.2))
    drawing.words((PAGE_MM[0] / 2, low - 0.8), "100 mm: measure it after printing", 2.2, "middle", **style)


def panel_svg(netlist: Netlist, panel: Panel) -> str:
    """The panel as SVG on A4 across; printed without scaling, it is a drilling template."""
    drawing = Drawing(*PAGE_MM, f"{netlist.title}: {panel.title}")
    page = _Page(panel)
    found = list(shapes(netlist, panel))
    for layer, style in STYLES.items():
        drawing.open(layer, **style)
        for shape in found:
            if shape.layer == layer:
                _draw(drawing, page, shape)
        drawing.close()
    drawing.open("SIZES", fill="none", stroke=SIZES, stroke_width="0.15")
    _draw_sizes(drawing, page, panel)
    drawing.close()
    return drawing.text()
