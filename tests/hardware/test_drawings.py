"""The makers' drawings: they agree with the firmware's pins, with the netlist, and with one another."""

import math
import re
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from hardware.make_drawings import FOLDER, drawings, main, out_of_date
from hardware.makers.breadboard import leg_holes, wires
from hardware.makers.netlist import NETLIST, NetlistError, parse_netlist, read_netlist
from hardware.makers.panel import check_panel
from hardware.makers.schematic import pieces, pin_ends_on_sheet

PINS_H = NETLIST.parent / "firmware" / "pins.h"
SVG = "{http://www.w3.org/2000/svg}"
PANELS = ("with_screen", "compact")
# Entered by hand from the data sheets: pins of a 74HC165's inputs A..H and of a 74HC595's outputs QA..QH.
INPUTS_165 = (11, 12, 13, 14, 3, 4, 5, 6)
OUTPUTS_595 = (15, 1, 2, 3, 4, 5, 6, 7)


def raw() -> dict[str, Any]:
    """The netlist as TOML alone reads it, without the code under test."""
    return tomllib.loads(NETLIST.read_text(encoding="utf-8"))


def defined(prefix: str) -> dict[str, str]:
    """Name without `prefix` -> what pins.h defines it as."""
    found = re.findall(rf"^#define {prefix}(\w+) (.*?)(?: */\*.*)?$", PINS_H.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(found)


# --- the firmware -----------------------------------------------------------------------------------------------------


def test_every_pin_of_the_firmware_is_the_netlists() -> None:
    header = {
        name: "P" + match[1] + match[2]
        for name, value in defined("PIN_").items()
        if (match := re.fullmatch(r"PIN\(([BCD]), (\d)\)", value)) and not name.startswith("SERIAL_")
    }
    nano = raw()["parts"]["U1"]["nets"]
    ports = raw()["kinds"]["nano"]["ports"]
    assert len(header) == 8 + 4 + 6
    assert header == {net: ports[pin] for pin, net in nano.items() if pin in ports}


def test_the_print_on_the_nano_is_the_headers() -> None:
    said = re.findall(r"PIN\(([BCD]), (\d)\) */\* NANO (?:RX|TX)?(\w+)", PINS_H.read_text(encoding="utf-8"))
    ports = raw()["kinds"]["nano"]["ports"]
    assert len(said) == 20
    prints = {f"P{port}{bit}": name if name[0] in "AD" else f"D{name}" for port, bit, name in said}
    assert prints == {port: name for name, port in ports.items()}


@pytest.mark.parametrize(
    ("prefix", "chip", "package_pins", "count"), [("SWITCH_", "U2", INPUTS_165, 8), ("LED_", "U3", OUTPUTS_595, 4)]
)
def test_the_shift_registers_bits_are_the_headers(
    prefix: str, chip: str, package_pins: tuple[int, ...], count: int
) -> None:
    part = raw()["parts"][chip]
    names = raw()["kinds"][part["kind"]]["pins"]
    bits = {name: int(value) for name, value in defined(prefix).items()}
    assert sorted(bits.values()) == list(range(count))
    for name, bit in bits.items():
        assert part["nets"][names[package_pins[bit] - 1]] == prefix + name


# --- the netlist ------------------------------------------------------------------------------------------------------


def test_the_chips_have_their_data_sheets_pins() -> None:
    kinds = raw()["kinds"]
    for kind, places in {
        "hc165": {1: "SH/LD#", 2: "CLK", 8: "GND", 9: "QH", 10: "SER", 15: "CLK INH", 16: "VCC"},
        "hc595": {8: "GND", 10: "SRCLR#", 11: "SRCLK", 12: "RCLK", 13: "OE#", 14: "SER", 15: "QA", 16: "VCC"},
        "nano": {1: "D1", 2: "D0", 4: "GND_4", 5: "D2", 15: "D12", 16: "D13", 19: "A0", 26: "A7", 27: "5V", 30: "VIN"},
    }.items():
        assert {place: kinds[kind]["pins"][place - 1] for place in places} == places


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("hole_mm = 7.2", "hole_inch = 0.3", "kinds.encoder has 'hole_inch', which nothing reads"),
        ('open = ["QH#"]', "", "Pin 'QH#' of parts.U2 has to be either in its nets or in its open pins"),
        ('open = ["QH#"]', 'open = ["QH#", "A"]', "Pin 'A' of parts.U2 has to be either"),
        ('open = ["QH#"]', 'open = ["QX"]', "parts.U2 names a pin 'QX'"),
        ('kind = "hc165"', 'kind = "hc166"', "parts.U2 is of kind 'hc166'; known are nano, hc165"),
        ('D10 = "SHIFT_LATCH"', 'D10 = "SHIFT_LACH"', "Net 'SHIFT_LACH' ends at U1 D10 alone"),
        ("ENC1 = [24.5, 168.5]", "", "panels.with_screen and the parts disagree on ENC1"),
        ('holes = { 1 = "j11", 2 = "-top" }', 'holes = { 1 = "j11" }', "parts.C1 has holes for 1; it needs one"),
        ("eur = 6.00", "", "kinds.nano is incomplete"),
        ("version = 1", "version = 2", "not a netlist of version 1"),
    ],
)
def test_a_netlist_that_contradicts_itself_is_refused(old: str, new: str, message: str) -> None:
    text = NETLIST.read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(NetlistError, match=re.escape(message)):
        parse_netlist(text.replace(old, new, 1))


