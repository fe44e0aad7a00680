"""JACK's MIDI keeps the sample of every event, through a running stream of PortAudio's."""

import ctypes
import os
import subprocess
import time
from collections.abc import Iterator

import jack
import numpy as np
import pytest
import sounddevice
from numpy.typing import NDArray

from synth.errors import TetradError
from synth.io.jack_midi import FRAMES_PER_ROUND, JackMidiInput, frames_between
from synth.io.midi_queue import QUEUE_CAPACITY, PortMessage
from tests.listening import jack_answers, wait_until

RATE_HZ = 48_000
LEAD = 1_024
GAPS = (331, 128, 1, 977, 4_099, 2_048, 640)
usleep = ctypes.PyDLL(None).usleep  # keeps the interpreter lock


class ExactKeyboard:
    """Sends notes at given samples of its own, and a click on an audio port at the same samples."""

    def __init__(self, server: str) -> None:
        self.client = jack.Client("exact", servername=server, no_start_server=True)
        self._midi = self.client.midi_outports.register("out")
        self._clicks = self.client.outports.register("clicks")
        self._now = 0
        self._due: list[int] = []
        self._unsent: list[bytes] = []
        self.client.set_process_callback(self._process)
        self.client.activate()

    def send(self, messages: list[bytes], at_once: int) -> None:
        """So many in each block, until all are sent."""
        self._at_once = at_once
        self._unsent = messages
        wait_until(lambda: not self._unsent, "the messages")

    def play(self, gaps: tuple[int, ...]) -> None:
        """Notes at gaps from each other, the first some blocks from now."""
        start = self._now + 4_096
        self._due = [start + int(gap) for gap in np.cumsum(gaps)]

    def close(self) -> None:
        self.client.deactivate()
        self.client.close()

    def _process(self, n_frames: int) -> None:
        self._midi.clear_buffer()
        clicks = self._clicks.get_array()
        clicks[:] = 0.0
        for due in self._due:
            offset = due - self._now
            if 0 <= offset < n_frames:
                self._midi.write_midi_event(offset, b"\x90\x3c\x40")
                clicks[offset] = 1.0
        if self._unsent:
            for message in self._unsent[: self._at_once]:
                self._midi.write_midi_event(0, message)
            self._unsent = self._unsent[self._at_once :]
        self._now += n_frames


class TwoTracks:
    """Records what the stream played beside the keyboard's clicks."""

    def __init__(self, server: str) -> None:
        self.client = jack.Client("tracks", servername=server, no_start_server=True)
        self._ports = [self.client.inports.register(name) for name in ("stream", "clicks")]
        self._blocks: list[NDArray[np.float32]] = []
        self.client.set_process_callback(self._process)
        self.client.activate()

    def connect(self, stream: jack.Port, clicks: str) -> None:
        self.client.connect(stream, self._ports[0])
        self.client.connect(clicks, self._ports[1])

    def onsets(self) -> list[list[int]]:
        tracks = np.concatenate(self._blocks) if self._blocks else np.zeros((0, 2), np.float32)
        return [np.flatnonzero(tracks[:, track] > 0.5).tolist() for track in range(2)]

    def close(self) -> None:
        self.client.deactivate()
        self.client.close()

    def _process(self, _n_frames: int) -> None:
        self._blocks.append(np.stack([port.get_array() for port in self._ports], axis=1))


class ClickingStream:
    """What an engine does: in each block it notes sample and frame, and clicks where an event's frame says."""

    def __init__(self, midi: JackMidiInput) -> None:
        self._midi = midi
        self._clock = 0
        self._due: list[int] = []

    def __call__(self, out: NDArray[np.float32], n_frames: int, _time: object, _status: object) -> None:
        out[:] = 0.0
        block_frame = self._midi.block_frame
        for message in self._midi.queue.take():
            assert message.frame is not None
            self._due.append(self._clock + frames_between(block_frame, message.frame) + LEAD)
        for due in self._due:
            if 0 <= due - self._clock < n_frames:
                out[due - self._clock] = 1.0
        self._clock += n_frames


@pytest.fixture
def midi(jack_server: str) -> Iterator[JackMidiInput]:
    midi = JackMidiInput(server=jack_server)
    yield midi
    midi.close()


