"""Every icon that is named is drawn, inside of its field."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from ui.icons import FIELD, ICONS, Icon, Shape

UI = Path(__file__).resolve().parents[2] / "ui"
_NAMED = re.compile(r"""\bicon\s*[:=]\s*f?['"]([a-z_]+)['"]""")


def extent(shape: Shape) -> list[tuple[float, float]]:
    """Points between which it lies."""
    kind, numbers = shape
    if kind in ("line", "loop", "area"):
        return list(zip(numbers[0::2], numbers[1::2], strict=True))
    x, y, radius = numbers[:3]
    return [(x - radius, y - radius), (x + radius, y + radius)]


@pytest.mark.parametrize("name", list(ICONS))
def test_it_is_drawn_inside_of_its_field(name: str) -> None:
    for shape in ICONS[name]:
        assert shape[0] in ("line", "loop", "area", "ring", "disc", "arc")
        assert all(0.0 <= value <= FIELD for point in extent(shape) for value in point), shape
    assert any(first != second for shape in ICONS[name] for first, second in pairwise(extent(shape)))


def test_no_two_look_the_same() -> None:
    assert len(set(ICONS.values())) == len(ICONS)


def test_every_icon_that_is_named_is_there() -> None:
    named = {
        name for path in (*UI.rglob("*.py"), *UI.rglob("*.kv")) for name in _NAMED.findall(path.read_text()) if name
    }
    assert named - set(ICONS) == set()


def test_it_fits_into_the_smaller_side_and_follows_changes() -> None:
    icon = Icon(name="record", size=(40, 20), pos=(100, 50))
    drawn = len(icon.canvas.children)
    assert drawn > 0
    icon.name = ""
    assert len(icon.canvas.children) == 0
    icon.name = "record"
    assert len(icon.canvas.children) == drawn
    icon.size = (0, 0)
    assert len(icon.canvas.children) == 0
