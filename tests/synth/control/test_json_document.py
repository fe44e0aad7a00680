"""Strict JSON: what is refused, in which words, and that nothing else comes out than what went in."""

import os
from pathlib import Path

import pytest

from synth.control.json_document import JsonObject, brief, parse_json, pretty, read_bounded
from synth.errors import TetradError


def parsed(data: bytes) -> object:
    return parse_json(data, "a.json", "a patch")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "Expecting value"),
        (b"\xff\xfe{\x00}\x00", "can't decode byte"),
        (b'{"a": NaN}', "NaN is not a number of JSON"),
        (b'{"a": -Infinity}', "-Infinity is not a number of JSON"),
        (b'{"a": 1, "b": {"a": 2, "a": 3}}', "'a' is there twice"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a": 1' + b"0" * 5000 + b"}", "whole number of 5001 digits"),
        (b'{"a": 1} {"a": 2}', "Extra data"),
        (b'{"a": 1,', "Expecting property name"),
    ],
)
def test_what_is_not_json_is_one_line(data: bytes, reason: str) -> None:
    with pytest.raises(TetradError, match=reason) as caught:
        parsed(data)
    assert str(caught.value).startswith("a.json is not JSON (")
    assert "\n" not in str(caught.value)


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parsed(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"x" * 100)
    assert read_bounded(path, 100, "a patch") == b"x" * 100
    with pytest.raises(TetradError, match="larger than 99 bytes; a patch was expected"):
        read_bounded(path, 99, "a patch")


def test_what_is_no_ordinary_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # reading it would wait for a writer for ever
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(TetradError, match="is not an ordinary file"):
            read_bounded(path, 100, "a patch")
    with pytest.raises(TetradError, match=r"cannot read .*: Is a directory"):
        read_bounded(tmp_path, 100, "a patch")
    with pytest.raises(TetradError, match=r"cannot read .*: No such file"):
        read_bounded(tmp_path / "none", 100, "a patch")
    with pytest.raises(TetradError, match="is no file name"):
        read_bounded("a\0b", 100, "a patch")


def test_an_object_can_not_be_changed_from_outside() -> None:
    content = {"b": [1, 2], "a": {"c": None}}
    kept = JsonObject.of(content)
    content["b"].append(3)  # type: ignore[attr-defined]
    kept.to_json()["b"].append(4)
    assert kept.to_json() == {"b": [1, 2], "a": {"c": None}}
    assert kept == JsonObject.of({"a": {"c": None}, "b": [1, 2]})
    assert hash(kept) == hash(JsonObject.of({"a": {"c": None}, "b": [1, 2]}))


@pytest.mark.parametrize("content", [{"a": float("nan")}, {"a": {1, 2}}, {"a": "\ud800"}, {"a": float("inf")}])
def test_what_json_does_not_have_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(TetradError, match="midi is not JSON"):
        JsonObject.of(content, "midi")


def test_pretty_is_json_with_a_line_for_each_key_of_open_objects() -> None:
    content = {"a": 1, "open": {"x": [1, 2], "ü": "y"}, "flat": {"z": {"deep": 1}}, "none": {}}
    text = pretty(content, ("open", "none")).decode()
    assert text.splitlines() == [
        "{",
        '  "a": 1,',
        '  "open": {',
        '    "x": [1, 2],',
        '    "ü": "y"',
        "  },",
        '  "flat": {"z": {"deep": 1}},',
        '  "none": {}',
        "}",
    ]
    assert parsed(text.encode()) == content


def test_a_value_in_an_error_is_short() -> None:
    assert brief("x" * 1000) == "'" + "x" * 36 + "..."
    assert brief(10**5000) == "a int"
