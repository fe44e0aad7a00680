"""Who holds and who moves what, through a session, and through the socket with two clients."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from synth import session_focus
from synth.control.commands import make_command
from synth.control.parameters import PARAMETERS, Parameter, parameter_named
from synth.io.client import Client
from synth.io.server import Server
from synth.session_focus import BRIEF_S, MOST_HELD, Focus, Moves
from synth.voices.decoder import Decoder
from tests.listening import wait_until
from tests.synth.test_session import Player


class Clock:
    """The time, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = time.monotonic()
        clocks = SimpleNamespace(monotonic=lambda: self.now_s, time=time.time)
        monkeypatch.setattr(session_focus, "time", clocks)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda p: p.name)
def test_a_travel_leads_to_its_value_and_back(parameter: Parameter) -> None:
    for step in range(21):
        value = parameter.from_travel(step / 20)
        travel = parameter.to_travel(value)
        assert 0.0 <= travel <= 1.0
        assert parameter.from_travel(travel) == pytest.approx(value, rel=1e-9, abs=1e-12)
        if parameter.curve != "step":
            assert travel == pytest.approx(step / 20, abs=1e-6)
    assert parameter.to_travel(parameter.minimum - 1.0) == 0.0
    assert parameter.to_travel(parameter.maximum + 1.0) == pytest.approx(1.0)


def test_nudges_follow_the_curve_and_steps_are_whole() -> None:
    release, mode, rate = (parameter_named(name) for name in ("release", "play_mode", "arp_rate"))
    assert release.nudged(release.nudged(1.0, 0.1), 0.1) == pytest.approx(release.nudged(1.0, 0.2))
    assert release.nudged(1.0, 1.0) == release.maximum
    assert [mode.nudged(1.0, travel) for travel in (-0.001, 0.0, 0.001, 1.0)] == [0.0, 1.0, 2.0, 2.0]
    assert rate.nudged(0.0, 0.5) == 4.0
    assert rate.nudged(8.0, 0.01) == 8.0


def test_the_newest_holder_counts_and_then_the_one_before(clock: Clock) -> None:
    focus = Focus()
    assert focus.status() == {}
    focus.hold("attack", "board")
    focus.hold("nw", "screen")
    assert (focus.status()["target"], focus.status()["by"]) == ("nw", "screen")
    focus.release("board too")
    assert focus.status()["by"] == "screen"
    focus.release("screen")
    assert focus.status()["target"] == "attack"
    assert abs(focus.status()["at"] - time.time()) < 60.0
    focus.hold("decay", "board", BRIEF_S)
    clock.now_s += BRIEF_S - 0.1
    assert focus.status()["target"] == "decay"
    clock.now_s += 0.2
    assert focus.status() == {}
    focus.hold("attack", "board")
    focus.hold("attack", "board", BRIEF_S)  # it is touched and turned
    clock.now_s += 10 * BRIEF_S
    assert focus.status()["target"] == "attack"
    for number in range(2 * MOST_HELD):
        focus.hold("attack", f"client {number}")
    for number in range(2 * MOST_HELD):
        focus.release(f"client {number}")
    assert focus.status() == {}


def test_a_parameter_that_moves_fast_is_told_now_and_then_and_its_last_value_always(clock: Clock) -> None:
    told: list[tuple[str, float, str]] = []
    moves = Moves(lambda *what: told.append(what))
    for number in range(100):
        moves.moved("attack", float(number), "screen")
        clock.now_s += 0.001
    moves.moved("decay", 7.0, "midi")
    assert ("decay", 7.0, "midi") in told
    assert told[0] == ("attack", 0.0, "screen")
    assert 3 <= len([what for what in told if what[0] == "attack"]) <= 5
    clock.now_s += 1.0
    moves.look()
    assert told[-1] == ("attack", 99.0, "screen")
    n_told = len(told)
    clock.now_s += 1.0
    moves.look()
    assert len(told) == n_told


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder()


@pytest.fixture
def player(tmp_path: Path, decoder: Decoder) -> Iterator[Player]:
    player = Player(tmp_path, decoder)
    yield player
    player.session.close()


def changes(player: Player) -> dict[str, tuple[float, str]]:
    told = [data for notice, data in player.notices if notice == "parameter_changed"]
    player.notices.clear()
    return {data["parameter"]: (data["value"], data["by"]) for data in told}


