"""Messages that have arrived and wait for the conductor: one bounded queue for all inputs."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

QUEUE_CAPACITY = 1024  # messages; a dense controller sends some 1,000 a second, and the reader looks every few ms


class ArrivedMessage(NamedTuple):
    """One complete MIDI message, and when it arrived on `time.perf_counter`'s clock, in seconds."""

    time_s: float
    data: bytes


class PortMessage(NamedTuple):
    """An arrived message that knows where it came from.

    port: the name of the input that it came from. frame: for JACK, its place on the server's own clock, in samples
    from 0 to 2**32 - 1 and then from 0 again; it is exact, where time_s wobbles. None elsewhere.
    """

    time_s: float
    data: bytes
    port: str = ""
    frame: int | None = None


class MessageQueue:
    """The inputs' threads put, one thread takes; nobody waits. When it is full a message is dropped and counted.

    on_arrival: called after each message, on its input's thread; may be set later.
    """

    def __init__(self, on_arrival: Callable[[], None] | None = None) -> None:
        self._waiting: deque[PortMessage] = deque()
        self._lost: deque[str] = deque()
        self._lost_before: list[str] = []
        self.on_arrival = on_arrival
        self.dropped = 0
        """Messages lost because nobody emptied the queue."""
        self.high_water = 0
        """The most messages that were waiting at once."""

    def put(self, message: PortMessage) -> None:
        """A message has arrived."""
        waiting = len(self._waiting)
        if waiting >= QUEUE_CAPACITY:
            self.dropped += 1
            return
        self._waiting.append(message)
        self.high_water = max(self.high_water, waiting + 1)
        if self.on_arrival is not None:
            self.on_arrival()

    def lose(self, port: str) -> None:
        """An input has gone; nothing of it comes after this."""
        self._lost.append(port)

    def take(self) -> list[PortMessage]:
        """All messages since the last call, each port's oldest first."""
        # Before the messages, so that `lost` names no port whose last note is still waiting here.
        while self._lost:
            self._lost_before.append(self._lost.popleft())
        messages = []
        while self._waiting:
            messages.append(self._waiting.popleft())
        return messages

    def lost(self) -> list[str]:
        """Inputs that had gone by the last `take`, each once: their notes are to be let go. Call it after `take`."""
        lost, self._lost_before = self._lost_before, []
        return lost
