"""What the tests that play have in common: waiting, and recording from a JACK server."""

import time
from collections import deque
from collections.abc import Callable

import jack
import numpy as np
import pytest
from numpy.typing import NDArray


def wait_until(condition: Callable[[], object], what: str, limit_s: float = 60.0) -> None:
    """Poll until `condition` is true; fail with `what` when that takes longer than any healthy machine needs."""
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"{what} did not happen in {limit_s:g} s")
        time.sleep(0.02)


def jack_answers(server: str) -> bool:
    """Whether a JACK server of that name runs."""
    try:
        jack.Client("probe", servername=server, no_start_server=True).close()
    except jack.JackOpenError:
        return False
    return True


class Recorder:
    """A JACK client that records two channels from whatever is connected to it."""

    def __init__(self, server: str) -> None:
        self.client = jack.Client("recorder", servername=server, no_start_server=True)
        self._inputs = [self.client.inports.register(f"in_{channel}") for channel in range(2)]
        self._blocks: list[NDArray[np.float32]] = []
        self.client.set_process_callback(self._process)
        self.client.activate()

    def connect(self, wanted: str) -> None:
        """Wait for a client whose name begins with `wanted`, and record its first two outputs."""
        wait_until(lambda: len(self._outputs(wanted)) >= 2, f"audio output by {wanted}")
        for source, target in zip(self._outputs(wanted)[:2], self._inputs, strict=True):
            self.client.connect(source, target)

    def samples(self) -> NDArray[np.float32]:
        """What was recorded so far, float32 [n_samples, 2]."""
        return np.concatenate(self._blocks) if self._blocks else np.zeros((0, 2), np.float32)

    @property
    def n_samples(self) -> int:
        """How much was recorded so far."""
        return sum(len(block) for block in self._blocks)

    def close(self) -> None:
        self.client.deactivate()
        self.client.close()

    def _outputs(self, wanted: str) -> list[jack.Port]:
        return self.client.get_ports(f"{wanted}.*", is_audio=True, is_output=True)

    def _process(self, _frames: int) -> None:
        self._blocks.append(np.stack([port.get_array() for port in self._inputs], axis=1))


class Keyboard:
    """A JACK client with a MIDI output, as a controller has one."""

    def __init__(self, server: str) -> None:
        self.client = jack.Client("keyboard", servername=server, no_start_server=True)
        self._output = self.client.midi_outports.register("out")
        self._waiting: deque[bytes] = deque()
        self.client.set_process_callback(self._process)
        self.client.activate()

    def send(self, message: bytes) -> None:
        self._waiting.append(message)

    def close(self) -> None:
        self.client.deactivate()
        self.client.close()

    def _process(self, _frames: int) -> None:
        self._output.clear_buffer()
        while self._waiting:
            self._output.write_midi_event(0, self._waiting.popleft())
