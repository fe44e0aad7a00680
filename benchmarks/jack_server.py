"""A JACK server of our own with a dummy card, for measurements through a real stream."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator

from synth.frames import SAMPLE_RATE_HZ

START_S = 2.0
LONGEST_WAIT_MS = 20_000


@contextlib.contextmanager
def jack_server(block: int, *, synchronous: bool) -> Iterator[str]:
    """Name of a running server at 48 kHz, which this process's environment then names as the one to use.

    block: its period in samples. synchronous: late clients stretch its time and nothing is lost; else, as with a real
    card, a late client loses its block.
    """
    name = f"tetrad-benchmark-{os.getpid()}"
    os.environ |= {"JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1"}
    waiting = ["-S", "-t", str(LONGEST_WAIT_MS)] if synchronous else []
    command = ["jackd", "-R", "-n", name, *waiting, "-d", "dummy", "-r", str(SAMPLE_RATE_HZ), "-p", str(block)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(START_S)
        yield name
    finally:
        server.terminate()
        server.wait(20)
