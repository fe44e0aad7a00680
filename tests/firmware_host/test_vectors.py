"""The bytes of hardware/protocol_vectors.json, which the firmware's own tests read too, in both directions."""

import json
from pathlib import Path
from typing import Any

import pytest

from firmware_host.messages import BOARD_MESSAGES, HOST_MESSAGES, Message, layout
from firmware_host.protocol import FROM_BOARD, FROM_HOST, REASONS, Decoder, Dropped, Received, encode

FILE = json.loads((Path(__file__).parents[2] / "hardware" / "protocol_vectors.json").read_text(encoding="utf-8"))
VECTORS, STREAMS = FILE["vectors"], FILE["streams"]
KINDS = {"board_to_host": FROM_BOARD, "host_to_board": FROM_HOST}
BY_NAME = {kind.NAME: kind for kind in BOARD_MESSAGES + HOST_MESSAGES}
GOOD = [vector for vector in VECTORS if "message" in vector]
BAD = [vector for vector in VECTORS if "error" in vector]


def message_of(described: dict[str, Any]) -> Received:
    return Received(described["sequence"], BY_NAME[described["type"]].from_fields(described["fields"]))


def name(vector: dict[str, Any]) -> str:
    return str(vector["name"])


@pytest.mark.parametrize("vector", GOOD, ids=name)
def test_a_good_frame_is_read(vector: dict[str, Any]) -> None:
    decoder = Decoder(KINDS[vector["direction"]])
    assert decoder.feed(bytes.fromhex(vector["hex"])) == [message_of(vector["message"])]
    assert not decoder.counts


@pytest.mark.parametrize("vector", [v for v in GOOD if v.get("canonical", True)], ids=name)
def test_a_message_becomes_these_bytes(vector: dict[str, Any]) -> None:
    expected = message_of(vector["message"])
    assert encode(expected.message, expected.sequence).hex(" ") == vector["hex"]
    assert expected.message.fields() == vector["message"]["fields"]


@pytest.mark.parametrize("vector", BAD, ids=name)
def test_a_bad_frame_is_dropped_for_its_reason(vector: dict[str, Any]) -> None:
    decoder = Decoder(KINDS[vector["direction"]])
    (event,) = decoder.events(bytes.fromhex(vector["hex"]))
    assert isinstance(event, Dropped)
    assert event.reason == vector["error"]
    assert decoder.counts == {vector["error"]: 1}


@pytest.mark.parametrize("chunk_bytes", [1, 7, 4096])
@pytest.mark.parametrize("stream", STREAMS, ids=name)
def test_a_stream_is_read_however_it_is_cut(stream: dict[str, Any], chunk_bytes: int) -> None:
    decoder = Decoder(KINDS[stream["direction"]])
    wire = bytes.fromhex(stream["hex"])
    received = [r for at in range(0, len(wire), chunk_bytes) for r in decoder.feed(wire[at : at + chunk_bytes])]
    assert received == [message_of(message) for message in stream["messages"]]
    assert +decoder.counts == stream["errors"] | ({"lost": stream["lost"]} if stream["lost"] else {})


def test_every_message_and_every_reason_has_examples() -> None:
    assert len(VECTORS) >= 60
    assert {vector["message"]["type"] for vector in GOOD} == set(BY_NAME)
    assert {vector["error"] for vector in BAD} == set(REASONS)
    assert len({name(vector) for vector in VECTORS + STREAMS}) == len(VECTORS + STREAMS)


@pytest.mark.parametrize("kind", BOARD_MESSAGES + HOST_MESSAGES, ids=lambda kind: kind.NAME)
def test_the_examples_reach_both_ends_of_every_field(kind: type[Message]) -> None:
    examples = [v["message"]["fields"] for v in GOOD if v["message"]["type"] == kind.NAME]
    for field, place in layout(kind):
        seen = [example[field] for example in examples]
        if place.kind == "ascii":
            assert {0, place.n} <= {len(value) for value in seen}, field
        else:
            values = [value for each in seen for value in (each if isinstance(each, list) else [each])]
            assert (min(values), max(values)) == (place.low, place.high), field
