"""The client against a real server, in this process and others, through every way in which an engine can go away."""

import concurrent.futures
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from synth.errors import TetradError
from synth.io import greeting as greeting_module
from synth.io.client import (
    Client,
    ClientError,
    EngineBusyError,
    EngineGoneError,
    OtherVersionError,
    RefusedError,
    State,
)
from synth.io.server import Server
from tests.synth.io.small_engine import LIMIT_S, SmallEngine, wait_until

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def engine() -> SmallEngine:
    return SmallEngine()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.sock"


@pytest.fixture
def server(engine: SmallEngine, path: Path) -> Iterator[Server]:
    with Server(engine, path) as server:
        yield server


def test_commands_requests_and_refusals(server: Server, engine: SmallEngine) -> None:
    with Client(server.path, name="test") as client:
        assert client.engine.startswith("tetrad ")
        client.send("point", x=0.25, y=1.0)
        client.send("set", parameter="play_mode", value="mono")
        assert len(client.request("instruments")["instruments"]) == 5000
        with pytest.raises(RefusedError, match="there is no patch 'Fog'; save one first"):
            client.request("patch_load", name="Fog")
        with pytest.raises(TetradError, match="nearest are: volume"):
            client.send("set", parameter="volum", value=0.0)
        with pytest.raises(TetradError, match="nearest are: panic"):
            client.send("pnaic")
        with pytest.raises(TetradError, match="finite"):
            client.send("point", x=float("nan"), y=0.0)
        with pytest.raises(ClientError, match="started already"):
            client.start()
        with pytest.raises(ClientError, match="at most 65536"):
            client.send("midi_settings", settings={"pad": "x" * 70_000})
    assert engine.names()[:3] == ["point", "set", "instruments"]
    assert engine.values["play_mode"] == 1.0
    assert client.state is State.CLOSED
    with pytest.raises(EngineGoneError, match="closed"):
        client.send("panic")
    client.close()


def test_answers_find_their_requests(server: Server, engine: SmallEngine) -> None:
    with Client(server.path) as client:
        slow = [client.ask("corner", corner="nw", instrument=f"flute {n}") for n in range(3)]
        client.request("ping")
        for n in (2, 0, 1):
            engine.slow[n].set_result({"n": n})
        assert [future.result(LIMIT_S) for future in slow] == [{"n": 0}, {"n": 1}, {"n": 2}]
        late = client.ask("corner", corner="nw", instrument="horn")
        assert late.cancel()
        client.request("ping")
        engine.slow[3].set_result({})
        client.request("ping")
        with pytest.raises(EngineBusyError, match=r"did not answer corner for 0\.01 s"):
            client.request("corner", corner="nw", instrument="horn", timeout_s=0.01)
        left = client.ask("corner", corner="nw", instrument="horn")
    with pytest.raises(EngineGoneError, match="went away before it answered"):
        left.result(LIMIT_S)


def test_status_is_mirrored(server: Server, engine: SmallEngine) -> None:
    heard: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = []
    with Client(server.path, on_status=lambda status, changed: heard.append((status, changed))) as client:
        assert client.status == {}
        client.subscribe()
        client.wait_for(lambda status: status["parameters"]["x"] == 0.5)
        client.send("point", x=0.125, y=0.5)
        status = client.wait_for(lambda status: status["parameters"]["x"] == 0.125)
        assert status["parameters"] == engine.values
        assert client.status is status
        wait_until(lambda: any(changed == {"parameters": {"x": 0.125}} for _, changed in heard), "the callback")
        with pytest.raises(EngineBusyError, match="no status did"):
            client.wait_for(lambda status: status["no such entry"], timeout_s=0.05)
        seen = []
        for status in client.statuses():
            seen.append(status)
            client.send("set", parameter="tempo", value=100 + len(seen))
            if status["parameters"]["tempo"] > 105:
                break
        assert client.silent_s < LIMIT_S
        assert client.failure is None


def test_notices_and_refusals_without_a_number_are_heard(server: Server) -> None:
    heard: list[tuple[str, Mapping[str, Any]]] = []
    with Client(server.path, on_notice=lambda notice, data: heard.append((notice, dict(data)))) as client:
        server.notify("corner_changed", corner="nw", instrument="日本語 🎻 ..//x")
        client.send("patch_load", name="Fog")
        wait_until(lambda: len(heard) == 2, "both")
    assert sorted(heard) == [
        ("corner_changed", {"corner": "nw", "instrument": "日本語 🎻 ..//x"}),
        ("refused", {"words": "there is no patch 'Fog'; save one first"}),
    ]


def test_a_callback_that_raises_or_requests_ends_nothing(server: Server) -> None:
    client = Client(server.path, on_status=lambda status, changed: client.request("ping"))
    with client:
        client.subscribe()
        wait_until(lambda: client.failure is not None, "the failure")
        assert "ask was expected" in str(client.failure)
        assert client.request("ping") == {}


