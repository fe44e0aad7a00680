"""The panel's shapes in mm, from its lower left corner, x right and y up: what both of its drawings draw.

Layers: CUT goes through the panel, ENGRAVE is written on it, REFERENCE only shows what sits before and behind it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import hypot

from .netlist import Netlist, NetlistError, Panel, Point

CUT, ENGRAVE, REFERENCE = "CUT", "ENGRAVE", "REFERENCE"
TEXT_MM = 3.0
APART_MM = 3.0  # what fingers and a saw need between knobs, and nuts between bodies
EDGE_MM = 4.0  # material left between a hole and the panel's edge


@dataclass(frozen=True)
class Circle:
    """A round hole or the outline of a knob; `name` says whose."""

    layer: str
    name: str
    centre: Point
    diameter: float


@dataclass(frozen=True)
class Box:
    """A rectangle around `centre`, its corners rounded by `corner`."""

    layer: str
    name: str
    centre: Point
    size: Point
    corner: float = 0.0


@dataclass(frozen=True)
class Words:
    """A word with the middle of its base line at `place`, `height` high."""

    layer: str
    text: str
    place: Point
    height: float = TEXT_MM


Shape = Circle | Box | Words


def _label(netlist: Netlist, ref: str, place: Point) -> Words | None:
    """What is engraved at a part: below a knob or encoder its label, right of a button its last word."""
    part, kind = netlist.parts[ref], netlist.kind_of(ref)
    if part.kind == "led":
        return None
    if part.kind == "button":
        return Words(ENGRAVE, part.label.split()[-1], (place[0] + kind.knob_mm / 2 + 4.5, place[1] - TEXT_MM / 2))
    return Words(ENGRAVE, part.label.upper(), (place[0], place[1] - kind.knob_mm / 2 - 2.5 - TEXT_MM))


def shapes(netlist: Netlist, panel: Panel) -> Iterator[Shape]:
    """Everything on the panel; a part's hole and knob carry its reference as name."""
    width, height = panel.size_mm
    yield Box(CUT, "outline", (width / 2, height / 2), panel.size_mm, panel.corner_mm)
    for centre in panel.screws_mm:
        yield Circle(CUT, "screw", centre, panel.screw_hole_mm)
    if panel.screen is not None:
        yield Box(CUT, "window", panel.screen.centre_mm, panel.screen.window_mm, panel.screen.window_corner_mm)
        yield Box(REFERENCE, "screen", panel.screen.centre_mm, panel.screen.behind_mm)
    for ref, place in panel.places_mm.items():
        kind = netlist.kind_of(ref)
        yield Circle(CUT, ref, place, kind.hole_mm)
        if kind.tab_mm:
            tab = (place[0] + kind.tab_from_shaft_mm[0], place[1] + kind.tab_from_shaft_mm[1])
            yield Circle(CUT, f"{ref} tab", tab, kind.tab_mm)
        yield Circle(REFERENCE, ref, place, kind.knob_mm)
        yield Box(REFERENCE, f"{ref} body", place, kind.behind_mm)
        label = _label(netlist, ref, place)
        if label is not None:
            yield label
    if panel.name_mm is not None:
        yield Words(ENGRAVE, "TETRAD", panel.name_mm, 9.0)


def _gap(first: Box, second: Box) -> float:
    """The free width between two boxes along the axis on which they are further apart; negative where they overlap."""
    return max(
        abs(first.centre[axis] - second.centre[axis]) - (first.size[axis] + second.size[axis]) / 2 for axis in (0, 1)
    )


def check_panel(netlist: Netlist, panel: Panel) -> None:
    """Refuse a panel that cannot be built.

    Raises:
        NetlistError: two knobs or two bodies closer than 3 mm, a hole that the screen behind it covers, or anything
            less than 4 mm from the edge.
    """
    found = list(shapes(netlist, panel))
    knobs = [shape for shape in found if isinstance(shape, Circle) and shape.layer == REFERENCE]
    bodies = [shape for shape in found if isinstance(shape, Box) and shape.layer == REFERENCE]
    for one, other in combinations(knobs, 2):
        free = hypot(one.centre[0] - other.centre[0], one.centre[1] - other.centre[1])
        free -= (one.diameter + other.diameter) / 2
        if free < APART_MM:
            raise NetlistError(
                f"{panel.title}: {one.name} and {other.name} are {free:.1f} mm apart in front; {APART_MM} are needed."
            )
    for first, second in combinations(bodies, 2):
        if _gap(first, second) < APART_MM:
            raise NetlistError(
                f"{panel.title}: {first.name} and {second.name} are {_gap(first, second):.1f} mm apart behind; "
                f"{APART_MM} are needed."
            )
    for shape in found:
        if isinstance(shape, Words) or shape.name in ("screw", "outline"):
            continue
        size = (shape.diameter, shape.diameter) if isinstance(shape, Circle) else shape.size
        for axis in (0, 1):
            near = min(shape.centre[axis], panel.size_mm[axis] - shape.centre[axis]) - size[axis] / 2
            if near < EDGE_MM:
                raise NetlistError(f"{panel.title}: {shape.name} is {near:.1f} mm from the edge; {EDGE_MM} are needed.")