@pytest.fixture
def portaudio(jack_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """PortAudio looks for servers when it starts, and must have ended before its server does."""
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    for server in (jack_server, "nobody-runs-this"):
        monkeypatch.setenv("JACK_DEFAULT_SERVER", server)
        sounddevice._terminate()
        sounddevice._initialize()
        if server == jack_server:
            yield


@pytest.mark.usefixtures("portaudio")
def test_notes_keep_their_distances_to_the_sample_through_a_stream(midi: JackMidiInput, jack_server: str) -> None:
    keyboard, tracks = ExactKeyboard(jack_server), TwoTracks(jack_server)
    device = next(api["default_output_device"] for api in sounddevice.query_hostapis() if "JACK" in api["name"])
    stream = sounddevice.OutputStream(
        samplerate=RATE_HZ, blocksize=0, device=device, channels=1, dtype="float32", callback=ClickingStream(midi)
    )
    with stream:
        before = "PortAudio.*"
        wait_until(lambda: tracks.client.get_ports(before, is_audio=True, is_output=True), "the stream's port")
        tracks.connect(tracks.client.get_ports(before, is_audio=True, is_output=True)[0], "exact:clicks")
        midi.connect("exact:out")
        keyboard.play(GAPS)
        wait_until(lambda: all(len(onsets) == len(GAPS) for onsets in tracks.onsets()), "the clicks")
        played, sent = tracks.onsets()
    keyboard.close()
    tracks.close()
    delays = np.subtract(played, sent)
    assert np.diff(sent).tolist() == list(GAPS[1:])
    assert np.ptp(delays) <= 1
    assert LEAD <= delays[0] <= LEAD + 1024


def test_a_source_can_leave_and_others_take_its_place(midi: JackMidiInput, jack_server: str) -> None:
    keyboard = ExactKeyboard(jack_server)
    assert "exact:out" in midi.sources()
    assert not [name for name in midi.sources() if name.startswith("tetrad")]
    for _ in range(3):
        midi.connect("exact:out")
        keyboard.play((1,))
        arrived: list[bytes] = []

        def note(arrived: list[bytes] = arrived) -> bool:
            arrived += [message.data for message in midi.queue.take() if message.port == "JACK: exact:out"]
            return bool(arrived)

        wait_until(note, "the note")
        midi.disconnect("exact:out")
    keyboard.play((1,))
    keyboard.close()
    assert midi.queue.take() == []
    with pytest.raises(TetradError, match="JACK: exact:out does not open"):
        midi.connect("exact:out")


def test_messages_come_while_another_thread_keeps_the_interpreter_lock() -> None:
    """Else the whole server would wait for that thread, and lose blocks."""
    name = f"tetrad-lock-{os.getpid()}"
    environment = {**os.environ, "JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    server_command = ["jackd", "-r", "-n", name, "-d", "dummy", "-r", "48000", "-p", "256"]
    keyboard_command = ["jack_midiseq", "seq", "4800", "0", "60", "2400"]  # on or off each twentieth of a second
    server = subprocess.Popen(server_command, **quiet)  # type: ignore[call-overload]
    wait_until(lambda: jack_answers(name), "the server's start")
    midi = JackMidiInput(server=name)
    keyboard = subprocess.Popen(keyboard_command, **quiet)  # type: ignore[call-overload]
    messages: list[PortMessage] = []

    def came_after(time_s: float) -> bool:
        messages.extend(midi.queue.take())
        return bool(messages) and messages[-1].time_s > time_s

    try:
        wait_until(lambda: _connects(midi, "seq:out"), "the keyboard")
        begin_s = time.perf_counter()
        wait_until(lambda: came_after(begin_s), "a note")
        begin_s = time.perf_counter()
        usleep(1_000_000)
        end_s = time.perf_counter()
        wait_until(lambda: came_after(end_s), "another note")
        midi.close()
    finally:
        server.terminate()
        server.wait()
        keyboard.kill()  # after the server: one that loses a client so may wait for it for ever
        keyboard.wait()
    assert len([message for message in messages if begin_s < message.time_s < end_s]) > 4
    frames = [message.frame for message in messages if message.frame is not None]
    assert np.median(np.diff(frames)) == 2_400


def _connects(midi: JackMidiInput, source: str) -> bool:
    try:
        midi.connect(source)
    except TetradError:  # not there, or not active yet
        return False
    return True


def taken(midi: JackMidiInput, arrived: list[bytes]) -> list[bytes]:
    """What has arrived goes behind what had."""
    arrived += [message.data for message in midi.queue.take()]
    return arrived


def test_long_messages_arrive_whole(midi: JackMidiInput, jack_server: str) -> None:
    keyboard = ExactKeyboard(jack_server)
    midi.connect("exact:out")
    random = np.random.default_rng(1)
    sent = [
        b"\xf0" + random.integers(0, 128, int(n), np.uint8).tobytes() + b"\xf7" for n in random.integers(1, 999, 300)
    ]
    assert sum(map(len, sent)) > 2 * len(midi._contents)
    arrived: list[bytes] = []
    for n, message in enumerate(sent, 1):
        keyboard.send([message], 1)
        wait_until(lambda n=n: len(taken(midi, arrived)) == n, "the message")  # type: ignore[misc]
    keyboard.close()
    assert arrived == sent


def test_what_nobody_takes_is_dropped_and_counted(midi: JackMidiInput, jack_server: str) -> None:
    keyboard = ExactKeyboard(jack_server)
    midi.connect("exact:out")
    notes = [bytes([0x90, i % 128, 1 + i // 128]) for i in range(QUEUE_CAPACITY + 76)]
    with midi._draining:  # our thread stands still
        keyboard.send(notes, 100)
        wait_until(lambda: midi.queue.dropped == 0 and int(midi._counts[4]) == 76, "all of them")
    arrived: list[bytes] = []
    wait_until(lambda: bool(taken(midi, arrived)) and midi.queue.dropped == 76, "what found room")
    assert arrived == notes[:QUEUE_CAPACITY]
    keyboard.send([b"\xf8"], 1)
    wait_until(lambda: [one.data for one in midi.queue.take()] == [b"\xf8"], "room again")
    keyboard.close()


def test_without_a_server_the_answer_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TetradError, match="no JACK server answers"):
        JackMidiInput(server="nobody-runs-this")
    assert "Cannot connect" not in capfd.readouterr().err


def test_the_clock_goes_round() -> None:
    assert frames_between(10, 13) == 3
    assert frames_between(13, 10) == -3
    assert frames_between(FRAMES_PER_ROUND - 2, 5) == 7
    assert frames_between(5, FRAMES_PER_ROUND - 2) == -7
