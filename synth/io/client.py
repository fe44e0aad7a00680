"""The engine from outside: screens, the encoder board's host and scripts speak to it through this, and nothing else.

    with Client() as engine:                 # finds the engine, or says in words why not
        engine.send("point", x=0.2, y=0.8)   # no answer, never waits
        engine.request("corner", corner="nw", instrument="flute")  # the answer, or RefusedError in the engine's words
        engine.subscribe()
        engine.wait_for(lambda status: status["voices"]["sounding"] == 0)

A thread of the client's own reads, reconnects and mirrors the status; every method may be called by any thread. When
the engine goes away, the client looks for it again (after 0.1 s, then less and less often, at last every second), says
hello and subscribes as before; meanwhile `send` and `request` raise EngineGoneError.

States: *connecting* (looking for the engine), *connected*, *refused* (an engine of another protocol is there: it looks
on every second, in case that is updated), *closed*. `on_state` hears of each with the words to show.
"""

import concurrent.futures
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from synth.control.address import check_socket_path, socket_path
from synth.control.commands import PROTOCOL_VERSION, STATUS_RATE_HZ, make_command
from synth.control.status import merged
from synth.control.wire import LONGEST_COMMAND, LONGEST_MESSAGE, LineTooLong, decode_line, encode_line
from synth.errors import TetradError
from synth.io.greeting import (
    CHUNK_BYTES,
    ClientError,
    EngineBusyError,
    EngineGoneError,
    OtherVersionError,
    RefusedError,
    greet,
)
from synth.io.pending_answers import PendingAnswers

__all__ = [
    "Client",
    "ClientError",
    "EngineBusyError",
    "EngineGoneError",
    "OtherVersionError",
    "RefusedError",
    "State",
]

MOST_UNSENT = 2**20
"""Bytes of commands that may wait for an engine that does not read: some 10,000 touches."""
FIRST_RETRY_S, LAST_RETRY_S = 0.1, 1.0
REQUEST_WITHIN_S = 10.0