def test_everybody_is_told_who_moved_a_parameter(player: Player, clock: Clock) -> None:
    clock.now_s += 1.0
    player.notices.clear()
    player.session.set_values({"attack": 0.5, "x": 0.25}, "screen")
    assert changes(player) == {"attack": (0.5, "screen"), "x": (0.25, "screen")}
    clock.now_s += 1.0
    player.midi(0xB0, 91, 127)
    player.play(0.01)
    player.session.settle()
    assert changes(player) == {"reverb": (1.0, "midi")}
    clock.now_s += 1.0
    player.do("undo")
    assert changes(player) == {"reverb": (0.0, "patch")}
    clock.now_s += 1.0
    player.do("point", x=0.1, y=0.2)
    assert changes(player) == {}


def test_a_nudge_is_an_edit_that_sounds_and_has_the_focus_for_a_moment(player: Player, clock: Clock) -> None:
    clock.now_s += 1.0
    player.notices.clear()
    before = player.status()["parameters"]["release"]
    answer = player.do("nudge", parameter="release", travel=0.25)
    release = parameter_named("release")
    assert answer["value"] == pytest.approx(release.from_travel(release.to_travel(before) + 0.25))
    player.play(0.01)
    assert player.engine_value("release") == answer["value"]
    assert player.status()["parameters"]["release"] == pytest.approx(answer["value"], abs=1e-6)
    assert player.status()["focus"]["target"] == "release"
    assert set(changes(player)) == {"release"}
    clock.now_s += 2.0
    assert "target" not in player.status()["focus"]
    assert player.do("undo") == {"undone": "release"}
    player.do("focus", corner="sw", by="panel 2")
    assert player.status()["focus"]["target"] == "sw"
    assert player.status()["focus"]["by"] == "panel 2"
    player.do("focus", by="panel 2")
    assert "target" not in player.status()["focus"]
    player.do("focus", corner="ne", instrument="flute", by="panel 2")
    assert player.status()["focus"] == {**player.status()["focus"], "target": "ne", "instrument": "flute"}
    player.do("focus", corner="ne", by="panel 2")
    assert "instrument" not in player.status()["focus"]


def test_clients_have_names_and_what_one_holds_that_leaves_is_let_go(player: Player, tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    with Server(player.session, tmp_path / "s") as server:
        player.session.notify = player.session.log.listening(server.notify)
        server.say = player.session.log.say
        listener = Client(tmp_path / "s", name="screen", on_notice=lambda n, data: told.append({"notice": n, **data}))
        to_itself: list[str] = []
        with listener, Client(tmp_path / "s", name="board 日本", on_notice=lambda n, _: to_itself.append(n)) as board:
            listener.subscribe(30.0)
            board.request("focus", parameter="attack")
            listener.wait_for(lambda s: s["focus"] == {**s["focus"], "target": "attack", "by": "board 日本"}, 30.0)
            board.request("set", parameter="attack", value=0.75)
            wait_until(lambda: any(n["notice"] == "parameter_changed" for n in told), "the notice", 30.0)
            (change,) = [n for n in told if n["notice"] == "parameter_changed"]
            assert (change["parameter"], change["value"], change["by"]) == ("attack", 0.75, "board 日本")
            board.request("ping")
            assert "parameter_changed" not in to_itself
            board.send("patch_load", name="nobody has this patch")
            wait_until(lambda: any(n["notice"] == "log_line" for n in told), "the line of the log", 30.0)
            board.close()
            listener.wait_for(lambda s: "target" not in s.get("focus", {}), 30.0)
            (line,) = [line for line in listener.request("log")["lines"] if line["kind"] == "refused"]
            assert "board 日本" in line["words"]
            assert "nobody has this patch" in line["words"]


def test_the_log_is_bounded_and_does_not_flood(player: Player) -> None:
    player.notices.clear()
    for number in range(1000):
        player.session.log.say("refused", f"line {number}")
    lines = player.session.log.lines()
    assert [line["words"] for line in lines] == [f"line {number}" for number in range(800, 1000)]
    assert len([notice for notice, _ in player.notices if notice == "log_line"]) < 100
    player.session.log.listening(lambda *_, **__: None)("audio_changed", words="the card is back")
    assert player.session.log.lines()[-1]["kind"] == "audio_changed"
    assert player.do("log")["lines"] == player.session.log.lines()
    assert make_command("log").name == "log"
