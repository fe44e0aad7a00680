"""OSC over real UDP, by python-osc's own client as well as by bytes."""

import random
import select
import socket
import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.udp_client import SimpleUDPClient

from synth.control.commands import COMMANDS, Command
from synth.control.fields import MOST_PATH
from synth.control.parameters import INDEX
from synth.errors import TetradError
from synth.io import osc as osc_module
from synth.io.osc import MalformedPacketError, command_of, datagrams, messages_in, status_messages
from synth.io.server import Server
from tests.synth.io.small_engine import LIMIT_S, RawClient, SmallEngine, wait_until


@pytest.fixture
def engine() -> SmallEngine:
    return SmallEngine()


@pytest.fixture
def server(engine: SmallEngine, tmp_path: Path) -> Iterator[Server]:
    with Server(engine, tmp_path / "engine.sock", osc_port=0) as server:
        yield server
    assert server.failure is None


@pytest.fixture
def sender(server: Server) -> Iterator[SimpleUDPClient]:
    assert server.osc_address is not None
    client = SimpleUDPClient(*server.osc_address)
    yield client
    client._sock.close()


def built(address: str, *arguments: Any) -> bytes:
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)
    return bytes(builder.build().dgram)


def test_messages_become_commands(server: Server, engine: SmallEngine, sender: SimpleUDPClient) -> None:
    assert server.osc_address is not None
    assert server.osc_address[0] == "127.0.0.1"
    sent: list[tuple[str, Any]] = [
        ("/tetrad/x", 0.25),
        ("/tetrad/play_mode", "legato"),
        ("/tetrad/unison", 3.0),
        ("/tetrad/point", [0.5, 1.0]),
        ("/tetrad/note", [60, 100]),
        ("/tetrad/note", [60.0, 0.0]),
        ("/tetrad/note_on", [61]),
        ("/tetrad/note", [61, 0, 0]),
        ("/tetrad/pedal", 1),
        ("/tetrad/patch_load", 17),
        ("/tetrad/patch_load", "Fog"),
        ("/tetrad/panic", []),
    ]
    for address, arguments in sent:
        sender.send_message(address, arguments)
    wait_until(lambda: len(engine.commands) == len(sent), "the last command")
    assert engine.values["x"] == 0.5
    assert engine.values["play_mode"] == 2.0
    assert engine.values["unison"] == 3.0
    assert engine.keys == []
    assert [(c.name, c.fields.get("number"), c.fields.get("name")) for c in engine.commands[9:11]] == [
        ("patch_load", 17, None),
        ("patch_load", None, "Fog"),
    ]
    assert engine.commands[8]["down"] is True


def test_a_bundle_is_carried_out_in_order(server: Server, engine: SmallEngine, sender: SimpleUDPClient) -> None:
    inner = OscBundleBuilder(IMMEDIATELY)
    outer = OscBundleBuilder(IMMEDIATELY)
    for n in range(3):
        inner.add_content(OscMessage(built("/tetrad/tempo", 100 + n)))
    outer.add_content(OscMessage(built("/tetrad/tempo", 99)))
    outer.add_content(inner.build())
    outer.add_content(OscMessage(built("/tetrad/tempo", 103)))
    sender.send(outer.build())
    wait_until(lambda: len(engine.commands) == 5, "the bundle")
    assert [command["value"] for command in engine.commands] == [99.0, 100.0, 101.0, 102.0, 103.0]


@pytest.mark.parametrize(
    ("address", "arguments", "words"),
    [
        ("/other/x", [0.5], "is not ours"),
        ("/tetrad/loudness", [0.5], "there is no OSC address"),
        ("/tetrad/x", [], "0 arguments"),
        ("/tetrad/x", [0.5, 0.5], "2 arguments"),
        ("/tetrad/x", [float("nan")], "finite"),
        ("/tetrad/x", ["left"], "finite"),
        ("/tetrad/x", [b"\0\1"], "finite"),
        ("/tetrad/x", [[0.5]], "finite"),
        ("/tetrad/x", [None], "lacks"),
        ("/tetrad/play_mode", ["loud"], "poly, mono, legato"),
        ("/tetrad/note", [], "lacks"),
        ("/tetrad/note", [200, 100], "0 to 127"),
        ("/tetrad/note", [60.5, 100], "0 to 127"),
        ("/tetrad/note", [60, 128], "1 to 127"),
        ("/tetrad/note", [60, 0, 16], "0 to 15"),
        ("/tetrad/point", [0.5, 0.5, 0, 1], "4 arguments"),
        ("/tetrad/patch_load", [], "exactly one"),
        ("/tetrad/patch_export", ["Fog", "file"], "there is no OSC address"),
        ("/tetrad/record_start", ["file"], "there is no OSC address"),
        ("/tetrad/quit", [], "there is no OSC address"),
        ("/tetrad/status", [], "there is no OSC address"),
        ("/tetrad/*", [0.5], "there is no OSC address"),
    ],
)
def test_what_means_nothing_is_refused_in_words(address: str, arguments: list[Any], words: str) -> None:
    with pytest.raises(TetradError, match=words):
        command_of(address, arguments)


