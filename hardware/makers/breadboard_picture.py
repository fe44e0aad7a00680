"""A picture of the breadboard from above: parts in their holes, every jumper, and where the panel's wires leave."""

from itertools import count

from .breadboard import LOWER, N_COLUMNS, RAILS, ROWS, Wire, leg_holes, wires
from .netlist import Netlist, Part
from .svg import Drawing, Point
from .tables import colour

PITCH_MM = 2.54
MARGIN_MM = (14.0, 34.0)  # room for the panel wires' names above and below
# Heights above row a in squares: the gap in the middle is three squares wide, rails lie outside.
HEIGHTS = {row: float(place if row in LOWER else place + 2) for place, row in enumerate(ROWS)}
RAIL_HEIGHTS = {"-bottom": -3.0, "+bottom": -4.0, "+top": 15.0, "-top": 14.0}
TOP = 16.0
# On paper the usual yellow and white cannot be seen.
INKS = {"yellow": "#c8a000", "white": "#888", "green": "#0a8a2a", "blue": "#1450d0", "violet": "#8a2be2"}


def _place(hole: str, column: float = 0) -> Point:
    """Where a hole is on the sheet in mm; a rail has a hole in each column, and `column` says which."""
    if hole in RAILS:
        height = RAIL_HEIGHTS[hole]
    else:
        height, column = HEIGHTS[hole[0]], int(hole[1:])
    return (MARGIN_MM[0] + column * PITCH_MM, MARGIN_MM[1] + (TOP - height) * PITCH_MM)


def _column(hole: str) -> int:
    return 0 if hole in RAILS else int(hole[1:])


def _board(drawing: Drawing) -> None:
    drawing.open("board", fill="#bbb", stroke="none", font_family="DejaVu Sans, Arial, sans-serif")
    left, top = _place("+top", 0.2)
    right, bottom = _place("+bottom", N_COLUMNS + 0.8)
    drawing.box((left, top - 3), (right - left, bottom - top + 6), 2, fill="#fafaf5", stroke="#999", stroke_width="0.3")
    for rail in RAILS:
        for column in range(1, N_COLUMNS + 1):
            drawing.circle(_place(rail, column), 0.35, fill="#e08080" if rail[0] == "+" else "#8080d0")
        x, y = _place(rail, 0)
        drawing.words((x - 1, y + 0.8), rail, 2.2, "end", fill="#333")
    for row in ROWS:
        for column in range(1, N_COLUMNS + 1):
            drawing.circle(_place(f"{row}{column}"), 0.35)
        x, y = _place(f"{row}1")
        drawing.words((x - 3.3, y + 0.7), row, 2.0, "end", fill="#333")
    for column in (1, *range(5, N_COLUMNS + 1, 5)):
        for rail, down_mm in (("+top", -1.2), ("+bottom", 2.6)):
            x, y = _place(rail, column)
            drawing.words((x, y + down_mm), str(column), 1.6, "middle", fill="#333")
    drawing.close()


def _part(drawing: Drawing, netlist: Netlist, ref: str, part: Part, holes: dict[str, str]) -> None:
    pins = netlist.kind_of(ref).pins
    style = {"fill": "#a00", "stroke": "none"}
    if part.dip is not None:
        places = [_place(hole) for hole in holes.values()]
        left, right = min(x for x, _ in places) - 1.2, max(x for x, _ in places) + 1.2
        top, bottom = min(y for _, y in places), max(y for _, y in places)
        narrow = bottom - top < 4 * PITCH_MM
        size_mm = 0.9 if narrow else 1.5  # two pins' names share the width of the chip
        drawing.box((left, top - 0.6), (right - left, bottom - top + 1.2), 0.6, fill="#dfe6ee", fill_opacity="0.93")
        for pin, hole in holes.items():
            x, y = _place(hole)
            inward = 0.9 if y == top else -0.9
            at = (x + size_mm / 3, y + inward)
            drawing.circle((x, y), 0.45, fill="#444", stroke="none")
            drawing.words(
                at,
                pin.partition("_")[0],
                size_mm,
                "end" if inward > 0 else "start",
                transform=f"rotate(-90 {at[0]:.3f} {at[1]:.3f})",
                fill="black",
                stroke="none",
            )
        middle = (top + bottom) / 2
        if narrow:
            drawing.words((left - 0.8, middle - 0.3), ref, 2.2, "end", **style)
            drawing.words((left - 0.8, middle + 1.9), part.label, 1.5, "end", **style)
        else:
            drawing.words(((left + right) / 2, middle + 0.8), f"{ref} {part.label}", 2.2, "middle", **style)
        return
    column = max(_column(hole) for hole in holes.values()) or N_COLUMNS
    places = [_place(holes[pin], column) for pin in pins]
    drawing.line(places[0], places[-1], stroke="#a06020", stroke_width="1.1", stroke_opacity="0.55")
    for place in places:
        drawing.circle(place, 0.45, fill="#444", stroke="none")
    x, y = ((places[0][axis] + places[-1][axis]) / 2 for axis in (0, 1))
    if places[0][1] == places[-1][1]:
        drawing.words((x, y - 0.7), ref, 1.5, "middle", **style)
    else:
        turn = f"rotate(-90 {x + 1.7:.3f} {y:.3f})"
        drawing.words((x + 1.7, y), ref, 1.4, "middle", transform=turn, **style)


