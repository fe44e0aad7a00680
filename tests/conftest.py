"""For tests that play: a real JACK server with a dummy card, a recorder on it, and a real engine for its clients."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator

import pytest

from tests.listening import Keyboard, Recorder, jack_answers, wait_until
from tests.ui.engine import EngineProcess

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
        wait_until(lambda: jack_answers(name), "the JACK server's start")
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


@pytest.fixture(scope="module")
def shared_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """The engine of all tests of a file: it takes four seconds of a core to start."""
    with EngineProcess(tmp_path_factory.mktemp("home")) as engine:
        engine.start()
        yield engine


@pytest.fixture
def engine(shared_engine: EngineProcess) -> EngineProcess:
    """A running engine without a sound card, silent, with the sound of the first start and a screen that remembers
    nothing. What a test before has saved, imported or removed is still so."""
    shared_engine.as_at_first()
    return shared_engine
