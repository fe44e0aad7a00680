"""The engine's door: commands in, status out, for several clients of a UNIX socket and for OSC. See synth/PROTOCOL.md.

A thread with an event loop of its own. Its contract with the audio callback: it never blocks, keeps nothing without a
bound, and works in short turns (`synth.io.connection`), so that the interpreter is free when the callback needs it.
"""

import asyncio
import concurrent.futures
import contextlib
import ipaddress
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import synth
from synth.control.address import OSC_HOST, socket_path
from synth.control.commands import (
    COMMANDS,
    PROTOCOL_VERSION,
    STATUS_RATE_HZ,
    Command,
    CommandHandler,
    describe_command,
    make_command,
)
from synth.control.fields import describe_parameter
from synth.control.parameters import PARAMETERS
from synth.control.status import NOTICE_NAMES, difference, normalised
from synth.control.wire import encode_line
from synth.errors import TetradError
from synth.io.connection import Connection, in_words
from synth.io.osc import OscEndpoint
from synth.io.quiet_log import QuietLog
from synth.io.socket_guard import GuardedSocket

MOST_CLIENTS = 32
MOST_NOTICES_WAITING = 1000
HEARTBEAT_S = 1.0
"""A status is sent this often even when nothing changed: whoever hears none for longer knows that the engine hangs."""
WATCH_PERIOD_S = 1.0
STOP_WITHIN_S = 5.0


