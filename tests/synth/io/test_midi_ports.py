"""MIDI between real ports, over JACK (no machine of ours has ALSA's sequencer)."""

import json
import subprocess
import sys

import pytest

from synth.errors import TetradError
from synth.io import midi_ports
from tests.listening import wait_until

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
sent = [[0x90 | n % 16, n, 127 - n] for n in range(1, 101)] + [[0xE0, 1, 2], [0xC5, 9], [0xF8], [0xB0, 64, 127]]
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
while len(received) < 103 and time.monotonic() < end:
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


def test_messages_arrive_in_order_with_their_times(jack_environment: dict[str, str]) -> None:
    result = run(jack_environment)
    sent = result["sent"]
    assert isinstance(sent, list)
    assert result["received"] == [message for message in sent if message != [0xF8]]  # the clock is not asked for
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


def test_wait_until_is_real() -> None:
    with pytest.raises(pytest.fail.Exception):
        wait_until(lambda: False, "never", limit_s=0.05)