def test_no_command_of_osc_names_a_file_or_ends_the_engine() -> None:
    for spec in COMMANDS:
        if spec.osc:
            assert not any(field.high == MOST_PATH for field in spec.fields), spec.name
            assert not spec.by_server
            assert spec.name not in INDEX, "the address would mean two things"
    assert not {"note", "subscribe", "unsubscribe", "status"} & set(INDEX)


def test_a_number_outside_its_range_becomes_the_end_of_it() -> None:
    assert command_of("/tetrad/x", [1e30]) == Command(
        "set", {"parameter": "x", "value": 1.0}, ("x 1e+30 became 1, the end of its range",)
    )


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"garbage",
        b"/tetrad/x",  # not padded to four
        b"/tetrad/x\0\0\0,f\0\0",  # the argument is missing
        b"/tetrad/x\0\0\0,f\0\0\0\0",
        b"/tetrad/x\0\0\0f\0\0\0\0\0\0\0",  # no comma
        b"/tetrad/x\0\0\0,Q\0\0\0\0\0\0",
        b"/tetrad/x\0\0\0,[f\0?\0\0\0",
        b"/\xff\xfe\0,\0\0\0",
        b"#bundle\0",
        b"#bundle\0" + bytes(8) + b"\0\0",
        b"#bundle\0" + bytes(8) + struct.pack(">i", -4),  # python-osc's reader goes round for ever
        b"#bundle\0" + bytes(8) + struct.pack(">i", 0),
        b"#bundle\0" + bytes(8) + struct.pack(">i", 2**31 - 1) + b"/a\0\0",
        b"#bundle\0" + bytes(8) + struct.pack(">i", 8) + b"nonsense",
    ],
)
def test_malformed_packets_are_counted_and_nothing_else(
    server: Server, engine: SmallEngine, sender: SimpleUDPClient, packet: bytes
) -> None:
    with pytest.raises(MalformedPacketError):
        list(messages_in(packet))
    assert server.osc_address is not None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
        raw.sendto(packet, server.osc_address)
    sender.send_message("/tetrad/x", 1.0)
    wait_until(lambda: engine.commands, "the command after it")
    with RawClient(server.path) as client:
        status = client.ask({"command": "status"})["result"]["server"]
    assert status["osc_malformed"] == 1
    assert len(engine.commands) == 1


def test_bundles_inside_bundles_have_an_end() -> None:
    packet = built("/tetrad/panic")
    for depth in range(6):
        if depth < 5:
            assert [message.address for message in messages_in(packet)] == ["/tetrad/panic"]
        packet = b"#bundle\0" + bytes(8) + struct.pack(">i", len(packet)) + packet
    with pytest.raises(MalformedPacketError, match="too deep"):
        list(messages_in(packet))


def test_random_packets_are_messages_or_malformed() -> None:
    rng = random.Random(7)
    whole = [built("/tetrad/point", 0.5, 0.25), built("/tetrad/corner", "nw", "flute"), built("/a", True, None, b"\1")]
    whole += [next(datagrams([("/tetrad/x", [0.5]), ("/tetrad/y", [1])]))]
    n_good = n_bad = 0
    for _ in range(20_000):
        packet = bytearray(rng.choice(whole))
        for _ in range(rng.randrange(4)):
            packet[rng.randrange(len(packet))] = rng.randrange(256)
        del packet[rng.randrange(len(packet) * 2) :]
        try:
            for message in messages_in(bytes(packet)):
                n_good += 1
                try:
                    command_of(message.address, list(message))
                except TetradError as error:
                    assert "\n" not in str(error)  # noqa: PT017
        except MalformedPacketError:
            n_bad += 1
    assert n_good > 1000
    assert n_bad > 1000