# --- the breadboard ---------------------------------------------------------------------------------------------------


def strip(hole: str) -> str:
    """What the metal under a hole is called; written anew here, so that the table is read by other eyes."""
    if hole.startswith("rail "):
        return hole
    assert re.fullmatch(r"[a-j]([1-9]|[1-5]\d|6[0-3])", hole), hole
    return ("low" if hole[0] in "abcde" else "high") + hole[1:]


def wires_of_the_page() -> list[tuple[str, str]]:
    page = (FOLDER / "wiring.md").read_text(encoding="utf-8")
    return [(start, end) for start, end in re.findall(r"^\| \d+ \| (.+?) \| (.+?) \| \w+ \|", page, re.MULTILINE)]


def terminal(end: str) -> str:
    """ "RV1 (position) LOW" is "RV1 LOW", and a hole is its strip."""
    match = re.fullmatch(r"([A-Z]+\d+) (?:\(.*?\) )?(\w+)", end)
    return f"{match[1]} {match[2]}" if match else strip(end)


def test_the_wiring_table_joins_what_the_netlist_joins_and_nothing_else() -> None:
    netlist = read_netlist()
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    for start, end in wires_of_the_page():
        first, second = root(terminal(start)), root(terminal(end))
        assert first != second, f"a wire from {start} to {end} joins what is joined"
        parent[first] = second
    for (ref, pin), hole in leg_holes(netlist).items():
        parent[root(f"{ref} {pin}")] = root(strip(hole if hole[0] in "abcdefghij" else f"rail {hole}"))
    pins = {f"{ref} {pin}": net for ref, part in raw()["parts"].items() for pin, net in part["nets"].items()}
    pins |= {f"{ref} {pin}": "" for ref, part in raw()["parts"].items() for pin in part.get("open", ())}
    for (one, net), (other, other_net) in combinations(pins.items(), 2):
        assert (root(one) == root(other)) == (net == other_net != ""), f"{one} and {other}"


def test_no_hole_is_used_twice_and_none_under_the_nano() -> None:
    legs = [hole for hole in leg_holes(read_netlist()).values() if hole[0] in "abcdefghij"]
    ends = [end for wire in wires_of_the_page() for end in wire if re.fullmatch(r"[a-j]\d+", end)]
    used = legs + ends
    assert len(used) == len(set(used)) > 150
    under = {f"{row}{column}" for row in "efg" for column in range(1, 16)}
    assert not under & set(used)


