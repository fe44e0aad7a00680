"""OSC (Open Sound Control 1.0) over UDP: the commands of the table, and status to those who ask for it.

Addresses are derived: /tetrad/NAME VALUE for every parameter, /tetrad/COMMAND FIELD ... for every command that OSC may
give (the fields in the table's order, those with a default may be left out at the end), and /tetrad/note KEY VELOCITY
[CHANNEL], where velocity 0 is the key's going up. Time tags of bundles are not waited for.

UDP does not know who sends, and packets get lost: so it gives no command that names a file or ends the engine, and has
no answers.
"""

import asyncio
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, cast

from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage, ParseError
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.parsing import osc_types

from synth.control.commands import BY_NAME, Command, CommandSpec, make_command
from synth.control.fields import Kind, shown
from synth.control.parameters import INDEX
from synth.control.status import difference
from synth.errors import TetradError

ROOT = "/tetrad/"
PACKETS_PER_S = 4000.0
PACKETS_AT_ONCE = 256
MOST_SUBSCRIBERS = 16
SUBSCRIBED_S = 60.0
"""A subscription ends after this, unless it is renewed: a UDP receiver that is gone does not say so."""
STATUS_RATE_HZ = 30.0
MOST_DATAGRAM = 1400
"""Bytes: a packet of Ethernet's 1500 bytes, less the headers."""

_TYPES = frozenset("ihfdsbrmtTFN[]")  # what python-osc reads; it writes every other one into the root log
_SIZES = {"i": 4, "f": 4, "r": 4, "m": 4, "h": 8, "d": 8, "t": 8}  # bytes
_DEEPEST_BUNDLE = 4
_BUNDLE = b"#bundle\0"


class MalformedPacketError(ValueError):
    """A packet is not OSC."""


def messages_in(packet: bytes, depth: int = 0) -> Iterator[OscMessage]:
    """The messages of a packet, those of bundles in order. Raises MalformedPacketError.

    Bundles are walked here, not by python-osc (1.10): a negative size sends its reader round in a circle for ever.
    """
    if not packet.startswith(_BUNDLE):
        yield _message(packet)
        return
    if depth == _DEEPEST_BUNDLE:
        raise MalformedPacketError("bundles inside bundles, too deep")
    at = 16  # after the mark and the time tag
    if len(packet) < at:
        raise MalformedPacketError("a bundle without its time tag")
    while at < len(packet):
        if len(packet) - at < 4:
            raise MalformedPacketError("a bundle ends inside a size")
        (size,) = struct.unpack_from(">i", packet, at)
        at += 4
        if not 0 < size <= len(packet) - at:
            raise MalformedPacketError(f"a bundle's element of {size} bytes, with {len(packet) - at} left")
        yield from messages_in(packet[at : at + size], depth + 1)
        at += size


def _message(data: bytes) -> OscMessage:
    if len(data) % 4:
        raise MalformedPacketError(f"a message of {len(data)} bytes, which is no multiple of 4")
    if not OscMessage.dgram_is_message(data):
        raise MalformedPacketError("no address")
    try:
        _, at = osc_types.get_string(data, 0)
        tags, at = osc_types.get_string(data, at) if data[at:] else ("", at)
        if not _TYPES.issuperset(tags[1:]):
            raise MalformedPacketError(f"arguments of types {tags[:20]}")
        # python-osc takes a number that is cut off for one that ends in zeros, a missing one for 0.
        if sum(_SIZES.get(tag, 0) for tag in tags) > len(data) - at:
            raise MalformedPacketError(f"arguments of types {tags[:20]} in {len(data) - at} bytes")
        return OscMessage(data)
    except (ParseError, osc_types.ParseError, ValueError, struct.error, OverflowError) as error:
        raise MalformedPacketError(str(error)) from error


