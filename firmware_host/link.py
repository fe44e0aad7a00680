"""The way to the board: finds it by its hello, keeps it, finds it again. The only file here that imports serial.

    with Link(on_board=..., on_state=..., on_condition=print) as link:
        link.want(Leds((255, 0, 0, 0)))

A thread of the link's own does everything; callbacks are called in it, one at a time: be quick. `on_board(hello)`: a
board is there, or started anew; the State after it is a baseline. `on_state(state)`: every State since. `on_message`:
every message, Hello and State included. `on_condition(condition, words)`: see Condition. `on_traffic(direction, device,
data)`: all bytes, direction "<" from a board, ">" to it. What a callback raises is kept in `failure`.

Looking for a board means opening every port that may be one (or the one that was named), greeting, and taking the one
that says hello. Opening resets a Nano, whose bootloader keeps it for up to 2 s.
"""

import errno
import math
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

import serial
from serial.tools import list_ports as serial_ports

from firmware_host import ports
from firmware_host.conversation import LOST_AFTER_S
from firmware_host.line import Line
from firmware_host.messages import Brightness, Hello, Leds, Message, State
from firmware_host.ports import PortInfo

BAUD = 250_000
ANSWER_WITHIN_S = 2.6
"""From opening a port to HELLO: 2 s of bootloader, three greetings more."""
LOOK_EVERY_S = 0.2
STRANGER_FOR_S = 10.0
"""A port that did not answer is left alone for so long, unless it was named: it may be somebody's GPS receiver."""
NAMED_STRANGER_FOR_S = 2.0
"""The same of a port that was named; meanwhile a programmer can have it."""
REST_S = 0.003
BUSY_MESSAGES = 12
"""After so many messages, each within 2 * REST_S of the one before, we rest, so that a board on which much moves, with
a STATE every 2 ms, wakes us half as often. A STATE is a detent, a press, or a knob's fortieth of a second: what a hand
does to one control is read at once, but for a spin of more than 160 detents a second."""


class Condition(StrEnum):
    """Where a link stands."""

    LOOKING = "looking"
    CONNECTED = "connected"
    REFUSED = "refused"  # something must be done first: the words say what; it looks on all the while
    CLOSED = "closed"


def list_ports() -> list[PortInfo]:
    """The serial ports of this computer."""
    found = []
    for port in serial_ports.comports():
        usb = (port.vid, port.pid) if port.vid is not None and port.pid is not None else None
        found.append(PortInfo(port.device, port.description or "", usb))
    return found


def open_port(device: str) -> serial.Serial:
    """A port at the protocol's speed, ours alone. Raises OSError (of which SerialException is one) or ValueError."""
    return serial.Serial(device, BAUD, timeout=0, write_timeout=0, exclusive=True)


