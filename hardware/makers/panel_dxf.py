"""The panel as DXF of AutoCAD R12, which every laser cutter's and milling program reads; one unit is one mm.

A DXF file is pairs of lines: a group code, and its value. R12 needs no more than a header, tables that name the line
type and the layers, and the entities.
"""

from collections.abc import Iterator
from math import pi, tan

from .netlist import Netlist, Panel
from .panel import CUT, ENGRAVE, REFERENCE, Box, Circle, Shape, Words, shapes
from .svg import number

# Colours by AutoCAD's index: cutters often tell layers by them.
LAYERS = {CUT: 1, ENGRAVE: 5, REFERENCE: 8}
# A bulge is the tangent of a quarter of the arc's angle; counter-clockwise is positive.
QUARTER_CIRCLE = tan(pi / 8)

Pair = tuple[int, str]


def _header(panel: Panel) -> Iterator[Pair]:
    yield from [(0, "SECTION"), (2, "HEADER"), (9, "$ACADVER"), (1, "AC1009")]
    yield from [(9, "$EXTMIN"), (10, "0"), (20, "0"), (30, "0")]
    yield from [(9, "$EXTMAX"), (10, number(panel.size_mm[0])), (20, number(panel.size_mm[1])), (30, "0")]
    yield from [(0, "ENDSEC"), (0, "SECTION"), (2, "TABLES")]
    yield from [(0, "TABLE"), (2, "LTYPE"), (70, "1"), (0, "LTYPE"), (2, "CONTINUOUS"), (70, "0")]
    yield from [(3, "Solid line"), (72, "65"), (73, "0"), (40, "0"), (0, "ENDTAB")]
    yield from [(0, "TABLE"), (2, "LAYER"), (70, str(len(LAYERS)))]
    for layer, colour in LAYERS.items():
        yield from [(0, "LAYER"), (2, layer), (70, "0"), (62, str(colour)), (6, "CONTINUOUS")]
    yield from [(0, "ENDTAB")]
    yield from [(0, "TABLE"), (2, "STYLE"), (70, "1"), (0, "STYLE"), (2, "STANDARD"), (70, "0"), (40, "0"), (41, "1")]
    yield from [(50, "0"), (71, "0"), (42, "3.5"), (3, "txt"), (4, ""), (0, "ENDTAB"), (0, "ENDSEC")]


def _outline(box: Box) -> Iterator[tuple[float, float, float]]:
    """The corners (x, y, bulge of what follows) of a box, counter-clockwise from its lower left."""
    half_x, half_y, corner = box.size[0] / 2, box.size[1] / 2, box.corner
    turns = [((-1, -1), (1, 0)), ((1, -1), (0, 1)), ((1, 1), (-1, 0)), ((-1, 1), (0, -1))]
    for (side_x, side_y), (go_x, go_y) in turns:
        x, y = box.centre[0] + side_x * half_x, box.centre[1] + side_y * half_y
        if corner == 0:
            yield x, y, 0.0
            continue
        # Come in along the direction before this one, leave along (go_x, go_y); the arc between is a quarter.
        yield x - corner * go_y, y + corner * go_x, QUARTER_CIRCLE
        yield x + corner * go_x, y + corner * go_y, 0.0


def _entity(shape: Shape) -> Iterator[Pair]:
    match shape:
        case Circle():
            yield from [(0, "CIRCLE"), (8, shape.layer)]
            yield from [(10, number(shape.centre[0])), (20, number(shape.centre[1])), (30, "0")]
            yield (40, number(shape.diameter / 2))
        case Box():
            yield from [(0, "POLYLINE"), (8, shape.layer), (66, "1"), (10, "0"), (20, "0"), (30, "0"), (70, "1")]
            for corner_x, corner_y, bulge in _outline(shape):
                yield from [(0, "VERTEX"), (8, shape.layer)]
                yield from [(10, number(corner_x)), (20, number(corner_y)), (30, "0")]
                yield (42, f"{bulge:.9f}")
            yield from [(0, "SEQEND"), (8, shape.layer)]
        case Words():
            x, y = (number(value) for value in shape.place)
            yield from [(0, "TEXT"), (8, shape.layer), (10, x), (20, y), (30, "0"), (40, number(shape.height))]
            yield from [(1, shape.text), (72, "1"), (11, x), (21, y), (31, "0")]


def panel_dxf(netlist: Netlist, panel: Panel) -> str:
    """The panel as DXF R12, its origin the panel's lower left corner."""
    pairs = list(_header(panel))
    pairs += [(0, "SECTION"), (2, "ENTITIES")]
    for shape in shapes(netlist, panel):
        pairs += _entity(shape)
    pairs += [(0, "ENDSEC"), (0, "EOF")]
    return "".join(f"{code:>3}\n{value}\n" for code, value in pairs)
