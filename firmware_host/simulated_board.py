"""A board as hardware/PROTOCOL.md describes it, without hardware: bytes and hands in, bytes out. Pure: times are given.

What the firmware does with pins happens here by calls: `turn`, `press`, `release`, `knob`. The numbers are the board's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from firmware_host.messages import (
    HIGHEST_KNOB,
    N_ENCODERS,
    N_KNOBS,
    N_LEDS,
    N_SWITCHES,
    PROTOCOL_MAJOR,
    Brightness,
    Diagnostics,
    DiagnosticsRequest,
    Greeting,
    Hello,
    Leds,
    Message,
    NameBoard,
    State,
)
from firmware_host.protocol import END, FROM_HOST, Decoder, encode, frame

STATE_APART_S = 0.002
KNOBS_APART_S = 0.025
REST_S = 0.1
HEARTBEAT_EVERY_S = 0.25
HOST_GONE_AFTER_S = 2.0
COUNTS_PER_DETENT = 4
POWER_ON = 1


@dataclass(slots=True)
class SimulatedBoard:
    """One board, switched on at `now_s`. What NAME_BOARD gave it survives `reset`, as in an EEPROM."""

    now_s: float
    board_id: int = 0
    name: str = "Tetrad board"
    protocol: tuple[int, int] = (1, 0)
    leds: tuple[int, ...] = (0,) * N_LEDS
    brightness: int = 255
    commands: list[Message] = field(default_factory=list)
    """What the host said, heartbeats included, since the board was switched on."""
    _encoders: list[int] = field(default_factory=lambda: [0] * N_ENCODERS)
    _edges: list[int] = field(default_factory=lambda: [0] * N_SWITCHES)
    _knobs: list[int] = field(default_factory=lambda: [HIGHEST_KNOB // 2] * N_KNOBS)
    _decoder: Decoder = field(default_factory=lambda: Decoder(FROM_HOST))
    _started_s: float = 0.0
    _heard_s: float | None = None
    _sequence: int = -1
    _out: list[bytes] = field(default_factory=list)
    _sent: State | None = None
    _sent_s: float = 0.0
    _detents: list[int] = field(default_factory=list)
    _counted: Sequence[int] = ()
    _counted_s: float = 0.0
    _cause: int = POWER_ON

    def __post_init__(self) -> None:
        self.reset(self.now_s, POWER_ON)

    def reset(self, now_s: float, cause: int = POWER_ON) -> None:
        """Start anew: counters at 0 (a switch that is down counts as one edge), knobs where they stand."""
        self._encoders = [0] * N_ENCODERS
        self._edges = [edges & 1 for edges in self._edges]
        self._decoder = Decoder(FROM_HOST)
        self._started_s, self._heard_s, self._sequence = now_s, None, -1
        self._sent, self._sent_s = None, now_s - HEARTBEAT_EVERY_S
        self._out = [END]
        self.leds, self.brightness, self.commands = (0,) * N_LEDS, 255, []
        self._cause = cause
        self._say_hello()

    # The hand.

    def turn(self, encoder: int, counts: int) -> None:
        """Clockwise is positive; four counts are a detent."""
        self._encoders[encoder] = (self._encoders[encoder] + counts) % 65536

    def press(self, switch: int) -> None:
        """Down, if it is up."""
        self._edges[switch] = (self._edges[switch] + (self._edges[switch] + 1) % 2) % 256

    def release(self, switch: int) -> None:
        """Up, if it is down."""
        self._edges[switch] = (self._edges[switch] + self._edges[switch] % 2) % 256

    def knob(self, knob: int, value: int) -> None:
        """0..1023."""
        self._knobs[knob] = min(max(value, 0), HIGHEST_KNOB)

    # The wire.

    def take(self, data: bytes, now_s: float) -> None:
        """Bytes from the host."""
        for received in self._decoder.feed(data):
            self._heard_s = now_s
            self.commands.append(received.message)
            self._obey(received.message)

    def due(self, now_s: float) -> bytes:
        """What the board sends now."""
        state = self.state(now_s)
        age_s = now_s - self._sent_s
        if state.encoders != self._counted:
            self._counted, self._counted_s = state.encoders, now_s
        if age_s >= HEARTBEAT_EVERY_S or (age_s >= STATE_APART_S and self._is_to_be_told(state, now_s)):
            before = [_nearest_detent(counts) for counts in state.encoders] if self._sent is None else self._detents
            self._detents = [_detent(counts, rest) for counts, rest in zip(state.encoders, before, strict=True)]
            self._sent, self._sent_s = state, now_s
            self._say(state)
        data = b"".join(self._out)
        self._out.clear()
        return data

    def state(self, now_s: float) -> State:
        """Where everything stands."""
        levels = sum((edges & 1) << switch for switch, edges in enumerate(self._edges))
        uptime_ms = int(1000.0 * (now_s - self._started_s)) % 65536
        return State(
            self._decoder.good_sequence,
            tuple(self._encoders),
            levels,
            tuple(self._edges),
            tuple(self._knobs),
            uptime_ms,
        )

    def _is_to_be_told(self, state: State, now_s: float) -> bool:
        """Whether the state is sent before the heartbeat."""
        sent = self._sent
        if sent is None or (state.host_sequence, state.switch_edges) != (sent.host_sequence, sent.switch_edges):
            return True
        if [_detent(counts, rest) for counts, rest in zip(state.encoders, self._detents, strict=True)] != self._detents:
            return True
        if now_s - self._sent_s >= KNOBS_APART_S and state.knobs != sent.knobs:
            return True
        return now_s - self._counted_s >= REST_S and state.encoders != sent.encoders

    def waits_for_host(self, now_s: float) -> bool:
        """Whether the LEDs breathe: no host was heard for two seconds."""
        return self._heard_s is None or now_s - self._heard_s > HOST_GONE_AFTER_S

    def _obey(self, message: Message) -> None:
        if isinstance(message, Greeting):
            self._say_hello()
            self._sent = None
        elif isinstance(message, Leds):
            self.leds = message.levels
        elif isinstance(message, Brightness):
            self.brightness = message.brightness
        elif isinstance(message, DiagnosticsRequest):
            self._say(self._diagnostics())
        elif isinstance(message, NameBoard):
            self.board_id, self.name = message.board_id, message.name
            self._say_hello()

    def _diagnostics(self) -> Diagnostics:
        counts = self._decoder.counts
        unknown = counts["type"]
        bad = sum(count for reason, count in counts.items() if reason not in ("type", "lost"))
        return Diagnostics(min(bad, 65535), min(unknown, 65535), 0, 0, (0,) * N_ENCODERS, 0, 2048)

    def _say_hello(self) -> None:
        hello = Hello(
            protocol_major=PROTOCOL_MAJOR,
            protocol_minor=self.protocol[1],
            firmware_major=0,
            firmware_minor=1,
            firmware_patch=0,
            board_id=self.board_id,
            reset_cause=self._cause,
            n_encoders=N_ENCODERS,
            counts_per_detent=COUNTS_PER_DETENT,
            n_switches=N_SWITCHES,
            n_knobs=N_KNOBS,
            knob_bits=10,
            n_leds=N_LEDS,
            capabilities=3,
            name=self.name,
        )
        fields = bytes((self.protocol[0],)) + hello.pack()[1:]  # a Hello of ours can't be of another major version
        self._sequence += 1
        self._out.append(frame(self._sequence, Hello.TYPE, fields))

    def _say(self, message: Message) -> None:
        self._sequence += 1
        self._out.append(encode(message, self._sequence))


def _detent(counts: int, before: int) -> int:
    """Where an encoder rests, in counts, that was taken to rest at `before`: another detent when three of four counts
    are passed."""
    beyond = (counts - before + 32768) % 65536 - 32768
    whole = (abs(beyond) + 1) // COUNTS_PER_DETENT * COUNTS_PER_DETENT
    return (before + (whole if beyond > 0 else -whole)) % 65536


def _nearest_detent(counts: int) -> int:
    return (counts + COUNTS_PER_DETENT // 2) // COUNTS_PER_DETENT * COUNTS_PER_DETENT % 65536
