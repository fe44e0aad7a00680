"""The list of rows of which only those in sight are widgets, and the meter's and waveform's arithmetic."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kivy.clock import Clock
from kivy.uix.label import Label

from ui.widgets.list import List, rows_in_sight
from ui.widgets.waveform import LEAST, moved, outline


class Line(Label):  # type: ignore[misc]
    def show(self, item: str) -> None:
        self.text = item


@pytest.fixture
def lines() -> tuple[List, list[Line]]:
    """A list of ten rows' height, and every row that it made."""
    made: list[Line] = []

    def make() -> Line:
        made.append(Line())
        return made[-1]

    lines = List(make, size_hint=(None, None), size=(200.0, 400.0), row_height=40.0)
    return lines, made


def seen(lines: List) -> list[str]:
    for _ in range(3):  # the field's own size is laid out a frame later
        Clock.tick()
    return [row.text for row in lines.rows]


def test_five_thousand_items_are_a_dozen_widgets(lines: tuple[List, list[Line]]) -> None:
    a_list, made = lines
    a_list.items = [str(number) for number in range(5000)]
    assert seen(a_list)[:10] == [str(number) for number in range(10)]
    a_list.scroll_y = 0.0
    assert seen(a_list)[-1] == "4999"
    a_list.reveal(2500)
    assert "2500" in seen(a_list)
    a_list.to_top()
    assert seen(a_list)[0] == "0"
    assert len(made) <= 12
    middles = [row.center_y for row in a_list.rows]
    assert middles == sorted(middles, reverse=True)
    assert {round(above - below) for above, below in pairwise(middles)} == {40}


def test_other_items_take_the_place_of_those_before(lines: tuple[List, list[Line]]) -> None:
    a_list, made = lines
    a_list.items = ["a", "b", "c"]
    assert seen(a_list) == ["a", "b", "c"]
    a_list.items = ["d"]
    assert seen(a_list) == ["d"]
    assert [row.text for row in made if not row.disabled] == ["d"]
    a_list.items = []
    assert seen(a_list) == []
    assert all(row.disabled and row.top < 0 for row in made)


def test_a_refresh_shows_the_same_items_anew(lines: tuple[List, list[Line]]) -> None:
    a_list, made = lines
    a_list.items = ["a"]
    assert seen(a_list) == ["a"]
    next(row for row in made if row.text == "a").text = "changed by hand"
    a_list.refresh()
    assert seen(a_list) == ["a"]


@given(st.integers(0, 6000), st.floats(1.0, 100.0), st.floats(0.0, 2000.0), st.floats(-0.5, 1.5))
def test_rows_in_sight_cover_the_view(n_items: int, row_px: float, view_px: float, scroll_y: float) -> None:
    sight = rows_in_sight(n_items, row_px, view_px, scroll_y)
    above_px = (1.0 - min(max(scroll_y, 0.0), 1.0)) * max(n_items * row_px - view_px, 0.0)
    assert len(sight) <= view_px / row_px + 2
    if n_items:
        assert 0 <= sight.start <= above_px / row_px + 1e-6
        assert sight.stop == n_items or sight.stop * row_px >= above_px + view_px - 1e-6


@given(st.floats(0.0, 0.4), st.floats(0.6, 1.0), st.sampled_from(["start", "end"]), st.floats(-2.0, 3.0))
def test_a_takes_ends_stay_in_order(start: float, end: float, handle: str, at: float) -> None:
    now = moved(start, end, handle, at)
    assert 0.0 <= now[0] <= now[1] - LEAST + 1e-9
    assert now[1] <= 1.0
    assert now[1 if handle == "start" else 0] == (end if handle == "start" else start)


def test_a_waveform_is_as_high_as_its_peaks() -> None:
    vertices: Any = outline([0.5, 1.0, 0.0], 10.0, 100.0, 20.0, 40.0)
    points = list(zip(vertices[0::4], vertices[1::4], strict=True))
    assert points[:4] == [(10.0, 110.0), (10.0, 130.0), (20.0, 100.0), (20.0, 140.0)]
    assert points[4][1] == pytest.approx(119.6)
