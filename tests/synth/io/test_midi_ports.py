"""MIDI between real ports, over JACK (no machine of ours has ALSA's sequencer)."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from synth.errors import TetradError
from synth.io import midi_ports
from synth.io.midi_ports import MidiPorts, PortMessage
from synth.io.midi_queue import MessageQueue
from tests.listening import Keyboard, wait_until

# Sends from one client of the process to another, through the server.
PROGRAM = """
import json, sys, time
import rtmidi
from synth.io import midi_ports

sender = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="keyboard")
sender.open_virtual_port("out")
end = time.monotonic() + 60
while not (ports := midi_ports.choose_inputs("keyboard")) and time.monotonic() < end:
    time.sleep(0.02)
receiver = midi_ports.MidiInput(ports[0].api, ports[0])
sent = [[0x90 | n % 16, n, 127 - n] for n in range(1, 101)]
sent += [[0x80, 60, 64], [0xA3, 60, 5], [0xB0, 64, 127], [0xC5, 9], [0xD2, 33], [0xE0, 1, 2], [0xF1, 37], [0xF2, 16, 2]]
sent += [[0xF3, 7], [0xF6], [0xF8], [0xFA], [0xFB], [0xFC], [0xFF], [0xF0, 0x7E, 0x7F, 9, 1, 0xF7]]
sent += [[0xF0, *(n % 128 for n in range(406)), 0xF7], [0x90, 60, 0]]
if "--overflow" in sys.argv:
    sent = [[0x90, 60, 1 + n % 127] for n in range(1500)]
time.sleep(0.3)
for message in sent:
    sender.send_message(message)
    time.sleep(0.001)
received = []
end = time.monotonic() + 60
if "--overflow" in sys.argv:
    while receiver.high_water + receiver.dropped < 1500 and time.monotonic() < end:
        time.sleep(0.02)
    received = receiver.take()
while "--overflow" not in sys.argv and len(received) < len(sent) and time.monotonic() < end:
    received += receiver.take()
    time.sleep(0.02)
receiver.close()
sender.close_port()
sender.delete()
times = [message.time_s for message in received]
print(json.dumps({"name": receiver.name, "received": [list(m.data) for m in received], "sent": sent,
    "rising": times == sorted(times), "dropped": receiver.dropped, "high_water": receiver.high_water}))
