"""A finger that rests, and frames that come late."""

import time

import pytest
from kivy.clock import Clock

from ui.widgets.held import Held


@pytest.fixture
def calls() -> list[float]:
    a_frame_after(0.0)  # Kivy counts from the last frame
    return []


def a_frame_after(seconds: float, *, then_lifted: Held | None = None) -> None:
    """Kivy's order: the clock's callbacks, touches, callbacks before the frame."""
    time.sleep(seconds)
    Clock.tick()
    if then_lifted is not None:
        then_lifted.end()
    Clock.tick_draw()


def test_it_is_called_once_after_its_time(calls: list[float]) -> None:
    began_s = time.monotonic()
    held = Held(lambda: calls.append(time.monotonic() - began_s), 0.05)
    held.begin()
    while not calls:
        a_frame_after(0.001)
    assert calls[0] >= 0.04  # a frame may run a little before its time
    a_frame_after(0.1)
    assert len(calls) == 1


def test_a_tap_whose_end_was_read_late_is_a_tap(calls: list[float]) -> None:
    held = Held(lambda: calls.append(1.0), 0.02)
    held.begin()
    a_frame_after(0.1, then_lifted=held)
    a_frame_after(0.1)
    assert calls == []


def test_a_second_finger_begins_anew(calls: list[float]) -> None:
    held = Held(lambda: calls.append(1.0), 0.1)
    held.begin()
    a_frame_after(0.06)
    held.begin()
    a_frame_after(0.06)
    assert calls == []
    a_frame_after(0.06)
    assert calls == [1.0]
