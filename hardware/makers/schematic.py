"""The schematic: symbols at their places, wires where pins of a net face one another, and names for what lies apart.

A pin that points at another pin of its net, with nothing between them, is joined to it by a drawn wire. Pieces of a
net that no wire joins carry the net's name: equal names are joined. Supply and ground have their usual signs.
"""

from dataclasses import dataclass

from .netlist import Netlist
from .svg import Drawing, Point
from .symbols import SQUARE_MM, draw_part, pin_ends

SHEET_MM = (420.0, 297.0)  # A3
REACH = 14  # squares; further away a name reads better than a wire
NOTES_MM = (128.0, 250.0)
STUB = 2  # squares from a pin to its net's name


@dataclass(frozen=True)
class End:
    """A pin's end on the sheet, in squares, and the direction away from its part; `net` is None where it is open."""

    ref: str
    pin: str
    net: str | None
    at: Point
    out: Point


def pin_ends_on_sheet(netlist: Netlist) -> list[End]:
    """The ends of all pins, in the netlist's order."""
    ends = []
    for ref, part in netlist.parts.items():
        for pin, (at, out) in pin_ends(netlist.kind_of(ref)).items():
            place = (part.sheet[0] + at[0], part.sheet[1] + at[1])
            ends.append(End(ref, pin, part.nets.get(pin), place, out))
    return ends


def _seen_from(end: End, others: list[End]) -> list[End]:
    """The pins of its net that `end` points at, nearest first, up to the first pin of another net."""
    seen = []
    for other in others:
        along = (other.at[0] - end.at[0]) * end.out[0] + (other.at[1] - end.at[1]) * end.out[1]
        across = (other.at[0] - end.at[0]) * end.out[1] - (other.at[1] - end.at[1]) * end.out[0]
        if across == 0 and 0 < along <= REACH:
            seen.append((along, other))
    seen.sort(key=lambda pair: pair[0])
    joined = []
    for _, other in seen:
        if other.net != end.net:
            break
        joined.append(other)
    return joined


@dataclass(frozen=True)
class Piece:
    """Pins of a net that drawn wires join: the wire from `start` to `stop` in squares, and the pins upon it."""

    net: str
    start: Point
    stop: Point
    out: Point
    on_it: tuple[End, ...]

    @property
    def closed(self) -> bool:
        """Whether a pin that faces the first ends the wire, so that a name has to stand above its middle."""
        return self.on_it[-1].out == (-self.out[0], -self.out[1])


def pieces(netlist: Netlist) -> list[Piece]:
    """Every net but supply and ground as pieces; each pin belongs to exactly one."""
    ends = pin_ends_on_sheet(netlist)
    power = (netlist.supply_net, netlist.ground_net)
    taken: set[tuple[str, str]] = set()
    found = []
    # Pins that see others come first: a capacitor's pin below a wire sees nothing and belongs to the wire's piece.
    ranked = sorted(ends, key=lambda end: -len(_seen_from(end, ends)))
    for end in ranked:
        if end.net is None or end.net in power or (end.ref, end.pin) in taken:
            continue
        seen = [other for other in _seen_from(end, ends) if (other.ref, other.pin) not in taken]
        members = (end, *seen)
        taken |= {(member.ref, member.pin) for member in members}
        found.append(Piece(end.net, end.at, members[-1].at, end.out, members))
    return found


def _mm(at: Point) -> Point:
    return (at[0] * SQUARE_MM, at[1] * SQUARE_MM)


def _draw_piece(drawing: Drawing, piece: Piece, named: bool) -> None:
    stop = piece.stop
    if not piece.closed:
        stop = (stop[0] + STUB * piece.out[0], stop[1] + STUB * piece.out[1])
    drawing.line(_mm(piece.start), _mm(stop))
    for member in piece.on_it[1:]:
        if member.at != stop:
            drawing.circle(_mm(member.at), 0.6, fill="#060")
    x, y = _mm(stop)
    style = {"fill": "#0038a0", "stroke": "none"}
    if piece.closed and named:
        middle = (_mm(piece.start)[0] + x) / 2
        drawing.words((middle, y - 0.6), piece.net, 1.9, "middle", **style)
    elif not piece.closed:
        drawing.words(
            (x + piece.out[0] * 0.8, y + 0.7), piece.net, 1.9, "start" if piece.out[0] > 0 else "end", **style
        )


def _draw_power(drawing: Drawing, end: End, supply: bool) -> None:
    """The sign of supply (an arrow up) or ground (three lines) at the end of a short wire."""
    x, y = _mm(end.at)
    if end.out[0]:
        x += end.out[0] * SQUARE_MM
        drawing.line(_mm(end.at), (x, y))
    if supply:
        drawing.line((x, y), (x, y - 1.5))
        drawing.polygon([(x - 1.0, y - 1.5), (x + 1.0, y - 1.5), (x, y - 3.0)], fill="#c00", stroke="#c00")
        drawing.words((x, y - 3.5), "+5V", 1.7, "middle", fill="#c00", stroke="none")
        return
    drawing.line((x, y), (x, y + 1.2))
    for row, half in enumerate((1.6, 1.0, 0.4)):
        drawing.line((x - half, y + 1.2 + 0.6 * row), (x + half, y + 1.2 + 0.6 * row))


def schematic(netlist: Netlist) -> str:
    """The schematic as SVG, on A3."""
    drawing = Drawing(*SHEET_MM, f"{netlist.title}: schematic")
    drawing.open("frame", fill="none", stroke="#555", stroke_width="0.35")
    drawing.box((7.5, 7.5), (SHEET_MM[0] - 15, SHEET_MM[1] - 15))
    drawing.box((SHEET_MM[0] - 127.5, SHEET_MM[1] - 27.5), (120, 20))
    for row, (text, size) in enumerate(
        [
            (netlist.title, 5.0),
            ("Made from hardware/netlist.toml; equal names are joined. Pins marked x are joined to nothing.", 2.1),
        ]
    ):
        drawing.words((SHEET_MM[0] - 123, SHEET_MM[1] - 19 + 7 * row), text, size, fill="#222", stroke="none")
    for row, note in enumerate(netlist.notes):
        drawing.words((NOTES_MM[0], NOTES_MM[1] + 4.5 * row), note, 2.4, fill="#222", stroke="none")
    drawing.close()
    drawing.open("parts", fill="none", stroke="black", stroke_width="0.3")
    for ref, part in netlist.parts.items():
        draw_part(drawing, netlist, ref, part)
    drawing.close()
    found = pieces(netlist)
    drawing.open("wires", fill="none", stroke="#060", stroke_width="0.3")
    for piece in found:
        _draw_piece(drawing, piece, named=sum(other.net == piece.net for other in found) > 1)
    drawing.close()
    drawing.open("power", fill="none", stroke="black", stroke_width="0.3")
    for end in pin_ends_on_sheet(netlist):
        x, y = _mm(end.at)
        if end.net is None:
            for slope in (-1, 1):
                drawing.line((x - 0.7, y - 0.7 * slope), (x + 0.7, y + 0.7 * slope))
        elif end.net in (netlist.supply_net, netlist.ground_net):
            _draw_power(drawing, end, end.net == netlist.supply_net)
    drawing.close()
    return drawing.text()
