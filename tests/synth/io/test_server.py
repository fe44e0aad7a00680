"""The engine's socket, with real sockets and clients of every kind of conduct."""

import gc
import json
import logging
import os
import random
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from synth.control.commands import COMMANDS
from synth.control.parameters import INDEX
from synth.control.status import merged
from synth.errors import TetradError
from synth.io import connection as connection_module
from synth.io.server import MOST_CLIENTS, Server
from tests.synth.io.small_engine import RawClient, SmallEngine, wait_until


@pytest.fixture
def engine() -> SmallEngine:
    return SmallEngine()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "engine.sock"


@pytest.fixture
def server(engine: SmallEngine, path: Path) -> Iterator[Server]:
    with Server(engine, path) as server:
        yield server
    assert server.failure is None


def test_hello_says_the_protocol_and_a_command_is_carried_out(server: Server, engine: SmallEngine) -> None:
    with RawClient(server.path) as client:
        assert client.first["type"] == "hello"
        assert client.first["protocol"] == 1
        assert client.first["process"] == os.getpid()
        assert client.ask({"command": "set", "parameter": "volume", "value": -12}) == {
            "type": "reply",
            "id": 77,
            "result": {},
        }
    assert engine.values["volume"] == -12.0
    assert engine.thread is not None
    assert engine.thread.name == "server"


def test_a_client_of_another_protocol_is_told_both_and_ended(server: Server) -> None:
    with RawClient(server.path, hello=False) as client:
        client.write({"command": "hello", "protocol": 2, "id": 5})
        answer = client.read()
        assert answer["type"] == "error"
        assert answer["id"] == 5
        assert "protocol 2" in answer["message"]
        assert "protocol 1" in answer["message"]
        assert "update the engine" in answer["message"]
        assert client.read_end() == b""


