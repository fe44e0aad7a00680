"""The encoder board's netlist: read from its TOML file into values, and refused where it contradicts itself."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NETLIST = Path(__file__).resolve().parent.parent / "netlist.toml"

Pin = tuple[str, str]  # a part's reference and its pin's name
Point = tuple[float, float]


class NetlistError(ValueError):
    """The netlist contradicts itself: what was found, what was expected, what to do."""


@dataclass(frozen=True)
class Kind:
    """What several parts have in common. `pins` in the package's order; lengths in mm, `eur` is the price of one."""

    what: str
    eur: float
    pins: tuple[str, ...]
    symbol: Mapping[str, Any]
    value: str = ""
    ports: Mapping[str, str] | None = None
    hole_mm: float = 0.0
    knob_mm: float = 0.0
    behind_mm: Point = (0.0, 0.0)
    tab_mm: float = 0.0
    tab_from_shaft_mm: Point = (0.0, 0.0)


@dataclass(frozen=True)
class Dip:
    """A part astride the middle of the breadboard, its pin `first` at the left of row `lower`, counted as usual."""

    column: int
    lower: str
    upper: str
    first: int = 1


@dataclass(frozen=True)
class Part:
    """One part: pin -> net in `nets`, pins joined to nothing in `open`, and its place on sheet and breadboard.

    A part with neither `dip` nor `holes` sits on the panel and is reached by loose wires.
    """

    kind: str
    nets: Mapping[str, str]
    sheet: Point
    label: str = ""
    open: tuple[str, ...] = ()
    dip: Dip | None = None
    holes: Mapping[str, str] | None = None

    @property
    def on_panel(self) -> bool:
        """Whether it is screwed into the panel."""
        return self.dip is None and self.holes is None


@dataclass(frozen=True)
class Screen:
    """The window for a touch screen and the room that the screen takes behind it, both around `centre_mm`."""

    centre_mm: Point
    window_mm: Point
    window_corner_mm: float
    behind_mm: Point


@dataclass(frozen=True)
class Panel:
    """A front seen from the player, in mm from its lower left corner, y up; `places_mm` are the centres of holes."""

    title: str
    size_mm: Point
    corner_mm: float
    screw_hole_mm: float
    screws_mm: tuple[Point, ...]
    places_mm: Mapping[str, Point]
    screen: Screen | None = None
    name_mm: Point | None = None  # where the instrument's name is engraved


@dataclass(frozen=True)
class Supply:
    """Something to buy that has no pins."""

    what: str
    count: int
    eur: float


@dataclass(frozen=True)
class Netlist:
    """The whole file."""

    title: str
    supply_net: str
    ground_net: str
    prices_of: str
    notes: tuple[str, ...]
    kinds: Mapping[str, Kind]
    parts: Mapping[str, Part]
    panels: Mapping[str, Panel]
    supplies: tuple[Supply, ...]

    def kind_of(self, ref: str) -> Kind:
        """The kind of the part `ref`."""
        return self.kinds[self.parts[ref].kind]

    def nets(self) -> dict[str, list[Pin]]:
        """Net -> its pins, in the file's order."""
        found: dict[str, list[Pin]] = {}
        for ref, part in self.parts.items():
            for pin, net in part.nets.items():
                found.setdefault(net, []).append((ref, pin))
        return found


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _build(cls: Any, table: Mapping[str, Any], where: str) -> Any:
    """A dataclass from a TOML table; a key that the dataclass lacks, or needs and does not get, is an error."""
    unknown = set(table) - set(cls.__dataclass_fields__)
    if unknown:
        raise NetlistError(f"{where} has {sorted(unknown)[0]!r}, which nothing reads; correct the word or remove it.")
    try:
        return cls(**{key: _tuples(value) for key, value in table.items()})
    except TypeError as error:
        raise NetlistError(f"{where} is incomplete ({error}); add what is missing.") from error


def _part(ref: str, table: Mapping[str, Any]) -> Part:
    where = f"parts.{ref}"
    fields = dict(table)
    if "dip" in fields:
        fields["dip"] = _build(Dip, fields["dip"], f"{where}.dip")
    part: Part = _build(Part, fields, where)
    return part


def _panel(name: str, table: Mapping[str, Any]) -> Panel:
    where = f"panels.{name}"
    fields = dict(table)
    fields["places_mm"] = {ref: _tuples(place) for ref, place in fields.get("places_mm", {}).items()}
    if "screen" in fields:
        fields["screen"] = _build(Screen, fields["screen"], f"{where}.screen")
    panel: Panel = _build(Panel, fields, where)
    return panel


def _check_part(ref: str, part: Part, kinds: Mapping[str, Kind]) -> None:
    if part.kind not in kinds:
        raise NetlistError(f"parts.{ref} is of kind {part.kind!r}; known are {', '.join(kinds)}.")
    pins = kinds[part.kind].pins
    for pin in (*part.nets, *part.open):
        if pin not in pins:
            raise NetlistError(f"parts.{ref} names a pin {pin!r}; {part.kind} has {', '.join(pins)}.")
    for pin in pins:
        if (pin in part.nets) == (pin in part.open):
            raise NetlistError(f"Pin {pin!r} of parts.{ref} has to be either in its nets or in its open pins.")
    if part.holes is not None and set(part.holes) != set(pins):
        raise NetlistError(f"parts.{ref} has holes for {', '.join(part.holes)}; it needs one for each pin.")


def _check_panel(name: str, panel: Panel, netlist: Netlist) -> None:
    expected = {ref for ref, part in netlist.parts.items() if part.on_panel}
    if set(panel.places_mm) != expected:
        wrong = sorted(set(panel.places_mm) ^ expected)
        raise NetlistError(f"panels.{name} and the parts disagree on {', '.join(wrong)}; give each panel part a place.")


def parse_netlist(text: str) -> Netlist:
    """The netlist in TOML `text`.

    Raises:
        NetlistError: a key that nothing reads, a missing or doubly used pin, a part without a place on a panel, or a
            net with a single pin.
    """
    table = tomllib.loads(text)
    if (table.pop("format", None), table.pop("version", None)) != ("tetrad-netlist", 1):
        raise NetlistError('The file is not a netlist of version 1; it has to begin with format = "tetrad-netlist".')
    table["kinds"] = {name: _build(Kind, kind, f"kinds.{name}") for name, kind in table.get("kinds", {}).items()}
    table["parts"] = {ref: _part(ref, part) for ref, part in table.get("parts", {}).items()}
    table["panels"] = {name: _panel(name, panel) for name, panel in table.get("panels", {}).items()}
    table["supplies"] = [_build(Supply, item, "supplies") for item in table.get("supplies", [])]
    netlist: Netlist = _build(Netlist, table, "the file")
    for ref, part in netlist.parts.items():
        _check_part(ref, part, netlist.kinds)
    for net, pins in netlist.nets().items():
        if len(pins) < 2:
            raise NetlistError(f"Net {net!r} ends at {pins[0][0]} {pins[0][1]} alone; join it or call the pin open.")
    for name, panel in netlist.panels.items():
        _check_panel(name, panel, netlist)
    return netlist


def read_netlist(path: Path = NETLIST) -> Netlist:
    """The netlist in the file `path`; raises what `parse_netlist` raises."""
    return parse_netlist(path.read_text(encoding="utf-8"))
