"""A socket between a screen and its engine that writes down when each command came by; and what a process costs."""

import json
import os
import selectors
import socket
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

CHUNK_BYTES = 65_536


class Passed(NamedTuple):
    """A command at the moment when its last byte could be read from the socket, s of the monotonic clock."""

    time_s: float
    command: dict[str, Any]


class Wire:
    """Listens at `path` for screens, and connects each of them with the engine at `engine`. A context manager.

    passed: the screens' commands, in their order.
    """

    def __init__(self, path: Path, engine: Path) -> None:
        self.passed: list[Passed] = []
        self._engine = engine
        self._selector = selectors.DefaultSelector()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._other: dict[socket.socket, socket.socket] = {}
        self._rests: dict[socket.socket, bytes] = {}
        self._over = False
        self._thread = threading.Thread(target=self._run, name="wire", daemon=True)

    def named(self, *names: str) -> list[Passed]:
        """Commands of these names."""
        return [one for one in list(self.passed) if one.command.get("command") in names]

    def _run(self) -> None:
        self._selector.register(self._listener, selectors.EVENT_READ)
        while not self._over:
            for key, _ in self._selector.select(0.2):
                if key.fileobj is self._listener:
                    self._join()
                elif isinstance(key.fileobj, socket.socket):
                    self._carry(key.fileobj)

    def _join(self) -> None:
        screen, _ = self._listener.accept()
        engine = socket.socket(socket.AF_UNIX)
        try:
            engine.connect(str(self._engine))
        except OSError:  # the screen looks again
            engine.close()
            screen.close()
            return
        self._other |= {screen: engine, engine: screen}
        self._rests[screen] = b""
        for end in (screen, engine):
            self._selector.register(end, selectors.EVENT_READ)

    def _carry(self, end: socket.socket) -> None:
        if end not in self._other:
            return
        try:
            data = end.recv(CHUNK_BYTES)
            now_s = time.monotonic()
            if data:
                self._other[end].sendall(data)
        except OSError:
            data = b""
        if not data:
            self._part(end)
        elif end in self._rests:
            *lines, self._rests[end] = (self._rests[end] + data).split(b"\n")
            self.passed += [Passed(now_s, json.loads(line)) for line in lines if line]

    def _part(self, end: socket.socket) -> None:
        for one in (end, self._other[end]):
            del self._other[one]
            self._rests.pop(one, None)
            self._selector.unregister(one)
            one.close()

    def __enter__(self) -> "Wire":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._over = True
        self._thread.join()
        for end in list(self._rests):
            self._part(end)
        self._selector.close()
        self._listener.close()


def cpu_s(pid: int) -> float:
    """Processor time that a process has used."""
    # Fields 14 and 15 of proc(5): user and system time, in ticks. The name before them may hold spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> dict[str, float]:
    """Resident memory: all of it (rss), and with shared pages divided among those who share them (pss); 10^6 bytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines)}
    return {"rss": sizes["Rss"] * 1024 / 1e6, "pss": sizes["Pss"] * 1024 / 1e6}
