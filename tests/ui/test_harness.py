"""The fixtures themselves: a screen is seen, touched and heard of."""

from collections.abc import Callable

import pytest

from tests.listening import wait_until
from tests.ui.engine import EngineProcess
from tests.ui.screen import Screen
from tests.ui.stand_in import StandIn


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_finger_taps_what_is_seen(rotation: int, stand_in: StandIn, new_screen: Callable[..., Screen]) -> None:
    screen = new_screen(rotation=rotation).connected()
    assert screen.ask("page") == "play"
    screen.tap(**{"class": "RailButton", "page": "sound"})
    wait_until(lambda: screen.ask("page") == "sound", "the page of the sound")
    assert screen.image().size == (800, 480)


@pytest.mark.slow
def test_a_mouse_clicks_in_a_window_of_an_x_server(engine: EngineProcess, x_screen: Screen) -> None:
    x_screen.connected()
    x_screen.click(**{"class": "RailButton", "page": "patches"})
    wait_until(lambda: x_screen.ask("page") == "patches", "the page of the patches")
    colours = x_screen.image().getcolors(1_000_000)
    assert colours is not None
    assert len(colours) > 10