def test_a_callback_may_close_the_client(server: Server) -> None:
    states: list[State] = []
    client = Client(
        server.path,
        on_status=lambda status, changed: client.close(),
        on_state=lambda state, words: states.append(state),
    )
    client.start()
    client.subscribe()
    wait_until(lambda: states == [State.CONNECTED, State.CLOSED], "the end")


def test_no_engine_is_said_in_words(path: Path) -> None:
    client = Client(path)
    with pytest.raises(EngineGoneError, match=r"no engine is at .*engine\.sock \(No such file"):
        client.connect(timeout_s=0.2)
    assert client.state is State.CONNECTING
    with pytest.raises(EngineGoneError, match=r"start it with `tetrad play`"):
        client.send("panic")
    client.close()
    with pytest.raises(EngineGoneError, match="no engine"), Client(path.with_name("other.sock")):
        pytest.fail("there is no engine")


def test_an_engine_that_starts_later_is_found_and_one_that_stops_is_found_again(
    engine: SmallEngine, path: Path
) -> None:
    states: list[tuple[State, str]] = []
    client = Client(path, on_state=lambda state, words: states.append((state, words)))
    client.start()
    client.subscribe(20.0)
    wait_until(lambda: "no engine is at" in client.words, "the first look")
    with Server(engine, path):
        status = client.wait_for(lambda status: status["parameters"]["x"] == 0.5)
    wait_until(lambda: not client.connected, "the loss")
    assert client.status == status  # the screen keeps its page
    wait_until(lambda: "no engine is at" in client.words, "another look")
    with pytest.raises(EngineGoneError, match=r"gone|no engine"):
        client.send("panic")
    engine.values["x"] = 1.0
    with Server(engine, path):
        client.wait_for(lambda status: status["parameters"]["x"] == 1.0)
        assert client.request("ping") == {}
        client.close()
    kinds = [state for state, _ in states]
    assert kinds.count(State.CONNECTED) == 2
    assert kinds[0] is State.CONNECTING or kinds[0] is State.CONNECTED
    assert kinds[-1] is State.CLOSED
    assert any("the engine is gone; looking for it again" in words for _, words in states)


def test_an_engine_of_another_version_is_named_with_ours(path: Path) -> None:
    with FalseEngine(path, b'{"type": "hello", "protocol": 7, "engine": "tetrad 9.9"}\n') as false_engine:
        client = Client(path)
        with pytest.raises(OtherVersionError, match=r"tetrad 9\.9\) speaks protocol 7, this client protocol 1"):
            client.connect()
        assert client.state is State.REFUSED
        # The engine is updated: the client finds out by itself.
        false_engine.words = (
            b'{"type": "hello", "protocol": 1, "engine": "x"}\n{"type": "reply", "id": 0, "result": {}}\n'
        )
        wait_until(lambda: client.connected, "the connection")
        client.close()


@pytest.mark.parametrize(
    ("first_words", "expected"),
    [
        (b"220 mail.example.org ESMTP\n", "not JSON"),
        (b'{"jsonrpc": "2.0"}\n', "is no engine"),
        (b'{"type": "hello", "protocol": "one"}\n', "is no engine"),
        (b"", "closed the connection at once"),
        (
            b'{"type": "hello", "protocol": 1}\n{"type": "error", "id": 0, "message": "32 clients are connected"}\n',
            "did not welcome us: 32 clients are connected",
        ),
    ],
)
def test_what_is_no_engine_is_said_in_words(path: Path, first_words: bytes, expected: str) -> None:
    with FalseEngine(path, first_words):
        client = Client(path)
        with pytest.raises(EngineGoneError, match=expected):
            client.connect(timeout_s=1.0)
        client.close()


def test_an_engine_that_hangs_says_no_hello(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greeting_module, "HELLO_WITHIN_S", 0.1)
    with FalseEngine(path, None):
        client = Client(path)
        with pytest.raises(EngineGoneError, match="said no hello"):
            client.connect(timeout_s=1.0)
        client.close()


@pytest.mark.parametrize("words", [b"garbage\n", b'{"type": "status"\n', b"\xff\n"])
def test_garbage_from_the_engine_means_connecting_anew(path: Path, words: bytes) -> None:
    welcome = b'{"type": "hello", "protocol": 1}\n{"type": "reply", "id": 0, "result": {}}\n'
    with FalseEngine(path, welcome + b'{"type": "new kind"}\n' + words):
        states: list[str] = []
        client = Client(path, on_state=lambda state, words: states.append(words))
        client.start()
        wait_until(lambda: any("words can't be read" in words for words in states), "the loss")
        client.close()


