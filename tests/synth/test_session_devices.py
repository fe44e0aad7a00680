"""Sound cards and MIDI inputs, chosen by a client while the real program plays, and kept for its next start."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from synth.errors import TetradError
from synth.io.audio import NO_DEVICE, AudioOutput, OutputDevice
from synth.io.client import Client, RefusedError
from synth.io.midi_ports import MidiPorts, lasting_name
from synth.io.midi_queue import MessageQueue, PortMessage
from synth.settings import Settings, read_settings
from tests.listening import wait_until
from tests.ramp import ramp

# PortAudio 19.6 ends the process by an assertion where every device of a configuration opens; one leads nowhere.
CARDS = "pcm.concert_card { type null }\npcm.church_card { type null }\npcm.broken { type hw card 30 }\n"


@contextmanager
def engine(home: Path, *arguments: str) -> Iterator[tuple[Client, str]]:
    """A running engine with two cards of ALSA's that swallow everything, a client, and what it printed."""
    cards = home / "asound.conf"
    cards.write_text(CARDS)
    environment = {
        **os.environ,
        "ALSA_CONFIG_PATH": str(cards),
        "JACK_DEFAULT_SERVER": "there-is-none",
        "TETRAD_HOME": str(home),
        "TETRAD_SOCKET": str(home / "s"),
    }
    command = [sys.executable, "-m", "synth", "--osc", "-1", "--no-refine", "--fresh", *arguments]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as program:
        assert program.stdout is not None
        printed = ""
        for line in program.stdout:
            printed += line
            if line.startswith("Playing"):
                break
        try:
            with Client(home / "s") as client:
                client.subscribe(30.0)
                client.wait_for(lambda status: "audio" in status, 30.0)
                yield client, printed
                client.send("quit")
            assert program.wait(60) == 0
        finally:
            program.kill()


def blocks_go_on(client: Client) -> None:
    before = client.status["health"]["clock_samples"]
    client.wait_for(lambda status: status["health"]["clock_samples"] > before + 4_800, 30.0)


@pytest.mark.long
def test_the_device_is_changed_while_it_plays_and_kept(tmp_path: Path) -> None:
    with engine(tmp_path, "--audio", "null") as (client, printed):
        assert "Audio output: none (null)" in printed
        devices = client.request("audio_devices", timeout_s=60.0)
        rows = {row["device"]: row for row in devices["devices"]}
        assert {"ALSA: concert_card", "ALSA: church_card", "null: no device"} <= set(rows)
        assert [row["device"] for row in rows.values() if row["in_use"]] == ["null: no device"]
        assert devices["next_start"] == {}
        # What there is not leaves what was there, and another rate waits for the next start.
        with pytest.raises(RefusedError, match="no audio output is called 'harpsichord'"):
            client.request("audio_use", device="harpsichord", timeout_s=60.0)
        answer = client.request("audio_use", device="church", sample_rate_hz=44_100, timeout_s=60.0)
        assert answer["restart"] is True
        assert "44100 Hz; that counts from the next start" in answer["words"]
        assert answer["device"] == "null: no device"
        assert client.status["audio"]["state"] == "none"
        answer = client.request("audio_use", device="concert", block_samples=256, timeout_s=60.0)
        try:
            assert answer["device"] == "ALSA: concert_card"
            assert answer["restart"] is False
            client.wait_for(lambda s: s["audio"]["device"] == "ALSA: concert_card", 30.0)
            client.wait_for(lambda s: s["audio"]["block_samples"] == 256, 30.0)
            blocks_go_on(client)
        finally:  # it takes blocks as fast as they come, and a core with it
            client.request("audio_use", device="null", block_samples=64, timeout_s=60.0)
        client.wait_for(lambda s: s["audio"]["state"] == "none" and s["audio"]["block_samples"] == 64, 30.0)
        blocks_go_on(client)
        assert read_settings(tmp_path / "settings.toml") == Settings("null", 44_100, 64)
    with engine(tmp_path) as (client, printed):
        assert "Audio output: none (null)" in printed
        assert client.status["audio"]["sample_rate_hz"] == 44_100
        client.wait_for(lambda s: s["audio"]["block_samples"] == 64, 30.0)
    with engine(tmp_path, "--rate", "48000", "--block", "256") as (client, printed):
        assert client.status["audio"]["sample_rate_hz"] == 48_000  # the command line goes before the file
        client.wait_for(lambda s: s["audio"]["block_samples"] == 256, 30.0)


