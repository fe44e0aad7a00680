"""Questions to the screen of a soak, which a `tetrad play` has started, and its fingers."""

import contextlib
import json
import socket
import threading
from pathlib import Path
from typing import Any

from benchmarks.soaking.screen import CORE_VARIABLE, TUIO_VARIABLE, WINDOW_VARIABLE
from tests.ui.screen import Seen
from tests.ui.touches import Panel, free_udp_port

ANSWER_WITHIN_S = 60.0


class WindowGoneError(Exception):
    """No screen is there that could answer. It may be about to be started again."""


class Window:
    """Listens for screens; the newest one that came is asked. A context manager. Any thread may ask.

    path: of the socket. core: where a screen is to run; empty: anywhere. environment: what a screen has to be given.
    """

    def __init__(self, path: Path, core: str = "") -> None:
        port = free_udp_port()
        self.panel = Panel(port)
        self.starts = 0
        """Screens that have shown their first frame."""
        self.environment = {
            WINDOW_VARIABLE: str(path),
            TUIO_VARIABLE: f"127.0.0.1:{port}",
            CORE_VARIABLE: core,
            "TETRAD_SCREEN": "benchmarks.soaking.screen",
            "TETRAD_SCREEN_REPORT": str(path.with_suffix(".json")),
        }
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._stream: Any = None
        self._socket: socket.socket | None = None
        self._asking = threading.Lock()
        self._came = threading.Condition()
        self._thread = threading.Thread(target=self._accept, name="screens", daemon=True)

    def __enter__(self) -> "Window":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        self._thread.join()
        self._listener.close()
        self._hang_up()
        self.panel.unplug()

    def wait_for_screen(self, starts: int, timeout_s: float) -> None:
        """Until so many screens have shown a first frame. Raises WindowGoneError after `timeout_s`."""
        with self._came:
            if not self._came.wait_for(lambda: self.starts >= starts, timeout_s):
                raise WindowGoneError(f"no screen showed a frame in {timeout_s:g} s")

    def ask(self, question: str, **values: Any) -> Any:
        """The answer of tests.ui.screen_program.Window. Raises WindowGoneError when the screen has ended, or hangs."""
        with self._asking:
            stream = self._stream
            if stream is None:
                raise WindowGoneError("no screen is there")
            try:
                stream.write(json.dumps({"ask": question, **values}) + "\n")
                stream.flush()
                line = stream.readline()
            except (OSError, ValueError) as error:  # ValueError: it was closed for the next screen's
                raise WindowGoneError(f"the screen did not answer {question}: {error}") from None
            if not line:
                raise WindowGoneError(f"the screen ended before it answered {question}")
            answer = json.loads(line)
        if "failed" in answer:
            raise WindowGoneError(f"the screen could not answer {question}: {answer['failed']}")
        return answer["answer"]

    def widgets(self, **known: Any) -> list[Seen]:
        """What is seen of what has these values, as of tests.ui.screen.Screen."""
        seen = [Seen(one) for one in self.ask("widgets")]
        return [one for one in seen if all(one.known.get(name) == value for name, value in known.items())]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # the end
                return
            connection.settimeout(ANSWER_WITHIN_S)
            stream = connection.makefile("rw", encoding="utf-8")
            try:
                ready = stream.readline()  # comes with the first frame
            except OSError:
                ready = ""
            if not ready:
                stream.close()
                connection.close()
                continue
            self._hang_up()
            with self._came:
                self._socket, self._stream = connection, stream
                self.starts += 1
                self._came.notify_all()

    def _hang_up(self) -> None:
        connection, stream = self._socket, self._stream
        self._socket = self._stream = None
        if connection is not None:
            with contextlib.suppress(OSError):  # it is gone already
                connection.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                stream.close()
            connection.close()
