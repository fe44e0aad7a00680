"""A device that disappears is waited for and taken again: JACK servers, ALSA devices of a configuration file."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.listening import wait_until

PROGRAM = """
import json, sys
from synth.io.audio import AudioOutput, settle
from tests.ramp import ramp

def tell(**what):
    print(json.dumps(what), flush=True)

wanted, rate_hz, block = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
settled = settle(wanted, rate_hz)
tell(notice=settled.notice, rate=settled.sample_rate_hz, device=str(settled.device))
output = AudioOutput(settled.device, ramp(), sample_rate_hz=settled.sample_rate_hz, block_size=block,
                     say=lambda words: tell(said=words))
with output:
    for line in sys.stdin:
        if line == "abort\\n":  # what PortAudio does when a card is pulled out
            output._stream._stream.abort()
            continue
        tell(blocks=output.health().blocks, waiting=output.waiting, losses=output.health().losses,
             active=output.active)
tell(end=True)
"""


class Program:
    """The program above, and what it says."""

    def __init__(self, environment: dict[str, str], wanted: str, rate_hz: int, block: int = 0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, wanted, str(rate_hz), str(block)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[dict[str, object]] = []

        def read() -> None:
            assert self.process.stdout is not None
            for line in self.process.stdout:
                self.lines.append(json.loads(line))

        self._reader = threading.Thread(target=read, daemon=True)
        self._reader.start()

    def said(self) -> list[str]:
        return [str(line["said"]) for line in self.lines if "said" in line]

    def send(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def ask(self) -> dict[str, object]:
        """Health as it is now."""
        known = len([line for line in self.lines if "blocks" in line])
        self.send("?")
        wait_until(lambda: len([line for line in self.lines if "blocks" in line]) > known, "an answer")
        return [line for line in self.lines if "blocks" in line][-1]

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()

    def wait_for_sound(self) -> None:
        wait_until(lambda: self.ask()["blocks"], "the first block")

    def stop(self) -> str:
        """Its stderr; it must end by itself, and well."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        code = self.process.wait(60)
        self._reader.join(10)
        assert self.process.stderr is not None
        errors = self.process.stderr.read()
        assert code == 0, errors
        assert self.lines[-1] == {"end": True}
        return errors


class Server:
    """A JACK server by name, that can die and come back."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "JACK_DEFAULT_SERVER": self.name, "JACK_NO_START_SERVER": "1"}

    def start(self, rate_hz: int = 48_000, block: int = 128) -> None:
        command = ["jackd", "-r", "-n", self.name, "-S", "-t", "5000", "-d", "dummy", "-r", str(rate_hz)]
        self.process = subprocess.Popen(
            [*command, "-p", str(block)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(self._answers, "the JACK server's start")

    def end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        """By a program of its own: what libjack knows of a dead server must not stay in this process."""
        code = "import jack; jack.Client('probe', no_start_server=True).close()"
        command = [sys.executable, "-c", code]
        return subprocess.run(command, env=self.environment, capture_output=True, check=False).returncode == 0


@pytest.fixture
def mortal_server() -> Iterator[Server]:
    server = Server(f"tetrad-mortal-{os.getpid()}")
    yield server
    if server.process is None:  # a killed server keeps one of libjack's 8 places until one of its name ends well
        server.start()
    server.end(signal.SIGTERM)


LISTENER = """
import sys
import jack, numpy as np
client = jack.Client("listener", no_start_server=True)
inputs = [client.inports.register(f"in_{i}") for i in range(2)]
blocks = []
client.set_process_callback(lambda frames: blocks.append(np.stack([port.get_array() for port in inputs], axis=1)))
client.activate()
for source, target in zip(client.get_ports("Tetrad:.*", is_audio=True, is_output=True), inputs, strict=True):
    client.connect(source, target)
import time
while len(blocks) * client.blocksize < int(sys.argv[1]) + 8_192:
    time.sleep(0.02)