class Link:
    """The board, wherever it is plugged in. port: a device; None: any. board_id: only this board; None: any.

    See the module's text for the callbacks. find: lists the ports to try where none is named.
    """

    def __init__(
        self,
        port: str | None = None,
        *,
        board_id: int | None = None,
        on_board: Callable[[Hello], object] | None = None,
        on_state: Callable[[State], object] | None = None,
        on_message: Callable[[Message], object] | None = None,
        on_condition: Callable[[Condition, str], object] | None = None,
        on_traffic: Callable[[str, str, bytes], object] | None = None,
        find: Callable[[], Sequence[PortInfo]] = list_ports,
    ) -> None:
        self._named, self._board_id, self._find = port, board_id, find
        self._on_board, self._on_state, self._on_message = on_board, on_state, on_message
        self._on_condition, self._on_traffic = on_condition, on_traffic
        self.failure: Exception | None = None
        self.condition = Condition.LOOKING
        self.words = "not started"
        self._changed = threading.Condition()  # guards the four below
        self._wishes: dict[type[Message], Leds | Brightness] = {}
        self._once: list[Message] = []
        self._wished = False
        self._closing = False
        self._line: Line | None = None
        self._lines: list[Line] = []
        self._strangers: dict[
            str, tuple[float, str, Condition]
        ] = {}  # device -> (left alone until, why, what it means)
        self._last: tuple[str, int] | None = None  # device and number of the last board
        self._looked_s = self._read_s = 0.0
        self._n_close = 0  # messages, one soon after the other
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.setblocking(False)
        self._wake_writer.setblocking(False)
        self._ready = select.poll()
        self._ready.register(self._wake_reader, select.POLLIN)
        self._thread = threading.Thread(target=self._run, name="board link", daemon=True)

    # What any thread may call.

    def start(self) -> None:
        """Look for the board from now on."""
        self._thread.start()

    def close(self) -> None:
        """Leave the board. No callback after this, unless a callback calls it."""
        self._closing = True
        self._wake()
        if self._thread.ident is None:  # it was never started
            self._end()
        elif self._thread is not threading.current_thread():
            self._thread.join()

    def __enter__(self) -> "Link":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def hello(self) -> Hello | None:
        """What the connected board said of itself; None without one."""
        line = self._line
        return None if line is None else line.conversation.hello

    @property
    def device(self) -> str | None:
        """The connected board's port; None without one."""
        line = self._line
        return None if line is None else line.device

    @property
    def counts(self) -> dict[str, int]:
        """Frames since the port was opened: "messages", "again" (sent again), "lost", and dropped ones by reason."""
        line = self._line
        if line is None:
            return {}
        decoder = line.conversation.decoder
        return {"messages": decoder.n_messages, "again": line.conversation.n_sent_again, **decoder.counts}

    def want(self, message: Leds | Brightness) -> None:
        """What the LEDs are to show from now on, also on a board that comes later."""
        with self._changed:
            if self._wishes.get(type(message)) == message:
                return
            self._wishes[type(message)] = message
            self._wished = True
        self._wake()

    def send(self, message: Message) -> None:
        """Send once (DIAGNOSTICS_REQUEST, NAME_BOARD), when a board is there; its answer tells that it arrived."""
        with self._changed:
            self._once.append(message)
            self._wished = True
        self._wake()

    def wait(self, timeout_s: float) -> bool:
        """Wait until a board is connected; whether one is."""
        with self._changed:
            return self._changed.wait_for(lambda: self.condition is Condition.CONNECTED, timeout_s)

    def _wake(self) -> None:
        with suppress(OSError):  # full: it wakes in any case; closed: nobody is there to wake
            self._wake_writer.send(b"!")

    # Inside: the thread.

    def _run(self) -> None:
        self._become(Condition.LOOKING, f"looking for the board at {self._named or 'every serial port'}")
        try:
            while not self._closing:
                if self._line is None:
                    self._look()
                self._pass_wishes()
                for line in [*self._lines]:
                    self._write(line)
                self._wait_and_read()
                self._judge()
        finally:
            self._end()

    def _end(self) -> None:
        self._line = None
        for line in [*self._lines]:
            self._let_go(line)
        self._wake_reader.close()
        self._wake_writer.close()
        self._become(Condition.CLOSED, "the link to the board was closed")

    def _wait_and_read(self) -> None:
        now_s = time.monotonic()
        if self._line is not None and self._n_close >= BUSY_MESSAGES and now_s - self._read_s < REST_S:
            time.sleep(REST_S)
            now_s = time.monotonic()
        wake_s = now_s + LOOK_EVERY_S
        for line in self._lines:
            wake_s = min(wake_s, line.conversation.next_due_s())
        # Not `selectors`, whose Python would be a tenth of what a STATE costs. Rounded up, or it would wait no time.
        for descriptor, _ in self._ready.poll(math.ceil(1000.0 * max(wake_s - now_s, 0.0))):
            if descriptor == self._wake_reader.fileno():
                self._wake_reader.recv(4096)
                continue
            for line in [*self._lines]:
                if line.fileno() == descriptor:
                    self._read(line)

    def _write(self, line: Line) -> None:
        try:
            line.write()
        except OSError as error:
            self._unplugged(line, error)

    def _read(self, line: Line) -> None:
        try:
            messages = line.read()
        except OSError as error:
            self._unplugged(line, error)
            return
        if line is self._line and messages:
            now_s = time.monotonic()
            self._n_close = self._n_close + len(messages) if now_s - self._read_s < 2.0 * REST_S else 0
            self._read_s = now_s
            for message in messages:
                self._hand_on(message)

    def _unplugged(self, line: Line, error: OSError) -> None:
        self._drop(line, f"{line.device} was unplugged ({error.strerror or error}); plug it in again")

    def _let_go(self, line: Line) -> None:
        self._ready.unregister(line.fileno())
        line.close()
        self._lines.remove(line)

    def _drop(self, line: Line, words: str) -> None:
        self._let_go(line)
        if line is self._line:
            self._line = None
            self._become(Condition.LOOKING, f"the board is gone: {words}; it is looked for all the time")

    def _look(self) -> None:
        """Open what may be a board and is not open; say what stands in the way."""
        now_s = time.monotonic()
        if now_s - self._looked_s < LOOK_EVERY_S:
            return
        self._looked_s = now_s
        present = [PortInfo(self._named)] if self._named else ports.likely_first(self._find())
        here = {port.device for port in present if port.device != self._named or Path(port.device).exists()}
        self._strangers = {name: it for name, it in self._strangers.items() if name in here and it[0] > now_s}
        busy = {line.device for line in self._lines} | self._strangers.keys()
        refused = any(condition is Condition.REFUSED for _, _, condition in self._strangers.values())
        problems = [words for _, words, _ in self._strangers.values()]
        for port in present:
            if port.device in busy:
                continue
            try:
                line = Line(port.device, open_port(port.device), None if self._on_traffic is None else self._traffic)
            except (OSError, ValueError) as error:
                problem = error if isinstance(error, OSError) else OSError(str(error))
                problems.append(ports.why_not_open(port.device, problem))
                refused = refused or problem.errno in (errno.EACCES, errno.EPERM)
                continue
            self._lines.append(line)
            self._ready.register(line.fileno(), select.POLLIN)
        if not self._lines:
            self._become(Condition.REFUSED if refused else Condition.LOOKING, ports.no_board(problems))

    def _judge(self) -> None:
        """Who is a board, who is none, who is lost."""
        now_s = time.monotonic()
        for line in [*self._lines]:
            talk = line.conversation
            if talk.hello is not None and talk.silent_s(now_s) > LOST_AFTER_S:
                self._drop(line, f"{line.device} said nothing for {LOST_AFTER_S:g} s")
            elif talk.decoder.other_version is not None:
                self._estrange(line, ports.other_version(line.device, talk.decoder.other_version), Condition.REFUSED)
            elif line is not self._line and talk.hello is None and now_s - line.opened_s > ANSWER_WITHIN_S:
                self._estrange(line, ports.why_no_board(line.device, line.heard), Condition.LOOKING)
        if self._line is None:
            self._choose(now_s)

    def _estrange(self, line: Line, words: str, condition: Condition) -> None:
        until_s = time.monotonic() + (NAMED_STRANGER_FOR_S if self._named else STRANGER_FOR_S)
        self._drop(line, words)
        self._strangers[line.device] = (until_s, words, condition)
        if not self._lines:
            self._become(condition, words)

    def _choose(self, now_s: float) -> None:
        answered = [line for line in self._lines if line.conversation.hello is not None]
        if self._board_id is not None:
            answered = [line for line in answered if line.number == self._board_id]
        known = [line for line in answered if self._last == (line.device, line.number)]
        known = known or [line for line in answered if self._last and line.number == self._last[1] != 0]
        all_asked = all(line in answered or now_s - line.opened_s > ANSWER_WITHIN_S for line in self._lines)
        if len(known) == 1 or (len(answered) == 1 and (all_asked or self._board_id is not None)):
            self._take(known[0] if len(known) == 1 else answered[0])
        elif len(answered) > 1:
            described = [(line.device, line.conversation.hello, line.number) for line in answered]
            words = ports.several_boards([(device, hello.name, n) for device, hello, n in described if hello])
            self._become(Condition.REFUSED, words)

    def _take(self, line: Line) -> None:
        hello = line.conversation.hello
        if hello is None:
            return
        for other in [other for other in self._lines if other is not line]:
            self._let_go(other)
        self._line, self._last = line, (line.device, hello.board_id)
        self._wished = True
        self._pass_wishes()
        firmware = f"{hello.firmware_major}.{hello.firmware_minor}.{hello.firmware_patch}"
        words = f"{hello.name or 'board'} at {line.device}, number {hello.board_id}, firmware {firmware}"
        self._become(Condition.CONNECTED, words)
        for message in (hello, line.latest):
            if message is not None:
                self._hand_on(message)

    def _pass_wishes(self) -> None:
        line = self._line
        if line is None or not self._wished:
            return
        with self._changed:
            self._wished = False
            wishes, once = [*self._wishes.values()], self._once
            self._once = []
        for wish in wishes:
            line.conversation.want(wish)
        for message in once:
            line.conversation.send_once(message)

    def _hand_on(self, message: Message) -> None:
        if isinstance(message, Hello):
            self._call(self._on_board, message)
        elif isinstance(message, State):
            self._call(self._on_state, message)
        if self._on_message is not None:
            self._call(self._on_message, message)

    def _traffic(self, direction: str, device: str, data: bytes) -> None:
        self._call(self._on_traffic, direction, device, data)

    def _become(self, condition: Condition, words: str) -> None:
        with self._changed:
            if (condition, words) == (self.condition, self.words):
                return
            self.condition, self.words = condition, words
            self._changed.notify_all()
        self._call(self._on_condition, condition, words)

    def _call(self, callback: Callable[..., object] | None, *arguments: Any) -> None:
        if callback is None:
            return
        try:
            callback(*arguments)
        except Exception as error:  # noqa: BLE001 - somebody else's code: the board must be read on
            self.failure = error
