"""The host's side of one port: when to greet, what to send again, when the board is lost. Pure: times are given to it.

States, in the order in which a board comes: *greeting* (GREETING every 200 ms until HELLO comes) and *talking*. Back to
*greeting* when the board's uptime tells that it started anew and its HELLO was lost. A HELLO means, always: the STATE
after it is a baseline, and no event follows from it. A STATE before the first HELLO is not handed on.
"""

from dataclasses import dataclass

from firmware_host.messages import Brightness, Greeting, Heartbeat, Hello, Leds, Message, State
from firmware_host.protocol import END, FROM_BOARD, Decoder, encode

GREET_EVERY_S = 0.2
HEARTBEAT_AFTER_S = 0.5
AGAIN_AFTER_S = 0.1
LOST_AFTER_S = 1.0
"""Four of the board's own heartbeats."""
APART_S = 0.005
"""Between two frames of ours. A STATE takes 1.5 ms on the wire and comes at most every 2 ms, so each of our frames is
the last one for some STATE to name, and none is confirmed by its successor's number."""
UPTIME_OFF_MS = 2000
"""How far uptime may be from our clock: a busy computer reads late what came in time, by less than this."""


@dataclass(slots=True)
class _Wanted:
    """Something that the board is to have, however often it must be sent."""

    message: Message
    sequence: int | None = None
    sent_s: float = 0.0
    confirmed: bool = False


class Conversation:
    """One open port, from `now_s` on (seconds of a steady clock, as in all its methods)."""

    def __init__(self, now_s: float) -> None:
        self.decoder = Decoder(FROM_BOARD)
        self.hello: Hello | None = None
        """What the board said of itself; None while it is greeted."""
        self.n_sent_again = 0
        self._sequence = 0
        self._heard_s = now_s
        self._sent_s = now_s - HEARTBEAT_AFTER_S
        self._greeted_s = now_s - GREET_EVERY_S
        self._wanted: dict[type[Message], _Wanted] = {}
        self._once: list[Message] = []
        self._uptime: tuple[int, float] | None = None

    def silent_s(self, now_s: float) -> float:
        """Since when no good frame came, in seconds; more than LOST_AFTER_S: the board is lost."""
        return now_s - self._heard_s

    def want(self, message: Leds | Brightness) -> None:
        """To be sent until the board has it, and again to a board that started anew; the newest of a type counts."""
        if type(message) not in self._wanted or self._wanted[type(message)].message != message:
            self._wanted[type(message)] = _Wanted(message)

    def send_once(self, message: Message) -> None:
        """To be sent once, when the board has said hello; its answer tells whether it arrived."""
        self._once.append(message)

    def take(self, data: bytes, now_s: float) -> list[Message]:
        """What the bytes say. A Hello among it: the board is new or started anew."""
        messages = []
        for received in self.decoder.feed(data):
            self._heard_s = now_s
            message = received.message
            if isinstance(message, Hello):
                self.hello = message
                self._uptime = None
                for wanted in self._wanted.values():
                    wanted.sequence, wanted.confirmed = None, False
            elif isinstance(message, State):
                if self._started_anew(message, now_s):
                    self.hello = None
                self._confirm(message.host_sequence)
            if self.hello is not None:
                messages.append(message)
        return messages

    def due(self, now_s: float) -> bytes:
        """The one frame that is to be sent now, or nothing."""
        if now_s < self.next_due_s():
            return b""
        message = self._next(now_s)
        self._sequence = (self._sequence + 1) % 256
        self._sent_s = now_s
        if isinstance(message, Greeting):
            self._greeted_s = now_s
            return END + encode(message, self._sequence)  # ends what the board may have half received
        if message in self._once:
            self._once.remove(message)
        wanted = self._wanted.get(type(message))
        if wanted is not None:
            self.n_sent_again += wanted.sequence is not None
            wanted.sequence, wanted.sent_s = self._sequence, now_s
        return encode(message, self._sequence)

    def next_due_s(self) -> float:
        """When `due` will have something to send, if nothing comes and nothing is wanted meanwhile."""
        if self.hello is None:
            return self._greeted_s + GREET_EVERY_S
        due_s = self._sent_s if self._once else self._sent_s + HEARTBEAT_AFTER_S
        for wanted in self._wanted.values():
            if not wanted.confirmed:
                due_s = min(due_s, self._wanted_due_s(wanted))
        return max(due_s, self._sent_s + APART_S)

    def _wanted_due_s(self, wanted: _Wanted) -> float:
        return self._sent_s if wanted.sequence is None else wanted.sent_s + AGAIN_AFTER_S

    def _next(self, now_s: float) -> Message:
        if self.hello is None:
            return Greeting()
        if self._once:
            return self._once[0]
        for wanted in self._wanted.values():
            if not wanted.confirmed and now_s >= self._wanted_due_s(wanted):
                return wanted.message
        return Heartbeat()

    def _confirm(self, host_sequence: int) -> None:
        for wanted in self._wanted.values():
            wanted.confirmed = wanted.confirmed or wanted.sequence == host_sequence

    def _started_anew(self, state: State, now_s: float) -> bool:
        """Whether uptime, which wraps, is not where our clock expects it. The HELLO of that start was lost then."""
        before, self._uptime = self._uptime, (state.uptime_ms, now_s)
        if before is None or self.hello is None:
            return False
        expected_ms = before[0] + 1000.0 * (now_s - before[1])
        off_ms = (state.uptime_ms - expected_ms + 32768.0) % 65536.0 - 32768.0
        return abs(off_ms) > UPTIME_OFF_MS
