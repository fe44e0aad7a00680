"""One open port with the conversation on it: bytes in and out, as the conversation wants them."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from firmware_host.conversation import Conversation
from firmware_host.messages import Message, State

MOST_UNSENT = 256
HEARD_BYTES = 32


class Port(Protocol):
    """What is needed of a serial port."""

    def fileno(self) -> int:
        """A descriptor that never waits."""

    def close(self) -> None:
        """Leave it."""


class Line:
    """One open port, which never waits, and what is said on it. Its methods raise OSError when the port broke off.

    on_traffic(direction, device, data): all bytes, "<" from the board, ">" to it.
    """

    def __init__(self, device: str, port: Port, on_traffic: Callable[[str, str, bytes], object] | None) -> None:
        self.device = device
        self._port = port
        self._fileno = int(port.fileno())
        self._traffic = on_traffic
        self.opened_s = time.monotonic()
        self.conversation = Conversation(self.opened_s)
        self.heard = b""
        """The first bytes that came."""
        self.latest: State | None = None
        self._unsent = b""

    @property
    def number(self) -> int:
        """The board's number; 0 before its hello, and of a board that was never named."""
        hello = self.conversation.hello
        return 0 if hello is None else hello.board_id

    def fileno(self) -> int:
        return self._fileno

    def close(self) -> None:
        with suppress(OSError):  # a port that was unplugged may not close in order, and is gone all the same
            self._port.close()

    def read(self) -> list[Message]:
        try:
            data = os.read(self._fileno, 4096)
        except BlockingIOError:
            return []
        if not data:
            raise OSError("the port ended")
        if self._traffic is not None:
            self._traffic("<", self.device, data)
        self.heard = self.heard or data[:HEARD_BYTES]
        messages = self.conversation.take(data, time.monotonic())
        for message in messages:
            if isinstance(message, State):
                self.latest = message
        return messages

    def write(self) -> None:
        """Send what is due. What a port does not take is dropped: the conversation sends again what matters."""
        data = self.conversation.due(time.monotonic())
        if data:
            if self._traffic is not None:
                self._traffic(">", self.device, data)
            self._unsent = (self._unsent + data)[-MOST_UNSENT:]
        if self._unsent:
            try:
                self._unsent = self._unsent[os.write(self._fileno, self._unsent) :]
            except BlockingIOError:
                return
