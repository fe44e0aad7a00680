"""The schematic's symbols: where each pin of a part ends, and how its body is drawn.

Places are in squares of 2.5 mm, relative to the part's place on the sheet, x right and y down.
"""

from collections.abc import Mapping
from typing import Any

from .netlist import Kind, Netlist, Part
from .svg import Drawing, Point

SQUARE_MM = 2.5
PIN_LENGTH = 2  # squares between a box and its pins' ends

# Pin's end and the direction away from the body, for the symbols that are not boxes, in the order of the kind's pins.
SMALL: Mapping[str, tuple[tuple[Point, Point], ...]] = {
    "resistor": (((0, 0), (-1, 0)), ((6, 0), (1, 0))),
    "capacitor": (((0, 0), (0, -1)), ((0, 4), (0, 1))),
    "led": (((0, 0), (-1, 0)), ((5, 0), (1, 0))),
    "button": (((0, 0), (-1, 0)), ((6, 0), (1, 0))),
    "potentiometer": (((0, 6), (0, 1)), ((3, 3), (1, 0)), ((0, 0), (0, -1))),
}


def pin_ends(kind: Kind) -> dict[str, tuple[Point, Point]]:
    """Pin -> (its end, the direction away from the body), of the pins that the symbol shows."""
    symbol = kind.symbol
    if symbol["kind"] != "box":
        return dict(zip(kind.pins, SMALL[symbol["kind"]], strict=True))
    left: dict[str, tuple[Point, Point]] = {pin: ((-PIN_LENGTH, y), (-1, 0)) for pin, y in symbol["left"].items()}
    right: dict[str, tuple[Point, Point]] = {
        pin: ((symbol["width"] + PIN_LENGTH, y), (1, 0)) for pin, y in symbol["right"].items()
    }
    return left | right


def _box(drawing: Drawing, corner: Point, symbol: Mapping[str, Any], pins: tuple[str, ...]) -> None:
    x, y = corner
    width = symbol["width"] * SQUARE_MM
    drawing.box(corner, (width, symbol["height"] * SQUARE_MM), fill="#fff8dc")
    for side, anchor, edge, out in (("left", "start", x, -1), ("right", "end", x + width, 1)):
        for pin, row in symbol[side].items():
            at = y + row * SQUARE_MM
            drawing.line((edge, at), (edge + out * PIN_LENGTH * SQUARE_MM, at))
            drawing.words((edge - out * 1.2, at + 0.7), pin.partition("_")[0], 2.0, anchor, fill="black", stroke="none")
            drawing.words(
                (edge + out * 2.2, at - 0.5), str(pins.index(pin) + 1), 1.5, "middle", fill="#777", stroke="none"
            )


def _resistor(drawing: Drawing, x: float, y: float) -> None:
    drawing.line((x, y), (x + 3.75, y))
    drawing.box((x + 3.75, y - 1.25), (7.5, 2.5), fill="#fff8dc")
    drawing.line((x + 11.25, y), (x + 15, y))


def _capacitor(drawing: Drawing, x: float, y: float) -> None:
    drawing.line((x, y), (x, y + 4.3))
    drawing.line((x - 2, y + 4.3), (x + 2, y + 4.3), stroke_width="0.6")
    drawing.line((x - 2, y + 5.7), (x + 2, y + 5.7), stroke_width="0.6")
    drawing.line((x, y + 5.7), (x, y + 10))


def _led(drawing: Drawing, x: float, y: float) -> None:
    drawing.line((x, y), (x + 12.5, y))
    drawing.polygon([(x + 4.5, y - 1.8), (x + 4.5, y + 1.8), (x + 7.7, y)], fill="#ffb0a0")
    drawing.line((x + 7.7, y - 1.8), (x + 7.7, y + 1.8), stroke_width="0.6")
    for shift in (0.0, 1.6):
        tip = (x + 8.2 + shift, y - 4.2)
        drawing.line((x + 6.4 + shift, y - 2.4), tip)
        drawing.polygon([tip, (tip[0] - 1.0, tip[1] + 0.2), (tip[0] - 0.2, tip[1] + 1.0)], fill="black")


def _button(drawing: Drawing, x: float, y: float) -> None:
    drawing.line((x, y), (x + 4.5, y))
    drawing.line((x + 10.5, y), (x + 15, y))
    for contact in (x + 5, x + 10):
        drawing.circle((contact, y), 0.5, fill="white")
    drawing.line((x + 4.5, y - 1.6), (x + 10.5, y - 1.6), stroke_width="0.5")
    drawing.line((x + 7.5, y - 1.6), (x + 7.5, y - 3.2), stroke_width="0.5")


def _potentiometer(drawing: Drawing, x: float, y: float) -> None:
    drawing.line((x, y), (x, y + 3.75))
    drawing.box((x - 1.25, y + 3.75), (2.5, 7.5), fill="#fff8dc")
    drawing.line((x, y + 11.25), (x, y + 15))
    drawing.line((x + 1.25, y + 7.5), (x + 7.5, y + 7.5))
    drawing.polygon([(x + 1.25, y + 7.5), (x + 2.9, y + 6.7), (x + 2.9, y + 8.3)], fill="black")


SHAPES = {
    "resistor": _resistor,
    "capacitor": _capacitor,
    "led": _led,
    "button": _button,
    "potentiometer": _potentiometer,
}
# Where the reference and the label or value begin, in mm from the part's place.
NAMES: Mapping[str, tuple[Point, Point, str]] = {
    "resistor": ((7.5, -2.0), (7.5, 3.6), "middle"),
    "capacitor": ((2.8, 4.2), (2.8, 7.4), "start"),
    "led": ((18.5, -0.4), (18.5, 2.2), "start"),
    "button": ((7.5, 3.2), (7.5, -4.2), "middle"),
    "potentiometer": ((-2.2, 6.8), (-2.2, 9.6), "end"),
}


def draw_part(drawing: Drawing, netlist: Netlist, ref: str, part: Part) -> None:
    """Draw the part's body and write its reference and what it is beside it."""
    kind = netlist.kinds[part.kind]
    x, y = (square * SQUARE_MM for square in part.sheet)
    shape = kind.symbol["kind"]
    if shape == "box":
        _box(drawing, (x, y), kind.symbol, kind.pins)
        first, second, anchor = (0.0, -0.9), (kind.symbol["width"] * SQUARE_MM, -0.9), "start"
    else:
        SHAPES[shape](drawing, x, y)
        first, second, anchor = NAMES[shape]
    said = part.label or kind.value if shape != "capacitor" else f"{kind.value} {part.label}".strip()
    drawing.words((x + first[0], y + first[1]), ref, 2.2, anchor, fill="#a00", stroke="none")
    anchor = "end" if shape == "box" else anchor
    drawing.words((x + second[0], y + second[1]), said, 2.0, anchor, fill="#333", stroke="none")
