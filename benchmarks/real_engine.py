"""The real engine in a process of its own, on a JACK server of ours, and a client of it."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from synth.io.client import Client

START_WITHIN_S = 60.0


@contextlib.contextmanager
def real_engine(
    home: Path, *arguments: str, on_notice: Callable[[str, Mapping[str, Any]], object] | None = None
) -> Iterator[Client]:
    """A client of an engine that plays through the environment's JACK server, as on its first day.

    home: an empty folder for its data. arguments: more of `python -m synth`.
    """
    socket = home / "s"
    command = [sys.executable, "-m", "synth", "--fresh", "--audio", "jack", "--osc", "-1", *arguments]
    environment = {**os.environ, "TETRAD_HOME": str(home), "TETRAD_SOCKET": str(socket)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        for line in program.stdout:
            if line.startswith("Playing"):
                break
        try:
            client = Client(socket, on_notice=on_notice)
            client.connect(START_WITHIN_S)
            client.subscribe(30.0)
            yield client
            client.close()
        finally:
            program.terminate()  # a JACK server that waits for clients waits for a killed one, too
            program.communicate()