def test_the_chips_sit_with_their_notch_to_the_left() -> None:
    holes = leg_holes(read_netlist())
    names = raw()["kinds"]["hc165"]["pins"]
    assert [holes["U2", names[number - 1]] for number in (1, 8, 9, 16)] == ["e20", "e27", "f27", "f20"]
    # The Nano's USB socket is between D12 and D13.
    assert [holes["U1", pin] for pin in ("D12", "D13", "D1", "VIN")] == ["h1", "d1", "h15", "d15"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('1 = "j27", 2 = "j31"', '1 = "j27", 2 = "j26"', "would be joined by the breadboard at"),
        ('1 = "j27", 2 = "j31"', '1 = "j27", 2 = "j2"', "would be joined by the breadboard at"),
        ('1 = "j27", 2 = "j31"', '1 = "j27", 2 = "g1"', "Hole g1 of R5 2 is taken by a module above it"),
        ('1 = "j27", 2 = "j31"', '1 = "f27", 2 = "j31"', "Hole f27 of R5 1 is taken by U2 QH"),
        ('1 = "j27", 2 = "j31"', '1 = "j27", 2 = "j64"', "There is no hole 'j64'"),
    ],
)
def test_a_leg_in_the_wrong_hole_is_refused(old: str, new: str, message: str) -> None:
    text = NETLIST.read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(NetlistError, match=re.escape(message)):
        wires(parse_netlist(text.replace(old, new, 1)))


# --- the schematic ----------------------------------------------------------------------------------------------------


def test_each_drawn_wire_joins_pins_of_one_net_and_every_pin_has_one() -> None:
    root = ET.parse(FOLDER / "schematic.svg").getroot()
    group = next(group for group in root if group.get("id") == "wires")
    ends = pin_ends_on_sheet(read_netlist())
    assert len({end.at for end in ends}) == len(ends)
    joined: list[tuple[str, str]] = []
    for line in group.findall(f"{SVG}line"):
        x1, x2, y1, y2 = (float(line.attrib[key]) / 2.5 for key in ("x1", "x2", "y1", "y2"))
        assert y1 == y2
        on_it = [end for end in ends if end.at[1] == y1 and min(x1, x2) <= end.at[0] <= max(x1, x2)]
        assert len({end.net for end in on_it}) == 1, on_it
        joined += [(end.ref, end.pin) for end in on_it]
    signals = [(end.ref, end.pin) for end in ends if end.net not in (None, "+5V", "GND")]
    assert sorted(joined) == sorted(signals)


def test_the_schematic_shows_every_pin_and_names_every_net_that_is_in_pieces() -> None:
    netlist = read_netlist()
    words = [text.text for text in ET.parse(FOLDER / "schematic.svg").iter(f"{SVG}text")]
    found = pieces(netlist)
    members = [(end.ref, end.pin) for piece in found for end in piece.on_it]
    expected = [pin for net, pins in netlist.nets().items() if net not in ("+5V", "GND") for pin in pins]
    assert sorted(members) == sorted(expected)
    for net in {piece.net for piece in found}:
        n_pieces = sum(piece.net == net for piece in found)
        assert words.count(net) == (n_pieces if n_pieces > 1 else 0), net
    assert len(pin_ends_on_sheet(netlist)) == sum(len(netlist.kind_of(ref).pins) for ref in netlist.parts)


# --- the panel --------------------------------------------------------------------------------------------------------


def dxf_entities(name: str) -> Iterator[tuple[str, dict[int, list[str]]]]:
    """(type, group code -> values) of each entity; a file whose pairs or sections do not close fails here."""
    lines = (FOLDER / f"panel_{name}.dxf").read_text(encoding="ascii").splitlines()
    assert len(lines) % 2 == 0
    pairs = [(int(lines[i]), lines[i + 1]) for i in range(0, len(lines), 2)]
    assert pairs[-1] == (0, "EOF")
    assert pairs.count((0, "SECTION")) == pairs.count((0, "ENDSEC")) == 3
    inside = pairs[pairs.index((2, "ENTITIES")) + 1 : -2]
    starts = [i for i, (code, _) in enumerate(inside) if code == 0]
    for start, stop in zip(starts, [*starts[1:], len(inside)], strict=True):
        values: dict[int, list[str]] = {}
        for code, value in inside[start + 1 : stop]:
            values.setdefault(code, []).append(value)
        yield inside[start][1], values


def svg_holes(name: str) -> dict[str, tuple[float, float, float]]:
    """Part -> (x, y, diameter) in mm of what is cut, x right and y up from anywhere."""
    root = ET.parse(FOLDER / f"panel_{name}.svg").getroot()
    width, height = (float(root.attrib[key].removesuffix("mm")) for key in ("width", "height"))
    assert root.attrib["viewBox"] == f"0 0 {width:g} {height:g}"  # one unit is one mm
    cut = next(group for group in root if group.get("id") == "CUT")
    circles = (circle.attrib for circle in cut.iter(f"{SVG}circle"))
    return {
        circle["data-part"]: (float(circle["cx"]), height - float(circle["cy"]), 2 * float(circle["r"]))
        for circle in circles
        if circle["data-part"] != "screw"
    }