def test_a_command_before_hello_is_refused_and_not_carried_out(server: Server, engine: SmallEngine) -> None:
    with RawClient(server.path, hello=False) as client:
        client.write({"command": "panic"})
        assert "say hello first" in client.read()["message"]
        assert client.read_end() == b""
    assert engine.commands == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"command": "set", "parameter": "volume", "value": NaN}', "NaN is no number of JSON"),
        (b'{"command": "set", "parameter": "volume", "value": -Infinity}', "Infinity is no number"),
        (b'{"command": "set", "parameter": "volume", "value": 1e999}', "beyond the range of a double"),
        (b'{"command": "set", "parameter": "volume", "value": 1' + b"0" * 400 + b"}", "finite number"),
        (b'{"command": "set", "parameter": "volume", "value": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"command": "set", "parameter": "volume", "value": "loud"}', "\"value\" is 'loud'"),
        (b'{"command": "set", "parameter": "volume", "value": true}', "finite number"),
        (b'{"command": "set", "parameter": "volume", "value": [1]}', "finite number"),
        (b'{"command": "set", "parameter": "volum", "value": 1}', "the nearest are: volume"),
        (b'{"command": "set", "parameter": 5, "value": 1}', "parameter's name"),
        (b'{"command": "set", "parameter": "volume"}', 'lacks "value"'),
        (b'{"command": "set", "parameter": "volume", "value": 1, "speed": 1}', "does not know 'speed'"),
        (b'{"command": "set", "parameter": "volume", "parameter": "x", "value": 1}', '"parameter" is given twice'),
        (b'{"command": "set_many", "values": {"volume": 1, "attack": null}}', '"attack" is None'),
        (b'{"command": "note_on", "key": 200}', "0 to 127"),
        (b'{"command": "note_on", "key": 60.5}', "0 to 127"),
        (b'{"command": "note_on", "key": 60, "velocity": 0}', "1 to 127"),
        (b'{"command": "note_on", "key": -1e30}', "0 to 127"),
        (b'{"command": "corner", "corner": "north", "instrument": "flute"}', "nw, ne, sw or se"),
        (b'{"command": "corner", "corner": "nw", "instrument": "\\ud800"}', "printable"),
        (b'{"command": "corner", "corner": "nw", "instrument": "' + b"x" * 301 + b'"}', "1 to 300"),
        (b'{"command": "patch_load"}', "exactly one"),
        (b'{"command": "patch_load", "name": "a", "number": 1}', "exactly one"),
        (b'{"command": "pnaic"}', "the nearest are: panic"),
        (b'{"command": ["panic"]}', "There is no command ['panic']"),
        (b'{"command": "hello", "protocol": 1}', "said before"),
        (b'{"comand": "panic"}', 'There is no "command"'),
        (b'["panic"]', "JSON list"),
        (b"panic", "not JSON"),
        (b'{"command": "panic"', "not JSON"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b"[" * 60_000, "nests too deep"),
        (b'{"command": "panic", "id": "seven"}', "\"id\" is 'seven'"),
        (b'{"command": "panic", "id": -1}', '"id" is -1'),
        (b'{"command": "panic", "pad": "' + b"x" * 65_536 + b'"}', "more than 65536 bytes"),
    ],
)
def test_what_means_nothing_is_refused_in_words_and_the_next_command_is_served(
    server: Server, engine: SmallEngine, line: bytes, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with RawClient(server.path) as client:
        client.write(line + b"\n")
        answer = client.read()
        assert answer["type"] == "error"
        assert answer["id"] is None
        assert words in answer["message"]
        assert "\n" not in answer["message"]
        assert len(answer["message"]) < 1000
        assert engine.commands == []
        assert client.ask({"command": "set", "parameter": "x", "value": 1})["type"] == "reply"
        assert client.ask({"command": "status"})["result"]["server"]["refused"] == 1
    assert len([record for record in caplog.records if record.name == "tetrad.server"]) == 1


def test_a_number_outside_its_range_becomes_the_end_of_it_and_the_answer_says_so(
    server: Server, engine: SmallEngine
) -> None:
    with RawClient(server.path) as client:
        answer = client.ask({"command": "set", "parameter": "volume", "value": 1e30})
        assert answer["notes"] == ["volume 1e+30 became 12 dB, the end of its range"]
        assert client.ask({"command": "point", "x": -3, "y": 0.25})["notes"] == ["x -3 became 0, the end of its range"]
        many = client.ask({"command": "set_many", "values": {"attack": -1, "play_mode": "legato", "y": 0.5}})
        assert many["notes"] == ["attack -1 became 0 s, the end of its range"]
    assert engine.values["volume"] == 12.0
    assert dict(engine.commands[1].fields) == {"x": 0.0, "y": 0.25, "touching": False}
    assert engine.commands[2]["values"] == {"attack": 0.0, "play_mode": 2.0, "y": 0.5}


def test_answers_of_handlers_of_every_kind(server: Server, engine: SmallEngine) -> None:
    with RawClient(server.path) as client:
        instruments = client.ask({"command": "instruments"})["result"]["instruments"]
        assert instruments[4999] == {"name": "日本語 4999", "family": "🎻"}
        assert client.ask({"command": "patch_load", "name": "Fog"}) == {
            "type": "error",
            "id": 77,
            "message": "there is no patch 'Fog'; save one first",
        }
        assert "ZeroDivisionError" in client.ask({"command": "undo"})["message"]
        assert client.ask({"command": "redo"})["result"] == {"redone": "volume"}
        answer = client.ask({"command": "midi_settings", "settings": {"omni": True}})
        assert answer["result"] == {"settings": {"omni": True}, "nan": None}
        table = client.ask({"command": "parameters"})["result"]["parameters"]
        assert [row["name"] for row in table] == list(INDEX)
        assert table[INDEX["arp_mode"]]["choices"][1] == "up"
        assert [row["name"] for row in client.ask({"command": "commands"})["result"]["commands"]] == [
            spec.name for spec in COMMANDS
        ]


def test_a_slow_command_holds_up_no_other_and_its_answer_comes_when_it_is_done(
    server: Server, engine: SmallEngine
) -> None:
    with RawClient(server.path) as client:
        client.write({"command": "corner", "corner": "SE", "instrument": "flute", "id": 1})
        client.write({"command": "corner", "corner": "nw", "instrument": "horn", "id": 2})
        assert client.ask({"command": "ping"})["type"] == "reply"
        engine.slow[1].set_exception(TetradError("no horn"))
        engine.slow[0].set_result({"ready": True})
        answers = sorted((client.read() for _ in range(2)), key=lambda answer: int(answer["id"]))
    assert answers[0] == {"type": "reply", "id": 1, "result": {"ready": True}}
    assert answers[1] == {"type": "error", "id": 2, "message": "no horn"}
    assert engine.commands[0]["corner"].name == "SE"


def test_too_many_slow_commands_of_one_client_are_refused(server: Server, engine: SmallEngine) -> None:
    with RawClient(server.path) as client, RawClient(server.path) as other:
        for _ in range(32):
            client.write({"command": "corner", "corner": "nw", "instrument": "flute"})
        assert "under way" in client.ask({"command": "corner", "corner": "nw", "instrument": "flute"})["message"]
        other.write({"command": "corner", "corner": "nw", "instrument": "flute"})
        wait_until(lambda: len(engine.slow) == 33, "the other client's command")
        for future in engine.slow:
            future.set_result({})
        wait_until(lambda: client.ask({"command": "ping"})["type"] == "reply", "room for a command")


def test_status_is_whole_once_and_then_what_changed(server: Server, engine: SmallEngine) -> None:
    engine.more_status = {"patch": {"name": "Fog", "undo": "x"}, "levels": {"peak_dbfs": [-3.0, float("-inf")]}}
    with RawClient(server.path) as client, RawClient(server.path) as player:
        client.write({"command": "subscribe"})
        first = client.read()
        assert first["whole"] is True
        assert first["status"]["parameters"] == engine.values
        assert first["status"]["levels"] == {"peak_dbfs": [-3.0, None]}
        mirror = merged({}, first["status"])
        player.ask({"command": "set", "parameter": "reverb", "value": 0.25})
        patch = client.read()
        assert patch == {"type": "status", "whole": False, "status": {"parameters": {"reverb": 0.25}}}
        mirror = merged(mirror, patch["status"])
        engine.more_status = {"patch": {"name": "Fog"}}
        while "levels" in mirror or "undo" in mirror["patch"]:
            mirror = merged(mirror, client.read()["status"])
        assert mirror["parameters"] == engine.values
        assert mirror["patch"] == {"name": "Fog"}
        # Nothing changes now: what comes is empty, and shows that the engine lives.
        assert client.read() == {"type": "status", "whole": False, "status": {}}
        client.write({"command": "subscribe", "rate_hz": 0, "id": 3})
        while client.read().get("id") != 3:
            pass
        player.ask({"command": "set", "parameter": "reverb", "value": 0.75})
        assert client.ask({"command": "ping"})["type"] == "reply"
        whole = client.ask({"command": "status"})["result"]
        assert whole["parameters"]["reverb"] == 0.75
        assert whole["server"]["clients"] == 2


def test_a_status_that_breaks_down_ends_nothing(
    server: Server, engine: SmallEngine, caplog: pytest.LogCaptureFixture
) -> None:
    engine.more_status = {"patch": object()}
    with RawClient(server.path) as client:
        client.write({"command": "subscribe"})
        assert "could not say its status" in client.ask({"command": "status"})["message"]
        engine.more_status = {}
        assert client.read()["status"]["parameters"] == engine.values
    assert "the status broke down: TypeError" in caplog.text


def test_notices_reach_every_client_from_any_thread(server: Server) -> None:
    with RawClient(server.path) as one, RawClient(server.path) as two:
        server.notify("patch_changed", name="日本語", number=5)
        for client in (one, two):
            assert client.read() == {
                "type": "notice",
                "notice": "patch_changed",
                "data": {"name": "日本語", "number": 5},
            }
        with pytest.raises(TetradError, match="no notice 'patch_chnged'"):
            server.notify("patch_chnged")


def test_a_client_that_leaves_lets_its_keys_pedals_and_finger_go(server: Server, engine: SmallEngine) -> None:
    with RawClient(server.path) as stays:
        stays.ask({"command": "note_on", "key": 64})
        with RawClient(server.path) as leaves:
            for key in (60, 64, 67):
                leaves.ask({"command": "note_on", "key": key})
            leaves.ask({"command": "note_off", "key": 67})
            leaves.ask({"command": "pedal", "down": True})
            leaves.ask({"command": "point", "x": 0.25, "y": 0.5, "touching": True})
        wait_until(lambda: len(engine.commands) == 10, "the letting go")
    assert [(command.name, dict(command.fields)) for command in engine.commands[7:10]] == [
        ("note_off", {"key": 60, "channel": 0}),  # 64 is held by the other client too
        ("pedal", {"down": False, "channel": 0}),
        ("point", {"x": 0.25, "y": 0.5, "touching": False}),
    ]


def test_what_clients_say_of_themselves_is_told_until_they_are_gone(server: Server) -> None:
    def presented(client: RawClient) -> object:
        status = client.ask({"command": "status"})["result"]
        return status["server"]["presented"]

    with RawClient(server.path) as stays:
        with RawClient(server.path) as leaves:
            assert presented(stays) == []
            leaves.ask({"command": "present", "words": "no board was found", "well": False})
            leaves.ask({"command": "present", "words": "a board at /dev/ttyUSB0"})
            assert presented(stays) == [{"name": "a client", "words": "a board at /dev/ttyUSB0", "well": True}]
            assert leaves.ask({"command": "present", "words": "x" * 10_000})["type"] == "error"
        wait_until(lambda: presented(stays) == [], "the end of what is said")


def test_answers_come_to_a_client_that_has_said_all(server: Server, engine: SmallEngine) -> None:
    """As `printf ... | socat` does: it closes its half, and reads on."""
    with RawClient(server.path) as client:
        client.write(b"".join(b'{"command": "ping", "id": %d}\n' % n for n in range(1000)))
        client.write({"command": "corner", "corner": "nw", "instrument": "flute", "id": 1000})
        client.socket.shutdown(socket.SHUT_WR)
        numbers = [client.read()["id"] for _ in range(1000)]
        wait_until(lambda: engine.slow, "the last command")
        engine.slow[0].set_result({})
        assert numbers == list(range(1000))
        assert client.read() == {"type": "reply", "id": 1000, "result": {}}
        assert client.read_end() == b""


GIGABYTE = """
import socket, sys
ours = socket.socket(socket.AF_UNIX)
ours.connect(sys.argv[1])
ours.recv(65536)
ours.sendall(b'{"command": "hello", "protocol": 1}\\n{"command": "panic", "pad": "')
chunk = b"x" * 2**20
for _ in range(1024):
    ours.sendall(chunk)
ours.sendall(b'"}\\n{"command": "ping", "id": 5}\\n')
lines = ours.makefile("rb")
print(lines.readline().decode(), lines.readline().decode(), sep="", end="")
"""


@pytest.mark.long
def test_a_gigabyte_without_a_newline_is_one_error_and_no_memory(server: Server, engine: SmallEngine) -> None:
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with RawClient(server.path) as other:
        program = subprocess.Popen(
            [sys.executable, "-c", GIGABYTE, str(server.path)], stdout=subprocess.PIPE, text=True
        )
        served = 0
        while program.poll() is None:
            assert other.ask({"command": "ping"})["type"] == "reply"
            served += 1
            time.sleep(0.01)
        assert program.stdout is not None
        with program.stdout:
            lines = [json.loads(line) for line in program.stdout.read().splitlines()]
    assert program.returncode == 0
    assert served > 0
    assert "more than 65536 bytes" in lines[0]["message"]
    assert lines[1] == {"type": "reply", "id": 5, "result": {}}
    assert engine.commands == []
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    assert grown_kb < 50_000


def test_a_client_that_never_reads_loses_status_and_then_its_connection(
    server: Server, engine: SmallEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connection_module, "STALLED_S", 0.5)
    monkeypatch.setattr(connection_module, "STATUS_ROOM", 4096)
    with RawClient(server.path) as deaf, RawClient(server.path) as other:
        deaf.write({"command": "subscribe"})
        n = 0
        while "was dropped" not in caplog.text:
            n += 1
            engine.more_status = {"patch": {"name": f"{n} " + "x" * 60_000}}
            assert other.ask({"command": "ping"})["type"] == "reply"
            time.sleep(0.01)
        status = other.ask({"command": "status"})["result"]["server"]
        assert status["lost_frames"] > 0
        assert status["dropped_clients"] == 1
        assert status["clients"] == 1
        deaf.read_end()  # what was on its way, and the end
    assert "it took nothing of" in caplog.text


def test_a_client_that_asks_and_never_reads_is_not_read_any_more(server: Server, engine: SmallEngine) -> None:
    with RawClient(server.path) as deaf, RawClient(server.path) as other:
        deaf.socket.setblocking(False)
        line = b'{"command": "instruments", "id": 1}\n'  # the answer has 200 kB
        written = 0
        quiet = 0
        while quiet < 20:
            try:
                written += deaf.socket.send(line * 100)
                quiet = 0
            except BlockingIOError:
                quiet += 1
                time.sleep(0.02)
        assert other.ask({"command": "ping"})["type"] == "reply"
        assert engine.names().count("instruments") < 20  # of `written / 36`, which the kernel's buffer holds
        assert written > 20 * len(line)


def test_a_flood_of_commands_is_carried_out_in_order_while_others_are_served(
    server: Server, engine: SmallEngine
) -> None:
    code = (
        "import socket, sys\n"
        "ours = socket.socket(socket.AF_UNIX); ours.connect(sys.argv[1])\n"
        'ours.sendall(b\'{"command": "hello", "protocol": 1}\\n\')\n'
        'ours.sendall(b\'\'.join(b\'{"command": "set", "parameter": "tempo", "value": %d}\\n\' % (30 + n % 271)'
        ' for n in range(3000)) + b\'{"command": "ping", "id": 1}\\n\')\n'
        "ours.makefile('rb').readlines(2)\n"
    )
    with RawClient(server.path) as other, subprocess.Popen([sys.executable, "-c", code, str(server.path)]) as program:
        while program.poll() is None:
            assert other.ask({"command": "ping"})["type"] == "reply"
            time.sleep(0.01)
        wait_until(lambda: len(engine.commands) == 3000, "the last command")
    assert [command["value"] for command in engine.commands] == [30.0 + n % 271 for n in range(3000)]


def test_random_bytes_end_nothing(server: Server, engine: SmallEngine) -> None:
    rng = random.Random(4)
    pieces = [
        b'{"command": "set", "parameter": "x", "value": ',
        b"}",
        b"\n",
        b"NaN",
        b"1e999",
        b"[",
        b'"',
        b"\0",
        b"0.5",
    ]
    with RawClient(server.path) as sane:
        for _ in range(100):
            with RawClient(server.path) as wild:
                noise = b"".join(
                    rng.choice(pieces) if rng.random() < 0.8 else rng.randbytes(rng.randrange(40)) for _ in range(60)
                )
                wild.write(noise + b"\n")
                assert wild.ask({"command": "ping"})["type"] == "reply"
        assert sane.ask({"command": "ping"})["type"] == "reply"
    assert all(0.0 <= command["value"] <= 1.0 for command in engine.commands)


def test_more_clients_than_there_is_room_for_are_told_so(server: Server) -> None:
    clients = [RawClient(server.path) for _ in range(MOST_CLIENTS)]
    try:
        with RawClient(server.path, hello=False) as one_more:
            assert "which is the most" in one_more.read()["message"]
            assert one_more.read_end() == b""
        assert clients[0].ask({"command": "ping"})["type"] == "reply"
    finally:
        for client in clients:
            client.close()
    wait_until(lambda: _can_connect(server.path), "room for a client")


def _can_connect(path: Path) -> bool:
    with RawClient(path, hello=False) as client:
        client.write({"command": "hello", "protocol": 1, "id": 0})
        return client.read()["type"] == "reply"


def test_a_silent_client_is_ended(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connection_module, "HELLO_WITHIN_S", 0.1)
    with RawClient(server.path, hello=False) as client:
        assert client.read_end() == b""
    assert "said no hello" in caplog.text


def test_stop_says_goodbye_and_leaves_nothing_to_connect_to(engine: SmallEngine, path: Path) -> None:
    server = Server(engine, path)
    server.start()
    with RawClient(path) as client:
        client.write({"command": "corner", "corner": "nw", "instrument": "flute", "id": 9})
        client.ask({"command": "ping"})
        server.stop()
        assert client.read() == {"type": "bye"}
        client.read_end()
    assert not path.exists()
    server.stop()
    server.notify("warning", words="nobody hears this")
    with pytest.raises(FileNotFoundError):
        RawClient(path)


def test_commands_leave_no_garbage_behind(server: Server) -> None:
    """The engine runs without a garbage collector: a cycle a command or a client would fill the memory in a night."""
    lines = b'{"command": "set", "parameter": "x", "value": 0.5, "id": 1}\n{"command": "set", "value": NaN}\n'
    with RawClient(server.path) as client:
        client.write({"command": "subscribe"})
        client.ask({"command": "ping"})
        gc.collect()
        gc.disable()
        try:
            for _ in range(500):
                client.write(lines)
                while client.read()["type"] != "error":
                    pass
            for _ in range(100):
                with RawClient(server.path, hello=False) as other:
                    other.write({"command": "hello", "protocol": 9})
                    other.read_end()
            wait_until(lambda: client.ask({"command": "status"})["result"]["server"]["clients"] == 1, "their end")
            found = gc.collect()
        finally:
            gc.enable()
    assert found < 50


def test_the_log_of_a_flood_of_refusals_is_short(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    with RawClient(server.path) as client:
        client.write(b"nonsense\n" * 1000)
        for _ in range(1000):
            client.read()
        assert client.ask({"command": "status"})["result"]["server"]["refused"] == 1000
    assert 1 <= len(caplog.records) < 100