def command_of(address: str, arguments: Sequence[object]) -> Command:
    """The command that a message means. Raises TetradError."""
    name = address.removeprefix(ROOT)
    if name == address:
        raise TetradError(f"the OSC address {shown(address)} is not ours; {ROOT}... was expected; correct it")
    if name in INDEX:
        if len(arguments) != 1:
            raise TetradError(f"{ROOT}{name} came with {len(arguments)} arguments; its value was expected; correct it")
        return make_command("set", parameter=name, value=arguments[0])
    if name == "note":
        velocity = arguments[1] if len(arguments) > 1 else None
        goes_up = isinstance(velocity, (int, float)) and not isinstance(velocity, bool) and velocity == 0
        if goes_up:
            return _with_fields(BY_NAME["note_off"], [arguments[0], *arguments[2:]])
        return _with_fields(BY_NAME["note_on"], arguments)
    spec = BY_NAME.get(name)
    if spec is None or not spec.osc:
        raise TetradError(f"there is no OSC address {shown(address)}; PROTOCOL.md lists them; correct it")
    return _with_fields(spec, arguments)


def _with_fields(spec: CommandSpec, arguments: Sequence[object]) -> Command:
    if len(arguments) > len(spec.fields):
        raise TetradError(f"{ROOT}{spec.name} came with {len(arguments)} arguments; it takes {len(spec.fields)}")
    fields = dict(zip((field.name for field in spec.fields), arguments, strict=False))
    if spec.one_of and isinstance(arguments[0] if arguments else None, (int, float)):
        fields = {spec.one_of[1]: fields[spec.one_of[0]]}  # /tetrad/patch_load 17: a number where a name would stand
    for field in spec.fields:
        if field.kind is Kind.FLAG and isinstance(fields.get(field.name), (int, float)):
            fields[field.name] = bool(fields[field.name])  # many OSC clients have no true and false
    return make_command(spec.name, **fields)


def status_messages(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, list[Any]]]:
    """(address, arguments) of what changed: parameters under the addresses that set them, all else below status/."""
    messages: list[tuple[str, list[Any]]] = []
    patch = difference(before, after)
    for name, value in patch.pop("parameters", {}).items():
        _collect(f"{ROOT}{name}", value, messages)
    _collect(f"{ROOT}status", patch, messages)
    return messages


def _collect(address: str, value: Any, messages: list[tuple[str, list[Any]]]) -> None:
    if isinstance(value, dict):
        for name, one in value.items():
            _collect(f"{address}/{name}", one, messages)
    elif isinstance(value, list):
        if all(isinstance(one, (int, float, str)) for one in value):  # lists of objects have no form in OSC
            messages.append((address, value))
    else:
        messages.append((address, [] if value is None else [value]))  # without arguments: it is gone


def datagrams(messages: Sequence[tuple[str, list[Any]]]) -> Iterator[bytes]:
    """Bundles of messages, none larger than 1400 bytes unless one message alone is."""
    bundle, size = OscBundleBuilder(IMMEDIATELY), 16
    for address, arguments in messages:
        builder = OscMessageBuilder(address)
        for argument in arguments:
            builder.add_arg(float(argument), "d") if _is_large(argument) else builder.add_arg(argument)
        message = builder.build()
        if size > 16 and size + 4 + message.size > MOST_DATAGRAM:
            yield bundle.build().dgram
            bundle, size = OscBundleBuilder(IMMEDIATELY), 16
        bundle.add_content(message)
        size += 4 + message.size
    if size > 16:
        yield bundle.build().dgram


def _is_large(argument: object) -> bool:
    """A whole number that OSC's 32 bits don't hold (a count of samples after 12 hours)."""
    return isinstance(argument, int) and not -(2**31) <= argument < 2**31


class Hub(Protocol):
    """What OSC needs of the server."""

    def carry_out(self, command: Command) -> "Mapping[str, Any] | asyncio.Future[Any]": ...
    def refused(self, who: str, words: str) -> None: ...


class _Subscriber:
    """Where status goes, until when, and what was sent."""

    def __init__(self, until_s: float, rate_hz: float) -> None:
        self.until_s = until_s
        self.rate_hz = rate_hz
        self.next_s = 0.0
        self.status: dict[str, Any] = {}