@pytest.mark.slow
def test_a_broken_settings_file_is_a_line_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[audio]\nvolume = 11\n")
    with engine(tmp_path, "--audio", "null") as (client, printed):
        assert "The settings are as by default" in printed
        assert "audio.'volume' is unknown" in printed
        answer = client.request("audio_use", block_samples=512, timeout_s=60.0)
        assert "the choice is not kept" in answer["words"]
        client.wait_for(lambda s: s["audio"]["block_samples"] == 512, 30.0)
        assert client.request("midi_use", ports=[])["all"] is False
        assert client.request("midi_inputs")["all"] is False
    assert file.read_text() == "[audio]\nvolume = 11\n"


def test_where_a_device_does_not_open_the_one_before_plays_on() -> None:
    said: list[str] = []
    output = AudioOutput(NO_DEVICE, ramp(), sample_rate_hz=48_000, block_size=480, say=said.append)
    with output:
        wait_until(lambda: output.health().blocks > 3, "blocks")
        output.use(NO_DEVICE, 64)
        assert output.wanted_block == 64
        with pytest.raises(TetradError, match=r"gone|JACK|open"):
            output.use(OutputDevice(3, "nobody has this", "JACK Audio Connection Kit"), 128)
        assert (output.device, output.wanted_block) == (NO_DEVICE, 64)
        blocks = output.health().blocks
        wait_until(lambda: output.health().blocks > blocks + 3, "blocks after the failure")
        assert output.active
        assert not output.waiting
    with pytest.raises(TetradError, match="ended"):
        output.use(NO_DEVICE, 64)


class Cables:
    """A MIDI system whose ports a test plugs in and pulls out: a `synth.io.midi_ports.MidiSystem`."""

    alive = True
    name = "test: tetrad:in"

    def __init__(self, queue: MessageQueue) -> None:
        self.queue = queue
        self.plugged: list[str] = []
        self.connected: list[str] = []

    def sources(self) -> list[str]:
        return list(self.plugged)

    def connect(self, source: str) -> None:
        self.connected.append(source)

    def disconnect(self, source: str) -> None:
        self.connected.remove(source)

    def close(self) -> None:
        self.connected.clear()

    def play(self, source: str, port: str, data: bytes) -> None:
        if source in self.connected:
            self.queue.put(PortMessage(0.0, data, port))


@pytest.fixture
def cables(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Cables, Any]]:
    queue = MessageQueue()
    system = Cables(queue)
    monkeypatch.setattr("rtmidi.get_compiled_api", lambda: [0])
    monkeypatch.setattr(MidiPorts, "_open_system", lambda _self, _api: system)
    monkeypatch.setattr("synth.io.midi_ports.LOOK_PERIOD_S", 0.02)
    made: list[MidiPorts] = []

    def make(**more: Any) -> MidiPorts:
        made.append(MidiPorts(queue=queue, **more))
        return made[-1]

    yield system, make
    for ports in made:
        ports.close()


def test_inputs_are_chosen_while_they_play(cables: tuple[Cables, Any]) -> None:
    system, make = cables
    system.plugged = ["Keys:Keys MIDI 1 20:0", "Pads:Pads MIDI 1 24:0"]
    ports = make()
    changes: list[tuple[str, ...]] = []
    ports.on_change = changes.append
    keys, pads = ports.there
    assert ports.names == (keys, pads)
    ports.choose([pads])
    assert ports.names == (pads,)
    assert ports.there == (keys, pads)
    ports.take()
    assert ports.lost() == [keys]  # its notes are let go
    system.play("Keys:Keys MIDI 1 20:0", keys, b"\x90\x3c\x40")
    system.play("Pads:Pads MIDI 1 24:0", pads, b"\x90\x3d\x40")
    assert [message.data for message in ports.take()] == [b"\x90\x3d\x40"]
    # Plugged in anew it has another number, and is heard all the same.
    system.plugged = ["Keys:Keys MIDI 1 20:0", "Pads:Pads MIDI 1 28:0"]
    wait_until(lambda: len(ports.names) == 1 and ports.names[0].endswith("28:0"), "the pads' return")
    ports.choose([])
    assert ports.names == ()
    ports.choose(None)
    assert len(ports.names) == 2
    assert changes[0] == (pads,)
    assert changes[-1] == ports.names


def test_a_choice_from_the_settings_waits_for_its_port(cables: tuple[Cables, Any]) -> None:
    system, make = cables
    system.plugged = ["Keys:Keys MIDI 1 20:0"]
    ports = make(chosen=("0: Pads:Pads MIDI 1 99:3",))
    assert ports.names == ()
    assert ports.choice == {"0: Pads:Pads MIDI 1"}
    name = lasting_name(ports.there[0]).replace("Keys", "Pads")
    ports.choose([name])
    system.plugged.append("Pads:Pads MIDI 1 24:0")
    wait_until(lambda: len(ports.names) == 1, "the pads")
