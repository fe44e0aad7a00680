"""One table has every text, and every text of it is used."""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from ui.texts import text
from ui.texts.english import ENGLISH, _joined

UI = Path(__file__).resolve().parents[2] / "ui"
_KV_KEY = re.compile(r"""\btext\(\s*['"]([^'"]+)['"](\s*\+)?""")


def python_files() -> list[Path]:
    return [path for path in sorted(UI.rglob("*.py")) if "texts" not in path.relative_to(UI).parts]


def keys_in_python(path: Path) -> Iterator[tuple[str, bool]]:
    """(key, it is only the beginning of one) of every call of `text`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "text" and node.args
        ):
            continue
        match node.args[0]:
            case ast.Constant(value=str(key)):
                yield key, False
            case ast.JoinedStr(values=[ast.Constant(value=str(beginning)), *_]):
                yield beginning, True
            case ast.BinOp(left=ast.Constant(value=str(beginning))):
                yield beginning, True
            case ast.IfExp(body=ast.Constant(value=str(one)), orelse=ast.Constant(value=str(other))):
                yield one, False
                yield other, False


def used() -> list[tuple[Path, str, bool]]:
    found = [(path, key, begins) for path in python_files() for key, begins in keys_in_python(path)]
    for path in sorted(UI.rglob("*.kv")):
        found += [(path, match[1], bool(match[2])) for match in _KV_KEY.finditer(path.read_text())]
    return found


def test_every_key_that_is_used_is_in_the_table() -> None:
    uses = used()
    assert len(uses) >= 5
    missing = [
        f"{path.relative_to(UI)}: {key}"
        for path, key, begins in uses
        if not (any(known.startswith(key) for known in ENGLISH) if begins else key in ENGLISH)
    ]
    assert missing == []


def test_every_text_of_the_table_is_used() -> None:
    uses = used()
    exact = {key for _, key, begins in uses if not begins}
    beginnings = tuple(key for _, key, begins in uses if begins)
    # A key may also stand alone, in a table of a page: there it is a string of its own.
    nodes = [node for path in python_files() for node in ast.walk(ast.parse(path.read_text()))]
    strings = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    # `key = f"overlay.by.{who}"`, for words that the table may lack: the beginning of such a string with a dot in it.
    for node in nodes:
        match node:
            case ast.Assign(value=ast.JoinedStr(values=[ast.Constant(value=str(beginning)), *_])) if "." in beginning:
                beginnings += (beginning,)
    words = "".join(path.read_text() for path in UI.rglob("*.kv"))
    idle = [
        key
        for key in ENGLISH
        if key not in exact
        and not (beginnings and key.startswith(beginnings))
        and key not in strings
        and f"'{key}'" not in words
        and f'"{key}"' not in words
    ]
    assert idle == []


@pytest.mark.parametrize("key", list(ENGLISH))
def test_a_text_is_words_with_named_values(key: str) -> None:
    words = ENGLISH[key]
    assert words.strip() == words
    assert words
    fields = [name for _, name, _, _ in string.Formatter().parse(words) if name is not None]
    assert all(name.partition(".")[0].isidentifier() for name in fields), words


def test_a_key_that_is_missing_is_an_error() -> None:
    with pytest.raises(KeyError):
        text("there.is.no.such.text")
    with pytest.raises(KeyError):
        text("trouble.page", nothing=1)


def test_a_key_in_two_tables_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"ok"):
        _joined({"ok": "OK"}, {"ok": "Fine"})