class Server:
    """Serves a handler. Use it as a context manager, or `start` and `stop` it; `notify` may be called by any thread.

    path: of the socket (default: `synth.control.address.socket_path`). osc_port: UDP port of OSC (0: any that is free,
    None: no OSC), at osc_host, by default this machine only. OSC that can't have its port is off, and says so in the
    log and the status; a socket that can't be had is a TetradError of `start`.
    """

    def __init__(
        self,
        handler: CommandHandler,
        path: Path | None = None,
        *,
        osc_port: int | None = None,
        osc_host: str = OSC_HOST,
        log: logging.Logger | None = None,
    ) -> None:
        self.path = path or socket_path()
        self._handler = handler
        self._osc_wanted = None if osc_port is None else (osc_host, osc_port)
        self._log = QuietLog(log or logging.getLogger("tetrad.server"))
        self._loop: asyncio.AbstractEventLoop
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)
        self._guard: GuardedSocket | None = None
        self._started: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._stopping = False
        self._notices_waiting = 0
        self._connections: dict[Connection, None] = {}  # in the order of their coming
        self._osc: OscEndpoint | None = None
        self._osc_words = "off"
        self._counts = {"lost_frames": 0, "dropped_clients": 0, "refused": 0}
        self.say: Callable[[str, str], object] = lambda _kind, _words: None
        """Is told what becomes a line of the log, too: its kind (refused, dropped, broke down, ...) and words."""
        self.rounds = 0
        """Of the thread's regular work, 30 a second; one that hangs stays."""
        self.failure: BaseException | None = None
        """What ended the server's thread, if it was not `stop`."""

    def start(self) -> None:
        """Listen. Raises TetradError when another engine does."""
        self._guard = GuardedSocket(self.path)
        self._loop = asyncio.new_event_loop()
        self._thread.start()
        try:
            self._started.result()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Say goodbye to the clients, and stop listening."""
        if self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself in this moment
                self._loop.call_soon_threadsafe(self._say_goodbye)
            self._thread.join(STOP_WITHIN_S)
        if self._guard is not None:
            self._guard.close()
            self._guard = None

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def osc_address(self) -> tuple[str, int] | None:
        """(host, port) of OSC, or None where there is none."""
        return None if self._osc is None else self._osc.address

    @property
    def osc_open(self) -> bool:
        """Whether OSC listens beyond this machine."""
        address = self.osc_address
        return address is not None and not ipaddress.ip_address(address[0]).is_loopback

    def notify(self, notice: str, **data: Any) -> None:
        """Tell the clients something of the table `synth.control.status.NOTICES`; not those whose name is `by` in the
        data, for it is they who did it. Any thread; never waits."""
        if notice not in NOTICE_NAMES:
            raise TetradError(f"there is no notice {notice!r}; {', '.join(sorted(NOTICE_NAMES))} were expected")
        line = encode_line({"type": "notice", "notice": notice, "data": data})
        if self._stopping or not self._thread.is_alive() or self._notices_waiting >= MOST_NOTICES_WAITING:
            return
        self._notices_waiting += 1
        try:
            self._loop.call_soon_threadsafe(self._send_notice, line, data.get("by"))
        except RuntimeError:  # the loop was closed between the look and the call: nobody is there to be told
            self._notices_waiting -= 1

    # The thread.

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(self._loop_complained)
        try:
            self._loop.run_until_complete(self._open())
            self._started.set_result(None)
            self._loop.run_forever()
        except BaseException as error:  # noqa: BLE001  (kept for the main thread, which looks at `failure`)
            if self._started.done():
                self.failure = error
            else:
                self._started.set_exception(error)
        finally:
            under_way = asyncio.all_tasks(self._loop)
            for task in under_way:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*under_way, return_exceptions=True))
            self._loop.close()

    async def _open(self) -> None:
        guard = cast(GuardedSocket, self._guard)
        hello = encode_line(
            {
                "type": "hello",
                "protocol": PROTOCOL_VERSION,
                "engine": f"tetrad {synth.__version__}",
                "process": os.getpid(),
            }
        )
        self._listening = await self._loop.create_unix_server(
            lambda: Connection(self, hello), sock=guard.socket, backlog=16
        )
        if self._osc_wanted is not None:
            try:
                _, self._osc = await self._loop.create_datagram_endpoint(
                    lambda: OscEndpoint(self), local_addr=self._osc_wanted
                )
                self._osc_words = "{}:{}".format(*self._osc.address)
                if self.osc_open:
                    self._osc_words += ", open to the network"
                    self._tell("osc", f"OSC is at {self._osc_words}: whoever reaches it can play and change the sound")
            except OSError as error:
                host, port = self._osc_wanted
                self._osc_words = f"off: UDP {host}:{port}: {error.strerror or error}"
                self._tell("osc", f"OSC is {self._osc_words}; a free port was expected; name another")
        self._loop.call_later(WATCH_PERIOD_S, self._watch)
        self._loop.call_later(1.0 / STATUS_RATE_HZ, self._tick)

    def _say_goodbye(self) -> None:
        self._stopping = True
        self._listening.close()
        if self._osc is not None:
            self._osc.close()
        for connection in list(self._connections):
            connection.send(encode_line({"type": "bye"}))
            connection.end()
        self._stop_when_alone(self._loop.time() + STOP_WITHIN_S / 2)

    def _stop_when_alone(self, until_s: float) -> None:
        if self._connections and self._loop.time() < until_s:
            self._loop.call_later(0.01, self._stop_when_alone, until_s)
        else:
            self._loop.stop()

    def _loop_complained(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self._tell("loop", f"{context.get('message')}: {type(error).__name__}: {error}; report this")

    # What connections and OSC ask of it.

    def joined(self, connection: Connection) -> None:
        if len(self._connections) >= MOST_CLIENTS:
            words = f"{MOST_CLIENTS} clients are connected, which is the most; end one"
            connection.send(encode_line({"type": "error", "id": None, "message": words}))
            self.refused(connection.name, words)
            connection.end()
        else:
            self._connections[connection] = None

    def left(self, connection: Connection) -> None:
        if self._connections.pop(connection, self) is self:
            return
        self._counts["lost_frames"] += connection.lost_frames
        self._let_go(connection)

    def _tell(self, kind: str, words: str) -> None:
        self._log.say(kind, words)
        self.say(kind, words)

    def refused(self, who: str, words: str) -> None:
        self._counts["refused"] += 1
        self._tell("refused", f"{who}: {words}")

    def dropped(self, who: str, words: str) -> None:
        self._counts["dropped_clients"] += 1
        self._tell("dropped", f"{who} was dropped: {words}")

    def carry_out(
        self, command: Command, connection: Connection | None = None
    ) -> "Mapping[str, Any] | asyncio.Future[Any]":
        """A command's result, or a future of it. Raises TetradError, whatever went wrong inside."""
        if command.name in _ANSWERS:
            if connection is None:
                raise TetradError(f"{command.name} needs a connection; OSC has none; use the socket")
            return _ANSWERS[command.name](self, command, connection)
        if connection is not None:
            connection.remember(command)
        if not command.by:
            command = replace(command, by="osc" if connection is None else connection.client_name)
        try:
            result = self._handler.handle(command)
        except TetradError:
            raise
        except Exception as error:  # the handler's own mistake: the others must be served on
            raise self._broke_down(error, command) from error
        if isinstance(result, concurrent.futures.Future):
            return asyncio.wrap_future(result, loop=self._loop)
        if isinstance(result, Mapping) or result is None:
            return result or {}
        if isinstance(result, Awaitable):
            return asyncio.ensure_future(result, loop=self._loop)
        raise self._broke_down(TypeError(f"the handler returned {type(result).__name__}"), command)

    def _broke_down(self, error: Exception, command: Command) -> TetradError:
        words = in_words(error, command)
        self._tell("broke down", words)
        return TetradError(words)

    def _let_go(self, connection: Connection) -> None:
        """A client that is gone holds no keys, and no finger rests on its surface."""
        others = {key for other in self._connections for key in other.keys_down}
        commands = [
            make_command("note_off", channel=channel, key=key)
            for channel, key in connection.keys_down
            if (channel, key) not in others
        ]
        others_pedals = {channel for other in self._connections for channel in other.pedals_down}
        commands += [
            make_command("pedal", channel=channel, down=False)
            for channel in connection.pedals_down
            if channel not in others_pedals
        ]
        if connection.touching is not None and all(other.touching is None for other in self._connections):
            x, y = connection.touching
            commands.append(make_command("point", x=x, y=y, touching=False))
        commands += [make_command("focus", by=name) for name in sorted(connection.holding)]
        for command in commands:
            try:
                self.carry_out(replace(command, by=connection.client_name))
            except TetradError as error:
                self.refused(connection.name, str(error))

    # Status.

    def status_now(self) -> dict[str, Any] | None:
        """The handler's status and the server's, normalised; None when the handler could not say it."""
        try:
            status = normalised(self._handler.status())
        except Exception as error:  # noqa: BLE001  (the handler's own mistake: commands must go on)
            self._tell("status", f"the status broke down: {type(error).__name__}: {error}; report this")
            return None
        status["server"] = {
            "clients": sum(connection.is_open for connection in self._connections),
            "presented": [
                {"name": connection.client_name, "words": connection.presents[0], "well": connection.presents[1]}
                for connection in self._connections
                if connection.presents is not None
            ],
            **self._counts,
            "lost_frames": self._counts["lost_frames"] + sum(c.lost_frames for c in self._connections),
            "osc": self._osc_words,
            "osc_open": self.osc_open,
            "osc_malformed": 0 if self._osc is None else self._osc.malformed,
            "osc_dropped": 0 if self._osc is None else self._osc.dropped,
        }
        return status

    def _tick(self) -> None:
        self._loop.call_later(1.0 / STATUS_RATE_HZ, self._tick)
        self.rounds += 1
        now_s = self._loop.time()
        # A tick early by less than half a period counts as due: else a subscriber of 30 Hz would miss every other one.
        soon_s = now_s + 0.5 / STATUS_RATE_HZ
        due = [c for c in self._connections if c.rate_hz > 0.0 and c.next_status_s <= soon_s]
        osc_is_due = self._osc is not None and self._osc.has_subscribers(now_s)
        if not due and not osc_is_due:
            return
        status = self.status_now()
        if status is None:
            return
        lines: dict[int, bytes] = {}  # by what the client has: clients that have the same get the same line
        for connection in due:
            connection.next_status_s = max(now_s, connection.next_status_s + 1.0 / connection.rate_hz)
            self._send_status(connection, status, now_s, lines)
        if self._osc is not None and osc_is_due:
            self._osc.send_status(status, now_s)

    def _send_status(
        self, connection: Connection, status: dict[str, Any], now_s: float, lines: dict[int, bytes]
    ) -> None:
        before = connection.status
        if id(before) not in lines:
            patch = status if before is None else difference(before, status)
            whole = before is None
            lines[id(before)] = encode_line({"type": "status", "whole": whole, "status": patch}) if patch else b""
        line = lines[id(before)]
        if not line:
            if now_s - connection.heard_status_s < HEARTBEAT_S:
                return
            line = encode_line({"type": "status", "whole": False, "status": {}})
        if connection.send_status(line):
            connection.status = status
            connection.heard_status_s = now_s

    def _send_notice(self, line: bytes, by: str | None) -> None:
        self._notices_waiting -= 1
        for connection in list(self._connections):
            if connection.is_open and connection.client_name != by:
                connection.send(line)

    def _watch(self) -> None:
        self._loop.call_later(WATCH_PERIOD_S, self._watch)
        now_s = self._loop.time()
        for connection in list(self._connections):
            connection.watch(now_s)

    # Commands that the server answers.

    def _subscribe(self, command: Command, connection: Connection) -> dict[str, Any]:
        connection.rate_hz = command["rate_hz"]
        connection.status = None
        connection.next_status_s = self._loop.time()
        return {}

    def _present(self, command: Command, connection: Connection) -> dict[str, Any]:
        connection.presents = command["words"], command["well"]
        return {}

    def _status(self, _command: Command, _connection: Connection) -> dict[str, Any]:
        status = self.status_now()
        if status is None:
            raise TetradError("the engine could not say its status; its log says why; report this")
        return status


def _hello(_server: Server, _command: Command, _connection: Connection) -> dict[str, Any]:
    raise TetradError("hello was said before; it opens a connection; say it once")


_ANSWERS: dict[str, Any] = {
    "hello": _hello,
    "subscribe": Server._subscribe,
    "present": Server._present,
    "ping": lambda _server, _command, _connection: {},
    "status": Server._status,
    "parameters": lambda *_: {"parameters": [describe_parameter(parameter) for parameter in PARAMETERS]},
    "commands": lambda *_: {"commands": [describe_command(spec) for spec in COMMANDS]},
}
