"""hardware/PROTOCOL.md, the message table and the examples cover each other: none can be changed alone."""

import json
import re
from itertools import takewhile
from pathlib import Path

import pytest

from firmware_host.conversation import GREET_EVERY_S, HEARTBEAT_AFTER_S, LOST_AFTER_S
from firmware_host.link import ANSWER_WITHIN_S, BAUD, LOOK_EVERY_S
from firmware_host.messages import BOARD_MESSAGES, HOST_MESSAGES, PROTOCOL_MAJOR, PROTOCOL_MINOR, Message, layout
from firmware_host.protocol import (
    FROM_BOARD,
    FROM_HOST,
    LONGEST_BLOCK,
    LONGEST_PAYLOAD,
    REASONS,
    SHORTEST_PAYLOAD,
    checksum,
)

HARDWARE = Path(__file__).parents[2] / "hardware"
PAGE = (HARDWARE / "PROTOCOL.md").read_text(encoding="utf-8")
VECTORS = json.loads((HARDWARE / "protocol_vectors.json").read_text(encoding="utf-8"))
ALL = BOARD_MESSAGES + HOST_MESSAGES
HEADER_BYTES, CRC_BYTES, COBS_AND_END_BYTES = 2, 2, 2


def sections() -> dict[str, str]:
    """Heading of each message on the page ("0x02 STATE") -> the text up to the next heading."""
    parts = re.split(r"^#{2,3} ", PAGE, flags=re.MULTILINE)
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in parts if part.startswith("0x")}


def rows(text: str, first: str) -> list[list[str]]:
    """Cells of the table whose header begins with `first`, without header and rule."""
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith(f"| {first} |")]
    if not starts:
        return []
    body = takewhile(lambda line: line.startswith("|"), lines[starts[0] + 2 :])
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in body]


def rows_of(kind: type[Message]) -> list[list[str]]:
    """What the page's table must say of a message: offset, bytes, field, type, range."""
    found, offset = [], HEADER_BYTES
    for name, place in layout(kind):
        typed = f"ascii[{place.n}]" if place.kind == "ascii" else place.kind
        typed = f"{place.n} x {typed}" if place.kind != "ascii" and place.n > 1 else typed
        ends = "printable" if place.kind == "ascii" else f"{place.low}..{place.high}"
        ends = str(place.low) if place.kind != "ascii" and place.low == place.high else ends
        found.append([str(offset), str(place.n_bytes), name, typed, ends])
        offset += place.n_bytes
    return found


def test_the_page_describes_every_message_and_no_other() -> None:
    assert list(sections()) == [f"0x{kind.TYPE:02X} {kind.NAME}" for kind in ALL]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.NAME)
def test_the_page_has_each_field_where_the_code_has_it(kind: type[Message]) -> None:
    section = sections()[f"0x{kind.TYPE:02X} {kind.NAME}"]
    assert [row[:5] for row in rows(section, "offset")] == rows_of(kind)
    assert ("No fields." in section) == (not layout(kind))
    payload_bytes = kind.n_bytes() + HEADER_BYTES + CRC_BYTES
    assert f"Payload {payload_bytes} bytes, {payload_bytes + COBS_AND_END_BYTES} on the wire." in section


def test_the_examples_name_every_message_and_every_field_of_it() -> None:
    examples = [vector["message"] for vector in VECTORS["vectors"] if "message" in vector]
    for kind in ALL:
        of_kind = [example["fields"] for example in examples if example["type"] == kind.NAME]
        assert of_kind
        assert all(list(fields) == [name for name, _ in layout(kind)] for fields in of_kind)
    assert {example["type"] for example in examples} == {kind.NAME for kind in ALL}


def test_the_page_lists_the_reasons_in_the_codes_order() -> None:
    assert [row[0] for row in rows(PAGE, "reason")] == list(REASONS)
    assert {vector["error"] for vector in VECTORS["vectors"] if "error" in vector} == set(REASONS)


def test_types_tell_the_direction_and_are_used_once() -> None:
    assert all(kind < 0x80 for kind in FROM_BOARD)
    assert all(kind >= 0x80 for kind in FROM_HOST)
    assert len(FROM_BOARD) + len(FROM_HOST) == len(ALL)
    assert {v["direction"] for v in VECTORS["vectors"]} == {"board_to_host", "host_to_board"}
    for vector in VECTORS["vectors"]:
        if "message" in vector:
            kinds = FROM_BOARD if vector["direction"] == "board_to_host" else FROM_HOST
            assert vector["message"]["type"] in {kind.NAME for kind in kinds.values()}


def test_version_and_numbers_of_the_page_are_the_codes() -> None:
    assert f"# The encoder board's protocol, version {PROTOCOL_MAJOR}.{PROTOCOL_MINOR}" in PAGE
    assert VECTORS["protocol"] == f"{PROTOCOL_MAJOR}.{PROTOCOL_MINOR}"
    assert f"**Payload**: {SHORTEST_PAYLOAD} to {LONGEST_PAYLOAD} bytes" in PAGE
    assert f"more than {LONGEST_BLOCK} bytes before the zero" in PAGE
    assert f"**{BAUD:,} baud" in PAGE
    assert f"it is 0x{checksum(b'123456789'):04X}." in PAGE
    assert f"GREETING every {1000 * GREET_EVERY_S:.0f} ms" in PAGE
    assert f"nothing else was sent for {1000 * HEARTBEAT_AFTER_S:.0f} ms" in PAGE
    assert f"all good frames for {LOST_AFTER_S:g} s | host" in PAGE
    assert f"at least every {1000 * LOOK_EVERY_S:.0f} ms" in PAGE
    assert f"no HELLO comes within {ANSWER_WITHIN_S:g} s" in PAGE


def test_the_worked_examples_are_examples_of_the_file() -> None:
    wires = re.findall(r"on the wire +((?:[0-9a-f]{2}\s+)+)", PAGE)
    shown = {" ".join(wire.split()) for wire in wires}
    assert len(shown) == 2
    assert shown <= {vector["hex"] for vector in VECTORS["vectors"]}