client.deactivate()
sys.stdout.buffer.write(np.concatenate(blocks).tobytes())
client.close()
"""


def hear(server: Server, n_samples: int) -> NDArray[np.float32]:
    """So many samples of what the program plays, float32 [n, 2], from when both channels sound."""
    command = [sys.executable, "-c", LISTENER, str(n_samples)]
    done = subprocess.run(command, env=server.environment, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    heard = np.frombuffer(done.stdout, np.float32).reshape(-1, 2)
    sounding = np.flatnonzero(heard.all(axis=1))
    return heard[sounding[0] :][:n_samples]


def assert_is_the_ramp(heard: NDArray[np.float32]) -> None:
    """Sample by sample what was rendered, both channels, none lost and none twice."""
    left = heard[:, 0].astype(np.float64) * 2**22
    steps = np.diff(left)
    assert set(steps[steps > 0]) == {1.0}
    assert np.count_nonzero(steps < 0) <= 1  # the ramp begins anew every 44 s
    assert np.array_equal(heard[:, 1], -heard[:, 0])


@pytest.mark.parametrize("how", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_a_server_that_dies_and_comes_back_is_played_on(mortal_server: Server, how: signal.Signals) -> None:
    mortal_server.start()
    with Program(mortal_server.environment, "jack", 48_000) as program:
        program.wait_for_sound()
        assert_is_the_ramp(hear(mortal_server, 24_000))
        for death in (1, 2):
            mortal_server.end(how)
            wait_until(lambda: len(program.said()) == 2 * death - 1, "the notice of the loss")  # noqa: B023
            away = program.ask()
            assert away["waiting"] is True
            assert away["active"] is True
            blocks = int(str(away["blocks"]))
            wait_until(lambda: int(str(program.ask()["blocks"])) > blocks, "blocks without a device")  # noqa: B023
            mortal_server.start()
            wait_until(lambda: len(program.said()) == 2 * death, "the notice of the return")  # noqa: B023
            assert_is_the_ramp(hear(mortal_server, 24_000))
        state = program.ask()
        assert (state["waiting"], state["losses"]) == (False, 2)
        device = "JACK Audio Connection Kit: system"
        gone, back = f"{device} has gone; it is waited for, and the playing goes on unheard", f"{device} is back"
        assert program.said() == [gone, back, gone, back]
        assert program.stop() == ""


@pytest.mark.slow
def test_a_server_that_freezes_is_given_up_and_taken_again(mortal_server: Server) -> None:
    mortal_server.start()
    assert mortal_server.process is not None
    with Program(mortal_server.environment, "jack", 48_000) as program:
        program.wait_for_sound()
        mortal_server.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: len(program.said()) == 1, "the notice of the loss")
        blocks = int(str(program.ask()["blocks"]))
        wait_until(lambda: int(str(program.ask()["blocks"])) > blocks + 10, "blocks without a device")
        mortal_server.process.send_signal(signal.SIGCONT)
        wait_until(lambda: len(program.said()) == 2, "the notice of the return")
        assert_is_the_ramp(hear(mortal_server, 24_000))
        assert program.ask()["losses"] == 1
        assert program.stop() == ""


def test_it_can_be_stopped_while_the_device_is_away(mortal_server: Server) -> None:
    mortal_server.start()
    with Program(mortal_server.environment, "jack", 48_000) as program:
        program.wait_for_sound()
        mortal_server.end(signal.SIGKILL)
        wait_until(program.said, "the notice of the loss")
        assert program.stop() == ""


def test_a_server_that_comes_back_at_another_rate_is_waited_for_in_words(mortal_server: Server) -> None:
    mortal_server.start()
    with Program(mortal_server.environment, "jack", 48_000) as program:
        program.wait_for_sound()
        mortal_server.end(signal.SIGTERM)
        wait_until(lambda: len(program.said()) == 1, "the notice of the loss")
        mortal_server.start(rate_hz=44_100)
        wait_until(lambda: len(program.said()) == 2, "the notice of the rate")
        assert program.said()[1].startswith("the JACK server runs at 44100 Hz; 48000 Hz was expected")
        assert program.ask()["waiting"] is True
        mortal_server.end(signal.SIGTERM)
        mortal_server.start(rate_hz=48_000, block=256)
        wait_until(lambda: len(program.said()) == 3, "the notice of the return")
        assert_is_the_ramp(hear(mortal_server, 24_000))
        assert program.stop() == ""


def test_the_rate_of_the_device_is_taken_and_said(mortal_server: Server) -> None:
    mortal_server.start(rate_hz=44_100, block=256)
    with Program(mortal_server.environment, "jack", 48_000, 128) as program:
        wait_until(lambda: len(program.lines) >= 2, "the stream")
        assert program.lines[0] == {
            "notice": "JACK Audio Connection Kit: system does not run at 48000 Hz; it plays at 44100 Hz",
            "rate": 44_100,
            "device": "JACK Audio Connection Kit: system",
        }
        expected = "JACK Audio Connection Kit: system does not take blocks of 128 samples; it has its own"
        assert program.said() == [expected]
        assert_is_the_ramp(hear(mortal_server, 24_000))
        assert program.stop() == ""


def test_an_alsa_device_that_goes_is_found_again_by_name(tmp_path: Path) -> None:
    """ALSA's null device takes everything at once; the configuration that names it is what comes and goes."""
    # PortAudio 19.6 ends the process by an assertion where every device of a configuration opens; one leads nowhere.
    card, no_card = tmp_path / "asound.conf", "pcm.other { type null }\npcm.broken { type hw card 30 }\n"
    card.write_text(no_card + "pcm.concert_card { type null }\n")
    environment = {**os.environ, "ALSA_CONFIG_PATH": str(card), "JACK_DEFAULT_SERVER": "there-is-none"}
    with Program(environment, "concert", 48_000, 64) as program:
        program.wait_for_sound()
        assert program.lines[0] == {"notice": "", "rate": 48_000, "device": "ALSA: concert_card"}
        card.write_text(no_card)
        os.utime(card, (1.0, 1.0))  # ALSA reads a file again when its time is another one
        program.send("abort")
        gone = "ALSA: concert_card has gone; it is waited for, and the playing goes on unheard"
        wait_until(lambda: gone in program.said(), "the notice of the loss")
        blocks = int(str(program.ask()["blocks"]))
        wait_until(lambda: int(str(program.ask()["blocks"])) > blocks + 1_000, "seconds of searching")
        assert program.ask()["waiting"] is True
        card.write_text(no_card + "pcm.concert_card { type null }\n")
        wait_until(lambda: "ALSA: concert_card is back" in program.said(), "the notice of the return")
        blocks = int(str(program.ask()["blocks"]))
        wait_until(lambda: int(str(program.ask()["blocks"])) > blocks, "sound")
        state = program.ask()
        assert (state["waiting"], state["losses"]) == (False, 1)
        assert program.stop() == ""