def fill(client: Client) -> None:
    for _ in range(100):
        client.send("midi_settings", settings={"pad": "x" * 50_000})


def test_an_engine_that_takes_nothing_makes_send_raise_and_not_wait(path: Path) -> None:
    welcome = b'{"type": "hello", "protocol": 1}\n{"type": "reply", "id": 0, "result": {}}\n'
    with FalseEngine(path, welcome, stays=True):
        client = Client(path)
        client.connect()
        with pytest.raises(EngineBusyError, match="takes no commands"):
            fill(client)
        client.close()


def test_many_threads_at_once(server: Server, engine: SmallEngine) -> None:
    with Client(server.path) as client:

        def play(channel: int) -> int:
            for key in range(100):
                client.send("note_on", key=key, channel=channel)
                assert client.request("ping") == {}
                client.send("note_off", key=key, channel=channel)
            return channel

        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            assert list(threads.map(play, range(8))) == list(range(8))
        client.request("ping")
    for channel in range(8):
        played = [(c.name, c["key"]) for c in engine.commands if c["channel"] == channel]
        assert played == [(name, key) for key in range(100) for name in ("note_on", "note_off")]
    assert engine.keys == []


ENGINE = """
import sys, threading
from functools import partial
from pathlib import Path
from synth.io.server import Server
from tests.synth.io.small_engine import SmallEngine
with Server(SmallEngine(), Path(sys.argv[1])):
    print("ready", flush=True)
    threading.Event().wait()
"""

PLAYER = """
import sys
from synth.io.client import Client
with Client(sys.argv[1], name="player") as client:
    client.subscribe()
    client.send("note_on", key=61)
    client.wait_for(lambda status: status["voices"]["sounding"] == 1)
    print(client.request("set", parameter="x", value=0.75), flush=True)
    sys.stdin.read()
assert not {"numba", "sounddevice", "onnxruntime", "pythonosc", "asyncio"} & set(sys.modules)
"""


def run_engine(path: Path) -> "subprocess.Popen[str]":
    program = subprocess.Popen([sys.executable, "-c", ENGINE, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert program.stdout is not None
    assert program.stdout.readline() == "ready\n"
    return program


def test_a_client_in_another_process_plays_and_is_let_go_when_it_is_killed(server: Server, engine: SmallEngine) -> None:
    command = [sys.executable, "-c", PLAYER, str(server.path)]
    for ending in ("kill", "end"):
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == "{}\n"
            assert engine.keys == [(0, 61)]
            if ending == "kill":
                program.kill()
            else:
                program.communicate(timeout=LIMIT_S)
        wait_until(lambda: engine.keys == [], "the key's going up")
    assert program.returncode == 0
    assert engine.values["x"] == 0.75


def x_is(value: float, status: Mapping[str, Any]) -> bool:
    return bool(status["parameters"]["x"] == value)


def test_an_engine_that_is_killed_is_replaced_and_the_client_goes_on(path: Path) -> None:
    client = Client(path)
    client.start()
    client.subscribe()
    try:
        for value in (0.25, 1.0):
            with run_engine(path) as program:  # the second finds the socket that the first left behind
                client.wait_for(lambda status: status["parameters"]["x"] == 0.5, LIMIT_S)
                assert client.request("set", parameter="x", value=value) == {}
                client.wait_for(partial(x_is, value))
                program.kill()
            assert path.exists()
            wait_until(lambda: not client.connected, "the loss")
    finally:
        client.close()


def test_an_engine_that_hangs_in_the_middle_is_silent(path: Path) -> None:
    with run_engine(path) as program:
        try:
            with Client(path) as client:
                client.subscribe()
                client.wait_for(lambda status: status["voices"]["sounding"] == 0)
                program.send_signal(signal.SIGSTOP)
                wait_until(lambda: client.silent_s > 2.0, "the silence")
                client.send("panic")  # does not wait
                program.send_signal(signal.SIGCONT)
                wait_until(lambda: client.silent_s < 1.0, "the engine's voice")
        finally:
            program.kill()


class FalseEngine:
    """Listens at a path, says some words to everybody (None: nothing), and ends the connection unless it `stays`."""

    def __init__(self, path: Path, words: bytes | None, *, stays: bool = False) -> None:
        self.words = words
        self._stays = stays
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(str(path))
        self._listening.listen()
        self._listening.settimeout(0.05)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        kept = []
        while not self._ended.is_set():
            try:
                connection, _ = self._listening.accept()
            except TimeoutError:
                continue
            if self.words is not None:
                connection.sendall(self.words)
            if self._stays or self.words is None:
                kept.append(connection)
            else:
                time.sleep(0.05)
                connection.close()
        for connection in kept:
            connection.close()

    def __enter__(self) -> "FalseEngine":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._listening.close()
