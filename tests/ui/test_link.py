"""The link against the real client and server: what it hears and sends, in which thread; engines that go away."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Any

import pytest
from kivy.clock import Clock

from tests.listening import wait_until
from tests.ui.engine import EngineProcess
from tests.ui.stand_in import StandIn, instrument, refuse, served
from ui import link as link_module
from ui.link import EngineLink
from ui.lists import Lists
from ui.mirror import Mirror


@pytest.fixture
def mirror() -> Mirror:
    return Mirror()


@pytest.fixture
def link(mirror: Mirror, home: Path) -> Iterator[EngineLink]:
    link = EngineLink(mirror, home / "s")
    link.start()
    yield link
    link.close()


def wait(holds: Callable[[], object], what: str) -> None:
    """Until it is so, with Kivy's clock going on as in an app."""

    def look() -> object:
        Clock.tick()
        return holds()

    wait_until(look, what)


def reached(mirror: Mirror) -> None:
    wait(lambda: mirror.connection == "connected" and mirror.parameters, "the connection")


def test_what_the_engine_says_is_in_the_mirror_on_the_main_thread(
    stand_in: StandIn, link: EngineLink, mirror: Mirror
) -> None:
    threads: set[threading.Thread] = set()
    mirror.bind(notes=lambda *_: threads.add(threading.current_thread()))
    mirror.bind(on_notice=lambda *_: threads.add(threading.current_thread()))
    reached(mirror)
    assert link.send("note_on", key=64)
    wait(lambda: [note.key for note in mirror.notes] == [64], "the note")
    stand_in.server.notify("gesture_changed")
    wait(lambda: len(threads) > 0, "the notice")
    assert threads == {threading.main_thread()}


def test_notices_come_all_and_in_their_order(stand_in: StandIn, link: EngineLink, mirror: Mirror) -> None:
    heard: list[int] = []
    mirror.bind(on_notice=lambda _, name, data: heard.append(data["number"]) if name == "import_changed" else None)
    reached(mirror)
    for number in range(300):
        stand_in.server.notify("import_changed", number=number)
    wait(lambda: len(heard) >= 300, "300 notices")
    assert heard == list(range(300))


def test_answers_and_refusals_come_to_who_asked_on_the_main_thread(
    stand_in: StandIn, link: EngineLink, mirror: Mirror
) -> None:
    reached(mirror)
    stand_in.answers["patch_load"] = refuse("there is no patch 'Fog'; save one first")
    heard: list[tuple[str, Any, threading.Thread]] = []
    said: list[tuple[str, str]] = []
    mirror.bind(on_words=lambda _, words, kind: said.append((words, kind)))

    def take(kind: str) -> Callable[[Any], None]:
        return lambda what: heard.append((kind, what, threading.current_thread()))

    link.ask("patches", then=take("then"), failed=take("failed"))
    link.ask("patch_load", name="Fog", then=take("then"), failed=take("failed"))
    wait(lambda: len(heard) == 2, "two answers")
    assert [(kind, thread) for kind, _, thread in heard] == [
        ("then", threading.main_thread()),
        ("failed", threading.main_thread()),
    ]
    assert heard[0][1]["patches"][0]["name"] == "First"
    assert heard[1][1] == "there is no patch 'Fog'; save one first"
    assert said == []
    link.ask("patch_load", name="Fog")
    wait(lambda: said, "the words")
    assert said == [("there is no patch 'Fog'; save one first", "warning")]


def test_what_makes_no_sense_is_words_once_and_never_an_exception(
    stand_in: StandIn, link: EngineLink, mirror: Mirror
) -> None:
    said: list[str] = []
    mirror.bind(on_words=lambda _, words, __: said.append(words))
    reached(mirror)
    for _ in range(50):
        assert not link.send("set", parameter="volum", value=1.0)
    assert not link.send("point", x=float("nan"), y=0.0)
    assert len(said) == 2
    assert "volume" in said[0]
    assert stand_in.named("set") == []


