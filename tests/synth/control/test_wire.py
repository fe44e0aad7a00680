"""Bytes to lines to objects, and back."""

import json
import math
import random
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from synth.control.wire import TOO_LONG, LineBuffer, decode_line, encode_line
from synth.errors import TetradError


def lines_of(limit: int, *chunks: bytes) -> list[object]:
    buffer = LineBuffer(limit)
    lines: list[object] = []
    for chunk in chunks:
        buffer.feed(chunk)
        while (line := buffer.take()) is not None:
            lines.append(line)
    return lines


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([b"ab\ncd\n"], [b"ab", b"cd"]),
        ([b"a", b"b", b"\n", b"\n"], [b"ab", b""]),
        ([b"12345678\n"], [b"12345678"]),
        ([b"123456789\nab\n"], [TOO_LONG, b"ab"]),
        ([b"123456789", b"0" * 100, b"1\nab", b"\n"], [TOO_LONG, b"ab"]),
        ([b"123456789", b"\n", b"123456789", b"\nab\n"], [TOO_LONG, TOO_LONG, b"ab"]),
        ([b"no end"], []),
    ],
)
def test_lines(chunks: list[bytes], lines: list[object]) -> None:
    assert lines_of(8, *chunks) == lines


def test_lines_do_not_depend_on_how_they_arrive() -> None:
    rng = random.Random(3)
    for _ in range(300):
        data = b"".join(rng.choice([b"\n", b"a", b"bc", b"0123456789"]) for _ in range(60))
        expected = [line if len(line) <= 12 else TOO_LONG for line in data.split(b"\n")[:-1]]
        if len(data.split(b"\n")[-1]) > 12:
            expected.append(TOO_LONG)
        cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randrange(30)))
        chunks = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        assert lines_of(12, *chunks) == expected


def test_an_endless_line_is_not_kept() -> None:
    buffer = LineBuffer(1000)
    n_too_long = 0
    for _ in range(1000):
        buffer.feed(b"x" * 10_000)
        while buffer.take() is not None:
            n_too_long += 1
        assert len(buffer._bytes) == 0
    assert n_too_long == 1


class Colour(StrEnum):
    RED = "red"


def test_what_json_has_no_word_for() -> None:
    line = encode_line(
        {
            "float": np.float32(0.5),
            "array": np.arange(3),
            "whole": np.int64(7),
            "path": Path("a/b"),
            "set": {2, 1},
            "mapping": MappingProxyType({"x": np.float64("nan")}),
            "nan": [math.nan, -math.inf, {"deep": np.float32("inf")}],
            "colour": Colour.RED,
            "broken": "\ud800",
            "text": "日本語\n🎻",
        }
    )
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    assert json.loads(line) == {
        "float": 0.5,
        "array": [0, 1, 2],
        "whole": 7,
        "path": "a/b",
        "set": [1, 2],
        "mapping": {"x": None},
        "nan": [None, None, {"deep": None}],
        "colour": "red",
        "broken": "?",
        "text": "日本語\n🎻",
    }
    with pytest.raises(TypeError, match="has no JSON form"):
        encode_line({"x": object()})


@pytest.mark.parametrize(
    "line", [b"", b"null", b"5", b'"x"', b"{", b"{'a': 1}", b'{"a": NaN}', b'{"a": [{"b": 1e999}]}', b"\xc3", b"{}{}"]
)
def test_what_is_no_object_is_refused(line: bytes) -> None:
    with pytest.raises(TetradError, match="one JSON object a line was expected"):
        decode_line(line)


def test_random_bytes_are_objects_or_refused() -> None:
    rng = random.Random(5)
    pieces = [b"{", b"}", b'"a"', b":", b",", b"1", b"[", b"]", b"e5", b"-", b"NaN", b"true", b"\\u12", b"\xff", b" "]
    objects = 0
    for _ in range(30_000):
        line = b"".join(rng.choice(pieces) for _ in range(rng.randrange(8)))
        try:
            assert isinstance(decode_line(line), dict)
            objects += 1
        except TetradError as error:
            assert "\n" not in str(error)  # noqa: PT017
    assert objects > 10