class State(StrEnum):
    """Where a client stands; the module's text describes them."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    REFUSED = "refused"
    CLOSED = "closed"


class Client:
    """A connection to the engine that comes back by itself.

    path: the engine's socket, by default `synth.control.address.socket_path()`. name: what the engine's log calls us.
    on_status(status, changed): the whole mirrored status (don't change it; every change makes a new one) and the merge
    patch that led to it. on_notice(notice, data). on_state(state, words). These three are called in the client's
    thread, one at a time: be quick, and don't call `request` there (use `ask`). What they raise is kept in `failure`,
    and the client goes on.
    """

    def __init__(
        self,
        path: Path | str | None = None,
        *,
        name: str = "script",
        on_status: Callable[[Mapping[str, Any], Mapping[str, Any]], object] | None = None,
        on_notice: Callable[[str, Mapping[str, Any]], object] | None = None,
        on_state: Callable[[State, str], object] | None = None,
    ) -> None:
        self.path = Path(path) if path is not None else socket_path()
        check_socket_path(self.path)
        make_command("hello", protocol=PROTOCOL_VERSION, name=name)  # refuses a name that the engine would refuse
        self._name = name
        self._on_status, self._on_notice, self._on_state = on_status, on_notice, on_state
        self._changed = threading.Condition()  # guards everything below
        self._state = State.CLOSED
        self._words = "not started"
        self._status: Mapping[str, Any] = {}
        self._n_statuses = 0
        self._rate_hz = 0.0
        self._socket: socket.socket | None = None
        self._unsent = bytearray()
        self._answers = PendingAnswers()
        self._heard_s = 0.0
        self._thread: threading.Thread | None = None
        self._wake_reader: socket.socket
        self._wake_writer: socket.socket
        self.engine = ""
        """What the engine called itself, "tetrad 0.2.0"; empty before the first connection."""
        self.process = 0
        """The engine's process, by which one that was started anew is told from one that was reached again."""
        self.failure: Exception | None = None
        """What a callback raised last."""

    # Coming and going.

    def start(self) -> None:
        """Look for the engine from now on, without waiting for it."""
        with self._changed:
            if self._thread is not None:
                raise ClientError("the client is started already; it is started once; make another")
            self._state, self._words = State.CONNECTING, f"looking for the engine at {self.path}"
            self._wake_reader, self._wake_writer = socket.socketpair()
            self._wake_reader.setblocking(False)
            self._wake_writer.setblocking(False)
            self._thread = threading.Thread(target=self._run, name="engine client", daemon=True)
            self._thread.start()

    def connect(self, timeout_s: float = 5.0) -> None:
        """Start, and wait for the engine. Raises EngineGoneError or OtherVersionError in words; then close the client.

        An engine that is just starting is waited for; one that speaks another protocol is not.
        """
        if self._thread is None:
            self.start()
        with self._changed:
            arrived = self._changed.wait_for(lambda: self._state is not State.CONNECTING, timeout_s)
            if self._state is State.CONNECTED:
                return
            if arrived and self._state is State.REFUSED:
                raise OtherVersionError(self._words)
            raise EngineGoneError(self._words)

    def close(self) -> None:
        """End the connection; what was sent before is still written where the engine takes it. No callback after this,
        unless a callback calls it."""
        thread = self._thread
        with self._changed:
            if thread is None or self._state is State.CLOSED:
                return
            self._state, self._words = State.CLOSED, "the client was closed"
            self._changed.notify_all()
        self._wake()
        if thread is not threading.current_thread():
            thread.join()

    def __enter__(self) -> "Client":
        try:
            self.connect()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What one can ask of it at any time.

    @property
    def state(self) -> State:
        return self._state

    @property
    def words(self) -> str:
        """The state in words, for a screen."""
        return self._words

    @property
    def connected(self) -> bool:
        return self._state is State.CONNECTED

    @property
    def status(self) -> Mapping[str, Any]:
        """The status as last heard (synth.control.status); {} before the first. It is never changed, only replaced."""
        return self._status

    @property
    def silent_s(self) -> float:
        """How long nothing was heard of the engine, in seconds. Of a subscribed client more than 3 means: it hangs."""
        return time.monotonic() - self._heard_s

    # Commands.

    def send(self, command: str, /, **fields: Any) -> None:
        """A command without an answer; never waits. Raises TetradError for one that is wrong (before it is sent),
        EngineGoneError without an engine, EngineBusyError when 1 MiB is waiting."""
        self._write(encode_line(make_command(command, **fields).to_message()))

    def ask(self, command: str, /, **fields: Any) -> "concurrent.futures.Future[dict[str, Any]]":
        """A command with an answer, which the future holds: a dict, or RefusedError, or EngineGoneError. Never waits,
        and raises as `send` does. The future's callbacks are called in the client's thread."""
        message = make_command(command, **fields).to_message()
        number, future = self._answers.expect()
        try:
            self._write(encode_line({**message, "id": number}))
        except TetradError:
            self._answers.forget(number)
            raise
        return future

    def request(self, command: str, /, *, timeout_s: float = REQUEST_WITHIN_S, **fields: Any) -> dict[str, Any]:
        """A command, and its answer. Raises as `send` does, RefusedError, and EngineBusyError after `timeout_s`."""
        if threading.current_thread() is self._thread:
            raise ClientError("request was called by a callback, which would wait for itself; ask was expected; use it")
        future = self.ask(command, **fields)
        try:
            return future.result(timeout_s)
        except concurrent.futures.TimeoutError:
            raise EngineBusyError(
                f"the engine did not answer {command} for {timeout_s:g} s; it is busy or hangs; wait, or restart it"
            ) from None

    def subscribe(self, rate_hz: float = STATUS_RATE_HZ) -> None:
        """Status from now on, after every reconnection too; 0 ends it. Needs no engine yet."""
        command = make_command("subscribe", rate_hz=rate_hz)
        with self._changed:
            self._rate_hz = command["rate_hz"]
            if self._state is State.CONNECTED:
                self._write(encode_line({"command": "subscribe", "rate_hz": self._rate_hz}))

    def wait_for(self, condition: Callable[[Mapping[str, Any]], bool], timeout_s: float = 5.0) -> Mapping[str, Any]:
        """The first status that fulfils a condition (one that looks for a missing entry is not fulfilled), the present
        one included. Raises EngineBusyError after `timeout_s`. Not for callbacks."""
        with self._changed:
            if not self._changed.wait_for(lambda: _holds(condition, self._status), timeout_s):
                raise EngineBusyError(f"no status did for {timeout_s:g} s; the engine's words: {self._words}")
            return self._status

    def statuses(self, timeout_s: float = 5.0) -> Iterator[Mapping[str, Any]]:
        """Statuses as they come, the newest each time (a slow loop misses some). Ends when the client is closed; raises
        EngineGoneError when none came for `timeout_s`. Not for callbacks."""
        seen = self._n_statuses
        while True:
            with self._changed:
                came = self._changed.wait_for(partial(self._has_news, seen), timeout_s)
                if self._state is State.CLOSED:
                    return
                if not came:
                    raise EngineGoneError(f"no status came for {timeout_s:g} s; the engine: {self._words}")
                seen, status = self._n_statuses, self._status
            yield status

    def _has_news(self, seen: int) -> bool:
        return self._n_statuses != seen or self._state is State.CLOSED

    # Inside: writing, by any thread.

    def _write(self, line: bytes) -> None:
        if len(line) > LONGEST_COMMAND + 1:
            raise ClientError(f"a command of {len(line)} bytes was given; at most {LONGEST_COMMAND} were expected")
        with self._changed:
            if self._state is not State.CONNECTED or self._socket is None:
                raise EngineGoneError(self._words)
            if len(self._unsent) + len(line) > MOST_UNSENT:
                raise EngineBusyError(
                    f"the engine takes no commands: {len(self._unsent)} bytes wait; it is busy or hangs; restart it"
                )
            must_wake = not self._unsent
            self._unsent += line
            if must_wake:
                self._flush()
                if self._unsent:
                    self._wake()  # the thread is to write the rest as soon as there is room

    def _flush(self) -> None:
        """Write what the kernel takes now. Errors are found by the thread, which reads them too."""
        if self._socket is None:
            return
        try:
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent)]
        except (
            OSError
        ):  # BlockingIOError: no room; any other: the connection is gone, as the thread's reading will tell
            return

    def _wake(self) -> None:
        try:
            self._wake_writer.send(b"!")
        except OSError:  # full: it will wake in any case; closed: nobody is there to wake
            return

    # Inside: the thread.

    def _run(self) -> None:
        retry_s = FIRST_RETRY_S
        try:
            while self._state is not State.CLOSED:
                try:
                    greeting = greet(self.path, self._name)
                except TetradError as error:
                    refused = isinstance(error, OtherVersionError)
                    self._become(State.REFUSED if refused else State.CONNECTING, str(error))
                    self._sleep(LAST_RETRY_S if refused else retry_s)
                    retry_s = min(2.0 * retry_s, LAST_RETRY_S)
                    continue
                retry_s = FIRST_RETRY_S
                self.engine, self.process, self._lines = greeting.engine, greeting.process, greeting.lines
                with greeting.socket as connection:
                    words = self._serve(connection)
                self._forget(words)
                self._sleep(FIRST_RETRY_S)
        finally:
            self._forget("the client was closed")
            self._wake_reader.close()
            self._wake_writer.close()
            self._call(self._on_state, State.CLOSED, self._words)

    def _serve(self, connection: socket.socket) -> str:
        """Read and write until the connection ends; why it ended, in words."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_reader, selectors.EVENT_READ)
            selector.register(connection, selectors.EVENT_READ)
            self._welcome(connection)
            words = self._take_lines()  # those that came with the engine's welcome
            while self._state is not State.CLOSED and not words:
                with self._changed:
                    wants = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._unsent else 0)
                selector.modify(connection, wants)
                for key, _ in selector.select():
                    if key.fileobj is self._wake_reader:
                        self._wake_reader.recv(CHUNK_BYTES)
                with self._changed:
                    self._flush()
                words = self._read(connection)
            with self._changed:
                self._flush()
        return words or "the client was closed"

    def _welcome(self, connection: socket.socket) -> None:
        with self._changed:
            if self._state is State.CLOSED:
                return
            self._socket = connection
            self._state, self._words = State.CONNECTED, f"connected to {self.engine}"
            self._heard_s = time.monotonic()
            if self._rate_hz > 0.0:
                self._write(encode_line({"command": "subscribe", "rate_hz": self._rate_hz}))
            self._changed.notify_all()
        self._call(self._on_state, State.CONNECTED, self._words)

    def _read(self, connection: socket.socket) -> str:
        """Take what has arrived; words when the connection has ended."""
        try:
            data = connection.recv(CHUNK_BYTES)
        except BlockingIOError:
            return ""
        except OSError as error:
            return f"the connection to the engine broke ({error.strerror or error}); looking for it again"
        if not data:
            return "the engine is gone; looking for it again"
        self._heard_s = time.monotonic()
        self._lines.feed(data)
        return self._take_lines()

    def _take_lines(self) -> str:
        while (line := self._lines.take()) is not None:
            if isinstance(line, LineTooLong):
                return f"the engine sent a line of more than {LONGEST_MESSAGE} bytes; connecting anew"
            try:
                self._take(decode_line(line))
            except TetradError as error:
                return f"the engine's words can't be read ({error}); connecting anew"
        return ""

    def _take(self, message: Mapping[str, Any]) -> None:
        """One message; kinds that a newer engine may have are passed over."""
        match message:
            case {"type": "status", "whole": bool(whole), "status": dict(patch)}:
                with self._changed:
                    self._status = merged({} if whole else self._status, patch)
                    self._n_statuses += 1
                    self._changed.notify_all()
                self._call(self._on_status, self._status, patch)
            case {"type": "reply", "id": int(number), "result": dict(result)}:
                self._answers.settle(number, result)
            case {"type": "error", "id": int(number), "message": str(words)}:
                self._answers.settle(number, RefusedError(words))
            case {"type": "error", "message": str(words)}:
                self._call(self._on_notice, "refused", {"words": words})
            case {"type": "notice", "notice": str(notice), "data": dict(data)}:
                self._call(self._on_notice, notice, data)

    def _forget(self, words: str) -> None:
        """The connection is over: whoever waits for an answer gets none."""
        with self._changed:
            self._socket = None
            self._unsent.clear()
        self._become(State.CONNECTING, words)
        self._answers.fail_all(EngineGoneError(f"the engine went away before it answered: {words}"))

    def _become(self, state: State, words: str) -> None:
        with self._changed:
            if self._state is State.CLOSED or (self._state is state and self._words == words):
                return
            self._state, self._words = state, words
            self._changed.notify_all()
        self._call(self._on_state, state, words)

    def _sleep(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._state is State.CLOSED, seconds)

    def _call(self, callback: Callable[..., object] | None, *arguments: object) -> None:
        if callback is None:
            return
        try:
            callback(*arguments)
        except Exception as error:  # noqa: BLE001  (somebody else's code: the mirror must go on)
            self.failure = error


def _holds(condition: Callable[[Mapping[str, Any]], bool], status: Mapping[str, Any]) -> bool:
    try:
        return condition(status)
    except (KeyError, IndexError):  # an entry that is not there (yet)
        return False
