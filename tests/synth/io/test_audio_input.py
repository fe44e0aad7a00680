"""Sound in: every sample once, in order; levels, clipping, losses, devices that are not there or go away."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import jack
import numpy as np
import pytest

from synth.errors import TetradError
from synth.io import input_ring
from synth.io.audio_input import AudioInput, InputLevel, choose_input, input_devices
from synth.io.input_ring import InputRing
from synth.jit import njit


class Counter:
    """A JACK client whose every sample is its number, in units of 2^-20."""

    def __init__(self, server: str) -> None:
        self.client = jack.Client("counter", servername=server, no_start_server=True)
        self.output = self.client.outports.register("out")
        self._n = 0
        self.client.set_process_callback(self._process)
        self.client.activate()

    def close(self) -> None:
        self.client.deactivate()
        self.client.close()

    def _process(self, frames: int) -> None:
        self.output.get_array()[:] = (self._n + np.arange(1, frames + 1)) % (1 << 20) / np.float32(1 << 20)
        self._n += frames


@pytest.fixture
def counter(jack_server: str) -> Iterator[Counter]:
    counter = Counter(jack_server)
    yield counter
    counter.close()


@pytest.fixture(autouse=True)
def _server(jack_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", jack_server)
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")


def test_every_sample_comes_in_once_and_in_order(counter: Counter) -> None:
    with AudioInput("jack") as source:
        assert (source.sample_rate_hz, source.channels) == (48_000, 2)
        captured = {port.name for port in counter.client.get_all_connections("Tetrad input:in_1")}
        assert captured == {"system:capture_1"}
        counter.client.connect(counter.output, "Tetrad input:in_2")
        blocks = [source.read()]
        while sum(map(len, blocks)) < 96_000 and not source.problem:
            time.sleep(0.02)
            blocks.append(source.read())
        assert source.problem == ""
        assert source.lost_samples == 0
    sound = np.concatenate(blocks)
    numbers = np.rint(sound[:, 1] * (1 << 20)).astype(np.int64)
    counted = numbers[np.argmax(numbers > 0) :]
    assert counted.size > 90_000
    assert np.array_equal(counted % (1 << 20), (counted[0] + np.arange(counted.size)) % (1 << 20))
    assert not sound[:, 0].any()  # the dummy card's own input is silent


MORTAL = """
import sys
from synth.errors import TetradError
from synth.io.audio_input import AudioInput
from tests.listening import wait_until
try:
    AudioInput("jack", 48_000)
except TetradError as error:
    print(error)
with AudioInput("jack") as source:
    wait_until(lambda: len(source.read()) > 0, "the first sound")
    print(source.sample_rate_hz, source.channels, flush=True)
    wait_until(lambda: source.problem, "the notice")
    print(source.problem)
"""


def test_a_server_that_dies_is_said() -> None:
    """In a process of its own: libjack is not itself any more after a server's death."""
    name = f"mortal-{time.monotonic_ns()}"
    command = ["jackd", "-r", "-n", name, "-S", "-d", "dummy", "-r", "44100", "-C", "1"]
    environment = {**os.environ, "JACK_DEFAULT_SERVER": name}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            time.sleep(1.0)
            program = subprocess.Popen(
                [sys.executable, "-c", MORTAL], env=environment, stdout=subprocess.PIPE, text=True
            )
            with program:
                assert program.stdout is not None
                assert re.search("does not work at 48000 Hz; there are: .*JACK", program.stdout.readline())
                assert program.stdout.readline() == "44100 1\n"
                server.terminate()  # killed, it would keep one of libjack's 8 places for good
                assert program.stdout.readline().startswith("JACK Audio Connection Kit: system has gone")
        finally:
            server.terminate()


def test_an_input_that_there_is_not_is_one_line_with_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TetradError, match=r"no audio input is called 'harpsichord'.*there are: .*JACK"):
        choose_input("harpsichord")
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "there-is-none")
    if not input_devices():
        with pytest.raises(TetradError, match="no audio input works; there are: none at all; plug in a microphone"):
            choose_input(None)


ALSA = """
import time
from synth.io.audio_input import AudioInput, InputLevel
with AudioInput("concert") as source:
    end_s = time.monotonic() + 30.0
    while not len(sound := source.read()) and time.monotonic() < end_s:
        time.sleep(0.01)
    peak_dbfs = InputLevel(48_000).update(sound).peak_dbfs
    print(source.device, source.sample_rate_hz, sound.shape[1], len(sound) > 0, peak_dbfs <= 0.0)
"""


def test_an_alsa_device_is_read_by_name(tmp_path: Path) -> None:
    """ALSA's null device gives what was in memory, at once."""
    # PortAudio 19.6 ends the process by an assertion where every device of a configuration opens; one leads nowhere.
    (tmp_path / "asound.conf").write_text("pcm.broken { type hw card 30 }\npcm.concert_mic { type null }\n")
    environment = {**os.environ, "ALSA_CONFIG_PATH": str(tmp_path / "asound.conf"), "JACK_DEFAULT_SERVER": "none"}
    command = [sys.executable, "-c", ALSA]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout.split("\n")[0] == "ALSA: concert_mic 48000 2 True True", done.stderr


@njit()
def _write(data, block):  # type: ignore[no-untyped-def]
    at = input_ring.room_for(data, block.shape[0])
    if at >= 0:
        input_ring.put_channel(data, at, 0, block.ctypes.data, block.shape[0], 2)
        input_ring.put_channel(data, at, 1, block.ctypes.data + 4, block.shape[0], 2)
        input_ring.done(data, block.shape[0])


def test_a_ring_goes_round_and_counts_what_finds_no_room() -> None:
    ring = InputRing(1000, 2, kept_s=1.0)
    stream = np.arange(2 * 5000, dtype=np.float32).reshape(-1, 2)
    read = []
    for n in range(0, 5000, 300):
        _write(ring.memory.address, stream[n : n + 300])
        read.append(ring.read())
    assert np.array_equal(np.concatenate(read), stream)
    assert (ring.n_written, ring.n_lost) == (5000, 0)
    for n in range(0, 1500, 300):
        _write(ring.memory.address, stream[n : n + 300])
    assert ring.n_lost == 600
    assert np.array_equal(ring.read(), stream[:900])
    assert len(ring.read()) == 0


def test_levels_peaks_and_clipping() -> None:
    meter = InputLevel(1000)
    block = np.zeros((50, 2), np.float32)
    assert meter.update(block) == (-120.0, -120.0, 0)
    block[7, 1] = -0.5
    assert meter.update(block).peak_dbfs == pytest.approx(-6.02, abs=0.01)
    quiet = meter.update(block * 0.1)
    assert (round(quiet.peak_dbfs), round(quiet.hold_dbfs)) == (-26, -6)
    for _ in range(31):
        quiet = meter.update(block * 0.1)
    assert round(quiet.hold_dbfs) == -26
    block[7, 1] = 1.0  # one sample may just be there
    assert meter.update(block).clipped == 0
    block[8, 1] = 0.9995
    block[9, 1] = np.nan
    assert meter.update(block).clipped == 2
    assert meter.n_clipped == 2