@pytest.mark.parametrize("name", PANELS)
def test_distances_in_both_drawings_are_the_netlists(name: str) -> None:
    places = raw()["panels"][name]["places_mm"]
    holes = svg_holes(name)
    circles = {
        (float(values[10][0]), float(values[20][0])): 2 * float(values[40][0])
        for kind, values in dxf_entities(name)
        if kind == "CIRCLE" and values[8] == ["CUT"]
    }
    assert len(places) == 4 + 6 + 4 + 4
    for (one, at), (other, other_at) in combinations(places.items(), 2):
        expected = math.dist(at, other_at)
        assert math.dist(holes[one][:2], holes[other][:2]) == pytest.approx(expected, abs=0.002)
    for ref, (x, y) in places.items():
        hole_mm = raw()["kinds"][raw()["parts"][ref]["kind"]]["hole_mm"]
        assert holes[ref][2] == pytest.approx(hole_mm)
        assert circles[x, y] == pytest.approx(hole_mm)
    tabs = {place: size for place, size in circles.items() if size == 3.0}
    assert len(tabs) == 6
    assert all(any(math.dist(tab, places[f"RV{i}"]) == pytest.approx(7.8) for i in range(1, 7)) for tab in tabs)


@pytest.mark.parametrize("name", PANELS)
def test_the_outline_of_the_dxf_is_closed_and_of_the_panels_size(name: str) -> None:
    vertices: list[list[tuple[float, float, float]]] = []
    for kind, values in dxf_entities(name):
        if kind == "POLYLINE":
            assert values[70] == ["1"]  # closed
            vertices.append([])
        if kind == "VERTEX":
            vertices[-1].append((float(values[10][0]), float(values[20][0]), float(values[42][0])))
    outline = vertices[0]
    width, height = raw()["panels"][name]["size_mm"]
    assert (min(v[0] for v in outline), max(v[0] for v in outline)) == (0, width)
    assert (min(v[1] for v in outline), max(v[1] for v in outline)) == (0, height)
    # Every arc turns left by a quarter and every straight line is parallel to an axis: a rounded box, once around.
    turned = sum(4 * math.degrees(math.atan(bulge)) for _, _, bulge in outline)
    assert turned == pytest.approx(360, abs=1e-4)
    for (x0, y0, bulge), (x1, y1, _) in zip(outline, [*outline[1:], outline[0]], strict=True):
        if bulge:
            assert (abs(x1 - x0), abs(y1 - y0)) == (4, 4)
        else:
            assert x0 == x1 or y0 == y1


@pytest.mark.parametrize(
    ("ref", "place", "message"),
    [
        ("RV2", (60.0, 43.0), "RV1 and RV2 are -3.5 mm apart in front"),
        ("ENC1", (40.0, 168.5), "screen and ENC1 body are -5.5 mm apart behind"),
        ("ENC1", (12.0, 100.0), "ENC1 is 2.0 mm from the edge"),
    ],
)
def test_a_panel_that_cannot_be_built_is_refused(ref: str, place: tuple[float, float], message: str) -> None:
    netlist = read_netlist()
    panel = netlist.panels["with_screen"]
    check_panel(netlist, panel)
    with pytest.raises(NetlistError, match=re.escape(message)):
        check_panel(netlist, replace(panel, places_mm={**panel.places_mm, ref: place}))


# --- the bill, and all files ------------------------------------------------------------------------------------------


def test_the_bill_counts_every_part_once_and_adds_up() -> None:
    page = (FOLDER / "bill_of_materials.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| .*? \| (.*?) ?\| ([\d.]+) \| ([\d.]+) \|$", page, re.MULTILINE)
    parts = [ref for _, refs, _, _ in rows for ref in refs.split(", ") if ref]
    assert sorted(parts) == sorted(raw()["parts"])
    assert all(int(count) == len(refs.split(", ")) for count, refs, _, _ in rows if refs)
    assert all(int(count) * float(each) == pytest.approx(float(row), abs=0.005) for count, _, each, row in rows)
    everything = re.search(r"\*\*everything\*\* \| \| \| \*\*([\d.]+)\*\*", page)
    assert everything is not None
    assert sum(float(row) for *_, row in rows) == pytest.approx(float(everything[1]), abs=0.005)


