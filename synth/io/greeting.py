"""How a client meets the engine: connecting, and the hello of both sides; what can go wrong has an exception."""

import os
import socket
from pathlib import Path
from typing import Any, NamedTuple

from synth.control.commands import PROTOCOL_VERSION, make_command
from synth.control.wire import LONGEST_MESSAGE, LineBuffer, LineTooLong, decode_line, encode_line
from synth.errors import TetradError
from synth.io.socket_guard import is_ours

HELLO_WITHIN_S = 5.0
CHUNK_BYTES = 262_144


class ClientError(TetradError):
    """Something is wrong between client and engine; the message says what."""


class EngineGoneError(ClientError):
    """There is no engine at the socket, or it went away before it answered."""


class OtherVersionError(ClientError):
    """The engine speaks another protocol; the message names both."""


class EngineBusyError(ClientError):
    """The engine does not take or does not answer what it is sent."""


class RefusedError(ClientError):
    """The engine refused a command; the message is the engine's."""


class Greeting(NamedTuple):
    """A connection on which both have said hello. lines: what of the engine's words has arrived after that. engine,
    process: what it calls itself, and its process's number, 0 where it did not say."""

    socket: socket.socket
    lines: LineBuffer
    engine: str
    process: int


def greet(path: Path, name: str) -> Greeting:
    """Connect to the engine at a socket, as `name`; the socket that is given back does not block.

    Raises EngineGoneError when there is none, something else, or somebody else's, and OtherVersionError.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(HELLO_WITHIN_S)
        connection.connect(str(path))
        if not is_ours(connection) and os.geteuid() != 0:
            raise EngineGoneError(
                f"what listens at {path} runs as another user; an engine of this user's was expected; "
                "remove that socket, or name another by TETRAD_SOCKET"
            )
        lines = LineBuffer(LONGEST_MESSAGE)
        engine, process = _say_hello(connection, lines, path, name)
        connection.setblocking(False)
    except TimeoutError:
        connection.close()
        raise EngineGoneError(
            f"what listens at {path} said no hello for {HELLO_WITHIN_S:g} s; the engine hangs; restart it"
        ) from None
    except OSError as error:
        connection.close()
        raise EngineGoneError(
            f"no engine is at {path} ({error.strerror or error}); a running one was expected; "
            "start it with `tetrad play`"
        ) from None
    except BaseException:
        connection.close()
        raise
    return Greeting(connection, lines, engine, process)


def _say_hello(connection: socket.socket, lines: LineBuffer, path: Path, name: str) -> tuple[str, int]:
    """What the engine calls itself, and its process."""
    hello = _read(connection, lines, path)
    theirs = hello.get("protocol")
    if hello.get("type") != "hello" or not isinstance(theirs, int):
        raise EngineGoneError(f"what listens at {path} is no engine: its first words are {str(hello)[:60]}")
    engine = str(hello.get("engine", ""))
    if theirs != PROTOCOL_VERSION:
        older = "engine" if theirs < PROTOCOL_VERSION else "client"
        raise OtherVersionError(
            f"the engine ({engine}) speaks protocol {theirs}, this client protocol {PROTOCOL_VERSION}; "
            f"both must be of one version; update the {older}, and start it again"
        )
    command = make_command("hello", protocol=PROTOCOL_VERSION, name=name)
    connection.sendall(encode_line({**command.to_message(), "id": 0}))
    answer = _read(connection, lines, path)
    if answer.get("type") != "reply":
        raise EngineGoneError(f"the engine did not welcome us: {answer.get('message', answer)}")
    process = hello.get("process")
    return engine, process if isinstance(process, int) else 0


def _read(connection: socket.socket, lines: LineBuffer, path: Path) -> dict[str, Any]:
    while (line := lines.take()) is None:
        data = connection.recv(CHUNK_BYTES)
        if not data:
            raise EngineGoneError(f"the engine at {path} closed the connection at once; try again")
        lines.feed(data)
    if isinstance(line, LineTooLong):
        raise EngineGoneError(f"what listens at {path} is no engine: its first words have no end")
    try:
        return decode_line(line)
    except TetradError as error:
        raise EngineGoneError(f"what listens at {path} is no engine: {error}") from error
