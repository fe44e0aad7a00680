"""What comes over wires, for `format_fuzz`: the engine's socket, OSC, MIDI's tunings, the board's serial line."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.import_parsers import Case, discard
from benchmarks.mutation import mutated, mutated_text
from benchmarks.spoilt import spoilt_json
from firmware_host import capture, messages, protocol
from synth.control.commands import COMMANDS, parse_command
from synth.control.fields import Kind
from synth.control.mts import checksum, receive
from synth.control.tuning import TuningBank
from synth.control.wire import LONGEST_COMMAND, LineBuffer, LineTooLong, decode_line, encode_line
from synth.errors import TetradError
from synth.io.osc import MalformedPacketError, command_of, messages_in


def tunings(chance: random.Random, folder: Path) -> Case:
    """System exclusive, whole messages as the parser gives them, with right and wrong lengths and checksums."""
    bank_, sent = TuningBank(), []
    for _ in range(8):
        kind = chance.choice((1, 2, 4, 5, 6, 7, 8, 9, 0, 3, chance.randrange(128)))
        n = {1: 401, 4: 402, 5: 30, 6: 42, 8: 15, 9: 27}.get(kind, 8) + chance.choice((0, 0, 0, 1, -1, 300))
        body = bytes((chance.choice((0x7E, 0x7F)), 0x7F, 8, kind)) + bytes(
            chance.randrange(128) for _ in range(max(n, 0))
        )
        check = bytes((checksum(body),)) if kind in (1, 4, 5, 6) else b""
        sent.append(b"\xf0" + (mutated(body + check, chance) if chance.random() < 0.3 else body + check) + b"\xf7")
    return lambda: discard([receive(message, bank_) for message in sent])


def _good_command(chance: random.Random) -> dict[str, Any]:
    spec = chance.choice(COMMANDS)
    of_kind = {Kind.FLAG: True, Kind.NUMBER: 0.5, Kind.WHOLE: 1, Kind.CORNER: "nw", Kind.PARAMETER: "x"}
    fields = {field.name: of_kind.get(field.kind, "flute") for field in spec.fields}
    return {"id": 1, "command": spec.name, **fields}


def socket_lines(chance: random.Random, folder: Path) -> Case:
    """What a client may write into the engine's socket, in pieces of any length."""
    stream = b""
    for _ in range(6):
        line = spoilt_json(_good_command(chance), chance)
        stream += line.replace(b"\n", b" ") * chance.choice((1, 1, 1, 1, 30)) + b"\n"
    cuts = sorted(chance.randrange(len(stream) + 1) for _ in range(5))

    def read() -> None:
        buffer = LineBuffer(LONGEST_COMMAND)
        refused: list[str] = []
        for start, end in zip((0, *cuts), (*cuts, len(stream)), strict=True):
            buffer.feed(stream[start:end])
            while (line := buffer.take()) is not None:
                try:
                    parse_command({} if isinstance(line, LineTooLong) else decode_line(line))
                except TetradError as error:
                    refused.append(str(error))
                    encode_line({"type": "error", "message": str(error)})
        assert all(len(words) < 3000 for words in refused), "an answer as long as the question"

    return read


def osc_packets(chance: random.Random, folder: Path) -> Case:
    def text(value: str) -> bytes:
        data = value.encode() + b"\0"
        return data.ljust(-(-len(data) // 4) * 4, b"\0")

    def message() -> bytes:
        address = chance.choice(
            (
                "/tetrad/x",
                "/tetrad/note",
                "/tetrad/patch_load",
                "/tetrad/point",
                "/tetrad/shutdown",
                "/tetrad/corner",
                "/tetrad/instrument_import",
                "/x",
                "/tetrad/subscribe",
            )
        )
        tags = "".join(chance.choices("ifshdTFNbtrm[]", k=chance.randrange(5)))
        size = {"i": 4, "f": 4, "h": 8, "d": 8, "t": 8, "r": 4, "m": 4}
        data = b"".join(text("flute") if tag == "s" else chance.randbytes(size.get(tag, 0)) for tag in tags)
        return text(address) + text("," + tags) + data

    packet = message()
    for _ in range(chance.choice((0, 0, 1, 2, 5, 300))):
        packet = (
            b"#bundle\0" + bytes(8) + struct.pack(">i", chance.choice((len(packet), len(packet), -1, 0, 4))) + packet
        )
    packet = packet if chance.random() < 0.3 else mutated(packet, chance, head=len(packet))

    def read() -> None:
        try:
            found = list(messages_in(packet[:65_507]))
        except MalformedPacketError:
            return
        for one in found:
            try:
                command_of(str(one.address), list(one))
            except TetradError:
                continue

    return read


@cache
def _frames() -> bytes:
    rng = random.Random(1)
    frames = b"".join(
        protocol.frame(number, kind.TYPE, rng.randbytes(20))
        for number, kind in enumerate(messages.Message.__subclasses__())
    )
    return frames + protocol.encode(messages.Heartbeat(), 9)


def serial_bytes(chance: random.Random, folder: Path) -> Case:
    data = chance.randbytes(300) if chance.random() < 0.2 else mutated(_frames() * 3, chance, head=200)
    data = data.replace(b"\0", b"") if chance.random() < 0.05 else data

    def read() -> None:
        for kinds in (protocol.FROM_BOARD, protocol.FROM_HOST):
            decoder = protocol.Decoder(kinds)
            for start in range(0, len(data), 7):
                for event in decoder.events(data[start : start + 7]):
                    str(event)

    return read


def captures(chance: random.Random, folder: Path) -> Case:
    rows = "".join(f"0.{i:06d} {'<>'[i % 2]} {_frames()[5 * i : 5 * i + 9].hex(' ')}\n" for i in range(20))
    text = mutated_text(
        f"{capture.HEADER}\n# device /dev/ttyUSB0\n{rows}", chance, ("<", ">", "#", "nan", "1e999", "0g")
    )
    return lambda: discard([str(event) for event in capture.read(io.StringIO(text))])


PARSERS: dict[str, Callable[[random.Random, Path], Case]] = {
    "tunings": tunings,
    "socket_lines": socket_lines,
    "osc_packets": osc_packets,
    "serial_bytes": serial_bytes,
    "captures": captures,
}