"""


def run(environment: dict[str, str], *arguments: str) -> dict[str, object]:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    result: dict[str, object] = json.loads(output)
    return result


def test_every_kind_of_message_arrives_in_order_with_its_time(jack_environment: dict[str, str]) -> None:
    result = run(jack_environment)
    assert result["received"] == result["sent"]
    assert result["name"] == "JACK: keyboard:out"
    assert result["rising"] is True
    assert result["dropped"] == 0


def test_a_full_queue_drops_and_counts(jack_environment: dict[str, str]) -> None:
    result = run(jack_environment, "--overflow")
    received = result["received"]
    assert isinstance(received, list)
    assert len(received) == midi_ports.QUEUE_CAPACITY == result["high_water"]
    assert result["dropped"] == 1500 - midi_ports.QUEUE_CAPACITY


def test_without_midi_the_answer_is_none_and_quiet(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "nobody-runs-this")
    assert midi_ports.input_ports() == []
    with pytest.raises(TetradError, match=r"no MIDI input is called 'grand'.*none at all"):
        midi_ports.choose_inputs("grand")
    assert capfd.readouterr() == ("", "")


class Listener:
    """Takes from ports as the conductor does, and keeps what came."""

    def __init__(self, ports: MidiPorts) -> None:
        self.ports = ports
        self.messages: list[PortMessage] = []
        self.lost: list[str] = []

    def __call__(self) -> "Listener":
        self.messages += self.ports.take()
        self.lost += self.ports.lost()
        return self


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(midi_ports, "LOOK_PERIOD_S", 0.1)
    monkeypatch.setattr(midi_ports, "RETRY_S", 0.2)


@pytest.fixture
def make_ports(
    quick_looks: None, monkeypatch: pytest.MonkeyPatch, jack_server: str
) -> Iterator[Callable[..., Listener]]:
    del quick_looks
    monkeypatch.setenv("JACK_DEFAULT_SERVER", jack_server)
    made: list[MidiPorts] = []

    def make(wanted: str | None = "keyboard") -> Listener:
        made.append(MidiPorts(wanted))
        return Listener(made[-1])

    yield make
    for ports in made:
        ports.close()


def test_a_keyboard_that_comes_late_goes_and_comes_back(make_ports: Callable[..., Listener], jack_server: str) -> None:
    listener = make_ports()
    assert listener.ports.names == ()
    for number in range(1, 3):
        keyboard = Keyboard(jack_server)
        wait_until(lambda: listener.ports.names == ("JACK: keyboard:out",), "the keyboard's port")
        keyboard.send(b"\x90\x3c\x40")
        wait_until(lambda number=number: len(listener().messages) == number, "the note")  # type: ignore[misc]
        keyboard.close()
        wait_until(lambda number=number: len(listener().lost) == number, "the port's end")  # type: ignore[misc]
    assert listener.lost == ["JACK: keyboard:out"] * 2
    assert [message.data for message in listener.messages] == [b"\x90\x3c\x40"] * 2
    assert {message.port for message in listener.messages} == {"JACK: keyboard:out"}
    assert all(message.frame is not None for message in listener.messages)


# In a process of its own: rtmidi holds the interpreter while it opens a port, and a server that waits for all clients
# then waits for the keyboard of this process, which needs the interpreter.
HOT_PLUG_PROGRAM = """
import time
from synth.io import midi_ports

midi_ports.LOOK_PERIOD_S = 0.1
ports = midi_ports.MidiPorts("keyboard", exact_jack=False)
names, n_lost, end = None, 0, time.monotonic() + 60
while not (n_lost == 2 and names == ()) and time.monotonic() < end:
    if ports.names != names:
        names = ports.names
        print("names", *names, flush=True)
    for message in ports.take():
        print("message", message.data.hex(), message.port, message.frame, flush=True)
    for port in ports.lost():
        n_lost += 1
        print("lost", port, flush=True)
    time.sleep(0.01)
ports.close()
"""


def test_rtmidi_alone_finds_a_keyboard_that_comes_late_too(jack_environment: dict[str, str], jack_server: str) -> None:
    command = [sys.executable, "-c", HOT_PLUG_PROGRAM]
    with subprocess.Popen(command, env=jack_environment, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "names\n"
        for _ in range(2):
            keyboard = Keyboard(jack_server)
            assert program.stdout.readline() == "names JACK: keyboard:out\n"
            keyboard.send(b"\x90\x3c\x40")
            assert program.stdout.readline() == "message 903c40 JACK: keyboard:out None\n"
            keyboard.close()
            gone = {program.stdout.readline(), program.stdout.readline()}  # told by two threads, in any order
            assert gone == {"names\n", "lost JACK: keyboard:out\n"}
    assert program.returncode == 0


def test_every_port_is_heard_unless_one_is_wanted(make_ports: Callable[..., Listener], jack_server: str) -> None:
    keyboards = [Keyboard(jack_server), Keyboard(jack_server)]
    both, one, none = make_ports(None), make_ports("KEYBOARD-01"), make_ports("grand")
    wait_until(lambda: len([name for name in both.ports.names if "keyboard" in name]) == 2, "both ports")
    wait_until(lambda: one.ports.names == ("JACK: keyboard-01:out",), "the wanted port")
    assert none.ports.names == ()
    assert len(both.ports.own_names) >= 1
    for keyboard, data in zip(keyboards, (b"\x90\x01\x01", b"\x90\x02\x02"), strict=True):
        keyboard.send(data)
    wait_until(lambda: len(both().messages) == 2 and len(one().messages) == 1, "the notes")
    assert {(message.port, message.data) for message in both.messages} == {
        ("JACK: keyboard:out", b"\x90\x01\x01"),
        ("JACK: keyboard-01:out", b"\x90\x02\x02"),
    }
    assert one.messages[0].data == b"\x90\x02\x02"
    for keyboard in keyboards:
        keyboard.close()


# In a process of its own: JACK's library serves one server in a process.
RESTART_PROGRAM = """
import time
from synth.io import midi_ports

