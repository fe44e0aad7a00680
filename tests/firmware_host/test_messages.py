"""Every message of the table, round and refused, with values that nobody thought of."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_host.messages import (
    BOARD_MESSAGES,
    HOST_MESSAGES,
    Brightness,
    Leds,
    Message,
    NameBoard,
    ProtocolError,
    Wire,
    layout,
)
from firmware_host.protocol import FROM_BOARD, FROM_HOST, Decoder, Received, encode, frame

ALL = BOARD_MESSAGES + HOST_MESSAGES


def values_of(place: Wire) -> st.SearchStrategy[Any]:
    if place.kind == "ascii":
        return st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=place.n)
    whole = st.integers(place.low, place.high)
    return whole if place.n == 1 else st.tuples(*[whole] * place.n)


@st.composite
def any_message(draw: st.DrawFn) -> Message:
    kind = draw(st.sampled_from(ALL))
    return kind(*(draw(values_of(place)) for _, place in layout(kind)))


@given(any_message(), st.integers(0, 255), st.binary(max_size=8))
def test_every_message_comes_back_whatever_follows_its_fields(message: Message, sequence: int, more: bytes) -> None:
    kinds = FROM_BOARD if message.TYPE < 0x80 else FROM_HOST
    wire = encode(message, sequence)
    assert wire.index(0) == len(wire) - 1
    assert Decoder(kinds).feed(wire) == [Received(sequence, message)]
    assert Decoder(kinds).feed(frame(sequence, message.TYPE, message.pack() + more)) == [Received(sequence, message)]
    assert type(message).from_fields(message.fields()) == message


@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    for kinds in (FROM_BOARD, FROM_HOST):
        decoder = Decoder(kinds)
        decoder.feed(data + b"\0" + data[::-1])


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.NAME)
def test_a_value_beyond_its_range_is_no_message(kind: type[Message]) -> None:
    right: dict[str, Any] = {name: "x" if place.kind == "ascii" else place.low for name, place in layout(kind)}
    for name, place in layout(kind):
        if place.n > 1 and place.kind != "ascii":
            right[name] = (place.low,) * place.n
    assert kind(**right)
    for name, place in layout(kind):
        beyond: Any = "x" * (place.n + 1) if place.kind == "ascii" else place.high + 1
        if isinstance(right[name], tuple):
            beyond = (beyond,) * place.n
        for wrong in (beyond, None, [0] * place.n, (0,) * (place.n + 1)):
            with pytest.raises(ProtocolError, match=f"{kind.NAME} with {name} .* expected"):
                kind(**right | {name: wrong})


def test_a_boolean_is_no_number() -> None:
    with pytest.raises(ProtocolError):
        Brightness(True)
    with pytest.raises(ProtocolError):
        Leds((0, 0, False, 0))


@pytest.mark.parametrize("name", ["café", "a\n", "a\0b"])
def test_a_name_is_printable_ascii(name: str) -> None:
    with pytest.raises(ProtocolError, match="printable ASCII"):
        NameBoard(1, name)


def test_fields_are_named_once_each() -> None:
    with pytest.raises(ProtocolError, match="bright, brightness"):
        Brightness.from_fields({"bright": 1})


def test_a_frame_longer_than_the_wire_allows_is_refused() -> None:
    assert len(frame(0, 0x87, bytes(60))) == 66
    with pytest.raises(ProtocolError, match="a payload of 65 bytes"):
        frame(0, 0x87, bytes(61))