class OscEndpoint(asyncio.DatagramProtocol):
    """The UDP port. All in the server's thread."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._subscribers: dict[tuple[str, int], _Subscriber] = {}
        self._allowance = float(PACKETS_AT_ONCE)
        self._allowance_at_s = 0.0
        self.malformed = 0
        """Packets that were no OSC."""
        self.dropped = 0
        """Packets beyond 4000 a second, which were not looked at."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self._loop = asyncio.get_running_loop()
        self.address: tuple[str, int] = transport.get_extra_info("sockname")[:2]

    def datagram_received(self, data: bytes, sender: tuple[Any, ...]) -> None:
        now_s = self._loop.time()
        self._allowance = min(self._allowance + (now_s - self._allowance_at_s) * PACKETS_PER_S, float(PACKETS_AT_ONCE))
        self._allowance_at_s = now_s
        if self._allowance < 1.0:
            self.dropped += 1
            return
        self._allowance -= 1.0
        try:
            messages = list(messages_in(data))
        except MalformedPacketError:
            self.malformed += 1
            return
        for message in messages:
            try:
                self._take(str(message.address), list(message), (sender[0], sender[1]), now_s)
            except TetradError as error:
                self._hub.refused("OSC", str(error))

    def error_received(self, _: Exception) -> None:
        """A subscriber's port is closed: its subscription runs out by itself."""

    def close(self) -> None:
        self._transport.close()

    def has_subscribers(self, now_s: float) -> bool:
        """Whether somebody wants status. Forgets those who did not renew their wish."""
        for address in [a for a, subscriber in self._subscribers.items() if subscriber.until_s < now_s]:
            del self._subscribers[address]
        return bool(self._subscribers)

    def send_status(self, status: dict[str, Any], now_s: float) -> None:
        """What changed, to every subscriber that is due."""
        for address, subscriber in self._subscribers.items():
            if subscriber.next_s > now_s + 0.5 / STATUS_RATE_HZ:
                continue
            subscriber.next_s = max(now_s, subscriber.next_s + 1.0 / subscriber.rate_hz)
            for datagram in datagrams(status_messages(subscriber.status, status)):
                self._transport.sendto(datagram, address)
            subscriber.status = status

    def _take(self, address: str, arguments: list[Any], sender: tuple[str, int], now_s: float) -> None:
        if address == f"{ROOT}subscribe":
            self._subscribe(arguments, sender, now_s)
        elif address == f"{ROOT}unsubscribe":
            self._subscribers.pop(sender, None)
        else:
            result = self._hub.carry_out(command_of(address, arguments))
            if isinstance(result, asyncio.Future):
                result.add_done_callback(self._finished)

    def _subscribe(self, arguments: list[Any], sender: tuple[str, int], now_s: float) -> None:
        """/tetrad/subscribe [RATE_HZ [PORT]]: status to the sender, at that port or the one that it sends from."""
        rate_hz = make_command("subscribe", rate_hz=arguments[0] if arguments else STATUS_RATE_HZ)["rate_hz"]
        port = arguments[1] if len(arguments) > 1 else sender[1]
        if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65_535:
            raise TetradError(f"{ROOT}subscribe came with port {shown(port)}; 1 to 65535 was expected; correct it")
        receiver = (sender[0], port)
        if rate_hz == 0.0:
            self._subscribers.pop(receiver, None)
        elif receiver in self._subscribers:
            self._subscribers[receiver].until_s = now_s + SUBSCRIBED_S
            self._subscribers[receiver].rate_hz = rate_hz
        elif len(self._subscribers) >= MOST_SUBSCRIBERS:
            raise TetradError(f"{MOST_SUBSCRIBERS} OSC subscribers are there, which is the most; end one")
        else:
            self._subscribers[receiver] = _Subscriber(now_s + SUBSCRIBED_S, rate_hz)

    def _finished(self, future: "asyncio.Future[Any]") -> None:
        if not future.cancelled() and (error := future.exception()) is not None:
            self._hub.refused("OSC", str(error))