def received(receiver: socket.socket) -> list[tuple[str, list[Any]]]:
    assert select.select([receiver], [], [], LIMIT_S)[0]
    packet = receiver.recv(65_536)
    assert len(packet) <= 1400
    return [(message.address, list(message)) for message in messages_in(packet)]


def test_status_goes_to_who_asked_for_it(server: Server, engine: SmallEngine, sender: SimpleUDPClient) -> None:
    engine.more_status = {
        "levels": {"peak_dbfs": [-12.5, -13.0]},
        "notes": [{"key": 60}],
        "health": {"clock_samples": 2**40},
        "patch": {"name": "日本語", "edited": True},
    }
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        sender.send_message("/tetrad/subscribe", [30, receiver.getsockname()[1]])
        heard: dict[str, list[Any]] = {}
        while "/tetrad/status/server/osc" not in heard:
            heard.update(received(receiver))
        assert heard["/tetrad/volume"] == [-6.0]
        assert set(heard) >= {f"/tetrad/{name}" for name in INDEX}
        assert heard["/tetrad/status/levels/peak_dbfs"] == [-12.5, -13.0]
        assert heard["/tetrad/status/health/clock_samples"] == [2.0**40]
        assert heard["/tetrad/status/patch/name"] == ["日本語"]
        assert heard["/tetrad/status/patch/edited"] == [True]
        assert "/tetrad/status/notes" not in heard
        sender.send_message("/tetrad/volume", -20)
        assert received(receiver) == [("/tetrad/volume", [-20.0])]
        engine.more_status = {}
        gone = dict(received(receiver))
        assert gone["/tetrad/status/patch"] == []


def test_a_subscription_ends_when_asked_and_when_it_is_old(
    server: Server, engine: SmallEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert server.osc_address is not None
    endpoint = server._osc
    assert endpoint is not None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.connect(server.osc_address)
        receiver.send(built("/tetrad/subscribe"))
        received(receiver)
        receiver.send(built("/tetrad/unsubscribe"))
        wait_until(lambda: not endpoint._subscribers, "the end")
        monkeypatch.setattr(osc_module, "SUBSCRIBED_S", 0.05)
        receiver.send(built("/tetrad/subscribe", 5))
        wait_until(lambda: endpoint._subscribers, "the subscription")
        wait_until(lambda: not endpoint._subscribers, "the end of its time")
        receiver.send(built("/tetrad/subscribe", 5, 0))
        receiver.send(built("/tetrad/subscribe", float("nan")))
        wait_until(lambda: server.status_now()["server"]["refused"] == 2, "the refusals")  # type: ignore[index]
        assert not endpoint._subscribers


def test_a_taken_port_is_said_and_the_socket_works(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert server.osc_address is not None
    with Server(SmallEngine(), tmp_path / "other.sock", osc_port=server.osc_address[1]) as other:
        assert other.osc_address is None
        with RawClient(other.path) as client:
            words = client.ask({"command": "status"})["result"]["server"]["osc"]
    assert "Address already in use" in words
    assert "Address already in use" in caplog.text


def test_packets_beyond_what_is_allowed_are_dropped_and_counted(
    server: Server, engine: SmallEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(osc_module, "PACKETS_PER_S", 0.001)
    assert server.osc_address is not None
    endpoint = server._osc
    assert endpoint is not None

    def seen(n: int) -> bool:
        return endpoint.dropped + len(engine.commands) == n

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
        for n in range(500):
            raw.sendto(built("/tetrad/tempo", 99), server.osc_address)
            if n % 50 == 49:  # more at once than the kernel's buffer holds would be lost before we could count them
                wait_until(partial(seen, n + 1), "the last packet")
    assert len(engine.commands) == 256


def test_status_is_cut_into_packets_that_fit() -> None:
    messages = status_messages({}, {"parameters": {f"p{n}": float(n) for n in range(300)}, "a": {"b": "x" * 3000}})
    packets = list(datagrams(messages))
    assert len(packets) > 5
    assert [len(packet) > 1400 for packet in packets].count(True) == 1  # the one long text
    back = [(message.address, list(message)) for packet in packets for message in messages_in(packet)]
    assert back == messages
    assert list(datagrams([])) == []
