"""The one table of what board and host say to each other: a frozen dataclass for each message.

A field's annotation is its place on the wire; encoding, decoding, range checks, the words of the monitor and the tests
that compare hardware/PROTOCOL.md and hardware/protocol_vectors.json are all derived from it. Nothing here knows frames.
"""

import struct
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, get_type_hints

from synth.errors import TetradError

PROTOCOL_MAJOR, PROTOCOL_MINOR = 1, 0
N_ENCODERS, N_SWITCHES, N_KNOBS, N_LEDS = 4, 8, 6, 4
HIGHEST_KNOB = 1023
NAME_BYTES = 16
_ONLY_INT = {int}  # and not bool, which is an int too


class ProtocolError(TetradError):
    """A value that has no place on the wire."""


class TooFewBytes(Exception):  # noqa: N818 - what a decoder counts, not what a player reads
    """The bytes end before the fields do."""


@dataclass(frozen=True, slots=True)
class Wire:
    """A field's place: `kind` is "u8", "u16", "u32" or "ascii"; `n` values (characters of "ascii") of low..high."""

    kind: str
    low: int = 0
    high: int = 0
    n: int = 1

    @property
    def format(self) -> str:
        """As `struct` calls it, without the byte order."""
        return f"{self.n}s" if self.kind == "ascii" else {"u8": "B", "u16": "H", "u32": "I"}[self.kind] * self.n

    @property
    def n_bytes(self) -> int:
        return struct.calcsize("<" + self.format)

    def problem(self, value: Any) -> str | None:
        """What is wrong with `value`, as the end of a sentence; None: nothing."""
        if self.kind == "ascii":
            right = isinstance(value, str) and len(value) <= self.n and all(" " <= letter <= "~" for letter in value)
            return None if right else f"up to {self.n} printable ASCII characters were expected"
        if self.n == 1:
            fits = type(value) is int and self.low <= value <= self.high
        else:
            fits = type(value) is tuple and len(value) == self.n and set(map(type, value)) == _ONLY_INT
            fits = fits and min(value) >= self.low and max(value) <= self.high
        if fits:
            return None
        expected = "a whole number was" if self.n == 1 else f"a tuple of {self.n} whole numbers was"
        return f"{expected} expected, from {self.low} to {self.high}"


def u8(low: int = 0, high: int = 0xFF, n: int = 1) -> Wire:
    return Wire("u8", low, high, n)


def u16(low: int = 0, high: int = 0xFFFF, n: int = 1) -> Wire:
    return Wire("u16", low, high, n)


def u32(low: int = 0, high: int = 0xFFFF_FFFF) -> Wire:
    return Wire("u32", low, high)


ASCII_NAME = Wire("ascii", n=NAME_BYTES)


_LAYOUTS: dict[type["Message"], tuple[tuple[str, Wire], ...]] = {}
_STRUCTS: dict[type["Message"], struct.Struct] = {}


def layout(kind: type["Message"]) -> tuple[tuple[str, Wire], ...]:
    """Names and places of a message's fields, in their order on the wire."""
    if kind not in _LAYOUTS:
        hints = get_type_hints(kind, include_extras=True).items()
        _LAYOUTS[kind] = tuple((name, hint.__metadata__[0]) for name, hint in hints if hasattr(hint, "__metadata__"))
    return _LAYOUTS[kind]


def _struct(kind: type["Message"]) -> struct.Struct:
    if kind not in _STRUCTS:
        _STRUCTS[kind] = struct.Struct("<" + "".join(place.format for _, place in layout(kind)))
    return _STRUCTS[kind]


class Message:
    """What all messages have. A value that does not fit its field raises ProtocolError when the message is made."""

    __slots__ = ()
    TYPE: ClassVar[int]
    NAME: ClassVar[str]

    def __post_init__(self) -> None:
        for name, place in layout(type(self)):
            value = getattr(self, name)
            if problem := place.problem(value):
                raise ProtocolError(f"{self.NAME} with {name} {value!r} cannot be sent; {problem}; correct the value")

    @classmethod
    def n_bytes(cls) -> int:
        """Bytes of the fields."""
        return _struct(cls).size

    def fields(self) -> dict[str, Any]:
        """The fields by name, for JSON: tuples are lists."""
        values = ((name, getattr(self, name)) for name, _ in layout(type(self)))
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values}

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Self:
        """The opposite of `fields`. Raises ProtocolError."""
        names = {name for name, _ in layout(cls)}
        if set(fields) != names:
            wrong = ", ".join(sorted(set(fields) ^ names))
            raise ProtocolError(f"{cls.NAME} has missing or unknown fields ({wrong}); name each of its fields once")
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})

    def pack(self) -> bytes:
        """The fields' bytes."""
        values: list[Any] = []
        for name, place in layout(type(self)):
            value = getattr(self, name)
            if place.kind == "ascii":
                values.append(value.encode("ascii"))
            elif place.n > 1:
                values.extend(value)
            else:
                values.append(value)
        return _struct(type(self)).pack(*values)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """A message of its fields' bytes; what follows them is ignored. Raises TooFewBytes or ProtocolError."""
        shape = _struct(cls)
        if len(data) < shape.size:
            raise TooFewBytes
        flat = shape.unpack_from(data)
        values: list[Any] = []
        at = 0
        for _, place in layout(cls):
            if place.kind == "ascii":
                values.append(flat[at].rstrip(b"\0").decode("latin-1"))
                at += 1
            elif place.n > 1:
                values.append(flat[at : at + place.n])
                at += place.n
            else:
                values.append(flat[at])
                at += 1
        return cls(*values)

    def __str__(self) -> str:
        parts = (f"{name}={'/'.join(map(str, v)) if isinstance(v, list) else v}" for name, v in self.fields().items())
        return " ".join((self.NAME, *parts))


