"""What a service manager is told: that the engine plays, how it is, and that it lives (systemd's sd_notify(3)).

A message is one datagram of NAME=VALUE lines to the socket that NOTIFY_SOCKET names. Without one nothing is said.
"""

import os
import socket
import time
from collections.abc import Mapping


class ServiceManager:
    """Whoever started this process and wants to hear of it. One thread calls it.

    environment: NOTIFY_SOCKET is a path, or a name in the abstract name space after an "@"; WATCHDOG_USEC says after
    how much silence the process is taken for dead and killed, WATCHDOG_PID which process that is about.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        silence_us = environment.get("WATCHDOG_USEC", "") if self.listens else ""
        is_ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._period_s = int(silence_us) * 1e-6 / 4 if silence_us.isdecimal() and is_ours else None
        self._beats: tuple[int, ...] = ()
        self._said_s = 0.0

    @property
    def listens(self) -> bool:
        """Whether there is one."""
        return bool(self._address)

    def ready(self, words: str) -> None:
        """It plays; words: how, for `systemctl status`."""
        self._send(f"READY=1\nSTATUS={words}\n")

    def status(self, words: str) -> None:
        """What it is doing, in one line."""
        self._send(f"STATUS={words}\n")

    def stopping(self) -> None:
        """It ends, as it was told to."""
        self._send("STOPPING=1\nSTATUS=stopping\n")

    def alive(self, *beats: int) -> None:
        """Say that the process lives, four times in the watchdog's time, if all parts have moved since it last was.

        beats: a counter for each part, which that part moves whenever it has done something. A part that hangs keeps
        its own, nothing is said from then on, and the manager starts the process again.
        """
        if self._period_s is None:
            return
        now_s = time.monotonic()
        moved = len(beats) != len(self._beats) or all(a != b for a, b in zip(beats, self._beats, strict=True))
        if moved and now_s - self._said_s >= self._period_s:
            self._beats, self._said_s = beats, now_s
            self._send("WATCHDOG=1\n")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setblocking(False)
            try:
                sender.sendto(message.encode(), self._address)
            except OSError:
                return  # a manager that does not listen must not end the sound; it misses the message and acts on that