def test_the_drawings_are_up_to_date() -> None:
    assert out_of_date(drawings(read_netlist())) == [], "run `python -m hardware.make_drawings`"
    assert main(["--check"]) == 0


def test_a_drawing_that_differs_is_missing_or_left_over_is_named(tmp_path: Path) -> None:
    made = drawings(read_netlist())
    for name, text in made.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert out_of_date(made, tmp_path) == []
    (tmp_path / "wiring.md").write_text(made["wiring.md"].replace("| j3 |", "| j4 |"), encoding="utf-8")
    (tmp_path / "panel_compact.dxf").unlink()
    (tmp_path / "panel_old.svg").write_text("<svg/>", encoding="utf-8")
    assert out_of_date(made, tmp_path) == ["panel_compact.dxf", "panel_old.svg", "wiring.md"]


@pytest.mark.parametrize("page", ["ASSEMBLY.md", "FLASHING.md"])
def test_the_notes_name_what_there_is(page: str) -> None:
    text = (NETLIST.parent / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)", text)
    assert [link for link in links if not (NETLIST.parent / link).exists()] == []
    refs = re.findall(r"\b(?:U|R|C|RN|RV|ENC|SW|LED)\d+\b", text)
    assert set(refs) <= set(raw()["parts"])
    assert refs


def test_the_fuses_say_what_their_table_says() -> None:
    """Bits as the ATmega328P's data sheet numbers them; a programmed fuse reads 0."""
    text = (NETLIST.parent / "FLASHING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (low|high|extended) \| 0x(\w\w) \| (.*) \|$", text, re.MULTILINE)
    assert [name for name, *_ in rows] == ["low", "high", "high", "high", "extended"]
    for name, value, words in rows:
        bits = int(value, 16)
        if name == "high":
            assert bits & 0b11110000 == 0b11010000  # reset pin kept, no debugWIRE, SPI programming on, watchdog free
            assert bits & 0b1000 == 0  # EESAVE
            assert (bits & 1 == 0) == ("no bootloader" not in words)  # BOOTRST
            if bits & 1 == 0:
                boot_bytes = 512 << (3 - (bits >> 1 & 3))
                assert ("512 bytes" if boot_bytes == 512 else f"{boot_bytes // 1024} KB") in words
        elif name == "extended":
            assert bits & 0b111 == 0b100  # 4.3 V
        else:
            assert bits == 0xFF
    commands = dict(re.findall(r"(lfuse|hfuse|efuse):w:0x(\w\w)", text))
    assert commands == {"lfuse": rows[0][1], "hfuse": rows[1][1], "efuse": rows[4][1]}


def test_the_picture_of_the_breadboard_shows_every_leg_and_every_wire_that_leaves() -> None:
    root = ET.parse(FOLDER / "breadboard.svg").getroot()
    groups = {group.get("id"): group for group in root if group.get("id")}
    x0, y0 = 14 + 2.54, 34 + 16 * 2.54  # hole a1

    def hole(circle: ET.Element) -> tuple[int, int]:
        column, height = (float(circle.attrib["cx"]) - x0) / 2.54, (y0 - float(circle.attrib["cy"])) / 2.54
        assert abs(column - round(column)) < 0.001 > abs(height - round(height))
        return round(column) + 1, round(height)

    drawn = {hole(circle) for circle in groups["parts"].iter(f"{SVG}circle")}
    heights = dict(zip("abcdefghij", (0, 1, 2, 3, 4, 7, 8, 9, 10, 11), strict=True))
    legs = [leg for leg in leg_holes(read_netlist()).values() if leg[0] in heights]
    assert {(int(leg[1:]), heights[leg[0]]) for leg in legs} <= drawn
    page = (FOLDER / "wiring.md").read_text(encoding="utf-8")
    leaving = re.findall(r"^\| (\d+) \| (?:[a-j]\d+|rail \S+) \| ([A-Z]+\d+) \(.*?\) (\w+) \|", page, re.MULTILINE)
    said = [text.text or "" for text in groups["wires"].iter(f"{SVG}text")]
    assert sorted(said) == sorted(f"{number}: {ref} {pin}" for number, ref, pin in leaving)
    assert len(said) > 20
