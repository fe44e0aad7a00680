"""Two pages of tables from the netlist: the breadboard's wiring, and the bill of materials."""

from collections import Counter

from .breadboard import RAILS, Wire, leg_holes, wires
from .netlist import Netlist, Part

# The first prefix that fits gives a wire's colour; a second colour of the same wire is nowhere needed.
COLOURS = {
    "+5V": "red",
    "GND": "black",
    "ENCODER_": "yellow",
    "SWITCH_ENCODER_": "green",
    "SWITCH_PATCH_": "blue",
    "KNOB_": "white",
    "LED_": "orange",
    "SHIFT_": "violet",
    "SWITCH_BITS": "violet",
}


def colour(net: str) -> str:
    """The colour in which to lay a net's wires."""
    return next((name for prefix, name in COLOURS.items() if net.startswith(prefix)), "grey")


def in_words(part: Part) -> str:
    """A part's label in brackets, where it has one."""
    return f" ({part.label})" if part.label else ""


def _end(netlist: Netlist, end: str) -> str:
    if end in RAILS:
        return f"rail {end}"
    ref, _, pin = end.partition(" ")
    return f"{ref}{in_words(netlist.parts[ref])} {pin}" if pin else end


def _wire_rows(netlist: Netlist, numbered: list[tuple[int, Wire]]) -> list[str]:
    rows = ["| wire | from | to | colour | net |", "|---|---|---|---|---|"]
    for number, wire in numbered:
        ends = f"{_end(netlist, wire.start)} | {_end(netlist, wire.end)}"
        rows.append(f"| {number} | {ends} | {colour(wire.net)} | {wire.net} |")
    return rows


def wiring_page(netlist: Netlist) -> str:
    """The wiring table as Markdown: what to push in where, then every wire, numbered in the order of laying."""
    legs = leg_holes(netlist)
    lines = [
        f"# {netlist.title}: wiring on a breadboard",
        "",
        "Made by `python -m hardware.make_drawings` from `netlist.toml`; do not edit it here.",
        "",
        "The breadboard has 830 holes and lies before you with column 1 at the left and row a at the bottom; rows a",
        "to e are the lower half, f to j the upper. Its four rails are called +top, -top, +bottom and -bottom. Where",
        "yours are interrupted in the middle, bridge them. Chips have their notch, the Nano its socket, at the left.",
        "",
        "## 1. Parts on the breadboard",
        "",
        "| part | what | legs |",
        "|---|---|---|",
    ]
    for ref, part in netlist.parts.items():
        kind = netlist.kind_of(ref)
        if part.dip is not None:
            n_columns = len(kind.pins) // 2
            columns = f"columns {part.dip.column} to {part.dip.column + n_columns - 1}"
            where = f"rows {part.dip.lower} and {part.dip.upper}, {columns}"
        elif part.holes is not None:
            where = ", ".join(f"{pin}: {_end(netlist, legs[ref, pin])}" for pin in kind.pins)
        else:
            continue
        lines.append(f"| {ref}{in_words(part)} | {kind.what} | {where} |")
    numbered = list(enumerate(wires(netlist), start=1))
    on_board = [item for item in numbered if " " not in item[1].start + item[1].end]
    to_panel = [item for item in numbered if item not in on_board]
    lines += ["", "## 2. Jumpers on the breadboard", "", *_wire_rows(netlist, on_board)]
    lines += ["", "## 3. Wires to the panel", "", *_wire_rows(netlist, to_panel)]
    lines += ["", "## 4. Every pin of the Nano", "", "| print | controller | net | hole |", "|---|---|---|---|"]
    for ref, part in netlist.parts.items():
        kind = netlist.kind_of(ref)
        for pin in kind.pins if kind.ports else ():
            port = (kind.ports or {}).get(pin, "")
            lines.append(f"| {pin.partition('_')[0]} | {port} | {part.nets.get(pin, '')} | {legs[ref, pin]} |")
    return "\n".join(lines) + "\n"


def bill_page(netlist: Netlist) -> str:
    """The bill of materials as Markdown, with a sum for the electronics and one for everything."""
    lines = [
        f"# {netlist.title}: bill of materials",
        "",
        "Made by `python -m hardware.make_drawings` from `netlist.toml`; do not edit it here.",
        "",
        f"Prices are estimates in euro for single pieces, {netlist.prices_of}, without shipping. They are our",
        "guess and no shop's offer, and shops differ by a factor of two. Passive parts are mostly sold in tens.",
        "",
        "| count | what | parts | each, € | together, € |",
        "|---:|---|---|---:|---:|",
    ]
    electronics_eur = 0.0
    for name, count in Counter(part.kind for part in netlist.parts.values()).items():
        kind = netlist.kinds[name]
        refs = ", ".join(ref for ref, part in netlist.parts.items() if part.kind == name)
        electronics_eur += count * kind.eur
        lines.append(f"| {count} | {kind.what} | {refs} | {kind.eur:.2f} | {count * kind.eur:.2f} |")
    lines.append(f"| | **electronics** | | | **{electronics_eur:.2f}** |")
    all_eur = electronics_eur
    for supply in netlist.supplies:
        all_eur += supply.count * supply.eur
        lines.append(f"| {supply.count} | {supply.what} | | {supply.eur:.2f} | {supply.count * supply.eur:.2f} |")
    lines.append(f"| | **everything** | | | **{all_eur:.2f}** |")
    lines += ["", "A computer or Raspberry Pi, a screen and a box behind the panel are not in it.", ""]
    return "\n".join(lines)
