"""A real JACK server with a dummy card, and a recorder on it, for the tests that play."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator

import jack
import pytest

from tests.listening import Keyboard, Recorder, wait_until

# Both cores are never idle while tests run: workers that gave way to all else would take minutes.
os.environ["TETRAD_AT_ONCE"] = "1"

# A shell that starts the tests in the background makes them, and the programs they start, deaf to Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def jack_server() -> Iterator[str]:
    """Name of a synchronous JACK server of our own: 48 kHz, 128 frames. Late clients stretch its time, and nothing is
    lost (`-S`), so what is recorded on it can be compared sample by sample."""
    if shutil.which("jackd") is None:
        pytest.fail("jackd is missing; `make test` installs it (Debian package jackd2)")
    name = f"tetrad-test-{os.getpid()}"
    command = ["jackd", "-r", "-n", name, "-S", "-t", "5000", "-d", "dummy", "-r", "48000", "-p", "128"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _answers(name), "the JACK server's start")
        yield name
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:  # a client that was killed can leave it waiting for ever
            server.kill()
            server.wait()


@pytest.fixture
def jack_environment(jack_server: str) -> dict[str, str]:
    """Environment of a program whose sound and MIDI go through that server."""
    return {**os.environ, "JACK_DEFAULT_SERVER": jack_server, "JACK_NO_START_SERVER": "1"}


@pytest.fixture
def recorder(jack_server: str) -> Iterator[Recorder]:
    recorder = Recorder(jack_server)
    yield recorder
    recorder.close()


@pytest.fixture
def keyboard(jack_server: str) -> Iterator[Keyboard]:
    keyboard = Keyboard(jack_server)
    yield keyboard
    keyboard.close()


def _answers(name: str) -> bool:
    try:
        jack.Client("probe", servername=name, no_start_server=True).close()
    except jack.JackOpenError:
        return False
    return True