def _wire(drawing: Drawing, wire: Wire, number: int, spare: "count[int]") -> None:
    ink = INKS.get(colour(wire.net), colour(wire.net))
    if " " not in wire.end:
        # Wires between rails: supply and ground beside one another.
        column = max(_column(wire.start), _column(wire.end)) or N_COLUMNS - (1 if wire.start[0] == "-" else 2)
        start, end = _place(wire.start, column), _place(wire.end, column)
        # Bent aside by an eighth of its length, so that wires along a row do not hide one another.
        along, down = (end[0] - start[0]) / 8, (end[1] - start[1]) / 8
        side = 1 if start[1] < _place("e1")[1] else -1
        bend = ((start[0] + end[0]) / 2 + side * down, (start[1] + end[1]) / 2 - side * along)
        if start[0] == end[0]:
            bend = start
        drawing.curve(start, bend, end, stroke=ink, stroke_width="0.7", stroke_opacity="0.8")
        drawing.circle(start, 0.5, fill=ink, stroke="none")
        drawing.circle(end, 0.5, fill=ink, stroke="none")
        return
    if " " in wire.start:
        return  # from panel part to panel part: not on the board
    column = _column(wire.start) or next(spare)
    start = _place(wire.start, column)
    upper = start[1] < _place("e1")[1]
    edge = _place("+top" if upper else "+bottom", column)[1] + (-5 if upper else 5)
    drawing.line(start, (start[0], edge), stroke=ink, stroke_width="0.7", stroke_opacity="0.8")
    drawing.circle(start, 0.5, fill=ink, stroke="none")
    at = (start[0] + 0.6, edge + (-0.8 if upper else 0.8))
    turn = f"rotate(-90 {at[0]:.3f} {at[1]:.3f})"
    anchor = "start" if upper else "end"
    drawing.words(at, f"{number}: {wire.end}", 1.8, anchor, transform=turn, fill=ink, stroke="none")


def breadboard_picture(netlist: Netlist) -> str:
    """The breadboard as SVG, true to scale; the numbers at wires that leave are those of the wiring table."""
    width = 2 * MARGIN_MM[0] + (N_COLUMNS + 1) * PITCH_MM
    height = 2 * MARGIN_MM[1] + (TOP - RAIL_HEIGHTS["+bottom"]) * PITCH_MM
    drawing = Drawing(width, height, f"{netlist.title}: breadboard")
    _board(drawing)
    legs = leg_holes(netlist)
    drawing.open("parts", fill="none", stroke="#333", stroke_width="0.25")
    for ref, part in netlist.parts.items():
        if not part.on_panel:
            pins = netlist.kind_of(ref).pins
            _part(drawing, netlist, ref, part, {pin: legs[ref, pin] for pin in pins})
    drawing.close()
    drawing.open("wires", fill="none")
    spare = count(56)  # columns that nothing else uses, for the rails' wires to the panel
    for number, wire in enumerate(wires(netlist), start=1):
        _wire(drawing, wire, number, spare)
    drawing.close()
    drawing.words((MARGIN_MM[0], height - 3), f"{netlist.title} on a breadboard, from above. Numbers: wiring.md.", 3.0)
    return drawing.text()
