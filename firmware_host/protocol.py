"""Frames: messages to bytes and back, as hardware/PROTOCOL.md says. Pure: no port, no clock.

A frame is COBS(payload) and a zero; a payload is sequence u8, type u8, the fields, and a CRC-16 over all before it.

    wire = encode(Leds((255, 0, 0, 0)), sequence=7)
    for received in Decoder(FROM_BOARD).feed(data):
        received.message, received.sequence
"""

import binascii
from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from cobs import cobs

from firmware_host.messages import (
    BOARD_MESSAGES,
    HOST_MESSAGES,
    PROTOCOL_MAJOR,
    Hello,
    Message,
    ProtocolError,
    TooFewBytes,
)

SHORTEST_PAYLOAD, LONGEST_PAYLOAD = 4, 64
LONGEST_BLOCK = LONGEST_PAYLOAD + 1
"""Bytes of a frame without its zero: COBS adds one byte to less than 255."""
END = b"\0"

REASONS = ("length", "cobs", "crc", "type", "fields", "version", "range")
"""Why a frame is dropped, in the order in which a receiver looks; hardware/PROTOCOL.md describes each."""


def _by_type(kinds: Iterable[type[Message]]) -> Mapping[int, type[Message]]:
    return MappingProxyType({kind.TYPE: kind for kind in kinds})


FROM_BOARD = _by_type(BOARD_MESSAGES)
FROM_HOST = _by_type(HOST_MESSAGES)


class Received(NamedTuple):
    """A message with its frame's sequence number."""

    sequence: int
    message: Message


class Dropped(NamedTuple):
    """A frame that was not taken, and why (one of REASONS). payload: what COBS gave, empty where it gave nothing."""

    reason: str
    payload: bytes = b""


def checksum(data: bytes) -> int:
    """CRC-16/IBM-3740: polynomial 0x1021, start 0xFFFF, not reflected. Of b"123456789": 0x29B1."""
    return binascii.crc_hqx(data, 0xFFFF)


def frame(sequence: int, kind: int, fields: bytes) -> bytes:
    """A frame of any type, known or not. Raises ProtocolError where it would be longer than the wire allows."""
    body = bytes((sequence & 0xFF, kind)) + fields
    if len(body) + 2 > LONGEST_PAYLOAD:
        raise ProtocolError(
            f"a payload of {len(body) + 2} bytes does not fit; at most {LONGEST_PAYLOAD} do; shorten it"
        )
    return bytes(cobs.encode(body + checksum(body).to_bytes(2, "little"))) + END


def encode(message: Message, sequence: int) -> bytes:
    """The message's frame, its zero included. sequence: of the sender's frames; taken modulo 256."""
    return frame(sequence, message.TYPE, message.pack())


def decode(block: bytes, kinds: Mapping[int, type[Message]]) -> Received | Dropped:  # noqa: PLR0911 - a list of checks
    """A frame without its zero. kinds: FROM_BOARD or FROM_HOST. Never raises, whatever the bytes are."""
    if len(block) > LONGEST_BLOCK:
        return Dropped("length")
    try:
        payload: bytes = cobs.decode(block)
    except cobs.DecodeError:
        return Dropped("cobs")
    if len(payload) < SHORTEST_PAYLOAD:
        return Dropped("length", payload)
    body = payload[:-2]
    if checksum(body) != int.from_bytes(payload[-2:], "little"):
        return Dropped("crc", payload)
    kind = kinds.get(body[1])
    if kind is None:
        return Dropped("type", payload)
    # Of another major version only HELLO's first two fields are known to mean the same, whatever its length.
    if kind is Hello and len(body) >= 4 and body[2] != PROTOCOL_MAJOR:
        return Dropped("version", payload)
    try:
        return Received(body[0], kind.unpack(body[2:]))
    except TooFewBytes:
        return Dropped("fields", payload)
    except ProtocolError:
        return Dropped("range", payload)


class Decoder:
    """Bytes in, messages out; keeps at most one unfinished frame.

    counts: how many frames were dropped, by reason, and "lost": gaps in the sender's sequence numbers.
    other_version: (major, minor) of the last HELLO whose major number is not ours; None: there was none.
    """

    def __init__(self, kinds: Mapping[int, type[Message]]) -> None:
        self._kinds = kinds
        self._block = bytearray()  # what came of an unfinished frame: no more than tells that it is too long
        self._sequence: int | None = None
        self.counts: Counter[str] = Counter()
        self.n_messages = 0
        self.other_version: tuple[int, int] | None = None

    @property
    def good_sequence(self) -> int:
        """Sequence number of the last frame whose CRC was right, whatever its type; 0 before any."""
        return self._sequence or 0

    def feed(self, data: bytes) -> list[Received]:
        """What `data` completes, in order."""
        return [event for event in self.events(data) if isinstance(event, Received)]

    def events(self, data: bytes) -> list[Received | Dropped]:
        """The same with the frames that were dropped, for a monitor."""
        blocks = data.split(END)
        found: list[Received | Dropped] = []
        for end in blocks[:-1]:
            block = bytes(self._block + end) if self._block else end
            self._block.clear()
            if block:
                found.append(self._count(decode(block, self._kinds)))
        self._block += blocks[-1][: LONGEST_BLOCK + 1 - len(self._block)]
        return found

    def _count(self, event: Received | Dropped) -> Received | Dropped:
        if isinstance(event, Received):
            self.n_messages += 1
            self._follow(event.sequence)
            return event
        self.counts[event.reason] += 1
        if event.reason in ("type", "fields", "version", "range"):  # the CRC was right: these are its sender's numbers
            self._follow(event.payload[0])
        if event.reason == "version":
            self.other_version = (event.payload[2], event.payload[3])
        return event

    def _follow(self, sequence: int) -> None:
        if self._sequence is not None:
            self.counts["lost"] += (sequence - self._sequence - 1) % 256
        self._sequence = sequence
