"""Connection, sound card, recording, import and overload in words; seen on a real screen as its engine dies."""

import threading
from collections.abc import Callable
from signal import SIGCONT, SIGSTOP

import pytest

from tests.listening import wait_until
from tests.ui.engine import EngineProcess
from tests.ui.screen import Screen
from tests.ui.stand_in import StandIn
from ui.banner import LATE_BLOCKS, OVERLOAD_S, Overload, connection_line, engine_lines, time_words
from ui.mirror import Mirror
from ui.texts import text


def keys(mirror: Mirror, overloaded: bool = False) -> list[str]:
    return [line.key for line in engine_lines(mirror, overloaded)]


def test_all_is_well() -> None:
    assert connection_line("connected", "connected to tetrad", True) is None
    assert keys(Mirror()) == []


def test_no_engine_says_what_to_do() -> None:
    for was_connected in (False, True):
        line = connection_line("connecting", "no engine is at /s", was_connected)
        assert line is not None
        assert "tetrad play" in line.words
        assert "tetrad play" in line.brief


def test_another_version_is_said_in_the_clients_words() -> None:
    line = connection_line("refused", "the engine (tetrad 9.0) speaks protocol 9, this client protocol 1", True)
    assert line is not None
    assert "protocol 9, this client protocol 1" in line.words


def test_what_the_status_has_to_say() -> None:
    mirror = Mirror()
    mirror.take_status(
        {
            "audio": {"state": "waiting", "device": "USB Audio", "words": "USB Audio is gone"},
            "recording": {"state": "on", "seconds": 65.2},
            "imports": {"number": 4, "source": "/media/usb/" + "x" * 300 + ".wav", "share": 0.414},
            "voices": {"limit": 12, "most": 16},
        }
    )
    assert keys(mirror, overloaded=True) == ["audio", "overload", "recording", "import"]
    audio, overload, recording, imported = engine_lines(mirror, True)
    assert "USB Audio is gone" in audio.words
    assert "12 voices" in overload.words
    assert recording.words.endswith("1:05")
    assert "41 %" in imported.words
    assert len(imported.words) < 60


def test_nonsense_in_the_status_is_survived() -> None:
    mirror = Mirror()
    mirror.take_status(
        {"audio": 3, "recording": {"state": "on"}, "imports": {"number": 1, "share": 77.0}, "voices": []}
    )
    assert [line.brief for line in engine_lines(mirror, True)][1:] == ["Recording 0:00", "Import 100 %"]


@pytest.mark.parametrize(("seconds", "words"), [(-1.0, "0:00"), (59.9, "0:59"), (65.0, "1:05"), (3723.0, "1:02:03")])
def test_time(seconds: float, words: str) -> None:
    assert time_words(seconds) == words


def test_late_blocks_that_grow_are_an_overload() -> None:
    overload = Overload()
    overload.take(100, 0.0)
    overload.take(100 + LATE_BLOCKS - 1, 1.0)
    assert not overload.now(1.0), "clicks are no overload"
    overload.take(100 + LATE_BLOCKS, 2.0)
    assert overload.now(2.0)
    for second in range(3, 12):
        overload.take(100 + LATE_BLOCKS, float(second))
    assert not overload.now(2.0 + OVERLOAD_S), "it ended"
    overload.take(0, 20.0)
    overload.take(LATE_BLOCKS, 21.0)
    assert overload.now(21.0), "another engine's count begins at 0"


def test_single_late_blocks_far_apart_are_none() -> None:
    overload = Overload()
    for number in range(20):
        overload.take(number, number * OVERLOAD_S)
        assert not overload.now(number * OVERLOAD_S)


def said(screen: Screen, key: str) -> bool:
    """A text of the banner, whole or in a few words."""
    return any(words in screen.texts() for words in (text(key), text(f"{key}.brief")))


def test_an_engine_that_is_killed_and_comes_back(engine: EngineProcess, new_screen: Callable[..., Screen]) -> None:
    screen = new_screen().connected()
    screen.show("patches")
    wait_until(lambda: screen.mirror("patches"), "the patches")
    assert screen.widgets(**{"class": "Pill"}) == []
    engine.client.close()
    engine.kill()
    wait_until(lambda: said(screen, "banner.lost"), "the banner that says that the engine is gone")
    pill = screen.find(**{"class": "Pill"})
    rail = screen.find(**{"class": "LockButton"})
    assert pill.known["rectangle"][0] >= rail.known["rectangle"][2], "it is not over the way to the other pages"
    screen.tap(page="instruments")
    wait_until(lambda: screen.ask("page") == "instruments", "another page without an engine")
    screen.tap(page="patches")
    wait_until(lambda: screen.ask("page") == "patches", "the page of patches again")
    # The screen is back before the engine has said that it plays, and the banner goes after some seconds. (The engine
    # ends with the thread that starts it.)
    watching = threading.Thread(
        target=wait_until, args=(lambda: text("banner.restarted") in screen.texts(), "the banner that says so")
    )
    watching.start()
    engine.start()
    watching.join()
    assert screen.ask("page") == "patches"
    wait_until(lambda: not screen.widgets(**{"class": "Pill"}), "the end of the banner")


def test_a_screen_without_an_engine_says_so(new_screen: Callable[..., Screen]) -> None:
    screen = new_screen(size=(320, 240))
    wait_until(lambda: said(screen, "banner.missing"), "the banner that says that there is no engine")
    for pill in screen.widgets(**{"class": "Pill"}):
        left, bottom, right, top = pill.known["rectangle"]
        assert 0 <= left < right <= 320
        assert 0 <= bottom < top <= 240


def test_an_engine_that_hangs(engine: EngineProcess, new_screen: Callable[..., Screen]) -> None:
    screen = new_screen().connected()
    engine.tell(SIGSTOP)
    try:
        wait_until(lambda: said(screen, "banner.hanging"), "the banner that says that the engine hangs")
    finally:
        engine.tell(SIGCONT)
    wait_until(lambda: not screen.widgets(**{"class": "Pill"}), "the end of the banner")


def test_other_pages_make_room(stand_in: StandIn, new_screen: Callable[..., Screen]) -> None:
    stand_in.more_status = {"recording": {"state": "on", "seconds": 3.0}}
    screen = new_screen().connected()
    screen.show("patches")
    pill = screen.find(**{"class": "Pill"})
    field = screen.find(**{"class": "Field"})
    assert field.known["rectangle"][3] <= pill.known["rectangle"][1]