midi_ports.LOOK_PERIOD_S, midi_ports.RETRY_S = 0.1, 0.2
ports = midi_ports.MidiPorts("seq")
said, n_lost, n_messages, end = None, 0, 0, time.monotonic() + 60
while n_lost < 2 and time.monotonic() < end:
    n_messages += len(ports.take())
    if (now := (len(ports.own_names), *ports.names)) != said and (not ports.names or n_messages):
        said, n_messages = now, 0
        print(*now, flush=True)
    n_lost += ports.lost().count("JACK: seq:out")
    time.sleep(0.01)
ports.close()
print("lost", n_lost, flush=True)
"""


def test_a_server_that_ends_and_starts_again_is_found_again() -> None:
    name = f"tetrad-midi-{os.getpid()}"
    environment = {**os.environ, "JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1"}
    server_command = ["jackd", "-r", "-n", name, "-d", "dummy", "-r", "48000", "-p", "512"]
    keyboard_command = ["jack_midiseq", "seq", "4800", "0", "60", "2400"]  # a note each tenth of a second
    command = [sys.executable, "-c", RESTART_PROGRAM]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        assert program.stdout.readline() == "0\n"  # before any server is there
        for _ in range(2):
            server = subprocess.Popen(server_command, **quiet)  # type: ignore[call-overload]
            assert program.stdout.readline() == "1\n"
            keyboard = subprocess.Popen(keyboard_command, **quiet)  # type: ignore[call-overload]
            assert program.stdout.readline() == "1 JACK: seq:out\n"
            server.terminate()
            server.wait()
            keyboard.kill()
            keyboard.wait()
            line = program.stdout.readline()
            if line == "0 JACK: seq:out\n":  # our own port goes a moment before the keyboard's
                line = program.stdout.readline()
            assert line in {"0\n", "lost 2\n"}
        assert "Cannot connect to server" not in program.stderr.read()
    assert program.returncode == 0


def test_a_lost_port_is_named_only_after_its_last_message_was_taken() -> None:
    """Else the note that waited would start after it was let go, and sound for ever."""
    queue = MessageQueue()
    assert queue.take() == []
    queue.put(PortMessage(0.0, b"\x90\x3c\x40", "a"))
    queue.lose("a")
    assert queue.lost() == []
    assert [message.port for message in queue.take()] == ["a"]
    assert queue.lost() == ["a"]
    assert queue.lost() == []


def test_arrival_wakes_whoever_wants_to_know() -> None:
    woken: list[int] = []
    queue = MessageQueue(lambda: woken.append(1))
    for _ in range(3):
        queue.put(PortMessage(0.0, b"\xf8"))
    assert len(woken) == 3
    assert queue.high_water == 3


def test_without_jacks_library_rtmidi_serves(
    quick_looks: None, monkeypatch: pytest.MonkeyPatch, jack_server: str
) -> None:
    del quick_looks
    monkeypatch.setenv("JACK_DEFAULT_SERVER", jack_server)
    monkeypatch.setitem(sys.modules, "synth.io.jack_midi", None)  # what an import finds is then nothing
    ports = MidiPorts("keyboard")
    own_names = [name for name in ports.own_names if name.startswith("JACK")]
    assert own_names == ["JACK: tetrad:in (connect a controller to it)"]
    ports.close()


def test_wait_until_is_real() -> None:
    with pytest.raises(pytest.fail.Exception):
        wait_until(lambda: False, "never", limit_s=0.05)
