"""One client of the engine's socket, seen from the engine: lines in, lines out, and no way to hold anything up.

States: *waiting* for the client's hello, *open*, *ending* (the client has said all, or said hello wrongly: what is
waiting is still written), *gone*. What bounds a client:
- A line of more than 64 KiB is answered by one error, and skipped up to its newline without being kept, a read every
  2 ms (some 100 MB a second).
- 2000 lines a second (128 at once), 8 a turn of the loop; what comes faster stays in the kernel's buffer, and the
  client's writing waits. Ten fingers at 120 Hz are 1200. A thread that parses without a pause would take Python's
  interpreter from the audio callback: `python -m benchmarks.server` measures it.
- What the client does not read waits in the kernel (some 200 kB) and then here. From 64 KiB here, status is left out
  (it is counted; the next difference covers it); from 256 KiB its lines are not read any more; from 1 MiB, or when
  nothing was taken for 10 s, the client is dropped.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol, cast

from synth.control.commands import MOST_ID, PROTOCOL_VERSION, Command, parse_command
from synth.control.fields import MOST_TEXT, refusal, shown
from synth.control.wire import LONGEST_COMMAND, LineBuffer, LineTooLong, decode_line, encode_line
from synth.errors import TetradError
from synth.io.socket_guard import is_ours

LINES_PER_S = 2000.0
LINES_AT_ONCE = 128
LINES_PER_TURN = 8
SKIP_PAUSE_S = 0.002
MOST_HOLDING = 32
"""Names in which one client says `focus`: a board's knobs and fingers."""
STATUS_ROOM = 65_536
BEHIND = 4 * STATUS_ROOM
MOST_WAITING = 2**20
STALLED_S = 10.0
HELLO_WITHIN_S = 10.0
LAST_WORDS_S = 2.0
MOST_UNDER_WAY = 32
"""Commands of one client that take their time, all at once."""


class Hub(Protocol):
    """What a connection needs of the server."""

    def joined(self, connection: "Connection") -> None:
        """A client came. It may be ended here."""

    def left(self, connection: "Connection") -> None: ...
    def carry_out(self, command: Command, connection: "Connection") -> "Mapping[str, Any] | asyncio.Future[Any]":
        """The command's result, or a future of it. Raises TetradError, and nothing else."""

    def refused(self, who: str, words: str) -> None:
        """A line, a command was refused: count it, log it."""

    def dropped(self, who: str, words: str) -> None:
        """A client was ended for its conduct: count it, log it."""


