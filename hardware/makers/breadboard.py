"""The board on a breadboard of 830 holes: which hole each leg takes, and the wires that join what the netlist joins.

A breadboard joins the five holes a-e of a column, the five holes f-j of a column, and all holes of a rail. This
module calls such a group a strip: ("lower", 12), ("upper", 12), or a rail's name: "+top", "-top", "+bottom",
"-bottom". Rows a-e are the lower half, so pin 1 of a chip with its notch to the left is at the lower left.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from .netlist import Netlist, NetlistError, Part, Pin

LOWER, UPPER = "abcde", "fghij"
N_COLUMNS = 63
RAILS = ("+top", "-top", "+bottom", "-bottom")
ROWS = LOWER + UPPER

Strip = str | tuple[str, int]


@dataclass(frozen=True)
class Wire:
    """One wire of the table. An end is a hole ("a12"), a rail ("-top"), or a panel part's terminal ("ENC1 A")."""

    net: str
    start: str
    end: str


def strip_of(hole: str) -> Strip:
    """The strip of a hole ("a12" is ("lower", 12)) or of a rail (itself). Raises NetlistError for what is neither."""
    if hole in RAILS:
        return hole
    row, column = hole[:1], hole[1:]
    if row not in ROWS or not column.isdigit() or not 1 <= int(column) <= N_COLUMNS:
        raise NetlistError(f"There is no hole {hole!r}; expected row a to j and column 1 to {N_COLUMNS}, or a rail.")
    return ("lower" if row in LOWER else "upper", int(column))


def _dip_holes(part: Part, pins: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    dip = part.dip
    if dip is None:
        return
    half = len(pins) // 2
    for place in range(len(pins)):
        pin = pins[(dip.first - 1 + place) % len(pins)]
        if place < half:
            yield pin, f"{dip.lower}{dip.column + place}"
        else:
            yield pin, f"{dip.upper}{dip.column + len(pins) - 1 - place}"


def leg_holes(netlist: Netlist) -> dict[Pin, str]:
    """Pin -> its hole or rail, of all parts on the breadboard, open pins included.

    Raises:
        NetlistError: two legs in one hole, a hole under a module, or legs of different nets in one strip.
    """
    holes: dict[Pin, str] = {}
    for ref, part in netlist.parts.items():
        if part.dip is not None:
            holes |= {(ref, pin): hole for pin, hole in _dip_holes(part, netlist.kind_of(ref).pins)}
        elif part.holes is not None:
            holes |= {(ref, pin): hole for pin, hole in part.holes.items()}
    covered = covered_holes(netlist)
    taken: dict[str, Pin] = {}
    net_of: dict[Strip, tuple[str, Pin]] = {
        rail: (netlist.supply_net if rail.startswith("+") else netlist.ground_net, ("the rail", rail)) for rail in RAILS
    }
    for pin, hole in holes.items():
        if hole in covered or (hole in taken and hole not in RAILS):
            other = " ".join(taken.get(hole, ("a", "module above it")))
            raise NetlistError(f"Hole {hole} of {' '.join(pin)} is taken by {other}; choose a free one.")
        taken[hole] = pin
        # An open pin must not meet anything either: its own name stands for a net of its own.
        net = netlist.parts[pin[0]].nets.get(pin[1], f"open pin {pin[1]} of {pin[0]}")
        known, first = net_of.setdefault(strip_of(hole), (net, pin))
        if known != net:
            raise NetlistError(
                f"{' '.join(pin)} ({net}) and {' '.join(first)} ({known}) would be joined by the breadboard at {hole}; "
                "move one of them."
            )
    return holes


def covered_holes(netlist: Netlist) -> set[str]:
    """The holes beneath modules, strictly between their two rows of legs."""
    covered = set()
    for ref, part in netlist.parts.items():
        if part.dip is not None:
            for row in ROWS[ROWS.index(part.dip.lower) + 1 : ROWS.index(part.dip.upper)]:
                for column in range(len(netlist.kind_of(ref).pins) // 2):
                    covered.add(f"{row}{part.dip.column + column}")
    return covered


class _Holes:
    """Hands out free holes of a strip, from the edge of the board inwards; a rail has holes enough."""

    def __init__(self, netlist: Netlist, taken: set[str]) -> None:
        self._used = taken | covered_holes(netlist)

    def free(self, strip: Strip) -> str:
        """A free hole in `strip`, now taken. Raises NetlistError where all five are."""
        if isinstance(strip, str):
            return strip
        half, column = strip
        for row in LOWER if half == "lower" else reversed(UPPER):
            hole = f"{row}{column}"
            if hole not in self._used:
                self._used.add(hole)
                return hole
        raise NetlistError(f"No hole is left in column {column} ({half} half); move a part away from it.")


def _nearest_rail(sign: str, strip: Strip) -> str:
    return f"{sign}{'bottom' if strip[0] == 'lower' else 'top'}"


def wires(netlist: Netlist) -> list[Wire]:
    """The wires to lay, in the order of laying: the rails, then jumpers on the breadboard, then those to the panel.

    A net of n separate pieces gets n - 1 wires. On supply and ground, a strip goes to its nearest rail; panel parts of
    a kind hang on one another in a chain that starts at the lower rail, so that the LEDs' current does not flow in the
    knobs' ground.
    """
    legs = leg_holes(netlist)
    holes = _Holes(netlist, set(legs.values()))
    rails, jumpers, loose = [], [], []
    for net, pins in netlist.nets().items():
        sign = {netlist.supply_net: "+", netlist.ground_net: "-"}.get(net)
        strips = list(dict.fromkeys(strip_of(legs[pin]) for pin in pins if pin in legs))
        terminals = [pin for pin in pins if pin not in legs]
        if sign is not None:
            rails.append(Wire(net, f"{sign}top", f"{sign}bottom"))
            apart = [strip for strip in strips if strip not in RAILS]
            jumpers += [Wire(net, holes.free(strip), _nearest_rail(sign, strip)) for strip in apart]
            last: dict[str, str] = {}
            for ref, pin in terminals:
                kind = netlist.parts[ref].kind
                loose.append(Wire(net, last.get(kind, f"{sign}bottom"), f"{ref} {pin}"))
                last[kind] = f"{ref} {pin}"
            continue
        ordered = sorted(strips, key=lambda strip: (strip[1], strip[0]))
        jumpers += [Wire(net, holes.free(first), holes.free(second)) for first, second in pairwise(ordered)]
        near = f"{terminals[0][0]} {terminals[0][1]}" if terminals and not ordered else ""
        for ref, pin in terminals if ordered else terminals[1:]:
            loose.append(Wire(net, near or holes.free(ordered[0]), f"{ref} {pin}"))
    return rails + jumpers + loose
