"""The locked mode: what plays stays in reach, all else says that it is locked, and a held lock opens."""

import time
from types import SimpleNamespace

import pytest
from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.tests.common import UnitTestTouch
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.relativelayout import RelativeLayout
from kivy.uix.widget import Widget

from tests.listening import wait_until
from tests.ui.screen import Screen
from ui.lock import HOLD_S, Awake, plays_at
from ui.mirror import Mirror, Note
from ui.texts import text


def test_what_plays_is_found_however_deep_it_lies() -> None:
    page = BoxLayout(pos=(100, 0), size=(400, 200))
    silent = Widget(pos=(100, 0), size=(200, 200), size_hint=(None, None))
    within = RelativeLayout(pos=(300, 0), size=(200, 200), size_hint=(None, None))
    surface = Widget(pos=(50, 0), size=(100, 200), size_hint=(None, None))
    surface.plays = True
    within.add_widget(surface)
    page.add_widget(silent)
    page.add_widget(within)
    root = Widget(size=(500, 200))
    root.add_widget(page)
    within.pos, silent.pos = (300, 0), (100, 0)
    assert [plays_at(root, x, 100) for x in (50, 150, 320, 351, 449, 460)] == [False, False, False, True, True, False]


def test_the_screen_stays_on_while_it_is_played(monkeypatch: pytest.MonkeyPatch) -> None:
    def may_go_dark_after(seconds: float) -> bool:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            Clock.tick()
            Clock.tick_draw()
            time.sleep(0.005)
        return bool(Window.allow_screensaver)

    monkeypatch.setattr("ui.lock.REST_S", 0.1)
    mirror = Mirror()
    monkeypatch.setattr(App, "get_running_app", staticmethod(lambda: SimpleNamespace(mirror=mirror)))
    awake = Awake()
    assert awake is not None
    assert not Window.allow_screensaver
    assert may_go_dark_after(0.3)
    mirror.notes = (Note(0, 60, 0.5, 0.5, -12.0, ()),)
    assert not may_go_dark_after(0.3)
    mirror.notes = ()
    assert may_go_dark_after(0.3)
    finger = UnitTestTouch(10, 10)
    finger.touch_down()
    assert not may_go_dark_after(0.3)
    finger.touch_up()
    assert may_go_dark_after(0.3)


def test_locked_and_unlocked_by_holding(screen: Screen) -> None:
    lock = {"class": "LockButton"}
    screen.show("patches")
    screen.tap(**lock)
    wait_until(lambda: text("lock.locked") in screen.texts(), "the words that it is locked")
    assert screen.ask("page") == "play"
    assert screen.find(**lock).known["active"]

    screen.tap(page="sound")
    screen.tap(**lock)
    wait_until(lambda: text("lock.hold") in screen.texts(), "the words that a tap does not unlock")
    assert screen.ask("page") == "play", "the way to other pages is locked"
    assert "locked = true" in (screen.home / "ui.toml").read_text()

    finger = screen.panel.put(*screen.find(**lock).place)
    time.sleep(HOLD_S)  # a held finger says nothing: that it counts is what is tested
    wait_until(lambda: text("lock.unlocked") in screen.texts(), "the words that it is unlocked")
    screen.panel.lift(finger)
    screen.tap(page="sound")
    wait_until(lambda: screen.ask("page") == "sound", "another page")
    assert not screen.find(**lock).known["active"]