class Connection(asyncio.Protocol):
    """A client. All in the server's thread."""

    def __init__(self, hub: Hub, hello: bytes) -> None:
        self._hub = hub
        self._hello = hello
        self._lines = LineBuffer(LONGEST_COMMAND)
        self._allowance = float(LINES_AT_ONCE)
        self._allowance_at_s = 0.0
        self._turn: asyncio.Handle | None = None
        self._end_timer: asyncio.Handle | None = None
        self._under_way = 0
        self._said_all = False
        self._ending = False
        self._waiting_before = 0
        self._progress_s = 0.0
        self.name = "a client"
        self.client_name = ""
        """As it calls itself."""
        self.presents: tuple[str, bool] | None = None
        """Its words of itself, and whether all is well with it."""
        self.is_open = False
        """The client has said hello."""
        self.rate_hz = 0.0
        """Status a second; 0: it is not subscribed."""
        self.next_status_s = 0.0
        self.heard_status_s = 0.0
        self.status: dict[str, Any] | None = None
        """The status that the client has, once it has got all that was written; None: it has none."""
        self.lost_frames = 0
        self.keys_down: dict[tuple[int, int], None] = {}
        """(channel, key) of its note_on without a note_off, in order."""
        self.pedals_down: dict[int, None] = {}
        """Channels of its pedals that are down."""
        self.touching: tuple[float, float] | None = None
        self.holding: set[str] = set()
        """In whose name it has said `focus` and not let go."""

    def remember(self, command: Command) -> None:
        """Which of its keys, pedals and fingers are down now."""
        if command.name == "note_on":
            self.keys_down[command["channel"], command["key"]] = None
        elif command.name == "note_off":
            self.keys_down.pop((command["channel"], command["key"]), None)
        elif command.name == "panic":
            self.keys_down.clear()
            self.pedals_down.clear()
        elif command.name == "pedal" and command["down"]:
            self.pedals_down[command["channel"]] = None
        elif command.name == "pedal":
            self.pedals_down.pop(command["channel"], None)
        elif command.name == "point":
            self.touching = (command["x"], command["y"]) if command["touching"] else None
        elif command.name == "focus":
            name = command["by"] or self.client_name
            if command["parameter"] is None and command["corner"] is None:
                self.holding.discard(name)
            elif len(self.holding) < MOST_HOLDING:
                self.holding.add(name)

    # asyncio calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._loop = asyncio.get_running_loop()
        self._allowance_at_s = self._progress_s = self._loop.time()
        self._transport.set_write_buffer_limits(high=BEHIND)
        self._hello_timer = self._loop.call_later(HELLO_WITHIN_S, self._no_hello)
        if is_ours(transport.get_extra_info("socket")):
            self._transport.write(self._hello)
            self._hub.joined(self)
        else:
            self.drop("it runs as another user")

    def data_received(self, data: bytes) -> None:
        if not self._ending:
            self._lines.feed(data)
            self._work()

    def eof_received(self) -> bool:
        self._said_all = True
        self._end_if_done()
        return True  # the other direction stays open: answers are still to be written

    def pause_writing(self) -> None:
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._work()

    def connection_lost(self, error: Exception | None) -> None:
        self._ending = True
        for timer in (self._hello_timer, self._turn, self._end_timer):
            if timer is not None:
                timer.cancel()
        # asyncio's transport keeps a method of its own: a cycle of 3 kB a client, which nobody collects while the
        # engine plays (garbage collection is off), and a screen of another protocol comes back every second.
        vars(self._transport).pop("_read_ready_cb", None)
        self._hub.left(self)

    # The server calls these.

    def send(self, line: bytes) -> None:
        """A reply or a notice: it is written, or the client is dropped."""
        if self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > MOST_WAITING:
            self.drop(f"it does not read: {self._transport.get_write_buffer_size()} bytes were waiting")
            return
        self._transport.write(line)

    def send_status(self, line: bytes) -> bool:
        """A status, unless the client is behind: then it is counted and left out."""
        if self._transport.get_write_buffer_size() > STATUS_ROOM:
            self.lost_frames += 1
            return False
        self.send(line)
        return True

    def watch(self, now_s: float) -> None:
        """Drop the client when nothing of what waits for it was taken for 10 s. To be called every second or so."""
        waiting = self._transport.get_write_buffer_size()
        if waiting == 0 or waiting < self._waiting_before:
            self._progress_s = now_s
        self._waiting_before = waiting
        if now_s - self._progress_s > STALLED_S:
            self.drop(f"it took nothing of {waiting} bytes for {STALLED_S:g} s")

    def end(self) -> None:
        """Write what is waiting, for at most two seconds, and close."""
        if not self._ending:
            self._ending = True
            self._transport.close()
            self._end_timer = self._loop.call_later(LAST_WORDS_S, self._transport.abort)

    def drop(self, why: str) -> None:
        """End the client at once, and say so in the log."""
        if not self._transport.is_closing():
            self._ending = True
            self._hub.dropped(self.name, why)
            self._transport.abort()

    # Inside.

    def _no_hello(self) -> None:
        if not self.is_open:
            self.drop(f"it said no hello for {HELLO_WITHIN_S:g} s")

    def _work(self) -> None:
        """Lines that have arrived, as many as are allowed now; the rest in a later turn."""
        if self._turn is not None or self._ending:
            return
        now_s = self._loop.time()
        self._allowance = min(self._allowance + (now_s - self._allowance_at_s) * LINES_PER_S, float(LINES_AT_ONCE))
        self._allowance_at_s = now_s
        for _ in range(LINES_PER_TURN):
            if self._allowance < 1.0:
                break
            if self._is_behind():
                self._transport.pause_reading()  # until `resume_writing`
                return
            line = self._lines.take()
            if line is None:
                self._wait_for_more()
                return
            self._allowance -= 1.0
            self._take(line)
            if self._transport.is_closing():
                return
        self._transport.pause_reading()
        pause_s = LINES_PER_TURN / LINES_PER_S if self._allowance < 1.0 else 0.0
        self._turn = self._loop.call_later(pause_s, self._next_turn)

    def _next_turn(self) -> None:
        self._turn = None
        self._work()

    def _read_on(self) -> None:
        self._turn = None
        if not self._is_behind():
            self._transport.resume_reading()

    def _wait_for_more(self) -> None:
        if self._lines.skipping and not self._said_all:
            self._transport.pause_reading()
            self._turn = self._loop.call_later(SKIP_PAUSE_S, self._read_on)
        elif not self._said_all and not self._is_behind():
            self._transport.resume_reading()
        self._end_if_done()

    def _is_behind(self) -> bool:
        return self._transport.get_write_buffer_size() > BEHIND

    def _end_if_done(self) -> None:
        if self._said_all and self._turn is None and self._under_way == 0:
            self.end()

    def _take(self, line: bytes | LineTooLong) -> None:
        number: int | None = None
        try:
            if isinstance(line, LineTooLong):
                raise TetradError(
                    f"a line has more than {LONGEST_COMMAND} bytes; one command of at most that was expected; "
                    "it is skipped up to its newline"
                )
            if not line.strip():
                return
            message = decode_line(line)
            number = _number_of(message)
            command = parse_command(message)
            if not self.is_open:
                self._open(command, number)
                return
            self._carry_out(command, number)
        except TetradError as error:
            self._refuse(str(error), number)

    def _open(self, command: Command, number: int | None) -> None:
        if command.name != "hello":
            self._refuse(f"{command.name} came before hello; say hello first, with the protocol you speak", number)
            self.end()
            return
        self.client_name = command["name"] or "a client"
        self.name = f"{shown(self.client_name)}"
        theirs = command["protocol"]
        if theirs != PROTOCOL_VERSION:
            self._refuse(other_version(theirs), number)
            self.end()
            return
        self.is_open = True
        self._hello_timer.cancel()
        self._reply(number, {})

    def _carry_out(self, command: Command, number: int | None) -> None:
        if self._under_way >= MOST_UNDER_WAY:
            raise TetradError(f"{MOST_UNDER_WAY} commands of this client are under way; wait for one to end")
        result = self._hub.carry_out(command, self)
        if isinstance(result, asyncio.Future):
            self._under_way += 1
            result.add_done_callback(lambda future: self._finished(future, command, number))
            return
        self._reply(number, result, command.notes)
        for note in command.notes:
            self._hub.refused(self.name, note)

    def _finished(self, future: "asyncio.Future[Any]", command: Command, number: int | None) -> None:
        self._under_way -= 1
        if future.cancelled():
            self._refuse(f"{command.name} was given up; the engine ends, or what it was for is gone", number)
        elif (error := future.exception()) is None:
            self._reply(number, future.result(), command.notes)
        else:
            self._refuse(in_words(error, command), number)
        self._end_if_done()

    def _reply(self, number: int | None, result: Mapping[str, Any] | None, notes: tuple[str, ...] = ()) -> None:
        if number is None:
            return
        reply: dict[str, Any] = {"type": "reply", "id": number, "result": result or {}}
        if notes:
            reply["notes"] = list(notes)
        try:
            self.send(encode_line(reply))
        except (TypeError, RecursionError) as error:  # what the handler returned is no JSON: our fault
            self._refuse(f"the engine's answer can't be sent ({error}); report this", number)

    def _refuse(self, words: str, number: int | None) -> None:
        self._hub.refused(self.name, words)
        self.send(encode_line({"type": "error", "id": number, "message": words}))


def other_version(theirs: int) -> str:
    """What a client of another protocol is told."""
    older = "client" if theirs < PROTOCOL_VERSION else "engine"
    return (
        f"the client speaks protocol {theirs}, the engine protocol {PROTOCOL_VERSION}; both must be of one version; "
        f"update the {older}, and start it again"
    )


def in_words(error: BaseException, command: Command) -> str:
    """What a client is told of a command that failed."""
    if isinstance(error, TetradError):
        return str(error)
    return f"{command.name} broke down: {type(error).__name__}: {str(error)[:MOST_TEXT]}; report this"


def _number_of(message: Mapping[str, Any]) -> int | None:
    number = message.get("id")
    if number is None:
        return None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= MOST_ID:
        raise refusal("id", number, f"a whole number from 0 to {MOST_ID}, or none,")
    return number