# Board to host.


@dataclass(frozen=True, slots=True)
class Hello(Message):
    """Who the board is. Sent at its start, and in answer to GREETING and NAME_BOARD."""

    TYPE: ClassVar[int] = 0x01
    NAME: ClassVar[str] = "HELLO"
    protocol_major: Annotated[int, u8(PROTOCOL_MAJOR, PROTOCOL_MAJOR)]
    protocol_minor: Annotated[int, u8()]
    firmware_major: Annotated[int, u8()]
    firmware_minor: Annotated[int, u8()]
    firmware_patch: Annotated[int, u8()]
    board_id: Annotated[int, u32()]
    reset_cause: Annotated[int, u8(0, 15)]
    n_encoders: Annotated[int, u8(0, N_ENCODERS)]
    counts_per_detent: Annotated[int, u8(1, 4)]
    n_switches: Annotated[int, u8(0, N_SWITCHES)]
    n_knobs: Annotated[int, u8(0, N_KNOBS)]
    knob_bits: Annotated[int, u8(1, 10)]
    n_leds: Annotated[int, u8(0, N_LEDS)]
    capabilities: Annotated[int, u16()]
    name: Annotated[str, ASCII_NAME]


@dataclass(frozen=True, slots=True)
class State(Message):
    """Where everything on the board stands: all of it, absolute, so that a lost frame is late and not wrong."""

    TYPE: ClassVar[int] = 0x02
    NAME: ClassVar[str] = "STATE"
    host_sequence: Annotated[int, u8()]
    encoders: Annotated[tuple[int, ...], u16(n=N_ENCODERS)]
    switch_levels: Annotated[int, u8()]
    switch_edges: Annotated[tuple[int, ...], u8(n=N_SWITCHES)]
    knobs: Annotated[tuple[int, ...], u16(0, HIGHEST_KNOB, n=N_KNOBS)]
    uptime_ms: Annotated[int, u16()]


@dataclass(frozen=True, slots=True)
class Diagnostics(Message):
    """How the board fares. Counters stop at 65,535."""

    TYPE: ClassVar[int] = 0x03
    NAME: ClassVar[str] = "DIAGNOSTICS"
    bad_frames: Annotated[int, u16()]
    unknown_types: Annotated[int, u16()]
    rx_overruns: Annotated[int, u16()]
    tx_dropped: Annotated[int, u16()]
    illegal_transitions: Annotated[tuple[int, ...], u16(n=N_ENCODERS)]
    busiest_permille: Annotated[int, u16(0, 1000)]
    free_ram: Annotated[int, u16()]


# Host to board.


@dataclass(frozen=True, slots=True)
class Greeting(Message):
    """Asks for HELLO and STATE."""

    TYPE: ClassVar[int] = 0x81
    NAME: ClassVar[str] = "GREETING"
    protocol_major: Annotated[int, u8()] = PROTOCOL_MAJOR
    protocol_minor: Annotated[int, u8()] = PROTOCOL_MINOR


@dataclass(frozen=True, slots=True)
class Leds(Message):
    """Duty of the four patch buttons' LEDs, 255: always on."""

    TYPE: ClassVar[int] = 0x82
    NAME: ClassVar[str] = "LEDS"
    levels: Annotated[tuple[int, ...], u8(n=N_LEDS)]


@dataclass(frozen=True, slots=True)
class Brightness(Message):
    """Scales all LEDs; 255: as LEDS says."""

    TYPE: ClassVar[int] = 0x83
    NAME: ClassVar[str] = "BRIGHTNESS"
    brightness: Annotated[int, u8()]


@dataclass(frozen=True, slots=True)
class Heartbeat(Message):
    """The host is there."""

    TYPE: ClassVar[int] = 0x84
    NAME: ClassVar[str] = "HEARTBEAT"


@dataclass(frozen=True, slots=True)
class DiagnosticsRequest(Message):
    """Asks for DIAGNOSTICS."""

    TYPE: ClassVar[int] = 0x85
    NAME: ClassVar[str] = "DIAGNOSTICS_REQUEST"


@dataclass(frozen=True, slots=True)
class NameBoard(Message):
    """Gives the board a number and a name, which it keeps."""

    TYPE: ClassVar[int] = 0x86
    NAME: ClassVar[str] = "NAME_BOARD"
    board_id: Annotated[int, u32(low=1)]
    name: Annotated[str, ASCII_NAME]


BOARD_MESSAGES: tuple[type[Message], ...] = (Hello, State, Diagnostics)
HOST_MESSAGES: tuple[type[Message], ...] = (Greeting, Leds, Brightness, Heartbeat, DiagnosticsRequest, NameBoard)
