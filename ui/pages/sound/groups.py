"""Which parameters stand together, by the beginnings of their names, and how much fits on the screen at once. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from synth.control.parameters import Parameter

SURFACE = ("x", "y")
"""They belong to the finger on the play page."""
GROUPS: dict[str, tuple[str, ...]] = {
    "envelope": ("position", "attack", "decay", "sustain", "release"),
    "levels": ("volume", "level"),
    "pitch": ("glide", "vibrato", "detune", "tuning"),
    "timbre": ("brightness", "noise", "middle", "evenness"),
    "playing": ("play", "velocity", "unison", "key"),
    "effects": ("chorus", "delay", "reverb"),
    "time": ("tempo", "arp"),
}
"""Group -> first words of the names of its parameters: a new `reverb_colour` stands with the reverb by itself."""
MORE = "more"
"""What no group claims."""

COLUMN_MM, COLUMN_PX, MOST_COLUMNS = 55.0, 300.0, 4
"""The least width of a fader: room for a name and three choices; so many steps that a finger's pixel is no jump."""
ROW_MM, GAP_MM, TITLE_MM = 9.0, 1.5, 5.0
CURVE_MM = 38.0
"""Least height of the envelope's curve: three rows of handles, and a centimetre between them."""

CHIP_MM, SCROLLED_CHIP_MM, TWO_ROWS_MM = 15.5, 18.0, 100.0
"""Width of the longest group's word, and with room around it; a page so high has room for its words in two rows."""


def group_of(name: str) -> str:
    """A parameter's group; "" for the surface's own."""
    if name in SURFACE:
        return ""
    first = name.split("_", 1)[0]
    return next((group for group, prefixes in GROUPS.items() if first in prefixes), MORE)


def grouped(table: Iterable[Parameter]) -> dict[str, list[Parameter]]:
    """Groups that have parameters, in their order, with these in the table's order but for the envelope, which goes
    through a note's life."""
    found: dict[str, list[Parameter]] = {name: [] for name in (*GROUPS, MORE)}
    for parameter in table:
        group = group_of(parameter.name)
        if group:
            found[group].append(parameter)
    return {name: parameters for name, parameters in found.items() if parameters}


def columns_of(width_px: float, px_per_mm: float) -> int:
    """How many faders fit beside each other."""
    by_mm = (width_px / px_per_mm + GAP_MM) / (COLUMN_MM + GAP_MM)
    return min(max(int(min(by_mm, width_px / COLUMN_PX)), 1), MOST_COLUMNS)


@dataclass(frozen=True)
class Room:
    """What groups may fill, in mm. columns: of faders."""

    height_mm: float
    columns: int

    def needs_mm(self, group: str, count: int) -> float:
        """The least height of a group of so many parameters, with its title."""
        rows = math.ceil(count / self.columns)
        if group == "envelope":
            rows = count if self.columns > 1 else rows
            curve_mm = CURVE_MM + (0.0 if self.columns > 1 else rows * (ROW_MM + GAP_MM))
            return max(curve_mm, rows * (ROW_MM + GAP_MM)) + TITLE_MM + GAP_MM
        return rows * (ROW_MM + GAP_MM) + TITLE_MM + GAP_MM


def screens(counts: dict[str, int], room: Room) -> list[list[str]]:
    """Groups that are shown together, in their order: as many as fit, at least one."""
    found: list[list[str]] = []
    left_mm = 0.0
    for group, count in counts.items():
        needs_mm = room.needs_mm(group, count)
        if found and needs_mm <= left_mm:
            found[-1].append(group)
        else:
            found.append([group])
            left_mm = room.height_mm
        left_mm -= needs_mm
    return found


def columns_of_chips(count: int, width_px: float, height_px: float, px_per_mm: float) -> int:
    """Buttons of the groups in a row: all where there is room for their words, in two rows where there is height,
    else all in one that scrolls."""
    if count * CHIP_MM * px_per_mm <= width_px or height_px < TWO_ROWS_MM * px_per_mm:
        return max(count, 1)
    return max(math.ceil(count / 2), 1)


def width_of_chips(count: int, width_px: float, height_px: float, px_per_mm: float) -> float:
    """Of all columns of those buttons: the page's, or more where they scroll."""
    columns = columns_of_chips(count, width_px, height_px, px_per_mm)
    return max(width_px, columns * SCROLLED_CHIP_MM * px_per_mm if columns * CHIP_MM * px_per_mm > width_px else 0.0)