def test_without_an_engine_nothing_raises_and_the_state_says_it(link: EngineLink, mirror: Mirror) -> None:
    failures: list[str] = []
    wait(lambda: mirror.connection_words, "words")
    assert mirror.connection == "connecting"
    assert not link.send("note_on", key=60)
    link.ask("patches", failed=failures.append)
    wait(lambda: failures, "the failure")


def test_lists_are_kept_through_notices_and_another_connection(home: Path, link: EngineLink, mirror: Mirror) -> None:
    lists = Lists(link, mirror)
    with served(home / "s") as stand_in:
        reached(mirror)
        lists.want("instruments")
        lists.want("table")
        wait(lambda: len(mirror.instruments) == 4 and len(mirror.table) == len(stand_in.values), "the lists")
        stand_in.answers["instruments"] = {"instruments": [instrument("bell"), 7, None]}
        stand_in.server.notify("instruments_changed")
        wait(lambda: [one["name"] for one in mirror.instruments] == ["bell"], "the list anew")
    wait(lambda: mirror.connection == "connecting", "the end")
    with served(home / "s") as stand_in:
        stand_in.answers["instruments"] = {"instruments": [instrument("gong")]}
        wait(lambda: [one["name"] for one in mirror.instruments] == ["gong"], "the list of the next engine")
    assert mirror.connections == 2


def test_touches_without_a_reader_neither_wait_nor_raise(home: Path, link: EngineLink, mirror: Mirror) -> None:
    """An engine that says hello and then reads nothing: what does not fit is lost, and the screen goes on."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(home / "s"))
        listener.listen()
        wait(lambda: True, "a frame")
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b'{"type": "hello", "protocol": 1, "engine": "deaf", "process": 1}\n')
            connection.sendall(b'{"type": "reply", "id": 0, "result": {}}\n')
            wait(lambda: mirror.connection == "connected", "the connection")
            sent = [link.send("point", x=0.5, y=0.5) for _ in range(50_000)]
            assert sent[0]
            assert not sent[-1]


def test_an_engine_of_another_version_is_refused_in_words(home: Path, link: EngineLink, mirror: Mirror) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(home / "s"))
        listener.listen()
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b'{"type": "hello", "protocol": 99, "engine": "tetrad 9.0", "process": 1}\n')
            wait(lambda: mirror.connection == "refused", "the refusal")
    assert "99" in mirror.connection_words
    assert not link.send("note_on", key=60)


def test_a_silent_engine_hangs_and_comes_back_without_a_new_connection(
    stand_in: StandIn, link: EngineLink, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "HANGS_AFTER_S", 0.0)  # every engine is silent for longer
    reached(mirror)
    wait(lambda: mirror.connection == "hanging", "the hanging")
    assert "said nothing" in mirror.connection_words
    monkeypatch.setattr(link_module, "HANGS_AFTER_S", 3600.0)
    wait(lambda: mirror.connection == "connected", "the coming back")
    assert mirror.connections == 1


@pytest.mark.slow
@pytest.mark.long
def test_the_real_engine_stopped_continued_killed_and_started_again(
    engine: EngineProcess, link: EngineLink, mirror: Mirror
) -> None:
    reached(mirror)
    states: list[str] = []
    mirror.bind(connection=lambda _, state: states.append(state))
    engine.tell(SIGSTOP)
    began_s = time.monotonic()
    wait(lambda: mirror.connection == "hanging", "the hanging")
    assert time.monotonic() - began_s >= 1.0  # not at the first late status: the engine speaks once a second
    engine.tell(SIGCONT)
    wait(lambda: mirror.connection == "connected", "the coming back")
    assert mirror.connections == 1
    engine.kill()
    wait(lambda: mirror.connection == "connecting", "the end")
    engine.start()
    reached(mirror)
    assert mirror.connections == 2
    assert states == ["hanging", "connected", "connecting", "connected"]
    link.send("note_on", key=60)
    wait(lambda: [note.key for note in mirror.notes] == [60], "the note")
